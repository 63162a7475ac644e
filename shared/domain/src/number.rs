//! Telephone numbers: what makes two spellings the same number.

use serde::{Deserialize, Serialize};

/// A telephone number as digits in international form, without `+`.
///
/// Russian spellings are folded: `8 (999) 000-11-22`, `9990001122` and `+7 999 000-11-22`
/// are all `79990001122`. What is no outside number (short, SIP, hidden) is not a `Number`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Number(String);

impl Number {
    /// Reads a number in any usual spelling; `None` for what cannot be called back.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("tel:").unwrap_or(text);
        let usual = |c: char| c.is_ascii_digit() || " ()-.+\u{a0}".contains(c);
        if !text.chars().all(usual) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let international = text.starts_with('+');
        match (digits.len(), international) {
            (11, false) if digits.starts_with('8') => Some(Self(format!("7{}", &digits[1..]))),
            (10, false) => Some(Self(format!("7{digits}"))),
            (10..=15, _) => Some(Self(digits)),
            _ => None,
        }
    }

    /// Digits in international form, without `+`.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last ten digits: what CRMs search by.
    pub fn last_ten(&self) -> &str {
        &self.0[self.0.len() - 10..]
    }

    /// As people write it and as we store it in a CRM: `+79990001122`.
    pub fn plus(&self) -> String {
        format!("+{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn digits(text: &str) -> Option<String> {
        Number::parse(text).map(|number| number.digits().to_owned())
    }

    #[test]
    fn all_russian_spellings_are_one_number() {
        for text in ["79990001122", "+7 (999) 000-11-22", "8 999 000 11 22", "9990001122"] {
            assert_eq!(digits(text).as_deref(), Some("79990001122"), "{text}");
        }
    }

    #[test]
    fn a_foreign_number_keeps_its_country() {
        assert_eq!(digits("+375291234567").as_deref(), Some("375291234567"));
        assert_eq!(digits("+81312345678").as_deref(), Some("81312345678"));
    }

    #[test]
    fn what_cannot_be_called_back_is_no_number() {
        for text in ["", "12", "0511", "sip:petrova@pbx.example.ru", "anonymous", "1234567890123456"] {
            assert_eq!(digits(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_ten_digits_are_what_a_crm_searches_by() {
        let number = Number::parse("89990001122").expect("a number");
        assert_eq!(number.last_ten(), "9990001122");
        assert_eq!(number.plus(), "+79990001122");
    }
}
