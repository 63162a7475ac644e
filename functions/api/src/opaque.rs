//! Opaque ids and cursors: short texts that stand in a URL as they are and mean nothing to a client.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use perezvon_domain::{EffectId, Timestamp};

/// A text, or bytes, as an opaque text.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The text behind an opaque one, if it is one.
pub fn decode(opaque: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(opaque).ok()?).ok()
}

/// A row that is found by a time and an id: a job, a request in quarantine.
pub fn encode_place(at: Timestamp, id: &str) -> String {
    encode(format!("{}#{id}", at.0))
}

/// Time and id of [`encode_place`].
pub fn decode_place(opaque: &str) -> Option<(Timestamp, String)> {
    let text = decode(opaque)?;
    let (at, id) = text.split_once('#')?;
    let at = at.parse().ok().filter(|at| *at >= 0)?;
    (!id.is_empty()).then(|| (Timestamp(at), id.to_owned()))
}

/// A job's place under its connection.
pub fn decode_job(opaque: &str) -> Option<(Timestamp, EffectId)> {
    decode_place(opaque).map(|(at, id)| (at, EffectId(id)))
}

/// The place of a call in the feed, where the next page goes on: its time and its sort key.
pub fn decode_feed_at(cursor: &str) -> Option<(Timestamp, String)> {
    let feed_at = decode(cursor)?;
    let (at, _) = feed_at.split_once('#')?;
    let digits = at.len() == 15 && at.bytes().all(|byte| byte.is_ascii_digit());
    let at = at.parse().ok().filter(|_| digits)?;
    Some((Timestamp(at), feed_at))
}

#[cfg(test)]
mod tests {
    use perezvon_domain::ChannelId;
    use perezvon_store::keys;

    use super::*;

    #[test]
    fn a_place_comes_back_and_needs_no_escaping_in_a_url() {
        let id = "call/main/MTg0OTk=+/7/0#x";
        let opaque = encode_place(Timestamp(1_790_000_000_123), id);
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(opaque.bytes().all(usual), "{opaque}");
        assert_eq!(decode_place(&opaque), Some((Timestamp(1_790_000_000_123), id.to_owned())));
    }

    #[test]
    fn a_cursor_is_a_place_in_the_feed() {
        let at = Timestamp(1_790_000_000_123);
        let feed_at = keys::feed_at(at, &ChannelId::from("main"), "e/1");
        assert_eq!(decode_feed_at(&encode(&feed_at)), Some((at, feed_at)));
    }

    #[test]
    fn anything_else_is_no_cursor_and_no_place() {
        for text in ["", "%", "####", "AAAA", &encode("12#x"), &encode("-00000000000012#x")] {
            assert_eq!(decode_feed_at(text), None, "{text}");
        }
        for text in ["", "%", &encode("x#y"), &encode("12"), &encode("12#"), &encode("-1#y")] {
            assert_eq!(decode_place(text), None, "{text}");
        }
    }
}
