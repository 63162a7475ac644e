//! `POST channels/{channel}/disable`: what switching a channel of chats off will do; and, with the consent to that, doing
//! it. Every part of it may be done again: whoever got no answer, or was told that there is more, asks again.

use perezvon_adapters::{Role, provider};
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ChannelId, ConversationEvent, ConversationEventKind, Envelope};
use perezvon_engine::Failure;
use perezvon_engine::commit::event_message;
use perezvon_engine::open_chats::{OpenChats, open_chats};
use perezvon_engine::settings::Channel;
use perezvon_platform::link::{Consent, open_consent, sign_consent};
use perezvon_store::TableError;
use serde::Deserialize;
use serde_json::json;

use crate::access::Visitor;
use crate::settings::Settings;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// How long a consent is good.
const GOOD_FOR: Millis = Millis::minutes(10);
/// What is left of the invocation when looking for conversations ends.
const MARGIN_MS: i64 = 10_000;

/// Nothing, to see what would happen; or the consent to that.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Disabling"))]
pub struct Given {
    #[serde(default)]
    consent: Option<String>,
}

impl Api {
    /// `POST channels/{channel}/disable`.
    pub(crate) async fn disable(
        &self,
        account: &AccountId,
        channel: &ChannelId,
        visitor: &Visitor,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let Given { consent } = request.json()?;
        let settings = self.needed_settings(account).await?;
        let known = settings.document.channels.iter().find(|known| known.id == *channel);
        let known = known.ok_or_else(Problem::not_found)?;
        if provider(&known.provider).is_none_or(|it| it.capabilities.role != Role::Chat) {
            return Err(Problem::new(409, texts::NOT_CHATS));
        }
        let Some(consent) = consent else { return self.ask_for_consent(account, known, &settings, ends_ms).await };
        let consent = open_consent(&consent, &self.config.person_key, self.clock.now_ms());
        let consent = consent.filter(|it| it.account == account.0 && it.channel == channel.0);
        let consent = consent.ok_or(Problem::new(409, texts::NO_CONSENT))?;
        // Done already, it is only finished.
        if known.active && consent.version != settings.version_number() {
            return Err(Problem::new(409, texts::NO_CONSENT));
        }
        self.switch_off(account, channel, visitor).await?;
        let open = self.open_chats(account, channel, ends_ms).await?;
        self.close_chats(account, channel, &open.chats).await?;
        Ok(Reply::json(202, &json!({ "channel": channel, "closing": open.chats.len(), "more": !open.whole })))
    }

    async fn ask_for_consent(
        &self,
        account: &AccountId,
        channel: &Channel,
        settings: &Settings,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let open = self.open_chats(account, &channel.id, ends_ms).await?;
        let until = self.now().after(GOOD_FOR);
        let (account, channel) = (account.0.clone(), channel.id.0.clone());
        let consent = Consent { account, channel, version: settings.version_number() };
        Ok(Reply::json(
            200,
            &json!({
                "channel": consent.channel,
                "open": open.chats.len(),
                "open_at_least": !open.whole,
                "what": texts::WHAT_DISABLING_DOES,
                "consent": sign_consent(&consent, until.0, &self.config.person_key),
                "good_until": until,
            }),
        ))
    }

    /// The settings first, then the provider: nothing comes in any more.
    async fn switch_off(&self, account: &AccountId, channel: &ChannelId, visitor: &Visitor) -> Result<(), Problem> {
        match self.applier().switch_off(account, channel, &visitor.person.name).await {
            Ok(_) => {}
            Err(Failure::Reject(why)) => return Err(Problem::bad(why)),
            Err(Failure::Retry(why)) => {
                tracing::error!(%why, "a channel was not switched off");
                return Err(Problem { status: 503, error: why, what_to_do: texts::ASK_AGAIN.to_owned() });
            }
        }
        // Who answers for an account at a provider is what it was: only addresses may be over.
        self.subscribe_as_set(account).await.map(|_| ())
    }

    /// As events: closing a conversation that is closed changes nothing.
    async fn close_chats(&self, account: &AccountId, channel: &ChannelId, chats: &[String]) -> Result<(), Problem> {
        let now = self.now();
        let event = |chat: &String| ConversationEvent {
            channel: channel.clone(),
            chat: chat.clone(),
            occurred_at: now,
            received_at: now,
            kind: ConversationEventKind::ChannelDisabled,
        };
        let told =
            |chat| event_message(&Envelope { account: account.clone(), received_at: now, event: event(chat) }, 0);
        if !chats.is_empty() {
            self.events.send(chats.iter().map(told).collect()).await?;
        }
        Ok(())
    }

    async fn open_chats(
        &self,
        account: &AccountId,
        channel: &ChannelId,
        ends_ms: i64,
    ) -> Result<OpenChats, TableError> {
        open_chats(&*self.table, &*self.clock, account, channel, ends_ms - MARGIN_MS).await
    }
}
