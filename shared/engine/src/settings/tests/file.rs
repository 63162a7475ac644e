//! Specs of reading the file and its secrets, and of what is shown of it.

use perezvon_domain::policy::Popups;

use super::super::{Context, Problem, Reference, check, parse, resolve};
use super::{EXAMPLE, accepted, each_is_accepted, each_is_refused, example, refused};

fn unreadable(from: &str, to: &str) -> Vec<String> {
    assert!(EXAMPLE.contains(from), "{from}");
    let problems = parse(&EXAMPLE.replacen(from, to, 1)).expect_err("cannot be read");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_right_and_nothing_in_it_looks_wrong() {
    let checked = accepted(|_| {});
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.policy.version, 0);
    assert_eq!(checked.policy.scenarios[0].lines[0], "74950000001");
    let connections: Vec<&str> = checked.connections.iter().map(|(secret, _)| secret.connection.as_str()).collect();
    assert_eq!(connections, ["channel:main", "crm:main"]);
    assert_eq!(checked.tokens.len(), 2);
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_path() {
    let cases = [
        (
            "follow_transfers",
            "folow_transfers",
            "line 100, scenarios[0].folow_transfers: unknown field `folow_transfers`, expected one of `name`, `active`, `lines`, `exceptions`, `follow_transfers`, `contact_manager`, `forwarding`, `incoming_new`, `incoming_known`, `outgoing_new`, `outgoing_known`, `missed_new`, `missed_known`; correct the name or take it out",
        ),
        (
            "extension = \"10\"",
            "extension = 10",
            "line 21, employees[0].extension: invalid type: integer `10`, expected a string; put the value in quotes",
        ),
        ("due_in = \"1d\"", "", "line 120, scenarios[0].incoming_known.task: missing field `due_in`; add it"),
        (
            "crm_user = 504001",
            "crm_user = true",
            "line 23, employees[0].crm_user: expected the id of a CRM user, a number or a text; docs/settings.example.toml shows how it is written",
        ),
        (
            "id = \"petrova\"",
            "id = petrova",
            "line 18: not TOML: string values must be quoted, expected literal string; correct the spelling: https://toml.io/en/v1.0.0",
        ),
        (
            "tags = [\"звонок\"]",
            "tags = [\"звонок\", 7]",
            "line 108, scenarios[0].incoming_new.contact.tags[1]: invalid type: integer `7`, expected a string; put the value in quotes",
        ),
    ];
    for (from, to, problem) in cases {
        assert_eq!(unreadable(from, to), [problem], "{from}");
    }
    let two = EXAMPLE.replace("id = \"petrova\"", "id = petrova") + "\nx = = 1";
    assert_eq!(parse(&two).expect_err("cannot be read").len(), 2);
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused() {
    let problems = parse(&"#".repeat(1024 * 1024 + 1)).expect_err("too long");
    assert_eq!(problems[0].to_string(), "settings: the file has 1048577 bytes; keep it under 1048576");
}

#[test]
fn each_missing_secret_is_named_with_what_to_do() {
    let mut document = parse(EXAMPLE).expect("the example can be read");
    let before = document.clone();
    let look_up = |reference: Reference| match reference {
        Reference::Env(name) if name.ends_with("_KEY") => Ok("   ".to_owned()),
        Reference::Env(name) if name.ends_with("_SALT") => Ok("salt\n".to_owned()),
        other => Err(format!("not set: {other:?}")),
    };
    let problems = resolve(&mut document, &look_up).expect_err("two are missing");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "channels[0].secrets[0].key: the value is empty; set the environment variable `PBX_KEY` for this command",
            "crm.secret.token: not set: Env(\"CRM_TOKEN\"); set the environment variable `CRM_TOKEN` for this command",
        ]
    );
    assert_eq!(document, before);
}

#[test]
fn a_reference_is_a_variable_or_a_file_and_anything_else_is_the_value() {
    assert_eq!(Reference::of("env:KEY"), Some(Reference::Env("KEY".to_owned())));
    assert_eq!(Reference::of("file:/run/key"), Some(Reference::File("/run/key".to_owned())));
    assert_eq!(Reference::of("0123456789abcdef"), None);
    let mut document = parse(EXAMPLE).expect("the example can be read");
    resolve(&mut document, &|_| Ok("value\n".to_owned())).expect("all are known");
    assert!(document.channels[0].secrets[0].values().all(|secret| secret.0 == "value"));
}

#[test]
fn references_that_nobody_resolved_are_refused() {
    let document = parse(EXAMPLE).expect("the example can be read");
    let problems = check(&document, &Context::default()).expect_err("three references");
    assert_eq!(problems.len(), 3);
    assert_eq!(problems[0].what, "this is a reference, not the value");
}

#[test]
fn no_secret_is_shown_anywhere() {
    let document = example();
    let secret = document.crm.as_ref().expect("a CRM").secret["token"].0.clone();
    let checked = accepted(|_| {});
    for text in [format!("{document:?}"), format!("{checked:?}"), checked.document.clone()] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(checked.document.contains("\"token\":\"***\""), "{}", checked.document);
}

