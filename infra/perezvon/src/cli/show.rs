//! What people and providers left on the server, as text: URLs, calls, quarantine, connections, jobs.

use serde_json::Value;

use super::Said;
use super::args::{
    ConnectionsArgs, ExplainArgs, JobsCommand, QuarantineCommand, ReleaseArgs, RevokeArgs, ServerArgs, TokenArgs,
};
use super::server::Server;

/// JSON for programs.
pub fn json(body: &Value) -> String {
    format!("{body:#}\n")
}

/// The answer as JSON if that is wanted, else as text.
fn said(args: &ServerArgs, body: &Value, text: impl FnOnce(&Value) -> String) -> Said {
    Said::fine(if args.json { json(body) } else { text(body) })
}

fn rows<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    body[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A field as a person reads it.
fn field(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A moment in Unix milliseconds as a person reads it.
fn moment(row: &Value, name: &str) -> String {
    let at = row[name].as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// `perezvon urls`.
pub async fn urls(args: &ServerArgs) -> Result<Said, String> {
    let server = Server::new(args)?;
    let body = server.get(&server.path(&["urls"]).await?).await?;
    Ok(said(args, &body, |body| {
        let urls = rows(body, "urls");
        if urls.is_empty() {
            return "no channel yet: add [[channels]] to the settings and apply them\n".to_owned();
        }
        let line = |row: &Value| {
            let name = format!("{} ({})", field(row, "channel"), field(row, "name"));
            let url = row["url"].as_str().unwrap_or("its provider sends no webhooks");
            let superseded = if row["superseded"] == true {
                "  superseded: another channel answers for the same account\n"
            } else {
                ""
            };
            format!("{name}\n  {url}\n{superseded}")
        };
        urls.iter().map(line).collect()
    }))
}

/// `perezvon explain`.
pub async fn explain(args: &ExplainArgs) -> Result<Said, String> {
    let server = Server::new(&args.server)?;
    let id = id_of(&server, &args.call).await?;
    let body = match server.get(&server.path(&["calls", &id]).await?).await {
        Ok(body) => body,
        // It may be the id of a conversation.
        Err(why) => server.get(&server.path(&["conversations", &id]).await?).await.map_err(|_| why)?,
    };
    Ok(said(&args.server, &body, |body| {
        rows(body, "text").iter().map(|line| format!("{}\n", line.as_str().unwrap_or_default())).collect()
    }))
}

/// `perezvon revoke`.
pub async fn revoke(args: &RevokeArgs) -> Result<Said, String> {
    let server = Server::new(&args.server)?;
    let call = id_of(&server, &args.call).await?;
    let body = server.get(&server.path(&["calls", &call]).await?).await?;
    let recording = chosen(rows(&body, "recordings"), args.recording.as_deref())
        .ok_or_else(|| format!("{call} has no such recording: `perezvon explain {call} --json` names those it has"))?;
    let path = server.path(&["calls", &call, "recordings", &field(recording, "id"), "revoke"]).await?;
    let seen = serde_json::json!({ "generation": recording["generation"] });
    let body = server.post(&path, &seen).await?;
    Ok(said(&args.server, &body, |body| revoked(body, &args.server.server)))
}

/// The recording of this name; without a name the first one that plays, else the first.
fn chosen<'a>(recordings: &'a [Value], name: Option<&str>) -> Option<&'a Value> {
    match name {
        Some(name) => recordings.iter().find(|row| row["id"] == name),
        None => recordings.iter().find(|row| row["link"].is_string()).or(recordings.first()),
    }
}

fn revoked(body: &Value, server: &str) -> String {
    let (id, generation, words) = (field(body, "id"), field(body, "generation"), field(body, "words"));
    let link = body["link"].as_str().map(|link| format!("  {}{link}\n", server.trim_end_matches('/')));
    format!(
        "{id}: all its links are revoked but those of generation {generation} ({words})\n{}",
        link.unwrap_or_default()
    )
}

/// The id of a call, given as such or as a number.
async fn id_of(server: &Server, call: &str) -> Result<String, String> {
    if call.contains(':') { Ok(call.to_owned()) } else { newest(server, call).await }
}

/// The newest call of a number.
async fn newest(server: &Server, number: &str) -> Result<String, String> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("number", number).append_pair("limit", "1");
    let body = server.get(&format!("{}?{}", server.path(&["calls"]).await?, query.finish())).await?;
    let found = rows(&body, "calls").first().and_then(|call| call["id"].as_str());
    found.map(str::to_owned).ok_or_else(|| {
        format!("no call of {number} is known: look whether webhooks come, with `perezvon quarantine list`")
    })
}

