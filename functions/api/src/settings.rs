//! The settings: shown without secrets, checked, compared, applied.

use perezvon_domain::policy::Superseded;
use perezvon_domain::{AccountId, Policy, Timestamp};
use perezvon_engine::Failure;
use perezvon_engine::settings::Problem as Fault;
use perezvon_engine::settings::{Applier, Channel, Checked, Context, Document, check, current};
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use perezvon_store::{TableError, lenient};
use serde_json::json;

use crate::access::Visitor;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// What stands in the place of a secret when settings are shown.
const HIDDEN: &str = "***";

/// The newest settings of an account.
pub struct Settings {
    pub policy: Policy,
    /// Its secrets are hidden.
    pub document: Document,
    head: SettingsHead,
    version: SettingsVersion,
}

impl Settings {
    /// The number of this version.
    pub fn version_number(&self) -> u64 {
        self.head.version
    }

    /// The channel is on, and no other answers for its account at the provider.
    pub fn lives(&self, channel: &Channel) -> bool {
        channel.active && self.superseded(channel).is_none()
    }

    /// By whom a channel is superseded.
    pub fn superseded(&self, channel: &Channel) -> Option<&Superseded> {
        self.policy.channels.get(&channel.id)?.superseded.as_ref()
    }

    /// When it was applied.
    pub fn applied_at(&self) -> Timestamp {
        self.version.applied_at
    }
}

impl Api {
    /// The newest settings; `None`: nothing was ever applied.
    pub(crate) async fn settings(&self, account: &AccountId) -> Result<Option<Settings>, TableError> {
        let Some((head, version)) = current(&*self.table, account).await? else {
            return Ok(None);
        };
        let unreadable = |error| TableError::Refused(format!("the settings of {account} cannot be read: {error}"));
        let document = lenient::from_str(&version.document).map_err(unreadable)?;
        Ok(Some(Settings { policy: version.policy.clone(), document, head, version }))
    }

    /// The newest settings, or what to do to have some.
    pub(crate) async fn needed_settings(&self, account: &AccountId) -> Result<Settings, Problem> {
        self.settings(account).await?.ok_or(Problem::new(404, texts::NO_SETTINGS))
    }

    /// `GET settings`.
    pub(crate) async fn show_settings(&self, account: &AccountId) -> Result<Reply, Problem> {
        let Settings { head, version, document, .. } = self.needed_settings(account).await?;
        let body = json!({
            "version": head.version,
            "source": head.source,
            "applied_at": version.applied_at,
            "applied_by": version.applied_by,
            "document": document,
        });
        Ok(Reply::json(200, &body))
    }

    /// `PUT settings`.
    pub(crate) async fn put_settings(
        &self,
        account: &AccountId,
        visitor: &Visitor,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let document: Document = request.strict_json()?;
        if document.account.id != *account {
            return Err(Problem::new(400, texts::OTHER_ACCOUNT));
        }
        let allow_hosts = self.config.allow_hosts.iter().cloned().collect();
        let checked =
            hidden(&document).map_or_else(|| check(&document, &Context { allow_hosts }), |fault| Err(vec![fault]));
        let checked = match checked {
            Ok(checked) => checked,
            Err(faults) => return Ok(faulty(&faults)),
        };
        let dry_run = request.param("dry_run") == Some("true");
        let source = request.param("source").unwrap_or_default();
        self.apply(checked, dry_run, source, &visitor.person.name).await
    }

    /// How settings are written.
    pub(crate) fn applier(&self) -> Applier<'_> {
        Applier {
            table: &*self.table,
            secrets: &*self.secrets,
            crm: &*self.crm,
            outbound: &*self.outbound,
            now: self.now(),
        }
    }

    async fn apply(&self, checked: Checked, dry_run: bool, source: &str, by: &str) -> Result<Reply, Problem> {
        let applier = self.applier();
        let account = checked.policy.account.clone();
        let warnings = checked.warnings.clone();
        let done = if dry_run {
            let changes = applier.difference(&checked).await;
            changes.map(|changes| json!({ "changes": changes, "warnings": warnings }))
        } else {
            let applied = applier.apply(checked, source, by).await;
            applied.map(|it| json!({ "version": it.version, "changed": it.changed, "warnings": warnings }))
        };
        match done {
            Ok(body) if dry_run => Ok(Reply::json(200, &body)),
            Ok(body) => {
                // Should it fail, the same settings applied again do it: it says so.
                self.subscribe_channels(&account).await?;
                Ok(Reply::json(200, &body))
            }
            Err(Failure::Reject(why)) => Ok(faulty(&[Fault::new("", why, "")])),
            Err(Failure::Retry(why)) => {
                tracing::error!(%why, "settings were not applied");
                Err(Problem { status: 503, error: why, what_to_do: texts::APPLY_AGAIN.to_owned() })
            }
        }
    }
}

fn faulty(faults: &[Fault]) -> Reply {
    Reply::json(422, &json!({ "problems": faults }))
}

/// Settings as they are shown, sent back: their stars would overwrite real secrets.
fn hidden(document: &Document) -> Option<Fault> {
    let of_channels = document.channels.iter().flat_map(|channel| &channel.secrets);
    let of_crm = document.crm.iter().map(|crm| &crm.secret);
    let mut secrets = of_channels.chain(of_crm).flat_map(|set| set.values());
    let (what, instead) = ("a secret is `***`", "give the secret itself: shown settings hide it");
    secrets.any(|secret| secret.0 == HIDDEN).then(|| Fault::new("", what, instead))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(secret: &str) -> Document {
        serde_json::from_value(json!({
            "account": { "id": "acme", "name": "ООО Пример", "time_zone": "Europe/Moscow" },
            "fallback": "petrova",
            "employees": [{ "id": "petrova", "name": "Петрова" }],
            "crm": { "provider": "invented", "secret": { "token": secret } },
        }))
        .expect("a document")
    }

    #[test]
    fn settings_with_stars_for_secrets_are_not_taken_back() {
        assert!(hidden(&document("***")).is_some());
        assert_eq!(hidden(&document("an invented token")), None);
    }
}
