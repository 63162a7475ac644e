//! An account with a past, and an account that outlives a restart.

use super::model::{Contact, Lead, Stamp};
use super::{AmoCrm, Config, directory, fields};

/// When entities that were there before were made: 15 January 2025.
const BEFORE_S: i64 = 1_736_930_000;

/// Of somebody who was there before any lag could matter.
fn stamp() -> Stamp {
    let long_ago = i64::MIN / 2;
    Stamp { created_by: 0, created_at: BEFORE_S, updated_at: BEFORE_S, created_ms: long_ago }
}

impl AmoCrm {
    /// A contact that has been there for long; its id.
    pub fn add_contact(&mut self, name: &str, phone: &str, responsible: u64) -> u64 {
        self.ids.contact += 1;
        self.contacts.push(Contact {
            id: self.ids.contact,
            name: name.to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            phones: vec![phone.to_owned()],
            tags: Vec::new(),
            fields: vec![fields::phone(phone)],
            responsible,
            deleted: false,
            stamp: stamp(),
        });
        self.ids.contact
    }

    /// An active deal of a contact that has been there for long; its id.
    pub fn add_lead(&mut self, name: &str, contact: u64, responsible: u64) -> u64 {
        self.ids.lead += 1;
        self.leads.push(Lead {
            id: self.ids.lead,
            name: name.to_owned(),
            price: 0,
            pipeline_id: directory::PIPELINE,
            status_id: directory::FIRST_STATUS,
            responsible,
            contacts: vec![contact],
            tags: Vec::new(),
            fields: Vec::new(),
            deleted: false,
            closed_at: None,
            stamp: stamp(),
        });
        self.ids.lead
    }

    /// A person deletes a contact. An unknown id changes nothing.
    pub fn delete_contact(&mut self, id: u64) {
        if let Some(contact) = self.contacts.iter_mut().find(|contact| contact.id == id) {
            contact.deleted = true;
            let contact = contact.clone();
            // Told at once, whenever that is.
            self.contact_changed("delete", &contact, 0);
        }
    }

    /// A person switches a user off.
    pub fn dismiss(&mut self, user: u64) {
        self.dismissed.push(user);
    }

    /// A person deletes a deal. An unknown id changes nothing.
    pub fn delete_lead(&mut self, id: u64) {
        if let Some(lead) = self.leads.iter_mut().find(|lead| lead.id == id) {
            lead.deleted = true;
        }
    }

    /// A person moves a deal: 142 won, 143 lost. An unknown id changes nothing.
    pub fn move_lead(&mut self, id: u64, status_id: u64, now_ms: i64) {
        if let Some(lead) = self.leads.iter_mut().find(|lead| lead.id == id) {
            lead.move_to(status_id, now_ms);
        }
    }

    /// Empties the account and forgets requests and faults; settings, tokens and the address of webhooks stay.
    pub fn reset(&mut self) {
        let empty = Self::new(self.config.clone());
        let (auth, hooks) = (std::mem::take(&mut self.auth), std::mem::take(&mut self.hooks));
        *self = Self { auth, hooks, ..empty };
    }

    /// Other settings for the same account: after a restart the address may be another one.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// The whole account as JSON, for [`AmoCrm::load`].
    pub fn save(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// An account that was saved; the error says what is wrong with the text.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
