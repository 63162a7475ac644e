//! Scenarios: lines, events, templates, who is responsible (SCN-01 to SCN-09, ENT-02 to ENT-09, Q-06, Q-08, Q-09).

use std::collections::{BTreeMap, BTreeSet};

use perezvon_domain::job::FieldValue;
use perezvon_domain::policy::{
    self, ContactManager, ContactRule, DealRule, Occasion, Responsible, TaskRule, normal_line,
};
use perezvon_domain::template::{CHAT_PARAMETERS, PARAMETERS};
use perezvon_domain::time::Millis;
use perezvon_domain::{EmployeeId, Extension};
use perezvon_store::items::text;

use super::super::document::{Document, Rules, Scenario};
use super::super::problem::Findings;
use super::people::who_works;
use super::texts::amount;

/// Statuses that end a deal, won and lost, the same in every pipeline of every account.
const CLOSED: [u64; 2] = [142, 143];

const FIELD_LIMIT: usize = 100;

/// The scenarios as decisions see them; what is wrong with them is reported.
pub(super) fn check(document: &Document, findings: &mut Findings) -> Vec<policy::Scenario> {
    findings.count("scenarios", document.scenarios.len(), 0..=50);
    let all = || document.scenarios.iter().enumerate();
    let names = all().map(|(index, scenario)| (format!("scenarios[{index}].name"), &scenario.name));
    findings.unique(names, "give each scenario a name of its own");
    let scenarios: Vec<policy::Scenario> = all()
        .map(|(index, scenario)| {
            let path = format!("scenarios[{index}]");
            Checker { document, findings, path, of_chat: false }.scenario(scenario)
        })
        .collect();
    overlaps(&scenarios, findings);
    scenarios
}

/// What the first message of a chat makes, by the rules that stand at this place.
pub(super) fn of_chat(
    document: &Document,
    findings: &mut Findings,
    path: String,
    rules: &Rules,
    known: bool,
) -> policy::Rules {
    let makes_something = rules.contact.is_some() || rules.deal.is_some() || rules.task.is_some();
    if makes_something && document.crm.is_none() {
        findings.add(&path, "there is no CRM to make it in", "add a section `[crm]`, or take this out");
    }
    if makes_something && !known && rules.contact.is_none() {
        findings.add(&path, "a new client has no contact that this could belong to", "add `contact`");
    }
    Checker { document, findings, path, of_chat: true }.rules(known, rules)
}

/// Two active scenarios of one line must not act on the same event.
fn overlaps(scenarios: &[policy::Scenario], findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, Occasion), &str> = BTreeMap::new();
    for (index, scenario) in scenarios.iter().enumerate().filter(|(_, it)| it.active) {
        let lines: BTreeSet<&str> = scenario.lines.iter().map(String::as_str).collect();
        let mut told = BTreeSet::new();
        for (line, occasion) in lines.iter().flat_map(|line| scenario.rules.keys().map(move |it| (*line, *it))) {
            let first = *seen.entry((line, occasion)).or_insert(&scenario.name);
            if first != scenario.name && told.insert(first) {
                let event = text(&occasion);
                let event = event.trim_matches('"');
                let what = format!("`{}` and `{first}` both act on `{event}` of line {line}", scenario.name);
                let instead = "take the line or the event out of one of them";
                findings.add(format!("scenarios[{index}].lines"), what, instead);
            }
        }
    }
}

struct Checker<'a> {
    document: &'a Document,
    findings: &'a mut Findings,
    path: String,
    /// The rules are those of a chat, where nobody is on a call.
    of_chat: bool,
}

