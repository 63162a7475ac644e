//! Telling providers where their webhooks go, where that is done by a request.

use perezvon_adapters::provider;
use perezvon_domain::{AccountId, Lane};
use perezvon_engine::addresses::Addresses;
use perezvon_engine::settings::{Channel, channel_connection};
use serde_json::json;

use crate::Api;
use crate::settings::Settings;
use crate::web::{Problem, Reply};

impl Api {
    /// `POST urls`: which channels' providers are told their address. The same address under the same settings is
    /// told once, so this may be asked for at every start.
    pub(crate) async fn subscribe_channels(&self, account: &AccountId) -> Result<Reply, Problem> {
        // Whoever has an account at a provider in common with these channels may live, or rest, by now.
        for other in self.applier().settle(account).await?.iter().filter(|other| *other != account) {
            self.subscribe_as_set(other).await?;
        }
        let told = self.subscribe_as_set(account).await?;
        Ok(Reply::json(202, &json!({ "told": told })))
    }

    /// By the newest settings: whoever applied others meanwhile may have found nothing to take back yet.
    pub(crate) async fn subscribe_as_set(&self, account: &AccountId) -> Result<Vec<String>, Problem> {
        let mut settings = self.needed_settings(account).await?;
        loop {
            let told = self.subscribe(account, &settings).await?;
            let newest = self.needed_settings(account).await?;
            if newest.version_number() == settings.version_number() {
                return Ok(told);
            }
            settings = newest;
        }
    }

    /// Puts a job for each channel whose provider wants to be told, and for each address that holds no more. Without a
    /// hook key there is no address yet.
    async fn subscribe(&self, account: &AccountId, settings: &Settings) -> Result<Vec<String>, Problem> {
        let subscribes = |channel: &&Channel| provider(&channel.provider).is_some_and(|it| it.capabilities.subscribes);
        let channels: Vec<&Channel> = settings.document.channels.iter().filter(subscribes).collect();
        if channels.is_empty() {
            return Ok(Vec::new());
        }
        let Some(key) = self.hook_key().await? else { return Ok(Vec::new()) };
        let (version, applied_at) = (settings.version_number(), settings.applied_at());
        let addresses = Addresses { table: self.table.as_ref(), account, version, applied_at };
        // Under another host than ours stands an installation that was moved, or one that this is a copy of: not ours
        // to end while the channel goes on.
        let ours = format!("{}/h/", self.public_url());
        let mut told = Vec::new();
        for channel in channels {
            let Some(url) = self.hook_url(account, channel, &key) else { continue };
            let connection = channel_connection(&channel.id);
            let lives = settings.lives(channel);
            let taken_back = if lives {
                addresses.tell(&connection, &url).await?;
                told.push(channel.id.0.clone());
                addresses.take_back(&connection, |other| other != url && other.starts_with(&ours)).await?
            } else {
                addresses.take_back(&connection, |_| true).await?
            };
            if lives || taken_back {
                // Also if the rows were there: who put them may have died before this.
                self.wake(account, &connection, Lane::Outbound).await?;
            }
        }
        Ok(told)
    }

    /// Whether this is where the provider of a channel posts now: its end must not be asked for once more.
    pub(crate) async fn is_in_use(&self, account: &AccountId, url: &str) -> Result<bool, Problem> {
        let settings = self.needed_settings(account).await?;
        let Some(key) = self.hook_key().await? else { return Ok(false) };
        let mut channels = settings.document.channels.iter().filter(|channel| settings.lives(channel));
        Ok(channels.any(|channel| self.hook_url(account, channel, &key).is_some_and(|known| known == url)))
    }
}
