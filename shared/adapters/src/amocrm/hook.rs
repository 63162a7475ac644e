//! Webhooks in: a card changed. Nothing signs them, so whose account they name is compared and nothing else is believed:
//! they only say about whom amoCRM is worth asking.

use std::collections::{BTreeMap, BTreeSet};

use perezvon_domain::{ClientId, CrmId, Number, OutsideId};

use super::wire;
use crate::intake::{ClientChange, Inbound, Intake, Malformed, RawRequest, Refusal, Verified};
use crate::secret::{Secret, same};
use crate::settings::{ACCOUNT_ID, SUBDOMAIN};

/// What is told of contacts that concerns us; the rest of them are notes and the like.
const ACTIONS: [&str; 5] = ["add", "update", "delete", "restore", "responsible"];
/// Companies come as contacts of this type; nobody is looked for among them.
const COMPANY: &str = "company";
/// Contacts of one webhook that are asked about, and what stands in one card that is looked at.
const MOST: usize = 50;
/// Longest name of a kind of webhook that is kept, in characters.
const KIND_LIMIT: usize = 80;

pub(super) struct AmoHook;

impl Intake for AmoHook {
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret]) -> Result<Verified<'a>, Refusal> {
        let said = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(&request.body);
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let (account, subdomain) = (said("account[id]"), said("account[subdomain]"));
        let mut ours = secrets.iter().filter(|secret| !secret.get(ACCOUNT_ID).is_empty()).peekable();
        if ours.peek().is_none() {
            return Err(Refusal::NoSecret);
        }
        if account.is_empty() {
            return Err(Refusal::Unreadable("`account[id]` is missing: whose webhook is it?".to_owned()));
        }
        let fits = |ours: &str, told: &str| same(ours.as_bytes(), told.as_bytes());
        // An account of our own host may have any name; where both are known, they are the same.
        let is_ours = |secret: &Secret| {
            let named = secret.get(SUBDOMAIN);
            let same_name = named.is_empty() || subdomain.is_empty() || fits(named, &subdomain);
            fits(secret.get(ACCOUNT_ID), &account) && same_name
        };
        if !ours.any(is_ours) {
            return Err(Refusal::OtherAccount);
        }
        Ok(Verified::new(request, String::new()))
    }

    fn normalise(&self, request: Verified<'_>) -> Result<Vec<Inbound>, Malformed> {
        let (mut cards, mut others) = (BTreeMap::<_, Card>::new(), BTreeSet::new());
        for (name, value) in form_urlencoded::parse(&request.request().body) {
            let parts: Vec<&str> = name.split(['[', ']']).filter(|part| !part.is_empty()).collect();
            match parts.as_slice() {
                ["account", ..] => {}
                ["contacts", action, place, path @ ..] if ACTIONS.contains(action) => {
                    cards.entry(((*action).to_owned(), (*place).to_owned())).or_default().take(path, &value);
                }
                [kind, action, ..] => {
                    others.insert(format!("{kind}/{action}").chars().take(KIND_LIMIT).collect::<String>());
                }
                _ => {}
            }
        }
        if cards.is_empty() && others.is_empty() {
            return Err(Malformed("it does not say what changed".to_owned()));
        }
        let mut changed: BTreeMap<u64, Vec<ClientId>> = BTreeMap::new();
        for card in cards.into_values() {
            if card.kind == COMPANY {
                others.insert(COMPANY.to_owned());
                continue;
            }
            let id = card.id.parse().ok().filter(|id| *id > 0);
            let id: u64 = id.ok_or_else(|| Malformed("a contact without an id".to_owned()))?;
            let known = changed.entry(id).or_default();
            for client in card.clients() {
                if known.len() < MOST && !known.contains(&client) {
                    known.push(client);
                }
            }
        }
        let changed = changed.into_iter().take(MOST);
        let changed = changed.map(|(id, clients)| ClientChange { contact: CrmId(id.to_string()), clients });
        let changed = changed.map(Inbound::ClientChanged);
        Ok(changed.chain(others.into_iter().take(MOST).map(Inbound::Counted)).collect())
    }

    /// Exactly the given address is called.
    fn paths(&self) -> &'static [&'static str] {
        &[""]
    }
}

/// A card as far as it concerns us.
#[derive(Default)]
struct Card {
    id: String,
    kind: String,
    /// By their place in the webhook.
    fields: BTreeMap<String, Field>,
}

#[derive(Default)]
struct Field {
    code: String,
    values: Vec<String>,
}

impl Card {
    fn take(&mut self, path: &[&str], value: &str) {
        let value = value.trim().to_owned();
        match path {
            ["id"] => self.id = value,
            ["type"] => self.kind = value,
            ["custom_fields", place, "code"] => self.field(place).code = value,
            ["custom_fields", place, "values", _, "value"] => self.field(place).values.push(value),
            _ => {}
        }
    }

    fn field(&mut self, place: &str) -> &mut Field {
        self.fields.entry(place.to_owned()).or_default()
    }

    fn clients(self) -> impl Iterator<Item = ClientId> {
        self.fields.into_values().flat_map(|field| {
            let read = move |value: String| match field.code.as_str() {
                "PHONE" => Number::parse(&value).map(ClientId::from),
                wire::FIELD_CODE => Some(OutsideId(value).into()),
                _ => None,
            };
            field.values.into_iter().filter_map(read)
        })
    }
}
