//! The program as a newcomer meets it: one command, three calls, a table; then it is killed, started
//! again and told to end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far above what it takes: shared machines are slow, and a failure must not wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(50);

/// A running program and what it has printed.
struct Running {
    child: Child,
    lines: Receiver<String>,
    printed: Vec<String>,
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perezvon"));
    command.args(["local", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(data: &Path) -> Running {
    let mut child = command(data).stderr(Stdio::inherit()).spawn().expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("its output"));
    let (sender, lines) = channel();
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    Running { child, lines, printed: Vec::new() }
}

impl Running {
    /// Reads on until a line begins so; returns the rest of that line.
    fn wait_for(&mut self, beginning: &str) -> String {
        let ends = Instant::now() + PATIENCE;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line begins with {beginning:?}:\n{}", self.printed.join("\n"));
            };
            self.printed.push(line.clone());
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    fn end(&mut self, signal: &str) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
        loop {
            match self.child.try_wait().expect("its status") {
                Some(status) => return (status, began.elapsed()),
                None if began.elapsed() > PATIENCE => panic!("it does not end"),
                None => std::thread::sleep(STEP),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Status and body of a GET.
fn get(url: &str) -> (u16, Vec<u8>) {
    let rest = url.strip_prefix("http://").expect("http");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).expect("a connection");
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_off(at + 4))
}

fn state(sandbox: &str) -> Value {
    let (status, body) = get(&format!("{sandbox}/sandbox/state").replace("//sandbox", "/sandbox"));
    assert_eq!(status, 200);
    serde_json::from_slice(&body).expect("json")
}

/// Contacts, deals, tasks and calls.
fn counts(state: &Value) -> [usize; 4] {
    let calls = state["notes"].as_array().expect("notes").iter();
    let calls = calls.filter(|note| note["note_type"].as_str().is_some_and(|kind| kind.starts_with("call_")));
    let length = |name: &str| state[name].as_array().expect("a list").len();
    [length("contacts"), length("leads"), length("tasks"), calls.count()]
}

/// Checks what the CRM holds against the table that was printed; returns the CRM's state.
fn exactly_three_calls(sandbox: &str, recording: &str, told: &str) -> Value {
    let made = state(sandbox);
    assert_eq!(counts(&made), [3, 3, 1, 3], "one contact was there before:\n{told}\n{made:#}");
    assert_eq!(made["violations"], 0, "{made:#}");
    let linked = made["notes"].as_array().expect("notes").iter().filter(|note| note["params"]["link"] == recording);
    assert_eq!(linked.count(), 1, "{made:#}");
    let (status, sound) = get(recording);
    assert_eq!((status, &sound[..4]), (200, &b"RIFF"[..]));
    for id in ["contacts", "leads", "tasks"].iter().flat_map(|list| made[list].as_array().expect("a list")) {
        let (id, before) = (id["id"].to_string(), id["name"] == "Мария Иванова");
        assert!(before || told.contains(&id), "{id} is not in the table:\n{told}");
    }
    made
}

/// What somebody does on the command line, with the running program.
fn ask(server: &str, data: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perezvon"));
    command.env_remove("PEREZVON_SERVER").env_remove("PEREZVON_TOKEN");
    let output = command.args(words).args(["--server", server, "--data"]).arg(data).output().expect("it runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The call record with this link.
fn note(made: &Value, link: &str) -> Option<Value> {
    made["notes"].as_array().expect("notes").iter().find(|note| note["params"]["link"] == link).cloned()
}

#[test]
fn a_revoked_link_plays_no_more_and_the_crm_gets_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut program = start(&data);
    let sandbox = program.wait_for("sandbox CRM");
    let server = format!("http://{}", program.wait_for("perezvon is ready on http://"));
    let recording = program.wait_for("Послушать запись:");
    let number = note(&state(&sandbox), &recording).expect("the link is in the CRM")["params"]["phone"].clone();
    let told = ask(&server, &data, &["revoke", number.as_str().expect("a number")]);
    let link = told.lines().last().expect("the new link").trim();
    assert!(told.contains("generation 1") && link != recording, "{told}");
    assert_eq!(get(&recording).0, 410);
    assert_eq!(get(link).0, 200);
    let ends = Instant::now() + PATIENCE;
    loop {
        // One look at both: the link may change between two.
        let made = state(&sandbox);
        let (old, new) = (note(&made, &recording), note(&made, link));
        assert!(old.is_some() != new.is_some() && Instant::now() < ends, "{made:#}");
        if new.is_some() {
            return;
        }
        std::thread::sleep(STEP);
    }
}

#[test]
fn three_calls_are_in_the_crm_once_whatever_happens_to_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut first = start(&data);
    let sandbox = first.wait_for("sandbox CRM");
    first.wait_for("perezvon is ready on http://");
    let recording = first.wait_for("Послушать запись:");
    first.wait_for("Почему так:");
    let told = first.printed.join("\n");
    assert!(!told.contains("не готово"), "{told}");

    let made = exactly_three_calls(&sandbox, &recording, &told);

    let second = command(&data).output().expect("it runs");
    let refused = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(refused.contains(&first.child.id().to_string()), "{refused}");

    first.end("-KILL");
    let mut again = start(&data);
    let sandbox = again.wait_for("sandbox CRM");
    again.wait_for("perezvon is ready on http://");
    for _ in 0..10 {
        assert_eq!(counts(&state(&sandbox)), counts(&made));
        std::thread::sleep(STEP);
    }
    let (status, took) = again.end("-TERM");
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    let more: Vec<String> = again.lines.try_iter().collect();
    assert!(!more.iter().any(|line| line.contains("Демонстрация")), "{more:?}");
}
