//! Each guard of an automatic message, alone.

use super::*;
use crate::conversation::guards::*;

fn open() -> Conversation {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.it
}

fn sending(round: u32) -> Sending {
    Sending { origin: Origin::Closing, round, at: at(12, 0) }
}

#[test]
fn only_an_open_conversation_is_open() {
    let mut life = Life::new();
    assert!(!is_open(&life.it));
    life.client(at(12, 0));
    assert!(is_open(&life.it));
    life.close(at(12, 1));
    assert!(!is_open(&life.it));
}

#[test]
fn one_human_reply_is_a_reply() {
    let mut life = Life::new();
    life.client(at(12, 0));
    assert!(nobody_replied(&life.it));
    life.reply(at(12, 1));
    assert!(!nobody_replied(&life.it));
}

#[test]
fn we_may_write_once_the_client_wrote_or_where_the_provider_lets_us() {
    let anywhere = Inbox { can_initiate: true, ..inbox() };
    assert!(!may_write(&new(), &inbox()));
    assert!(may_write(&new(), &anywhere));
    assert!(may_write(&open(), &inbox()));
}

#[test]
fn an_outgoing_message_without_a_place_is_undecided() {
    let mut it = open();
    assert!(nothing_is_undecided(&it));
    it.undecided.push(Undecided {
        occurred_at: at(12, 1),
        message: "x".into(),
        received_at: at(12, 1),
        summary: String::new(),
    });
    assert!(!nothing_is_undecided(&it));
}

#[test]
fn a_step_is_left_until_its_place_was_sent_or_its_delay_was_passed() {
    let mut it = open();
    assert!(step_is_left(&it, 0, Millis::minutes(5)));
    it.round.steps.insert(0, Millis::minutes(5));
    assert!(!step_is_left(&it, 0, Millis::minutes(5)), "the same step");
    assert!(!step_is_left(&it, 0, Millis::minutes(9)), "the same step with another delay");
    assert!(!step_is_left(&it, 1, Millis::minutes(5)), "the same step at another place");
    assert!(step_is_left(&it, 1, Millis::minutes(6)));
}

#[test]
fn what_is_due_is_due_from_its_moment_on() {
    assert!(!is_due(at(12, 1), Timestamp(at(12, 1).0 - 1)));
    assert!(is_due(at(12, 1), at(12, 1)));
    assert!(is_due(at(12, 1), at(13, 0)));
}

#[test]
fn a_message_is_fresh_for_fifteen_minutes() {
    assert!(is_fresh(at(12, 0), at(12, 15)));
    assert!(!is_fresh(at(12, 0), Timestamp(at(12, 15).0 + 1)));
    assert!(is_fresh(at(12, 1), at(12, 0)), "the provider's clock is ahead");
}

#[test]
fn only_a_later_message_written_outside_answers() {
    let mut it = open();
    assert!(!answered_outside(&it, at(12, 0)));
    it.agent_wrote_at = Some(at(12, 5));
    assert!(answered_outside(&it, at(12, 4)));
    assert!(!answered_outside(&it, at(12, 5)), "in the same second: the client waits");
}

#[test]
fn what_was_written_before_the_round_began_is_not_of_it() {
    let it = open();
    assert!(is_of_round(&it, at(12, 0)));
    assert!(!is_of_round(&it, at(11, 59)));
}

#[test]
fn it_is_quiet_since_the_last_message_the_undecided_ones_too() {
    let mut it = open();
    assert_eq!(quiet_since(&it), at(12, 0));
    it.undecided.push(Undecided {
        occurred_at: at(12, 1),
        message: "x".into(),
        received_at: at(12, 2),
        summary: String::new(),
    });
    assert_eq!(quiet_since(&it), at(12, 2));
}

#[test]
fn the_closing_clock_starts_at_the_receipt_unless_it_lay_with_us_through_an_outage() {
    assert_eq!(clock_start(at(12, 0), at(12, 15)), at(12, 0));
    assert_eq!(clock_start(at(12, 0), at(14, 0)), at(14, 0));
}

#[test]
fn a_closing_text_follows_agents_time_and_leaving_but_not_the_end_of_the_channel() {
    for cause in [Cause::Agent { by: "anna".into() }, Cause::TimeOut, Cause::ClientLeft] {
        assert!(text_follows(&cause));
    }
    assert!(!text_follows(&Cause::ChannelDisabled) && !text_follows(&Cause::ChannelSuperseded));
}

#[test]
fn a_text_belongs_to_its_round() {
    assert!(is_same_round(&open(), &sending(1)));
    assert!(!is_same_round(&open(), &sending(2)));
}

#[test]
fn an_automatic_text_is_timely_for_a_day() {
    assert!(is_timely(&sending(1), at(36, 0)));
    assert!(!is_timely(&sending(1), Timestamp(at(36, 0).0 + 1)));
}
