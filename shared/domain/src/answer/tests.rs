//! Specs of the answer, a sentence each.

use serde_json::json;

use super::*;
use crate::policy::{ContactManager, Employee};

const NOW: Timestamp = Timestamp(1_760_000_000_000);
const LINE: &str = "74950000001";

fn policy() -> Policy {
    let json = json!({
        "account": "school", "version": 1, "time_zone": "Europe/Moscow", "fallback": "anna", "crm": "crm:main",
        "employees": [
            { "id": "anna", "name": "Анна", "extension": "10", "crm_user": "1", "active": true },
            { "id": "petrova", "name": "Петрова", "extension": "12", "crm_user": "2", "active": true },
            { "id": "gone", "name": "Уволенный", "extension": "13", "crm_user": "3", "active": false },
            { "id": "mute", "name": "Немая", "crm_user": "4", "active": true },
        ],
        "groups": {}, "channels": {},
        "scenarios": [{
            "name": "Продажи", "active": true, "lines": [LINE], "exceptions": [], "follow_transfers": false,
            "rules": {}, "contact_manager": { "forwarding": true },
        }],
    });
    serde_json::from_value(json).expect("a policy")
}

fn question() -> Question {
    Question { line: format!("+{LINE}"), caller: "89990001122".to_owned() }
}

fn client(user: &str) -> FoundClient {
    FoundClient { contact: "71".into(), name: "Ольга".to_owned(), responsible: Some(user.into()), duplicates: 0 }
}

/// What the CRM says this very moment.
fn live(client: Option<FoundClient>) -> Heard {
    Heard { known: Some(Known { client, read_at: NOW, stale: false }), not_live: None }
}

/// What it said so long ago.
fn cached(client: FoundClient, age: Millis, not_live: NotLive) -> Heard {
    let read_at = Timestamp(NOW.0 - age.0);
    Heard { known: Some(Known { client: Some(client), read_at, stale: false }), not_live: Some(not_live) }
}

/// The answer as name, internal number and codes of its reasons.
fn told(policy: &Policy, question: &Question, heard: &Heard) -> (String, String, Vec<String>) {
    let told = answer(question, policy, heard, NOW);
    let codes = told.because.into_iter().map(|reason| reason.code).collect();
    (told.display_name, told.extension.map(|it| it.0).unwrap_or_default(), codes)
}

fn plain(policy: &Policy, heard: &Heard) -> (String, String) {
    let (name, extension, _) = told(policy, &question(), heard);
    (name, extension)
}

fn said(name: &str, extension: &str) -> (String, String) {
    (name.to_owned(), extension.to_owned())
}

#[test]
fn a_client_is_put_through_to_whoever_is_responsible_for_them() {
    let expected =
        ("Ольга".to_owned(), "12".to_owned(), vec!["answer_name".to_owned(), "answer_responsible".to_owned()]);
    assert_eq!(told(&policy(), &question(), &live(Some(client("2")))), expected);
}

#[test]
fn a_responsible_who_cannot_answer_leaves_it_to_the_fallback_manager() {
    for user in ["3", "4", "99"] {
        assert_eq!(plain(&policy(), &live(Some(client(user)))), said("Ольга", "10"), "user {user}");
    }
}

#[test]
fn without_a_fallback_manager_who_can_be_rung_the_pbx_decides() {
    for change in [|it: &mut Employee| it.extension = None, |it: &mut Employee| it.active = false] {
        let mut policy = policy();
        change(&mut policy.employees[0]);
        assert_eq!(plain(&policy, &live(Some(client("99")))), said("Ольга", ""));
    }
}

#[test]
fn an_exception_is_never_rung_and_nobody_in_their_place() {
    let mut policy = policy();
    policy.scenarios[0].exceptions = vec!["12".into()];
    assert_eq!(plain(&policy, &live(Some(client("2")))), said("Ольга", ""));
    policy.scenarios[0].exceptions = vec!["10".into()];
    assert_eq!(plain(&policy, &live(Some(client("99")))), said("Ольга", ""), "nor is the fall-back manager");
}

#[test]
fn without_forwarding_the_name_alone_is_shown() {
    let mut policy = policy();
    policy.scenarios[0].contact_manager = Some(ContactManager { forwarding: false });
    for user in ["2", "99"] {
        assert_eq!(plain(&policy, &live(Some(client(user)))), said("Ольга", ""));
    }
}

