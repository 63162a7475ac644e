//! Specs of what goes wrong with notices on purpose.

use serde_json::json;

use super::{World, body, shortly};
use crate::post::Post;
use crate::rostelecom::{Config, Manner, Placed, Trouble, TroubleKind, sign};

/// The notices of an answered call, one of which is hit.
fn hit(on: &str, kind: TroubleKind) -> Vec<Post> {
    let mut world = World::told();
    world.vats.behave(Manner { asks: false, ..Manner::default() });
    world.vats.trouble(Trouble { on: on.to_owned(), times: 1, kind });
    world.place(Placed { talk_s: 10, ..Placed::default() });
    world.rest(&json!({}))
}

fn states(posts: &[Post]) -> Vec<String> {
    posts.iter().map(|post| body(post)["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn header<'a>(post: &'a Post, name: &str) -> &'a str {
    post.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).expect("a header")
}

fn is_signed(post: &Post) -> bool {
    let key = Config::default().sign_key;
    header(post, "x-client-sign") == sign(header(post, "x-client-id"), &post.body, &key)
}

#[test]
fn a_notice_can_be_doubled_lost_swapped_or_followed_by_an_unknown_one() {
    let usual = ["new", "calling", "connected", "disconnected", "end"];
    assert_eq!(states(&hit("none", TroubleKind::Lost)), usual);
    assert_eq!(states(&hit("end", TroubleKind::Lost)), usual[..4]);
    assert_eq!(states(&hit("", TroubleKind::Twice)), ["new", "new", "calling", "connected", "disconnected", "end"]);
    let swapped = ["new", "connected", "calling", "disconnected", "end"];
    assert_eq!(states(&hit("calling", TroubleKind::Swapped)), swapped);
    assert_eq!(states(&hit("end", TroubleKind::Swapped)), usual, "nothing comes after it");
    let more = ["new", "calling", "connected", "disconnected", "end", "analytics"];
    assert_eq!(states(&hit("end", TroubleKind::Analytics)), more);
}

#[test]
fn a_state_can_have_blanks_and_a_reason_can_be_a_number() {
    assert_eq!(body(&hit("disconnected", TroubleKind::Blanks)[3])["state"], " disconnected ");
    let numeric = hit("disconnected", TroubleKind::NumericReason);
    assert_eq!(shortly(&body(&numeric[3])), "disconnected 101 5");
    assert!(numeric.iter().all(is_signed));
}

#[test]
fn a_notice_can_be_signed_by_nobody_or_by_somebody_else_or_claim_another_charset() {
    let forged = hit("connected", TroubleKind::BadSign);
    assert_eq!(forged.iter().map(is_signed).collect::<Vec<_>>(), [true, true, false, true, true]);
    let foreign = hit("connected", TroubleKind::UnknownClient);
    assert_ne!(header(&foreign[2], "x-client-id"), Config::default().client_id);
    assert!(is_signed(&foreign[2]));
    let wrong = hit("disconnected", TroubleKind::WrongCharset);
    assert_eq!(header(&wrong[3], "content-type"), "application/json; charset=windows-1251");
    assert!(is_signed(&wrong[3]) && body(&wrong[3])["disconnect_reason"] == "Отбой вызывающего абонента");
}

#[test]
fn the_question_can_be_forged_too() {
    let mut world = World::told();
    world.vats.trouble(Trouble { on: "get_number_info".to_owned(), times: 1, kind: TroubleKind::BadSign });
    world.place(Placed::default());
    assert!(!is_signed(&world.next()));
}
