//! The PBX's own account of a call, as it is asked for and as a line of the history.

use serde_json::{Value, json};

use super::story::moscow;
use super::{Account, Rostelecom};
use crate::http::Response;

impl Account {
    /// The talk in whole seconds.
    pub fn duration_s(&self) -> i64 {
        (self.talk_ms + 500) / 1000
    }

    fn state(&self) -> u8 {
        if self.answered { 1 } else { 2 }
    }

    fn shown(&self) -> Value {
        json!({
            "call_type": self.call_type,
            "direction": self.direction,
            "state": self.state(),
            "orig_number": self.orig_number,
            "orig_pin": self.orig_pin,
            "dest_number": self.dest_number,
            "answering_sipuri": self.answering_sipuri,
            "answering_pin": self.answering_pin,
            "start_call_date": self.start_ms.div_euclid(1000).to_string(),
            "duration": self.duration_s(),
            "session_log": self.session_log,
            "is_voicemail": false,
            "is_record": self.is_record,
            "is_fax": false,
            "status_code": "0",
            "status_string": "",
        })
    }

    /// With semicolons, in the order of the documents.
    pub(super) fn line(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let columns = [
            self.session.clone(),
            self.call_type.to_string(),
            self.direction.to_string(),
            self.state().to_string(),
            self.orig_number.clone(),
            text(&self.orig_pin),
            self.dest_number.clone(),
            text(&self.answering_sipuri),
            text(&self.answering_pin),
            moscow(self.start_ms),
            self.duration_s().to_string(),
            "false".to_owned(),
            self.is_record.to_string(),
            "false".to_owned(),
            "0".to_owned(),
            String::new(),
        ];
        columns.join(";")
    }

    /// Whether a choice of the order (0: all) takes this call.
    pub(super) fn is_chosen(&self, direction: u64, state: u64, number: Option<&str>) -> bool {
        let ours = |wanted: u64, is: u8| wanted == 0 || wanted == u64::from(is);
        let has = |number: &str| self.orig_number.contains(number) || self.dest_number.contains(number);
        ours(direction, self.direction) && ours(state, self.state()) && number.is_none_or(has)
    }
}

impl Rostelecom {
    /// "Not yet" while the call lasts, and for a while after it.
    pub(super) fn call_info(&self, asked: &Value, now_ms: i64) -> Response {
        let session = asked["session_id"].as_str().unwrap_or_default();
        let known = |call: &&Account| call.session == session && self.is_accounted(call, now_ms);
        let Some(call) = self.calls.iter().find(known) else {
            let answer = json!({ "result": -1, "resultMessage": "Вызов не найден", "info": null });
            return Response::of_json(200, &answer);
        };
        Response::of_json(200, &json!({ "result": 0, "resultMessage": "", "info": call.shown() }))
    }

    pub(super) fn is_accounted(&self, call: &Account, now_ms: i64) -> bool {
        call.end_ms + self.manner.account_after_ms <= now_ms
    }
}
