//! Decisions on calls, told as sentences.

mod notices;
mod order;
mod reading;
mod revoke;
mod routing;

use proptest::prelude::*;

use super::*;
use crate::effect::{Command, Wanted};
use crate::event::{CallEvent, CallEventKind, LegChange};
use crate::policy::{ChannelRules, ContactRule, DealRule, Employee, Policy, Responsible, Rules, Scenario, TaskRule};
use crate::time::Millis;

const CLIENT: &str = "79990000001";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + seconds)
}

fn employee(id: &str, extension: &str, user: &str) -> Employee {
    Employee {
        id: id.into(),
        name: id.to_owned(),
        extension: Some(extension.into()),
        crm_user: Some(user.into()),
        active: true,
    }
}

fn rules() -> Rules {
    let usual = Responsible::Usual;
    Rules {
        contact: Some(ContactRule {
            name: "$(phone)".into(),
            tags: vec![],
            fields: vec![],
            responsible: usual.clone(),
        }),
        deal: Some(DealRule {
            name: "Звонок $(phone)".into(),
            pipeline: None,
            status: None,
            tags: vec![],
            fields: vec![],
            responsible: usual.clone(),
        }),
        task: Some(TaskRule {
            text: "Перезвонить".into(),
            due_in: Millis::minutes(30),
            kind: None,
            responsible: usual,
        }),
    }
}

fn policy() -> Policy {
    let scenario = Scenario {
        name: "Продажи".into(),
        active: true,
        lines: vec!["74950000001".into()],
        exceptions: vec![],
        follow_transfers: true,
        rules: [Occasion::IncomingNew, Occasion::MissedNew, Occasion::IncomingKnown, Occasion::OutgoingNew]
            .into_iter()
            .map(|occasion| (occasion, rules()))
            .collect(),
        contact_manager: None,
    };
    let channel = ChannelRules {
        name: "Телефония".into(),
        source: "АТС".into(),
        connection: "channel:main".into(),
        copy_recordings: true,
        expects_recordings: true,
        reads_calls: false,
        routes_calls: false,
        line: None,
        recordings_need_login: false,
        inbox: None,
        superseded: None,
    };
    Policy {
        account: "school".into(),
        version: 1,
        time_zone: "Europe/Moscow".into(),
        employees: vec![employee("anna", "10", "1"), employee("petrova", "12", "2"), employee("sidorov", "23", "3")],
        groups: BTreeMap::new(),
        fallback: "anna".into(),
        scenarios: vec![scenario],
        crm: Some("crm:main".into()),
        channels: BTreeMap::from([("main".into(), channel)]),
        waits: Default::default(),
        hours: Default::default(),
        popups: None,
        dismissed: Vec::new(),
    }
}

fn event(seconds: i64, kind: CallEventKind) -> CallEvent {
    CallEvent { channel: "main".into(), entry: "entry".into(), occurred_at: at(seconds), kind }
}

fn leg(id: &str, seq: u64, state: LegState, seconds: i64, extension: &str, from: Option<&str>) -> CallEvent {
    let change = LegChange {
        leg: id.into(),
        seq,
        state,
        place: if extension.is_empty() { Place::Menu } else { Place::Telephone },
        direction: Direction::Incoming,
        client: Number::parse(CLIENT),
        line: Some("74950000001".into()),
        employee: (!extension.is_empty()).then(|| extension.into()),
        taken_from: from.map(str::to_owned),
        transfer: false,
        reason: None,
        trunk_id: None,
    };
    event(seconds, CallEventKind::LegChanged(change))
}

fn summary(employee: &str, talked: Option<i64>, ended: i64) -> CallEvent {
    let summary = Summary {
        direction: Direction::Incoming,
        client: Number::parse(CLIENT),
        line: Some("74950000001".into()),
        employee: Some(employee.into()),
        started_at: at(0),
        talked_at: talked.map(at),
        ended_at: at(ended),
        busy: false,
        reason: None,
        seconds: None,
    };
    event(ended, CallEventKind::Summarised(summary))
}

/// A call with the effects of its life so far.
struct Life {
    call: Call,
    wanted: Vec<(EffectId, Wanted)>,
    policy: Policy,
}

impl Life {
    fn new() -> Self {
        let call = Call::new("school".into(), "main".into(), "entry".into(), at(0));
        Self { call, wanted: Vec::new(), policy: policy() }
    }

