//! Lenient reading of JSON fields: numbers as texts and back, blank texts as absent.

use perezvon_domain::Timestamp;
use serde_json::{Map, Value};

use crate::intake::Malformed;

/// The longest text we keep, in bytes; providers name ids of up to 255.
const LONGEST: usize = 256;
/// The last second of the year 9999. More is no time in seconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// The fields of one JSON object; of none, if it was absent.
pub(crate) struct Fields<'a> {
    /// Where the object stands, for messages: nothing or `from.`.
    at: String,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Fields<'a> {
    /// The fields of a whole payload.
    pub fn of(payload: &'a Value) -> Result<Self, Malformed> {
        let Value::Object(map) = payload else {
            let found = kind(payload);
            return Err(Malformed(format!("the payload must be an object, it is {found}")));
        };
        Ok(Self { at: String::new(), map: Some(map) })
    }

    /// An object inside this one; absent is as good as empty.
    pub fn object(&self, name: &str) -> Result<Self, Malformed> {
        let map = match self.value(name) {
            None => None,
            Some(Value::Object(map)) => Some(map),
            Some(other) => return Err(self.wrong(name, "an object", other)),
        };
        Ok(Self { at: format!("{}{name}.", self.at), map })
    }

    /// A text, or a number taken as text; blank is absent.
    pub fn text(&self, name: &str) -> Result<Option<String>, Malformed> {
        let text = match self.value(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => return Err(self.wrong(name, "a text", other)),
        };
        if text.len() > LONGEST {
            let (field, length) = (self.named(name), text.len());
            return Err(Malformed(format!("{field} has {length} bytes, {LONGEST} are allowed")));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A whole number of nought or more, or a text that spells one; blank is absent.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Malformed> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) if text.trim().is_empty() => return Ok(None),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.wrong(name, "a whole number", value))
    }

    /// A yes or no, or a text that spells one; blank is absent.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Malformed> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let word = match value {
            Value::Bool(flag) => return Ok(Some(*flag)),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.wrong(name, "yes or no", value)),
        };
        match word.as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            other => Err(self.odd(name, other, "true or false")),
        }
    }

    /// One of the provider's codes.
    pub fn code(&self, name: &str) -> Result<Option<u32>, Malformed> {
        let Some(number) = self.number(name)? else {
            return Ok(None);
        };
        let code = u32::try_from(number);
        code.map(Some).map_err(|_| self.odd(name, &number.to_string(), "a code"))
    }

    /// A time in whole seconds since the epoch; 0 is absent.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Malformed> {
        let Some(seconds) = self.number(name)?.filter(|seconds| *seconds > 0) else {
            return Ok(None);
        };
        let whole = i64::try_from(seconds).ok().filter(|_| seconds <= LAST_SECOND);
        let time = whole.map(Timestamp::from_seconds);
        time.map(Some).ok_or_else(|| self.odd(name, &seconds.to_string(), "a time in seconds"))
    }

    /// What must be there.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Malformed> {
        value.ok_or_else(|| Malformed(format!("{} is missing or empty", self.named(name))))
    }

    /// A text that must be there.
    pub fn required_text(&self, name: &str) -> Result<String, Malformed> {
        self.required(name, self.text(name)?)
    }

    /// A number that must be there.
    pub fn required_number(&self, name: &str) -> Result<u64, Malformed> {
        self.required(name, self.number(name)?)
    }

    /// A time that must be there.
    pub fn required_time(&self, name: &str) -> Result<Timestamp, Malformed> {
        self.required(name, self.time(name)?)
    }

    /// The message for a value that is none of those expected.
    pub fn odd(&self, name: &str, found: &str, expected: &str) -> Malformed {
        Malformed(format!("{} is `{found:.40}`: {expected} was expected", self.named(name)))
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name).filter(|value| !value.is_null())
    }

    // A text is shown only where it should have been a number: other texts may be somebody's phone.
    fn wrong(&self, name: &str, expected: &str, found: &Value) -> Malformed {
        match found {
            Value::String(text) if expected == "a whole number" => self.odd(name, text, expected),
            Value::Number(number) => self.odd(name, &number.to_string(), expected),
            other => {
                let (field, found) = (self.named(name), kind(other));
                Malformed(format!("{field} is {found}: {expected} was expected"))
            }
        }
    }

    fn named(&self, name: &str) -> String {
        format!("field `{}{name}`", self.at)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
