//! Who works at a PBX, as it says itself: its users and groups.

use serde::{Deserialize, Serialize};

use crate::ids::Extension;

/// Users and groups that are kept.
const MOST: usize = 500;
/// Characters of a name that are kept.
const NAME: usize = 80;

/// Users and groups of a PBX.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub users: Vec<Listed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Listed>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// Of a user: the name of their telephone or of their access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

impl Directory {
    /// So much of it as a row can hold.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for list in [&mut self.users, &mut self.groups] {
            list.truncate(MOST);
            for listed in list {
                for text in [Some(&mut listed.name), listed.login.as_mut()].into_iter().flatten() {
                    *text = text.chars().take(NAME).collect();
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_could_not_hold_is_cut() {
        let one = Listed { name: "Ж".repeat(200), extension: Some("12".into()), login: Some("j".repeat(200)) };
        let whole = Directory { users: vec![one; 900], groups: Vec::new() };
        let kept = whole.bounded();
        assert_eq!((kept.users.len(), kept.users[0].name.chars().count()), (500, 80));
        assert_eq!(kept.users[0].login.as_ref().map(String::len), Some(80));
    }
}
