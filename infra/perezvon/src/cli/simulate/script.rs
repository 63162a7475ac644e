//! The events of a simulation as they are written: `+SECONDS kind[@ID][:text]`.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use perezvon_domain::conversation::event::{Author, Message, MessageKind};
use perezvon_domain::conversation::{PARTS, text};
use perezvon_domain::{ConversationEventKind as Kind, EmployeeId, Policy, Timestamp};

/// Ten years.
const LONGEST: i64 = 315_360_000;

/// Kinds that take a text, and whether they take an employee: not at all, may, must.
const KINDS: &[(&str, bool, Who)] = &[
    ("client", true, Who::Nobody),
    ("outside", true, Who::Nobody),
    ("reply", true, Who::May),
    ("note", true, Who::May),
    ("assign", false, Who::Must),
    ("release", false, Who::Nobody),
    ("read", false, Who::May),
    ("close", false, Who::May),
    ("delete", false, Who::Nobody),
    ("left", false, Who::Nobody),
    ("off", false, Who::Nobody),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    May,
    Must,
}

/// What is needed to understand events.
pub(super) struct Script<'a> {
    pub(super) policy: &'a Policy,
    /// Who acts where nobody is named.
    pub(super) by: &'a EmployeeId,
    pub(super) at: jiff::Timestamp,
    /// The longest message, in characters.
    pub(super) max_text: usize,
}

/// One event, not understood as a whole yet.
struct Written<'a> {
    at: Timestamp,
    kind: &'static str,
    who: Option<EmployeeId>,
    text: &'a str,
}

impl Script<'_> {
    /// The events in the order of their times.
    pub(super) fn read(&self, words: &[String]) -> Result<Vec<(Timestamp, Kind)>, String> {
        let events = joined(words);
        let mut written = events
            .iter()
            .map(|event| self.written(event).map_err(|why| format!("`{event}`: {why}")))
            .collect::<Result<Vec<_>, _>>()?;
        written.sort_by_key(|event| event.at);
        let mut script = Vec::new();
        let mut latest = None;
        for (index, event) in written.iter().enumerate() {
            if event.kind == "off" && index + 1 < written.len() {
                return Err("once the channel is off nothing comes in: let `off` be the last event".to_owned());
            }
            script.push((event.at, self.kind(event, index, &mut latest)?));
        }
        Ok(script)
    }

    fn written<'a>(&self, event: &'a str) -> Result<Written<'a>, String> {
        let form = "write `+SECONDS kind` or `+SECONDS kind:text`, such as `+120 client:Здравствуйте`";
        let parts = event.strip_prefix('+').and_then(|rest| rest.split_once(char::is_whitespace));
        let (seconds, what) = parts.ok_or_else(|| format!("this is no event; {form}"))?;
        let (what, text) = what.trim().split_once(':').unwrap_or((what.trim(), ""));
        let (kind, who) = what.split_once('@').map_or((what, None), |(kind, id)| (kind, Some(id)));
        let names = || KINDS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
        let (kind, has_text, takes) = KINDS
            .iter()
            .find(|(name, ..)| *name == kind)
            .ok_or_else(|| format!("there is no kind `{kind}`; {form}, with one of {}", names()))?;
        match (takes, who) {
            (Who::Nobody, Some(_)) => return Err(format!("`{kind}` takes no `@ID`; leave it out")),
            (Who::Must, None) => return Err(format!("`{kind}` of whom? Write `{kind}@ID`")),
            _ => {}
        }
        if !has_text && !text.trim().is_empty() {
            return Err(format!("`{kind}` takes no text; leave it out"));
        }
        let who = who.map(|id| self.employee(id)).transpose()?;
        Ok(Written { at: self.moment(seconds)?, kind, who, text: text.trim() })
    }

    fn moment(&self, seconds: &str) -> Result<Timestamp, String> {
        let digits = seconds.bytes().all(|byte| byte.is_ascii_digit());
        let count = seconds.parse().ok().filter(|count| digits && *count <= LONGEST);
        let count = count.ok_or_else(|| format!("`+{seconds}` is no time; write `+0` to `+{LONGEST}` seconds"))?;
        // Whatever follows from it must have a date too.
        let spare = SignedDuration::from_secs(LONGEST);
        let at = self.at.checked_add(SignedDuration::from_secs(count));
        let at = at.ok().filter(|at| at.checked_add(spare).is_ok() && at.as_millisecond() >= 0);
        let at = at.ok_or("this is before 1970 or beyond year 9989; write another time into --at")?;
        Ok(Timestamp(at.as_millisecond()))
    }

    fn employee(&self, id: &str) -> Result<EmployeeId, String> {
        let id = EmployeeId::from(id);
        match self.policy.employee(&id) {
            Some(employee) if employee.active => Ok(id),
            Some(_) => Err(format!("`{id}` does not work here any more; write the id of an employee who does")),
            None => Err(format!("there is no employee `{id}`; write the id of one of the employees")),
        }
    }

    fn kind(&self, event: &Written<'_>, index: usize, latest: &mut Option<String>) -> Result<Kind, String> {
        let by = || event.who.clone().unwrap_or_else(|| self.by.clone());
        Ok(match event.kind {
            "client" => {
                let message = message(index, Author::Client, event.text);
                *latest = Some(message.id.clone());
                Kind::MessageReceived(message)
            }
            "outside" => Kind::MessageReceived(message(index, Author::Agent, event.text)),
            "reply" => Kind::ReplyWritten { by: by(), parts: self.parts(event.text)? },
            "note" => Kind::NoteWritten { by: by(), text: event.text.to_owned() },
            "assign" => Kind::Assigned { by: self.by.clone(), to: event.who.clone() },
            "release" => Kind::Assigned { by: by(), to: None },
            "read" => Kind::Opened { by: by() },
            "close" => Kind::ClosedByAgent { by: by() },
            "delete" => {
                let message =
                    latest.take().ok_or("`delete`: no message of the client stands before it to take back")?;
                Kind::MessageDeleted { message }
            }
            "left" => Kind::ClientLeft,
            _ => Kind::ChannelDisabled,
        })
    }

    fn parts(&self, reply: &str) -> Result<Vec<String>, String> {
        let reply = if reply.is_empty() { "Ответ" } else { reply };
        let parts = text::parts(reply, self.max_text);
        if parts.len() > PARTS {
            let most = self.max_text;
            return Err(format!("a reply of {} messages; write at most {PARTS} of {most} characters", parts.len()));
        }
        Ok(parts)
    }
}

