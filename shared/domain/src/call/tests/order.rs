//! An employee orders a call: one job, and what is told of it in any order.

use super::*;
use crate::JobResult;
use crate::call::order::{entry, of_order, over};
use crate::event::OrderNews;
use crate::reason::Reason;

fn ordered() -> CallEventKind {
    let client = Number::parse(CLIENT).expect("a number");
    CallEventKind::CallOrdered { by: "petrova".into(), extension: "12".into(), client }
}

impl Life {
    fn of_an_order() -> Self {
        let mut life = Self::new();
        life.hear(event(0, ordered()), 0);
        life
    }

    fn order(&self) -> &Ordered {
        self.call.ordered.as_ref().expect("an order")
    }

    fn tells(&mut self, news: OrderNews, seconds: i64) {
        let effect = self.order().effect.clone();
        self.hear(event(seconds, CallEventKind::OrderTold { effect, news }), seconds);
    }
}

fn accepted(entry: Option<&str>) -> OrderNews {
    OrderNews::Accepted { entry: entry.map(str::to_owned) }
}

#[test]
fn an_order_makes_one_job_on_the_channel_and_nothing_in_the_crm() {
    let mut life = Life::of_an_order();
    life.hear(event(1, ordered()), 1);
    life.hear(event(90, CallEventKind::WakeDue), 90);
    let jobs: Vec<_> = life.wanted.iter().collect();
    let [(effect, Wanted::Job(order))] = &jobs[..] else { panic!("one job: {jobs:?}") };
    assert_eq!((effect.as_str(), order.connection.as_str()), ("call/main/entry/1/0", "channel:main"));
    assert!(matches!(&order.command, Command::CallBack { extension, .. } if extension.as_str() == "12"));
    assert!(life.call.final_at.is_none() && life.call.records == RecordsState::Undecided);
    let row = life.call.row(&life.policy);
    assert_eq!((row.number.as_deref(), row.employee.as_deref()), (Some("+79990000001"), Some("petrova")));
}

#[test]
fn what_is_told_of_an_order_counts_in_any_order_and_only_there() {
    let mut one = Life::of_an_order();
    one.tells(accepted(Some("e-1")), 2);
    one.tells(accepted(None), 3);
    let mut other = Life::of_an_order();
    let effect = other.order().effect.clone();
    other.ended(&effect, JobResult::CallStarted { entry: None }, 2);
    other.tells(accepted(Some("e-1")), 3);
    assert_eq!(one.order(), other.order());
    assert_eq!((one.order().accepted, one.order().entry.as_deref()), (true, Some("e-1")));

    let foreign = CallEventKind::OrderTold { effect: "call/main/entry/9/0".into(), news: accepted(Some("e-2")) };
    let before = one.call.clone();
    one.hear(event(9, foreign.clone()), 9);
    assert_eq!(one.call.ordered, before.ordered);
    let decision = decide(&Life::new().call, &[event(9, foreign)], &policy(), at(9));
    assert!(!decision.changed && decision.effects.is_empty(), "no order, so nothing is made of it");
}

#[test]
fn a_refusal_and_a_dropped_order_keep_their_reasons() {
    let mut life = Life::of_an_order();
    life.tells(OrderNews::Refused { why: "нет денег".to_owned() }, 2);
    assert_eq!(life.order().failed.as_deref(), Some("нет денег"));
    let mut life = Life::of_an_order();
    let (effect, because) = (life.order().effect.clone(), Reason::new("order_over_late", []));
    life.ended(&effect, JobResult::Dropped { because: because.clone() }, 70);
    assert_eq!(life.order().dropped, Some(because));
    let told = life.call.because.last().expect("a reason").reason.words();
    assert_eq!(told, "звонок не заказан у АТС: прошло больше минуты");
}

#[test]
fn an_order_is_wanted_for_a_minute_and_until_its_outcome_is_known() {
    let mut life = Life::of_an_order();
    let effect = life.order().effect.clone();
    let code = |life: &Life, seconds| over(&life.call, &effect, at(seconds)).map(|reason| reason.code);
    assert_eq!(code(&life, 60), None);
    assert_eq!(code(&life, 61).as_deref(), Some("order_over_late"));
    life.tells(accepted(None), 5);
    assert_eq!(code(&life, 6).as_deref(), Some("order_over_done"));
    assert!(over(&Life::new().call, &effect, at(1)).is_some(), "nobody ordered it");
}

#[test]
fn a_provider_hands_back_the_id_of_an_order_and_others_are_none() {
    let entry = entry("abc");
    let id = format!("call/main/{entry}/1/0");
    assert_eq!(of_order(&id), Some((entry, EffectId::from(id.as_str()))));
    for foreign in ["", "callback-0001", "call/main/MTAw/1/0", "chat/main/ordered:abc/1/0"] {
        assert_eq!(of_order(foreign), None, "{foreign}");
    }
}
