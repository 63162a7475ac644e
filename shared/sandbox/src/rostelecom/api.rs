//! The API: the signature over the exact bytes, and what may be asked.

use serde_json::{Value, json};

use super::calls::Employee;
use super::{Rostelecom, sign};
use crate::http::{Request, Response};

/// An outgoing call could not be placed.
const NO_CALL_BACK: i64 = -20;
/// Anything else; the list of codes is not published.
const REFUSED: i64 = -1;

const DONE: &str = "Операция выполнена успешно";

impl Rostelecom {
    pub(super) fn carry_out(&mut self, request: &Request, now_ms: i64) -> Response {
        let path = request.path.trim_matches('/');
        if let Some(link) = path.strip_prefix("records_new_scheme/record/download/") {
            return if request.method == "GET" {
                self.download_record(link, &request.peer, now_ms)
            } else {
                no_method()
            };
        }
        if request.method != "POST" || self.manner.off.iter().any(|method| method == path) {
            return no_method();
        }
        if let Err(refusal) = self.check(request) {
            return refusal;
        }
        let Ok(asked @ Value::Object(_)) = serde_json::from_slice::<Value>(&request.body) else {
            return Response::of_json(400, &json!({ "result": REFUSED, "resultMessage": "Некорректный JSON" }));
        };
        if asked["domain"].as_str().is_some_and(|domain| domain != self.config.domain) {
            return refused("Домен не найден");
        }
        match path {
            "call_back" => self.call_back(&asked, now_ms),
            "get_record" => self.get_record(&asked, &request.peer, now_ms),
            "users_info" => self.users_info(&asked),
            "call_info" => self.call_info(&asked, now_ms),
            "domain_call_history" => self.order_history(&asked, now_ms),
            "download_call_history" => self.download_history(&asked, now_ms),
            _ => no_method(),
        }
    }

    fn check(&self, request: &Request) -> Result<(), Response> {
        let header = |name: &str| request.headers.get(name).map(String::as_str).unwrap_or_default();
        let wrong = |why: &str| Response::of_json(401, &json!({ "result": REFUSED, "resultMessage": why }));
        if header("x-client-id") != self.config.client_id {
            return Err(wrong("Неизвестный идентификатор клиента"));
        }
        let right = sign(&self.config.client_id, &request.body, &self.config.sign_key);
        if header("x-client-sign").eq_ignore_ascii_case(&right) {
            Ok(())
        } else {
            Err(wrong("Неверная подпись"))
        }
    }

    fn call_back(&mut self, asked: &Value, now_ms: i64) -> Response {
        let number = asked["request_number"].as_str().unwrap_or_default();
        let digits = number.strip_prefix('+').unwrap_or(number);
        let is_number = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let Some(employee) = self.caller(asked).cloned().filter(|_| is_number) else {
            let why = "Ошибка при попытке выполнения обратного вызова";
            return Response::of_json(200, &json!({ "result": NO_CALL_BACK.to_string(), "resultMessage": why }));
        };
        let session = self.call_asked_for(digits, &employee, now_ms);
        granted(json!({ "session_id": session }))
    }

    /// The employee that a request names by his telephone or his short number.
    fn caller(&self, asked: &Value) -> Option<&Employee> {
        if let Some(pin) = asked["from_pin"].as_str() {
            return self.employee(pin);
        }
        let uri = asked["from_sipuri"].as_str()?;
        let (login, domain) = uri.strip_prefix("sip:").unwrap_or(uri).split_once('@')?;
        let ours = |employee: &&Employee| employee.login == login && domain == self.config.domain;
        self.config.employees.iter().find(ours)
    }

    fn users_info(&self, asked: &Value) -> Response {
        let pin = asked["user_pin"].as_str();
        let wanted = |employee: &&Employee| pin.is_none_or(|pin| employee.pin == pin);
        let user = |employee: &Employee| json!({ "display_name": employee.display_name, "name": employee.login, "pin": employee.pin });
        let users: Vec<Value> = self.config.employees.iter().filter(wanted).map(user).collect();
        if users.is_empty() {
            return Response::of_json(200, &json!({ "result": REFUSED, "resultMessage": "Пользователь не найден" }));
        }
        let shown = match users.as_slice() {
            [one] if self.manner.one_user_is_an_object => one.clone(),
            all => json!(all),
        };
        Response::of_json(200, &json!({ "result": 0, "resultMessage": "", "users": shown }))
    }
}

pub(super) fn granted(mut more: Value) -> Response {
    more["result"] = json!("0");
    more["resultMessage"] = json!(DONE);
    Response::of_json(200, &more)
}

/// 200 with a `result` that is not 0, as text.
pub(super) fn refused(why: &str) -> Response {
    Response::of_json(200, &json!({ "result": REFUSED.to_string(), "resultMessage": why }))
}

/// What stands before the API has no such method: a page, no JSON.
fn no_method() -> Response {
    Response::of_html(
        404,
        "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    )
}
