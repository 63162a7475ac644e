//! Specs of keys.

use super::*;

#[test]
fn an_outside_id_cannot_leave_its_place_in_a_key() {
    let account = AccountId::from("a#b");
    let key = call(&account, &ChannelId::from("main"), "MTA=#item/../x");
    assert_eq!(key.pk(), "a%23b#call#main#MTA=%23item%2F..%2Fx");
    let parts = (account.clone(), ChannelId::from("main"), "MTA=#item/../x".to_owned());
    assert_eq!((parse_call(&key), parse_chat(&key)), (Some(parts.clone()), None));
    let key = chat(&account, &parts.1, &parts.2);
    assert_eq!((parse_call(&key), parse_chat(&key), parse_history(&key)), (None, Some(parts.clone()), None));
    let row = message(&account, &parts.1, &parts.2, "m#1/~");
    assert_eq!(parse_history(&row), Some(("message", "m#1/~".to_owned())));
    let (from, to) = history_range();
    let sent = sent(&account, &parts.1, &parts.2, &EffectId::from("chat/zz~/1/0"));
    assert!([&row, &sent].iter().all(|key| from.as_str() <= key.sk() && key.sk() <= to.as_str()));
}

#[test]
fn claims_to_one_account_stand_between_their_bounds_and_others_do_not() {
    let (school, ads) = (AccountId::from("school#1"), ChannelId::from("ads"));
    let key = claim(&claim_place("shop", "1#2"), &school, &ads);
    assert_eq!(parse_claim(&key), Some(("shop#1%232".to_owned(), school.clone(), ads.clone())));
    let (from, to) = claim_range(&claim_place("shop", "12"));
    let within = |id: &str| {
        let key = claim(&claim_place("shop", id), &school, &ads);
        from.as_str() <= key.sk() && key.sk() <= to.as_str()
    };
    assert_eq!(["12", "1", "123", "12#3"].map(within), [true, false, false, false]);
}

#[test]
fn jobs_sort_by_the_time_of_their_item() {
    let place = |at, id: &str| job_place(Timestamp(at), &EffectId::from(id));
    assert!(place(999, "call/z/1/0") < place(1000, "call/a/1/0"));
    assert!(first_place(Timestamp(1000), &EffectId::from("call/z/1/0")) < place(1, "call/a/1/0"));
}
