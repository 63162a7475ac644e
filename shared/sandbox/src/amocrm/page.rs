//! What people see of the sandbox: a page with tables, its JSON, and a few levers.

use serde_json::{Value, json};

use super::directory::{status_name, user_name};
use super::model::{Note, Task};
use super::{AmoCrm, Kind};
use crate::html::escape;
use crate::http::{Request, Response};

/// Requests on the page and in the JSON.
const LAST_REQUESTS: usize = 200;

const HEAD: &str = "<!doctype html><html lang=\"ru\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"5\"><title>Песочница CRM</title><style>\
body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%;margin-bottom:2rem}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
th{background:#f4f6f8}h2{margin-bottom:.4rem}.none,small{color:#777}del{color:#999}\
</style></head><body><h1>Песочница CRM</h1>\
<p><small>Данные ненастоящие. Страница обновляется сама каждые 5 секунд. \
То же в JSON: <a href=\"/sandbox/state\">/sandbox/state</a></small></p>";

/// Times come as Unix seconds and are shown in the reader's own time zone.
const TAIL: &str = "<script>document.querySelectorAll('time').forEach(t=>{\
t.textContent=new Date(t.dataset.s*1000).toLocaleString('ru')})</script></body></html>";

impl AmoCrm {
    pub(super) fn inspect(&mut self, request: &Request) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Response::of_html(200, self.page()),
            ("GET", "/sandbox/state") => Response::of_json(200, &self.state()),
            ("POST", "/sandbox/hook") => self.tell_by_hand(request),
            ("POST", "/sandbox/faults") => self.gate.faults.inject_json(&request.body),
            ("POST", "/sandbox/reset") => {
                self.reset();
                Response::empty(204)
            }
            _ => Response::of_json(404, &json!({ "error": "no such page of the sandbox" })),
        }
    }

    fn state(&self) -> Value {
        json!({
            "counts": {
                "contacts": self.contacts.len(),
                "leads": self.leads.len(),
                "tasks": self.tasks.len(),
                "notes": self.notes.len(),
            },
            "contacts": self.contacts,
            "leads": self.leads,
            "tasks": self.tasks,
            "notes": self.notes,
            "popups": self.popups,
            "webhooks": self.posted().collect::<Vec<_>>(),
            "violations": self.violations(),
            "max_requests_in_any_second": self.max_requests_in_any_second(),
            "requests": self.gate.log().rev().take(LAST_REQUESTS).collect::<Vec<_>>(),
        })
    }

    fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        self.contacts_table(&mut page);
        self.leads_table(&mut page);
        self.tasks_table(&mut page);
        self.calls_table(&mut page);
        self.popups_table(&mut page);
        page.push_str(TAIL);
        page
    }

    fn contacts_table(&self, page: &mut String) {
        let rows = self.contacts.iter().rev().map(|contact| {
            let name = escape(&contact.name);
            vec![
                contact.id.to_string(),
                if contact.deleted { format!("<del>{name}</del> удалён") } else { name },
                escape(&contact.phones.join(", ")),
                person(contact.responsible),
                escape(&contact.tags.join(", ")),
                time(contact.stamp.created_at),
            ]
        });
        let heads = ["Номер", "Имя", "Телефон", "Ответственный", "Теги", "Создан"];
        table(page, "Контакты", &heads, rows);
    }

    fn leads_table(&self, page: &mut String) {
        let rows = self.leads.iter().rev().map(|lead| {
            let name = escape(&lead.name);
            vec![
                lead.id.to_string(),
                if lead.deleted { format!("<del>{name}</del> удалена") } else { name },
                lead.contacts.iter().map(|id| self.contact_name(*id)).collect::<Vec<_>>().join(", "),
                status_name(lead.status_id).to_owned(),
                person(lead.responsible),
                escape(&lead.tags.join(", ")),
                time(lead.stamp.created_at),
            ]
        });
        let heads = ["Номер", "Название", "Контакт", "Этап", "Ответственный", "Теги", "Создана"];
        table(page, "Сделки", &heads, rows);
    }

    fn tasks_table(&self, page: &mut String) {
        let rows = self.tasks.iter().rev().map(|task: &Task| {
            vec![
                task.id.to_string(),
                escape(&task.text),
                task.entity.map(|(kind, id)| self.card_name(kind, id)).unwrap_or_default(),
                time(task.complete_till),
                person(task.responsible),
                if task.is_completed { "выполнена" } else { "открыта" }.to_owned(),
            ]
        });
        let heads = ["Номер", "Что сделать", "Где", "Срок", "Ответственный", "Состояние"];
        table(page, "Задачи", &heads, rows);
    }

    fn calls_table(&self, page: &mut String) {
        let calls = self.notes.iter().rev().filter(|note| note.is_call());
        let rows = calls.map(|note| {
            let text = |key: &str| escape(note.params[key].as_str().unwrap_or_default());
            vec![
                note.id.to_string(),
                if note.note_type == "call_in" { "входящий" } else { "исходящий" }.to_owned(),
                text("phone"),
                self.card_name(note.entity, note.entity_id),
                format!("{} с", note.params["duration"].as_i64().unwrap_or_default()),
                text("call_result"),
                recording(note),
                time(note.stamp.created_at),
            ]
        });
        let heads = ["Номер", "Звонок", "Телефон", "Где", "Длительность", "Итог", "Запись", "Когда"];
        table(page, "Звонки", &heads, rows);
    }

    fn popups_table(&self, page: &mut String) {
        let rows = self.popups.iter().rev().map(|popup| {
            let users: Vec<String> = popup.users.iter().map(|user| person(*user)).collect();
            vec![
                escape(&popup.phone),
                if users.is_empty() { "все".to_owned() } else { users.join(", ") },
                popup.card.map(|(kind, id)| self.card_name(kind, id)).unwrap_or_default(),
                time(popup.at_ms / 1000),
            ]
        });
        table(page, "Всплывающие окна", &["Телефон", "Кому", "Карточка", "Когда"], rows);
    }

    fn contact_name(&self, id: u64) -> String {
        let found = self.contacts.iter().find(|contact| contact.id == id);
        found.map_or_else(|| format!("контакт {id}"), |contact| escape(&contact.name))
    }

    fn card_name(&self, kind: Kind, id: u64) -> String {
        match kind {
            Kind::Contacts => self.contact_name(id),
            Kind::Leads => {
                let found = self.leads.iter().find(|lead| lead.id == id);
                found.map_or_else(|| format!("сделка {id}"), |lead| escape(&lead.name))
            }
        }
    }
}

fn table(page: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    page.push_str(&format!("<h2>{title}</h2>"));
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        page.push_str("<p class=\"none\">Пока пусто.</p>");
        return;
    }
    let cells =
        |tag: &str, cells: &[String]| -> String { cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect() };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    page.push_str(&format!("<table><tr>{}</tr>", cells("th", &heads)));
    for row in rows {
        page.push_str(&format!("<tr>{}</tr>", cells("td", &row)));
    }
    page.push_str("</table>");
}

fn person(id: u64) -> String {
    match user_name(id) {
        "" => id.to_string(),
        name => name.to_owned(),
    }
}

fn time(seconds: i64) -> String {
    format!("<time data-s=\"{seconds}\">{seconds}</time>")
}

/// Only web addresses become links: what else a client wrote there is not for clicking.
fn recording(note: &Note) -> String {
    match note.params["link"].as_str() {
        Some(link) if link.starts_with("https://") || link.starts_with("http://") => {
            format!("<a href=\"{}\">слушать</a>", escape(link))
        }
        _ => String::new(),
    }
}
