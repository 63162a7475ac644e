//! A provider that gives no account of a call is asked for one.

use super::*;
use crate::event::EndReason;

/// A life in a channel whose provider can be asked, and says of itself only that a call is over.
fn life() -> Life {
    let mut life = Life::new();
    let channel = life.policy.channels.get_mut(&ChannelId::from("main")).expect("the channel");
    channel.reads_calls = true;
    life
}

/// A leg that is known by the employee alone.
fn pin(extension: &str, state: LegState, seconds: i64) -> CallEvent {
    let seq = u64::try_from(seconds).expect("a second") * 8 + state as u64;
    leg(extension, seq, state, seconds, extension, None)
}

fn over(seconds: i64) -> CallEvent {
    event(seconds, CallEventKind::Ended)
}

fn account(talked: Option<i64>) -> CallEventKind {
    let CallEventKind::Summarised(mut account) = summary("12", talked.map(|_| 0), 0).kind else { unreachable!() };
    account.seconds = Some(talked.unwrap_or_default());
    CallEventKind::Summarised(account)
}

impl Life {
    fn questions(&self) -> usize {
        let asks =
            |wanted: &Wanted| matches!(wanted, Wanted::Job(order) if matches!(order.command, Command::ReadCall { .. }));
        self.wanted.iter().filter(|(_, wanted)| asks(wanted)).count()
    }

    fn told(&mut self, news: Vec<CallEventKind>, seconds: i64) {
        let (id, _) = self.job(|command| matches!(command, Command::ReadCall { .. })).expect("a question");
        self.ended(&id, crate::JobResult::CallRead { news }, seconds);
    }

    fn due(&mut self, seconds: i64) -> Option<Timestamp> {
        self.hear(event(seconds, CallEventKind::WakeDue), seconds)
    }

    fn codes(&self) -> Vec<&str> {
        self.call.because.iter().map(|because| because.reason.code.as_str()).collect()
    }
}

/// Answered by 12, from second 7 to 130.
fn talked(life: &mut Life) {
    life.hear(pin("12", LegState::Appeared, 1), 1);
    life.hear(pin("12", LegState::Connected, 7), 7);
    life.hear(pin("12", LegState::Disconnected, 130), 130);
}

#[test]
fn the_account_is_asked_for_when_a_talk_is_over_and_its_duration_wins() {
    let mut life = life();
    talked(&mut life);
    assert_eq!(life.hear(over(131), 131), Some(at(136)));
    life.due(136);
    assert_eq!((life.questions(), life.call.final_at, life.call.talk_seconds()), (1, None, 123));
    life.told(vec![account(Some(121))], 137);
    assert_eq!((life.call.final_at, life.call.talk_seconds()), (Some(at(137)), 121));
    assert_eq!(life.call.ended_at(), Some(at(131)), "the account says how long, events say when");
}

#[test]
fn a_talk_without_an_account_is_final_after_a_minute_with_what_the_legs_say() {
    let mut life = life();
    talked(&mut life);
    life.hear(over(131), 131);
    assert_eq!(life.due(136), Some(at(191)));
    life.due(191);
    assert_eq!((life.call.final_at, life.call.talk_seconds()), (Some(at(191)), 123));
    assert!(life.codes().contains(&"final_end"));
    life.told(vec![account(Some(123))], 200);
    assert_eq!(life.call.reading, Reading::Told, "late, and still taken");
}

#[test]
fn an_end_without_a_talk_is_asked_about_after_a_minute_and_the_answer_decides() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    assert_eq!(life.hear(over(20), 20), Some(at(80)));
    assert_eq!(life.questions(), 0, "an answer may still be on its way");
    assert_eq!(life.due(80), Some(at(80 + 7_200)), "nobody waits for ever");
    assert_eq!((life.questions(), life.call.final_at), (1, None), "nothing is decided before the provider answered");
    life.told(vec![account(None)], 81);
    assert_eq!((life.call.final_at, life.call.answered()), (Some(at(81)), false));
}

#[test]
fn a_lost_connection_comes_to_light_by_the_account() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    life.hear(over(20), 20);
    life.due(80);
    life.told(vec![account(Some(12)), CallEventKind::RecordingReady { recording: "r".into() }], 81);
    assert_eq!((life.call.answered(), life.call.talk_seconds()), (true, 12));
    assert!(life.job(|command| matches!(command, Command::CopyRecording { .. })).is_some());
}

