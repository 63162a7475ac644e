//! The question and its answers, over recorded bytes.

use perezvon_domain::answer::{Answered, Question};

use super::{Rostelecom, bytes, ours, posted, sign};
use crate::{Answer, Answering, Intake};

const PATH: &str = "get_number_info";

fn asked(path: &str, body: &[u8]) -> Result<Question, String> {
    let request = posted(path, body);
    let verified = Rostelecom.verify(&request, &[ours()]).expect("signed");
    Rostelecom.question(&verified).map_err(|malformed| malformed.to_string())
}

fn of(caller: &str) -> Option<String> {
    let body = format!(r#"{{"domain":"d","from_number":{caller},"request_number":"sip:74950000001@d"}}"#);
    asked(PATH, body.as_bytes()).map(|question| question.caller).ok()
}

#[test]
fn a_question_names_the_line_and_the_caller() {
    let expected = Question { line: "74950000001".to_owned(), caller: "+79990000001".to_owned() };
    assert_eq!(asked(PATH, &bytes("in/get_number_info.body")), Ok(expected));
}

#[test]
fn the_caller_is_read_in_any_spelling_and_what_is_no_number_is_nobody() {
    for caller in ["\"+79990000001\"", "\"89990000001\"", "\"sip:79990000001@188.254.33.1\"", "79990000001"] {
        assert_eq!(of(caller).as_deref(), Some("+79990000001"), "{caller}");
    }
    for caller in ["\"\"", "null", "\"anonymous\"", "\"102\"", "\"sip:petrova79990000001@d\""] {
        assert_eq!(of(caller).as_deref(), Some(""), "{caller}");
    }
}

#[test]
fn what_asks_nothing_is_malformed() {
    for (path, body) in [
        ("call_events", &b"{\"request_number\":\"74950000001\"}"[..]),
        (PATH, b"{}"),
        (PATH, b"[]"),
        (PATH, b"{broken"),
        (PATH, b"{\"request_number\":{}}"),
    ] {
        assert!(asked(path, body).is_err(), "{path} {}", String::from_utf8_lossy(body));
    }
}

#[test]
fn an_answer_is_signed_as_everything_else() {
    let route =
        Answered {
            display_name: "Щербакова Ёлка".to_owned(), extension: Some("102".into()), because: Vec::new()
        };
    let name = Answered { display_name: "Новый клиент".to_owned(), ..Answered::default() };
    for (file, answered) in [("told/number_info_route.json", route), ("told/number_info_no_route.json", name)] {
        let body = bytes(file);
        let expected = Answering { headers: sign::headers(&body, &ours()), body };
        assert_eq!(Rostelecom.reply(&answered, &ours()), expected, "{file}");
    }
}

#[test]
fn a_refusal_says_nothing_and_is_not_signed() {
    let refusal = Rostelecom.refusal();
    assert_eq!(refusal.body, bytes("told/number_info_refused.json"));
    assert_eq!(refusal.headers, [("content-type", "application/json".to_owned())]);
}
