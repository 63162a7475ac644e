//! The client of the HTTP API: which server, whose token, which account.

use std::net::IpAddr;
use std::path::Path;

use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use perezvon_client::Client;
use perezvon_platform::guard::{Allow, Guard};
use perezvon_platform::{Http as _, HttpError, HttpRequest, Streamed};
use serde_json::Value;

use super::args::ServerArgs;

/// An answer takes no longer; retrying a connection may wait for a request of its own.
const TIMEOUT_MS: i64 = 30_000;
/// A backup streams as long as it is large.
const BACKUP_TIMEOUT_MS: i64 = 3_600_000;

/// A running server, and whom it takes us for.
pub struct Server {
    client: Client,
    /// Without a slash at the end.
    base: String,
    token: String,
    account: Option<String>,
}

/// Status and JSON of an answer that is not an error of the server's.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Server {
    /// The server of these arguments. Nothing is asked yet.
    pub fn new(args: &ServerArgs) -> Result<Self, String> {
        let base = args.server.trim_end_matches('/').to_owned();
        let (host, port) = host_and_port(&base)
            .ok_or_else(|| format!("`{base}` is no address: write --server https://calls.example.com"))?;
        let token = match &args.token {
            Some(token) => token.trim().to_owned(),
            None if is_this_machine(&host) => owner_token(&args.data)?,
            None => {
                return Err(format!(
                    "{base} needs a token: give --token or set PEREZVON_TOKEN; \
                     `perezvon token EMPLOYEE` makes one on the machine itself"
                ));
            }
        };
        // The person at the keyboard named this host, wherever it is.
        let allow = Allow::parse(&format!("{host}:{port}"))?;
        let client = Client::new(Guard { allow }).map_err(|error| error.to_string())?;
        Ok(Self { client, base, token, account: args.account.clone() })
    }

    /// The account that commands are about.
    pub async fn account(&self) -> Result<String, String> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let body = self.get("/api/v1/accounts").await?;
        let accounts = body["accounts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ids: Vec<&str> = accounts.iter().filter_map(|account| account["id"].as_str()).collect();
        match ids.as_slice() {
            [only] => Ok((*only).to_owned()),
            [] => Err("there is no account yet: `perezvon apply FILE` makes one".to_owned()),
            several => {
                let several = several.join(", ");
                Err(format!("which account? Add --account with one of: {several}"))
            }
        }
    }

    /// A path of the account: each part is one segment.
    pub async fn path(&self, parts: &[&str]) -> Result<String, String> {
        Ok(path_of(&self.account().await?, parts))
    }

    /// GET; the JSON of the answer.
    pub async fn get(&self, path: &str) -> Result<Value, String> {
        Ok(self.ask("GET", path, None).await?.body)
    }

    /// POST; the JSON of the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        Ok(self.ask("POST", path, Some(body)).await?.body)
    }

    /// PUT; 422 is an answer too, with problems in it.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.ask("PUT", path, Some(body)).await
    }

    /// How a hook URL with this token is answered to a method that no webhook has: 405 if the token is good.
    pub async fn knock(&self, token: &str) -> Result<u16, String> {
        let request = self.request("PUT", &format!("/h/{token}"), None, TIMEOUT_MS);
        let answer = self.client.send(HttpRequest { headers: Vec::new(), ..request }).await;
        answer.map(|answer| answer.status).map_err(|error| self.unreachable(&error))
    }

    /// POST whose answer comes in pieces.
    pub async fn download(&self, path: &str) -> Result<Streamed, String> {
        let request = self.request("POST", path, None, BACKUP_TIMEOUT_MS);
        let answer = self.client.fetch(request).await.map_err(|error| self.unreachable(&error))?;
        if answer.status == 200 {
            return Ok(answer);
        }
        use futures_util::StreamExt as _;
        let mut body = Vec::new();
        let mut chunks = answer.chunks;
        while let Some(Ok(chunk)) = chunks.next().await {
            body.extend(chunk);
        }
        Err(self.refused(answer.status, &body))
    }

    async fn ask(&self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let request = self.request(method, path, body, TIMEOUT_MS);
        let answer = self.client.send(request).await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_slice(&answer.body) {
            Ok(body) if answer.status < 300 || answer.status == 422 => Ok(Answer { status: answer.status, body }),
            _ => Err(self.refused(answer.status, &answer.body)),
        }
    }

    fn request(&self, method: &'static str, path: &str, body: Option<&Value>, timeout_ms: i64) -> HttpRequest {
        let mut headers = vec![("authorization", format!("Bearer {}", self.token))];
        if body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        HttpRequest {
            method,
            url: format!("{}{path}", self.base),
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            timeout_ms,
        }
    }

    fn unreachable(&self, error: &HttpError) -> String {
        let base = &self.base;
        match error {
            HttpError::NotSent(why) => format!(
                "no connection to {base} ({why}): start the server with `perezvon local`, \
                 or name another one with --server URL"
            ),
            HttpError::Unknown(why) => {
                format!("{base} was asked and gave no answer ({why}): look at its log, then try again")
            }
        }
    }

    /// Errors of the API say what to do themselves.
    fn refused(&self, status: u16, body: &[u8]) -> String {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        match (text("error"), text("what_to_do")) {
            (error, _) if error.is_empty() => {
                format!("{} answers {status}, but not as perezvon does: check the address in --server", self.base)
            }
            (error, what_to_do) if status == 401 => {
                format!("{error}. {what_to_do} (--token, PEREZVON_TOKEN or --data DIR)")
            }
            (error, what_to_do) => format!("{error}. {what_to_do}"),
        }
    }
}

