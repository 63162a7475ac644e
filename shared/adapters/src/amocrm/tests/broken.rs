//! Broken answers never break us: every job is played against mutated samples, from fixed seeds.

use super::*;

/// A small generator, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides.max(1) as u64)).unwrap_or_default()
    }
}

/// Cuts, flips and doubles bytes.
fn mutate(dice: &mut Dice, mut body: Vec<u8>) -> Vec<u8> {
    for _ in 0..dice.roll(4) {
        if body.is_empty() {
            break;
        }
        let at = dice.roll(body.len());
        match dice.roll(3) {
            0 => body.truncate(at),
            1 => body[at] = u8::try_from(dice.roll(256)).unwrap_or_default(),
            _ => body.insert(at, b"\"0{[}]"[dice.roll(6)]),
        }
    }
    body
}

/// Puts another kind of value in the place of one that stands somewhere in the tree.
fn replace(dice: &mut Dice, value: &mut Value) {
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    let count = children.len();
    if count == 0 || dice.roll(5) == 0 {
        let others = [json!(null), json!("7"), json!(-1), json!([]), json!({}), json!(true)];
        *value = others[dice.roll(others.len())].clone();
    } else if let Some(child) = children.into_iter().nth(dice.roll(count)) {
        replace(dice, child);
    }
}

fn plays() -> Vec<Play> {
    let mut made = super::records::play(super::records::plan());
    made.point.claimed = true;
    vec![
        Play::new(Command::FindClient { client: number().into() }),
        made,
        super::calls::play(super::calls::log()),
        super::amend::recording(),
        super::amend::reassign(),
    ]
}

fn answer(dice: &mut Dice) -> Reply {
    let status = [200, 200, 200, 204, 400, 403, 404, 429, 500][dice.roll(9)];
    let mut body = sample(SAMPLES[dice.roll(SAMPLES.len())]);
    if dice.roll(2) == 0 {
        replace(dice, &mut body);
    }
    let mut reply = reply(status, &body);
    reply.body = mutate(dice, reply.body);
    reply
}

#[test]
fn no_broken_answer_breaks_a_job() {
    for seed in 1..=120_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for mut play in plays() {
            for _ in 0..12 {
                match play.next() {
                    Step::Done(_) | Step::Failed(_) => break,
                    Step::Wait { until, .. } => play.now = until,
                    Step::Claim => play.point.claimed = true,
                    Step::Write { .. } if dice.roll(4) == 0 => play.work.unknown = true,
                    Step::Read(_) | Step::Upload { .. } | Step::Write { .. } => {
                        play.absorb(&answer(&mut dice));
                    }
                }
            }
        }
    }
}

#[test]
fn a_row_with_unreadable_progress_begins_again() {
    for mut play in plays() {
        for key in ["search", "look", "logged"] {
            play.work.progress.insert(key.into(), "{not json".into());
        }
        assert!(!matches!(play.next(), Step::Done(_)));
        play.absorb(&reply(204, &Value::Null));
    }
}
