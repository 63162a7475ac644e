//! What people are told of a call while it goes on.

use super::*;
use crate::JobResult;
use crate::conversation::StillWanted;
use crate::effect::{CallNotice, Fact};
use crate::job::{Card, FoundClient};
use crate::policy::Popups;

fn life() -> Life {
    let mut life = Life::new();
    life.policy.popups = Some(Popups { ringing: true, answered: true });
    life
}

impl Life {
    /// The users of each pop-up so far.
    fn popups(&self) -> Vec<Vec<String>> {
        let users = |wanted: &Wanted| match wanted {
            Wanted::Job(order) => match &order.command {
                Command::ShowPopup { users, .. } => Some(users.iter().map(|user| user.0.clone()).collect()),
                _ => None,
            },
            _ => None,
        };
        self.wanted.iter().filter_map(|(_, wanted)| users(wanted)).collect()
    }

    /// What was told of whom so far: `CallRinging petrova`.
    fn facts_told(&self) -> Vec<String> {
        let notices = self.notices().into_iter();
        notices.map(|(name, notice)| format!("{name} {}", notice.call.employee.expect("somebody"))).collect()
    }

    fn notices(&self) -> Vec<(&'static str, CallNotice)> {
        let notice = |wanted: &Wanted| match wanted {
            Wanted::Fact(
                fact @ (Fact::CallRinging(notice) | Fact::CallAnswered(notice) | Fact::ManagerNotified(notice)),
            ) => Some((fact.name(), notice.clone())),
            _ => None,
        };
        self.wanted.iter().filter_map(|(_, wanted)| notice(wanted)).collect()
    }

    fn popup(&self) -> EffectId {
        self.job(|command| matches!(command, Command::ShowPopup { .. })).expect("a pop-up").0
    }

    fn cards(&self) -> Option<EffectId> {
        self.job(|command| matches!(command, Command::ReadCards { .. })).map(|(id, _)| id)
    }

    fn client_is_known(&mut self, seconds: i64) {
        let (id, _) = self.job(|command| matches!(command, Command::FindClient { .. })).expect("the question");
        let client = FoundClient { contact: "7".into(), name: "Олег".to_owned(), responsible: None, duplicates: 0 };
        self.ended(&id, JobResult::ClientFound(Some(client)), seconds);
    }
}

#[test]
fn it_rings_at_somebody_and_the_popup_waits_for_no_other_job() {
    let mut life = life();
    life.hear(leg("a", 1, LegState::Appeared, 0, "", None), 0);
    assert!(life.facts_told().is_empty(), "a menu is nobody's telephone");
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", Some("a")), 3);
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", Some("a")), 4);
    assert_eq!(
        (life.facts_told(), life.popups()),
        (vec!["CallRinging petrova".to_owned()], vec![vec!["2".to_owned()]])
    );
    let alone = |wanted: &Wanted| match wanted {
        Wanted::Job(order) => order.prev.is_none() && order.points.is_empty(),
        _ => false,
    };
    let (_, popup) = life.wanted.iter().find(|(id, _)| *id == life.popup()).expect("the pop-up");
    assert!(alone(popup));
    let find = life.wanted.iter().position(
        |(_, wanted)| matches!(wanted, Wanted::Job(order) if matches!(order.command, Command::FindClient { .. })),
    );
    assert!(find.is_some(), "and the client is asked about all the same");
}

#[test]
fn a_group_is_told_each_once_however_often_it_rings_again() {
    let mut life = life();
    for (id, extension) in [("b", "12"), ("c", "23"), ("d", "12"), ("e", "99")] {
        life.hear(leg(id, 1, LegState::Appeared, 3, extension, None), 3);
    }
    assert_eq!(life.facts_told(), ["CallRinging petrova", "CallRinging sidorov"], "99 is nobody");
    assert_eq!(life.popups(), [["2"], ["3"]]);
}

#[test]
fn nothing_is_told_where_it_is_switched_off() {
    for popups in [None, Some(Popups { ringing: false, answered: false })] {
        let mut life = Life::new();
        life.policy.popups = popups;
        life.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 3);
        life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
        life.client_is_known(5);
        assert!(life.facts_told().is_empty() && life.popups().is_empty() && life.cards().is_none());
    }
}

#[test]
fn a_popup_comes_not_after_a_minute_nor_after_the_end() {
    let mut late = life();
    late.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 64);
    let mut over = life();
    over.hear(summary("12", Some(4), 9), 9);
    over.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 10);
    let mut ended = life();
    ended.hear(leg("b", 2, LegState::Disconnected, 9, "12", None), 9);
    ended.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 10);
    for life in [late, over, ended] {
        assert!(life.popups().is_empty(), "{:?}", life.facts_told());
    }
}

#[test]
fn whoever_has_answered_already_is_shown_who_calls_but_nothing_rings() {
    let mut life = life();
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 6);
    assert_eq!((life.facts_told(), life.popups().len()), (vec!["CallAnswered petrova".to_owned()], 1));
}

