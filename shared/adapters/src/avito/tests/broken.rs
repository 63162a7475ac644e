//! Broken bytes never break us: pushes and jobs are played against mutated samples, from fixed seeds.

use super::*;
use crate::{Intake, RawRequest};

/// A small generator, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides.max(1) as u64)).unwrap_or_default()
    }

    /// Puts a token of JSON, or a broken byte, in the place of some bytes.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        let pieces =
            [&b"null"[..], b"[]", b"{}", b"-1", b"1e99", b"\"\"", b"\xd0", b"\"a~/%\"", b"9223372036854775808"];
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len());
            let end = (at + self.roll(12)).min(bytes.len());
            bytes.splice(at..end, pieces[self.roll(pieces.len())].iter().copied());
        }
    }
}

#[test]
fn no_broken_push_breaks_the_intake() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for sample in list(&file("index.json")["samples"]) {
        let body = bytes(&format!("in/{}.body", string(sample, "name")));
        for _ in 0..100 {
            let mut body = body.clone();
            dice.spoil(&mut body);
            let request = RawRequest { path: String::new(), headers: BTreeMap::new(), body, received_at: NOW };
            if let Ok(verified) = Avito.verify(&request, &[ours()]) {
                drop(Avito.normalise(verified));
            }
        }
    }
}

#[test]
fn no_broken_answer_breaks_a_job() {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    for round in 0..600 {
        let commands = [sending(TEXT), deleting(), marking(), reading(), hearing(), picturing()];
        let mut play = Play::new(commands[round % 6].clone());
        for _ in 0..8 {
            match play.next() {
                Step::Done(_) | Step::Failed(_) => break,
                Step::Write { .. } if dice.roll(3) == 0 => play.lose(),
                _ => {
                    let mut body = answer(ANSWERS[dice.roll(ANSWERS.len())]).to_string().into_bytes();
                    dice.spoil(&mut body);
                    let status = [200, 200, 200, 204, 400, 403, 404, 429, 500][dice.roll(9)];
                    play.absorb(&Reply { body, ..reply(status, &Value::Null) });
                }
            }
        }
    }
}

#[test]
fn a_row_with_unreadable_progress_begins_again() {
    let mut play = Play::new(sending(TEXT));
    for key in ["done", "look", "sent_at", "refused_at"] {
        play.work.progress.insert(key.into(), "{not json".into());
    }
    assert!(matches!(play.next(), Step::Read(_)), "a look-up of any state is begun, never a second message");
    assert!(matches!(play.absorb(&reply(200, &answer("messages-array"))), Outcome::Next));
}