#[test]
fn the_digest_changes_with_a_secret_and_not_with_the_looks_of_the_file() {
    let digest = accepted(|_| {}).digest;
    assert_eq!(digest.len(), 64);
    let other_looks = EXAMPLE.replace("generation = 1\n", "");
    let mut document = parse(&other_looks).expect("readable");
    resolve(&mut document, &|reference| Ok(format!("{reference:?}"))).expect("known");
    assert_eq!(check(&document, &Context::default()).expect("right").digest, digest);
    let another = accepted(|it| it.channels[0].secrets[0].values_mut().for_each(|it| it.0.push('x')));
    assert_ne!(another.digest, digest);
    assert_ne!(another.tokens["channel:main"], accepted(|_| {}).tokens["channel:main"]);
}

#[test]
fn the_account_has_an_id_a_name_and_a_time_zone() {
    each_is_refused(&[
        (
            |it| it.account.id = "Ромашка".into(),
            &["account.id: `Ромашка` cannot be an id; write 1 to 40 lowercase latin letters, digits and dashes"],
        ),
        (
            |it| it.account.id = "a".repeat(41).as_str().into(),
            &[
                "account.id: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` cannot be an id; write 1 to 40 lowercase latin letters, digits and dashes",
            ],
        ),
        (|it| it.account.name = " ".into(), &["account.name: empty; write something here"]),
        (|it| it.account.name = "a".repeat(256), &["account.name: 256 characters; write at most 255"]),
        (
            |it| it.account.time_zone = "Moscow".into(),
            &["account.time_zone: there is no time zone `Moscow`; write an IANA name such as `Europe/Moscow`"],
        ),
    ]);
    each_is_accepted(&[
        |it| it.account.id = "a".repeat(40).as_str().into(),
        |it| it.account.name = "я".repeat(255),
        |it| it.account.time_zone = "Asia/Yekaterinburg".into(),
    ]);
}

#[test]
fn waits_have_limits() {
    each_is_refused(&[
        (|it| it.waits.recording_ms.0 = 0, &["waits.recording_ms: 0 is out of range; give 1 to 86400000"]),
        (
            |it| it.waits.final_after_silence_ms.0 = 86_400_001,
            &["waits.final_after_silence_ms: 86400001 is out of range; give 1 to 86400000"],
        ),
        (
            |it| it.waits.final_after_legs_ended_ms.0 = -1,
            &["waits.final_after_legs_ended_ms: -1 is out of range; give 1 to 86400000"],
        ),
    ]);
    each_is_accepted(&[|it| it.waits.recording_ms.0 = 1]);
}

#[test]
fn popups_are_off_without_their_section_and_on_in_it() {
    let (before, _) = EXAMPLE.split_once("[popups]").expect("the section is the last one");
    let popups = |section: &str| parse(&format!("{before}{section}")).map(|document| document.popups);
    let on = |ringing, answered| Ok(Some(Popups { ringing, answered }));
    assert_eq!(popups(""), Ok(None));
    assert_eq!(popups("[popups]"), on(true, true));
    assert_eq!(popups("[popups]\nringing = false"), on(false, true));
    assert!(popups("[popups]\ncrm = true").is_err());
    assert_eq!(accepted(|_| {}).policy.popups, Some(Popups { ringing: true, answered: true }));
}

#[test]
fn settings_that_do_not_fit_into_a_row_are_refused() {
    let problems = refused(|it| {
        let scenario = it.scenarios[0].clone();
        it.scenarios = (0..50).map(|_| scenario.clone()).collect();
        for (index, scenario) in it.scenarios.iter_mut().enumerate() {
            scenario.name = index.to_string();
            scenario.lines = vec![format!("line-{index}")];
            let rules = scenario.incoming_new.as_mut().expect("an event");
            rules.deal.as_mut().expect("a deal").tags = vec!["я".repeat(255); 40];
        }
    });
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("at most 350000 can be kept"), "{problems:?}");
}

#[test]
fn all_problems_are_reported_at_once_and_each_in_one_line() {
    let problems = refused(|it| {
        it.account.name = String::new();
        it.fallback = "nobody\nhere".into();
        it.scenarios[0].lines.push("84950000001".into());
    });
    assert_eq!(
        problems,
        [
            "account.name: empty; write something here",
            "fallback: there is no employee `nobody here`; write the id of one of the employees",
            "scenarios[0].lines[2]: `74950000001` stands in scenarios[0].lines[0] too; name each line once",
        ]
    );
    assert_eq!(Problem::new("", "a\nb", "c").to_string(), "settings: a b; c");
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_in_docs_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.schema.json");
    let schema = super::super::schema();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(path, &schema).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == schema, "run the tests with UPDATE_EXPECTED=1 and look at the difference");
}
