//! Stories: whole calls through the real handlers, told as sentences.

#[path = "stories/answering.rs"]
mod answering;
#[path = "stories/arrival_orders.rs"]
mod arrival_orders;
#[path = "stories/avito.rs"]
mod avito;
#[path = "stories/avito_off.rs"]
mod avito_off;
#[path = "stories/avito_superseded.rs"]
mod avito_superseded;
#[path = "stories/avito_trouble.rs"]
mod avito_trouble;
#[path = "stories/backlog.rs"]
mod backlog;
#[path = "stories/batches.rs"]
mod batches;
#[path = "stories/calls.rs"]
mod calls;
#[path = "stories/chaos.rs"]
mod chaos;
#[path = "stories/conversations.rs"]
mod conversations;
#[path = "stories/costs.rs"]
mod costs;
#[path = "stories/crashes.rs"]
mod crashes;
#[path = "stories/first_light.rs"]
mod first_light;
#[path = "stories/healing.rs"]
mod healing;
#[path = "stories/intake.rs"]
mod intake;
#[path = "stories/lost_secrets.rs"]
mod lost_secrets;
#[path = "stories/operators.rs"]
mod operators;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/protocol/mod.rs"]
mod protocol;
#[path = "stories/revoking.rs"]
mod revoking;
#[path = "stories/telling.rs"]
mod telling;
#[path = "stories/trouble.rs"]
mod trouble;
#[path = "stories/versions.rs"]
mod versions;
#[path = "stories/waits.rs"]
mod waits;
