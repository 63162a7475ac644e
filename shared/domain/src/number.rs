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

    /// The first whole number that people would call one, in a text: `+7`, `8` or `7` before ten digits, or ten digits
    /// of a mobile. Prices, dates and parts of longer numbers are none.
    pub fn find(text: &str) -> Option<Self> {
        let chars: Vec<char> = text.chars().collect();
        let starts = (0..chars.len()).filter(|at| chars[*at] == '+' || chars[*at].is_ascii_digit());
        starts.filter(|at| begins(&chars, *at)).find_map(|at| at_start(&chars[at..]))
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

/// Nothing before it that it could be a part of.
fn begins(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| chars[before]) else { return true };
    match before {
        // `тел.8...`, but not `12.8...`.
        '.' | ':' | ',' => at < 2 || !chars[at - 2].is_ascii_digit(),
        _ => before.is_whitespace() || "(\"«;!?".contains(before),
    }
}

/// The number that these characters begin with.
fn at_start(chars: &[char]) -> Option<Number> {
    let (mut digits, mut gap) = (String::new(), 0);
    for (at, c) in chars.iter().enumerate() {
        match c {
            '0'..='9' => {
                digits.push(*c);
                gap = 0;
                let next = chars.get(at + 1);
                if next.is_none_or(|next| !next.is_ascii_digit()) && is_whole(&digits, &chars[at + 1..]) {
                    return Number::parse(&digits);
                }
            }
            '+' if at == 0 => {}
            ' ' | '\u{a0}' | '(' | ')' | '-' if gap < 2 && digits.len() < 11 => gap += 1,
            _ => return None,
        }
    }
    None
}

/// Whether these digits are a Russian number that ends here.
fn is_whole(digits: &str, rest: &[char]) -> bool {
    let area = |digit: char| matches!(digit, '3' | '4' | '8' | '9');
    let mut all = digits.chars();
    let fits = match (digits.len(), all.next(), all.next()) {
        (11, Some('7' | '8'), Some(second)) => area(second),
        (10, Some('9'), _) => true,
        _ => false,
    };
    let mut rest = rest.iter().skip_while(|c| c.is_whitespace());
    let apart = match rest.clone().next() {
        None => true,
        Some('₽' | '$' | '€' | '%') => false,
        Some(_) => {
            let word: String = rest.by_ref().take(3).collect::<String>().to_lowercase();
            !word.starts_with("руб") && !word.starts_with("р.")
        }
    };
    fits && apart
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn a_number_is_found_in_what_a_client_writes() {
        for text in [
            "Позвоните 8 (999) 000-11-22, после шести",
            "+7 999 000 11 22",
            "мой тел.89990001122!",
            "9990001122",
            "Отдам за 12 000, звоните: 8-999-000-11-22.",
            "12 000 79990001122",
            "(8 999 000 11 22)",
        ] {
            assert_eq!(Number::find(text).map(|number| number.plus()).as_deref(), Some("+79990001122"), "{text}");
        }
    }

    #[test]
    fn prices_dates_links_and_longer_numbers_are_no_telephone_numbers() {
        for text in [
            "",
            "750 000",
            "Возьму за 9 000 000 000 ₽",
            "9000000000 руб",
            "8 999 000 000 000 рублей",
            "21.11.2026 15:04",
            "https://ads.test/velosiped_9990001122",
            "https://ads.test/79990001122",
            "заказ #79990001122",
            "4276 8900 1234 5678",
            "40817810099910004312",
            "артикул А79990001122",
            "1.79990001122",
            "7 123 456 78 90",
            "1234567",
        ] {
            assert_eq!(Number::find(text), None, "{text}");
        }
    }

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
