//! Telling providers where their webhooks go, where that is done by a request.

use perezvon_adapters::provider;
use perezvon_domain::effect::JobOrder;
use perezvon_domain::{AccountId, Command, EffectId, Lane};
use perezvon_engine::settings::{Channel, channel_connection};
use perezvon_store::items::job::JobRow;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Api;
use crate::settings::Settings;
use crate::web::{Problem, Reply};

impl Api {
    /// `POST urls`: which channels' providers are told their address. The same address under the same settings is
    /// told once, so this may be asked for at every start.
    pub(crate) async fn subscribe_channels(&self, account: &AccountId) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let told = self.subscribe(account, &settings).await?;
        Ok(Reply::json(202, &json!({ "told": told })))
    }

    /// Puts a job for each channel whose provider wants to be told. Without a hook key there is no address yet.
    async fn subscribe(&self, account: &AccountId, settings: &Settings) -> Result<Vec<String>, Problem> {
        let wants = |channel: &&Channel| {
            channel.active && provider(&channel.provider).is_some_and(|it| it.capabilities.subscribes)
        };
        let channels: Vec<&Channel> = settings.document.channels.iter().filter(wants).collect();
        if channels.is_empty() {
            return Ok(Vec::new());
        }
        let Some(key) = self.hook_key().await? else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        for channel in channels {
            let Some(url) = self.hook_url(account, channel, &key) else { continue };
            let connection = channel_connection(&channel.id);
            // Another address is another job, and so is the same under new settings: somebody may have changed the keys.
            let digest: String = Sha256::digest(&url).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let id = EffectId(format!("subscribe/{}/{}/{digest}", channel.id, settings.version_number()));
            let command = Command::Subscribe { url };
            let order = JobOrder { connection: connection.clone(), command, points: Vec::new(), prev: None };
            let put = JobRow::put(account, settings.applied_at(), &id, &order, false);
            match self.table.update(put).await {
                Err(error) if !error.is_conflict() => return Err(error.into()),
                _ => {}
            }
            // Also if the row was there: who put it may have died before this.
            self.wake(account, &connection, Lane::Outbound).await?;
            told.push(channel.id.0.clone());
        }
        Ok(told)
    }
}
