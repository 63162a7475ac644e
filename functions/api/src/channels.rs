//! Channels: where their webhooks go, what came last, and why nothing comes.

use ed25519_dalek::SigningKey;
use perezvon_adapters::provider;
use perezvon_domain::AccountId;
use perezvon_domain::policy::Superseded;
use perezvon_engine::settings::{Channel, Crm, crm_connection};
use perezvon_platform::hook::{Hook, sign};
use perezvon_store::items::intake::Seen;
use perezvon_store::keys;
use serde_json::json;

use crate::access::{Right, Visitor, allows};
use crate::web::{Problem, Reply};
use crate::{Api, texts, words};

impl Api {
    /// `GET channels`.
    pub(crate) async fn channels(&self, account: &AccountId, visitor: &Visitor) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let zone = &settings.policy.time_zone;
        let with_urls = allows(visitor.person.role, Right::Configure);
        let key = if with_urls { self.hook_key().await? } else { None };
        let mut channels = Vec::new();
        for channel in &settings.document.channels {
            let row = self.table.get(&keys::channel_status(account, &channel.id)).await?;
            let seen = row.as_ref().map(Seen::read).unwrap_or_default();
            let by = settings.superseded(channel);
            let mood = if by.is_some() { Mood::Superseded } else { mood(channel.active, &seen) };
            let name = provider(&channel.provider).map_or(channel.provider.as_str(), |it| it.name);
            channels.push(json!({
                "id": channel.id,
                "name": channel.name,
                "provider": channel.provider,
                "provider_name": name,
                "active": channel.active,
                "superseded": by,
                "url": key.as_ref().and_then(|key| self.hook_url(account, channel, key)),
                "mood": mood.name(),
                "status": sentence(mood, by, &seen, zone),
                "accepted": seen.accepted,
                "refused": seen.refused,
                "counted": seen.counted,
                "pings": seen.pings,
                "signatures": signatures(&seen),
                "last_webhook": seen.last_webhook,
                "last_accepted": seen.last_accepted,
                "last_refused": seen.last_refused,
                "last_refusal": seen.last_refusal,
                "last_ping": seen.last_ping,
            }));
        }
        Ok(Reply::json(200, &json!({ "channels": channels, "time_zone": zone })))
    }

    /// `GET urls`.
    pub(crate) async fn urls(&self, account: &AccountId) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let key = self.hook_key().await?;
        let url = |channel: &Channel| key.as_ref().and_then(|key| self.hook_url(account, channel, key));
        let superseded = |channel: &Channel| settings.superseded(channel).is_some();
        let url = |channel: &Channel| {
            let (id, name, url) = (&channel.id, &channel.name, url(channel));
            json!({ "channel": id, "name": name, "url": url, "superseded": superseded(channel) })
        };
        let of_crm = settings.document.crm.iter().filter(|crm| crm.account_id.is_some()).map(|crm| {
            let name = provider(&crm.provider).map_or(crm.provider.as_str(), |it| it.name);
            let url = key.as_ref().and_then(|key| self.crm_hook_url(account, crm, key));
            json!({ "channel": crm_connection(&crm.id), "name": name, "url": url, "superseded": false })
        });
        let urls: Vec<_> = settings.document.channels.iter().map(url).chain(of_crm).collect();
        Ok(Reply::json(200, &json!({ "urls": urls })))
    }

    /// Where the webhooks of a channel go; `None`: its provider sends none.
    pub(crate) fn hook_url(&self, account: &AccountId, channel: &Channel, key: &SigningKey) -> Option<String> {
        self.address(account, channel.id.as_str(), &channel.provider, channel.generation, key)
    }

    /// Where the CRM tells of changes; the connection stands in it where others have their channel.
    fn crm_hook_url(&self, account: &AccountId, crm: &Crm, key: &SigningKey) -> Option<String> {
        self.address(account, crm_connection(&crm.id).as_str(), &crm.provider, crm.generation, key)
    }

    fn address(&self, account: &AccountId, id: &str, of: &str, generation: u32, key: &SigningKey) -> Option<String> {
        let body_limit = provider(of)?.capabilities.body_limit;
        let hook = Hook { account: account.0.clone(), channel: id.to_owned(), generation, body_limit };
        (body_limit > 0).then(|| format!("{}/h/{}", self.public_url(), sign(&hook, key)))
    }
}

