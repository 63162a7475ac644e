//! Stories: whole calls through the real handlers, told as sentences.

#[path = "stories/arrival_orders.rs"]
mod arrival_orders;
#[path = "stories/crashes.rs"]
mod crashes;
#[path = "stories/first_light.rs"]
mod first_light;
#[path = "stories/telling.rs"]
mod telling;
