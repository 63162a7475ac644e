//! Specs of channels and the CRM.

use perezvon_adapters::{ACCOUNT_ID, PROVIDERS, Provider, Role, SUBDOMAIN};
use perezvon_domain::Lane;

use super::super::{Context, Document, SecretText, check};
use super::{accepted, crm_address, each_is_accepted, each_is_refused, example, refused};

fn crm(document: &mut Document) -> &mut super::super::Crm {
    document.crm.as_mut().expect("a CRM")
}

fn second_channel(document: &mut Document) -> &mut super::super::Channel {
    let channel = document.channels[0].clone();
    document.channels.push(channel);
    &mut document.channels[1]
}

#[test]
fn a_channel_becomes_what_verify_and_the_worker_read() {
    let checked = accepted(|it| {
        let old = it.channels[0].secrets[0].clone();
        it.channels[0].secrets.push(old);
        it.channels[0].secrets[0].values_mut().for_each(|secret| secret.0.push_str("-new"));
        it.channels[0].active = false;
        it.channels[0].base = Some("https://example.com/vpbx/".into());
        it.channels[0].generation = 3;
    });
    let record = &checked.channels[0];
    assert_eq!((record.active, record.generation, record.secrets.len()), (false, 3, 2));
    let (connection, lane) = &checked.connections[0];
    assert_eq!((connection.base.as_str(), *lane), ("https://example.com/vpbx", Lane::Outbound));
    assert_eq!(connection.secret, record.secrets[0]);
    assert_eq!(checked.connections[1].1, Lane::Crm);
    assert_eq!(checked.policy.crm, Some("crm:main".into()));
    let rules = &checked.policy.channels[&"main".into()];
    assert_eq!(rules.connection, "channel:main".into());
    assert_ne!(rules.source, record.provider);
}

#[test]
fn a_channel_has_an_id_of_its_own_and_a_provider_of_telephony_or_chats() {
    each_is_refused(&[
        (
            |it| it.channels[0].id = "Main".into(),
            &["channels[0].id: `Main` cannot be an id; write 1 to 40 lowercase latin letters, digits and dashes"],
        ),
        (|it| it.channels[0].name = String::new(), &["channels[0].name: empty; write something here"]),
        (
            |it| _ = second_channel(it),
            &["channels[1].id: `main` stands in channels[0].id too; give each channel an id of its own"],
        ),
        (
            |it| it.channels[0].provider = "pigeons".into(),
            &["channels[0].provider: there is no provider `pigeons`; use one of telephony, chat…"],
        ),
        (
            |it| it.channels[0].provider = crm(it).provider.clone(),
            &["channels[0].provider: Crm is a CRM, not telephony or a channel of chats; use one of telephony, chat…"],
        ),
        (|it| crm(it).provider = "pigeons".into(), &["crm.provider: there is no provider `pigeons`; use one of crm"]),
        (
            |it| crm(it).provider = it.channels[0].provider.clone(),
            &["crm.provider: Telephony is telephony, not a CRM; use one of crm"],
        ),
        (
            |it| crm(it).id = "main crm".into(),
            &["crm.id: `main crm` cannot be an id; write 1 to 40 lowercase latin letters, digits and dashes"],
        ),
        (|it| it.channels[0].generation = 0, &["channels[0].generation: 0 is out of range; give 1 to 1000000"]),
    ]);
    each_is_accepted(&[
        |it| second_channel(it).id = "second".into(),
        |it| it.channels.clear(),
        |it| it.crm = None,
        |it| crm(it).id = "main-2".into(),
    ]);
}

#[test]
fn how_long_an_answer_may_take_is_said_where_somebody_waits_for_it() {
    each_is_refused(&[(
        |it| it.channels[0].answer_within_ms = Some(500),
        &["channels[0].answer_within_ms: Telephony asks nothing that it waits for; take it out"],
    )]);
    let asks = PROVIDERS.iter().find(|it| !it.capabilities.synchronous.is_empty()).expect("one that asks");
    let within = |ms| {
        let mut document = example();
        of_provider(&mut document, asks);
        document.channels[0].answer_within_ms = ms;
        check(&document, &Context::default()).map(|checked| checked.channels[0].answer_within_ms).ok()
    };
    assert_eq!([None, Some(150), Some(5000)].map(within), [Some(500), Some(150), Some(5000)]);
    assert_eq!([Some(149), Some(5001)].map(within), [None, None]);
}

