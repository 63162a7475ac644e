//! Where the outgoing client may go: https to public addresses, nothing else.
//!
//! URLs come from settings and from webhooks, so they may be chosen by a stranger. The guard reads
//! the URL, and the client asks it again about each address a name resolves to. It reads strictly:
//! what two readers of URLs could understand differently is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use ipnet::{Ipv4Net, Ipv6Net};

/// Hosts let through although the rules refuse them, as `host:port`: the laptop switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow(Vec<String>);

impl Allow {
    /// Reads `127.0.0.1:8787,localhost:9000`. Empty text lets nothing through.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let hosts = entries
            .map(|entry| host_port(entry).ok_or_else(|| format!("`{entry}` is not host:port, such as 127.0.0.1:8787")));
        hosts.collect::<Result<_, _>>().map(Self)
    }

    /// Whether no host is let through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, host_port: &str) -> bool {
        self.0.iter().any(|entry| entry == host_port)
    }
}

fn host_port(entry: &str) -> Option<String> {
    let (host, port) = entry.rsplit_once(':')?;
    let (host, _) = read_host(host)?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    Some(format!("{host}:{port}"))
}

/// The guard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Let through whatever the rules say.
    pub allow: Allow,
}

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// In lower case; an IPv6 address in brackets.
    pub host: String,
    /// The address, if the host is one.
    pub ip: Option<IpAddr>,
    pub port: u16,
    /// Named by the laptop switch: its addresses are not looked at.
    pub let_through: bool,
}

impl Guard {
    /// Where this URL leads, or why it must not be asked. The reason never shows path or query.
    pub fn check_url(&self, url: &str) -> Result<Target, String> {
        let uri: Uri = url.parse().map_err(|_| "this is not a URL".to_owned())?;
        let default_port = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") => 80,
            _ => return Err("a URL must begin with https://".to_owned()),
        };
        let authority = uri.authority().ok_or("the URL names no host")?;
        if authority.as_str().contains('@') {
            return Err("a URL must not carry a user name or password".to_owned());
        }
        let plain = match authority.port_u16() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let (host, ip) = read_host(authority.host())
            .filter(|_| plain == authority.as_str())
            .ok_or("the host of the URL is not a plain name or address with an optional port")?;
        let port = authority.port_u16().unwrap_or(default_port);
        let target = Target { let_through: self.allow.contains(&format!("{host}:{port}")), host, ip, port };
        self.check_target(&uri, target)
    }

    fn check_target(&self, uri: &Uri, target: Target) -> Result<Target, String> {
        let Target { host, ip, port, let_through } = &target;
        if *port == 0 {
            return Err("there is no port 0".to_owned());
        }
        if uri.scheme_str() != Some("https") && !let_through {
            return Err(format!("{host}:{port} must be asked over https"));
        }
        if ip.is_some_and(|ip| !self.address_allowed(&format!("{host}:{port}"), ip)) {
            return Err(format!("{host} is not a public address"));
        }
        Ok(target)
    }

    /// Whether a connection to `host:port` may go to this address.
    pub fn address_allowed(&self, host_port: &str, address: IpAddr) -> bool {
        self.allow.contains(host_port) || is_public(address)
    }
}

/// The host in its one spelling, and its address if it is one.
fn read_host(host: &str) -> Option<(String, Option<IpAddr>)> {
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{ip}]"), Some(ip.into())));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if host.is_empty() || host.starts_with('.') || host.contains("..") || !host.bytes().all(plain) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    if !ends_in_a_number(&host) {
        return Some((host, None));
    }
    let ip: Ipv4Addr = host.parse().ok()?;
    Some((ip.to_string(), Some(ip.into())))
}

/// Browsers take such a host for an IPv4 address: `0x7f000001`, `127.1`, `2130706433`.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether an address belongs to the public internet, also inside an IPv6 envelope.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => match enveloped(v6) {
            Some(v4) => public_v4(v4),
            None => GLOBAL.contains(&v6) && !SPECIAL_V6.iter().any(|net| net.contains(&v6)),
        },
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|net| net.contains(&address))
}

/// The IPv4 address in a mapped, compatible, NAT64 or 6to4 one.
fn enveloped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    let [_, _, e, f, g, h, ..] = address.octets();
    if IN_LAST_BYTES.iter().any(|net| net.contains(&address)) {
        Some(Ipv4Addr::new(a, b, c, d))
    } else {
        SIX_TO_FOUR.contains(&address).then(|| Ipv4Addr::new(e, f, g, h))
    }
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, f: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, f, 0, 0), prefix)
}

const SPECIAL_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 8),       // this host
    v4(10, 0, 0, 8),      // private
    v4(100, 64, 0, 10),   // carrier NAT
    v4(127, 0, 0, 8),     // loopback
    v4(169, 254, 0, 16),  // link-local, metadata
    v4(172, 16, 0, 12),   // private
    v4(192, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 24),    // documentation
    v4(192, 88, 99, 24),  // 6to4 relays
    v4(192, 168, 0, 16),  // private
    v4(198, 18, 0, 15),   // benchmarks
    v4(198, 51, 100, 24), // documentation
    v4(203, 0, 113, 24),  // documentation
    v4(224, 0, 0, 4),     // multicast
    v4(240, 0, 0, 4),     // reserved, broadcast
];

/// Everything outside is loopback, local, multicast or not handed out.
const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);
const SPECIAL_V6: [Ipv6Net; 3] = [
    v6(0x2001, 0, 0, 23),     // protocol assignments, Teredo
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x3fff, 0, 0, 20),     // documentation
];
/// Mapped, compatible, NAT64.
const IN_LAST_BYTES: [Ipv6Net; 3] = [v6(0, 0, 0xffff, 96), v6(0, 0, 0, 96), v6(0x64, 0xff9b, 0, 96)];
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

#[cfg(test)]
mod tests;
