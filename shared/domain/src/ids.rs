//! Names of things. Each is a type of its own, so that one cannot stand where another belongs.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One customer company (аккаунт); the owner of all rows.
    AccountId
);
id!(
    /// A configured connection to one provider account (канал).
    ChannelId
);
id!(
    /// A channel or a CRM account as something we send to: one lease, one pace, one set of tokens.
    ConnectionId
);
id!(
    /// A client as a provider of chats knows them: the provider and its id of the client, `chats:94235311`.
    OutsideId
);
id!(
    /// An employee of the settings (сотрудник).
    EmployeeId
);
id!(
    /// An internal number (внутренний номер). Text, because `0511` is not `511`.
    Extension
);
id!(
    /// The id of an entity or of a user in the CRM, as the CRM writes it.
    CrmId
);
id!(
    /// Aggregate + version + index: a repeated decision makes the same id.
    EffectId
);
