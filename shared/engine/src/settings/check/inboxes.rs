//! Inboxes: one receiver, autoreplies, closing (CH-03, CH-06, AVT-08, AVT-11, AVT-16).

use perezvon_domain::inbox::{self, CloseUnit, DELAY_LIMIT, FirstRecords, OffHours, Staff};
use perezvon_domain::policy;
use perezvon_domain::time::Millis;

use super::super::document::{Document, Rules};
use super::super::inboxes::{AutoReply, Inbox, Receiver};
use super::super::problem::Findings;
use super::people::who_works;
use super::scenarios::of_chat;
use super::texts::amount;

/// Longest text, in characters, until a channel says how much its provider takes.
const TEXT_LIMIT: usize = 1000;

const NO_BOTS: &str = "there are no bots yet";

/// The inboxes as decisions see them, each with its name; what is wrong with them is reported. They only reply:
/// whether one may write first, its channel will say.
pub(super) fn check(document: &Document, findings: &mut Findings) -> Vec<(String, inbox::Inbox)> {
    findings.count("inboxes", document.inboxes.len(), 0..=50);
    let all = || document.inboxes.iter().enumerate();
    let names = all().map(|(index, inbox)| (format!("inboxes[{index}].name"), &inbox.name));
    findings.unique(names, "give each inbox a name of its own");
    all()
        .map(|(index, inbox)| {
            let checked = Checker { document, findings, path: format!("inboxes[{index}]") }.inbox(inbox);
            (inbox.name.clone(), checked)
        })
        .collect()
}

struct Checker<'a> {
    document: &'a Document,
    findings: &'a mut Findings,
    path: String,
}

impl Checker<'_> {
    fn add(&mut self, name: &str, what: impl Into<String>, instead: &str) {
        self.findings.add(format!("{}.{name}", self.path), what, instead);
    }

    fn inbox(&mut self, inbox: &Inbox) -> inbox::Inbox {
        self.findings.text(&format!("{}.name", self.path), &inbox.name);
        if inbox.off_hours_bot.is_some() {
            let both = format!("a bot beside autoreplies, and {NO_BOTS}");
            let what = if inbox.off_hours.is_empty() { NO_BOTS.to_owned() } else { both };
            self.add("off_hours_bot", what, "take it out; autoreplies off hours stand in `off_hours`");
        }
        inbox::Inbox {
            receiver: inbox::Receiver::Staff(self.receiver(&inbox.receiver)),
            working: self.replies("working", &inbox.working),
            off_hours: OffHours::AutoReplies(self.replies("off_hours", &inbox.off_hours)),
            close_after: inbox.close_after.as_deref().map(|text| self.close_after(text)),
            closing_text: inbox.closing_text.as_deref().map(|text| self.closing_text(text)),
            max_text: TEXT_LIMIT,
            can_initiate: false,
            read_chat: false,
            takes_images: false,
            delete_within: None,
            records: self.records(inbox),
        }
    }

    /// Whose clients these are, the channel will say.
    fn records(&mut self, inbox: &Inbox) -> Option<FirstRecords> {
        if inbox.new_client.is_none() && inbox.known_client.is_none() {
            return None;
        }
        let new = self.rules("new_client", inbox.new_client.as_ref(), false);
        let known = self.rules("known_client", inbox.known_client.as_ref(), true);
        Some(FirstRecords { source: String::new(), new, known })
    }

    fn rules(&mut self, name: &str, rules: Option<&Rules>, known: bool) -> policy::Rules {
        let path = format!("{}.{name}", self.path);
        rules.map(|rules| of_chat(self.document, self.findings, path, rules, known)).unwrap_or_default()
    }

    fn receiver(&mut self, receiver: &Receiver) -> Staff {
        match receiver {
            Receiver::Employee(id) => {
                if let Err((what, instead)) = who_works(self.document, id) {
                    self.add("receiver.employee", what, instead);
                }
                Staff::Employee(id.clone())
            }
            Receiver::Group(name) => {
                if !self.document.groups.contains_key(name) {
                    let what = format!("there is no group `{name}`");
                    self.add("receiver.group", what, "write the name of one of the groups");
                }
                Staff::Group(name.clone())
            }
            Receiver::Bot(_) => {
                self.add("receiver.bot", NO_BOTS, "write `{ employee = \"ID\" }` or `{ group = \"NAME\" }`");
                Staff::Employee(self.document.fallback.clone())
            }
        }
    }

    fn replies(&mut self, name: &str, replies: &[AutoReply]) -> Vec<inbox::AutoReply> {
        self.findings.count(&format!("{}.{name}", self.path), replies.len(), 0..=20);
        let all = replies.iter().enumerate();
        all.filter_map(|(index, reply)| self.reply(&format!("{name}[{index}]"), reply)).collect()
    }

    fn reply(&mut self, name: &str, reply: &AutoReply) -> Option<inbox::AutoReply> {
        let delay = seconds(&reply.delay).filter(|seconds| (0..=DELAY_LIMIT).contains(seconds));
        if delay.is_none() {
            let what = format!("`{}` is no delay of 0 to {DELAY_LIMIT} seconds", reply.delay);
            self.add(&format!("{name}.delay"), what, "write `0s`, `30s`, `5m` or `2h`, at most `1d`");
        }
        let checked = inbox::auto_reply(&reply.text, delay.unwrap_or_default(), TEXT_LIMIT);
        checked.map_err(|why| self.text(&format!("{name}.text"), &why)).ok()
    }

    fn close_after(&mut self, text: &str) -> Millis {
        let time = match amount(text) {
            Some((count, 'h')) => inbox::close_after(count, CloseUnit::Hours),
            Some((count, 'd')) => inbox::close_after(count, CloseUnit::Days),
            _ => Err(String::new()),
        };
        time.unwrap_or_else(|_| {
            let what = format!("`{text}` is no time after which a conversation can be closed");
            self.add("close_after", what, "write hours, `1h` to `8760h`, or days, `1d` to `365d`");
            Millis::default()
        })
    }

    fn closing_text(&mut self, text: &str) -> String {
        inbox::closing_text(text, TEXT_LIMIT).unwrap_or_else(|why| {
            self.text("closing_text", &why);
            String::new()
        })
    }

    fn text(&mut self, name: &str, why: &str) {
        let (what, instead) = why.split_once("; ").unwrap_or((why, "write a shorter one"));
        self.add(name, what, instead);
    }
}

fn seconds(text: &str) -> Option<i64> {
    let (count, unit) = amount(text)?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    count.checked_mul(unit)
}
