//! JSON of a row in few bytes: a row is billed by the KB, and most of our JSON is words that stand in every row.
//!
//! A packed value is the number of a list of words (one byte), then a raw DEFLATE stream whose dictionary is that
//! list. A reader takes text as well, as rows had it before.

use std::borrow::Cow;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde::Serialize;

use super::text;
use crate::table::{Attributes, TableError, Value};

/// Words of our rows, the most frequent ones last. A list is never changed, for what is stored was packed with it:
/// better words make another list at the end.
const LISTS: [&[u8]; 1] = [include_bytes!("words_1.txt")];
/// What one DEFLATE block may add to bytes that do not pack.
const OVERHEAD: usize = 64;

/// A value as packed JSON; as text where that is no longer.
pub(crate) fn packed<T: Serialize>(value: &T) -> Value {
    packed_text(text(value))
}

/// JSON, packed.
pub fn packed_text(json: String) -> Value {
    match deflate(json.as_bytes()) {
        Some(bytes) if bytes.len() < json.len() => Value::B(bytes),
        _ => Value::S(json),
    }
}

/// The JSON of a value, packed or not.
///
/// # Errors
/// It is neither, or was packed by a newer version.
pub fn unpacked(value: &Value) -> Result<Cow<'_, str>, TableError> {
    match value {
        Value::S(json) => Ok(Cow::Borrowed(json)),
        Value::B(bytes) => inflate(bytes).map(Cow::Owned).map_err(TableError::Refused),
        Value::N(_) | Value::M(_) => Err(TableError::Refused("a number or a map stands where JSON belongs".to_owned())),
    }
}

/// The attributes with all JSON as text: what they say decides how large they are, not how well that packs.
pub(crate) fn plain(attributes: Attributes) -> Result<Attributes, TableError> {
    let plain_value = |value| {
        Ok(match value {
            Value::B(_) => Value::S(unpacked(&value)?.into_owned()),
            Value::M(map) => Value::M(plain(map)?),
            Value::S(_) | Value::N(_) => value,
        })
    };
    attributes.into_iter().map(|(name, value)| Ok((name, plain_value(value)?))).collect()
}

fn deflate(json: &[u8]) -> Option<Vec<u8>> {
    let mut stream = Compress::new(Compression::best(), false);
    stream.set_dictionary(LISTS[LISTS.len() - 1]).ok()?;
    let mut bytes = Vec::with_capacity(json.len() + OVERHEAD);
    bytes.push(u8::try_from(LISTS.len()).ok()?);
    let status = stream.compress_vec(json, &mut bytes, FlushCompress::Finish).ok()?;
    (status == Status::StreamEnd).then_some(bytes)
}

fn inflate(bytes: &[u8]) -> Result<String, String> {
    let (number, bytes) = bytes.split_first().ok_or("a packed value is empty")?;
    let words = usize::from(*number).checked_sub(1).and_then(|at| LISTS.get(at));
    let words = words.ok_or_else(|| format!("list {number} of words is not known: a newer version wrote this"))?;
    let mut stream = Decompress::new(false);
    stream.set_dictionary(words).map_err(|error| error.to_string())?;
    let mut json = Vec::with_capacity(bytes.len() * 8);
    loop {
        let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(read..).unwrap_or_default();
        let status =
            stream.decompress_vec(rest, &mut json, FlushDecompress::None).map_err(|error| error.to_string())?;
        if status == Status::StreamEnd {
            return String::from_utf8(json).map_err(|error| error.to_string());
        }
        if json.len() < json.capacity() {
            return Err("a packed value ends too early".to_owned());
        }
        json.reserve(json.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(json: &str) -> usize {
        let packed = packed_text(json.to_owned());
        assert_eq!(unpacked(&packed).as_deref(), Ok(json));
        match packed {
            Value::B(bytes) => bytes.len(),
            _ => json.len(),
        }
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        let leg =
            r#""MToxMDA=":{"state":[2,["Disconnected","Telephone"]],"direction":[1,"Incoming"],"reason":[2,1100]},"#;
        assert!(round(leg) < leg.len() / 2, "{}", round(leg));
        let long = format!(r#"{{"legs":{{{}}}}}"#, leg.repeat(5_000));
        assert!(round(&long) < long.len() / 20, "{}", round(&long));
        assert_eq!(round(""), 0);
        assert_eq!(round("7"), 1, "what does not pack stays text");
    }

    #[test]
    fn text_is_read_as_rows_had_it_before() {
        assert_eq!(unpacked(&Value::from("{\"a\":1}")).as_deref(), Ok("{\"a\":1}"));
        assert!(unpacked(&Value::N(1)).is_err());
    }

    #[test]
    fn what_cannot_be_unpacked_says_why() {
        let Value::B(whole) = packed_text(r#"{"appeared_at":1,"connected_at":2,"account":"school"}"#.repeat(20)) else {
            panic!("it packs");
        };
        let why = |bytes: &[u8]| unpacked(&Value::B(bytes.to_vec())).expect_err("unreadable").to_string();
        assert!(why(&whole[..whole.len() - 2]).contains("ends too early"));
        assert!(why(&[]).contains("is empty"));
        let newer = [&[9], &whole[1..]].concat();
        assert!(why(&newer).contains("a newer version wrote this"));
        assert!(why(&[1, 0xff, 0xff]).len() > 20);
    }

    #[test]
    fn a_list_of_words_is_never_changed() {
        let mut sums = LISTS.iter().map(|words| {
            let mut sum = flate2::Crc::new();
            sum.update(words);
            (words.len(), sum.sum())
        });
        assert_eq!(
            sums.next(),
            Some((6122, 3104424829)),
            "rows packed with it cannot be read any more: make another list"
        );
        assert_eq!(sums.next(), None);
    }
}
