//! A person ends the links to a recording: what that asks of the CRM.

use super::*;
use crate::JobResult;
use crate::event::{RecordingChange, RecordingState};
use crate::job::{Amendment, CallLog, Logged, Records};

impl Life {
    /// A call that was talked on; its records are made, its recordings lie with us.
    fn recorded(recordings: &[&str]) -> Self {
        let mut life = Self::new();
        life.hear(leg("a", 1, LegState::Appeared, 0, "12", None), 0);
        for id in recordings {
            life.stored(id, 40);
        }
        life.hear(summary("12", Some(3), 45), 45);
        life.client_is_new(46);
        life
    }

    fn stored(&mut self, id: &str, seconds: i64) {
        self.hear(event(seconds, CallEventKind::RecordingReady { recording: id.to_owned() }), seconds);
        let copies = |command: &Command| matches!(command, Command::CopyRecording { recording, .. } if recording == id);
        let (effect, _) = self.job(copies).expect("a copy is wanted");
        let stored = JobResult::RecordingStored { blob: id.to_owned(), bytes: 9, media_type: "audio/mpeg".to_owned() };
        self.ended(&effect, stored, seconds + 1);
    }

    fn records_are_made(&mut self, seconds: i64) {
        let (effect, _) = self.job(|command| matches!(command, Command::MakeRecords(_))).expect("records");
        let records = Records { contact: Some("11".into()), contact_made: true, ..Records::default() };
        self.ended(&effect, JobResult::RecordsMade(records), seconds);
    }

    fn log(&self) -> Option<(EffectId, CallLog)> {
        self.job(|command| matches!(command, Command::LogCall(_))).map(|(id, command)| match command {
            Command::LogCall(log) => (id, *log),
            other => unreachable!("{other:?}"),
        })
    }

    fn is_logged(&mut self, seconds: i64) {
        let (effect, _) = self.log().expect("a log");
        let logged =
            Logged { note: "5".into(), entity_kind: "contacts".to_owned(), entity: "11".into(), fallback: false };
        self.ended(&effect, JobResult::CallLogged(logged), seconds);
    }

    fn revoke(&mut self, id: &str, generation: u32, seconds: i64) {
        let by = "Мария Петрова (petrova)".to_owned();
        let kind = CallEventKind::RecordingLinkRevoked { recording: id.to_owned(), generation, by };
        self.hear(event(seconds, kind), seconds);
    }

    /// The links that amendments carried, oldest first: recording and generation.
    fn amended(&self) -> Vec<(String, u32)> {
        let link = |wanted: &Wanted| match wanted {
            Wanted::Job(order) => match &order.command {
                Command::Amend(Amendment::AddRecording { log, .. }) => log.recording.clone(),
                _ => None,
            },
            _ => None,
        };
        let links = self.wanted.iter().filter_map(|(_, wanted)| link(wanted));
        links.map(|link| (link.recording, link.generation)).collect()
    }
}

fn given(id: &str, generation: u32) -> (String, u32) {
    (id.to_owned(), generation)
}

#[test]
fn before_the_call_is_logged_nothing_is_ordered_and_the_log_takes_the_new_link() {
    let mut life = Life::recorded(&["r"]);
    life.revoke("r", 0, 50);
    assert_eq!(life.call.recordings["r"].generation, 1);
    assert_eq!(life.amended(), []);
    life.records_are_made(60);
    let (_, log) = life.log().expect("a log");
    assert_eq!(log.recording.map(|link| link.generation), Some(1));
    life.is_logged(70);
    assert_eq!(life.amended(), []);
}

#[test]
fn after_that_the_record_gets_each_new_link_once() {
    let mut life = Life::recorded(&["r"]);
    life.records_are_made(50);
    life.is_logged(51);
    life.revoke("r", 0, 100);
    life.revoke("r", 0, 101);
    life.hear(event(102, CallEventKind::WakeDue), 102);
    assert_eq!(life.amended(), [given("r", 1)]);
    life.revoke("r", 1, 103);
    assert_eq!(life.amended(), [given("r", 1), given("r", 2)]);
    let said = life.call.because.iter().filter(|because| because.reason.code == "recording_revoked");
    let said: Vec<String> = said.map(|because| because.reason.words()).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].starts_with("ссылку на запись разговора отозвал Мария Петрова (petrova)"), "{said:?}");
}

#[test]
fn a_log_or_a_late_recording_on_its_way_with_the_old_link_is_amended_behind_it() {
    let mut logging = Life::recorded(&["r"]);
    logging.records_are_made(50);
    logging.revoke("r", 0, 55);
    assert_eq!(logging.amended(), [], "there is no record yet");
    logging.is_logged(60);
    assert_eq!(logging.amended(), [given("r", 1)]);

    let mut late = Life::recorded(&[]);
    late.records_are_made(50);
    late.hear(event(9_000, CallEventKind::WakeDue), 9_000);
    late.is_logged(9_001);
    late.stored("r", 9_100);
    late.revoke("r", 0, 9_200);
    assert_eq!(late.amended(), [given("r", 0), given("r", 1)]);
}

#[test]
fn the_record_keeps_its_recording_whatever_becomes_of_the_others() {
    let mut life = Life::recorded(&["r", "s"]);
    life.records_are_made(50);
    life.is_logged(51);
    life.revoke("s", 0, 60);
    assert_eq!(life.amended(), [], "no link to it stands in the CRM");
    life.stored("a", 70);
    life.revoke("r", 0, 80);
    assert_eq!(life.amended(), [given("r", 1)]);
}

#[test]
fn only_links_of_ours_and_of_the_seen_generation_are_revoked() {
    let mut life = Life::recorded(&["r"]);
    let change = RecordingChange {
        recording: "soon".to_owned(),
        seq: 1,
        state: RecordingState::Started,
        leg: None,
        employee: None,
    };
    life.hear(event(50, CallEventKind::RecordingChanged(change)), 50);
    life.call.recordings.entry("theirs".to_owned()).or_default().copy = Copy::Linked { url: "https://x.test".into() };
    let before = life.call.clone();
    for (id, generation, why) in [
        ("r", 1, NotRevoked::Other(0)),
        ("soon", 0, NotRevoked::NoLink),
        ("theirs", 0, NotRevoked::Outside),
        ("nothing", 0, NotRevoked::Unknown),
    ] {
        assert_eq!(life.call.may_revoke(id, generation), Err(why));
        life.revoke(id, generation, 60);
        assert_eq!(life.call, before, "{id}");
    }
    assert_eq!(life.call.may_revoke("r", 0), Ok(()));
}