/// What was counted of signatures whose formula is not published; null: nothing.
fn signatures(seen: &Seen) -> Option<serde_json::Value> {
    let Seen { signed, signed_otherwise, unsigned, formula, .. } = seen;
    let any = signed + signed_otherwise + unsigned > 0;
    any.then(|| json!({ "fit": signed, "fit_none": signed_otherwise, "absent": unsigned, "formula": formula }))
}

/// How a channel is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Off,
    Superseded,
    Silent,
    Refusing,
    NoCalls,
    Fine,
}

impl Mood {
    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Superseded => "superseded",
            Self::Silent => "silent",
            Self::Refusing => "refusing",
            Self::NoCalls => "no_calls",
            Self::Fine => "fine",
        }
    }
}

fn mood(active: bool, seen: &Seen) -> Mood {
    let came = seen.last_webhook.max(seen.last_accepted).max(seen.last_refused).max(seen.last_ping);
    match (active, came, seen.last_accepted, seen.last_refused) {
        (false, ..) => Mood::Off,
        (true, None, ..) => Mood::Silent,
        (true, _, accepted, refused) if refused.is_some() && refused >= accepted => Mood::Refusing,
        (true, _, None, _) => Mood::NoCalls,
        (true, _, Some(_), _) => Mood::Fine,
    }
}

/// The answer to "nothing comes".
fn sentence(mood: Mood, by: Option<&Superseded>, seen: &Seen, zone: &str) -> String {
    let at = |at: Option<_>| at.map_or_else(String::new, |at| words::moment(at, zone));
    match mood {
        Mood::Off => "Канал выключен в настройках: запросы не принимаются.".to_owned(),
        Mood::Superseded => texts::superseded(by),
        Mood::Silent => "Ещё ничего не приходило. Вставьте адрес вебхука в личном кабинете АТС как «адрес \
                         внешней системы» и сделайте пробный звонок."
            .to_owned(),
        Mood::Refusing => format!(
            "Последний запрос ({}) отклонён: {}. Он ждёт в карантине: исправьте причину и верните его в работу.",
            at(seen.last_refused),
            seen.last_refusal.as_deref().unwrap_or("причина не записана"),
        ),
        Mood::NoCalls => format!(
            "Связь есть (последний запрос {}), но звонков ещё не было. Проверьте, что АТС шлёт события вызовов.",
            at(seen.last_webhook.max(seen.last_ping)),
        ),
        Mood::Fine => format!("Всё в порядке: последний запрос принят {}.", at(seen.last_accepted)),
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_seconds(seconds))
    }

    #[test]
    fn a_channel_says_why_nothing_comes() {
        let accepted = Seen { last_webhook: at(5), last_accepted: at(5), ..Seen::default() };
        let refusal = Some("подпись не подходит".to_owned());
        let refused = Seen { last_webhook: at(9), last_refused: at(9), last_refusal: refusal, ..accepted.clone() };
        let better = Seen { last_accepted: at(10), ..refused.clone() };
        let pinged = Seen { last_ping: at(3), ..Seen::default() };
        let cases = [
            (false, &accepted, Mood::Off),
            (true, &Seen::default(), Mood::Silent),
            (true, &refused, Mood::Refusing),
            (true, &pinged, Mood::NoCalls),
            (true, &accepted, Mood::Fine),
            (true, &better, Mood::Fine),
        ];
        for (active, seen, expected) in cases {
            assert_eq!(mood(active, seen), expected, "{seen:?}");
        }
        let text = sentence(Mood::Refusing, None, &refused, "UTC");
        assert!(text.contains("01.01.1970 00:00:09") && text.contains("подпись не подходит"), "{text}");
    }
}
