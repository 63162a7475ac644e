//! Where we listen and under which address the world knows us; what is unsafe is refused.

use std::net::SocketAddr;

use super::Options;

/// Checks the addresses of the options; the error says what to do.
pub(super) fn check(options: &Options) -> Result<(), String> {
    let public = options.public_url.as_deref();
    if let Some(url) = public {
        check_url(url)?;
    }
    let https = public.is_some_and(|url| url.starts_with("https://"));
    if options.listen.ip().is_loopback() || https || options.insecure {
        return Ok(());
    }
    Err(format!(
        "listening on {} would carry tokens and calls over plain http. Put a TLS reverse proxy in front and \
         name its address with --public-url https://..., or listen on 127.0.0.1, or take the risk with --insecure",
        options.listen
    ))
}

fn check_url(url: &str) -> Result<(), String> {
    let uri: http::Uri = url.parse().map_err(|_| wrong(url))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = uri.path().trim_matches('/').is_empty() && uri.query().is_none();
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if known && bare && plain { Ok(()) } else { Err(wrong(url)) }
}

fn wrong(url: &str) -> String {
    format!("--public-url `{url}` must be scheme and host alone, such as https://calls.example.com")
}

/// The address under which the world knows us, without a slash at the end.
pub(super) fn public_url(options: &Options, listening: SocketAddr) -> String {
    let given = options.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    given.unwrap_or_else(|| format!("http://{listening}"))
}

/// The address under which this very machine reaches us.
pub(super) fn own_address(listening: SocketAddr) -> SocketAddr {
    let ip = match listening {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn options(listen: &str, public_url: Option<&str>, insecure: bool) -> Options {
        Options {
            listen: listen.parse().expect("an address"),
            public_url: public_url.map(str::to_owned),
            data: PathBuf::new(),
            settings: Vec::new(),
            demo: false,
            insecure,
            trusted_proxy: None,
            allow_hosts: Vec::new(),
            lease_ms: 60_000,
            times: perezvon_engine::Times::one_machine(),
        }
    }

    #[test]
    fn beyond_loopback_only_behind_https_or_on_ones_own_risk() {
        let fine = |listen, url, insecure| check(&options(listen, url, insecure)).is_ok();
        assert!(fine("127.0.0.1:0", None, false));
        assert!(fine("[::1]:8080", Some("http://box.example:8080"), false));
        assert!(fine("0.0.0.0:8080", Some("https://calls.example.com"), false));
        assert!(fine("0.0.0.0:8080", None, true));
        assert!(!fine("0.0.0.0:8080", None, false));
        assert!(!fine("0.0.0.0:8080", Some("http://calls.example.com"), false));
    }

    #[test]
    fn a_public_url_is_scheme_and_host_alone() {
        for wrong in ["calls.example.com", "ftp://x", "https://x/path", "https://a@b", "https://x?y"] {
            assert!(check(&options("127.0.0.1:0", Some(wrong), false)).is_err(), "{wrong}");
        }
        let slash = options("127.0.0.1:0", Some("https://calls.example.com/"), false);
        assert_eq!(check(&slash), Ok(()));
        assert_eq!(public_url(&slash, slash.listen), "https://calls.example.com");
    }

    #[test]
    fn this_machine_reaches_an_unspecified_address_over_loopback() {
        let own = |text: &str| own_address(text.parse().expect("an address")).to_string();
        assert_eq!(own("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(own("[::]:80"), "[::1]:80");
        assert_eq!(own("10.0.0.7:80"), "10.0.0.7:80");
    }
}
