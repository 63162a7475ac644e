//! The outgoing HTTP client: guarded, bounded, honest about what may have been carried out.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
#[cfg(feature = "aws")]
use perezvon_platform::aws::http;
use perezvon_platform::guard::{Guard, Target, is_public};
#[cfg(feature = "aws")]
use perezvon_platform::roots::ExtraRoot;
use perezvon_platform::{Http, HttpError, HttpRequest, HttpResponse, PortError, Streamed, why};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, Response, Url, redirect, retry};

/// Largest answer read by `send`, in bytes.
const LARGEST: usize = 1024 * 1024;
/// A connection takes no longer; what is late here was certainly not sent.
const CONNECT: Duration = Duration::from_secs(5);
/// An idle connection is not used again after this: a function is frozen between its invocations,
/// and a request on a connection that died meanwhile would be of unknown outcome.
const IDLE: Duration = Duration::from_secs(10);

/// The outgoing client. Build it once: it keeps connections.
#[derive(Debug)]
pub struct Client {
    guard: Guard,
    usual: Pair,
    /// For the hosts of a root of their own.
    #[cfg(feature = "aws")]
    rooted: Option<(ExtraRoot, Pair)>,
}

#[derive(Debug)]
struct Pair {
    /// Connects to public addresses only.
    public: reqwest::Client,
    /// Connects to hosts that the guard lets through; absent where there are none. A client of its
    /// own, because a resolver is told the name alone and a host is let through with its port.
    let_through: Option<reqwest::Client>,
}

impl Pair {
    fn of(guard: &Guard, builder: impl Fn() -> Result<reqwest::ClientBuilder, PortError>) -> Result<Self, PortError> {
        let public = build(builder()?.dns_resolver(PublicOnly))?;
        let let_through = if guard.allow.is_empty() { None } else { Some(build(builder()?)?) };
        Ok(Self { public, let_through })
    }
}

impl Client {
    /// A client behind this guard. Fails if the system's root certificates cannot be read.
    pub fn new(guard: Guard) -> Result<Self, PortError> {
        // Fails if somebody installed one before, which is as good.
        _ = rustls::crypto::ring::default_provider().install_default();
        let usual = Pair::of(&guard, builder)?;
        Ok(Self {
            guard,
            usual,
            #[cfg(feature = "aws")]
            rooted: None,
        })
    }

    /// The same, which trusts a root of theirs for some hosts. Fails if the root is no certificate.
    #[cfg(feature = "aws")]
    pub fn trusting(guard: Guard, root: ExtraRoot) -> Result<Self, PortError> {
        let client = Self::new(guard)?;
        if root == ExtraRoot::default() {
            return Ok(client);
        }
        let tls = http::tls_trusting(&root).map_err(|error| unusable(&error))?;
        let pair = Pair::of(&client.guard, || Ok(plain().tls_backend_preconfigured(tls.clone())))?;
        Ok(Self { rooted: Some((root, pair)), ..client })
    }

    /// Who connects to this host.
    fn pair(&self, host: &str) -> &Pair {
        #[cfg(feature = "aws")]
        if let Some((_, pair)) = self.rooted.as_ref().filter(|(root, _)| root.is_for(host)) {
            return pair;
        }
        _ = host;
        &self.usual
    }

    async fn start(&self, request: HttpRequest) -> Result<Response, HttpError> {
        let target = self.guard.check_url(&request.url).map_err(HttpError::NotSent)?;
        let url = Url::parse(&request.url).map_err(|_| not_sent("this is not a URL"))?;
        if !leads_to(&url, &target) {
            return Err(not_sent("the host of the URL can be read in two ways"));
        }
        let pair = self.pair(&target.host);
        let client = match &pair.let_through {
            Some(client) if target.let_through => client,
            _ => &pair.public,
        };
        let timeout = u64::try_from(request.timeout_ms).ok().filter(|ms| *ms > 0);
        let timeout = timeout.ok_or_else(|| not_sent("no time left"))?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| not_sent("no such method"))?;
        let mut builder = client.request(method, url).timeout(Duration::from_millis(timeout)).body(request.body);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder.send().await.map_err(classify)
    }
}

fn plain() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("perezvon/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
}

fn builder() -> Result<reqwest::ClientBuilder, PortError> {
    let builder = plain();
    // A function takes the roots that are compiled in; on one machine those of the system hold.
    #[cfg(feature = "aws")]
    let builder = builder.tls_backend_preconfigured(http::tls().map_err(|error| unusable(&error))?);
    Ok(builder)
}

fn unusable(error: &(dyn std::error::Error + 'static)) -> PortError {
    PortError::new("http client", why::chain(error))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, PortError> {
    builder.build().map_err(|error| unusable(&error))
}

/// Whether the client's own reading of the URL is the guard's.
fn leads_to(url: &Url, target: &Target) -> bool {
    let host = url.host_str().unwrap_or_default();
    let same_host = match target.ip {
        Some(ip) => host.trim_matches(['[', ']']).parse::<IpAddr>() == Ok(ip),
        None => host == target.host,
    };
    same_host && url.port_or_known_default() == Some(target.port)
}

/// Resolves names, and hands only public addresses on: the connection goes to what was checked.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("{} has no public address", name.as_str()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn not_sent(why: &str) -> HttpError {
    HttpError::NotSent(why.to_owned())
}

/// Only what failed before a connection stood was certainly not carried out.
fn classify(error: reqwest::Error) -> HttpError {
    // The URL may carry a token.
    let error = error.without_url();
    let text = why::chain(&error);
    if error.is_connect() || error.is_builder() { HttpError::NotSent(text) } else { HttpError::Unknown(text) }
}

fn headers(response: &Response) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|joined| *joined = format!("{joined}, {value}"))
            .or_insert_with(|| value.to_string());
    }
    headers
}

#[async_trait]
impl Http for Client {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.start(request).await?;
        let (status, headers) = (response.status().as_u16(), headers(&response));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unfinished)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(HttpError::Unknown("answer too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }

    async fn fetch(&self, request: HttpRequest) -> Result<Streamed, HttpError> {
        let response = self.start(request).await?;
        let (status, headers) = (response.status().as_u16(), headers(&response));
        let chunks = response
            .bytes_stream()
            .map(|chunk| chunk.map(|bytes| bytes.to_vec()).map_err(|error| PortError::new("http", unfinished(error))));
        Ok(Streamed { status, headers, chunks: Box::pin(chunks) })
    }
}

fn unfinished(error: reqwest::Error) -> HttpError {
    HttpError::Unknown(why::chain(&error.without_url()))
}

#[cfg(test)]
mod tests;
