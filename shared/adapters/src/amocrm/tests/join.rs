//! A number that the client of a chat wrote.

use super::*;

fn play() -> Play {
    Play::new(Command::JoinPhone { contact: crm("7143600"), number: number() })
}

fn card(phones: &Value) -> Value {
    let phone = json!({ "field_id": 3, "field_code": "PHONE", "field_type": "multitext", "values": phones });
    json!({ "id": 7_143_600, "name": "Олег", "responsible_user_id": 504_002, "custom_fields_values": [phone] })
}

fn old() -> Value {
    json!([{ "value": "8 495 000-00-01", "enum_id": 2, "enum_code": "WORK" }])
}

/// Nobody has the number.
fn at_the_card() -> Play {
    let mut play = play();
    play.read("", 204, &Value::Null);
    play
}

#[test]
fn a_number_that_nobody_has_is_added_to_those_of_the_contact() {
    let mut play = at_the_card();
    play.read("join-read", 200, &card(&old()));
    play.write("join-change", "patch", 200, &json!({ "id": 7_143_600 }));
    assert_eq!(play.done(), JobResult::PhoneJoined { elsewhere: None });
    let news = play.news.expect("news");
    assert_eq!((news.client, news.contact, news.name.as_str()), (number().into(), Some(crm("7143600")), "Олег"));
}

#[test]
fn a_lost_change_is_looked_up_at_the_contact() {
    for (phones, came_through) in [(old(), false), (json!([{ "value": "+79990001122" }]), true)] {
        let mut play = at_the_card();
        play.read("", 200, &card(&old()));
        play.lose("patch");
        let expected = if came_through { Outcome::Next } else { Outcome::NotThere };
        assert_eq!(play.read("join-read", 200, &card(&phones)), expected);
        match came_through {
            true => assert_eq!(play.done(), JobResult::PhoneJoined { elsewhere: None }),
            false => assert!(matches!(play.next(), Step::Write { .. })),
        }
    }
}

#[test]
fn a_number_of_another_contact_is_told_by_one_note() {
    let mut play = play();
    play.read("", 200, &sample("contacts-found"));
    play.lose("note");
    assert_eq!(play.read("join-note-look", 204, &Value::Null), Outcome::NotThere);
    play.write("join-note", "note", 200, &sample("notes-created"));
    assert_eq!(play.done(), JobResult::PhoneJoined { elsewhere: Some(crm("7143599")) });
}

#[test]
fn a_contact_that_has_the_number_already_or_is_gone_is_left_alone() {
    let mut play = Play::new(Command::JoinPhone { contact: crm("7143599"), number: number() });
    play.read("", 200, &sample("contacts-found"));
    assert_eq!(play.done(), JobResult::PhoneJoined { elsewhere: None });
    for (status, body) in [(204, Value::Null), (404, json!({}))] {
        let outcome = at_the_card().read("", status, &body);
        assert!(matches!(outcome, Outcome::Failed(JobResult::Failed { why, .. }) if why.contains("больше нет")));
    }
}
