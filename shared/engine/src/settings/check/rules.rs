//! What decisions must know of a channel: its settings, and what its provider can.

use std::collections::BTreeMap;

use perezvon_adapters::{Role, provider};
use perezvon_domain::ChannelId;
use perezvon_domain::inbox::{FirstRecords, Inbox};
use perezvon_domain::policy::{ChannelRules, normal_line};

use super::super::document::{Channel, Document};
use super::super::problem::Findings;
use super::channel_connection;

/// The rules of one channel.
pub(super) fn of(
    document: &Document,
    channel: &Channel,
    inboxes: &BTreeMap<String, Inbox>,
) -> (ChannelId, ChannelRules) {
    let known = provider(&channel.provider);
    let source = known.map_or(channel.provider.as_str(), |known| known.name);
    // A channel that is off has no inbox: the core says nothing in it. What the provider can goes with the inbox.
    let inbox = channel.inbox.as_ref().filter(|_| channel.active).and_then(|name| inboxes.get(name));
    let inbox = known.zip(inbox).map(|(known, inbox)| Inbox {
        max_text: known.capabilities.max_text,
        can_initiate: known.capabilities.can_initiate,
        read_chat: known.capabilities.read_chat,
        takes_images: known.capabilities.takes_images,
        delete_within: known.capabilities.delete_within,
        records: inbox.records.clone().map(|records| FirstRecords { source: channel.provider.clone(), ..records }),
        ..inbox.clone()
    });
    let rules = ChannelRules {
        name: channel.name.clone(),
        source: source.to_owned(),
        connection: channel_connection(&channel.id),
        copy_recordings: channel.copy_recordings,
        expects_recordings: channel.expects_recordings,
        reads_calls: known.is_some_and(|known| known.capabilities.reads_calls),
        routes_calls: known.is_some_and(|known| known.capabilities.routes_calls),
        line: line(document, channel),
        recordings_need_login: channel.recordings_need_login,
        inbox,
        superseded: None,
    };
    (channel.id.clone(), rules)
}

/// The line of outgoing calls that name none: the channel's own, or that of the only scenario.
fn line(document: &Document, channel: &Channel) -> Option<String> {
    let mut active = document.scenarios.iter().filter(|scenario| scenario.active);
    let only = active.next().filter(|_| active.next().is_none());
    let of_the_only = || only?.lines.first().filter(|_| needs_line(channel));
    channel.line.as_ref().or_else(of_the_only).map(|line| normal_line(line))
}

/// Its provider does not say to which number of the company an outgoing call belongs.
fn needs_line(channel: &Channel) -> bool {
    let can = provider(&channel.provider).map(|it| &it.capabilities);
    can.is_some_and(|can| can.role == Role::Telephony && !can.names_outgoing_line)
}

/// What is allowed but looks wrong.
pub(super) fn warn(document: &Document, findings: &mut Findings) {
    for (index, channel) in document.channels.iter().enumerate() {
        if needs_line(channel) && line(document, channel).is_none() {
            let what = format!("`{}` has no `line`: its outgoing calls belong to no scenario", channel.id);
            let instead = "write the company's number that they go out from, as it stands in a scenario";
            findings.add(format!("channels[{index}].line"), what, instead);
        }
    }
}