impl Checker<'_> {
    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn scenario(&mut self, scenario: &Scenario) -> policy::Scenario {
        self.findings.text(&self.at("name"), &scenario.name);
        let lines = self.lines(&scenario.lines);
        self.exceptions(&scenario.exceptions);
        let contact_manager = self.contact_manager(scenario);
        let path = self.path.clone();
        let mut rules = BTreeMap::new();
        for (occasion, name, wanted) in scenario.events() {
            self.path = format!("{path}.{name}");
            let known = matches!(occasion, Occasion::IncomingKnown | Occasion::OutgoingKnown | Occasion::MissedKnown);
            rules.insert(occasion, self.rules(known, wanted));
        }
        policy::Scenario {
            name: scenario.name.clone(),
            active: scenario.active,
            lines,
            exceptions: scenario.exceptions.clone(),
            follow_transfers: scenario.follow_transfers,
            rules,
            contact_manager,
        }
    }

    fn contact_manager(&mut self, scenario: &Scenario) -> Option<ContactManager> {
        if !scenario.contact_manager && scenario.forwarding.is_some() {
            let what = "nobody is looked up, so there is nobody to put a call through to";
            self.findings.add(self.at("forwarding"), what, "add `contact_manager = true`, or take this out");
        }
        let forwarding = scenario.forwarding.unwrap_or(true);
        scenario.contact_manager.then_some(ContactManager { forwarding })
    }

    fn lines(&mut self, lines: &[String]) -> Vec<String> {
        let path = self.at("lines");
        self.findings.count(&path, lines.len(), 0..=200);
        let normal: Vec<String> = lines.iter().map(|line| normal_line(line)).collect();
        let places = || normal.iter().enumerate().map(|(index, line)| (format!("{path}[{index}]"), line));
        for (path, line) in places() {
            self.findings.text(&path, line);
        }
        self.findings.unique(places(), "name each line once");
        normal
    }

    fn exceptions(&mut self, exceptions: &[Extension]) {
        let path = self.at("exceptions");
        self.findings.count(&path, exceptions.len(), 0..=200);
        for (index, extension) in exceptions.iter().enumerate() {
            let known = |employee: &super::super::Employee| employee.extension.as_ref() == Some(extension);
            if !self.document.employees.iter().any(known) {
                let what = format!("no employee has the internal number `{extension}`");
                self.findings.add(format!("{path}[{index}]"), what, "correct it or take it out");
            }
        }
    }

    fn rules(&mut self, known: bool, rules: &Rules) -> policy::Rules {
        if known && rules.contact.is_some() {
            let what = "a client from the CRM has a contact already";
            self.findings.add(self.at("contact"), what, "make contacts in the events of new clients only");
        }
        policy::Rules {
            contact: rules.contact.as_ref().map(|rule| ContactRule {
                name: self.template("contact.name", &rule.name),
                tags: self.tags("contact.tags", &rule.tags),
                fields: self.fields("contact.fields", &rule.fields),
                responsible: self.responsible("contact.responsible", &rule.responsible),
            }),
            deal: rules.deal.as_ref().map(|rule| {
                self.status(rule.pipeline, rule.status);
                DealRule {
                    name: self.template("deal.name", &rule.name),
                    pipeline: rule.pipeline,
                    status: rule.status,
                    tags: self.tags("deal.tags", &rule.tags),
                    fields: self.fields("deal.fields", &rule.fields),
                    responsible: self.responsible("deal.responsible", &rule.responsible),
                }
            }),
            task: rules.task.as_ref().map(|rule| TaskRule {
                text: self.template("task.text", &rule.text),
                due_in: self.due_in("task.due_in", &rule.due_in),
                kind: rule.kind,
                responsible: self.responsible("task.responsible", &rule.responsible),
            }),
        }
    }

    fn template(&mut self, name: &str, text: &str) -> String {
        let parameters = if self.of_chat { CHAT_PARAMETERS } else { PARAMETERS };
        self.findings.template(&self.at(name), text, parameters);
        text.to_owned()
    }

    fn tags(&mut self, name: &str, tags: &[String]) -> Vec<String> {
        self.findings.count(&self.at(name), tags.len(), 0..=40);
        tags.iter().enumerate().map(|(index, tag)| self.template(&format!("{name}[{index}]"), tag)).collect()
    }

    fn fields(&mut self, name: &str, fields: &BTreeMap<String, String>) -> Vec<FieldValue> {
        self.findings.count(&self.at(name), fields.len(), 0..=40);
        let mut values = Vec::new();
        for (field, value) in fields {
            let name = format!("{name}.{field}");
            self.findings.text_of(&self.at(&name), field, FIELD_LIMIT);
            values.push(FieldValue { field: field.clone(), value: self.template(&name, value) });
        }
        values
    }

    fn status(&mut self, pipeline: Option<u64>, status: Option<u64>) {
        let path = self.at("deal.status");
        let Some(status) = status else { return };
        if CLOSED.contains(&status) {
            let what = format!("{status} is the status of a closed deal, and a new one is open");
            self.findings.add(&path, what, "take an open status of the pipeline");
        }
        if pipeline.is_none() {
            self.findings.add(&path, "a status belongs to a pipeline", "give `pipeline` as well");
        }
    }

    fn due_in(&mut self, name: &str, text: &str) -> Millis {
        let minutes = minutes(text).filter(|minutes| (1..=365 * 24 * 60).contains(minutes));
        if minutes.is_none() {
            let instead = "write `30m`, `2h` or `1d`, at most `365d`";
            self.findings.add(self.at(name), format!("`{text}` is no time that a task can have"), instead);
        }
        Millis::minutes(minutes.unwrap_or_default())
    }

    fn responsible(&mut self, name: &str, text: &str) -> Responsible {
        let path = self.at(name);
        match text.split_once(':') {
            None if text == "usual" => return Responsible::Usual,
            None if text == "client" => return Responsible::Client,
            None if text == "on_the_call" && !self.of_chat => return Responsible::OnTheCall,
            Some(("employee", id)) => {
                let id = EmployeeId::from(id);
                if let Err((what, instead)) = who_works(self.document, &id) {
                    self.findings.add(path, what, instead);
                }
                return Responsible::Employee(id);
            }
            Some(("group", group)) => {
                if !self.document.groups.contains_key(group) {
                    let what = format!("there is no group `{group}`");
                    self.findings.add(path, what, "write the name of one of the groups");
                }
                return Responsible::Group(group.to_owned());
            }
            _ => {}
        }
        let instead = match self.of_chat {
            true => "write `usual`, `employee:ID` or `group:NAME`",
            false => "write `usual`, `client`, `on_the_call`, `employee:ID` or `group:NAME`",
        };
        self.findings.add(path, format!("`{text}` says nobody"), instead);
        Responsible::Usual
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (count, unit) = amount(text)?;
    let unit = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    };
    count.checked_mul(unit)
}
