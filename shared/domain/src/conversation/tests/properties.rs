//! What holds whatever happens: random lives with timers that come at any time and any number of times.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::chat::Origin;

#[derive(Clone, Debug)]
enum Op {
    /// So many minutes late.
    Client(i64),
    Outside(i64),
    Reply,
    Close,
    Assign,
    Open,
    Left,
    Off,
    /// The worker takes the oldest send: asks whether it is still wanted, sends it, fails now and then.
    Work {
        fails: bool,
        echo_first: bool,
    },
    Timers(u8),
}

fn ops() -> impl Strategy<Value = Vec<(i64, Op)>> {
    let op = prop_oneof![
        4 => (0..30_i64).prop_map(Op::Client),
        2 => (0..30_i64).prop_map(Op::Outside),
        2 => Just(Op::Reply),
        1 => Just(Op::Close),
        1 => Just(Op::Assign),
        1 => Just(Op::Open),
        1 => Just(Op::Left),
        1 => Just(Op::Off),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(fails, echo_first)| Op::Work { fails, echo_first }),
        5 => (1..4_u8).prop_map(Op::Timers),
    ];
    let gap = prop_oneof![0..10_i64, 0..60_i64, 0..4000_i64];
    prop::collection::vec((gap, op), 1..40)
}

/// What an onlooker knows, without looking into the state.
#[derive(Default)]
struct Onlooker {
    queue: VecDeque<(EffectId, Origin)>,
    steps: BTreeSet<(u32, u16)>,
    /// The first fresh client message of this round.
    fresh: Option<Timestamp>,
    /// An employee replied in this round.
    replied: bool,
    wrote: Option<Timestamp>,
    counter: u32,
}

struct Run {
    life: Life,
    seen: Onlooker,
    now: Timestamp,
}

impl Run {
    fn take(&mut self, occurred: Timestamp, kind: Kind) {
        let known = self.life.effects.len();
        let before = self.life.it.clone();
        let event = event(occurred, self.now, kind.clone());
        self.life.take(std::slice::from_ref(&event), self.now);
        if before.state != State::Open && self.life.it.round.number != before.round.number {
            self.seen.fresh = None;
            self.seen.replied = false;
        }
        match &kind {
            Kind::MessageReceived(message) => {
                self.seen.wrote = Some(self.now);
                let fresh = self.now.since(occurred) <= Millis::minutes(15);
                if message.from == Author::Client && fresh {
                    self.seen.fresh.get_or_insert(self.now);
                }
            }
            Kind::ReplyWritten { parts, .. } if before.may_reply(&self.life.policy, parts).is_ok() => {
                self.seen.wrote = Some(self.now);
                self.seen.replied = true;
            }
            _ => {}
        }
        self.look(&before, known);
        // Replies, and what may be their echo, come once each: their keys are remembered beside the state.
        let once = match &kind {
            Kind::MessageReceived(message) => message.from == Author::Agent,
            kind => matches!(kind, Kind::ReplyWritten { .. }),
        };
        if !once {
            let twice = decide(&self.life.it, &[event], &self.life.policy, self.now);
            assert!(!twice.changed && twice.effects.is_empty(), "{kind:?} twice");
        }
    }

    fn look(&mut self, before: &Conversation, known: usize) {
        let mut closings = 0;
        let news = self.life.effects.split_off(known);
        for effect in &news {
            let Wanted::Job(order) = &effect.wanted else { continue };
            let Command::Chat(ChatCommand::SendMessage { origin, .. }) = &order.command else { continue };
            self.seen.queue.push_back((effect.id.clone(), origin.clone()));
            match origin {
                Origin::Step { step } => self.look_at_step(*step),
                Origin::Closing => closings += 1,
                Origin::Reply { .. } => {}
            }
        }
        self.life.effects.extend(news);
        let closed = before.state == State::Open && !self.life.is_open();
        assert!(closings <= u32::from(closed), "a closing text without a closing");
        if let (true, State::Closed(closed)) = (closed, &self.life.it.state) {
            let early = self.seen.wrote.is_some_and(|wrote| self.now < wrote.after(Millis::minutes(48 * 60)));
            assert!(closed.cause != Cause::TimeOut || !early, "closed early");
        }
    }