    fn hear(&mut self, event: CallEvent, seconds: i64) -> Option<Timestamp> {
        let decision = decide(&self.call, &[event], &self.policy, at(seconds));
        self.wanted.extend(decision.effects.into_iter().map(|effect| (effect.id, effect.wanted)));
        if decision.changed {
            self.call = decision.next;
        }
        decision.wake_due
    }

    fn ended(&mut self, effect: &EffectId, result: crate::JobResult, seconds: i64) {
        self.hear(event(seconds, CallEventKind::JobEnded { effect: effect.clone(), result }), seconds);
    }

    fn job(&self, find: impl Fn(&Command) -> bool) -> Option<(EffectId, Command)> {
        self.wanted.iter().rev().find_map(|(id, wanted)| match wanted {
            Wanted::Job(order) if find(&order.command) => Some((id.clone(), order.command.clone())),
            _ => None,
        })
    }

    fn client_is_new(&mut self, seconds: i64) {
        let (id, _) = self.job(|command| matches!(command, Command::FindClient { .. })).expect("the question");
        self.ended(&id, crate::JobResult::ClientFound(None), seconds);
    }

    fn plan(&self) -> Option<crate::job::RecordPlan> {
        self.job(|command| matches!(command, Command::MakeRecords(_))).map(|(_, command)| match command {
            Command::MakeRecords(plan) => *plan,
            other => unreachable!("{other:?}"),
        })
    }
}

#[test]
fn no_answer_of_the_crm_and_the_records_wait_without_a_guess() {
    let mut life = Life::new();
    life.hear(leg("a", 1, LegState::Appeared, 0, "", None), 0);
    life.hear(summary("12", None, 30), 30);
    assert!(life.call.final_at.is_some() && life.plan().is_none());
    life.client_is_new(3600);
    assert!(life.plan().is_some());
}

#[test]
fn a_connected_leg_is_never_timed_out() {
    let mut life = Life::new();
    life.hear(leg("a", 1, LegState::Appeared, 0, "12", None), 0);
    let due = life.hear(leg("a", 2, LegState::Connected, 5, "12", None), 5);
    assert_eq!(due, None);
    life.hear(event(90_000, CallEventKind::WakeDue), 90_000);
    assert_eq!(life.call.final_at, None);
}

#[test]
fn all_legs_ended_and_no_summary_is_final_after_a_minute() {
    let mut life = Life::new();
    life.hear(leg("a", 1, LegState::Appeared, 0, "12", None), 0);
    let due = life.hear(leg("a", 2, LegState::Disconnected, 20, "12", None), 20);
    assert_eq!(due, Some(at(80)));
    life.hear(event(79, CallEventKind::WakeDue), 79);
    assert_eq!(life.call.final_at, None, "never early");
    life.hear(event(80, CallEventKind::WakeDue), 80);
    assert_eq!(life.call.final_at, Some(at(80)));
}

#[test]
fn a_missed_call_belongs_to_whose_telephone_rang_last() {
    let mut life = Life::new();
    life.hear(leg("b", 1, LegState::Appeared, 10, "23", Some("m")), 10);
    life.hear(leg("a", 1, LegState::Appeared, 2, "12", Some("m")), 11);
    life.hear(summary("12", None, 30), 30);
    life.client_is_new(31);
    let plan = life.plan().expect("a plan");
    assert_eq!(plan.task.and_then(|task| task.responsible), Some("3".into()));
}

#[test]
fn the_last_transfer_decides_whatever_order_its_events_come_in() {
    let mut legs = vec![
        leg("a", 1, LegState::Appeared, 0, "12", Some("m")),
        leg("a", 2, LegState::Connected, 3, "12", Some("m")),
        leg("b", 1, LegState::Appeared, 30, "23", Some("a")),
        leg("b", 2, LegState::Connected, 33, "23", Some("a")),
    ];
    for _ in 0..legs.len() {
        legs.rotate_left(1);
        let mut life = Life::new();
        for event in legs.clone() {
            life.hear(event, 40);
        }
        life.hear(summary("12", Some(3), 60), 60);
        life.client_is_new(61);
        let deal = life.plan().and_then(|plan| plan.deal).expect("a deal");
        assert_eq!(deal.responsible, Some("3".into()));
    }
}

