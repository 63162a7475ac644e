//! Our own messages come back to us, sometimes before the answer to our request.

use super::*;

fn sent(id: &str) -> JobResult {
    JobResult::Chat(ChatResult::Sent { message: id.into() })
}

/// A client waits, and two parts of a reply are on their way.
fn replied() -> (Life, EffectId, EffectId) {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.hear(at(12, 1), Kind::ReplyWritten { by: "anna".into(), parts: vec!["раз".into(), "два".into()] });
    let sends: Vec<EffectId> = life.it.sends.keys().cloned().collect();
    (life, sends[0].clone(), sends[1].clone())
}

#[test]
fn an_echo_before_its_result_is_kept_undecided_and_then_dropped() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    let first = life.last_send();
    life.hear(at(12, 6), message("ours", Author::Agent));
    assert_eq!(life.it.undecided.len(), 1);
    assert_eq!(life.due.0, None, "until it is decided, nothing is said by itself");
    assert!(life.it.round.replied_at.is_none());
    life.sent(at(12, 7), &first, "ours");
    assert!(life.it.undecided.is_empty() && life.it.round.replied_at.is_none());
    assert_eq!(life.due.0, Some(at(12, 20)), "nobody replied: the next step is still to come");
    assert_eq!(life.it.active_at, at(12, 0), "and our own text does not start the closing clock");
}

#[test]
fn what_nobody_claimed_when_all_results_are_there_was_written_outside() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    let first = life.last_send();
    life.hear(at(12, 6), message("theirs", Author::Agent));
    life.sent(at(12, 7), &first, "ours");
    assert_eq!(life.it.round.replied_at, Some(at(12, 6)));
    assert_eq!(life.it.active_at, at(12, 6));
    assert_eq!(life.due.0, None);
    assert_eq!(life.said("chat_replied"), ["ответил сотрудник в приложении провайдера: автоответов больше не будет"]);
}

#[test]
fn a_step_that_came_due_meanwhile_is_sent_when_the_echo_is_known() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    let first = life.last_send();
    life.hear(at(12, 6), message("ours", Author::Agent));
    assert_eq!(life.timers(at(12, 20)), NOTHING);
    assert_eq!(life.sent(at(12, 21), &first, "ours"), [SECOND]);
}

#[test]
fn a_message_that_is_undecided_counts_as_written_for_the_closing_clock() {
    let mut life = Life::with(Inbox { close_after: Some(Millis::minutes(60)), ..inbox() });
    life.client(at(12, 0));
    life.timers(at(12, 5));
    life.hear(at(12, 30), message("x", Author::Agent));
    assert_eq!(life.timers(at(13, 0)), NOTHING);
    assert_eq!(life.timers(at(13, 30)), [CLOSING]);
}

#[test]
fn any_order_of_results_and_echoes_gives_the_same() {
    let end = |order: &[usize]| {
        let (mut life, one, two) = replied();
        let kinds = [
            Kind::JobEnded { effect: one, result: sent("e1") },
            Kind::JobEnded { effect: two, result: sent("e2") },
            message("e1", Author::Agent),
            message("e2", Author::Agent),
            message("theirs", Author::Agent),
        ];
        let mut known: Vec<&str> = Vec::new();
        for index in order {
            // What a result has named, the dedup keys beside the state drop.
            let name = ["", "", "e1", "e2", "theirs"][*index];
            if known.contains(&name) {
                continue;
            }
            known.extend([["e1", "e2"].get(*index)].into_iter().flatten());
            life.take(&[event(at(12, 3), at(12, 3), kinds[*index].clone())], at(12, 3));
        }
        let Conversation { version: _, at: _, because: _, ref mut last_job, .. } = life.it;
        last_job.clear();
        (life.it.undecided.clone(), life.it.sends.clone(), life.it.waiting, life.it.active_at, life.it.round.clone())
    };
    let same = end(&[0, 1, 2, 3, 4]);
    assert!(same.0.is_empty() && same.1.is_empty());
    assert_eq!(same.3, at(12, 3), "what was written outside counts");
    permutations(&mut [0, 1, 2, 3, 4], 0, &mut |order| assert_eq!(end(order), same, "{order:?}"));
}

fn permutations(of: &mut [usize; 5], from: usize, tell: &mut impl FnMut(&[usize])) {
    if from == of.len() {
        return tell(of);
    }
    for other in from..of.len() {
        of.swap(from, other);
        permutations(of, from + 1, tell);
        of.swap(from, other);
    }
}

#[test]
fn a_failed_send_has_no_echo() {
    let (mut life, one, two) = replied();
    life.hear(at(12, 2), message("x", Author::Agent));
    life.ended(at(12, 3), &one, JobResult::Failed { why: "нет прав".into(), made: None });
    assert_eq!(life.it.undecided.len(), 1, "the other one may still be it");
    life.sent(at(12, 4), &two, "e2");
    assert!(life.it.undecided.is_empty());
    assert_eq!(life.it.agent_wrote_at, Some(at(12, 2)));
    assert_eq!(life.it.row(&life.policy).trouble.as_deref(), Some("нет прав"));
}

#[test]
fn a_send_that_a_person_put_back_takes_its_trouble_along() {
    let (mut life, one, _) = replied();
    life.ended(at(12, 3), &one, JobResult::Failed { why: "нет прав".into(), made: None });
    life.sent(at(12, 9), &one, "e1");
    assert_eq!(life.it.trouble, None);
    life.ended(at(12, 10), &one, JobResult::Failed { why: "поздно".into(), made: None });
    assert_eq!(life.it.trouble, None, "nothing awaits it any more");

    let (mut life, one, _) = replied();
    life.ended(at(12, 3), &one, JobResult::Failed { why: "нет прав".into(), made: None });
    life.reply(at(12, 4));
    assert_eq!(life.it.trouble, None, "somebody writes anew");
}

#[test]
fn no_more_than_eight_are_kept() {
    let (mut life, _, two) = replied();
    for n in 0..10 {
        life.hear(at(12, 2 + n), message(&format!("x{n}"), Author::Agent));
        life.hear(at(12, 2 + n), message(&format!("x{n}"), Author::Agent));
    }
    assert_eq!(life.it.undecided.len(), 8);
    assert_eq!(life.it.agent_wrote_at, Some(at(12, 3)), "the two oldest are taken to be somebody's");
    life.sent(at(13, 0), &two, "x5");
    assert_eq!(life.it.undecided.len(), 7);
}

#[test]
fn a_deletion_finds_our_last_message_under_the_providers_id() {
    let (mut life, one, two) = replied();
    life.sent(at(12, 2), &one, "e1");
    life.sent(at(12, 2), &two, "e2");
    assert_eq!(
        life.hear(at(12, 3), Kind::DeletionAsked { by: "anna".into(), message: "e2".into() }),
        ["DeleteMessage"]
    );
    assert_eq!(life.hear(at(12, 3), Kind::DeletionAsked { by: "anna".into(), message: "e2".into() }), NOTHING);
    let effect = life.it.errands.keys().next().expect("a deletion").clone();
    life.ended(at(12, 4), &effect, JobResult::Failed { why: "прошёл час".into(), made: None });
    assert_eq!(life.said("chat_not_deleted"), ["сообщение не удалено: прошёл час"]);
    life.hear(at(12, 5), Kind::MessageDeleted { message: "e2".into() });
    assert_eq!(life.it.last.as_ref().map(|last| last.summary.as_str()), Some(""));
}