#[test]
fn not_yet_is_asked_again_with_growing_pauses_for_two_hours_and_then_settled_and_marked() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    life.hear(over(20), 20);
    life.due(80);
    let (mut now, mut pauses) = (80, Vec::new());
    while life.call.final_at.is_none() {
        life.told(vec![], now);
        let Reading::Again { at: next, .. } = life.call.reading else { break };
        let next = next.since(at(0)).0 / 1000;
        life.due(next - 1);
        assert_eq!(life.questions(), pauses.len() + 1, "never early");
        pauses.push(next - now);
        now = next;
        life.due(now);
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800]);
    assert_eq!(life.call.final_at, Some(at(now)));
    assert!(life.codes().contains(&"account_missing") && life.codes().contains(&"final_unread"));
    assert_eq!(life.call.outcome(), Outcome::NotAnswered);
}

#[test]
fn a_provider_that_cannot_tell_is_asked_once_and_a_person_may_ask_again() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    life.hear(over(20), 20);
    life.due(80);
    let (id, _) = life.job(|command| matches!(command, Command::ReadCall { .. })).expect("a question");
    life.ended(&id, crate::JobResult::Failed { why: "метод не подключён".into(), made: None }, 81);
    assert_eq!((life.call.final_at, life.questions()), (Some(at(81)), 1));
    life.told(vec![account(Some(5))], 900);
    assert_eq!((life.call.answered(), &life.call.reading), (true, &Reading::Told));
}

#[test]
fn a_question_that_is_never_answered_keeps_a_call_open_for_two_hours_and_is_taken_later() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    life.hear(over(20), 20);
    life.due(80);
    life.due(80 + 7_199);
    assert_eq!(life.call.final_at, None);
    assert_eq!(life.due(80 + 7_200), None);
    assert_eq!((life.call.final_at, life.questions()), (Some(at(80 + 7_200)), 1));
    assert!(life.codes().contains(&"account_missing") && life.codes().contains(&"final_unread"));
    life.told(vec![account(Some(5))], 9_000);
    assert_eq!((life.call.answered(), &life.call.reading), (true, &Reading::Told), "late, and still taken");
}

#[test]
fn who_was_connected_when_the_question_got_stuck_is_waited_for_a_day() {
    let mut life = life();
    life.hear(pin("12", LegState::Connected, 7), 7);
    assert_eq!(life.due(7_207), Some(at(7_207 + 86_400)));
    life.due(7_207 + 86_400);
    assert_eq!((life.call.final_at, life.call.answered()), (Some(at(7_207 + 86_400)), true));
}

#[test]
fn a_call_whose_end_was_lost_is_looked_up_when_nothing_comes_any_more() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    assert_eq!(life.due(2), Some(at(601)));
    life.due(601);
    assert_eq!(life.questions(), 1);
    life.told(vec![account(None)], 602);
    assert_eq!(life.call.final_at, Some(at(602)));
}

#[test]
fn who_talks_for_two_hours_is_asked_about_and_never_timed_out_while_the_provider_says_not_yet() {
    let mut life = life();
    life.hear(pin("12", LegState::Appeared, 1), 1);
    assert_eq!(life.hear(pin("12", LegState::Connected, 7), 7), Some(at(7_207)));
    life.due(7_207);
    let mut now = 7_207;
    for _ in 0..12 {
        life.told(vec![], now);
        let Reading::Again { at: next, .. } = life.call.reading else { panic!("{:?}", life.call.reading) };
        now = next.since(at(0)).0 / 1000;
        life.due(now);
    }
    assert!(now > 4 * 3600 && life.call.final_at.is_none());
    life.told(vec![account(Some(9_000))], now);
    assert_eq!(life.call.talk_seconds(), 9_000);
}

#[test]
fn an_internal_call_is_not_asked_about() {
    let mut life = life();
    let CallEventKind::LegChanged(mut change) = pin("12", LegState::Appeared, 1).kind else { unreachable!() };
    (change.direction, change.client) = (Direction::Internal, None);
    life.hear(event(1, CallEventKind::LegChanged(change)), 1);
    life.hear(over(5), 5);
    life.due(65);
    assert_eq!((life.questions(), life.call.final_at), (0, Some(at(65))));
}

