//! The addresses that a provider was told to post to: kept among the facts of its connection, so that whoever switches
//! a channel off, or gives it another address, knows what is to be taken back.

use std::collections::BTreeMap;

/// Where they stand among the facts.
const FACT: &str = "hooks";
/// So many are remembered, the newest: those that cannot be taken back must not grow without end.
const KEPT: usize = 16;

/// The addresses that were told and not taken back, oldest first.
pub fn told(facts: &BTreeMap<String, String>) -> Vec<String> {
    facts.get(FACT).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The fact once this address was told.
pub fn with(facts: &BTreeMap<String, String>, url: &str) -> (String, String) {
    let mut told = without_it(facts, url);
    told.push(url.to_owned());
    let surplus = told.len().saturating_sub(KEPT);
    fact(&told[surplus..])
}

/// The fact once it was taken back.
pub fn without(facts: &BTreeMap<String, String>, url: &str) -> (String, String) {
    fact(&without_it(facts, url))
}

fn without_it(facts: &BTreeMap<String, String>, url: &str) -> Vec<String> {
    told(facts).into_iter().filter(|known| known != url).collect()
}

fn fact(urls: &[String]) -> (String, String) {
    (FACT.to_owned(), serde_json::to_string(urls).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_remembered_once_until_it_is_taken_back_and_sixteen_at_most() {
        let mut facts = BTreeMap::new();
        for url in ["a", "b", "a"] {
            facts.extend([with(&facts, url)]);
        }
        assert_eq!(told(&facts), ["b", "a"]);
        facts.extend([without(&facts, "b")]);
        assert_eq!(told(&facts), ["a"]);
        for n in 0..20 {
            facts.extend([with(&facts, &n.to_string())]);
        }
        assert_eq!((told(&facts).len(), told(&facts)[15].as_str()), (16, "19"));
    }
}
