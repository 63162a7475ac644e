//! The rows of the queues: every statement on `queue.db`.

use perezvon_platform::Message;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::{Dead, Received};

/// The layout of the file; a file of a later one is refused.
const VERSION: i64 = 1;

const LAYOUT: &str = "
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    grp TEXT NOT NULL,
    body TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    last_error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS by_group ON messages (queue, grp, visible_at, id);
CREATE INDEX IF NOT EXISTS by_time ON messages (queue, visible_at);
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    grp TEXT NOT NULL,
    body TEXT NOT NULL,
    receives INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    died_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS dead_by_queue ON dead (queue, id);
";

/// Makes the file ours: durable at every commit, with its tables. `Ok(false)`: it is of a later version.
pub(super) fn prepare(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Ok(false);
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(LAYOUT)?;
    // Whoever had received something is gone: the lock keeps a second process out.
    connection.execute("UPDATE messages SET visible_at = 0 WHERE receives > 0", [])?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(true)
}

pub(super) fn send(connection: &Connection, queue: &str, messages: &[Message], now_ms: i64) -> Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT INTO messages (queue, grp, body, visible_at, receives) VALUES (?1, ?2, ?3, ?4, 0)")?;
    for message in messages {
        insert.execute(params![queue, message.group, message.body, now_ms + message.delay_ms])?;
    }
    Ok(())
}

/// What is asked for by a receive.
pub(super) struct Want {
    pub queue: String,
    /// The group that was served last: those behind it come first.
    pub after: Option<String>,
    pub max: usize,
    pub visible_at: i64,
    pub now_ms: i64,
    /// Received so often without being acknowledged, a message is dead.
    pub max_receives: u32,
}

/// Visible messages in turn by group, hidden until `visible_at`; those worn out are buried instead.
pub(super) fn receive(connection: &Connection, want: &Want) -> Result<Vec<Received>> {
    loop {
        let picked = pick(connection, want)?;
        let worn: Vec<_> = picked.iter().filter(|(_, receives)| *receives >= want.max_receives).collect();
        if worn.is_empty() {
            return picked.iter().map(|(id, _)| hand_out(connection, *id, want.visible_at)).collect();
        }
        for (id, _) in worn {
            bury(connection, *id, want.now_ms)?;
        }
    }
}

/// Id and receive count of at most `max` visible messages: one of each group, then a second one.
fn pick(connection: &Connection, want: &Want) -> Result<Vec<(i64, u32)>> {
    let mut visible = connection.prepare_cached(
        "SELECT id, receives FROM messages WHERE queue = ?1 AND grp = ?2 AND visible_at <= ?3
         ORDER BY visible_at, id LIMIT ?4",
    )?;
    let limit = i64::try_from(want.max).unwrap_or(i64::MAX);
    let mut waiting = Vec::new();
    for group in groups(connection, &want.queue, want.after.as_deref())? {
        let found = visible.query_map(params![want.queue, group, want.now_ms, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
        })?;
        let found = found.collect::<Result<Vec<_>>>()?;
        if !found.is_empty() {
            waiting.push(found);
        }
        if waiting.len() == want.max {
            break;
        }
    }
    let rounds = waiting.iter().map(Vec::len).max().unwrap_or_default();
    let in_turn = (0..rounds).flat_map(|round| waiting.iter().filter_map(move |group| group.get(round)));
    Ok(in_turn.take(want.max).copied().collect())
}

/// The groups of a queue, those behind `after` first. One step of the index each, whatever waits.
fn groups(connection: &Connection, queue: &str, after: Option<&str>) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE found (grp) AS (
             SELECT min(grp) FROM messages WHERE queue = ?1
             UNION ALL
             SELECT (SELECT min(grp) FROM messages WHERE queue = ?1 AND grp > found.grp)
             FROM found WHERE found.grp IS NOT NULL
         ) SELECT grp FROM found WHERE grp IS NOT NULL",
    )?;
    let mut groups = statement.query_map([queue], |row| row.get(0))?.collect::<Result<Vec<String>>>()?;
    if let Some(after) = after {
        let served = groups.partition_point(|group| group.as_str() <= after);
        groups.rotate_left(served);
    }
    Ok(groups)
}

fn hand_out(connection: &Connection, id: i64, visible_at: i64) -> Result<Received> {
    let mut statement = connection.prepare_cached(
        "UPDATE messages SET visible_at = ?2, receives = receives + 1 WHERE id = ?1
         RETURNING id, grp, body, receives",
    )?;
    statement.query_row(params![id, visible_at], |row| {
        Ok(Received { id: row.get(0)?, group: row.get(1)?, body: row.get(2)?, receive_count: row.get(3)? })
    })
}

fn bury(connection: &Connection, id: i64, now_ms: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO dead (id, queue, grp, body, receives, last_error, died_at)
             SELECT id, queue, grp, body, receives, coalesce(last_error, 'never acknowledged in time'), ?2
             FROM messages WHERE id = ?1",
        )?
        .execute(params![id, now_ms])?;
    remove(connection, id)
}

/// Removes a message: it is done.
pub(super) fn remove(connection: &Connection, id: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id]).map(drop)
}

/// Shows a message again at this time.
pub(super) fn put_back(connection: &Connection, id: i64, visible_at: i64, error: &str) -> Result<()> {
    connection
        .prepare_cached("UPDATE messages SET visible_at = ?2, last_error = ?3 WHERE id = ?1")?
        .execute(params![id, visible_at, error])
        .map(drop)
}

pub(super) fn next_due(connection: &Connection, queue: &str) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(visible_at) FROM messages WHERE queue = ?1")?
        .query_row([queue], |row| row.get(0))
}

#[cfg(test)]
pub(super) fn depth(connection: &Connection, queue: &str) -> Result<u64> {
    connection.prepare_cached("SELECT count(*) FROM messages WHERE queue = ?1")?.query_row([queue], |row| row.get(0))
}

pub(super) fn dead(connection: &Connection, queue: &str) -> Result<Vec<Dead>> {
    let read = |row: &Row<'_>| {
        Ok(Dead {
            id: row.get(0)?,
            group: row.get(1)?,
            body: row.get(2)?,
            receive_count: row.get(3)?,
            last_error: row.get(4)?,
            died_at_ms: row.get(5)?,
        })
    };
    let mut statement = connection
        .prepare_cached("SELECT id, grp, body, receives, last_error, died_at FROM dead WHERE queue = ?1 ORDER BY id")?;
    statement.query_map([queue], read)?.collect()
}

/// Puts a dead message back as if it had never been received; returns its queue.
pub(super) fn redrive(connection: &Connection, id: i64, now_ms: i64) -> Result<Option<String>> {
    let queue = connection
        .prepare_cached(
            "INSERT INTO messages (id, queue, grp, body, visible_at, receives, last_error)
             SELECT id, queue, grp, body, ?2, 0, last_error FROM dead WHERE id = ?1 RETURNING queue",
        )?
        .query_row(params![id, now_ms], |row| row.get(0))
        .optional()?;
    connection.prepare_cached("DELETE FROM dead WHERE id = ?1")?.execute([id])?;
    Ok(queue)
}
