//! A Mango call becomes a contact, a deal, a task and a call record, once.

use std::time::Duration;

use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::settings::{KEY, SALT, TOKEN};
use perezvon_tests::world::Plan;

use crate::telling::{Held, assert_pace_was_kept, held, post_all, school};

#[tokio::test(start_paused = true)]
async fn an_answered_call_from_a_new_client_becomes_one_of_each() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.run_for(Duration::from_secs(600)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert_pace_was_kept(&world);
    world.crm(|crm| {
        let (contact, deal, task) = (&crm.contacts()[0], &crm.leads()[0], &crm.tasks()[0]);
        assert_eq!(contact.name, "Клиент +79990000001");
        assert_eq!(deal.name, "Звонок +79990000001");
        assert_eq!(task.text, "Отправить расписание +79990000001");
        // Petrova talked: everything is hers.
        assert_eq!([contact.responsible, deal.responsible, task.responsible], [504_002; 3]);
        let call = crm.notes().iter().find(|note| note.is_call()).expect("the call's note");
        assert_eq!(call.params["duration"], 42);
        assert_eq!(call.params["call_status"], 4);
    });
}

#[tokio::test(start_paused = true)]
async fn an_outgoing_call_is_logged_although_its_summary_comes_first() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("outbound_summary_before_disconnect"), 1).await;
    world.run_for(Duration::from_secs(600)).await;
    assert_eq!(held(&world), Held { tasks: 0, ..Held::ONE_OF_EACH });
    world.crm(|crm| {
        assert_eq!(crm.leads()[0].name, "Исходящий +79990000002");
        assert_eq!(crm.leads()[0].responsible, 504_001);
    });
}

/// As README.md tells a newcomer: the example settings with the sandbox's addresses and secrets.
#[tokio::test(start_paused = true)]
async fn the_example_settings_make_records_in_the_sandbox() {
    let mut world = World::new(Plan::default());
    let example = include_str!("../../../docs/settings.example.toml");
    let settings = example
        .replace("provider = \"mango\"", "provider = \"mango\"\nbase = \"https://pbx.test/vpbx\"")
        .replace("https://romashka.amocrm.ru", "https://crm.test")
        .replace("env:PBX_KEY", KEY)
        .replace("env:PBX_SALT", SALT)
        .replace("env:CRM_TOKEN", TOKEN);
    world.apply(&settings).await;
    for webhook in captured("inbound_normal") {
        assert_eq!(world.post("romashka", &webhook.path, &webhook.json).await, 200);
    }
    world.run_for(Duration::from_secs(600)).await;
    assert_eq!(held(&world), Held { tasks: 0, ..Held::ONE_OF_EACH });
    // The one who talked is among the exceptions, but a new client is theirs who answered.
    world.crm(|crm| assert_eq!(crm.leads()[0].responsible, 504_002));
}
