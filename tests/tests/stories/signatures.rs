//! A signature whose formula nobody knows: watched, enforced, let be. What counts as right is a guess.

use perezvon_tests::World;
use perezvon_tests::settings;
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::seconds;
use crate::avito::{ads_of, apply, quarantined};
use crate::people::{ask, of, owner};

const CHAT: &str = "u2i-AAAAAAAAAAAAAAAAAAAA01";
const TEXT: &[u8] = include_bytes!("../../../events/avito/in/text.body");
const IMAGE: &[u8] = include_bytes!("../../../events/avito/in/image.body");
const VOICE: &[u8] = include_bytes!("../../../events/avito/in/voice.body");
/// Of `TEXT`, by the likeliest formula: `events/avito/signatures.json`.
const SIGNATURE: &str = "1283149bf5e99c38c65c3f4bc76e2e8fbf24806864e15e21afc9b5defb88ad34";

/// Settings with a secret for signatures and this mode.
fn with(mode: &str) -> String {
    let ads = settings::ads().replace("id = \"ads\"", &format!("id = \"ads\"\nsignature = \"{mode}\""));
    format!("{ads}signature_secret = \"test-avito-secret-0001\"\n")
}

/// One that fits, one that fits nothing, one without, and the probe; each comes twice.
async fn posted(world: &mut World) {
    for _ in 0..2 {
        for (body, signature) in [(TEXT, SIGNATURE), (IMAGE, SIGNATURE), (VOICE, ""), (b"{}", "")] {
            assert_eq!(world.push_signed(body, signature).await, 200);
        }
    }
    seconds(world, 30).await;
}

/// What the page shows of the channel's signatures.
async fn shown(world: &World) -> Json {
    let (status, answer) = ask(world, &owner(), "GET", &of("channels"), None).await;
    assert_eq!(status, 200, "{answer}");
    let channels = answer["channels"].as_array().expect("channels");
    channels.iter().find(|channel| channel["id"] == "ads").expect("the channel")["signatures"].clone()
}

/// Ids of what was taken in of these three messages.
async fn taken(world: &World) -> usize {
    let (_, shown) = ask(world, &owner(), "GET", &of(&format!("conversations/ads:{CHAT}")), None).await;
    let messages = shown["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().filter(|message| message["from"] == "client").count()
}

#[tokio::test(start_paused = true)]
async fn what_fits_a_guess_is_counted_and_nothing_is_refused_for_it() {
    let observed = json!({ "fit": 2, "fit_none": 2, "absent": 2, "formula": "HMAC-SHA256" });
    for (settings, expected) in [
        (with("observe"), observed.clone()),
        (with("observe").replace("signature = \"observe\"\n", ""), observed),
        (settings::ads(), json!({ "fit": 0, "fit_none": 4, "absent": 2, "formula": null })),
        (with("off"), Json::Null),
    ] {
        let mut world = ads_of(Plan::default(), &settings).await;
        posted(&mut world).await;
        assert_eq!((shown(&world).await, taken(&world).await), (expected, 3), "{settings}");
        assert_eq!(quarantined(&world), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn enforced_it_keeps_what_fits_none_in_quarantine_until_somebody_knows_better() {
    let mut world = ads_of(Plan::default(), &with("enforce")).await;
    posted(&mut world).await;
    assert_eq!(taken(&world).await, 1);
    let mut reasons = quarantined(&world);
    reasons.sort();
    assert_eq!(reasons, ["no_signature", "no_signature", "wrong_signature", "wrong_signature"]);
    assert_eq!(shown(&world).await["formula"], "HMAC-SHA256");
    apply(&world, &with("observe")).await;
    assert_eq!(world.release_all("school", "ads").await, 4);
    seconds(&mut world, 30).await;
    assert_eq!(taken(&world).await, 3, "each once");
}

#[tokio::test(start_paused = true)]
async fn nobody_enforces_a_formula_that_is_not_known_without_a_secret_for_it() {
    let enforce = settings::ads().replace("id = \"ads\"", "id = \"ads\"\nsignature = \"enforce\"");
    let document = perezvon_engine::settings::parse(&enforce).expect("a document");
    let context = perezvon_engine::settings::Context { allow_hosts: ["ads.test".to_owned()].into() };
    let problems = perezvon_engine::settings::check(&document, &context).expect_err("refused");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|it| it.contains("signature: how Avito signs is not known")
            && it.contains("`observe`")
            && it.contains("`signature_secret`")),
        "{told:?}"
    );
    let telephony = settings::ads().replacen("id = \"main\"", "id = \"main\"\nsignature = \"observe\"", 1);
    let document = perezvon_engine::settings::parse(&telephony).expect("a document");
    let problems = perezvon_engine::settings::check(&document, &context).expect_err("refused");
    assert!(problems.iter().any(|it| it.to_string().contains("always checked; take it out")), "{problems:?}");
}
