//! Webhooks: a change of a contact is told to the address that was set, as a form with PHP brackets that nobody signs.
//! What is not answered with 2xx comes again after a while, a few times.

use std::collections::VecDeque;

use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::directory::{ACCOUNT, OWNER, SUBDOMAIN};
use super::model::{Contact, Filled};
use super::{AmoCrm, fields};
use crate::http::{Request, Response};
use crate::post::{Post, Posted};

/// How long after the change it is told.
const AFTER_MS: i64 = 300;
/// So long an answer is waited for, and so long after a missing one it comes again.
const WAIT_MS: i64 = 10_000;
const AGAIN_MS: i64 = 60_000;
const TRIES: u32 = 3;
/// Webhooks that are remembered.
const REMEMBERED: usize = 200;

/// Whom changes are told, and what is to be told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hooks {
    address: String,
    numbered: u64,
    waiting: Vec<Waiting>,
    posted: VecDeque<Posted>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    number: u64,
    due_ms: i64,
    tries: u32,
    action: String,
    body: String,
}

/// What a person changes in a contact; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edit<'a> {
    pub name: Option<&'a str>,
    pub responsible: Option<u64>,
    /// The only number from now on.
    pub phone: Option<&'a str>,
}

/// Where webhooks go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    address: String,
}

impl AmoCrm {
    /// Who is told of changes from now on; empty: nobody.
    pub fn tell(&mut self, address: &str) {
        address.clone_into(&mut self.hooks.address);
    }

    pub(super) fn tell_by_hand(&mut self, request: &Request) -> Response {
        match serde_json::from_slice::<Address>(&request.body) {
            Ok(Address { address }) => {
                self.tell(&address);
                Response::empty(204)
            }
            Err(error) => Response::of_json(400, &json!({ "error": error.to_string() })),
        }
    }

    /// A person changes a contact. An unknown id changes nothing.
    pub fn edit_contact(&mut self, id: u64, edit: Edit<'_>, now_ms: i64) {
        let Some(contact) = self.contacts.iter_mut().find(|contact| contact.id == id) else { return };
        if let Some(name) = edit.name {
            name.clone_into(&mut contact.name);
        }
        contact.responsible = edit.responsible.unwrap_or(contact.responsible);
        if let Some(phone) = edit.phone {
            fields::apply(&mut contact.fields, vec![fields::phone(phone)]);
            contact.phones = fields::phones(&contact.fields);
        }
        contact.stamp.updated_at = now_ms.div_euclid(1000);
        let contact = contact.clone();
        self.contact_changed("update", &contact, now_ms);
    }

    /// A change of a contact, to be told of.
    pub(super) fn contact_changed(&mut self, action: &str, contact: &Contact, now_ms: i64) {
        if self.hooks.address.is_empty() {
            return;
        }
        let (body, hooks) = (self.body(action, contact), &mut self.hooks);
        hooks.numbered += 1;
        let (number, due_ms, action) = (hooks.numbered, now_ms + AFTER_MS, format!("{action}_contact"));
        hooks.waiting.push(Waiting { number, due_ms, tries: TRIES, action, body });
    }

    fn body(&self, action: &str, contact: &Contact) -> String {
        let mut form = Serializer::new(String::new());
        let card = format!("contacts[{action}][0]");
        let mut put = |name: &str, value: &str| {
            form.append_pair(&format!("{card}{name}"), value);
        };
        put("[id]", &contact.id.to_string());
        // Nothing more is told of what is gone.
        if action != "delete" {
            put("[name]", &contact.name);
            put("[responsible_user_id]", &contact.responsible.to_string());
            put("[date_create]", &contact.stamp.created_at.to_string());
            put("[last_modified]", &contact.stamp.updated_at.to_string());
            put("[modified_user_id]", &OWNER.to_string());
            put("[account_id]", &ACCOUNT.to_string());
            for (place, filled) in contact.fields.iter().enumerate() {
                for (name, value) in self.field(filled) {
                    put(&format!("[custom_fields][{place}]{name}"), &value);
                }
            }
        }
        put("[type]", "contact");
        form.append_pair("account[subdomain]", SUBDOMAIN).append_pair("account[id]", &ACCOUNT.to_string());
        form.append_pair("account[_links][self]", &self.config.base).finish()
    }

    fn field(&self, filled: &Filled) -> Vec<(String, String)> {
        let known = self.fields.iter().find(|field| field.id == filled.field_id);
        let mut pairs = vec![("[id]".to_owned(), filled.field_id.to_string())];
        pairs.extend(known.map(|field| ("[name]".to_owned(), field.name.clone())));
        pairs.extend(known.and_then(|field| Some(("[code]".to_owned(), field.code.clone()?))));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = filled.values.iter().enumerate();
        pairs.extend(values.map(|(place, value)| (format!("[values][{place}][value]"), text(&value.value))));
        pairs
    }

    /// When the next webhook is due, in Unix milliseconds.
    pub fn next_due(&self) -> Option<i64> {
        self.hooks.waiting.iter().map(|hook| hook.due_ms).min()
    }

    /// What is to be posted by now, in its order.
    pub fn take_due(&mut self, now_ms: i64) -> Vec<Post> {
        let hooks = &mut self.hooks;
        let (mut due, mut later) = (Vec::new(), Vec::new());
        for mut hook in std::mem::take(&mut hooks.waiting) {
            if hook.due_ms > now_ms {
                later.push(hook);
                continue;
            }
            due.push(Post {
                number: hook.number,
                method: hook.action.clone(),
                url: hooks.address.clone(),
                headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
                body: hook.body.clone().into_bytes(),
                wait_ms: WAIT_MS,
                sent_ms: now_ms,
            });
            // Until it is answered.
            hook.tries -= 1;
            hook.due_ms = now_ms + AGAIN_MS;
            later.extend((hook.tries > 0).then_some(hook));
        }
        hooks.waiting = later;
        due
    }

    /// What became of a webhook.
    pub fn note_posted(&mut self, post: &Post, status: u16, now_ms: i64) {
        let hooks = &mut self.hooks;
        if (200..300).contains(&status) {
            hooks.waiting.retain(|hook| hook.number != post.number);
        }
        if hooks.posted.len() == REMEMBERED {
            hooks.posted.pop_front();
        }
        let (method, body) = (post.method.clone(), String::from_utf8_lossy(&post.body).into_owned());
        hooks.posted.push_back(Posted { at_ms: now_ms, method, body, status });
    }

    /// The last webhooks that were posted, oldest first, 200 at most.
    pub fn posted(&self) -> impl DoubleEndedIterator<Item = &Posted> {
        self.hooks.posted.iter()
    }
}
