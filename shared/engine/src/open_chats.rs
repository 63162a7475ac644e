//! The open conversations of a channel, looked up in the feed of its account.

use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_platform::Clock;
use perezvon_store::items::call::{month, month_before};
use perezvon_store::items::conversation::list_row;
use perezvon_store::items::settings::SettingsVersion;
use perezvon_store::{Index, Query, Table, TableError, keys};

/// The open conversations of a channel.
pub struct OpenChats {
    pub chats: Vec<String>,
    /// All were looked through.
    pub whole: bool,
}

/// Month by month, from this one to that of the first settings; as far as it comes `until_ms`, by the monotonic clock.
pub async fn open_chats(
    table: &dyn Table,
    clock: &dyn Clock,
    account: &AccountId,
    channel: &ChannelId,
    until_ms: i64,
) -> Result<OpenChats, TableError> {
    let now = Timestamp(clock.now_ms());
    // No conversation is older than the first settings.
    let row = table.get(&keys::settings_version(account, 1)).await?;
    let began = row.map(|row| SettingsVersion::read(&row)).transpose()?.map_or(now, |first| first.applied_at);
    let first = month(began);
    let mut open = OpenChats { chats: Vec::new(), whole: false };
    let mut place = Some(month(now));
    while let Some(this) = place.take() {
        let mut query = Query { backward: true, ..Query::index(Index::Feed, keys::chat_feed(account, &this)) };
        loop {
            if clock.monotonic_ms() > until_ms {
                return Ok(open);
            }
            let page = table.query(query.clone()).await?;
            for row in &page.rows {
                let row = list_row(row)?.filter(|row| row.open && row.channel == *channel);
                open.chats.extend(row.map(|row| row.chat));
            }
            if page.next.is_none() {
                break;
            }
            query.start = page.next;
        }
        place = month_before(&this).filter(|_| this > first);
    }
    open.whole = true;
    Ok(open)
}
