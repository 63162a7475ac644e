//! What becomes of a due time.

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
    assert_eq!(settled(Some(at(600)), Some(at(60)), false, now), Due::Set(at(60)));
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
    assert_eq!(settled(Some(at(-1)), Some(at(100)), true, now), Due::Set(at(100)));
}
