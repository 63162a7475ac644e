//! What people see of the PBX: a form to place calls with, and what became of them.

use super::{Asked, Outcome, Rostelecom};
use crate::html::escape;

/// Lines in each table.
const LAST: usize = 50;

const HEAD: &str = "<!doctype html><html lang=\"ru\"><head><meta charset=\"utf-8\">\
<title>Песочница АТС</title><style>\
body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}\
table{border-collapse:collapse;width:100%;margin-bottom:2rem}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
th{background:#f4f6f8}form{margin:1rem 0}label{margin-right:1rem}input[name=address]{width:36rem;max-width:100%}\
</style></head><body><h1>Песочница АТС</h1>\
<p><small>Звонки ненастоящие. То же в JSON: <a href=\"sandbox/state\">sandbox/state</a></small></p>";

impl Rostelecom {
    pub(super) fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        page.push_str(&self.forms());
        let asked = self.asked().rev().take(LAST);
        table(
            &mut page,
            "Вопросы «кто звонит?»",
            &["Звонок", "Номер", "Ответ, мс", "Имя", "Итог"],
            asked.map(question),
        );
        let calls = self.calls.iter().rev().take(LAST).map(|call| {
            vec![
                call.session.clone(),
                call.orig_number.clone(),
                call.dest_number.clone(),
                call.answering_pin.clone().unwrap_or_default(),
                call.duration_s().to_string(),
            ]
        });
        table(&mut page, "Звонки", &["Звонок", "Кто", "Кому", "Ответил", "Разговор, с"], calls);
        let posted = self.posted().rev().take(LAST);
        let posted = posted.map(|post| vec![post.method.clone(), post.body.clone(), post.status.to_string()]);
        table(&mut page, "Отправлено", &["Метод", "Тело", "Статус"], posted);
        page.push_str("</body></html>");
        page
    }

    fn forms(&self) -> String {
        let employees: String = (self.config.employees.iter())
            .map(|employee| {
                let (pin, name) = (escape(&employee.pin), escape(&employee.display_name));
                format!("<option value=\"{pin}\">{pin} {name}</option>")
            })
            .collect();
        format!(
            "<form method=\"post\" action=\"sandbox/address\">\
<label>Адрес внешней системы <input name=\"address\" value=\"{address}\"></label><button>Сохранить</button></form>\
<form method=\"post\" action=\"sandbox/calls\"><label>Звонок <select name=\"what\">\
<option value=\"incoming\">входящий</option><option value=\"transfer\">входящий с переводом</option>\
<option value=\"group\">входящий на всех сразу</option><option value=\"outbound\">исходящий</option>\
<option value=\"internal\">внутренний</option></select></label>\
<label>Клиент <input name=\"client\" value=\"79990000001\" size=\"12\"></label>\
<label>Сотрудник <select name=\"employee\">{employees}</select></label>\
<label>Второй <select name=\"second\"><option value=\"\"></option>{employees}</select></label>\
<label>Разговор, с (0: никто не ответил) <input name=\"talk_s\" value=\"10\" size=\"4\"></label>\
<button>Позвонить</button></form>",
            address = escape(&self.address)
        )
    }
}

fn question(asked: &Asked) -> Vec<String> {
    let outcome = match &asked.outcome {
        Outcome::Routed { pin } => format!("звонит сотруднику {pin}"),
        Outcome::NoPin => "номер не назван: свои правила".to_owned(),
        Outcome::UnknownPin { pin } => format!("нет сотрудника {pin}: свои правила"),
        Outcome::Late => "ответа не дождались: свои правила".to_owned(),
        Outcome::Refused => format!("отказ ({}): свои правила", asked.status),
        Outcome::NotUnderstood => "ответ не понят: свои правила".to_owned(),
    };
    let name = asked.display_name.clone().unwrap_or_default();
    vec![asked.session.clone(), asked.from.clone(), asked.took_ms.to_string(), name, outcome]
}

fn table(page: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let cells = |tag: &str, cells: &[String]| -> String {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>")
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    page.push_str(&format!("<h2>{title}</h2><table>{}", cells("th", &heads)));
    rows.for_each(|row| page.push_str(&cells("td", &row)));
    page.push_str("</table>");
}