#[test]
fn a_client_of_nobody_goes_by_the_rules_of_the_pbx() {
    let client = FoundClient { responsible: None, ..client("2") };
    assert_eq!(plain(&policy(), &live(Some(client))), said("Ольга", ""));
}

#[test]
fn a_number_that_nobody_has_says_nothing() {
    assert_eq!(plain(&policy(), &live(None)), said("", ""));
}

#[test]
fn what_was_never_asked_says_nothing_and_says_why() {
    let heard = Heard { known: None, not_live: Some(NotLive::Late) };
    let expected = vec!["answer_late".to_owned(), "answer_nothing".to_owned()];
    assert_eq!(told(&policy(), &question(), &heard), (String::new(), String::new(), expected));
}

#[test]
fn a_cached_answer_of_a_day_routes_and_an_older_one_shows_the_name_alone() {
    let day = Millis::minutes(24 * 60);
    for (age, extension) in [(Millis(0), "12"), (day, "12"), (Millis(day.0 + 1), "")] {
        let heard = cached(client("2"), age, NotLive::NoSlot);
        assert_eq!(plain(&policy(), &heard), said("Ольга", extension), "{age:?}");
    }
}

#[test]
fn how_long_a_cached_responsible_is_believed_is_a_setting() {
    let mut policy = policy();
    policy.waits.responsible_kept_ms = Millis::seconds(10);
    let heard = cached(client("2"), Millis::seconds(11), NotLive::Late);
    assert_eq!(plain(&policy, &heard), said("Ольга", ""));
}

#[test]
fn a_card_that_changed_since_is_still_used_and_the_explanation_says_so() {
    let mut heard = cached(client("2"), Millis::minutes(5), NotLive::Failed { why: "503".to_owned() });
    heard.known.as_mut().expect("known").stale = true;
    let (name, extension, codes) = told(&policy(), &question(), &heard);
    assert_eq!((name.as_str(), extension.as_str()), ("Ольга", "12"));
    assert_eq!(codes[..3], ["answer_failed", "answer_cached", "answer_stale"]);
}

#[test]
fn a_clock_that_is_behind_makes_no_answer_old() {
    let heard = cached(client("2"), Millis(-5_000), NotLive::Late);
    assert_eq!(plain(&policy(), &heard), said("Ольга", "12"));
}

#[test]
fn further_contacts_with_the_number_are_flagged() {
    let client = FoundClient { duplicates: 1, ..client("2") };
    let (_, extension, codes) = told(&policy(), &question(), &live(Some(client)));
    assert_eq!(extension, "12");
    assert!(codes.contains(&"client_duplicates".to_owned()), "{codes:?}");
}

#[test]
fn hidden_and_internal_callers_are_not_looked_up() {
    for caller in ["", "anonymous", "12", "0511", "sip:petrova@pbx.example"] {
        let question = Question { caller: caller.to_owned(), ..question() };
        let expected = (String::new(), String::new(), vec!["answer_hidden".to_owned()]);
        assert_eq!(told(&policy(), &question, &live(Some(client("2")))), expected, "{caller}");
    }
}

#[test]
fn only_a_connected_account_and_a_scenario_that_is_on_are_asked_for() {
    let mut off: Vec<(Policy, &str)> = Vec::new();
    let mut with = |change: fn(&mut Policy), code| {
        let mut policy = policy();
        change(&mut policy);
        off.push((policy, code));
    };
    with(|it| it.crm = None, "answer_no_crm");
    with(|it| it.scenarios[0].contact_manager = None, "answer_off");
    with(|it| it.scenarios[0].active = false, "answer_off");
    with(|it| it.scenarios[0].lines = vec!["74950000002".to_owned()], "answer_off");
    for (policy, code) in off {
        let expected = (String::new(), String::new(), vec![code.to_owned()]);
        assert_eq!(told(&policy, &question(), &live(Some(client("2")))), expected);
    }
}

#[test]
fn of_two_scenarios_of_a_line_the_one_that_is_switched_on_decides() {
    let mut policy = policy();
    let mut older = policy.scenarios[0].clone();
    older.contact_manager = None;
    older.exceptions = vec!["12".into()];
    policy.scenarios.insert(0, older);
    assert_eq!(plain(&policy, &live(Some(client("2")))), said("Ольга", "12"));
}

#[test]
fn an_age_is_said_as_people_say_it() {
    let ages = [4_000, 125_000, 26 * 3_600_000].map(|ms| words(Millis(ms)));
    assert_eq!(ages, ["4 с", "2 мин", "26 ч"]);
}
