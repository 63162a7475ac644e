//! What the tests of the whole program share: processes of the built binary, a plain HTTP client,
//! calls with their signed webhooks, and settings with short waits.

// Each test uses its part of it.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use perezvon_sandbox::mango;
use perezvon_sandbox::mango::calls::{self, Call, Employee};
use serde_json::Value;

/// Nothing here takes longer unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// A request and its answer.
const REQUEST: Duration = Duration::from_secs(20);

pub const ACCOUNT: &str = "acme";
pub const LINE: &str = "74950000001";
/// What the sandbox takes; its ready lines name them.
pub const TOKEN: &str = "sandbox-token";
pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
pub const SALT: &str = "543210zyxwvutsrqponmlkjihgfedcba";

/// The built program.
pub fn perezvon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perezvon"));
    command.env_remove("PEREZVON_SERVER").env_remove("PEREZVON_TOKEN");
    command
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Output {
    perezvon().args(arguments).output().expect("the program runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that is killed when the test ends, however it ends.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    /// SIGKILL: no goodbye, nothing flushed.
    pub fn kill(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }

    /// A sandbox on a free port.
    pub fn sandbox() -> Self {
        let mut command = perezvon();
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the sandbox starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("sandbox ready: http://").expect("the ready line");
        Self { address: address.parse().expect("an address"), child }
    }

    /// The server on this port; returns when it answers.
    pub fn local(address: SocketAddr, data: &Path, arguments: &[&str]) -> Self {
        let mut command = perezvon();
        command.args(["local", "--no-demo", "--listen", &address.to_string()]);
        command.arg("--data").arg(data).args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::null());
        let child = command.spawn().expect("the server starts");
        let mut process = Self { address, child };
        process.wait_until_it_answers();
        process
    }

    fn wait_until_it_answers(&mut self) {
        let address = self.address;
        until("the server answers", PATIENCE, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the server ended by itself: {status}");
            }
            request(address, "GET", "/api/v1/me", &[], b"").is_ok()
        });
    }
}

/// A port that nobody listens on at this moment.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// Waits for something, looking often.
pub fn until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < patience, "in {} s not: {what}", patience.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One request on a connection of its own: status and body.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&address, REQUEST)?;
    stream.set_read_timeout(Some(REQUEST))?;
    stream.set_nodelay(true)?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[text.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || std::io::Error::other("the answer broke off");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let body = answer.split_off(end + 4);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(broken());
    }
    Ok((status, body))
}

/// JSON of the API, asked as the owner.
pub fn api(server: SocketAddr, data: &Path, path: &str) -> Value {
    let token = std::fs::read_to_string(data.join("owner.token")).expect("the owner's token");
    let bearer = format!("Bearer {}", token.trim());
    let path = format!("/api/v1/accounts/{ACCOUNT}/{path}");
    let answer = request(server, "GET", &path, &[("authorization", &bearer)], b"");
    let (status, body) = answer.expect("an answer");
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("JSON")
}

/// Path of the hook URL of the only channel.
pub fn hook(server: SocketAddr, data: &Path) -> String {
    let urls = api(server, data, "urls");
    let url = urls["urls"][0]["url"].as_str().expect("a URL").to_owned();
    url[url.find("/h/").expect("a hook URL")..].to_owned()
}

/// Everything that the CRM of the sandbox holds.
pub fn crm(sandbox: SocketAddr) -> Value {
    let (_, body) = request(sandbox, "GET", "/sandbox/state", &[], b"").expect("an answer");
    serde_json::from_slice(&body).expect("JSON")
}

/// Puts a contact into the CRM, as somebody did long ago.
pub fn add_contact(sandbox: SocketAddr, phone: &str) {
    let body = serde_json::json!([{
        "name": "Давний клиент",
        "custom_fields_values": [{ "field_code": "PHONE", "values": [{ "value": phone }] }],
    }]);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    // As many a second as an account takes.
    until("the contact is taken", PATIENCE, || {
        let answer = request(sandbox, "POST", "/api/v4/contacts", &headers, body.to_string().as_bytes());
        answer.is_ok_and(|(status, _)| status == 200)
    });
}

/// Settings of an account that knows this sandbox, with waits as short as they may be.
pub fn settings(sandbox: SocketAddr, folder: &Path) -> PathBuf {
    let times = "request_timeout_ms = 300\ncarried_out_within_ms = 300\nlag_ms = 0\npace_ms = 143\nbackoff_ms = 200";
    let text = format!(
        r#"
fallback = "petrova"

[account]
id = "{ACCOUNT}"
name = "Пример"
time_zone = "Europe/Moscow"

[[employees]]
id = "petrova"
name = "Мария Петрова"
extension = "101"
crm_user = 504001

[[channels]]
id = "main"
provider = "mango"
name = "АТС"
base = "http://{sandbox}/vpbx"
copy_recordings = false
[[channels.secrets]]
key = "{KEY}"
salt = "{SALT}"

[crm]
provider = "amocrm"
base = "http://{sandbox}"
[crm.secret]
token = "{TOKEN}"
[crm.times]
{times}

[waits]
final_after_legs_ended_ms = 300
final_after_silence_ms = 60000
recording_ms = 300

[[scenarios]]
name = "Продажи"
lines = ["{LINE}"]
[scenarios.incoming_new.contact]
name = "Клиент $(phone)"
[scenarios.incoming_new.deal]
name = "Звонок от $(phone)"
[scenarios.incoming_known]
[scenarios.missed_new.contact]
name = "Клиент $(phone)"
[scenarios.missed_new.deal]
name = "Пропущенный от $(phone)"
[scenarios.missed_new.task]
text = "Перезвонить: $(phone)"
due_in = "30m"
[scenarios.missed_known.task]
text = "Перезвонить: $(phone)"
due_in = "30m"
"#
    );
    let file = folder.join("settings.toml");
    std::fs::write(&file, text).expect("a settings file");
    file
}

