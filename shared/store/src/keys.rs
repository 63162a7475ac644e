//! All keys, as typed functions of their inputs; nobody else can make one.
//!
//! Outside ids are escaped, the account comes first: a read cannot cross accounts by accident.

mod due;

use std::fmt::Write as _;

use perezvon_domain::{AccountId, ChannelId, ClientId, ConnectionId, CrmId, EffectId, EmployeeId, Number, Timestamp};

pub use due::{DUE_SHARDS, due_shard, due_shard_name};

/// Primary key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pk: String,
    sk: String,
}

impl Key {
    /// Partition key.
    pub fn pk(&self) -> &str {
        &self.pk
    }

    /// Sort key.
    pub fn sk(&self) -> &str {
        &self.sk
    }

    /// For drivers: a key read back from the table.
    pub fn from_table(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }
}

/// Letters, digits and `-_.+=@:` stay; everything else, `#` and `/` above all, becomes `%XX`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'+' | b'=' | b'@' | b':' => {
                out.push(char::from(byte));
            }
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// The text that [`escape`] was given.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = || std::str::from_utf8(tail.get(..2)?).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, hex()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// The item of a call.
pub fn call(account: &AccountId, channel: &ChannelId, entry: &str) -> Key {
    key(format!("{}#call#{}#{}", escape(account.as_str()), escape(channel.as_str()), escape(entry)), "item")
}

/// Account, channel and entry of a call's key; `None` for other rows.
pub fn parse_call(key: &Key) -> Option<(AccountId, ChannelId, String)> {
    parse_item(key, "call")
}

fn parse_item(key: &Key, wanted: &str) -> Option<(AccountId, ChannelId, String)> {
    let mut parts = key.pk.split('#');
    let (account, kind) = (parts.next()?, parts.next()?);
    let (channel, entry) = (parts.next()?, parts.next()?);
    let item = (AccountId(unescape(account)), ChannelId(unescape(channel)), unescape(entry));
    (kind == wanted && key.sk == "item" && parts.next().is_none()).then_some(item)
}

/// The partition of a conversation: its item and its history.
pub fn chat_partition(account: &AccountId, channel: &ChannelId, chat: &str) -> String {
    format!("{}#chat#{}#{}", escape(account.as_str()), escape(channel.as_str()), escape(chat))
}

/// The item of a conversation.
pub fn chat(account: &AccountId, channel: &ChannelId, chat: &str) -> Key {
    key(chat_partition(account, channel, chat), "item")
}

/// Account, channel and chat of a conversation's key; `None` for other rows.
pub fn parse_chat(key: &Key) -> Option<(AccountId, ChannelId, String)> {
    parse_item(key, "chat")
}

/// A message of the history, under the provider's id.
pub fn message(account: &AccountId, channel: &ChannelId, chat: &str, id: &str) -> Key {
    key(chat_partition(account, channel, chat), format!("message#{}", escape(id)))
}

/// The blob of a text that is too long for its row.
pub fn text(account: &AccountId, digest: &str) -> String {
    format!("texts/{}/{digest}", escape(account.as_str()))
}

/// A text of ours in the history, under its effect id.
pub fn sent(account: &AccountId, channel: &ChannelId, chat: &str, effect: &EffectId) -> Key {
    key(chat_partition(account, channel, chat), format!("sent#{}", escape(effect.as_str())))
}

/// A note in the history, under its `Idempotency-Key`.
pub fn note(account: &AccountId, channel: &ChannelId, chat: &str, id: &str) -> Key {
    key(chat_partition(account, channel, chat), format!("note#{}", escape(id)))
}

/// What a person did once, under its `Idempotency-Key`.
pub fn once(account: &AccountId, channel: &ChannelId, chat: &str, id: &str) -> Key {
    key(chat_partition(account, channel, chat), format!("once#{}", escape(id)))
}

/// First and last possible sort key of the history; what people did once stands in between.
pub fn history_range() -> (String, String) {
    ("message#".to_owned(), "sent#~".to_owned())
}

/// What a row of a conversation's partition is (`message`, `sent`, `note`, `once`), and under which id; `None`: the item.
pub fn parse_history(key: &Key) -> Option<(&str, String)> {
    let (kind, id) = key.sk.split_once('#')?;
    Some((kind, unescape(id)))
}

fn connection_partition(account: &AccountId, connection: &ConnectionId) -> String {
    format!("{}#connection#{}", escape(account.as_str()), escape(connection.as_str()))
}

/// The lease row of a connection: holder, pause, pace, tokens' code.
pub fn connection(account: &AccountId, connection: &ConnectionId) -> Key {
    key(connection_partition(account, connection), "connection")
}

/// Who works at the PBX of a connection.
pub fn directory(account: &AccountId, connection: &ConnectionId) -> Key {
    key(connection_partition(account, connection), "directory")
}

