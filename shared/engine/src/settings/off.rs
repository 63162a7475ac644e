//! One channel is switched off without the file: the newest settings with its `active = false`, as a version of their
//! own. No secret is needed for that; the channel's own for intake are forgotten, so it is on again with the file alone.

use perezvon_domain::{AccountId, ChannelId};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::settings::SettingsHead;
use perezvon_store::items::text;
use perezvon_store::lenient;

use super::apply::{Applied, Applier, current};
use super::check::channel_connection;
use super::document::Document;
use crate::failure::Failure;

impl Applier<'_> {
    /// Switches a channel off. Whatever breaks off in the middle, asking again finishes it.
    ///
    /// # Errors
    /// [`Failure::Reject`]: there is no such channel. [`Failure::Retry`]: trying again may help.
    pub async fn switch_off(&self, account: &AccountId, channel: &ChannelId, by: &str) -> Result<Applied, Failure> {
        let unknown = || Failure::Reject(format!("the settings of `{account}` name no channel `{channel}`"));
        let (head, mut version) = current(self.table, account).await?.ok_or_else(unknown)?;
        let unreadable = |error| Failure::Retry(format!("the settings of `{account}` cannot be read: {error}"));
        let mut document: Document = lenient::from_str(&version.document).map_err(unreadable)?;
        let known = document.channels.iter_mut().find(|known| known.id == *channel).ok_or_else(unknown)?;
        let (provider, generation) = (known.provider.clone(), known.generation);
        if !known.active {
            // Whoever switched it off may have died before this.
            self.end_intake(account, channel, &provider, generation).await?;
            return Ok(Applied { version: head.version, changed: false });
        }
        known.active = false;
        if let Some(rules) = version.policy.channels.get_mut(channel) {
            rules.inbox = None;
        }
        (version.document, version.applied_at, version.applied_by) = (text(&document), self.now, by.to_owned());
        let number = self.put_numbered(version, head.version).await?;
        // Of no document, so that the file is a change again; and of no file, so that a start does not apply one.
        let next = SettingsHead { version: number, tokens: head.tokens, ..SettingsHead::default() };
        self.advance(account, &next, head.version).await?;
        // Behind it: what is written while the settings say "on" must not be dropped.
        self.end_intake(account, channel, &provider, generation).await?;
        Ok(Applied { version: number, changed: true })
    }

    /// Takes nothing in any more, and fetches nothing either.
    async fn end_intake(
        &self,
        account: &AccountId,
        channel: &ChannelId,
        provider: &str,
        generation: u32,
    ) -> Result<(), Failure> {
        self.close(account, channel.as_str(), provider, generation).await?;
        let connection = channel_connection(channel);
        self.put_once(ConnectionRow::healing(account, &connection, None)).await?;
        Ok(())
    }
}