#[test]
fn recordings_are_copied_where_a_link_to_one_plays_once() {
    let links = |last: bool| {
        let fits = |it: &&&Provider| it.capabilities.role == Role::Telephony && it.capabilities.links_last == last;
        let provider = PROVIDERS.iter().find(fits).expect("a PBX");
        refused(|it| {
            of_provider(it, provider);
            it.channels[0].copy_recordings = false;
        })
    };
    assert_eq!(links(true), [""; 0]);
    let [refusal] = &links(false)[..] else { panic!("one refusal") };
    assert!(refusal.starts_with("channels[0].copy_recordings: a link to a recording of "), "{refusal}");
    assert!(refusal.ends_with(" plays once: it must be copied; take it out"), "{refusal}");
}

/// The first channel as one of this provider.
fn of_provider(it: &mut Document, provider: &Provider) {
    let channel = &mut it.channels[0];
    channel.provider = provider.id.to_owned();
    let needed = provider.settings.secrets().iter().filter(|field| field.required).enumerate();
    let value = |index: usize| SecretText(format!("{}", 100_000_001 + index));
    channel.secrets = vec![needed.map(|(index, field)| (field.name.to_owned(), value(index))).collect()];
}

/// The first channel as one of chats, feeding the inbox of the example.
pub(super) fn chats(it: &mut Document) {
    let provider = PROVIDERS.iter().find(|it| it.capabilities.role == Role::Chat).expect("a messenger");
    of_provider(it, provider);
    it.channels[0].inbox = it.inboxes.first().map(|inbox| inbox.name.clone());
}

#[test]
fn two_channels_with_one_account_of_a_messenger_are_taken_and_warned_about() {
    let twice = |it: &mut Document| {
        chats(it);
        let mut second = it.channels[0].clone();
        second.id = "second".into();
        it.channels.push(second);
    };
    let warned = |checked: &super::super::Checked| {
        checked
            .warnings
            .iter()
            .any(|it| it.path == "channels[1]" && it.what.starts_with("`second` is the same account"))
    };
    let checked = accepted(twice);
    assert!(warned(&checked), "{:?}", checked.warnings);
    let [(one, first), (other, second)] = checked.claims.as_slice() else { panic!("{:?}", checked.claims) };
    assert_eq!((one, first.as_str(), second.as_str()), (other, checked.channels[0].channel.as_str(), "second"));
    let apart = accepted(|it| {
        twice(it);
        it.channels[1].secrets[0].insert("user_id".into(), SecretText("100000002".into()));
    });
    assert!(!warned(&apart) && apart.claims[0].0 != apart.claims[1].0);
    assert!(accepted(|_| {}).claims.is_empty(), "telephony answers nobody twice");
}

#[test]
fn a_channel_of_chats_feeds_one_inbox_with_what_its_provider_can() {
    let checked = accepted(chats);
    let rules = checked.policy.channels.values().next().expect("a channel");
    let inbox = rules.inbox.as_ref().expect("its inbox");
    assert_eq!((inbox.max_text, inbox.can_initiate, inbox.read_chat), (1000, false, true));
    assert_eq!(inbox.closing_text.is_some(), checked.document.contains("closing_text"));
    let problems = refused(|it| {
        chats(it);
        it.channels[0].inbox = None;
    });
    assert_eq!(problems, ["channels[0].inbox: missing; add it: the name of one of the `[[inboxes]]`"]);
    let problems = refused(|it| {
        chats(it);
        it.channels[0].inbox = Some("nobody's".to_owned());
    });
    let said = "channels[0].inbox: there is no inbox `nobody's`; write the name of one of the `[[inboxes]]`";
    assert_eq!(problems, [said]);
    let problems = refused(|it| it.channels[0].inbox = it.inboxes.first().map(|inbox| inbox.name.clone()));
    assert!(problems[0].starts_with("channels[0].inbox: ") && problems[0].ends_with("; take it out"), "{problems:?}");
}

