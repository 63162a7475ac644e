//! The settings and the tokens.

use super::*;

fn problems(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Vec<String> {
    let mut secret = ours().0;
    change(&mut secret);
    PROVIDER.settings.check(&secret).into_iter().map(|problem| problem.field).collect()
}

fn pair() -> Secret {
    let mut secret = with_token(3600);
    secret.0.insert("refresh_token".into(), "TEST-REFRESH-TOKEN-0001".into());
    secret
}

fn play(secret: Secret) -> Play {
    Play { secret, ..Play::new(marking()) }
}

#[test]
fn the_number_of_the_account_and_its_keys_are_enough() {
    assert_eq!(problems(|_| {}), [""; 0]);
    assert_eq!(problems(|secret| _ = secret.insert("user_id".into(), "shop".into())), ["user_id"]);
    assert_eq!(problems(|secret| _ = secret.insert("client_secret".into(), "a b".into())), ["client_secret"]);
    assert_eq!(problems(|secret| _ = secret.insert("refresh_token".into(), String::new())), [""; 0]);
    assert_eq!(problems(|secret| _ = secret.insert("client_id".into(), String::new())), ["client_id"]);
}

#[test]
fn keys_alone_bring_the_first_token_and_every_other() {
    assert_eq!(Avito.refresh_due(&ours()), Some(Timestamp(0)));
    let play = play(ours());
    let request = play.with(|known| Avito.refresh(known)).expect("a request");
    golden("token-keys", &request);
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
    let token = reply(200, &answer("token-client"));
    let secret = play.with(|known| Avito.refreshed(known, &token)).expect("a token").secret;
    assert_eq!(secret.get("access_token"), "TEST-ACCESS-TOKEN-0001");
    assert_eq!((secret.get("issued_at"), secret.get("expires_at")), ("1772435701", "1772522101"));
    assert_eq!((secret.get("client_secret"), secret.get("refresh_token")), ("TEST-SECRET-0001", ""));
    // At four fifths of a day.
    assert_eq!(Avito.refresh_due(&secret), Some(Timestamp::from_seconds(1_772_435_701 + 69_120)));
}

#[test]
fn both_tokens_of_a_pair_change() {
    let play = play(pair());
    golden("token-pair", &play.with(|known| Avito.refresh(known)).expect("a request"));
    let token = reply(200, &answer("token-user"));
    let secret = play.with(|known| Avito.refreshed(known, &token)).expect("tokens").secret;
    assert_eq!(secret.get("access_token"), "TEST-ACCESS-TOKEN-0002");
    assert_eq!(secret.get("refresh_token"), "TEST-REFRESH-TOKEN-0002");
}

#[test]
fn keys_never_turn_into_somebody_elses_pair() {
    let play = play(ours());
    let token = reply(200, &answer("token-user"));
    let secret = play.with(|known| Avito.refreshed(known, &token)).expect("a token").secret;
    assert_eq!(secret.get("refresh_token"), "");
}

#[test]
fn without_keys_there_is_no_new_token() {
    let mut secret = with_token(60);
    secret.0.remove("client_secret");
    assert_eq!(Avito.refresh_due(&secret), None);
    assert_eq!(play(secret).with(|known| Avito.refresh(known)), None);
}

#[test]
fn a_token_of_unknown_age_is_used_until_it_is_refused() {
    let mut secret = with_token(60);
    secret.0.remove("expires_at");
    assert_eq!(Avito.refresh_due(&secret), None);
}

#[test]
fn refused_keys_a_dead_pair_and_a_senseless_answer_are_told_in_words() {
    let refused = |secret: Secret, status: u16, body: &Value| {
        let play = play(secret);
        play.with(|known| Avito.refreshed(known, &reply(status, body))).expect_err("refused")
    };
    let keys = refused(ours(), 401, &answer("error-401"));
    assert!(keys.contains("не принял client_id") && keys.contains("Unauthorized"), "{keys}");
    let dead = refused(pair(), 400, &json!({ "error": "invalid_grant" }));
    assert!(dead.contains("нужна новая авторизация") && dead.contains("invalid_grant"), "{dead}");
    for (status, body) in [(200, json!({})), (404, Value::Null)] {
        assert!(refused(ours(), status, &body).contains("не выдал токен"), "{status}");
    }
}