/// What a call is meant to leave in the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Contact, deal, task.
    MissedNew,
    /// Contact, deal.
    AnsweredNew,
    /// A task on the contact that is there.
    MissedKnown,
    /// Nothing but the call itself.
    AnsweredKnown,
}

/// A call, and the bodies that tell it.
pub struct Told {
    pub entry: String,
    pub phone: String,
    pub kind: Kind,
    /// Path behind the hook URL, and the signed form.
    pub hooks: Vec<(&'static str, String)>,
}

impl Told {
    /// The `number`th call.
    pub fn new(number: usize, kind: Kind) -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
        let call = Call {
            entry: format!("ENTRY{number:04}"),
            client: format!("7999{number:07}"),
            line: LINE.to_owned(),
            recording: None,
            start_s: i64::try_from(now.as_secs()).expect("a time") - 60,
            talk_s: 10,
        };
        let employee = Employee::new("101", "petrova");
        let hooks = match kind {
            Kind::MissedNew | Kind::MissedKnown => calls::missed_new(&call, &employee),
            Kind::AnsweredNew | Kind::AnsweredKnown => calls::answered(&call, &employee),
        };
        let hooks = hooks.into_iter().map(|hook| (hook.path, mango::form(KEY, SALT, &hook.json))).collect();
        Self { entry: call.entry, phone: call.client, kind, hooks }
    }

    /// The client is in the CRM before the call.
    pub fn is_known(&self) -> bool {
        matches!(self.kind, Kind::MissedKnown | Kind::AnsweredKnown)
    }
}

/// Posts one webhook; its status, if there was an answer.
pub fn post(server: SocketAddr, hook: &str, path: &str, body: &str) -> Option<u16> {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = format!("{hook}/{path}");
    request(server, "POST", &path, &headers, body.as_bytes()).ok().map(|(status, _)| status)
}

/// Asserts that the CRM holds exactly what these calls are meant to leave, and nothing else.
pub fn check(crm: &Value, calls: &[Told]) {
    check_each(crm, calls);
    assert_eq!(counts(crm), wanted(calls), "contacts, deals, tasks, notes: nothing but of these calls");
}

/// Asserts that the CRM holds what each of these calls is meant to leave, and none of it twice.
pub fn check_each(crm: &Value, calls: &[Told]) {
    let list = |name: &str| crm[name].as_array().expect("a list").clone();
    let (contacts, leads, tasks, notes) = (list("contacts"), list("leads"), list("tasks"), list("notes"));
    let count = |rows: &[Value], fits: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| fits(row)).count();
    let holds = |row: &Value, text: &str| row.to_string().contains(text);
    for call in calls {
        let (phone, entry) = (call.phone.as_str(), call.entry.as_str());
        // The name says whose deal or task it is, the marker and `uniq` of which call.
        let phones = |contact: &Value| holds(&contact["phones"], phone);
        let found = [
            count(&contacts, &phones),
            count(&leads, &|lead| holds(&lead["name"], phone)),
            count(&leads, &|lead| holds(&lead["fields"], entry)),
            count(&tasks, &|task| holds(&task["text"], phone)),
            count(&notes, &|note| holds(&note["params"], phone)),
            count(&notes, &|note| holds(&note["params"]["uniq"], entry)),
        ];
        let expected = match call.kind {
            Kind::MissedNew => [1, 1, 1, 1, 1, 1],
            Kind::AnsweredNew => [1, 1, 1, 0, 1, 1],
            Kind::MissedKnown => [1, 0, 0, 1, 1, 1],
            Kind::AnsweredKnown => [1, 0, 0, 0, 1, 1],
        };
        assert_eq!(found, expected, "contacts, deals twice, tasks, notes twice of {:?} {entry} {phone}", call.kind);
    }
}

/// How many contacts, deals, tasks and notes there are.
pub fn counts(crm: &Value) -> [usize; 4] {
    ["contacts", "leads", "tasks", "notes"].map(|name| crm[name].as_array().map_or(0, Vec::len))
}

/// How many there must be.
pub fn wanted(calls: &[Told]) -> [usize; 4] {
    let of = |kinds: &[Kind]| calls.iter().filter(|call| kinds.contains(&call.kind)).count();
    let deals = of(&[Kind::MissedNew, Kind::AnsweredNew]);
    [calls.len(), deals, of(&[Kind::MissedNew, Kind::MissedKnown]), calls.len()]
}

/// Random numbers that are the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// From `KILL_SEED`, or new.
    pub fn from_environment() -> Self {
        let given = std::env::var("KILL_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
        let seed = given.unwrap_or(u64::from(now.subsec_nanos()));
        println!("seed {seed}: repeat it with KILL_SEED={seed}");
        Self(seed)
    }
}