#[test]
fn secrets_are_whole_and_those_of_the_provider() {
    each_is_refused(&[
        (|it| it.channels[0].secrets.clear(), &["channels[0].secrets: 0 of them; give 1 to 2"]),
        (
            |it| it.channels[0].secrets = vec![it.channels[0].secrets[0].clone(); 3],
            &["channels[0].secrets: 3 of them; give 1 to 2"],
        ),
        (|it| _ = it.channels[0].secrets[0].remove("salt"), &["channels[0].secrets[0].salt: missing; add it: …"]),
        (
            |it| _ = it.channels[0].secrets[0].insert("pepper".into(), SecretText("x".into())),
            &["channels[0].secrets[0].pepper: Telephony has no secret of this name; use key, salt"],
        ),
        (
            |it| it.channels[0].secrets[0].get_mut("key").expect("a key").0.clear(),
            &["channels[0].secrets[0].key: empty; give the value, `env:NAME` or `file:PATH`"],
        ),
        (
            |it| it.channels[0].secrets[0].get_mut("key").expect("a key").0 = "x".repeat(8193),
            &["channels[0].secrets[0].key: 8193 bytes; give at most 8192"],
        ),
        // What only the provider can say.
        (
            |it| it.channels[0].secrets[0].get_mut("key").expect("a key").0 = "a b".into(),
            &["channels[0].secrets[0].key: there is a space or a line break in it; …"],
        ),
        (|it| _ = crm(it).secret.remove("token"), &["crm.secret.token: …"]),
    ]);
    each_is_accepted(&[
        |it| it.channels[0].secrets = vec![it.channels[0].secrets[0].clone(); 2],
        |it| it.channels[0].secrets[0].get_mut("key").expect("a key").0 = "x".repeat(8192),
    ]);
}

#[test]
fn an_address_is_one_of_an_api_and_https() {
    each_is_refused(&[
        (|it| crm(it).base = None, &["crm.base: there is no address; write it like `https://example.com`"]),
        (
            |it| crm(it).base = Some("romashka.example.com".into()),
            &["crm.base: `romashka.example.com` is not an address of an API; write it like `https://example.com`"],
        ),
        (
            |it| crm(it).base = Some(crm_address("romashka").replace("https", "http")),
            &[
                "crm.base: `http://romashka.crm.ru` is not https: secrets would be readable on the way; write it like `https://example.com`; a test server is let through by `--allow-host romashka.crm.ru:80`",
            ],
        ),
        (
            |it| crm(it).base = Some(crm_address("a") + "@example.com"),
            &[
                "crm.base: `https://a.crm.ru@example.com` is not an address of an API; write it like `https://example.com`",
            ],
        ),
        (
            |it| crm(it).base = Some(crm_address("a") + ":8443"),
            &["crm.base: `https://a.crm.ru:8443` names a port; leave the port out"],
        ),
        (
            |it| crm(it).base = Some("https://[::1]".into()),
            &["crm.base: `https://[::1]` has no name of a host that we can read; write it like `https://example.com`"],
        ),
        (|it| crm(it).base = Some(crm_address(&"a".repeat(255))), &["crm.base: `https://…"]),
        (
            |it| it.channels[0].base = Some("http://127.0.0.1:8000".into()),
            &[
                "channels[0].base: `http://127.0.0.1:8000` is not https: secrets would be readable on the way; write it like `https://example.com`; a test server is let through by `--allow-host 127.0.0.1:8000`",
            ],
        ),
    ]);
}