/// A path below an account.
pub fn path_of(account: &str, parts: &[&str]) -> String {
    let segment = |text: &str| format!("/{}", utf8_percent_encode(text, NON_ALPHANUMERIC));
    let parts: String = parts.iter().map(|part| segment(part)).collect();
    format!("/api/v1/accounts{}{parts}", segment(account))
}

fn host_and_port(base: &str) -> Option<(String, u16)> {
    let uri: Uri = base.parse().ok()?;
    let usual = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(usual)))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn owner_token(data: &Path) -> Result<String, String> {
    let path = data.join("owner.token");
    let token = std::fs::read_to_string(&path).map_err(|why| {
        format!(
            "the owner's token cannot be read from {} ({why}): name the server's data folder with \
             --data DIR, or give --token",
            path.display()
        )
    })?;
    Ok(token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(server: &str, token: Option<&str>) -> ServerArgs {
        ServerArgs {
            server: server.to_owned(),
            token: token.map(str::to_owned),
            account: None,
            data: "no-such-folder".into(),
            json: false,
        }
    }

    fn error(args: &ServerArgs) -> String {
        Server::new(args).err().expect("refused")
    }

    #[test]
    fn a_server_elsewhere_needs_a_token_and_one_here_its_data_folder() {
        assert!(error(&args("https://calls.example.com", None)).contains("PEREZVON_TOKEN"));
        for here in ["http://127.0.0.1:8787", "http://localhost:1/", "http://[::1]:8787"] {
            let error = error(&args(here, None));
            assert!(error.contains("owner.token") && error.contains("--data"), "{error}");
        }
        Server::new(&args("https://calls.example.com", Some("token"))).expect("a server");
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for wrong in ["", "127.0.0.1:8787", "ftp://host", "//host"] {
            assert!(error(&args(wrong, Some("token"))).contains("https://calls"), "{wrong}");
        }
    }

    #[test]
    fn ids_are_one_segment_each_whatever_they_hold() {
        let path = path_of("acme", &["calls", "main:MT/A="]);
        assert_eq!(path, "/api/v1/accounts/acme/calls/main%3AMT%2FA%3D");
    }

    #[test]
    fn an_error_of_the_api_is_told_with_what_to_do_and_any_other_answer_is_named() {
        let server = Server::new(&args("http://127.0.0.1:1", Some("token"))).expect("a server");
        let told = server.refused(403, r#"{"error":"Нет права","what_to_do":"Попросите"}"#.as_bytes());
        assert_eq!(told, "Нет права. Попросите");
        assert!(server.refused(502, b"<html>").contains("--server"));
    }

    #[tokio::test]
    async fn a_server_that_does_not_run_is_told_with_the_way_to_start_it() {
        // Bound and never listening: nobody else can take the port meanwhile.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = socket.local_addr().expect("an address");
        let server = Server::new(&args(&format!("http://{address}"), Some("token"))).expect("a server");
        let error = server.account().await.expect_err("nobody is there");
        assert!(error.contains("perezvon local"), "{error}");
    }
}
