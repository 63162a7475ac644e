//! The story of a call in words and in order: what the provider told, why what was decided, and the
//! same as plain lines for a command line.

use perezvon_domain::call::{Call, Leg};
use perezvon_domain::event::{EndReason, Place};
use perezvon_domain::{Extension, Policy, Timestamp};
use serde::Serialize;

use crate::calls::CallView;
use crate::explain::{Entity, RecordingView};
use crate::jobs::JobView;
use crate::words;

/// Something at a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line {
    pub at: Timestamp,
    pub words: String,
}

/// What the provider told, in the order of its times.
pub fn told(call: &Call, policy: &Policy) -> Vec<Line> {
    let mut lines = Vec::new();
    if call.ordered.is_none() {
        lines.push(line(call.first_received_at, "пришёл первый вебхук об этом звонке"));
    }
    for leg in call.legs.values() {
        of_leg(leg, policy, &mut lines);
    }
    if let Some(folded) = &call.folded {
        let at = folded.rang_last.as_ref().map_or_else(|| call.started_at(), |(at, _)| *at);
        lines.push(line(at, format!("ещё вызовов без ответа: {}", folded.count)));
    }
    for digits in &call.digits {
        let place = digits.place.as_deref().map_or_else(String::new, |place| format!(" (меню «{place}»)"));
        lines.push(line(digits.pressed_at, format!("клиент нажал {}{place}", digits.digits)));
    }
    if let Some(summary) = &call.summary {
        let talk = match summary.talked_at {
            Some(_) => format!("разговор {}", words::duration(call.talk_seconds())),
            None if summary.busy => "занято".to_owned(),
            None => "разговора не было".to_owned(),
        };
        let at = call.ended_at().unwrap_or(summary.ended_at);
        lines.push(line(at, format!("итог от АТС: {talk}{}", because(summary.reason.as_ref()))));
    }
    if let Some(at) = call.over_at {
        lines.push(line(at, "АТС сообщила: звонок окончен"));
    }
    lines.sort();
    lines
}

fn of_leg(leg: &Leg, policy: &Policy, lines: &mut Vec<Line>) {
    let place = leg.state.map(|(_, (_, place))| place);
    let who = match (place, &leg.employee, &leg.client) {
        (Some(Place::Menu), ..) => "голосовое меню".to_owned(),
        (Some(Place::Queue), ..) => "очередь группы".to_owned(),
        (_, Some((_, extension)), _) => employee(extension, policy),
        (_, None, Some((_, number))) => number.plus(),
        (_, None, None) => "телефон".to_owned(),
    };
    let transfer = if leg.transfer { ", перевод" } else { "" };
    lines.push(line(leg.appeared_at, format!("вызов: {who}{transfer}")));
    if let Some(at) = leg.connected_at {
        lines.push(line(at, format!("соединение: {who}")));
    }
    if let Some(at) = leg.ended_at {
        lines.push(line(at, format!("завершено: {who}{}", because(leg.reason.as_ref().map(|(_, reason)| reason)))));
    }
}

fn line(at: Timestamp, words: impl Into<String>) -> Line {
    Line { at, words: words.into() }
}

fn because(reason: Option<&EndReason>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}

/// An employee by the internal number.
pub fn employee(extension: &Extension, policy: &Policy) -> String {
    let known = policy.by_extension(extension);
    known.map_or_else(|| format!("доб. {extension}"), |it| format!("{} (доб. {extension})", it.name))
}

/// Why what was decided.
pub fn reasons(call: &Call) -> Vec<Line> {
    call.because.iter().map(|because| line(because.at, because.reason.words())).collect()
}

/// The whole story.
pub struct Story<'a> {
    pub call: &'a CallView,
    pub told: &'a [Line],
    pub reasons: &'a [Line],
    pub jobs: &'a [JobView],
}

impl Story<'_> {
    /// As lines that can be printed as they are: webhook, decision, effect, id in the CRM.
    pub fn lines(
        &self,
        entities: &[Entity],
        recordings: &[RecordingView],
        zone: &str,
        public_url: &str,
    ) -> Vec<String> {
        let mut out = vec![self.call.description.clone(), format!("{}, {}", self.call.source, self.call.id)];
        let dated = |line: &Line| format!("{}  {}", words::moment(line.at, zone), line.words);
        section(&mut out, "Что сообщила АТС", self.told.iter().map(dated));
        section(&mut out, "Что решено и почему", self.reasons.iter().map(dated));
        section(&mut out, "Что отправлено", self.jobs.iter().map(|job| of_job(job, zone)));
        section(&mut out, "Что в CRM", entities.iter().map(of_entity));
        let recording = |it: &RecordingView| {
            let link = it.link.as_ref().map_or_else(String::new, |link| format!(": {public_url}{link}"));
            format!("запись {}{link}", it.words)
        };
        section(&mut out, "Записи разговора", recordings.iter().map(recording));
        out
    }
}

