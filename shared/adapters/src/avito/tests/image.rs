//! Pictures out: uploaded, sent, and found again.

use super::*;

const PICTURE: &str = "000000000000000000000000a0000fff";

/// As the list of messages shows it, seconds after we sent ours.
fn picture(id: &str, seconds: i64) -> Value {
    let created = NOW.seconds() + seconds;
    json!({ "id": id, "author_id": 100_000_001, "created": created, "type": "image", "direction": "out",
        "content": { "image": { "sizes": {} } } })
}

/// Uploaded, then sent, and the answer is lost.
fn lost() -> Play {
    let mut play = Play::new(picturing());
    assert_eq!(play.upload(200, &answer("uploaded")), Outcome::Next);
    play.lose();
    play
}

#[test]
fn a_picture_is_uploaded_and_sent_by_its_id() {
    let mut play = Play::new(picturing());
    assert_eq!(play.upload(200, &answer("uploaded")), Outcome::Next);
    assert_eq!(play.write("send-image", 200, &answer("sent-image")), Outcome::Next);
    assert_eq!(play.done(), ChatResult::Sent { message: PICTURE.into() });
}

#[test]
fn the_bytes_stand_in_the_only_part_of_the_form() {
    let Step::Upload { request, blob, at } = Play::new(picturing()).next() else { panic!("an upload") };
    assert_eq!(blob, "school/ads/images/1");
    let (head, tail) = request.body.split_at(at);
    let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
    let kind = request.headers.iter().find(|(name, _)| *name == "content-type").expect("a type");
    let boundary = kind.1.strip_prefix("multipart/form-data; boundary=").expect("a boundary");
    assert!(head.starts_with(&format!("--{boundary}\r\n")) && head.ends_with("Content-Type: image/png\r\n\r\n"));
    assert_eq!(tail, format!("\r\n--{boundary}--\r\n"));
    let Step::Upload { request: other, .. } = Play::of("chat/ads/u2i-1/9/0", picturing()).next() else { panic!("it") };
    assert!(!other.headers.contains(kind), "a boundary is one job's");
}

#[test]
fn an_upload_is_repeated_as_long_as_nobody_knows_what_came_of_it() {
    let mut play = Play::new(picturing());
    for (status, odd) in
        [(500, Value::Null), (200, json!({})), (200, json!([])), (200, json!({ "": {} })), (204, Value::Null)]
    {
        assert!(matches!(play.upload(status, &odd), Outcome::Unknown { .. }), "{status} {odd}");
    }
    assert_eq!(play.upload(200, &answer("uploaded")), Outcome::Next);
    let outcome = Play::new(picturing()).upload(400, &answer("error-400"));
    assert!(why(&outcome).contains("Avito отклонил запрос (400)"), "{outcome:?}");
}

#[test]
fn a_picture_whose_answer_is_lost_is_looked_up_before_it_is_sent_again() {
    let mut found = lost();
    let page = json!([picture(PICTURE, 1), sent_text()]);
    assert_eq!(found.read("send-image-look", 200, &page), Outcome::Next);
    assert_eq!(found.done(), ChatResult::Sent { message: PICTURE.into() });
    let mut absent = lost();
    let mut theirs = picture("c", 1);
    (theirs["author_id"], theirs["direction"]) = (json!(200_000_002), json!("in"));
    let page = json!([theirs, sent_text(), picture("old", -60)]);
    assert_eq!(absent.read("send-image-look", 200, &page), Outcome::NotThere);
    assert!(matches!(absent.next(), Step::Write { .. }), "the same picture, not uploaded again");
}

#[test]
fn a_picture_that_was_refused_is_uploaded_anew_when_its_job_is_put_back() {
    let mut play = lost();
    play.work.unknown = false;
    let mut work = play.work.clone();
    let outcome = play.with(|known| Avito.absorb(&mut work, known, &reply(400, &answer("error-400"))));
    assert!(why(&outcome).contains("(400)"), "{outcome:?}");
    assert!(matches!(Play { work, ..play }.next(), Step::Upload { .. }));
}

#[test]
fn the_picture_of_another_job_is_not_this_ones() {
    let mut first = Play::new(picturing());
    first.upload(200, &answer("uploaded"));
    first.write("send-image", 200, &answer("sent-image"));
    let mut second = Play { facts: first.facts.clone(), ..Play::of("chat/ads/u2i-1/9/0", picturing()) };
    assert_eq!(second.absorb(&reply(200, &answer("uploaded"))), Outcome::Next);
    second.lose();
    assert_eq!(second.absorb(&reply(200, &json!([picture(PICTURE, 0)]))), Outcome::NotThere);
}

fn sent_text() -> Value {
    answer("messages-array")[0].clone()
}
