//! What a call of the demo came to, as a table for people.

use perezvon_domain::Policy;
use perezvon_domain::call::row::Row;
use perezvon_domain::call::{Call, Copy, LogState};

use super::calls::{DemoCall, Expected};

const HEADS: [&str; 7] = ["Звонок", "Клиент", "Сотрудник", "Контакт", "Сделка", "Задача", "Запись звонка"];

/// What one call came to so far.
pub(super) struct Outcome {
    title: &'static str,
    /// As the feed shows it; `None`: nothing was heard of the call.
    pub row: Option<Row>,
    /// Why it came so, in short.
    why: Vec<String>,
    missing: Vec<&'static str>,
}

impl Outcome {
    pub(super) fn of(demo: &DemoCall, call: Option<&Call>, policy: Option<&Policy>) -> Self {
        let (Some(call), Some(policy)) = (call, policy) else {
            return Self {
                title: demo.title,
                row: None,
                why: Vec::new(),
                missing: vec!["ничего о звонке не известно"],
            };
        };
        let row = call.row(policy);
        Self { title: demo.title, missing: missing(call, &row, demo.expects), why: why(call), row: Some(row) }
    }

    /// Everything is there that was to be made.
    pub(super) fn is_settled(&self) -> bool {
        self.missing.is_empty()
    }

    fn cells(&self) -> [String; 7] {
        let id = |id: Option<&perezvon_domain::CrmId>| id.map_or_else(|| "–".to_owned(), ToString::to_string);
        let Some(row) = &self.row else {
            return [self.title, "", "", "", "", "", ""].map(str::to_owned);
        };
        let client = row.name.clone().or_else(|| row.number.clone()).unwrap_or_default();
        [
            self.title.to_owned(),
            client,
            row.employee.clone().unwrap_or_default(),
            id(row.contact.as_ref()),
            id(row.deal.as_ref()),
            id(row.task.as_ref()),
            id(row.note.as_ref()),
        ]
    }
}

fn missing(call: &Call, row: &Row, expects: Expected) -> Vec<&'static str> {
    let copied = call.recordings.values().all(|recording| matches!(recording.copy, Copy::Stored { .. }));
    let logged = matches!(&call.log, LogState::Logged { .. }) && call.amends.is_empty();
    let parts = [
        ("контакт не найден и не создан", row.contact.is_some()),
        ("сделка не создана", row.deal.is_some()),
        ("задача не создана", row.task.is_some() || !expects.task),
        ("запись разговора не сохранена", !expects.recording || (row.recording && copied)),
        ("звонок не записан в CRM", logged),
    ];
    parts.into_iter().filter(|(_, there)| !there).map(|(words, _)| words).collect()
}

/// The reasons that say what was made, and who became responsible.
fn why(call: &Call) -> Vec<String> {
    let told = |code: &str| code == "records_wanted" || code.starts_with("responsible_");
    let told = call.because.iter().filter(|because| told(&because.reason.code));
    let mut words: Vec<String> = told.map(|because| because.reason.words()).collect();
    words.dedup();
    words
}

/// The table, with a line below each call that says why, and what is missing.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let rows: Vec<[String; 7]> = outcomes.iter().map(Outcome::cells).collect();
    let heads = HEADS.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![String::new(), line(&heads)];
    for (outcome, row) in outcomes.iter().zip(&rows) {
        lines.push(line(row));
        lines.extend(outcome.why.iter().map(|why| format!("    {why}")));
        if !outcome.missing.is_empty() {
            lines.push(format!("    за 10 секунд не готово: {}", outcome.missing.join(", ")));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_below_its_call() {
        let demo = super::super::calls::all(1_795_262_645);
        let outcomes: Vec<Outcome> = demo.iter().map(|call| Outcome::of(call, None, None)).collect();
        let table = table(&outcomes);
        assert_eq!(table.matches("не готово: ничего о звонке не известно").count(), 3, "{table}");
        assert!(outcomes.iter().all(|outcome| !outcome.is_settled()));
    }
}
