//! Playing the demo: real signed webhooks over the network, then the table of what they came to.

use std::net::SocketAddr;
use std::time::Duration;

use perezvon_domain::ChannelId;
use perezvon_platform::link::{RecordingRef, sign};
use perezvon_platform::{Http, HttpRequest};
use perezvon_sandbox::mango::form;
use perezvon_store::items::call::CallItem;
use perezvon_store::items::settings::SettingsVersion;
use perezvon_store::keys;

use super::account;
use super::calls::{self, DemoCall};
use super::outcome::{Outcome, table};
use super::{Demo, Identity};
use crate::local::data::Data;
use crate::local::say::{HookUrl, say};
use crate::local::wiring::{Ports, client};

/// The table is there by then, or it says what is missing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the calls are looked at, in milliseconds.
const LOOK_EVERY_MS: i64 = 50;
const TIMEOUT_MS: i64 = 5_000;

/// The stage of one play.
struct Play<'a> {
    ports: &'a Ports,
    calls: &'a [DemoCall],
    channel: ChannelId,
}

/// What a play needs of the running program.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    pub ports: &'a Ports,
    pub data: &'a Data,
    pub hooks: &'a [HookUrl],
    pub public_url: &'a str,
    /// Where this machine reaches our own front.
    pub own: SocketAddr,
}

impl Demo {
    /// Plays the calls if they never were, and prints what became of them. Whatever goes wrong is
    /// printed too: serving goes on.
    pub async fn play(&self, stage: Stage<'_>) {
        if !self.unplayed {
            return;
        }
        let Stage { ports, data, hooks, public_url, own } = stage;
        let hook = hooks.iter().find(|hook| hook.account == account::id().as_str());
        let Some(hook) = hook else {
            return say("The demo account has no hook URL: see the log.");
        };
        if let Err(why) = self.mark_played(data) {
            return say(&why);
        }
        say("\nДемонстрация: три звонка и чат проходят тот же путь, что и настоящие …");
        let calls = calls::all(ports.clock.now_ms().div_euclid(1000));
        let play = Play { ports, calls: &calls, channel: ChannelId(hook.channel.clone()) };
        // Through our own door, but not by way of the world.
        let address = format!("http://{own}{}", hook.url.trim_start_matches(public_url));
        let looked = tokio::time::timeout(PATIENCE, async {
            let calls = async {
                if let Err(why) = self.post(&play, &address, own).await {
                    say(&why);
                }
                play.until_settled().await;
            };
            let chat = async {
                let http = client(&[self.host()])?;
                self.play_chat(http.as_ref(), ports.clock.as_ref()).await
            };
            if let ((), Err(why)) = tokio::join!(calls, chat) {
                say(&why);
            }
        });
        // Late or not: the table says what is there.
        _ = looked.await;
        self.tell(&play, stage).await;
    }

    async fn tell(&self, play: &Play<'_>, stage: Stage<'_>) {
        let Stage { data, public_url, own, .. } = stage;
        let outcomes = play.outcomes().await;
        say(&table(&outcomes));
        let chat = self.chat().await;
        for line in chat.iter().flat_map(|(_, lines)| lines) {
            say(line);
        }
        say("");
        for (outcome, call) in outcomes.iter().zip(play.calls) {
            let stored = outcome.row.as_ref().is_some_and(|row| row.recording);
            if let Some(recording) = call.recording.as_ref().filter(|_| stored) {
                let link = play.link(&call.entry, recording, &data.keys.link);
                say(&format!("Послушать запись: {public_url}/r/{link}"));
            }
        }
        say(&format!("Страница:         {public_url}/"));
        say(&format!("Песочница CRM:    {}/", self.page()));
        if let Some(call) = play.calls.first() {
            let (channel, folder) = (&play.channel, data.path.display());
            let call = format!("{channel}:{}", call.entry);
            let chat = chat.map_or_else(String::new, |(id, _)| format!(" (или ads:{id})"));
            say(&format!("Почему так:       perezvon explain {call}{chat} --server http://{own} --data {folder}"));
        }
        say("");
    }

    async fn post(&self, play: &Play<'_>, hook: &str, own: SocketAddr) -> Result<(), String> {
        let http = client(&[own.to_string()])?;
        let clock = &play.ports.clock;
        for call in play.calls {
            if let Some(recording) = &call.recording {
                let now_ms = clock.now_ms();
                self.sandbox.change(|fakes| fakes.pbx.add_recording(recording, now_ms)).await;
            }
        }
        let began_ms = clock.monotonic_ms();
        for timed in calls::timeline(play.calls) {
            clock.sleep_ms(began_ms + timed.at_ms - clock.monotonic_ms()).await;
            let url = format!("{hook}/{}", timed.path);
            webhook(http.as_ref(), url, &self.identity, &timed.json).await?;
        }
        Ok(())
    }
}

async fn webhook(http: &dyn Http, url: String, identity: &Identity, json: &str) -> Result<(), String> {
    let request = HttpRequest {
        method: "POST",
        url,
        headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        body: form(&identity.key, &identity.salt, json).into_bytes(),
        timeout_ms: TIMEOUT_MS,
    };
    match http.send(request).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!("Вебхук демонстрации не принят: ответ {}", answer.status)),
        Err(error) => Err(format!("Вебхук демонстрации не отправлен: {error}")),
    }
}

impl Play<'_> {
    async fn until_settled(&self) {
        while !self.outcomes().await.iter().all(Outcome::is_settled) {
            self.ports.clock.sleep_ms(LOOK_EVERY_MS).await;
        }
    }

    async fn outcomes(&self) -> Vec<Outcome> {
        let policy = match perezvon_engine::settings::current(self.ports.table.as_ref(), &account::id()).await {
            Ok(Some((_, SettingsVersion { policy, .. }))) => Some(policy),
            _ => None,
        };
        let mut outcomes = Vec::new();
        for call in self.calls {
            let key = keys::call(&account::id(), &self.channel, &call.entry);
            let row = self.ports.table.get(&key).await.ok().flatten();
            let item = row.and_then(|row| CallItem::read(&row).ok()).map(|item| item.call);
            outcomes.push(Outcome::of(call, item.as_ref(), policy.as_ref()));
        }
        outcomes
    }

    fn link(&self, entry: &str, recording: &str, key: &[u8]) -> String {
        let recording = RecordingRef {
            account: account::id().0,
            channel: self.channel.0.clone(),
            entry: entry.to_owned(),
            recording: recording.to_owned(),
            generation: 0,
        };
        sign(&recording, key)
    }
}
