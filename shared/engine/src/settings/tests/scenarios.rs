//! Specs of scenarios.

use perezvon_domain::policy::{Occasion, Responsible};
use perezvon_domain::time::Millis;

use super::super::{Contact, Deal, Document, Rules, Scenario, Task};
use super::{accepted, each_is_accepted, each_is_refused};

fn incoming_new(document: &mut Document) -> &mut Rules {
    document.scenarios[0].incoming_new.as_mut().expect("an event")
}

fn contact(document: &mut Document) -> &mut Contact {
    incoming_new(document).contact.as_mut().expect("a contact")
}

fn deal(document: &mut Document) -> &mut Deal {
    incoming_new(document).deal.as_mut().expect("a deal")
}

fn task(document: &mut Document) -> &mut Task {
    let rules = document.scenarios[0].missed_new.as_mut().expect("an event");
    rules.task.as_mut().expect("a task")
}

fn many(document: &Document, count: usize) -> Vec<Scenario> {
    let named = |index: usize| Scenario {
        name: index.to_string(),
        lines: vec![format!("line-{index}")],
        ..document.scenarios[1].clone()
    };
    (0..count).map(named).collect()
}

#[test]
fn a_scenario_becomes_rules_by_occasion() {
    let policy = accepted(|_| {}).policy;
    let rules = &policy.scenarios[0].rules;
    let occasions: Vec<Occasion> = rules.keys().copied().collect();
    use Occasion::{IncomingKnown, IncomingNew, MissedKnown, MissedNew};
    assert_eq!(occasions, [IncomingNew, IncomingKnown, MissedNew, MissedKnown]);
    let task = rules[&MissedNew].task.as_ref().expect("a task");
    assert_eq!(task.due_in, Millis::minutes(30));
    assert_eq!(task.responsible, Responsible::Group("Продажи".into()));
    let deal = rules[&IncomingNew].deal.as_ref().expect("a deal");
    assert_eq!(deal.responsible, Responsible::OnTheCall);
    let contact = rules[&IncomingNew].contact.as_ref().expect("a contact");
    assert_eq!(contact.responsible, Responsible::Usual);
    assert_eq!(contact.fields[0].field, "POSITION");
}

#[test]
fn who_calls_is_asked_only_where_that_is_switched_on() {
    let manager = |change: fn(&mut Document)| accepted(change).policy.scenarios[0].contact_manager;
    assert_eq!(manager(|_| {}).map(|it| it.forwarding), Some(true));
    assert_eq!(manager(|it| it.scenarios[0].forwarding = None).map(|it| it.forwarding), Some(true));
    assert_eq!(manager(|it| it.scenarios[0].forwarding = Some(false)).map(|it| it.forwarding), Some(false));
    let off = |it: &mut Document| (it.scenarios[0].contact_manager, it.scenarios[0].forwarding) = (false, None);
    assert_eq!(manager(off), None);
    assert_eq!(accepted(|_| {}).policy.scenarios[1].contact_manager, None, "so it is unless somebody says otherwise");
    each_is_refused(&[(
        |it| it.scenarios[0].contact_manager = false,
        &[
            "scenarios[0].forwarding: nobody is looked up, so there is nobody to put a call through to; add `contact_manager = true`, or take this out",
        ],
    )]);
}

#[test]
fn names_lines_and_exceptions_are_checked() {
    each_is_refused(&[
        (
            |it| it.scenarios[1].name = "Продажи".into(),
            &["scenarios[1].name: `Продажи` stands in scenarios[0].name too; give each scenario a name of its own"],
        ),
        (
            |it| it.scenarios[0].lines.push("8 495 000-00-01".into()),
            &["scenarios[0].lines[2]: `74950000001` stands in scenarios[0].lines[0] too; name each line once"],
        ),
        (|it| it.scenarios[0].lines.push(String::new()), &["scenarios[0].lines[2]: empty; write something here"]),
        (
            |it| it.scenarios[0].lines = (0..201).map(|it| format!("line-{it}")).collect(),
            &["scenarios[0].lines: 201 of them; give 0 to 200"],
        ),
        (
            |it| it.scenarios[0].exceptions = vec!["999".into()],
            &["scenarios[0].exceptions[0]: no employee has the internal number `999`; correct it or take it out"],
        ),
        (|it| it.scenarios = many(it, 51), &["scenarios: 51 of them; give 0 to 50"]),
    ]);
    each_is_accepted(&[
        |it| it.scenarios[0].lines = (0..200).map(|it| format!("line-{it}")).collect(),
        |it| it.scenarios[0].exceptions = vec!["10".into(), "12".into()],
        |it| it.scenarios = many(it, 50),
        |it| it.scenarios.clear(),
    ]);
}

#[test]
fn two_active_scenarios_of_one_line_do_not_share_an_event() {
    each_is_refused(&[(
        |it| it.scenarios[1].missed_new = Some(Rules::default()),
        &[
            "scenarios[1].lines: `Обзвон` and `Продажи` both act on `missed_new` of line 74950000001; take the line or the event out of one of them",
        ],
    )]);
    each_is_accepted(&[
        |it| {
            it.scenarios[1].missed_new = Some(Rules::default());
            it.scenarios[1].active = false;
        },
        |it| {
            it.scenarios[1].missed_new = Some(Rules::default());
            it.scenarios[1].lines = vec!["+7 495 000-00-02".into()];
        },
    ]);
}

