//! Specs of the guard.

use super::*;

fn laptop() -> Guard {
    Guard { allow: Allow::parse("127.0.0.1:8787, LOCALHOST:9000,[0::1]:80").expect("hosts") }
}

fn refusal(url: &str) -> String {
    Guard::default().check_url(url).expect_err(url)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn https_to_a_name_is_allowed_on_any_port() {
    let target = Guard::default().check_url("https://API.example.com/v1?x=1").expect("public");
    assert_eq!((target.host.as_str(), target.port, target.let_through), ("api.example.com", 443, false));
    let target = Guard::default().check_url("https://api.example.com:8443/").expect("public");
    assert_eq!(target.port, 8443);
}

#[test]
fn http_is_refused_unless_the_host_is_let_through() {
    assert_eq!(refusal("http://api.example.com/"), "api.example.com:80 must be asked over https");
    assert!(laptop().check_url("http://127.0.0.1:8787/x").expect("let through").let_through);
    assert!(laptop().check_url("http://localhost:9000/x").expect("let through").let_through);
    assert!(laptop().check_url("http://[::1]/x").expect("let through").let_through);
}

#[test]
fn letting_a_port_through_does_not_let_its_neighbour_through() {
    assert!(laptop().check_url("http://127.0.0.1:8788/").is_err());
    assert!(laptop().check_url("https://127.0.0.1/").is_err());
    assert!(!laptop().check_url("https://localhost/").expect("a name").let_through);
    assert!(!laptop().address_allowed("localhost:443", ip("127.0.0.1")));
    assert!(laptop().address_allowed("localhost:9000", ip("127.0.0.1")));
}

#[test]
fn other_schemes_and_texts_are_refused() {
    for url in ["", "/x", "example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "https://"]
    {
        assert!(Guard::default().check_url(url).is_err(), "{url}");
    }
}

#[test]
fn user_names_are_refused() {
    assert_eq!(refusal("https://a:b@example.com/"), "a URL must not carry a user name or password");
    assert_eq!(refusal("https://example.com@127.0.0.1/"), "a URL must not carry a user name or password");
}

#[test]
fn hosts_that_could_be_read_in_two_ways_are_refused() {
    let hosts = [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "example.0x7f",
        "exa%6dple.com",
        "example.com:",
        "example.com:99999",
        "example.com:0443",
        "example.com:0",
        "a..b",
        ".a",
        "[::1%25lo]",
        "[::1",
        "exam\\ple.com",
        "пример.рф",
        "a b",
        "*",
        "0x",
        ".",
    ];
    for host in hosts {
        assert!(Guard::default().check_url(&format!("https://{host}/")).is_err(), "{host}");
    }
}

#[test]
fn hidden_characters_are_refused() {
    for url in ["https://exa\tmple.com/", "https://example.com\r\n/", " https://example.com", "https://a\u{0}b/"] {
        assert!(Guard::default().check_url(url).is_err(), "{url:?}");
    }
}

#[test]
fn literal_addresses_are_checked_at_once() {
    assert_eq!(refusal("https://169.254.169.254/latest/meta-data"), "169.254.169.254 is not a public address");
    assert_eq!(refusal("https://[::ffff:10.0.0.1]/"), "[::ffff:10.0.0.1] is not a public address");
    assert_eq!(Guard::default().check_url("https://8.8.8.8/").expect("public").ip, Some(ip("8.8.8.8")));
    assert!(Guard::default().check_url("https://[2a00:1450::1]/").is_ok());
}

#[test]
fn a_refusal_shows_neither_path_nor_query() {
    assert!(!refusal("http://example.com/secret?token=secret").contains("secret"));
}

#[test]
fn special_ipv4_addresses_are_not_public() {
    let special = [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ];
    for address in special {
        assert!(!is_public(ip(address)), "{address}");
    }
}

#[test]
fn neighbours_of_special_ipv4_ranges_are_public() {
    let public = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.0.0.1",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.0.1",
        "223.255.255.255",
    ];
    for address in public {
        assert!(is_public(ip(address)), "{address}");
    }
}

#[test]
fn special_ipv6_addresses_are_not_public() {
    let special = [
        "::",
        "::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "2001::1",
        "100::1",
        "64:ff9b:1::1",
        "4000::1",
        "5f00::1",
    ];
    for address in special {
        assert!(!is_public(ip(address)), "{address}");
    }
}

#[test]
fn a_special_ipv4_address_in_an_ipv6_envelope_is_not_public() {
    let special = [
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:0",
        "::10.0.0.1",
        "::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:1::1",
        "::ffff:100.64.0.1",
    ];
    for address in special {
        assert!(!is_public(ip(address)), "{address}");
    }
}

#[test]
fn public_ipv6_addresses_are_public() {
    for address in ["2a00:1450:4001::1", "2600:1f18::1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8", "2002:808:808::1"]
    {
        assert!(is_public(ip(address)), "{address}");
    }
}

#[test]
fn an_unreadable_allow_list_is_refused_with_the_entry() {
    for entry in ["localhost", "localhost:", "localhost:0", "localhost:70000", ":80", "http://localhost:80", "*:80"] {
        let error = Allow::parse(&format!("127.0.0.1:1, {entry}")).expect_err(entry);
        assert!(error.contains(entry), "{error}");
    }
    assert_eq!(Allow::parse(" , "), Ok(Allow::default()));
}
