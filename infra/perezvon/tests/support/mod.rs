//! What the tests of the whole program share: processes of the built binary, a plain HTTP client,
//! and settings with short waits. [`calls`] has calls, and what they leave in the CRM; [`chats`] has a messenger.

// Each test uses its part of it.
#![allow(dead_code)]

pub mod calls;
pub mod chats;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing here takes longer unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// A request and its answer.
const REQUEST: Duration = Duration::from_secs(20);

/// The account of the settings, and the token that the sandbox takes.
const ACCOUNT: &str = "acme";
const TOKEN: &str = "sandbox-token";

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
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error");
        }
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
    exchange(address, method, path, headers, body).map(|(status, _, body)| (status, body))
}

/// Where a page sends the browser.
pub fn redirect(address: SocketAddr, path: &str) -> String {
    let (_, head, _) = exchange(address, "GET", path, &[], b"").expect("an answer");
    let place = head.lines().find(|line| line.to_ascii_lowercase().starts_with("location: "));
    place.unwrap_or_else(|| panic!("elsewhere, not {head}"))["location: ".len()..].to_owned()
}

fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<(u16, String, Vec<u8>)> {
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
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let body = answer.split_off(end + 4);
    let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(broken());
    }
    Ok((status, head, body))
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

/// The hook URL of the only channel.
pub fn hook_url(server: SocketAddr, data: &Path) -> String {
    let urls = api(server, data, "urls");
    urls["urls"][0]["url"].as_str().expect("a URL").to_owned()
}

/// Its path.
pub fn hook(server: SocketAddr, data: &Path) -> String {
    let url = hook_url(server, data);
    url[url.find("/h/").expect("a hook URL")..].to_owned()
}

/// Everything that the CRM of the sandbox holds.
pub fn crm(sandbox: SocketAddr) -> Value {
    let (_, body) = request(sandbox, "GET", "/sandbox/state", &[], b"").expect("an answer");
    serde_json::from_slice(&body).expect("JSON")
}

/// Puts contacts into the CRM, as somebody did long ago.
pub fn add_contacts<'a>(sandbox: SocketAddr, phones: impl Iterator<Item = &'a str>) {
    let contact = |phone: &str| {
        let values = serde_json::json!([{ "value": format!("+{phone}") }]);
        let fields = serde_json::json!([{ "field_code": "PHONE", "values": values }]);
        serde_json::json!({ "name": "Давний клиент", "custom_fields_values": fields })
    };
    let body = Value::Array(phones.map(contact).collect()).to_string();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = request(sandbox, "POST", "/api/v4/contacts", &headers, body.as_bytes());
    let (status, body) = answer.expect("an answer");
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
}

/// Settings of an account that knows this sandbox, with waits as short as they may be.
pub fn settings(sandbox: SocketAddr, folder: &Path) -> PathBuf {
    written(include_str!("settings.toml"), sandbox, folder)
}

fn written(text: &str, sandbox: SocketAddr, folder: &Path) -> PathBuf {
    let file = folder.join("settings.toml");
    std::fs::write(&file, text.replace("SANDBOX", &sandbox.to_string())).expect("a settings file");
    file
}

/// A sandbox, settings that point to it, and folders for data.
pub struct World {
    pub folder: TempDir,
    pub sandbox: Process,
    settings: PathBuf,
}

impl World {
    /// Of calls.
    pub fn new() -> Self {
        Self::of(include_str!("settings.toml"))
    }

    /// Of calls, with pop-ups.
    pub fn with_popups() -> Self {
        Self::of(&format!("{}\n[popups]\n", include_str!("settings.toml")))
    }

    /// Of chats that are answered after so long (`1s`) and again after five seconds, without telephony and without a CRM.
    pub fn of_chats(delay: &str) -> Self {
        Self::of(&include_str!("chats.toml").replace("DELAY", delay))
    }

    /// The same, with a channel that is to be authorised in the browser.
    pub fn of_chats_in_browser(delay: &str) -> Self {
        let settings = include_str!("chats.toml").replace("DELAY", delay);
        Self::of(&settings.replace("client_id = ", "authorise = \"browser\"\nclient_id = "))
    }

    /// Of calls, with a PBX that asks who calls.
    pub fn that_asks() -> Self {
        let (before, rest) = include_str!("settings.toml").split_once("provider = \"mango\"").expect("a channel");
        let (_, after) = rest.split_once("[crm]").expect("a CRM");
        let secret =
            "client_id = \"0123456789ABCDEF0123456789ABCDEF\"\nsign_key = \"FEDCBA9876543210FEDCBA9876543210\"";
        let channel = format!(
            "provider = \"rostelecom\"\nname = \"АТС\"\nbase = \"http://SANDBOX\"\n[[channels.secrets]]\n{secret}\n\n"
        );
        let after = after.replace("lines = [", "contact_manager = true\nlines = [");
        Self::of(&format!("{before}{channel}[crm]{after}"))
    }

    /// Of calls, with a PBX that is told where to take them: to the sandbox's employee 23.
    pub fn that_routes() -> Self {
        let on = include_str!("settings.toml").replace("lines = [", "contact_manager = true\nlines = [");
        Self::of(&on.replace("extension = \"101\"", "extension = \"23\""))
    }

    fn of(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = Process::sandbox();
        let settings = written(settings, sandbox.address, folder.path());
        Self { folder, sandbox, settings }
    }

    /// A path in the folder that is gone after the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server with these settings on this address.
    pub fn serve(&self, address: SocketAddr, data: &Path, arguments: &[&str]) -> Process {
        let host = self.sandbox.address.to_string();
        let mut all = vec!["--allow-host", &host];
        all.extend(["--settings", self.settings.to_str().expect("a path")]);
        all.extend(arguments);
        Process::local(address, data, &all)
    }
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