/// An event may come as one word in quotes or as several.
fn joined(words: &[String]) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for word in words {
        match events.last_mut() {
            Some(event) if !word.starts_with(['+', '-']) => *event = format!("{event} {word}"),
            _ => events.push(word.clone()),
        }
    }
    events
}

fn message(index: usize, from: Author, text: &str) -> Message {
    let id = format!("message-{index}");
    Message { id, from, author: None, kind: MessageKind::Text, text: text.to_owned(), details: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
        fallback = "petrova"
        account = { id = "acme", name = "Пример", time_zone = "UTC" }
        employees = [{ id = "petrova", name = "Петрова" }, { id = "sidorov", name = "Сидоров", active = false }]
    "#;

    fn read(events: &[&str]) -> Result<Vec<(Timestamp, Kind)>, String> {
        let document = perezvon_engine::settings::parse(SETTINGS).expect("readable");
        let policy = perezvon_engine::settings::conversations(&document).expect("right").policy;
        let words: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        let (by, at) = (EmployeeId::from("petrova"), jiff::Timestamp::UNIX_EPOCH);
        Script { policy: &policy, by: &by, at, max_text: 1000 }.read(&words)
    }

    #[test]
    fn events_come_in_the_order_of_their_times_quoted_or_not() {
        let all = ["+9 close", "+0", "client:Здравствуйте:", "вы", "тут?", "+2 delete", "+1 reply@petrova:Да"];
        let script = read(&all).expect("events");
        let names: Vec<_> = script.iter().map(|(at, kind)| (at.0, kind.name())).collect();
        let expected = ["MessageReceived (client)", "ReplyWritten", "MessageDeleted", "ClosedByAgent"];
        assert_eq!(names, [0, 1000, 2000, 9000].into_iter().zip(expected).collect::<Vec<_>>());
        let Kind::MessageReceived(message) = &script[0].1 else { panic!("another event") };
        assert_eq!(message.text, "Здравствуйте: вы тут?");
        let others = ["+0 client", "+1 outside", "+2 note:x", "+3 assign@petrova", "+4 release", "+5 read", "+6 left"];
        assert_eq!(read(&others).map(|script| script.len()), Ok(7));
        assert_eq!(read(&["+315360000 off"]).map(|script| script.len()), Ok(1));
    }

    #[test]
    fn a_wrong_event_is_named_with_what_to_write() {
        let form = "write `+SECONDS kind` or `+SECONDS kind:text`, such as `+120 client:Здравствуйте`";
        let cases = [
            ("client", format!("`client`: this is no event; {form}")),
            ("+5", format!("`+5`: this is no event; {form}")),
            ("", format!("``: this is no event; {form}")),
            ("-5 client", format!("`-5 client`: this is no event; {form}")),
            ("+-5 client", "`+-5 client`: `+-5` is no time; write `+0` to `+315360000` seconds".to_owned()),
            ("+ client", "`+ client`: `+` is no time; write `+0` to `+315360000` seconds".to_owned()),
            (
                "+315360001 client",
                "`+315360001 client`: `+315360001` is no time; write `+0` to `+315360000` seconds".to_owned(),
            ),
            (
                "+99999999999999999999 client",
                "`+99999999999999999999 client`: `+99999999999999999999` is no time; write `+0` to `+315360000` seconds"
                    .to_owned(),
            ),
            (
                "+1 bot:x",
                format!(
                    "`+1 bot:x`: there is no kind `bot`; {form}, with one of client, outside, reply, note, assign, \
                     release, read, close, delete, left, off"
                ),
            ),
            ("+1 client@petrova:x", "`+1 client@petrova:x`: `client` takes no `@ID`; leave it out".to_owned()),
            ("+1 assign", "`+1 assign`: `assign` of whom? Write `assign@ID`".to_owned()),
            ("+1 close:x", "`+1 close:x`: `close` takes no text; leave it out".to_owned()),
            (
                "+1 reply@nobody",
                "`+1 reply@nobody`: there is no employee `nobody`; write the id of one of the employees".to_owned(),
            ),
            (
                "+1 assign@sidorov",
                "`+1 assign@sidorov`: `sidorov` does not work here any more; write the id of an employee who does"
                    .to_owned(),
            ),
            ("+1 delete", "`delete`: no message of the client stands before it to take back".to_owned()),
        ];
        for (event, why) in cases {
            assert_eq!(read(&[event]), Err(why), "{event}");
        }
        let late = read(&["+1 off", "+2 client"]).expect_err("nothing comes in");
        assert!(late.ends_with("let `off` be the last event"), "{late}");
        let long = format!("+1 reply:{}", "ж".repeat(10_001));
        assert_eq!(read(&[&long]), Err("a reply of 11 messages; write at most 10 of 1000 characters".to_owned()));
    }
}
