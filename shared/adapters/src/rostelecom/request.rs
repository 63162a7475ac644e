//! Requests to the provider: signed JSON, always posted.

use serde::Serialize;

use super::sign;
use crate::jobs::{Expect, Known, Outgoing};

/// A method with its fields, in their documented order.
pub(super) fn post<T: Serialize>(method: &str, fields: &T, known: &Known<'_>) -> Outgoing {
    // A struct of texts always has a JSON form.
    let body = serde_json::to_vec(fields).unwrap_or_default();
    Outgoing {
        method: "POST",
        url: format!("{}/{method}", known.base),
        headers: sign::headers(&body, known.secret),
        body,
        expect: Expect::Small,
    }
}