#[test]
fn a_host_is_one_of_the_provider_if_it_names_any() {
    each_is_refused(&[
        (
            |it| crm(it).base = Some(crm_address("a") + ".example.com"),
            &["crm.base: `https://a.crm.ru.example.com` is not a host of this provider; use one of …"],
        ),
        (
            |it| crm(it).base = Some(crm_address("a").replace("a.", "a")),
            &["crm.base: `https://acrm.ru` is not a host of this provider; use one of …"],
        ),
        (
            |it| crm(it).base = Some(crm_address("example.com/")),
            &["crm.base: `https://example.com/.crm.ru` is not a host of this provider; use one of …"],
        ),
    ]);
    each_is_accepted(&[
        |it| crm(it).base = Some(crm_address("romashka-2") + "/"),
        |it| it.channels[0].base = Some("https://pbx.example.com/vpbx".into()),
    ]);
}

#[test]
fn the_laptop_switch_lets_one_host_and_port_through() {
    let context = Context { allow_hosts: ["127.0.0.1:8000".to_owned(), "crm.local:80".to_owned()].into() };
    let bases = [("http://127.0.0.1:8000", 1), ("http://crm.local", 1), ("http://127.0.0.1:8001", 0)];
    for (base, right) in bases {
        let mut document = example();
        crm(&mut document).base = Some(base.to_owned());
        assert_eq!(usize::from(check(&document, &context).is_ok()), right, "{base}");
    }
}

#[test]
fn times_have_limits() {
    each_is_refused(&[
        (
            |it| crm(it).times.request_timeout_ms = 10_001,
            &["crm.times.request_timeout_ms: 10001 is out of range; give 1 to 10000"],
        ),
        (|it| crm(it).times.backoff_ms = 0, &["crm.times.backoff_ms: 0 is out of range; give 1 to 1800000"]),
        (
            |it| it.channels[0].times.carried_out_within_ms = 0,
            &["channels[0].times.carried_out_within_ms: 0 is out of range; give 1 to 600000"],
        ),
        (
            |it| it.channels[0].times.pace_ms = Some(-1),
            &["channels[0].times.pace_ms: -1 is out of range; give 0 to 60000"],
        ),
        (
            |it| crm(it).times.longest_backoff_ms = 0,
            &["crm.times.longest_backoff_ms: 0 is out of range; give 1 to 86400000"],
        ),
        (|it| crm(it).times.after_dead_ms = -1, &["crm.times.after_dead_ms: -1 is out of range; give 0 to 60000"]),
        (
            |it| it.channels[0].times.recording_timeout_ms = 40_001,
            &["channels[0].times.recording_timeout_ms: 40001 is out of range; give 1 to 40000"],
        ),
        (
            |it| it.channels[0].times.lag_ms = Some(600_001),
            &["channels[0].times.lag_ms: 600001 is out of range; give 0 to 600000"],
        ),
    ]);
    let checked = accepted(|it| crm(it).times.lag_ms = Some(0));
    assert_eq!(checked.connections[1].0.times.lag_ms, Some(0));
    assert_eq!(refused(|it| it.channels[0].times.pace_ms = Some(0)), [""; 0]);
}

#[test]
fn the_crm_has_an_address_where_the_account_is_named_and_verify_gets_no_token() {
    assert_eq!(accepted(|_| {}).channels.len(), 1, "whoever names none has none");
    let checked = accepted(|it| {
        crm(it).account_id = Some("30000001".to_owned());
        crm(it).base = Some(crm_address("romashka"));
        crm(it).generation = 4;
    });
    let record = checked.channels.last().expect("a record");
    assert_eq!((record.channel.as_str(), record.generation, record.active), ("crm:main", 4, true));
    let [secret] = record.secrets.as_slice() else { panic!("one set, not {}", record.secrets.len()) };
    assert_eq!((secret.get(ACCOUNT_ID), secret.get(SUBDOMAIN), secret.0.len()), ("30000001", "romashka", 2));
    each_is_refused(&[
        (|it| crm(it).account_id = Some(String::new()), &["crm.account_id: `` is no number of an account; …"]),
        (
            |it| crm(it).account_id = Some("30 000".to_owned()),
            &["crm.account_id: `30 000` is no number of an account; …"],
        ),
        (|it| crm(it).generation = 0, &["crm.generation: …"]),
    ]);
}
