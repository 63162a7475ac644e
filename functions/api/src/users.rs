//! Who works at a PBX, and what of it does not match the settings.

use perezvon_adapters::provider;
use perezvon_domain::{AccountId, ChannelId, Extension, Lane, Listed};
use perezvon_engine::addresses::Addresses;
use perezvon_engine::settings::{Channel, channel_connection};
use perezvon_store::items::directory::DirectoryRow;
use perezvon_store::keys;
use serde_json::json;

use crate::Api;
use crate::settings::Settings;
use crate::web::{Problem, Reply};

impl Api {
    /// `GET channels/{id}/users`: as the PBX told them last. If that was before these settings, it is asked.
    pub(crate) async fn users(&self, account: &AccountId, channel: &ChannelId) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let known = settings.document.channels.iter().find(|known| known.id == *channel);
        let known = known.ok_or_else(Problem::not_found)?;
        let row = self.table.get(&keys::directory(account, &channel_connection(channel))).await?;
        let told = row.as_ref().map(DirectoryRow::read).transpose()?;
        let is_old = told.as_ref().is_none_or(|told| told.read_at < settings.applied_at());
        let asked = is_old && self.ask_for_users(account, &settings, known).await?;
        let DirectoryRow { directory, read_at } = told.clone().unwrap_or_default();
        let employee = |listed: &Listed| {
            let extension = listed.extension.as_ref()?;
            settings.policy.by_extension(extension).map(|employee| employee.id.clone())
        };
        let users: Vec<_> = directory
            .users
            .iter()
            .map(|user| {
                let (name, extension, login) = (&user.name, &user.extension, &user.login);
                json!({ "name": name, "extension": extension, "login": login, "employee": employee(user) })
            })
            .collect();
        let groups: Vec<_> =
            directory.groups.iter().map(|it| json!({ "name": it.name, "extension": it.extension })).collect();
        let is_known =
            |extension: &Extension| directory.users.iter().any(|user| user.extension.as_ref() == Some(extension));
        let unknown: Vec<_> = settings
            .policy
            .employees
            .iter()
            .filter(|it| told.is_some() && it.active && it.extension.as_ref().is_some_and(|it| !is_known(it)))
            .map(|it| json!({ "employee": it.id, "extension": it.extension }))
            .collect();
        let read_at = told.as_ref().map(|_| read_at);
        let shown = json!({ "read_at": read_at, "asked": asked, "users": users, "groups": groups, "unknown": unknown });
        Ok(Reply::json(200, &shown))
    }

    /// Puts the job that asks, once under each version of the settings. False: this channel is not asked.
    async fn ask_for_users(&self, account: &AccountId, settings: &Settings, of: &Channel) -> Result<bool, Problem> {
        let lists = provider(&of.provider).is_some_and(|it| it.capabilities.lists_users);
        if !lists || !settings.lives(of) {
            return Ok(false);
        }
        let (version, applied_at) = (settings.version_number(), settings.applied_at());
        let connection = channel_connection(&of.id);
        let addresses = Addresses { table: self.table.as_ref(), account, version, applied_at };
        addresses.read_users(&connection).await?;
        self.wake(account, &connection, Lane::Outbound).await?;
        Ok(true)
    }
}