#[test]
fn a_recording_waits_for_no_question() {
    let mut life = life();
    talked(&mut life);
    life.hear(over(131), 131);
    life.due(136);
    life.hear(event(136, CallEventKind::RecordingReady { recording: "r".into() }), 131);
    let copied = life.wanted.iter().find_map(|(_, wanted)| match wanted {
        Wanted::Job(order) if matches!(order.command, Command::CopyRecording { .. }) => Some(order.points.clone()),
        _ => None,
    });
    assert_eq!(copied, Some(vec![crate::job::Point::Recording("r".into())]));
}

#[test]
fn an_employee_who_is_rung_and_connected_again_is_one_leg_that_is_not_over() {
    let mut life = life();
    talked(&mut life);
    life.hear(pin("23", LegState::Connected, 131), 131);
    life.hear(pin("23", LegState::Disconnected, 140), 140);
    life.hear(pin("12", LegState::Connected, 141), 141);
    assert!(life.call.is_connected() && !life.call.is_over());
    life.hear(pin("12", LegState::Disconnected, 150), 150);
    assert!(!life.call.is_connected());
    assert_eq!(life.call.talk_seconds(), 143, "what overlaps counts once");
}

#[test]
fn who_talks_with_the_client_after_somebody_else_took_the_call_over() {
    let legs = [
        pin("12", LegState::Connected, 7),
        pin("12", LegState::Disconnected, 60),
        pin("23", LegState::Appeared, 61),
        pin("23", LegState::Connected, 65),
        pin("23", LegState::Disconnected, 90),
    ];
    for turn in 0..legs.len() {
        let mut life = life();
        for index in 0..legs.len() {
            life.hear(legs[(turn + index) % legs.len()].clone(), 100);
        }
        assert_eq!(life.call.employee(true).map(|(extension, _)| extension), Some("23".into()));
        assert_eq!(life.call.talk_seconds(), 53 + 25, "the talks, not the ringing between them");
        assert_eq!(life.call.employee(false).map(|(extension, _)| extension), Some("12".into()));
    }
}

#[test]
fn an_outgoing_call_that_names_no_line_belongs_to_the_channels_own() {
    for (line, planned) in [(None, false), (Some("74950000001".to_owned()), true)] {
        let mut life = life();
        life.policy.channels.get_mut(&ChannelId::from("main")).expect("the channel").line = line;
        let CallEventKind::LegChanged(mut change) = pin("12", LegState::Connected, 7).kind else { unreachable!() };
        (change.line, change.direction) = (None, Direction::Outgoing);
        life.hear(event(7, CallEventKind::LegChanged(change)), 7);
        life.client_is_new(8);
        life.hear(over(20), 20);
        life.due(80);
        assert_eq!(life.plan().is_some(), planned);
    }
}

#[test]
fn two_clocks_for_one_talk_are_no_correction() {
    let mut life = life();
    life.policy.channels.get_mut(&ChannelId::from("main")).expect("the channel").expects_recordings = false;
    talked(&mut life);
    life.client_is_new(131);
    life.hear(over(131), 131);
    life.due(136);
    life.due(191);
    let (id, _) = life.job(|command| matches!(command, Command::MakeRecords(_))).expect("records");
    let records = crate::job::Records { contact: Some("7".into()), ..Default::default() };
    life.ended(&id, crate::JobResult::RecordsMade(records), 192);
    let (id, _) = life.job(|command| matches!(command, Command::LogCall(_))).expect("the log");
    let logged = Logged { note: "5".into(), entity_kind: "contacts".into(), entity: "7".into(), fallback: false };
    life.ended(&id, crate::JobResult::CallLogged(logged), 193);
    life.told(vec![account(Some(122))], 200);
    assert!(life.job(|command| matches!(command, Command::Amend(_))).is_none());
    life.hear(event(300, account(Some(300))), 300);
    assert!(life.job(|command| matches!(command, Command::Amend(_))).is_some());
}

#[test]
fn why_a_call_ended_is_a_code_or_words_and_both_are_read() {
    let code: EndReason = serde_json::from_str("1110").expect("a code");
    let words: EndReason = serde_json::from_str("\"Отбой абонента\"").expect("words");
    assert_eq!((code.to_string().as_str(), words.to_string().as_str()), ("код 1110", "Отбой абонента"));
}
