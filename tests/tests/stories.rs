//! Stories: whole calls through the real handlers, told as sentences.

#[path = "stories/answering.rs"]
mod answering;
#[path = "stories/answering_trouble.rs"]
mod answering_trouble;
#[path = "stories/answering_who_calls.rs"]
mod answering_who_calls;
#[path = "stories/arrival_orders.rs"]
mod arrival_orders;
#[path = "stories/avito.rs"]
mod avito;
#[path = "stories/avito_media.rs"]
mod avito_media;
#[path = "stories/avito_oauth.rs"]
mod avito_oauth;
#[path = "stories/avito_oauth_trouble.rs"]
mod avito_oauth_trouble;
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
#[path = "stories/chat_records.rs"]
mod chat_records;
#[path = "stories/click_to_call.rs"]
mod click_to_call;
#[path = "stories/conversations.rs"]
mod conversations;
#[path = "stories/costs.rs"]
mod costs;
#[path = "stories/crashes.rs"]
mod crashes;
#[path = "stories/crm_changes.rs"]
mod crm_changes;
#[path = "stories/directory.rs"]
mod directory;
#[path = "stories/document.rs"]
mod document;
#[path = "stories/first_light.rs"]
mod first_light;
#[path = "stories/healing.rs"]
mod healing;
#[path = "stories/intake.rs"]
mod intake;
#[path = "stories/load.rs"]
mod load;
#[path = "stories/lost_calls.rs"]
mod lost_calls;
#[path = "stories/lost_secrets.rs"]
mod lost_secrets;
#[path = "stories/odd_messages.rs"]
mod odd_messages;
#[path = "stories/operators.rs"]
mod operators;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/popups.rs"]
mod popups;
#[path = "stories/protocol/mod.rs"]
mod protocol;
#[path = "stories/revoking.rs"]
mod revoking;
#[path = "stories/rostelecom.rs"]
mod rostelecom;
#[path = "stories/routing.rs"]
mod routing;
#[path = "stories/signatures.rs"]
mod signatures;
#[path = "stories/statistics.rs"]
mod statistics;
#[path = "stories/telephony.rs"]
mod telephony;
#[path = "stories/telling.rs"]
mod telling;
#[path = "stories/timers.rs"]
mod timers;
#[path = "stories/trouble.rs"]
mod trouble;
#[path = "stories/versions.rs"]
mod versions;
#[path = "stories/waits.rs"]
mod waits;