#[test]
fn a_hidden_number_makes_nothing_and_says_so() {
    let mut life = Life::new();
    let CallEventKind::Summarised(mut hidden) = summary("12", None, 30).kind else { unreachable!() };
    hidden.client = None;
    life.hear(event(30, CallEventKind::Summarised(hidden)), 30);
    assert!(life.job(|_| true).is_none());
    assert!(matches!(&life.call.records, RecordsState::Unlinked { because } if because.code == "client_hidden"));
}

#[test]
fn a_line_that_comes_late_still_finds_its_scenario() {
    let mut life = Life::new();
    let CallEventKind::LegChanged(mut change) = leg("a", 1, LegState::Disconnected, 5, "12", None).kind else {
        unreachable!()
    };
    (change.line, change.direction) = (None, Direction::Outgoing);
    life.hear(event(5, CallEventKind::LegChanged(change)), 5);
    life.client_is_new(6);
    life.hear(event(70, CallEventKind::WakeDue), 70);
    assert!(matches!(&life.call.records, RecordsState::Unlinked { because } if because.code == "no_line"));
    let CallEventKind::Summarised(mut late) = summary("12", Some(1), 5).kind else { unreachable!() };
    late.direction = Direction::Outgoing;
    life.hear(event(5, CallEventKind::Summarised(late)), 180);
    assert!(life.plan().is_some());
}

#[test]
fn only_the_awaited_effect_counts() {
    let mut life = Life::new();
    life.hear(leg("a", 1, LegState::Appeared, 0, "", None), 0);
    life.ended(&"call/main/entry/99/0".into(), crate::JobResult::ClientFound(None), 1);
    assert!(matches!(life.call.client, Client::Asked { .. }));
}

#[test]
fn the_same_decision_makes_the_same_effects() {
    let call = Call::new("school".into(), "main".into(), "entry".into(), at(0));
    let events = [leg("a", 1, LegState::Appeared, 0, "", None), summary("12", None, 30)];
    let once = decide(&call, &events, &policy(), at(30));
    assert_eq!(once, decide(&call, &events, &policy(), at(30)));
    assert!(once.effects.iter().all(|effect| effect.id.as_str().starts_with("call/main/entry/1/")));
}

#[test]
fn a_call_lacks_an_account_when_nobody_is_on_it_until_one_comes() {
    let mut life = Life::new();
    assert!(life.call.lacks_account(), "nobody told of it");
    life.hear(leg("a", 1, LegState::Appeared, 1, "12", None), 1);
    life.hear(leg("a", 2, LegState::Connected, 7, "12", None), 7);
    assert!(!life.call.lacks_account(), "it goes on");
    life.hear(leg("a", 3, LegState::Disconnected, 40, "12", None), 40);
    assert!(life.call.lacks_account(), "it is over");
    life.hear(leg("b", 1, LegState::Appeared, 40, "23", Some("a")), 41);
    assert!(!life.call.lacks_account(), "it was handed over");
    life.hear(summary("23", Some(7), 60), 61);
    assert!(!life.call.lacks_account(), "it has one");
}

fn any_events() -> Vec<CallEvent> {
    vec![
        leg("m", 1, LegState::Appeared, 0, "", None),
        leg("m", 2, LegState::Disconnected, 3, "", None),
        leg("a", 1, LegState::Appeared, 0, "12", Some("m")),
        leg("a", 2, LegState::Connected, 3, "12", Some("m")),
        leg("a", 4, LegState::Disconnected, 45, "12", Some("m")),
        leg("b", 1, LegState::Appeared, 20, "23", Some("a")),
        summary("12", Some(3), 45),
        event(60, CallEventKind::RecordingReady { recording: "r".into() }),
        event(45, CallEventKind::Ended),
        // Known by the employee alone, a leg may be connected again.
        leg("a", 5, LegState::Connected, 50, "12", Some("m")),
    ]
}

fn merged(order: &[usize]) -> Call {
    let all = any_events();
    let mut call = Call::new("school".into(), "main".into(), "entry".into(), at(0));
    for index in order {
        call.merge(&all[index % all.len()]);
    }
    call
}

proptest! {
    #[test]
    fn merging_is_the_same_in_any_order_and_multiplicity(
        order in Just((0..10).collect::<Vec<usize>>()).prop_shuffle(),
        again in prop::collection::vec(0_usize..10, 0..16),
    ) {
        let mut twice = order.clone();
        twice.extend(again);
        prop_assert_eq!(merged(&(0..10).collect::<Vec<_>>()), merged(&twice));
    }
}