/// `perezvon quarantine`.
pub async fn quarantine(command: &QuarantineCommand) -> Result<Said, String> {
    match command {
        QuarantineCommand::List { channel, server: args } => {
            let server = Server::new(args)?;
            let mut path = server.path(&["quarantine"]).await?;
            if let Some(channel) = channel {
                let mut query = form_urlencoded::Serializer::new(String::new());
                path = format!("{path}?{}", query.append_pair("channel", channel).finish());
            }
            let body = server.get(&path).await?;
            Ok(said(args, &body, held))
        }
        QuarantineCommand::Release(args) => release(args).await,
    }
}

fn held(body: &Value) -> String {
    let requests = rows(body, "requests");
    if requests.is_empty() {
        return "nothing is held\n".to_owned();
    }
    let line = |row: &Value| {
        let fate = match (&row["released_at"], row["releasable"].as_bool()) {
            (Value::Null, Some(false)) => ", only its digest was kept".to_owned(),
            (Value::Null, _) => String::new(),
            _ => format!(", released {}", moment(row, "released_at")),
        };
        let (id, channel, path) = (field(row, "id"), field(row, "channel"), field(row, "path"));
        let (at, why) = (moment(row, "received_at"), field(row, "words"));
        format!("{id}\n  {at}  {channel} {path}: {why}{fate}\n")
    };
    let more = if body["cursor"].is_null() { "" } else { "... and older ones: see the page\n" };
    format!("{}{more}", requests.iter().map(line).collect::<String>())
}

async fn release(args: &ReleaseArgs) -> Result<Said, String> {
    let server = Server::new(&args.server)?;
    let body = match (&args.id, &args.channel) {
        (Some(id), _) => {
            let path = server.path(&["quarantine", id, "release"]).await?;
            server.post(&path, &Value::Null).await?
        }
        (None, channel) => {
            let path = server.path(&["quarantine", "release"]).await?;
            server.post(&path, &serde_json::json!({ "channel": channel })).await?
        }
    };
    Ok(said(&args.server, &body, |body| {
        let mut text = format!("sent through verification again: {}\n", field(body, "released"));
        if body["left"].as_u64().is_some_and(|left| left > 0) {
            text += &format!("still held: {}; run the command again\n", field(body, "left"));
        }
        if body["digest_only"].as_u64().is_some_and(|some| some > 0) {
            text += &format!("lost, only digests were kept: {}\n", field(body, "digest_only"));
        }
        text
    }))
}

/// `perezvon connections`.
pub async fn connections(args: &ConnectionsArgs) -> Result<Said, String> {
    let server = Server::new(&args.server)?;
    if let Some(id) = &args.retry {
        let path = server.path(&["connections", id, "retry"]).await?;
        let body = server.post(&path, &Value::Null).await?;
        return Ok(said(&args.server, &body, |_| format!("{id}: the pause is over, it tries again now\n")));
    }
    let body = server.get(&server.path(&["connections"]).await?).await?;
    Ok(said(&args.server, &body, |body| {
        let line = |row: &Value| {
            let (id, name, status) = (field(row, "id"), field(row, "name"), field(row, "status"));
            format!("{id} ({name})\n  {status}\n")
        };
        let connections = rows(body, "connections");
        if connections.is_empty() {
            return "no connection yet: add [crm] and [[channels]] to the settings and apply them\n".to_owned();
        }
        connections.iter().map(line).collect()
    }))
}

/// `perezvon jobs`.
pub async fn jobs(command: &JobsCommand) -> Result<Said, String> {
    match command {
        JobsCommand::List { state, server: args } => {
            let server = Server::new(args)?;
            let query = state.as_ref().map_or_else(String::new, |state| format!("?state={state}"));
            let body = server.get(&format!("{}{query}", server.path(&["jobs"]).await?)).await?;
            Ok(said(args, &body, listed))
        }
        JobsCommand::Retry { id, server: args } => retry(id, args).await,
    }
}

