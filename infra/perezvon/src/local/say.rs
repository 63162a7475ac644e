//! What the start says to the person at the screen; logs go elsewhere.

use std::io::{self, IsTerminal as _, Write as _};

use perezvon_api::Api;
use perezvon_platform::Clock;
use serde_json::Value;

use super::data::{Data, OWNER_TOKEN, owner};
use super::front::TIME_LIMIT_MS;
use super::gateway::{self, Arrival};

/// Where the webhooks of a channel go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookUrl {
    pub account: String,
    pub channel: String,
    pub name: String,
    pub url: String,
}

/// What there is to say at the start.
pub(super) struct Welcome<'a> {
    pub data: &'a Data,
    pub public_url: &'a str,
    pub api: &'a Api,
    pub hooks: &'a [HookUrl],
    /// The page of the sandbox, if there is one.
    pub sandbox: Option<String>,
    /// What became of the settings.
    pub notes: &'a [String],
}

/// Prints a line. Whoever closed our output does not want to hear it.
pub(crate) fn say(line: &str) {
    _ = writeln!(io::stdout(), "{line}");
}

impl Welcome<'_> {
    pub(super) fn say(&self) {
        let folder = std::path::absolute(&self.data.path).unwrap_or_else(|_| self.data.path.clone());
        say(concat!(
            "perezvon ",
            env!("CARGO_PKG_VERSION"),
            ": calls become contacts, deals, tasks and call records in the CRM."
        ));
        say("Everything runs in this one process. Ctrl-C ends it; nothing is lost.\n");
        say(&format!("data folder    {}", folder.display()));
        say(&format!("owner's token  {}", folder.join(OWNER_TOKEN).display()));
        say(&format!("page           {}/", self.public_url));
        // A link that logs in is not for log files.
        if io::stdout().is_terminal() {
            let link = self.api.one_time_link(&owner());
            say(&format!("log in once    {link}  (good for 15 minutes)"));
        }
        for hook in self.hooks {
            let HookUrl { account, channel, name, url } = hook;
            say(&format!("webhooks       {url}\n               for {account}, channel {channel} ({name})"));
        }
        if let Some(sandbox) = &self.sandbox {
            say(&format!("sandbox CRM    {sandbox}/"));
        }
        for note in self.notes {
            say(&format!("settings       {note}"));
        }
        say("");
    }
}

/// The hook URLs of all channels of all accounts, as the API shows them to the owner. Providers that are told their
/// address by a request are told: this address may be another than at the last start.
pub(super) async fn hook_urls(api: &Api, token: &str, clock: &dyn Clock) -> Vec<HookUrl> {
    let mut found = Vec::new();
    let accounts = ask(api, token, clock, ("GET", "/api/v1/accounts")).await;
    for account in accounts["accounts"].as_array().into_iter().flatten() {
        let account = text(&account["id"]);
        let path = format!("/api/v1/accounts/{account}/urls");
        ask(api, token, clock, ("POST", &path)).await;
        let urls = ask(api, token, clock, ("GET", &path)).await;
        for url in urls["urls"].as_array().into_iter().flatten().filter(|url| url["url"].is_string()) {
            found.push(HookUrl {
                account: account.clone(),
                channel: text(&url["channel"]),
                name: text(&url["name"]),
                url: text(&url["url"]),
            });
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Asks the API as its own front would. What it refuses is `null`.
async fn ask(api: &Api, token: &str, clock: &dyn Clock, (method, path): (&str, &str)) -> Value {
    let request =
        http::Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}")).body(());
    let Ok((parts, ())) = request.map(http::Request::into_parts) else {
        return Value::Null;
    };
    let arrival = Arrival { id: String::new(), at_ms: clock.now_ms(), source_ip: String::new() };
    let ends_ms = clock.monotonic_ms() + TIME_LIMIT_MS;
    let answer = api.handle(gateway::event(&parts, b"", arrival), ends_ms).await;
    match answer.body {
        Some(aws_lambda_events::encodings::Body::Text(text)) if answer.status_code == 200 => {
            serde_json::from_str(&text).unwrap_or_default()
        }
        _ => Value::Null,
    }
}
