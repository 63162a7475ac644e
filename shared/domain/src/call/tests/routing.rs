//! A call that waits is taken to whoever is responsible for its client: in time, once, and with its reasons.

use super::*;
use crate::JobResult;
use crate::conversation::StillWanted;
use crate::event::OrderNews;
use crate::policy::ContactManager;

/// A life in a channel whose provider takes calls elsewhere, with the contact manager on.
fn life() -> Life {
    let mut life = Life::new();
    life.policy.scenarios[0].contact_manager = Some(ContactManager { forwarding: true });
    life.policy.channels.get_mut(&ChannelId::from("main")).expect("the channel").routes_calls = true;
    life
}

fn client(user: &str) -> FoundClient {
    FoundClient { contact: "7".into(), name: "Олег".to_owned(), responsible: Some(user.into()), duplicates: 0 }
}

fn menu(state: LegState, seconds: i64) -> CallEvent {
    leg("m", 1 + state as u64, state, seconds, "", None)
}

fn rings(extension: &str, seconds: i64) -> CallEvent {
    leg("b", 1, LegState::Appeared, seconds, extension, Some("m"))
}

fn answers(extension: &str, seconds: i64) -> CallEvent {
    leg("b", 2, LegState::Connected, seconds, extension, Some("m"))
}

impl Life {
    fn in_the_menu() -> Self {
        let mut life = life();
        life.hear(menu(LegState::Appeared, 0), 0);
        life
    }

    /// The CRM says whose client it is.
    fn says(&mut self, client: Option<FoundClient>, seconds: i64) {
        let (id, _) = self.job(|command| matches!(command, Command::FindClient { .. })).expect("the question");
        self.ended(&id, JobResult::ClientFound(client), seconds);
    }

    /// What it said before.
    fn remembers(&mut self, client: FoundClient, seconds_ago: i64) {
        let read_at = at(-seconds_ago);
        self.call.remembered = Some(Known { client: Some(client), read_at, stale: false });
    }

    fn looks(&mut self, seconds: i64) {
        self.hear(event(seconds, CallEventKind::WakeDue), seconds);
    }

    /// Legs and internal numbers of all commands so far.
    fn routes(&self) -> Vec<(String, String)> {
        let route = |wanted: &Wanted| match wanted {
            Wanted::Job(order) => match &order.command {
                Command::RouteCall { leg, extension, .. } => Some((leg.clone(), extension.0.clone())),
                _ => None,
            },
            _ => None,
        };
        self.wanted.iter().filter_map(|(_, wanted)| route(wanted)).collect()
    }

    fn route(&self) -> EffectId {
        self.job(|command| matches!(command, Command::RouteCall { .. })).expect("a command").0
    }

    fn wants(&self, seconds: i64) -> Option<String> {
        match still_wanted(&self.call, &self.route(), at(0), at(seconds)) {
            StillWanted::Yes => None,
            StillWanted::No(why) => Some(why.code),
            StillWanted::Later => Some("later".to_owned()),
        }
    }

    /// Codes about where the call goes, and words of why not.
    fn said(&self) -> Vec<String> {
        let about = |code: &str| code.starts_with("answer_") || code.starts_with("route_");
        let because = self.call.because.iter().map(|because| &because.reason);
        because
            .filter(|it| about(&it.code))
            .map(|it| [std::slice::from_ref(&it.code), &it.with[..]].concat().join(" "))
            .collect()
    }
}

fn once(leg: &str, extension: &str) -> Vec<(String, String)> {
    vec![(leg.to_owned(), extension.to_owned())]
}

#[test]
fn a_call_in_the_menu_goes_to_whoever_is_responsible_as_soon_as_the_crm_says_who_that_is() {
    let mut life = Life::in_the_menu();
    assert!(life.routes().is_empty(), "nobody is known yet");
    life.says(Some(client("3")), 1);
    assert_eq!(life.routes(), once("m", "23"));
    let (_, command) = life.job(|it| matches!(it, Command::RouteCall { .. })).expect("a command");
    assert!(matches!(&command, Command::RouteCall { name, .. } if name == "Олег"), "{command:?}");
    assert!(command.is_of_the_moment());
    life.ended(&life.route(), JobResult::Routed, 2);
    life.ended(&life.route(), JobResult::Routed, 3);
    assert_eq!(life.said(), ["answer_name Олег 7", "answer_responsible sidorov 23", "route_taken"]);
    life.looks(4);
    life.hear(leg("q", 1, LegState::Appeared, 5, "", Some("m")), 5);
    assert_eq!(life.routes().len(), 1, "never twice");
}

