//! Access that an account gives in the browser.

use super::*;
use crate::authorise::Authorise;
use crate::settings::Settings as _;

const CODE: &str = "TEST-CODE/0001";

fn in_browser() -> Secret {
    let mut secret = ours();
    secret.0.insert("authorise".into(), "browser".into());
    secret
}

fn with<T>(secret: &Secret, see: impl FnOnce(&Known<'_>) -> T) -> T {
    Play { secret: secret.clone(), ..Play::new(marking()) }.with(see)
}

fn exchanged(body: &Value) -> Result<Secret, String> {
    with(&in_browser(), |known| Avito.exchanged(known, &reply(200, body))).map(|pair| pair.secret)
}

fn given() -> Secret {
    exchanged(&answer("token-user")).expect("tokens")
}

#[test]
fn the_page_names_the_application_and_the_three_rights() {
    let page = Avito.page(BASE, &in_browser()).expect("a page");
    assert_eq!(
        page,
        "https://avito.ru/oauth?response_type=code&pro_users_flow=true&client_id=TEST-CLIENT-0001\
         &scope=messenger:read,messenger:write,user:read"
    );
    let elsewhere = Avito.page("http://127.0.0.1:1/avito", &in_browser()).expect("a page");
    assert!(elsewhere.starts_with("http://127.0.0.1:1/avito/oauth?"), "{elsewhere}");
    assert_eq!(Avito.page(BASE, &ours()), None, "keys of one's own need nobody");
    let pair = Secret(with_token(60).0.into_iter().chain([("refresh_token".into(), "x".into())]).collect());
    assert_eq!(Avito.page(BASE, &pair), None, "nor does a pair from elsewhere");
}

#[test]
fn before_it_was_authorised_keys_alone_ask_for_nothing() {
    assert!(!Avito.is_given(&in_browser()));
    assert_eq!(with(&in_browser(), |known| Avito.refresh(known)), None);
    assert_eq!(Avito.refresh_due(&in_browser()), None);
}

#[test]
fn a_code_brings_a_pair_that_is_renewed_like_any_other() {
    golden("token-code", &with(&in_browser(), |known| Avito.exchange(known, CODE)));
    let secret = given();
    assert!(Avito.is_given(&secret));
    assert_eq!((secret.get("access_token"), secret.get("issued_at")), ("TEST-ACCESS-TOKEN-0002", "1772435701"));
    let refresh = with(&secret, |known| Avito.refresh(known)).expect("a request");
    assert!(String::from_utf8_lossy(&refresh.body).contains("refresh_token=TEST-REFRESH-TOKEN-0002"));
    let dead = with(&secret, |known| Avito.refreshed(known, &reply(400, &json!({ "error": "invalid_grant" }))));
    let dead = dead.expect_err("refused");
    assert!(dead.contains("нужна новая авторизация") && !dead.contains("примените"), "{dead}");
}

#[test]
fn all_three_rights_must_be_given_however_they_are_separated() {
    let told = |scope: Value| {
        let mut body = answer("token-user");
        body["scope"] = scope;
        exchanged(&body)
    };
    for scope in [json!("user:read messenger:write  messenger:read items:info"), Value::Null, json!("")] {
        assert!(told(scope.clone()).is_ok(), "{scope}");
    }
    let why = told(json!("messenger:read,items:info")).expect_err("too few");
    assert!(why.contains("messenger:write, user:read") && why.contains("ещё раз"), "{why}");
    assert!(!why.contains("messenger:read"), "{why}");
}

#[test]
fn a_refused_code_and_an_answer_without_a_pair_say_to_authorise_again() {
    let refused = |status, body: &Value| {
        with(&in_browser(), |known| Avito.exchanged(known, &reply(status, body))).expect_err("refused")
    };
    let why = refused(400, &json!({ "error": "invalid_grant" }));
    assert!(why.contains("авторизуйте канал ещё раз") && why.contains("invalid_grant"), "{why}");
    assert!(refused(200, &answer("token-client")).contains("refresh_token"));
    assert!(refused(200, &json!({})).contains("не выдал токен"));
    assert!(refused(404, &Value::Null).contains("404"));
}

#[test]
fn the_account_that_agreed_must_be_that_of_the_settings() {
    let secret = given();
    golden("own-account", &with(&secret, |known| Avito.whose(known)));
    let owner = |status, body: &Value| with(&secret, |known| Avito.owner(known, &reply(status, body)));
    let ours = owner(200, &answer("self")).expect("ours");
    assert_eq!((ours.id.as_str(), ours.name.as_str()), ("100000001", "Тестовый магазин"));
    let other = owner(200, &json!({ "id": 7, "name": "Другой" })).expect_err("another");
    assert!(other.contains("«Другой» (7)") && other.contains("100000001"), "{other}");
    for (status, body) in [(403, answer("error-403")), (500, Value::Null), (200, json!({}))] {
        let why = owner(status, &body).expect_err("nobody");
        assert!(why.contains("чей это аккаунт") && why.contains(&status.to_string()), "{why}");
    }
}

#[test]
fn what_was_given_belongs_to_its_application_and_account_alone() {
    let whole = Avito.with_given(&in_browser(), given());
    assert_eq!(whole, given());
    for name in ["user_id", "client_id"] {
        let mut own = in_browser();
        own.0.insert(name.into(), "8".into());
        assert_eq!(Avito.with_given(&own, given()), own, "{name}");
    }
    let mut own = in_browser();
    own.0.insert("client_secret".into(), "TEST-SECRET-0002".into());
    let whole = Avito.with_given(&own, given());
    assert_eq!((whole.get("client_secret"), Avito.is_given(&whole)), ("TEST-SECRET-0002", true));
}

#[test]
fn tokens_are_not_written_beside_the_wish_to_get_them_in_the_browser() {
    let problems = |secret: Secret| -> Vec<String> {
        PROVIDER.settings.check(&secret.0).into_iter().map(|problem| problem.field).collect()
    };
    assert_eq!(problems(in_browser()), [""; 0]);
    let mut both = in_browser();
    both.0.insert("refresh_token".into(), "x".into());
    assert_eq!(problems(both), ["refresh_token"]);
    let mut odd = in_browser();
    odd.0.insert("authorise".into(), "yes".into());
    assert_eq!(problems(odd), ["authorise"]);
}
