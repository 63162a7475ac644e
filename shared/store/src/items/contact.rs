//! Which contact points a contact of the CRM has: a change of the contact finds them. Kept only where the CRM tells of
//! changes; what moved to another contact stays here too, and is asked about once too often.

use perezvon_domain::{AccountId, ClientId, CrmId};

use super::text;
use crate::keys;
use crate::table::{Row, Update};

/// Notes that the contact is this client; each client is an attribute of its own.
pub fn add(account: &AccountId, contact: &CrmId, client: &ClientId) -> Update {
    Update::new(keys::contact(account, contact)).set(&client.words(), text(client))
}

/// Whether that is noted.
pub fn has(row: &Row, client: &ClientId) -> bool {
    row.attributes.contains_key(&client.words())
}

/// All clients that the contact is, or was.
pub fn clients(row: &Row) -> Vec<ClientId> {
    row.attributes.keys().filter_map(|name| serde_json::from_str(row.s(name)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use perezvon_domain::{Number, OutsideId};

    use super::*;

    #[test]
    fn what_was_noted_is_found_and_what_is_noted_twice_stands_once() {
        let (account, contact) = ("school".into(), "7".into());
        let number = ClientId::from(Number::parse("79990001122").expect("a number"));
        let outside = ClientId::from(OutsideId::from("chats:7"));
        let notes = [&number, &outside, &number].map(|client| add(&account, &contact, client));
        let attributes = notes.iter().fold(None, |row, note| Some(note.applied_to(row.as_ref()).expect("it fits")));
        let row = Row { key: keys::contact(&account, &contact), attributes: attributes.expect("a row") };
        assert_eq!(clients(&row), [number.clone(), outside]);
        assert!(has(&row, &number) && !has(&row, &Number::parse("79990001133").expect("a number").into()));
    }
}