fn listed(body: &Value) -> String {
    let jobs = rows(body, "jobs");
    if jobs.is_empty() {
        return "none\n".to_owned();
    }
    let line = |row: &Value| {
        let (id, at, state) = (field(row, "id"), moment(row, "at"), field(row, "state"));
        let (connection, what) = (field(row, "connection"), field(row, "what"));
        let why = row["why"].as_str().map_or_else(String::new, |why| format!("\n  {why}"));
        format!("{id}\n  {at}  {connection}  {state}: {what}{why}\n")
    };
    let more = if body["more"] == true { "more of them are not shown: at most 100 of a connection are\n" } else { "" };
    jobs.iter().map(line).chain([more.to_owned()]).collect()
}

async fn retry(id: &str, args: &ServerArgs) -> Result<Said, String> {
    let server = Server::new(args)?;
    let body = server.get(&server.path(&["jobs"]).await?).await?;
    let found = rows(&body, "jobs").iter().find(|job| job["id"] == id);
    let connection = found.and_then(|job| job["connection"].as_str()).ok_or_else(|| {
        format!("no failed or parked job has the id {id}: `perezvon jobs list` shows those there are")
    })?;
    let path = server.path(&["connections", connection, "jobs", id, "retry"]).await?;
    let body = server.post(&path, &Value::Null).await?;
    Ok(said(args, &body, |body| format!("put back: {}\n", field(body, "what"))))
}

/// `perezvon token EMPLOYEE`.
pub async fn token(args: &TokenArgs, employee: &str) -> Result<Said, String> {
    let server = Server::new(&args.server)?;
    let mut wanted = serde_json::json!({ "employee": employee, "role": args.role });
    if let Some(days) = args.days {
        wanted["days"] = days.into();
    }
    let body = server.post(&server.path(&["tokens"]).await?, &wanted).await?;
    Ok(said(&args.server, &body, |body| {
        let (token, role, until) = (field(body, "token"), field(body, "role"), moment(body, "expires_at"));
        format!("{token}\n{role}, good until {until}; it is not shown again\n")
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn held_requests_are_shown_with_the_id_that_releases_them() {
        let row = json!({
            "id": "abc", "channel": "main", "path": "events/call", "received_at": 1_795_262_645_000_i64,
            "words": "подпись не подходит", "releasable": true, "released_at": null,
        });
        let text = held(&json!({ "requests": [row], "cursor": null }));
        let expected = "abc\n  2026-11-21 12:04:05Z  main events/call: подпись не подходит\n";
        assert_eq!(text, expected);
        assert_eq!(held(&json!({ "requests": [] })), "nothing is held\n");
        let mut digest = row.clone();
        digest["releasable"] = false.into();
        assert!(held(&json!({ "requests": [digest] })).contains("only its digest"));
    }

    #[test]
    fn jobs_are_shown_with_their_state_and_reason() {
        let row = json!({
            "id": "abc", "connection": "crm:main", "at": 1_795_262_645_000_i64, "state": "failed",
            "what": "записать звонок", "why": "нет прав",
        });
        let text = listed(&json!({ "jobs": [row] }));
        assert_eq!(text, "abc\n  2026-11-21 12:04:05Z  crm:main  failed: записать звонок\n  нет прав\n");
        let text = listed(&json!({ "jobs": [row], "more": true }));
        assert!(text.ends_with("нет прав\nmore of them are not shown: at most 100 of a connection are\n"), "{text}");
    }

    #[test]
    fn the_first_recording_that_plays_is_revoked_unless_one_is_named() {
        let recordings = [json!({ "id": "a", "link": null }), json!({ "id": "b", "link": "/r/x" })];
        let id = |name| chosen(&recordings, name).map(|row| field(row, "id"));
        assert_eq!((id(None), id(Some("a")), id(Some("c"))), (Some("b".to_owned()), Some("a".to_owned()), None));
        assert_eq!(chosen(&recordings[..1], None), recordings.first());
        let now = json!({ "id": "b", "link": "/r/y", "generation": 3, "words": "сохранена у нас" });
        let text = revoked(&now, "http://127.0.0.1:8787/");
        assert!(text.contains("generation 3") && text.ends_with("\n  http://127.0.0.1:8787/r/y\n"), "{text}");
    }

    #[test]
    fn what_is_not_there_is_a_dash() {
        let row = json!({ "a": null, "b": 7, "c": "x" });
        assert_eq!(["a", "b", "c", "d"].map(|name| field(&row, name)), ["-", "7", "x", "-"]);
        assert_eq!(moment(&row, "a"), "-");
    }
}
