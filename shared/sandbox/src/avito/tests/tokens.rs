//! Specs of tokens.

use super::World;
use crate::avito::{Avito, Config, Manner};
use crate::http::{Request, Response};

fn exchange(avito: &mut Avito, grant: &str) -> Response {
    let Config { client_id, client_secret, .. } = Config::default();
    let form = format!("{grant}&client_id={client_id}&client_secret={client_secret}");
    avito.handle(&Request::new("POST", "/token/", form), 0)
}

fn text(answer: &Response, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_keys_alone_bring_a_token_for_a_day_and_no_refresh_token() {
    let mut avito = Avito::default();
    let answer = exchange(&mut avito, "grant_type=client_credentials");
    assert_eq!(answer.json()["expires_in"], 86_400);
    assert_eq!((text(&answer, "token_type"), text(&answer, "refresh_token")), ("Bearer".into(), String::new()));
    let wrong = Request::new("POST", "/token", "grant_type=client_credentials&client_id=a&client_secret=b");
    assert_eq!(avito.handle(&wrong, 0).status, 401);
}

#[test]
fn a_code_and_each_refresh_token_work_once() {
    let mut avito = Avito::default();
    let code = format!("grant_type=authorization_code&code={}", avito.grant_code());
    let first = exchange(&mut avito, &code);
    assert_eq!(first.status, 200);
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&first, "refresh_token"));
    let second = exchange(&mut avito, &refresh);
    assert_eq!((second.status, exchange(&mut avito, &refresh).status), (200, 400));
    assert_ne!(text(&first, "access_token"), text(&second, "access_token"));
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    assert_eq!(exchange(&mut avito, "grant_type=password").status, 400);
}

#[test]
fn a_code_that_comes_twice_ends_what_it_brought() {
    let mut avito = Avito::default();
    let code = format!("grant_type=authorization_code&code={}", avito.grant_code());
    let first = exchange(&mut avito, &code);
    assert_eq!((first.status, exchange(&mut avito, &code).status), (200, 400));
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&first, "refresh_token"));
    assert_eq!(exchange(&mut avito, &refresh).status, 400);
}

#[test]
fn who_opens_the_page_is_sent_back_with_a_code_or_a_refusal_and_the_state_as_it_was() {
    let mut avito = Avito::default();
    let open = |avito: &mut Avito, id: &str| {
        let page = format!("/oauth?response_type=code&client_id={id}&scope=user:read&state=a.b-c_d");
        let answer = avito.handle(&Request::new("GET", &page, ""), 0);
        (answer.status, answer.header("location").unwrap_or_default().to_owned())
    };
    let id = Config::default().client_id;
    let (status, back) = open(&mut avito, &id);
    let back = back.strip_prefix("http://127.0.0.1:8787/oauth/callback?code=").expect("back").to_owned();
    let (code, state) = back.split_once('&').expect("two");
    assert_eq!((status, state), (302, "state=a.b-c_d"));
    avito.behave(Manner { scope: "messenger:read".to_owned(), ..Manner::default() });
    let tokens = exchange(&mut avito, &format!("grant_type=authorization_code&code={code}"));
    assert_eq!((tokens.status, text(&tokens, "scope").as_str()), (200, "messenger:read"));
    avito.behave(Manner { refuses: true, scope: String::new(), ..Manner::default() });
    assert!(open(&mut avito, &id).1.contains("?error=access_denied&state="));
    assert_eq!(open(&mut avito, "another").0, 400);
}

#[test]
fn an_expired_token_is_answered_like_a_missing_right_and_an_unknown_one_is_not() {
    let list = "/messenger/v2/accounts/100000001/chats";
    let mut world = World::new();
    assert_eq!(world.get(list).status, 200);
    world.avito.expire_tokens();
    assert_eq!(world.get(list).status, 403);
    world.avito.behave(Manner { expired_status: 401, ..Manner::default() });
    assert_eq!(world.get(list).status, 401);
    world.token = "somebody's".to_owned();
    world.avito.behave(Manner::default());
    assert_eq!(world.get(list).status, 401);
    let mut world = World::new();
    world.now_ms += 86_400_000;
    assert_eq!(world.get(list).status, 403);
}
