//! Specs of the settings and of the tokens.

use super::super::PROVIDER;
use super::*;

fn secret(values: &[(&str, &str)]) -> Secret {
    Secret(values.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

fn pair() -> Secret {
    secret(&[
        ("access_token", "TEST.ACCESS.JWT-1"),
        ("refresh_token", "TEST-REFRESH-1"),
        ("client_id", "11111111-aaaa-4bbb-8ccc-000000000001"),
        ("client_secret", "TEST-SECRET"),
        ("redirect_uri", "https://hub.example.test/amocrm/oauth"),
        ("expires_at", "1736940000"),
    ])
}

fn with_pair() -> Play {
    let mut play = Play::new(Command::FindClient { client: number().into() });
    play.secret = pair();
    play
}

fn problems(secret: &Secret) -> Vec<String> {
    PROVIDER.settings.check(&secret.0).into_iter().map(|problem| problem.field).collect()
}

#[test]
fn a_long_lived_token_or_a_whole_pair_is_enough() {
    assert!(problems(&secret(&[("token", "TEST-TOKEN")])).is_empty());
    assert!(problems(&pair()).is_empty());
}

#[test]
fn what_is_missing_is_named_with_the_place_to_find_it() {
    let found = PROVIDER.settings.check(&BTreeMap::new());
    assert_eq!(found.len(), 1);
    assert!(found[0].instead.contains("Ключи и доступы -> Долгосрочный токен"));
    let mut half = pair();
    half.0.remove("client_secret");
    half.0.remove("redirect_uri");
    assert_eq!(problems(&half), ["client_secret", "redirect_uri"]);
}

#[test]
fn a_token_with_a_space_in_it_was_copied_wrong() {
    assert_eq!(problems(&secret(&[("token", "Bearer TEST-TOKEN")])), ["token"]);
}

#[test]
fn every_request_carries_the_token_in_use() {
    let mut both = with_pair();
    both.secret.0.insert("token".into(), "TEST-TOKEN".into());
    for (play, token) in [(with_pair(), "Bearer TEST.ACCESS.JWT-1"), (both, "Bearer TEST-TOKEN")] {
        let Step::Read(request) = play.next() else { panic!("a read") };
        assert!(request.headers.contains(&("authorization", token.to_owned())));
    }
}

#[test]
fn a_long_lived_token_is_never_exchanged() {
    let play = Play::new(Command::FindClient { client: number().into() });
    assert_eq!(AmoJobs.refresh(&play.known()), None);
    assert_eq!(AmoJobs.refresh_due(&play.secret), None);
}

#[test]
fn a_pair_is_exchanged_ten_minutes_ahead() {
    let due = AmoJobs.refresh_due(&pair());
    assert_eq!(due, Some(Timestamp::from_seconds(1_736_939_400)));
    let play = with_pair();
    let request = AmoJobs.refresh(&play.known()).expect("a request");
    assert_eq!(request.url, "https://example.amocrm.ru/oauth2/access_token");
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body["grant_type"], "refresh_token");
    assert_eq!(body["refresh_token"], "TEST-REFRESH-1");
    assert_eq!(body["redirect_uri"], "https://hub.example.test/amocrm/oauth");
}

#[test]
fn both_tokens_change_and_the_rest_of_the_secret_stays() {
    let play = with_pair();
    let answer = reply(200, &sample("token"));
    let pair = AmoJobs.refreshed(&play.known(), &answer).expect("tokens").secret;
    assert_eq!(pair.get("access_token"), "TEST.ACCESS.JWT-2");
    assert_eq!(pair.get("refresh_token"), "TEST-REFRESH-2");
    assert_eq!(pair.get("expires_at"), "1737022830");
    assert_eq!(pair.get("client_secret"), "TEST-SECRET");
}

#[test]
fn a_revoked_token_and_a_senseless_answer_are_told_in_words() {
    let play = with_pair();
    let revoked = reply(401, &json!({ "hint": "Token has been revoked" }));
    let why = AmoJobs.refreshed(&play.known(), &revoked).expect_err("refused");
    assert!(why.contains("нужен новый токен") && why.contains("revoked"), "{why}");
    for (status, body) in [(200, json!({})), (502, Value::Null)] {
        let why = AmoJobs.refreshed(&play.known(), &reply(status, &body)).expect_err("no tokens");
        assert!(why.contains("не выдала"), "{why}");
    }
}
