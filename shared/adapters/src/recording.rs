//! A recording that comes by a one-shot link: fetched into the blob store, remembered, done.

use std::collections::BTreeMap;

use perezvon_domain::JobResult;

use crate::jobs::{Expect, Outcome, Outgoing, Reply, Work};

/// What a recording is, when the server does not say.
const USUAL_MEDIA_TYPE: &str = "audio/mpeg";

// What is remembered between steps.
const STORED: &str = "stored";
const MEDIA_TYPE: &str = "media_type";

/// The request for what the link names.
pub(crate) fn fetch(link: &str, blob: &str) -> Outgoing {
    Outgoing {
        method: "GET",
        url: link.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        expect: Expect::Blob { key: blob.to_owned() },
    }
}

/// What came of it; `None`: no recording. Less than this many bytes are none.
pub(crate) fn fetched(work: &mut Work, reply: &Reply, least: u64) -> Option<Outcome> {
    let declared = reply.headers.get("content-type").map_or("", String::as_str);
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Some servers answer 200 with a page that says "not found".
    let is_page = declared.starts_with("text/") || declared == "application/json";
    let bytes = reply.stored.filter(|bytes| reply.status == 200 && *bytes >= least && !is_page)?;
    let usual = || USUAL_MEDIA_TYPE.to_owned();
    let media_type = Some(declared).filter(|named| !named.is_empty()).unwrap_or_else(usual);
    work.progress.insert(STORED.to_owned(), bytes.to_string());
    work.progress.insert(MEDIA_TYPE.to_owned(), media_type);
    Some(Outcome::Next)
}

/// The result, once the recording lies in the blob store.
pub(crate) fn stored(progress: &BTreeMap<String, String>, blob: &str) -> Option<JobResult> {
    let bytes = progress.get(STORED)?.parse().ok()?;
    let media_type = progress.get(MEDIA_TYPE)?.clone();
    Some(JobResult::RecordingStored { blob: blob.to_owned(), bytes, media_type })
}