#[test]
fn a_client_from_the_crm_gets_no_contact() {
    each_is_refused(&[
        (
            |it| it.scenarios[0].incoming_known = it.scenarios[0].incoming_new.clone(),
            &[
                "scenarios[0].incoming_known.contact: a client from the CRM has a contact already; make contacts in the events of new clients only",
            ],
        ),
        (
            |it| it.scenarios[0].outgoing_known = it.scenarios[1].outgoing_new.clone(),
            &[
                "scenarios[0].outgoing_known.contact: a client from the CRM has a contact already; make contacts in the events of new clients only",
            ],
        ),
    ]);
    each_is_accepted(&[|it| {
        it.scenarios[0].incoming_known = Some(Rules { contact: None, ..incoming_new(it).clone() })
    }]);
}

#[test]
fn templates_know_their_parameters_and_their_length() {
    each_is_refused(&[
        (
            |it| contact(it).name = "Клиент $(telephone)".into(),
            &["scenarios[0].incoming_new.contact.name: unknown parameter `$(telephone)`; use one of …"],
        ),
        (
            |it| contact(it).name = "Клиент $(phone".into(),
            &["scenarios[0].incoming_new.contact.name: `$(phone` has no closing bracket; close it: `$(client)`"],
        ),
        (
            |it| contact(it).tags = vec!["ok".into(), "$(tag)".into()],
            &["scenarios[0].incoming_new.contact.tags[1]: unknown parameter `$(tag)`; use one of …"],
        ),
        (
            |it| contact(it).tags = vec!["ok".into(); 41],
            &["scenarios[0].incoming_new.contact.tags: 41 of them; give 0 to 40"],
        ),
        (
            |it| _ = contact(it).fields.insert("123".into(), String::new()),
            &["scenarios[0].incoming_new.contact.fields.123: empty; write something here"],
        ),
        (
            |it| _ = contact(it).fields.insert("x".repeat(101), "ok".into()),
            &["scenarios[0].incoming_new.contact.fields.…"],
        ),
        (
            |it| deal(it).name = "я".repeat(256),
            &["scenarios[0].incoming_new.deal.name: 256 characters; write at most 255"],
        ),
        (|it| task(it).text = String::new(), &["scenarios[0].missed_new.task.text: empty; write something here"]),
    ]);
    each_is_accepted(&[
        |it| contact(it).name = "$(client) $(digits)".into(),
        |it| contact(it).tags = vec!["ok".into(); 40],
        |it| deal(it).name = "я".repeat(255),
    ]);
}

#[test]
fn a_new_deal_is_open_and_its_status_has_a_pipeline() {
    each_is_refused(&[
        (
            |it| deal(it).status = Some(142),
            &[
                "scenarios[0].incoming_new.deal.status: 142 is the status of a closed deal, and a new one is open; take an open status of the pipeline",
            ],
        ),
        (
            |it| deal(it).status = Some(143),
            &[
                "scenarios[0].incoming_new.deal.status: 143 is the status of a closed deal, and a new one is open; take an open status of the pipeline",
            ],
        ),
        (
            |it| deal(it).pipeline = None,
            &["scenarios[0].incoming_new.deal.status: a status belongs to a pipeline; give `pipeline` as well"],
        ),
    ]);
    each_is_accepted(&[|it| deal(it).status = None, |it| (deal(it).pipeline, deal(it).status) = (None, None)]);
}

#[test]
fn a_task_is_due_within_a_year() {
    for text in ["", "0m", "30", "m", "-5m", "1.5h", "366d", "2w", "99999999999999999999d", "1ч", "+5m"] {
        let problems = super::refused(|it| task(it).due_in = text.into());
        let expected = format!(
            "scenarios[0].missed_new.task.due_in: `{text}` is no time that a task can have; write `30m`, `2h` or `1d`, at most `365d`"
        );
        assert_eq!(problems, [expected]);
    }
    for (text, minutes) in [("30m", 30), ("2h", 120), ("1d", 1440), ("365d", 525_600)] {
        let policy = accepted(|it| task(it).due_in = text.into()).policy;
        let rules = &policy.scenarios[0].rules[&Occasion::MissedNew];
        assert_eq!(rules.task.as_ref().map(|it| it.due_in), Some(Millis::minutes(minutes)));
    }
}

#[test]
fn responsible_is_somebody_who_can_be() {
    each_is_refused(&[
        (
            |it| task(it).responsible = "petrova".into(),
            &[
                "scenarios[0].missed_new.task.responsible: `petrova` says nobody; write `usual`, `client`, `on_the_call`, `employee:ID` or `group:NAME`",
            ],
        ),
        (
            |it| task(it).responsible = "employee:nobody".into(),
            &[
                "scenarios[0].missed_new.task.responsible: there is no employee `nobody`; write the id of one of the employees",
            ],
        ),
        (
            |it| task(it).responsible = "employee:sidorov".into(),
            &[
                "scenarios[0].missed_new.task.responsible: `sidorov` does not work here any more (`active = false`); write the id of an employee who does",
            ],
        ),
        (
            |it| task(it).responsible = "group:Склад".into(),
            &[
                "scenarios[0].missed_new.task.responsible: there is no group `Склад`; write the name of one of the groups",
            ],
        ),
    ]);
    for (text, wanted) in [
        ("usual", Responsible::Usual),
        ("client", Responsible::Client),
        ("on_the_call", Responsible::OnTheCall),
        ("employee:petrova", Responsible::Employee("petrova".into())),
        ("group:Продажи", Responsible::Group("Продажи".into())),
    ] {
        let policy = accepted(|it| task(it).responsible = text.into()).policy;
        let rules = &policy.scenarios[0].rules[&Occasion::MissedNew];
        assert_eq!(rules.task.as_ref().map(|it| &it.responsible), Some(&wanted));
    }
}
