//! A simulation runs by itself.

use super::*;
use crate::conversation::timeline::{Line, simulate};

#[test]
fn the_clock_jumps_to_whatever_is_due() {
    let policy = policy_of(Some(inbox()));
    let script = [
        (at(22, 0), message("c1", Author::Client)),
        (at(34, 0), reply("Добрый день!")),
        (at(82, 0), message("c2", Author::Client)),
    ];
    let lines = simulate(new(), &script, &policy, at(1000, 0));
    let effects = |line: &Line| line.effects.iter().map(describe).collect::<Vec<_>>().join(", ");
    let told: Vec<_> = lines.iter().map(|line| (line.at, line.event.name(), effects(line))).collect();
    assert_eq!(
        told,
        [
            (at(22, 0), "MessageReceived (client)", "ConversationOpened".to_owned()),
            (at(22, 2), "ReplyDue", FIRST.to_owned()),
            (at(34, 0), "ReplyWritten", format!("MarkRead, {REPLY}")),
            (at(82, 0), "MessageReceived (client)", String::new()),
            (at(130, 0), "CloseDue", format!("{CLOSING}, ConversationClosed")),
        ]
    );
    assert_eq!((lines[0].reply_due, lines[0].close_due), (Some(at(22, 2)), Some(at(70, 0))));
    assert_eq!(lines[4].because.last().map(String::as_str), Some("клиенту отправляется сообщение о закрытии"));
    assert_eq!((lines[4].reply_due, lines[4].close_due), (None, None));
    let same = simulate(new(), &script, &policy, at(1000, 0));
    assert_eq!(lines, same);
    assert_eq!(simulate(new(), &script, &policy, at(22, 1)).len(), 1, "no further than asked for");
}

#[test]
fn a_long_life_tells_only_what_is_new_in_each_line() {
    let policy = policy_of(Some(inbox()));
    let script: Vec<_> = (0..30).map(|day| (at(day * 72, 0), message("c", Author::Client))).collect();
    let lines = simulate(new(), &script, &policy, at(100 * 24, 0));
    assert_eq!(lines.len(), 90);
    assert!(lines.iter().all(|line| line.because.len() <= 2 && !line.because.is_empty()), "{lines:?}");
}