#[test]
fn a_call_in_the_queue_or_at_a_telephone_that_rings_is_taken_from_there() {
    let mut life = Life::in_the_menu();
    let CallEventKind::LegChanged(mut queue) = leg("q", 1, LegState::Appeared, 2, "", Some("m")).kind else {
        unreachable!()
    };
    queue.place = Place::Queue;
    life.hear(event(2, CallEventKind::LegChanged(queue)), 2);
    life.says(Some(client("3")), 2);
    assert_eq!(life.routes(), once("q", "23"), "although nothing told that the menu is over");

    let mut life = self::life();
    life.hear(rings("12", 0), 0);
    life.says(Some(client("3")), 1);
    assert_eq!(life.routes(), once("b", "23"));
}

#[test]
fn where_it_rings_at_the_responsible_already_nothing_is_sent() {
    let mut life = life();
    life.hear(rings("23", 0), 0);
    life.says(Some(client("3")), 1);
    assert!(life.routes().is_empty());
    assert_eq!(life.said().last().map(String::as_str), Some("route_dropped у этого сотрудника он уже звонит"));
}

#[test]
fn what_was_answered_ended_or_came_late_is_not_taken_elsewhere_and_says_why() {
    for (news, words) in [(answers("12", 1), "на него уже ответили"), (summary("12", None, 1), "он уже окончен")]
    {
        let mut life = Life::in_the_menu();
        life.hear(news, 1);
        life.says(Some(client("3")), 2);
        assert_eq!((life.routes(), life.said()), (vec![], vec![format!("route_dropped {words}")]));
    }
    let mut life = Life::in_the_menu();
    life.says(Some(client("3")), 11);
    assert!(life.routes().is_empty());
    assert_eq!(life.said().last().map(String::as_str), Some("route_dropped прошло больше 10 секунд"));
    let mut life = self::life();
    life.hear(menu(LegState::Appeared, 0), 11);
    assert_eq!(life.call.routing, Routing::Over, "and so is one that we hear of so late");
}

#[test]
fn a_command_is_asked_about_once_more_before_it_is_sent() {
    let ready = || {
        let mut life = Life::in_the_menu();
        life.says(Some(client("3")), 1);
        life
    };
    assert_eq!([1, 10, 11].map(|seconds| ready().wants(seconds)), [None, None, Some("route_over_late".to_owned())]);
    for (news, code) in [
        (answers("12", 2), "route_over_answered"),
        (summary("12", None, 2), "route_over_ended"),
        (rings("12", 2), "route_over_moved"),
        (menu(LegState::Disconnected, 2), "route_over_moved"),
    ] {
        let mut life = ready();
        life.hear(news, 2);
        assert_eq!(life.wants(2).as_deref(), Some(code));
    }
}

#[test]
fn what_was_not_sent_because_the_client_moved_on_is_sent_once_about_the_new_place() {
    let mut life = Life::in_the_menu();
    life.says(Some(client("3")), 1);
    life.hear(rings("12", 2), 2);
    let moved = JobResult::Dropped { because: Reason::new("route_over_moved", []) };
    life.ended(&life.route(), moved.clone(), 3);
    assert_eq!(life.routes(), [("m".to_owned(), "23".to_owned()), ("b".to_owned(), "23".to_owned())]);
    assert_eq!(life.wants(3), None);
    life.ended(&life.route(), JobResult::Routed, 4);
    life.ended(&life.route(), moved, 4);
    assert_eq!(life.routes().len(), 2);
    assert_eq!(life.said(), ["answer_name Олег 7", "answer_responsible sidorov 23", "route_taken"]);
}

#[test]
fn an_unknown_outcome_is_said_and_never_repeated_and_the_provider_may_settle_it() {
    let unknown = JobResult::Dropped { because: Reason::new("moment_unknown", []) };
    let settled = |news: Option<OrderNews>| {
        let mut life = Life::in_the_menu();
        life.says(Some(client("3")), 1);
        let effect = life.route();
        for _ in 0..2 {
            life.ended(&effect, unknown.clone(), 2);
        }
        for news in news.into_iter().flat_map(|news| [news.clone(), news]) {
            life.hear(event(3, CallEventKind::OrderTold { effect: effect.clone(), news }), 3);
        }
        assert_eq!(life.routes().len(), 1);
        life.said()[2..].to_vec()
    };
    assert_eq!(settled(None), ["route_unknown"]);
    assert_eq!(settled(Some(OrderNews::Accepted { entry: None })), ["route_unknown", "route_taken"]);
    let refused = OrderNews::Refused { why: "нет".to_owned() };
    assert_eq!(settled(Some(refused)), ["route_unknown", "route_failed нет"]);
}

