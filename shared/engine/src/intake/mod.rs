//! Whether a request of a provider is believed, and what was counted of it: `verify` asks behind its queue, `answer`
//! while the provider waits.

mod channels;
mod refused;
mod seen;

use std::net::IpAddr;

use ipnet::IpNet;
use perezvon_adapters::{Codec, Intake, RawRequest, Role, Verified};
use perezvon_platform::raw::RawMessage;

pub use channels::{ChannelSecrets, Known};
pub use refused::Refused;
pub use seen::{Counts, Tally};

/// A request that is believed.
pub struct Believed<'a> {
    pub codec: &'static Codec,
    pub intake: &'static dyn Intake,
    pub verified: Verified<'a>,
}

/// The channel first, the signature second. `raw` is the request as it came, `request` what the adapter sees of it.
///
/// # Errors
/// Why it is not believed.
pub fn believe<'a>(known: &Known, raw: &RawMessage, request: &'a RawRequest) -> Result<Believed<'a>, Refused> {
    let secret = &known.secret;
    if secret.generation != raw.generation {
        return Err(Refused::revoked());
    }
    let codec = perezvon_adapters::codec(&secret.provider);
    if !secret.active {
        return Err(Refused::inactive(codec.is_some_and(|codec| codec.provider.capabilities.role == Role::Chat)));
    }
    if known.superseded {
        return Err(Refused::superseded());
    }
    if !may_come_from(&secret.allowed_ips, raw.from.as_deref()) {
        return Err(Refused::foreign_address(raw.from.as_deref()));
    }
    let intake = codec.and_then(|codec| codec.intake.map(|intake| (codec, intake)));
    let (codec, intake) = intake.ok_or_else(Refused::no_channel)?;
    match intake.verify(request, &secret.secrets) {
        Ok(verified) => Ok(Believed { codec, intake, verified }),
        Err(refusal) => Err(Refused::unbelieved(&refusal)),
    }
}

/// Whether one of these networks holds the address; without any, every address will do (API-08).
fn may_come_from(allowed: &[IpNet], from: Option<&str>) -> bool {
    let from = from.and_then(|from| from.parse::<IpAddr>().ok()).map(|from| from.to_canonical());
    allowed.is_empty() || from.is_some_and(|from| allowed.iter().any(|network| network.contains(&from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_networks_lets_only_its_own_addresses_in_and_an_empty_one_all() {
        let allowed: Vec<IpNet> =
            ["81.88.80.0/24", "2001:db8::/32"].iter().map(|text| text.parse().expect("a network")).collect();
        for (from, may) in [
            (Some("81.88.80.132"), true),
            (Some("::ffff:81.88.80.132"), true),
            (Some("81.88.81.1"), false),
            (Some("2001:db8::1"), true),
            (Some("2001:db9::1"), false),
            (Some("nobody"), false),
            (None, false),
        ] {
            assert_eq!(may_come_from(&allowed, from), may, "{from:?}");
            assert!(may_come_from(&[], from));
        }
    }
}
