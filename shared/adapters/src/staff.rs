//! Who does not work at a company any more, as its CRM says: a fact of the connection, kept by whoever asks it, so that
//! a question of a PBX reads nothing more for it.

use std::collections::BTreeMap;

use perezvon_domain::CrmId;

/// The name of the fact.
const DISMISSED: &str = "dismissed";
/// So many are kept: the row of a connection is written often, and each KB of it costs.
const KEPT: usize = 200;

/// Users of the CRM who are dismissed there.
pub fn dismissed(facts: &BTreeMap<String, String>) -> Vec<CrmId> {
    facts.get(DISMISSED).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The fact, once the CRM said who they are.
pub(crate) fn fact(dismissed: &[CrmId]) -> (String, String) {
    let surplus = dismissed.len().saturating_sub(KEPT);
    (DISMISSED.to_owned(), serde_json::to_string(&dismissed[surplus..]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dismissed_are_read_back_and_the_last_two_hundred_at_most() {
        let many: Vec<CrmId> = (0..300).map(|n| CrmId(n.to_string())).collect();
        let kept = dismissed(&BTreeMap::from([fact(&many)]));
        assert_eq!((kept.len(), kept[0].as_str()), (200, "100"));
        assert_eq!(dismissed(&BTreeMap::new()), []);
    }
}
