//! Whether a request of a provider is believed, and what was counted of it: `verify` asks behind its queue, `answer`
//! while the provider waits.

mod channels;
mod refused;
mod seen;

use perezvon_adapters::{Codec, Intake, RawRequest, Role, Verified};

pub use channels::{ChannelSecrets, Known};
pub use refused::Refused;
pub use seen::{Counts, Tally};

/// A request that is believed.
pub struct Believed<'a> {
    pub codec: &'static Codec,
    pub intake: &'static dyn Intake,
    pub verified: Verified<'a>,
}

/// The channel first, the signature second. `generation`: that of the address by which it came.
///
/// # Errors
/// Why it is not believed.
pub fn believe<'a>(known: &Known, generation: u32, request: &'a RawRequest) -> Result<Believed<'a>, Refused> {
    let secret = &known.secret;
    if secret.generation != generation {
        return Err(Refused::revoked());
    }
    let codec = perezvon_adapters::codec(&secret.provider);
    if !secret.active {
        return Err(Refused::inactive(codec.is_some_and(|codec| codec.provider.capabilities.role == Role::Chat)));
    }
    if known.superseded {
        return Err(Refused::superseded());
    }
    let intake = codec.and_then(|codec| codec.intake.map(|intake| (codec, intake)));
    let (codec, intake) = intake.ok_or_else(Refused::no_channel)?;
    match intake.verify(request, &secret.secrets) {
        Ok(verified) => Ok(Believed { codec, intake, verified }),
        Err(refusal) => Err(Refused::unbelieved(&refusal)),
    }
}