fn section(out: &mut Vec<String>, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    if lines.len() > 0 {
        out.extend([String::new(), title.to_owned()]);
        out.extend(lines.map(|line| format!("  {line}")));
    }
}

fn of_job(job: &JobView, zone: &str) -> String {
    let mut text = format!("{}  {} -> {}", words::moment(job.at, zone), job.what, job.state_words);
    let mut add = |part: String| text.push_str(&part);
    if let Some(result) = &job.result {
        add(format!(" -> {result}"));
    }
    if let Some(why) = job.why.as_ref().filter(|why| job.result.as_ref() != Some(why)) {
        add(format!(" ({why})"));
    }
    if let Some(at) = job.retry_at {
        add(format!(", повтор {}", words::moment(at, zone)));
    }
    if job.tries > 0 {
        add(format!(", попыток {}", job.tries));
    }
    text
}

fn of_entity(entity: &Entity) -> String {
    let url = entity.url.as_ref().map_or_else(String::new, |url| format!("  {url}"));
    format!("{} {}{url}", entity.words, entity.id)
}

#[cfg(test)]
mod tests {
    use perezvon_domain::event::{EndReason, LegState};
    use perezvon_domain::reason::Because;
    use perezvon_domain::{Number, Reason};

    use super::*;

    fn policy() -> Policy {
        let json = serde_json::json!({
            "account": "acme", "version": 1, "time_zone": "Europe/Moscow",
            "employees": [{ "id": "petrova", "name": "Петрова", "extension": "201", "active": true }],
            "groups": {}, "fallback": "petrova", "scenarios": [], "crm": "crm:main",
            "channels": { "main": {
                "name": "Офис", "source": "АТС", "connection": "channel:main",
                "copy_recordings": true, "expects_recordings": true,
            } },
        });
        serde_json::from_value(json).expect("a policy")
    }

    fn call() -> Call {
        let mut call = Call::new("acme".into(), "main".into(), "1".to_owned(), Timestamp(3_000));
        let leg = Leg {
            state: Some((2, (LegState::Disconnected, Place::Telephone))),
            employee: Some((1, "201".into())),
            client: Some((1, Number::parse("+79990001122").expect("a number"))),
            appeared_at: Timestamp(2_000),
            connected_at: Some(Timestamp(5_000)),
            ended_at: Some(Timestamp(70_000)),
            reason: Some((2, EndReason::Code(1110))),
            ..Leg::default()
        };
        call.legs.insert("a".to_owned(), leg);
        let reason = Reason::new("client_new", ["+79990001122"]);
        call.because = vec![Because { at: Timestamp(71_000), reason }];
        call
    }

    #[test]
    fn what_the_provider_told_stands_in_the_order_of_time() {
        let lines: Vec<String> = told(&call(), &policy()).into_iter().map(|line| line.words).collect();
        let expected = [
            "вызов: Петрова (доб. 201)",
            "пришёл первый вебхук об этом звонке",
            "соединение: Петрова (доб. 201)",
            "завершено: Петрова (доб. 201) (код 1110)",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_story_leads_from_the_webhook_to_the_id_in_the_crm() {
        let (call, policy) = (call(), policy());
        let view = CallView::new(call.row(&policy), Some(&policy));
        let (told, reasons) = (told(&call, &policy), reasons(&call));
        let story = Story { call: &view, told: &told, reasons: &reasons, jobs: &[] };
        let url = Some("https://crm.example/contacts/detail/11".to_owned());
        let entity = Entity { kind: "contact", words: "контакт", id: "11".into(), url };
        let text = story.lines(&[entity], &[], &policy.time_zone, "https://pbx.example").join("\n");
        let places: Vec<_> = ["вебхук", "новый клиент", "контакт 11  https://crm.example/contacts/detail/11"]
            .map(|part| text.find(part).expect(part))
            .to_vec();
        assert!(places.is_sorted(), "{text}");
        assert!(!text.contains("Что отправлено"), "{text}");
    }
}
