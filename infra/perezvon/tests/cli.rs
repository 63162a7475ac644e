//! The command line as a person meets it: what it prints, how it ends, what its errors say.

mod support;

use support::{Process, run, stderr, stdout};

/// The smallest settings there are.
const SMALL: &str = r#"
fallback = "petrova"
account = { id = "acme", name = "Пример", time_zone = "Europe/Moscow" }
employees = [{ id = "petrova", name = "Петрова" }]
"#;

fn written(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("a path").to_owned();
    (folder, file)
}

#[test]
fn help_shows_the_first_steps_and_a_wrong_command_ends_with_two() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["First steps", "local", "explain", "backup", "quarantine"] {
        assert!(stdout(&help).contains(word), "{word}");
    }
    let wrong = run(&["explan"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("explain"), "{}", stderr(&wrong));
}

#[test]
fn check_ends_with_zero_for_good_settings_and_with_one_for_bad_ones() {
    let (_folder, file) = written(SMALL);
    let good = run(&["check", &file]);
    assert_eq!((good.status.code(), stderr(&good).as_str()), (Some(0), ""));
    assert!(stdout(&good).contains("fine: account acme"), "{}", stdout(&good));

    let (_folder, file) = written(&SMALL.replace("Europe/Moscow", "Mars/Base"));
    let bad = run(&["check", &file]);
    assert_eq!(bad.status.code(), Some(1));
    let text = stdout(&bad);
    assert!(text.starts_with("account.time_zone: ") && text.contains("Europe/Moscow"), "{text}");

    let bad = run(&["check", "no-such-file.toml"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stdout(&bad).contains("no-such-file.toml") || stdout(&bad).contains("cannot be read"));
}

#[test]
fn hours_tells_what_the_clock_of_the_account_says_and_needs_no_secrets() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.example.toml");
    let told = |words: &[&str]| {
        let output = run(&[&["hours", "--settings", example], words].concat());
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let off = "Sat 2026-11-21 23:10:00 +03:00, Europe/Moscow: off hours\n\
               next open:  Mon 2026-11-23 09:00:00 +03:00\n\
               next close: Sat 2026-11-21 23:10:00 +03:00 (closed already)\n";
    for at in ["2026-11-21T23:10", "2026-11-21T20:10Z", "2026-11-21T20:10:00+00:00"] {
        assert_eq!(told(&["--at", at]), (Some(0), off.to_owned(), String::new()), "{at}");
    }
    let working = "Thu 2026-12-31 12:30:00 +03:00, Europe/Moscow: working time\n\
                   next open:  Thu 2026-12-31 12:30:00 +03:00 (open already)\n\
                   next close: Thu 2026-12-31 15:00:00 +03:00\n";
    assert_eq!(told(&["--at", "2026-12-31 12:30"]).1, working);
    let json: serde_json::Value = serde_json::from_str(&told(&["--at", "2026-11-21T23:10", "--json"]).1).expect("JSON");
    let at = 1_795_291_800_000_i64;
    let expected = serde_json::json!({
        "account": "romashka", "time_zone": "Europe/Moscow", "at": at, "is_open": false,
        "next_open": at + 121_800_000, "next_close": at,
    });
    assert_eq!(json, expected);
    assert_eq!(told(&[]).0, Some(0), "now");
    let (code, _, wrong) = told(&["--at", "tomorrow"]);
    assert!(code == Some(1) && wrong.contains("2026-11-21T23:10"), "{wrong}");
}

#[test]
fn hours_says_never_names_what_is_wrong_and_asks_which_of_two_times_is_meant() {
    let told = |settings: &str, at: &str| {
        let (_folder, file) = written(settings);
        let output = run(&["hours", "--settings", &file, "--at", at]);
        (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
    };
    let (code, text) = told(&format!("{SMALL}[hours]\n"), "2026-11-21T23:10");
    assert!(code == Some(0) && text.contains("next open:  never\n"), "{text}");
    assert!(told(SMALL, "2026-11-21T23:10").1.contains("next close: never\n"));
    let wrong = format!("{SMALL}[hours]\nmonday = ['09:00-13:00', '12:00-14:00']\n");
    let (code, text) = told(&wrong, "2026-11-21T23:10");
    assert!(code == Some(1) && text.starts_with("hours.monday[1]: `12:00-14:00` overlaps"), "{text}");
    let berlin = SMALL.replace("Moscow", "Berlin");
    let (code, text) = told(&berlin, "2026-10-25T02:30");
    assert!(code == Some(1) && text.contains("`2026-10-25T02:30:00+02` or `2026-10-25T02:30:00+01`"), "{text}");
    assert!(told(&berlin, "2026-10-25T02:30:00+01").1.starts_with("Sun 2026-10-25 02:30:00 +01:00"));
    let (code, text) = told(&berlin, "2026-03-29T02:30");
    assert!(code == Some(1) && text.contains("is left out"), "{text}");
}

#[test]
fn what_sign_makes_verify_believes_and_a_changed_byte_it_refuses() {
    let secrets = ["--key", "invented-key", "--salt", "invented-salt"];
    let url = "http://127.0.0.1:8787/h/token";
    let mut words = vec!["sign", "mango", "--example", "1", "--url", url];
    words.extend(secrets);
    let signed = run(&words);
    assert_eq!(signed.status.code(), Some(0), "{}", stderr(&signed));
    let text = stdout(&signed);
    let (body, rest) = text.split_once("\n\n").expect("the body and the command");
    assert!(rest.starts_with("curl ") && rest.contains(&format!("{url}/events/call")), "{rest}");
    assert!(!text.contains("invented-salt"), "the salt never travels");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("body");
    let verify = |body: &str| {
        std::fs::write(&file, body).expect("a file");
        let mut words = vec!["verify", "mango", "--body", file.to_str().expect("a path")];
        words.extend(secrets);
        run(&words)
    };
    let believed = verify(&format!("{body}\n"));
    assert_eq!(believed.status.code(), Some(0), "{}", stdout(&believed));
    assert!(stdout(&believed).contains("believed"), "{}", stdout(&believed));
    let refused = verify(&body.replace("Appeared", "Connected"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("refused") && stdout(&refused).contains("salt"), "{}", stdout(&refused));
}

#[test]
fn sign_without_a_payload_lists_the_examples_and_an_unknown_secret_is_told() {
    let listed = run(&["sign", "mango", "--key", "k", "--salt", "s"]);
    assert_eq!(listed.status.code(), Some(1));
    let text = stderr(&listed);
    assert!(text.contains("--example N") && text.contains("events/summary"), "{text}");
    let missing = run(&["sign", "mango", "--example", "1", "--key", "k"]);
    assert!(stderr(&missing).contains("--secret salt=VALUE"), "{}", stderr(&missing));
    let unknown = run(&["sign", "nobody", "--example", "1"]);
    assert!(stderr(&unknown).contains("use one of"), "{}", stderr(&unknown));
}

#[test]
fn a_server_that_is_not_there_is_told_with_the_way_to_start_it() {
    let address = format!("http://{}", support::free_address());
    let output = run(&["urls", "--server", &address, "--token", "x", "--account", "acme"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("perezvon local"), "{}", stderr(&output));
}

#[test]
fn restore_refuses_what_is_no_backup_and_what_is_not_empty() {
    let (folder, file) = written(SMALL);
    let new = folder.path().join("new");
    let new = new.to_str().expect("a path");
    let output = run(&["restore", &file, "--data", new]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("perezvon backup"), "{}", stderr(&output));
    let full = run(&["restore", &file, "--data", folder.path().to_str().expect("a path")]);
    assert!(stderr(&full).contains("not empty"), "{}", stderr(&full));
}

/// The commands that ask a server, on a running one.
#[test]
fn a_server_is_set_up_and_asked_from_the_command_line() {
    let (folder, file) = written(SMALL);
    let data = folder.path().join("data");
    let server = Process::local(support::free_address(), &data, &[]);
    let (url, data) = (format!("http://{}", server.address), data.to_str().expect("a path"));
    let ask = |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--server", &url, "--data", data]);
        run(&all)
    };
    let fails = |words: &[&str], with: &str| {
        let output = ask(words);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert!(output.status.code() == Some(1) && text.contains(with), "{words:?}: {text}");
    };
    let says = |words: &[&str], text: &str| {
        let output = ask(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
        assert!(stdout(&output).contains(text), "{words:?}: {}", stdout(&output));
    };
    fails(&["urls"], "perezvon apply FILE");
    says(&["apply", &file, "--dry-run"], "account.name");
    says(&["apply", &file], "applied as version 1");
    says(&["apply", &file], "says the same");
    std::fs::write(&file, SMALL.replace("fallback = \"petrova\"", "fallback = \"nobody\"")).expect("a file");
    fails(&["apply", &file], "fallback: ");
    says(&["urls"], "no channel yet");
    says(&["connections"], "no connection yet");
    says(&["quarantine", "list"], "nothing is held");
    says(&["jobs", "list"], "none");
    says(&["jobs", "list", "--state", "open", "--json"], "\"jobs\": []");
    fails(&["jobs", "retry", "abc"], "perezvon jobs list");
    fails(&["explain", "+79990001122"], "no call of +79990001122");
    fails(&["revoke", "+79990001122"], "no call of +79990001122");
    fails(&["revoke", "main:nothing"], "Проверьте адрес");
    says(&["token", "petrova", "--days", "1"], "operator, good until");
    fails(&["token", "nobody"], "сотрудник");
    fails(&["urls", "--token", "wrong"], "--token");
    fails(&["urls", "--account", "other"], ".");
}

#[test]
fn the_owners_token_is_made_from_a_person_key_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("person");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef\n").expect("a file");
    let path = file.to_str().expect("a path");
    let made = run(&["token", "--person-key", path]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).trim().contains('.') && stdout(&made).lines().count() == 1, "{}", stdout(&made));
    std::fs::write(&file, "short").expect("a file");
    let short = run(&["token", "--person-key", path]);
    assert!(stderr(&short).contains("no person key"), "{}", stderr(&short));
}

#[test]
fn the_calls_of_the_demo_are_signed_a_line_each() {
    let signed = run(&["sign", "mango", "--demo", "--key", "invented-key", "--salt", "invented-salt"]);
    assert_eq!(signed.status.code(), Some(0), "{}", stderr(&signed));
    let text = stdout(&signed);
    assert!(text.lines().count() > 10 && text.lines().all(|line| line.contains("\"headers\":")), "{text}");
    for part in ["events/summary", "\"call\":1", "\"call\":3", "vpbx_api_key=invented-key"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("invented-salt"), "the salt never travels");
}

/// What `simulate` says of the example from a Saturday evening on.
fn simulated(words: &[&str]) -> (Option<i32>, String) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.example.toml");
    let output = run(&[&["simulate", "--settings", example, "--at", "2026-11-21T23:10"], words].concat());
    (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
}

#[test]
fn simulate_tells_a_saturday_night_that_nobody_answers() {
    let expected = "\
21.11.2026 23:10:00, суббота: клиент пишет: «Ещё продаётся?»
    обращение получает группа «Продажи»: ждёт до понедельника 09:00
    суббота 23:10, нерабочее время: автоответ 1 в 23:12; закроется в понедельник 23:10, если никто не напишет
    дальше: автоответ в 23:12, закрытие в понедельник 23:10
21.11.2026 23:12:00, суббота: время автоответа
    отправляется автоответ 1: клиенту ещё никто не ответил
    клиенту отправлено: «Спасибо, что написали! Ответим в рабочее время.»
    дальше: закрытие в понедельник 23:10
23.11.2026 23:10:00, понедельник: время закрытия
    обращение закрыто: никто не писал с момента «суббота 23:10»
    клиенту отправляется сообщение о закрытии
    клиенту отправлено: «Если остались вопросы, напишите нам снова.»
    дальше: ничего
";
    assert_eq!(simulated(&["+0 client:Ещё продаётся?"]), (Some(0), expected.to_owned()));
    assert_eq!(simulated(&["--inbox", "Чаты", "+0", "client:Ещё", "продаётся?"]).1, expected);
}

#[test]
fn simulate_stops_autoreplies_at_the_first_reply_and_says_what_may_not_be_done() {
    let expected = "\
21.11.2026 23:10:00, суббота: Иван Иванов отвечает: «Ответ»
    ничего не меняется: клиент ещё не писал, а первыми писать нельзя
    дальше: ничего
21.11.2026 23:10:30, суббота: клиент пишет
    обращение получает группа «Продажи»: ждёт до понедельника 09:00
    суббота 23:10, нерабочее время: автоответ 1 в 23:12; закроется в понедельник 23:10, если никто не напишет
    дальше: автоответ в 23:12, закрытие в понедельник 23:10
21.11.2026 23:11:00, суббота: Мария Петрова отвечает: «Да, приезжайте»
    Мария Петрова ответил первым и стал ответственным
    ответил Мария Петрова: автоответов больше не будет
    чат отмечен прочитанным
    клиенту отправлено: «Да, приезжайте»
    дальше: закрытие в понедельник 23:11
21.11.2026 23:15:00, суббота: Иван Иванов закрывает обращение
    Иван Иванов закрыл обращение
    клиенту отправляется сообщение о закрытии
    клиенту отправлено: «Если остались вопросы, напишите нам снова.»
    дальше: ничего
21.11.2026 23:20:00, суббота: канал отключают
    ничего не меняется
    дальше: ничего
";
    let events = ["+0 reply", "+300 close", "+30 client", "+60 reply@petrova:Да, приезжайте", "+600 off"];
    assert_eq!(simulated(&events), (Some(0), expected.to_owned()));
}

#[test]
fn simulate_gives_programs_an_array() {
    let (code, text) = simulated(&["+0 client:Ещё продаётся?", "--json"]);
    assert_eq!(code, Some(0), "{text}");
    let timeline: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(timeline.as_array().map(Vec::len), Some(3));
    let at = 1_795_291_800_000_i64;
    let expected = serde_json::json!({
        "at": at + 120_000, "local": "2026-11-21T23:12:00+03:00", "event": "ReplyDue", "changed": true,
        "effects": ["SendMessage (autoreply 1)"], "sent": ["Спасибо, что написали! Ответим в рабочее время."],
        "because": ["отправляется автоответ 1: клиенту ещё никто не ответил"],
        "reply_due": null, "close_due": at + 48 * 3_600_000,
    });
    assert_eq!(timeline[1], expected);
}

#[test]
fn simulate_names_what_is_wrong_with_events_inbox_time_and_settings() {
    let fails = |words: &[&str], with: &str| {
        let (code, text) = simulated(words);
        assert!(code == Some(1) && text.contains(with), "{words:?}: {text}");
    };
    fails(&["client"], "write `+SECONDS kind` or `+SECONDS kind:text`");
    fails(&["--", "+0 client:да", "-5 client"], "`-5 client`: this is no event");
    fails(&["+9999999999 client"], "write `+0` to `+315360000` seconds");
    fails(&["--inbox", "Почта", "+0 client"], "there is no inbox `Почта`: write --inbox with one of `Чаты`");
    for words in [&[][..], &["-5 client"]] {
        let (code, text) = simulated(words);
        assert!(code == Some(2) && text.contains("'+SECONDS kind[:text]'"), "{words:?}: {text}");
    }
    let told = |settings: &str, at: &str| {
        let (_folder, file) = written(settings);
        let output = run(&["simulate", "--settings", &file, "--at", at, "+0 client"]);
        (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
    };
    let fails = |settings: &str, at: &str, with: &str| {
        let (code, text) = told(settings, at);
        assert!(code == Some(1) && text.contains(with), "{text}");
    };
    fails(SMALL, "2026-11-21", "add a section `[[inboxes]]`");
    let one = "[[inboxes]]\nname = 'a'\nreceiver = { employee = 'petrova' }\n";
    let two = format!("{SMALL}{one}{}", one.replace("'a'", "'b'"));
    fails(&two, "2026-11-21", "which inbox? Write --inbox with one of `a`, `b`");
    let one = format!("{SMALL}{one}");
    fails(&one, "tomorrow", "is no moment");
    fails(&one, "9999-01-01", "beyond year 9989");
    fails(&one, "1969-12-31", "before 1970");
    fails(&one.replace("'petrova' }\n", "'nobody' }\n"), "2026-11-21", "inboxes[0].receiver.employee: there is no");
    let (code, text) = told(&one, "2026-11-21");
    assert!(code == Some(0) && text.contains("автоответов нет; само не закроется"), "{text}");
    let (code, text) = told(&format!("{one}[hours]\n"), "2026-11-21");
    assert!(code == Some(0) && text.starts_with("warning: hours: no minute is open"), "{text}");
    fails(&format!("{one}[hours]\nmonday = ['09:00-13:00', '12:00-14:00']\n"), "2026-11-21", "hours.monday[1]: ");
}