#[test]
fn a_refusal_is_the_end_of_it_whether_it_comes_with_the_answer_or_later() {
    let refused = || OrderNews::Refused { why: "нет такого номера".to_owned() };
    let mut life = Life::in_the_menu();
    life.says(Some(client("3")), 1);
    let effect = life.route();
    life.hear(event(2, CallEventKind::OrderTold { effect: effect.clone(), news: refused() }), 2);
    life.ended(&effect, JobResult::Routed, 2);
    assert_eq!(life.said()[2..], ["route_failed нет такого номера"]);
    let mut life = Life::in_the_menu();
    life.says(Some(client("3")), 1);
    life.ended(&effect, JobResult::Failed { why: "нет такого номера".to_owned(), made: None }, 2);
    assert_eq!(
        (life.said()[2..].to_vec(), &life.call.routing),
        (vec!["route_failed нет такого номера".into()], &Routing::Over)
    );
}

#[test]
fn a_silent_crm_is_waited_for_two_seconds_and_then_its_last_word_counts() {
    let mut life = self::life();
    let due = life.hear(menu(LegState::Appeared, 0), 0);
    assert_eq!(due, Some(at(2)));
    assert_eq!(life.call.awaits_word().map(Number::plus).as_deref(), Some("+79990000001"));
    life.remembers(client("3"), 300);
    life.looks(1);
    assert!(life.routes().is_empty());
    life.looks(2);
    assert_eq!(life.routes(), once("m", "23"));
    assert_eq!(
        life.said(),
        ["answer_late", "answer_cached 5 мин", "answer_name Олег 7", "answer_responsible sidorov 23"]
    );
    life.says(Some(client("2")), 3);
    assert_eq!(life.routes().len(), 1, "what the CRM says now comes too late");
}

#[test]
fn the_last_word_of_a_day_ago_takes_nobody_anywhere_but_the_crm_still_may() {
    let old = || {
        let mut life = Life::in_the_menu();
        life.remembers(client("3"), 86_400);
        life.looks(2);
        assert!(life.routes().is_empty());
        life
    };
    let mut life = old();
    life.says(Some(client("2")), 5);
    assert_eq!(life.routes(), once("m", "12"));
    let mut life = old();
    life.hear(rings("12", 6), 6);
    life.hear(answers("12", 8), 8);
    let said = life.said();
    assert_eq!(said[..2], ["answer_late", "answer_cached 24 ч"]);
    assert_eq!(said[3], "answer_rules кто ведёт клиента, узнано слишком давно");
    assert_eq!(said[4], "route_dropped на него уже ответили");
}

#[test]
fn who_is_an_exception_new_or_nobodys_is_left_to_the_rules_of_the_pbx() {
    let nobodys = FoundClient { responsible: None, ..client("3") };
    for (found, code) in
        [(None, "answer_no_contact"), (Some(nobodys), "answer_rules"), (Some(client("2")), "answer_rules")]
    {
        let mut life = self::life();
        life.policy.scenarios[0].exceptions = vec!["12".into()];
        life.hear(menu(LegState::Appeared, 0), 0);
        life.says(found, 1);
        assert!(life.routes().is_empty());
        assert!(life.said().last().is_some_and(|said| said.starts_with(code)), "{:?}", life.said());
        assert_eq!(life.call.routing, Routing::Over);
    }
    let mut life = Life::in_the_menu();
    life.says(Some(client("99")), 1);
    assert_eq!(life.routes(), once("m", "10"), "who is not mapped has the fall-back manager in their place");
}

#[test]
fn without_forwarding_nothing_is_waited_for_and_the_reason_is_kept() {
    let mut life = self::life();
    life.policy.scenarios[0].contact_manager = Some(ContactManager { forwarding: false });
    let due = life.hear(menu(LegState::Appeared, 0), 0);
    assert_eq!(due, Some(at(600)), "no timer of its own");
    assert_eq!(life.said(), ["answer_rules в сценарии «Продажи» перевод на ответственного выключен"]);
    life.says(Some(client("3")), 1);
    assert!(life.routes().is_empty());
}

#[test]
fn whoever_does_not_use_it_has_nothing_of_it_in_the_call() {
    let off: [fn(&mut Life); 4] = [
        |life| life.policy.scenarios[0].contact_manager = None,
        |life| life.policy.scenarios[0].active = false,
        |life| life.policy.crm = None,
        |life| life.policy.channels.values_mut().for_each(|channel| channel.routes_calls = false),
    ];
    for change in off {
        let mut life = self::life();
        change(&mut life);
        let due = life.hear(menu(LegState::Appeared, 0), 0);
        assert_eq!((due, &life.call.routing), (Some(at(600)), &Routing::Unasked));
        assert!(!serde_json::to_string(&life.call).expect("JSON").contains("routing"));
        assert!(life.said().is_empty());
    }
}

#[test]
fn an_outgoing_or_internal_call_is_taken_nowhere() {
    for direction in [Direction::Outgoing, Direction::Internal] {
        let mut life = self::life();
        let CallEventKind::LegChanged(mut change) = rings("12", 0).kind else { unreachable!() };
        change.direction = direction;
        life.hear(event(0, CallEventKind::LegChanged(change)), 0);
        assert_eq!(life.call.routing, Routing::Unasked);
    }
}