    fn look_at_step(&mut self, step: u16) {
        let round = &self.life.it.round;
        assert!(self.seen.steps.insert((round.number, step)), "a step twice");
        assert!(!self.seen.replied, "an autoreply after a reply");
        let delay = self.life.policy.channels[&"ads".into()].inbox.as_ref().expect("an inbox").steps(round.class)
            [usize::from(step)]
        .delay;
        assert!(self.seen.fresh.is_some_and(|fresh| fresh.after(delay) <= self.now), "an early autoreply");
    }

    fn work(&mut self, fails: bool, echo_first: bool) {
        let Some((effect, origin)) = self.seen.queue.front().cloned() else { return };
        let wanted = match origin.is_automatic() {
            true => still_wanted(&self.life.it, &effect, self.now),
            false => StillWanted::Yes,
        };
        let step = matches!(origin, Origin::Step { .. });
        assert!(!(step && self.seen.replied && wanted == StillWanted::Yes), "sent after the answer");
        if wanted == StillWanted::Later {
            panic!("nothing older is without a result, for the queue keeps its order");
        }
        self.seen.queue.pop_front();
        self.seen.counter += 1;
        let id = format!("ours-{}", self.seen.counter);
        let result = match wanted {
            StillWanted::No(because) => JobResult::Dropped { because },
            _ if fails => JobResult::Failed { why: "нет".into(), made: None },
            _ => JobResult::Chat(ChatResult::Sent { message: id.clone() }),
        };
        let wrote = self.seen.wrote;
        if echo_first && matches!(result, JobResult::Chat(_)) {
            self.take(self.now, message(&id, Author::Agent));
            self.seen.wrote = wrote;
        }
        self.take(self.now, Kind::JobEnded { effect, result });
    }

    fn step(&mut self, gap: i64, op: &Op) {
        self.now = self.now.after(Millis::minutes(gap));
        self.seen.counter += 1;
        let (now, id) = (self.now, format!("m{}", self.seen.counter));
        let ago = |minutes: i64| now.after(Millis::minutes(-minutes));
        match op {
            Op::Client(late) => self.take(ago(*late), message(&id, Author::Client)),
            Op::Outside(late) => self.take(ago(*late), message(&id, Author::Agent)),
            Op::Reply => self.take(now, reply("Да")),
            Op::Close => self.take(now, close()),
            Op::Assign => self.take(now, Kind::Assigned { by: "anna".into(), to: Some("petrova".into()) }),
            Op::Open => self.take(now, Kind::Opened { by: "anna".into() }),
            Op::Left => self.take(now, Kind::ClientLeft),
            Op::Off => self.take(now, Kind::ChannelSuperseded),
            Op::Work { fails, echo_first } => self.work(*fails, *echo_first),
            Op::Timers(times) => {
                for _ in 0..*times {
                    self.take(now, Kind::CloseDue);
                    self.take(now, Kind::ReplyDue);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_life_breaks_a_promise(ops in ops()) {
        let mut run = Run { life: Life::new(), seen: Onlooker::default(), now: at(8, 0) };
        for (gap, op) in &ops {
            run.step(*gap, op);
        }
        // Whatever happened: when everything on its way has ended, nothing stays undecided.
        while !run.seen.queue.is_empty() {
            run.work(false, true);
        }
        prop_assert!(run.life.it.undecided.is_empty() && run.life.it.sends.is_empty());
        let text = serde_json::to_string(&run.life.it).expect("JSON");
        prop_assert!(text.len() < 2048, "{} bytes", text.len());
    }

    #[test]
    fn a_long_reply_comes_out_whole_in_parts_that_fit(text in "[а-я \n]{0,300}", most in 1..60_usize) {
        let parts = text::parts(&text, most);
        prop_assert!(parts.iter().all(|part| !part.trim().is_empty() && part.chars().count() <= most));
        let joined: String = parts.concat().split_whitespace().collect();
        prop_assert_eq!(joined, text.split_whitespace().collect::<String>());
    }
}