#[test]
fn a_popup_is_asked_about_once_more_before_it_is_sent() {
    let mut life = life();
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 3);
    let (popup, asked_at) = (life.popup(), at(3));
    let wanted = |life: &Life, seconds| still_wanted(&life.call, &popup, asked_at, at(seconds)) == StillWanted::Yes;
    assert_eq!([3, 63, 64].map(|seconds| wanted(&life, seconds)), [true, true, false]);
    life.hear(leg("b", 2, LegState::Disconnected, 9, "12", None), 9);
    assert!(!wanted(&life, 9), "it rings no more");
}

#[test]
fn a_clock_of_the_provider_that_is_ahead_gives_no_more_time() {
    let mut life = life();
    life.hear(leg("b", 1, LegState::Appeared, 50, "12", None), 3);
    let popup = life.popup();
    assert_eq!(still_wanted(&life.call, &popup, at(3), at(63)), StillWanted::Yes);
    assert_ne!(still_wanted(&life.call, &popup, at(3), at(64)), StillWanted::Yes);
}

#[test]
fn a_popup_that_was_shown_changes_nothing_and_one_that_was_not_leaves_its_reason_once() {
    let mut life = life();
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 3);
    let before = life.call.clone();
    life.ended(&life.popup(), JobResult::PopupShown, 4);
    assert_eq!(life.call, before);
    let dropped = JobResult::Dropped { because: Reason::new("moment_over", []) };
    life.ended(&life.popup(), dropped.clone(), 4);
    life.ended(&life.popup(), dropped, 5);
    let reasons = life.call.because.iter().filter(|because| because.reason.code == "popup_dropped");
    assert_eq!(reasons.count(), 1);
}

#[test]
fn whoever_talks_with_a_known_client_is_given_the_cards_once() {
    let mut life = life();
    life.hear(leg("b", 1, LegState::Appeared, 3, "12", None), 3);
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    assert_eq!(life.cards(), None, "who that is, is not known yet");
    life.client_is_known(6);
    let cards = life.cards().expect("the question");
    let card = |id: &str| Card { id: id.into(), url: format!("https://crm.test/{id}") };
    let read = JobResult::CardsRead { contact: Some(card("7")), deal: Some(card("9")) };
    life.ended(&cards, read.clone(), 7);
    life.ended(&cards, read, 8);
    assert_eq!(life.facts_told(), ["CallRinging petrova", "CallAnswered petrova", "ManagerNotified petrova"]);
    let (_, notice) = life.notices().pop().expect("a notice");
    assert_eq!((notice.contact, notice.deal, notice.name.as_deref()), (Some(card("7")), Some(card("9")), Some("Олег")));
    assert_eq!((notice.at, notice.call.direction), (at(5), Direction::Incoming));
    assert_eq!(
        (notice.call.client.map(|it| it.plus()), notice.call.line.as_deref()),
        (Some(format!("+{CLIENT}")), Some("74950000001"))
    );
}

#[test]
fn a_new_client_has_no_cards_and_the_manager_hears_of_the_call_all_the_same() {
    let mut life = life();
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    life.client_is_new(6);
    assert_eq!(life.facts_told(), ["CallAnswered petrova", "ManagerNotified petrova"]);
    assert_eq!(life.cards(), None);
}

#[test]
fn after_a_transfer_the_second_manager_is_told_too() {
    let mut life = life();
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    life.client_is_new(6);
    life.hear(leg("b", 3, LegState::Disconnected, 20, "12", None), 20);
    life.hear(leg("c", 1, LegState::Appeared, 20, "23", Some("b")), 20);
    life.hear(leg("c", 2, LegState::Connected, 25, "23", Some("b")), 25);
    let told: Vec<String> = life.facts_told().into_iter().filter(|told| told.contains("sidorov")).collect();
    assert_eq!(told, ["CallRinging sidorov", "CallAnswered sidorov", "ManagerNotified sidorov"]);
}

#[test]
fn a_crm_that_is_silent_keeps_the_notice_for_as_long_as_the_talk_lasts() {
    let mut life = life();
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    let mut talking = Life { call: life.call.clone(), wanted: life.wanted.clone(), policy: life.policy.clone() };
    talking.client_is_known(600);
    assert!(talking.cards().is_some(), "they still talk");
    let cards = talking.cards().expect("the question");
    assert_eq!(still_wanted(&talking.call, &cards, at(600), at(900)), StillWanted::Yes);
    life.hear(leg("b", 3, LegState::Disconnected, 20, "12", None), 20);
    life.client_is_known(600);
    assert_eq!((life.cards(), life.facts_told()), (None, vec!["CallAnswered petrova".to_owned()]));
}

#[test]
fn cards_that_could_not_be_read_leave_a_notice_without_links() {
    let mut life = life();
    life.hear(leg("b", 2, LegState::Connected, 5, "12", None), 5);
    life.client_is_known(6);
    let failed = JobResult::Failed { why: "нет прав".to_owned(), made: None };
    life.ended(&life.cards().expect("the question"), failed, 7);
    let (name, notice) = life.notices().pop().expect("a notice");
    assert_eq!((name, notice.contact, notice.deal), ("ManagerNotified", None, None));
}
