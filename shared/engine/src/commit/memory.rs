//! Step 3 and the window of step 5: what was written once counts once, however late and however often it is told.

use std::collections::BTreeSet;

use perezvon_domain::Timestamp;
use perezvon_store::TableError;
use perezvon_store::items::history;
use perezvon_store::items::window::{Done, Mark, Window};

use super::Committer;
use super::aggregate::{Aggregate, News, Once};

impl Committer {
    /// What of these events was not seen before.
    pub(super) async fn unseen<A: Aggregate>(
        &self,
        item: &A,
        news: &[News<A::Event>],
        now: Timestamp,
    ) -> Result<Vec<News<A::Event>>, TableError> {
        let Some(window) = item.window() else { return Ok(news.to_vec()) };
        let (mut fresh, mut marks) = (Vec::new(), BTreeSet::new());
        for one in news {
            if let Some(dedup) = A::dedup(one) {
                // Only late events pay the read, and what may be an echo of ours.
                let late = dedup.always || window.floor.is_some_and(|floor| dedup.occurred_at <= floor);
                let twice = !marks.insert(dedup.mark.clone());
                if twice || window.knows(&dedup.mark) || (late && self.stands(item, &dedup.mark, now).await?) {
                    continue;
                }
            }
            // Its echo may stand behind it in the same batch.
            marks.extend(A::told_of(&one.event).map(|(message, _)| Mark::Message(message)));
            fresh.push(one.clone());
        }
        Ok(fresh)
    }

    /// Whether the row that stands for a mark is there: strongly consistent.
    async fn stands<A: Aggregate>(&self, item: &A, mark: &Mark, now: Timestamp) -> Result<bool, TableError> {
        let Some(key) = item.row_of(mark) else { return Ok(false) };
        let row = self.table.get(&key).await?;
        Ok(row.is_some_and(|row| matches!(mark, Mark::Message(_)) || history::digest(&row, now).is_some()))
    }

    /// The window after these events: beyond its size the oldest key **whose row exists** leaves it; one without a
    /// row stays (!12).
    pub(super) async fn remember<A: Aggregate>(
        &self,
        item: &A,
        fresh: &[News<A::Event>],
        now: Timestamp,
    ) -> Result<Window, TableError> {
        let Some(window) = item.window() else { return Ok(Window::default()) };
        let mut window = window.clone();
        window.expire(now);
        for news in fresh {
            match A::dedup(news).map(|dedup| (dedup.mark, dedup.occurred_at)) {
                Some((Mark::Message(id), occurred_at)) => window.enter(id, occurred_at),
                Some((Mark::Once(key), _)) => {
                    let digest = news.once.as_ref().map(|once| once.digest.clone()).unwrap_or_default();
                    window.once.insert(key, Done { at: now, digest, version: item.base().version + 1 });
                }
                None => {}
            }
            if let Some((message, at)) = A::told_of(&news.event) {
                window.enter(message, at);
            }
        }
        for mark in window.by_age() {
            if !window.is_over() {
                break;
            }
            if self.stands(item, &mark, now).await? {
                window.evict(&mark);
            }
        }
        Ok(window)
    }

    /// The digest of what was done under this `Idempotency-Key`; `None`: nothing was.
    pub(super) async fn done_once<A: Aggregate>(
        &self,
        item: &A,
        once: &Once,
        now: Timestamp,
    ) -> Result<Option<String>, TableError> {
        let mut window = item.window().cloned().unwrap_or_default();
        window.expire(now);
        if let Some(done) = window.once.get(&once.key) {
            return Ok(Some(done.digest.clone()));
        }
        let Some(key) = item.row_of(&Mark::Once(once.key.clone())) else { return Ok(None) };
        Ok(self.table.get(&key).await?.and_then(|row| history::digest(&row, now)))
    }
}
