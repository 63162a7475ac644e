//! One changed bit is refused, or what was signed is still the same text.

use perezvon_adapters::{Role, Signature};

use crate::{Recorded, Sample, recorded};

#[test]
fn no_flipped_bit_of_a_body_is_believed_as_something_else() {
    for recorded in recorded() {
        if !matches!(recorded.codec.provider.capabilities.signature, Signature::Checked) {
            continue;
        }
        for sample in recorded.samples() {
            let (tried, refused) = flip_each_byte(&recorded, &sample);
            // Most of a body is signed: were few flips refused, nothing would be checked.
            assert!(refused * 10 >= tried * 9, "{}: {refused} of {tried} refused", sample.name);
        }
    }
}

/// How many were tried and how many of them refused.
fn flip_each_byte(recorded: &Recorded, sample: &Sample) -> (usize, usize) {
    let secrets = [recorded.secret()];
    let signed = recorded.believed(&sample.request).expect("a good sample");
    let mut request = sample.request.clone();
    let mut refused = 0;
    for at in 0..request.body.len() {
        let bit = 1 << (at % 8);
        request.body[at] ^= bit;
        match recorded.intake.verify(&request, &secrets) {
            Ok(verified) => assert_eq!(verified.payload(), signed, "{}: byte {at}", sample.name),
            Err(_) => refused += 1,
        }
        request.body[at] ^= bit;
    }
    (request.body.len(), refused)
}

#[test]
fn a_body_that_is_cut_off_anywhere_is_refused() {
    // What a CRM posts is a hint of whom to ask about: of half a one there is less to ask.
    for recorded in recorded().filter(|it| it.codec.provider.capabilities.role != Role::Crm) {
        for sample in recorded.samples().into_iter().take(5) {
            let mut request = sample.request.clone();
            while request.body.pop().is_some() {
                let believed = recorded.believed(&request);
                assert!(believed.is_err(), "{}: {} bytes are believed", sample.name, request.body.len());
            }
        }
    }
}
