//! Who answers for an account at a provider: a row for each channel that names it. The one created last lives.

use perezvon_domain::{AccountId, ChannelId, Timestamp};

use super::SCHEMA;
use crate::keys;
use crate::table::{Row, Update};

/// One channel's claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// The account at the provider ([`keys::claim_place`]).
    pub place: String,
    pub account: AccountId,
    pub channel: ChannelId,
    /// When the first version of the settings that names the channel was applied.
    pub since: Timestamp,
    /// Its place among the channels of that document.
    pub order: i64,
    /// The settings name it no more.
    pub gone: bool,
}

impl ClaimRow {
    /// Reads the row; `None`: it is none.
    pub fn read(row: &Row) -> Option<Self> {
        let (place, account, channel) = keys::parse_claim(&row.key)?;
        let (since, order) = (Timestamp(row.n("since")?), row.n("order")?);
        Some(Self { place, account, channel, since, order, gone: row.n("gone").is_some() })
    }

    /// What is greater was created later. Total, so that all agree on it.
    pub fn age(&self) -> impl Ord + '_ {
        (self.since, self.order, &self.account, &self.channel)
    }

    /// Lays the claim, or withdraws it: its age stays.
    pub fn put(&self) -> Update {
        let update = Update::new(keys::claim(&self.place, &self.account, &self.channel))
            .set("schema", SCHEMA)
            .set("since", self.since.0)
            .set("order", self.order);
        if self.gone { update.set("gone", 1) } else { update.remove("gone") }
    }
}
