//! Specs of the webhooks of whole calls.

use serde_json::{Value, json};

use super::RECORDING;
use crate::mango::calls::{self, Call, Employee, Webhook};

fn call() -> Call {
    Call {
        entry: "MTAwMDAwMDAwMDE=".to_owned(),
        client: "79990000001".to_owned(),
        line: "74950000001".to_owned(),
        recording: Some(RECORDING.to_owned()),
        start_s: 1_760_000_000,
        talk_s: 42,
    }
}

fn petrova() -> Employee {
    Employee::new("12", "petrova")
}

fn sidorov() -> Employee {
    Employee::new("23", "sidorov")
}

/// Path, state and reason of each webhook, shortly.
fn told(hooks: &[Webhook]) -> Vec<String> {
    let one = |hook: &Webhook| {
        let json: Value = serde_json::from_str(&hook.json).expect("JSON");
        let text = |key: &str| json[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        let to = json["to"]["extension"].as_str().map(|to| format!(" {to}")).unwrap_or_default();
        let reason = json["disconnect_reason"].as_u64().map(|n| format!(" {n}")).unwrap_or_default();
        let path = hook.path.trim_start_matches("events/");
        format!("{path}{}{}{}{to}{reason}", text("location"), text("call_state"), text("recording_state"))
    };
    hooks.iter().map(one).collect()
}

#[test]
fn an_answered_call_is_told_byte_for_byte_as_captured() {
    let hooks = calls::answered(&call(), &petrova());
    let at = |place: usize| hooks[place].json.as_str();
    let leg = &serde_json::from_str::<Value>(at(1)).expect("JSON")["call_id"];
    let menu = &serde_json::from_str::<Value>(at(0)).expect("JSON")["call_id"];
    assert_eq!(
        at(0),
        format!(
            r#"{{"entry_id":"MTAwMDAwMDAwMDE=","call_id":{menu},"timestamp":1760000000,"seq":1,"call_state":"Appeared","location":"ivr","from":{{"number":"79990000001"}},"to":{{"number":"74950000001","line_number":"74950000001"}},"dct":{{"type":0}}}}"#
        )
    );
    assert_eq!(
        at(1),
        format!(
            r#"{{"entry_id":"MTAwMDAwMDAwMDE=","call_id":{leg},"timestamp":1760000000,"seq":1,"call_state":"Appeared","location":"abonent","from":{{"number":"79990000001","taken_from_call_id":{menu}}},"to":{{"extension":"12","number":"sip:petrova@vpbx100000001.mangosip.ru","line_number":"74950000001"}},"dct":{{"type":0}}}}"#
        )
    );
    assert_eq!(
        at(2),
        format!(
            r#"{{"entry_id":"MTAwMDAwMDAwMDE=","call_id":{menu},"timestamp":1760000003,"seq":2,"call_state":"Disconnected","location":"ivr","from":{{"number":"79990000001"}},"to":{{"number":"74950000001","line_number":"74950000001"}},"disconnect_reason":1100,"dct":{{"type":0}}}}"#
        )
    );
    let summary = r#"{"entry_id":"MTAwMDAwMDAwMDE=","call_direction":1,"from":{"number":"79990000001"},"to":{"extension":"12","number":"sip:petrova@vpbx100000001.mangosip.ru"},"line_number":"74950000001","create_time":1760000000,"forward_time":1760000003,"talk_time":1760000003,"end_time":1760000045,"entry_result":1,"disconnect_reason":1110}"#;
    assert!(hooks.iter().any(|hook| hook.path == "events/summary" && hook.json == summary));
    let added = r#"{"entry_id":"MTAwMDAwMDAwMDE=","product_id":300000001,"user_id":300000101,"timestamp":1760000060,"recording_id":"MToxMDAwMDAwMToxMDAwMDAwMDAwMTow"}"#;
    assert_eq!(hooks.last().map(|hook| (hook.path, hook.json.as_str())), Some(("events/record/added", added)));
    let completed = format!(
        r#"{{"recording_id":"MToxMDAwMDAwMToxMDAwMDAwMDAwMTow","recording_state":"Completed","seq":2,"entry_id":"MTAwMDAwMDAwMDE=","call_id":{leg},"extension":"12","timestamp":1760000045,"completion_code":1000,"recipient":"Cloud"}}"#
    );
    assert!(hooks.iter().any(|hook| hook.json == completed));
}

#[test]
fn a_missed_call_ends_without_talk_and_without_a_recording() {
    let hooks = calls::missed_new(&call(), &petrova());
    assert_eq!(
        told(&hooks),
        [
            "call ivr Appeared",
            "call abonent Appeared 12",
            "call ivr Disconnected 1100",
            "call abonent Disconnected 12 1111",
            "summary 12 1111",
        ]
    );
    assert_eq!(
        hooks[4].json,
        r#"{"entry_id":"MTAwMDAwMDAwMDE=","call_direction":1,"from":{"number":"79990000001"},"to":{"extension":"12","number":"sip:petrova@vpbx100000001.mangosip.ru"},"line_number":"74950000001","create_time":1760000000,"forward_time":1760000003,"talk_time":0,"end_time":1760000033,"entry_result":0,"disconnect_reason":1111}"#
    );
}

#[test]
fn an_outgoing_call_has_one_leg_and_its_summary_comes_first() {
    let hooks = calls::outgoing(&Call { recording: None, ..call() }, &petrova());
    assert_eq!(
        told(&hooks),
        ["call abonent Appeared", "call abonent Connected", "summary 1110", "call abonent Disconnected 1110",]
    );
    let first: Value = serde_json::from_str(&hooks[0].json).expect("JSON");
    assert_eq!(first["to"], json!({ "number": "79990000001" }));
    assert_eq!(first["sip_call_id"].as_str().map(str::len), Some(32));
    let unanswered = calls::outgoing(&Call { talk_s: 0, ..call() }, &petrova());
    assert_eq!(told(&unanswered), ["call abonent Appeared", "summary 1111", "call abonent Disconnected 1111",]);
}

#[test]
fn an_internal_call_has_two_extensions_and_no_line() {
    let hooks = calls::internal(&call(), &sidorov(), &petrova());
    let summary = hooks.iter().find(|hook| hook.path == "events/summary").expect("a summary");
    let summary: Value = serde_json::from_str(&summary.json).expect("JSON");
    assert_eq!(summary["call_direction"], 0);
    assert_eq!((&summary["from"]["extension"], &summary["to"]["extension"]), (&json!("23"), &json!("12")));
    assert!(summary.get("line_number").is_none());
}

#[test]
fn a_blind_transfer_opens_a_leg_taken_from_the_first() {
    let hooks = calls::blind_transfer(&call(), &petrova(), &sidorov());
    assert_eq!(
        told(&hooks),
        [
            "call ivr Appeared",
            "call abonent Appeared 12",
            "call ivr Disconnected 1100",
            "call abonent Connected 12",
            "recording Started",
            "call abonent Appeared 23",
            "call abonent Disconnected 12 1183",
            "call abonent Connected 23",
            "recording Continued",
            "call abonent Disconnected 23 1110",
            "recording Completed",
            "summary 12 1110",
            "record/added",
        ]
    );
    let event = |place: usize| serde_json::from_str::<Value>(&hooks[place].json).expect("JSON");
    assert_eq!(event(5)["from"]["taken_from_call_id"], event(1)["call_id"]);
    assert_eq!(event(5)["transfer"], "blind");
    assert_eq!(event(6)["to"]["was_transferred"], true);
}

#[test]
fn a_group_rings_everywhere_at_once_and_one_answers_or_nobody() {
    let group = [petrova(), sidorov()];
    let talk = Call { recording: None, ..call() };
    assert_eq!(
        told(&calls::ring_group(&talk, &group, Some(1))),
        [
            "call ivr Appeared",
            "call queue Appeared",
            "call ivr Disconnected 1100",
            "call abonent Appeared 12",
            "call abonent Appeared 23",
            "call abonent Connected 23",
            "call queue Disconnected 1100",
            "call abonent Disconnected 12 1100",
            "call abonent Disconnected 23 1110",
            "summary 23 1110",
        ]
    );
    let missed = calls::ring_group(&talk, &group, None);
    assert_eq!(told(&missed).last().map(String::as_str), Some("summary 12 1160"));
    let summary: Value = serde_json::from_str(&missed.last().expect("webhooks").json).expect("JSON");
    assert_eq!((&summary["to"], &summary["talk_time"]), (&json!({ "extension": "12" }), &json!(0)));
}

#[test]
fn a_hidden_caller_has_no_number_and_legs_of_two_calls_have_different_ids() {
    let hidden = Call { client: String::new(), ..call() };
    let event =
        |call: &Call| -> Value { serde_json::from_str(&calls::missed_new(call, &petrova())[0].json).expect("JSON") };
    assert_eq!(event(&hidden)["from"], json!({}));
    let other = Call { entry: "MTAwMDAwMDAwMDI=".to_owned(), ..call() };
    assert_ne!(event(&other)["call_id"], event(&call())["call_id"]);
}