/// Account and connection of a lease row's key.
pub fn parse_connection(key: &Key) -> Option<(AccountId, ConnectionId)> {
    let mut parts = key.pk.split('#');
    let (account, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
    let parsed = (AccountId(unescape(account)), ConnectionId(unescape(id)));
    (kind == "connection" && key.sk == "connection").then_some(parsed)
}

/// A job: under its connection, by the item's time and the effect id.
pub fn job(account: &AccountId, connection: &ConnectionId, at: Timestamp, id: &EffectId) -> Key {
    key(connection_partition(account, connection), format!("job#{}", job_place(at, id)))
}

/// The id of a job that fetches what was missed, of this place in the schedule.
pub fn healing(place: i64) -> EffectId {
    EffectId(format!("heal/{place}"))
}

/// Whether a job's key is that of one with such an id.
pub fn is_healing(key: &Key) -> bool {
    key.sk.split('#').nth(2).is_some_and(|id| unescape(id).starts_with("heal/"))
}

/// The sort key of an open job in the index of jobs that are not done.
pub fn job_place(at: Timestamp, id: &EffectId) -> String {
    format!("{:015}#{}", at.0.max(0), escape(id.as_str()))
}

/// The same of a job that goes before all others.
pub fn first_place(at: Timestamp, id: &EffectId) -> String {
    format!("0#{}", job_place(at, id))
}

/// The same of a job that goes behind all others.
pub fn last_place(at: Timestamp, id: &EffectId) -> String {
    format!("9#{}", job_place(at, id))
}

/// First and last possible place of an open job.
pub fn open_places() -> (String, String) {
    ("0".to_owned(), "9~".to_owned())
}

/// The sort key there of a job that failed or is parked: behind all open ones.
pub fn stopped_place(at: Timestamp, id: &EffectId) -> String {
    format!("stopped#{}", job_place(at, id))
}

/// First and last possible [`stopped_place`].
pub fn stopped_places() -> (String, String) {
    ("stopped#".to_owned(), "stopped#~".to_owned())
}

/// The partition of all jobs of a connection.
pub fn jobs(account: &AccountId, connection: &ConnectionId) -> String {
    connection_partition(account, connection)
}

/// First and last possible sort key of job rows.
pub fn job_range() -> (String, String) {
    ("job#".to_owned(), "job#~".to_owned())
}

/// One row per connection of anybody, in one partition: what `wake` looks through.
pub fn connection_entry(account: &AccountId, connection: &ConnectionId) -> Key {
    key(all_connections(), format!("{}#{}", escape(account.as_str()), escape(connection.as_str())))
}

/// The partition of [`connection_entry`].
pub fn all_connections() -> String {
    "all#connections".to_owned()
}

/// Account and connection of a [`connection_entry`].
pub fn parse_connection_entry(key: &Key) -> Option<(AccountId, ConnectionId)> {
    let (account, connection) = key.sk.split_once('#')?;
    (key.pk == all_connections()).then(|| (AccountId(unescape(account)), ConnectionId(unescape(connection))))
}

/// A contact point: one telephone number of one account, or one client as a provider of chats knows them. The latter
/// has a colon in it, which no number has.
pub fn point(account: &AccountId, client: &ClientId) -> Key {
    let client = match client {
        ClientId::Phone(number) => number.digits().to_owned(),
        ClientId::Outside { outside } => escape(outside.as_str()),
    };
    key(format!("{}#point#{client}", escape(account.as_str())), "point")
}

/// Which points a contact of the CRM has.
pub fn contact(account: &AccountId, contact: &CrmId) -> Key {
    key(format!("{}#contact#{}", escape(account.as_str()), escape(contact.as_str())), "points")
}

/// The slot of one half second in which a question may ask a connection.
pub fn slot(account: &AccountId, connection: &ConnectionId, half_second: i64) -> Key {
    key(connection_partition(account, connection), format!("slot#{:015}", half_second.max(0)))
}

/// How the PBX's question about a number was decided: its time, then the gateway's id of the question.
pub fn decision(account: &AccountId, number: &Number, at: Timestamp, question: &str) -> Key {
    key(decisions(account, number), format!("{:015}#{}", at.0.max(0), escape(question)))
}

/// The partition of a number's decisions.
pub fn decisions(account: &AccountId, number: &Number) -> String {
    format!("{}#answers#{}", escape(account.as_str()), number.digits())
}

/// First and last possible sort key of the decisions of a time, both ends included.
pub fn decisions_between(from: Timestamp, to: Timestamp) -> (String, String) {
    (format!("{:015}", from.0.max(0)), format!("{:015}~", to.0.max(0)))
}

/// The head of an account's settings: the newest version's number.
pub fn settings_head(account: &AccountId) -> Key {
    key(format!("{}#settings", escape(account.as_str())), "head")
}

/// One version of an account's settings.
pub fn settings_version(account: &AccountId, version: u64) -> Key {
    key(format!("{}#settings", escape(account.as_str())), format!("version#{version:010}"))
}

/// One row per account, in one partition.
pub fn account_entry(account: &AccountId) -> Key {
    key(all_accounts(), escape(account.as_str()))
}

/// The partition of [`account_entry`].
pub fn all_accounts() -> String {
    "all#accounts".to_owned()
}

/// Account of an [`account_entry`].
pub fn parse_account_entry(key: &Key) -> Option<AccountId> {
    (key.pk == all_accounts()).then(|| AccountId(unescape(&key.sk)))
}

/// A channel that answers for an account at its provider: those of one account there stand side by side.
pub fn claim(place: &str, account: &AccountId, channel: &ChannelId) -> Key {
    key(all_claims(), format!("{place}#{}#{}", escape(account.as_str()), escape(channel.as_str())))
}

/// The partition of [`claim`].
pub fn all_claims() -> String {
    "all#claims".to_owned()
}

/// What a [`claim`] is laid to: an account at a provider, by its id there.
pub fn claim_place(provider: &str, own_id: &str) -> String {
    format!("{}#{}", escape(provider), escape(own_id))
}

/// First and last possible [`claim`] of one place.
pub fn claim_range(place: &str) -> (String, String) {
    (format!("{place}#"), format!("{place}#~"))
}

/// Place, account and channel of a [`claim`].
pub fn parse_claim(key: &Key) -> Option<(String, AccountId, ChannelId)> {
    let parts: Vec<&str> = key.sk.split('#').collect();
    let [provider, own_id, account, channel] = parts.as_slice() else { return None };
    let claim = (format!("{provider}#{own_id}"), AccountId(unescape(account)), ChannelId(unescape(channel)));
    (key.pk == all_claims()).then_some(claim)
}

/// What a channel saw last: webhooks, refusals, pings.
pub fn channel_status(account: &AccountId, channel: &ChannelId) -> Key {
    key(format!("{}#channel#{}", escape(account.as_str()), escape(channel.as_str())), "status")
}

/// What a channel counted on one day (`2026-11-21`).
pub fn channel_day(account: &AccountId, channel: &ChannelId, day: &str) -> Key {
    key(format!("{}#channel#{}", escape(account.as_str()), escape(channel.as_str())), format!("day#{}", escape(day)))
}

/// A refused request, in the quarantine table, newest last.
pub fn quarantined(account: &AccountId, received_at: Timestamp, id: &str) -> Key {
    key(quarantine(account), format!("{:015}#{}", received_at.0.max(0), escape(id)))
}

/// The partition of an account's quarantine.
pub fn quarantine(account: &AccountId) -> String {
    format!("{}#quarantine", escape(account.as_str()))
}

/// How often a recording was played.
pub fn plays(account: &AccountId, channel: &ChannelId, entry: &str, recording: &str) -> Key {
    let call = call(account, channel, entry);
    key(call.pk, format!("plays#{}", escape(recording)))
}

/// A one-time login link, by the digest of its token.
pub fn login(digest: &str) -> Key {
    key(format!("all#login#{}", escape(digest)), "login")
}

/// Partition of the feed: account and month (`2026-11`, UTC).
pub fn feed(account: &AccountId, month: &str) -> String {
    format!("{}#{month}", escape(account.as_str()))
}

/// Partition of the feed of conversations: account and month.
pub fn chat_feed(account: &AccountId, month: &str) -> String {
    format!("{}#chats#{month}", escape(account.as_str()))
}

/// Whether an employee is away.
pub fn employee_status(account: &AccountId, employee: &EmployeeId) -> Key {
    key(format!("{}#employee#{}", escape(account.as_str()), escape(employee.as_str())), "status")
}

/// Partition of the clients who wait for an employee.
pub fn waiting_for_employee(account: &AccountId, employee: &EmployeeId) -> String {
    format!("{}#employee#{}", escape(account.as_str()), escape(employee.as_str()))
}

/// Partition of the clients who wait for anybody of a group.
pub fn waiting_for_group(account: &AccountId, group: &str) -> String {
    format!("{}#group#{}", escape(account.as_str()), escape(group))
}

/// Place in the feed and in the list of a number: first received, then the call.
pub fn feed_at(first_received_at: Timestamp, channel: &ChannelId, entry: &str) -> String {
    format!("{:015}#{}#{}", first_received_at.0.max(0), escape(channel.as_str()), escape(entry))
}

/// Partition of a number's calls.
pub fn phone(account: &AccountId, number: &Number) -> String {
    format!("{}#{}", escape(account.as_str()), number.digits())
}

#[cfg(test)]
mod tests;
