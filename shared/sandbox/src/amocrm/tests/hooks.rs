//! Changes of contacts, told to whoever set an address.

use super::*;
use crate::amocrm::Edit;

fn told(crm: &mut AmoCrm, now_ms: i64) -> Vec<(String, Vec<(String, String)>)> {
    let posts = crm.take_due(now_ms).into_iter();
    posts.map(|post| (post.url, form_urlencoded::parse(&post.body).into_owned().collect())).collect()
}

fn value<'a>(pairs: &'a [(String, String)], wanted: &str) -> &'a str {
    pairs.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str())
}

#[test]
fn a_change_of_a_contact_is_told_once_with_its_account_and_its_numbers() {
    let mut crm = AmoCrm::new(Config::default());
    let id = crm.add_contact("Ольга", "+79990001122", 504_002);
    crm.edit_contact(id, Edit { name: Some("Никто"), ..Edit::default() }, 0);
    assert_eq!(crm.next_due(), None, "nobody is to be told");
    crm.tell("https://hub.example.test/h/token");
    crm.edit_contact(id, Edit { responsible: Some(504_003), phone: Some("8 (999) 000-11-33"), ..Edit::default() }, 0);
    assert!(told(&mut crm, 0).is_empty(), "a moment later");
    let posts = told(&mut crm, 1_000);
    let [(url, pairs)] = posts.as_slice() else { panic!("one webhook, not {posts:?}") };
    assert_eq!(url, "https://hub.example.test/h/token");
    let of = |name: &str| value(pairs, &format!("contacts[update][0]{name}"));
    assert_eq!((of("[id]"), of("[responsible_user_id]")), (id.to_string().as_str(), "504003"));
    assert_eq!((of("[custom_fields][0][code]"), of("[type]")), ("PHONE", "contact"));
    assert_eq!(of("[custom_fields][0][values][0][value]"), "8 (999) 000-11-33");
    assert_eq!((value(pairs, "account[id]"), value(pairs, "account[subdomain]")), ("30000001", "example"));
}

#[test]
fn a_webhook_that_nobody_takes_comes_again_a_few_times() {
    let mut crm = AmoCrm::new(Config::default());
    crm.tell("https://hub.example.test/h/token");
    let id = crm.add_contact("Ольга", "+79990001122", 504_002);
    crm.delete_contact(id);
    let mut tries = 0;
    for minute in 0..10 {
        for post in crm.take_due(minute * 61_000) {
            tries += 1;
            assert_eq!(post.method, "delete_contact");
            crm.note_posted(&post, 503, 0);
        }
    }
    assert_eq!(tries, 3);
    crm.delete_contact(id);
    let post = crm.take_due(1_000_000).pop().expect("a webhook");
    crm.note_posted(&post, 200, 0);
    assert_eq!((crm.next_due(), crm.posted().count()), (None, 4));
}
