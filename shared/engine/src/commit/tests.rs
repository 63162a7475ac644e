//! What becomes of a due time.

use super::command::arm;
use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + seconds)
}

fn settled(stands: Option<Timestamp>, wanted: Option<Timestamp>, timer: bool, now: Timestamp) -> Due {
    settle(stands, wanted, timer, now, Millis(Times::default().look_ahead_ms))
}

#[test]
fn a_due_time_is_written_only_when_it_gets_earlier() {
    let now = at(0);
    assert_eq!(settled(None, Some(at(600)), false, now), Due::Set(at(600)));
    assert_eq!(settled(Some(at(600)), Some(at(60)), false, now), Due::Told(at(60)));
    assert_eq!(settled(Some(at(600)), Some(at(900)), false, now), Due::Leave);
    assert_eq!(settled(Some(at(600)), None, false, now), Due::Leave);
}

#[test]
fn a_timer_event_always_settles_it() {
    let now = at(0);
    assert_eq!(settled(Some(at(490)), None, true, now), Due::Remove);
    assert_eq!(settled(Some(at(490)), Some(at(3600)), true, now), Due::Set(at(3600)));
    assert_eq!(settled(Some(at(600)), Some(at(600)), true, now), Due::Leave);
    assert_eq!(settled(None, None, true, now), Due::Leave);
}

#[test]
fn within_the_look_ahead_it_stays_where_the_sweep_moved_it() {
    let now = at(0);
    assert_eq!(settled(Some(at(490)), Some(at(100)), true, now), Due::Leave);
    // One that has passed would be swept again at once.
    assert_eq!(settled(Some(at(-1)), Some(at(100)), true, now), Due::Told(at(100)));
}

#[test]
fn a_command_with_effects_arms_the_item() {
    assert_eq!(arm(Due::Leave, None, None, at(60)), (Due::Set(at(60)), Some(at(60))));
    // A time that nobody wants any more goes as well.
    assert_eq!(arm(Due::Leave, Some(at(490)), None, at(60)), (Due::Set(at(60)), Some(at(60))));
}

#[test]
fn what_is_due_before_that_stays_and_is_not_ours_to_take_off() {
    assert_eq!(arm(Due::Leave, Some(at(60)), Some(at(60)), at(60)), (Due::Leave, None));
    assert_eq!(arm(Due::Leave, Some(at(-5)), None, at(60)), (Due::Leave, None));
    assert_eq!(arm(Due::Set(at(30)), Some(at(900)), Some(at(30)), at(60)), (Due::Set(at(30)), None));
}

#[test]
fn what_is_due_later_waits_behind_ours_and_keeps_it_there() {
    // The timer event that comes then settles the true time.
    assert_eq!(arm(Due::Set(at(300)), None, Some(at(300)), at(60)), (Due::Set(at(60)), None));
    assert_eq!(arm(Due::Leave, Some(at(300)), Some(at(300)), at(60)), (Due::Set(at(60)), None));
    assert_eq!(settled(Some(at(550)), Some(at(300)), true, at(60)), Due::Set(at(300)));
}
