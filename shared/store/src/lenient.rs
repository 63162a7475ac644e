//! Reading what the next version of this program wrote: fields that this one does not know are passed over, also
//! where people must not write them (`deny_unknown_fields`). Else nobody could go back by one version.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Reads JSON that a program stored.
///
/// # Errors
/// It is no JSON, a field is missing or of another shape.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    T::deserialize(Lenient { value: serde_json::from_str(text)?, strict: false })
}

/// Reads JSON that a person wrote: nothing is passed over. For what is stored later, so that one reader serves both.
///
/// # Errors
/// It is no JSON, a field is missing, of another shape, or not known.
pub fn strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    T::deserialize(Lenient { value: serde_json::from_slice(bytes)?, strict: true })
}

struct Lenient {
    value: Value,
    /// Unknown fields are left to the type.
    strict: bool,
}

impl Lenient {
    fn inside(&self) -> impl Fn(Value) -> Self + use<> {
        let strict = self.strict;
        move |value| Self { value, strict }
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let inside = self.inside();
        match self.value {
            Value::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(inside))),
            Value::Object(fields) => {
                visitor.visit_map(MapDeserializer::new(fields.into_iter().map(|(name, value)| (name, inside(value)))))
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inside = self.inside();
        let Value::Object(mut fields) = self.value else { return inside(self.value).deserialize_any(visitor) };
        fields.retain(|name, _| self.strict || known.contains(&name.as_str()));
        inside(Value::Object(fields)).deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inside = self.inside();
        match self.value {
            // What a variant holds may have unknown fields as well.
            Value::Object(fields) if fields.len() == 1 => {
                let pairs = fields.into_iter().map(|(name, value)| (name, inside(value)));
                visitor.visit_enum(serde::de::value::MapAccessDeserializer::new(MapDeserializer::new(pairs)))
            }
            plain @ Value::String(_) => plain.deserialize_enum(name, variants, visitor),
            _ => Err(Error::custom("expected the name of a variant, with what it holds")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        a: Option<u64>,
        list: Vec<Inner>,
        named: BTreeMap<String, Inner>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Plain,
        Held(Box<Inner>),
        Both { left: Inner, right: (i64, f64) },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Id(String);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        id: Id,
        kinds: Vec<Kind>,
        nothing: (),
        raw: Value,
    }

    fn outer() -> Outer {
        let leaf = Inner { a: Some(7), ..Inner::default() };
        let inner =
            Inner { a: None, list: vec![leaf.clone()], named: BTreeMap::from([("key".to_owned(), leaf.clone())]) };
        let kinds = vec![Kind::Plain, Kind::Held(Box::new(inner)), Kind::Both { left: leaf, right: (-1, 0.5) }];
        Outer { id: Id("x".to_owned()), kinds, nothing: (), raw: serde_json::json!({"b": [1, null, "c"]}) }
    }

    /// Every object of a structure gets one more field.
    fn grown(value: &mut Value, structure: bool) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| grown(value, structure)),
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    grown(value, name != "raw");
                }
                let variant = fields.len() == 1 && fields.keys().all(|name| name == "Held" || name == "Both");
                let map = fields.is_empty() || fields.contains_key("key");
                if structure && !variant && !map {
                    fields.insert("from_the_next_version".to_owned(), serde_json::json!({"more": true}));
                }
            }
            _ => {}
        }
    }

    #[test]
    fn what_another_version_added_is_passed_over_however_deep_it_stands() {
        let mut value = serde_json::to_value(outer()).expect("serialises");
        assert_eq!(from_str::<Outer>(&value.to_string()).expect("read as it was written"), outer());
        let Value::Object(fields) = &mut value else { panic!("an object") };
        grown(&mut fields["kinds"], true);
        fields.insert("from_the_next_version".to_owned(), Value::Null);
        let text = value.to_string();
        assert!(text.matches("from_the_next_version").count() >= 4, "{text}");
        assert!(serde_json::from_str::<Outer>(&text).is_err(), "people may not write it");
        assert_eq!(from_str::<Outer>(&text).expect("read"), outer());
    }

    #[test]
    fn what_is_missing_or_of_another_shape_is_an_error() {
        for text in ["", "[]", "{}", r#"{"id":"x","kinds":[{"Unknown":1}],"nothing":null,"raw":1}"#, r#"{"id":7}"#] {
            assert!(from_str::<Outer>(text).is_err(), "{text}");
        }
        let two = r#"{"id":"x","kinds":[{"Held":{},"Both":{}}],"nothing":null,"raw":1}"#;
        assert!(from_str::<Outer>(two).expect_err("two variants").to_string().contains("variant"));
    }

    #[test]
    fn what_a_person_wrote_is_read_the_same_but_for_unknown_fields() {
        let text = serde_json::to_string(&outer()).expect("text");
        assert_eq!(strict::<Outer>(text.as_bytes()).expect("read"), outer());
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        grown(&mut value, true);
        let error = strict::<Outer>(value.to_string().as_bytes()).expect_err("an unknown field");
        assert!(error.to_string().contains("from_the_next_version"), "{error}");
    }
}
