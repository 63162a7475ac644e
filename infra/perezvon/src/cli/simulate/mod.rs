//! `simulate`: what would become of a conversation, on a clock that jumps to whatever is due.

mod script;
mod told;

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use perezvon_domain::conversation::{Conversation, timeline};
use perezvon_domain::inbox::{HoursClass, Inbox, Staff};
use perezvon_domain::policy::ChannelRules;
use perezvon_domain::{ChannelId, ConnectionId, EmployeeId, Policy, Timestamp};
use perezvon_engine::settings::{self, Conversations};

use super::Said;
use super::hours::moment;
use super::settings::{lines, warnings};
use super::show;
use crate::local::settings::written;
use script::Script;

const USAGE: &str = "perezvon simulate --settings FILE [--inbox NAME] [--at TIME] [--json] '+SECONDS kind[:text]'...";

const HELP: &str = "\
An event is `+SECONDS kind` or `+SECONDS kind:text`, in quotes; the seconds count from --at. Kinds:
  client:TEXT      the client writes               delete      the client takes the latest message back
  left             the client leaves the chat      off         the channel is switched off; the last event
  reply[@ID]:TEXT  an employee replies             note[@ID]:TEXT  an employee leaves a note
  assign@ID        it is given to an employee      release     it is given back to its group
  read[@ID]        an employee looks at it         close[@ID]  an employee closes it
  outside:TEXT     somebody replies in the provider's own application
Without @ID it is the receiver, or the first of the group who works here. Texts may be left out. Every message of
ours is delivered at once. The channel takes 1000 characters and lets us reply only, never write first.

Example:
  perezvon simulate --settings docs/settings.example.toml --at 2026-11-21T23:10 '+0 client:Ещё продаётся?'";

#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = HELP)]
pub struct SimulateArgs {
    /// The settings file, TOML. Secrets named in it are not needed.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// Name of the inbox; may be left out if there is just one.
    #[arg(long, value_name = "NAME")]
    inbox: Option<String>,
    /// When it begins: `2026-11-21T23:10` by the account's clock, or with an offset `2026-11-21T20:10Z`; now
    /// unless it is given.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print an array for programs; moments in milliseconds since 1970.
    #[arg(long)]
    json: bool,
    /// What happens: `+SECONDS kind[:text]`, in any order.
    #[arg(required = true, value_name = "EVENT")]
    events: Vec<String>,
}

/// `perezvon simulate`.
pub fn tell(args: &SimulateArgs) -> Result<Said, String> {
    let read = written(&args.settings).and_then(|document| settings::conversations(&document));
    let Conversations { policy, inboxes, warnings: doubtful } = match read {
        Ok(read) => read,
        Err(problems) => return Ok(Said::bad(lines(&problems))),
    };
    let inbox = choose(inboxes, args.inbox.as_deref())?;
    let zone = TimeZone::get(&policy.time_zone).map_err(|error| error.to_string())?;
    let at = match &args.at {
        Some(text) => moment(text, &zone)?,
        None => jiff::Timestamp::now(),
    };
    let by = first_of(&policy, inbox.staff(HoursClass::Working));
    let script = Script { policy: &policy, by: &by, at, max_text: inbox.max_text }.read(&args.events)?;
    let begin = script.first().map_or_else(Timestamp::default, |(at, _)| *at);
    let channel = ChannelId::from("simulated");
    let policy = with_channel(policy, &channel, inbox);
    let start = Conversation::new(policy.account.clone(), channel, "chat".to_owned(), begin);
    let timeline = timeline::simulate(Conversation { at: begin, ..start }, &script, &policy, Timestamp(i64::MAX));
    Ok(Said::fine(match args.json {
        true => show::json(&told::json(&timeline, &zone)),
        false => warnings(&doubtful) + &told::text(&timeline, &policy, &zone),
    }))
}

fn choose(inboxes: Vec<(String, Inbox)>, name: Option<&str>) -> Result<Inbox, String> {
    let names = inboxes.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut fitting = inboxes.into_iter().filter(|(known, _)| name.is_none_or(|name| name == known));
    match (fitting.next(), fitting.next(), name) {
        (Some((_, inbox)), None, _) => Ok(inbox),
        _ if names.is_empty() => {
            Err("there is no inbox in these settings: add a section `[[inboxes]]`, as in docs/settings.example.toml"
                .to_owned())
        }
        (None, _, Some(name)) => Err(format!("there is no inbox `{name}`: write --inbox with one of {names}")),
        _ => Err(format!("which inbox? Write --inbox with one of {names}")),
    }
}

/// Who acts where nobody is named.
fn first_of(policy: &Policy, staff: &Staff) -> EmployeeId {
    let works = |id: &&EmployeeId| policy.employee(id).is_some_and(|employee| employee.active);
    match staff {
        Staff::Employee(id) => id.clone(),
        Staff::Group(name) => {
            let members = policy.groups.get(name).map(Vec::as_slice).unwrap_or_default();
            members.iter().find(works).unwrap_or(&policy.fallback).clone()
        }
    }
}

fn with_channel(mut policy: Policy, id: &ChannelId, inbox: Inbox) -> Policy {
    let rules = ChannelRules {
        name: String::new(),
        source: String::new(),
        connection: ConnectionId(id.0.clone()),
        copy_recordings: false,
        expects_recordings: false,
        reads_calls: false,
        routes_calls: false,
        line: None,
        recordings_need_login: false,
        inbox: Some(inbox),
        superseded: None,
    };
    policy.channels.insert(id.clone(), rules);
    policy
}
