//! What contacts and deals have in common: people, custom fields, tags.

use serde_json::{Value, json};

use super::AmoCrm;
use super::directory::is_user;
use super::item::Item;
use super::model::{Filled, Kind, Stamp};

/// Keys that both kinds of cards take.
const KEYS: [&str; 11] = [
    "id",
    "name",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "custom_fields_values",
    "tags_to_add",
    "tags_to_delete",
    "_embedded",
];

/// What a request wants of a card.
pub(super) struct Change {
    pub(super) name: Option<String>,
    pub(super) responsible: Option<u64>,
    pub(super) by: Author,
    pub(super) fields: Vec<Filled>,
    pub(super) tags: TagChange,
}

/// Who acts and when, if the request says so.
pub(super) struct Author {
    created_by: Option<u64>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
}

/// What becomes of a card's tags.
#[derive(Default)]
pub(super) struct TagChange {
    replace: Option<Vec<String>>,
    add: Vec<String>,
    delete: Vec<String>,
}

impl Author {
    pub(super) fn read(item: &mut Item<'_>) -> Self {
        let known = |id| id == 0 || is_user(id);
        item.known("updated_by", known);
        Self {
            created_by: item.known("created_by", known),
            created_at: item.integer("created_at"),
            updated_at: item.integer("updated_at"),
        }
    }

    /// The stamp of something made now.
    pub(super) fn stamp(&self, now_ms: i64) -> Stamp {
        let now_s = now_ms.div_euclid(1000);
        Stamp {
            created_by: self.created_by.unwrap_or_default(),
            created_at: self.created_at.unwrap_or(now_s),
            updated_at: self.updated_at.or(self.created_at).unwrap_or(now_s),
            created_ms: now_ms,
        }
    }

    /// Marks something changed now.
    pub(super) fn touch(&self, stamp: &mut Stamp, now_ms: i64) {
        stamp.updated_at = self.updated_at.unwrap_or(now_ms.div_euclid(1000));
    }
}

impl AmoCrm {
    /// Reads the common keys, and `_embedded` with the help of `embedded`; `own` are the keys
    /// that only this kind of card takes.
    pub(super) fn read_card(
        &self,
        kind: Kind,
        own: &[&str],
        item: &mut Item<'_>,
        embedded: impl FnOnce(&mut Item<'_>),
    ) -> Change {
        let keys: Vec<&str> = KEYS.iter().chain(own).copied().collect();
        item.only(&keys);
        let mut tags = TagChange {
            replace: None,
            add: self.read_tags("tags_to_add", item),
            delete: self.read_tags("tags_to_delete", item),
        };
        if let Some(mut inner) = item.object("_embedded") {
            if inner.has("tags") {
                tags.replace = Some(self.read_tags("tags", &mut inner));
            }
            embedded(&mut inner);
        }
        Change {
            name: item.text("name"),
            responsible: item.known("responsible_user_id", is_user),
            by: Author::read(item),
            fields: self.read_fields(kind, item),
            tags,
        }
    }

    fn read_tags(&self, key: &str, item: &mut Item<'_>) -> Vec<String> {
        let read = item.each(key, |tag| {
            tag.only(&["id", "name", "color"]);
            if tag.has("name") {
                return tag.text("name");
            }
            let place = tag.id("id").and_then(|id| usize::try_from(id).ok());
            let name = place.and_then(|id| self.tags.get(id.checked_sub(1)?)).cloned();
            if name.is_none() {
                tag.refuse("NotSupportedChoice", "id");
            }
            name
        });
        read.unwrap_or_default().into_iter().flatten().collect()
    }

    /// The card's tags after a change; new names enter the dictionary.
    pub(super) fn retag(&mut self, tags: &mut Vec<String>, change: TagChange) {
        if let Some(replaced) = change.replace {
            *tags = Vec::new();
            self.retag(tags, TagChange { add: replaced, ..TagChange::default() });
        }
        for name in change.add {
            if !self.tags.contains(&name) {
                self.tags.push(name.clone());
            }
            if !tags.contains(&name) {
                tags.push(name);
            }
        }
        tags.retain(|name| !change.delete.contains(name));
    }

    pub(super) fn tags_json(&self, tags: &[String]) -> Value {
        let id = |name| self.tags.iter().position(|known| known == name).map(|place| place + 1);
        let one = |name| json!({ "id": id(name), "name": name, "color": null });
        tags.iter().map(one).collect()
    }

    /// When the next open task of a card is due, in Unix seconds.
    pub(super) fn closest_task(&self, kind: Kind, id: u64) -> Option<i64> {
        let open = |task: &&super::Task| !task.is_completed && task.entity == Some((kind, id));
        self.tasks.iter().filter(open).map(|task| task.complete_till).min()
    }

    /// Whether there is such a card and nobody has deleted it.
    pub(super) fn has_card(&self, kind: Kind, id: u64) -> bool {
        match kind {
            Kind::Contacts => self.contacts.iter().any(|card| card.id == id && !card.deleted),
            Kind::Leads => self.leads.iter().any(|card| card.id == id && !card.deleted),
        }
    }
}

/// Whether a search finds this card: part of its name, or of the digits of a phone.
pub(super) fn matches(query: &str, name: &str, phones: &[String]) -> bool {
    let query = query.trim().to_lowercase();
    if name.to_lowercase().contains(&query) {
        return true;
    }
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || query.chars().any(char::is_alphabetic) {
        return false;
    }
    phones.iter().any(|phone| only_digits(phone).contains(&digits))
}

/// The last ten digits of a number, or all of a shorter one.
pub(super) fn last_ten(phone: &str) -> String {
    let digits = only_digits(phone);
    digits[digits.len().saturating_sub(10)..].to_owned()
}

pub(super) fn only_digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}
