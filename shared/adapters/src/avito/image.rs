//! Pictures out: uploaded first, which may be done twice without harm; then sent by their id, and looked for like a text.

use perezvon_domain::Image;
use serde_json::{Value, json};

use super::answer::{Answer, hear};
use super::jobs::{Made, write};
use super::value::text;
use super::{look, request, send};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// The id of the uploaded picture.
const IMAGE_ID: &str = "image_id";

/// Uploads a picture, sends it, or looks for it.
pub(super) fn next(work: &Work, known: &Known<'_>, chat: &str, image: &Image) -> Step {
    if look::is_open(work) {
        return look::next(work, known, chat);
    }
    match work.progress.get(IMAGE_ID) {
        Some(id) => {
            let body = json!({ IMAGE_ID: id });
            write(request::command(known, chat, &["messages", "image"], Some(&body)), Made::Message)
        }
        None => {
            let (request, at) = request::upload(known, &image.media_type, &send::hash(work.id.as_str()));
            Step::Upload { request, blob: image.blob.clone(), at }
        }
    }
}

/// What came of it.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if look::is_open(work) {
        // The list does not name the id that we sent: a picture of ours, since then, of no other job, is this one.
        return send::looked(work, known, reply, |message| text(&message["type"]) == "image");
    }
    if work.progress.contains_key(IMAGE_ID) {
        let outcome = send::sent(work, known, reply);
        if let Outcome::Failed(_) = outcome {
            // Whoever puts the job back has it uploaded anew: its id may be too old.
            work.progress.remove(IMAGE_ID);
        }
        return outcome;
    }
    let body = match hear(work, known, reply) {
        Answer::Said(body) => body,
        Answer::Settled(outcome) => return outcome,
    };
    let told = body.as_object().and_then(|told| told.iter().find(|(id, sizes)| !id.is_empty() && is_sizes(sizes)));
    match told {
        Some((id, _)) => {
            work.progress.insert(IMAGE_ID.to_owned(), id.clone());
            Outcome::Next
        }
        None => Outcome::Unknown { why: "Avito не назвал номер картинки".to_owned() },
    }
}

/// Where the picture lies, by its size.
fn is_sizes(value: &Value) -> bool {
    value.is_object() || value.is_null()
}
