//! A root certificate besides those that are compiled in, trusted for a few hosts and for nobody else: whoever holds it
//! cannot pose as another provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The root, and whom it vouches for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraRoot {
    hosts: Vec<String>,
    /// The certificate's bytes (DER).
    pub der: Vec<u8>,
}

impl std::fmt::Debug for ExtraRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExtraRoot({:?}, {} B)", self.hosts, self.der.len())
    }
}

impl ExtraRoot {
    /// Reads `api.example.ru,.example.com=MIIF...`: hosts, with a dot in front also all below them, and the certificate in
    /// base64, with the lines of a PEM file or without. `=` alone trusts nobody more.
    ///
    /// # Errors
    /// It is not that.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (hosts, certificate) = text.split_once('=').ok_or("write hosts, `=` and the certificate in base64")?;
        let hosts: Vec<String> =
            hosts.split(',').map(|host| host.trim().to_lowercase()).filter(|host| !host.is_empty()).collect();
        let body: String = certificate
            .replace("-----BEGIN CERTIFICATE-----", "")
            .replace("-----END CERTIFICATE-----", "")
            .split_whitespace()
            .collect();
        if hosts.is_empty() != body.is_empty() {
            return Err("a root needs hosts to trust it for, and hosts need a root".to_owned());
        }
        let der = STANDARD.decode(body).map_err(|_| "the certificate is not base64")?;
        Ok(Self { hosts, der })
    }

    /// Whether it vouches for this host.
    pub fn is_for(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| if known.starts_with('.') { host.ends_with(known) } else { known == host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_from_one_line_and_from_a_pem_file() {
        let line = ExtraRoot::parse("api.pbx.example,.example.ru=AAEC").expect("a root");
        let file = " API.pbx.example, .example.ru =-----BEGIN CERTIFICATE-----\nAA\nEC\n-----END CERTIFICATE-----\n";
        assert_eq!(ExtraRoot::parse(file), Ok(line.clone()));
        assert_eq!(line.der, [0, 1, 2]);
        assert_eq!(ExtraRoot::parse("="), Ok(ExtraRoot::default()));
    }

    #[test]
    fn it_vouches_for_its_hosts_and_nobody_else() {
        let root = ExtraRoot::parse("api.pbx.example,.example.ru=AAEC").expect("a root");
        let hosts =
            ["api.pbx.example", "a.example.ru", "b.api.pbx.example", "example.ru", "evilexample.ru", "a.example.com"];
        assert_eq!(hosts.map(|host| root.is_for(host)), [true, true, false, false, false, false]);
    }

    #[test]
    fn half_a_root_is_refused() {
        for text in ["", "api.example.ru", "api.example.ru=", "=AAEC", "api.example.ru=no base64!"] {
            assert!(ExtraRoot::parse(text).is_err(), "{text}");
        }
    }
}
