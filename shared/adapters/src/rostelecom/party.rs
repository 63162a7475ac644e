//! Who stands in a number field: an outside number, a line, or an employee's login.

use perezvon_domain::Number;

/// The text without `sip:` and what follows `@` or `;`.
pub(super) fn local(text: &str) -> &str {
    let text = text.trim();
    let text = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| strip(text, scheme)).unwrap_or(text);
    text.split(['@', ';']).next().unwrap_or_default().trim()
}

/// Schemes are written in any case.
fn strip<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The outside number; no digits are taken out of a login or of the host.
pub(super) fn number(text: &str) -> Option<Number> {
    let local = local(text);
    let digits = local.strip_prefix('+').unwrap_or(local);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| Number::parse(local)).flatten()
}

/// A line of the company: its number in one spelling, or the name of a SIP line.
pub(super) fn line(text: &str) -> Option<String> {
    let named = || Some(local(text).to_owned()).filter(|name| !name.is_empty());
    number(text).map(|number| number.digits().to_owned()).or_else(named)
}
