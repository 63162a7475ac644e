//! Specs of the call log: ordered, waited for, unpacked.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use serde_json::{Value, json};

use super::{World, body};
use crate::http::Response;
use crate::rostelecom::{Manner, Placed, What};

fn day(direction: u8, state: u8) -> Value {
    json!({ "date_start": "2026-03-02 00:00:00", "date_end": "2026-03-02 23:59:59", "direction": direction, "state": state })
}

/// A day with an answered call, a missed one and one of ours.
fn world() -> World {
    let mut world = World::told();
    world.vats.behave(Manner { asks: false, ..Manner::default() });
    world.place(Placed { talk_s: 10, ..Placed::default() });
    world.place(Placed::default());
    world.place(Placed { what: What::Outbound, talk_s: 5, recorded: false, ..Placed::default() });
    world.rest(&json!({}));
    world.now_ms += 60_000;
    world
}

fn order(world: &mut World, asked: Value) -> String {
    let answer = world.ask("domain_call_history", asked).json();
    answer["order_id"].as_str().expect("an order").to_owned()
}

fn download(world: &mut World, order: &str) -> Response {
    world.ask("download_call_history", json!({ "order_id": order }))
}

/// The one file of the archive.
fn unpacked(answer: &Response) -> String {
    let zip = &answer.body;
    assert_eq!(&zip[..4], b"PK\x03\x04");
    let number = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().expect("four bytes")) as usize;
    let name = usize::from(u16::from_le_bytes([zip[26], zip[27]]));
    let packed = &zip[30 + name..30 + name + number(18)];
    let mut file = String::new();
    DeflateDecoder::new(packed).read_to_string(&mut file).expect("deflated text");
    assert_eq!(file.len(), number(22));
    let mut crc = flate2::Crc::new();
    crc.update(file.as_bytes());
    assert_eq!(crc.sum() as usize, number(14));
    file
}

#[test]
fn a_history_is_not_there_at_first_then_an_archive_and_a_notice_tells_that_it_is() {
    let mut world = world();
    let id = order(&mut world, day(0, 0));
    assert_eq!(id, "100000001");
    for _ in 0..3 {
        let early = download(&mut world, &id);
        assert_eq!((early.status, early.header("content-type")), (404, Some("text/html; charset=utf-8")));
        assert!(
            String::from_utf8_lossy(&early.body).contains("File [") && world.vats.take_due(world.now_ms).is_empty()
        );
    }
    let file = unpacked(&download(&mut world, &id));
    let first = &world.vats.calls()[0].session;
    assert_eq!(
        file.lines().next(),
        Some(format!("{first};1;1;1;sip:79990000001@testdomain.20.rt.ru;;sip:74950000001@testdomain.20.rt.ru;sip:ivanov@testdomain.20.rt.ru;101;2026-03-02 10:15:00.101;10;false;true;false;0;").as_str())
    );
    assert_eq!(file.lines().count(), 3);
    let notice = world.next();
    assert_eq!((notice.method.as_str(), &body(&notice)["order_id"]), ("history_file_completed", &json!(id)));
}

#[test]
fn whoever_only_waits_is_told_after_some_minutes() {
    let mut world = world();
    let id = order(&mut world, day(0, 0));
    let ordered_ms = world.now_ms;
    assert_eq!(world.next().method, "history_file_completed");
    assert_eq!(world.now_ms, ordered_ms + 300_000);
    assert_eq!(download(&mut world, &id).status, 200);
}

#[test]
fn a_second_order_of_a_period_a_wrong_date_and_an_unknown_order_are_refused() {
    let mut world = world();
    order(&mut world, day(0, 0));
    let again = world.ask("domain_call_history", day(1, 0)).json();
    assert_eq!(again["result"], "-1");
    assert!(again["resultMessage"].as_str().expect("a text").contains("уже существует"));
    let epoch = json!({ "date_start": 1_772_398_800, "date_end": 1_772_485_199 });
    assert_eq!(world.ask("domain_call_history", epoch).json()["result"], "-1");
    let backwards = json!({ "date_start": "2026-03-02 10:00:00", "date_end": "2026-03-02 09:00:00" });
    assert_eq!(world.ask("domain_call_history", backwards).json()["result"], "-1");
    assert_eq!(download(&mut world, "7").status, 404);
}

#[test]
fn an_order_chooses_by_direction_state_and_number() {
    let lines = |asked: Value| -> usize {
        let mut world = world();
        world.vats.behave(Manner { history_polls: 0, ..Manner::default() });
        let id = order(&mut world, asked);
        unpacked(&download(&mut world, &id)).lines().count()
    };
    assert_eq!([lines(day(1, 0)), lines(day(2, 0)), lines(day(3, 0)), lines(day(0, 2))], [2, 1, 0, 1]);
    let number = |number: &str| json!({ "date_start": "2026-03-02 00:00:00", "date_end": "2026-03-02 23:59:59", "phone_number": number });
    assert_eq!([lines(number("+79990000001")), lines(number("79990000009"))], [3, 0]);
    assert_eq!(lines(json!({ "date_start": "2026-03-01 00:00:00", "date_end": "2026-03-01 23:59:59" })), 0);
}

#[test]
fn the_odd_ways_of_a_history_are_there_on_demand() {
    let mut world = world();
    let manner = Manner {
        history_polls: 1,
        history_missing_status: 200,
        history_empty_first: true,
        history_header: true,
        history_padding_mib: 2,
        ..Manner::default()
    };
    world.vats.behave(manner);
    let id = order(&mut world, day(0, 0));
    let early = download(&mut world, &id);
    assert_eq!((early.status, early.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(unpacked(&download(&mut world, &id)), "");
    let answer = download(&mut world, &id);
    let file = unpacked(&answer);
    assert!(file.starts_with("session_id;call_type;") && file.len() > 2 * 1024 * 1024 && answer.body.len() < 64 * 1024);
}
