//! Voice messages: where one can be heard. The provider's link lives for an hour.

use perezvon_domain::ChatResult;
use perezvon_domain::time::Millis;

use super::answer::{Answer, failed, hear};
use super::jobs::done;
use super::value::address;
use crate::jobs::{Known, Outcome, Reply, Work};

/// How long a link lives. It was made after we asked, so that ours ends before theirs.
const LIFE: Millis = Millis::minutes(60);

/// Takes the link in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, message: String, voice: &str) -> Outcome {
    let body = match hear(work, known, reply) {
        Answer::Said(body) => body,
        Answer::Settled(outcome) => return outcome,
    };
    match address(&body["voices_urls"][voice]) {
        Some(url) => done(work, &ChatResult::VoiceRead { message, url, until: known.now.after(LIFE) }),
        None => Outcome::Failed(failed("Avito не дал ссылки на это сообщение. Послушайте его в приложении Avito")),
    }
}
