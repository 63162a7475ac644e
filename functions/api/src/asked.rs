//! What the PBX asked before it rang anybody: joined when a call is read, for a question names no call.

use perezvon_domain::AccountId;
use perezvon_domain::call::Call;
use perezvon_domain::policy::normal_line;
use perezvon_store::TableError;
use perezvon_store::items::answer::Decision;

use crate::Api;
use crate::story::Line;

impl Api {
    /// How the question about this call was decided, if there was one: that of the same line and number that came
    /// closest to its beginning.
    pub(crate) async fn asked_about(&self, account: &AccountId, call: &Call) -> Result<Vec<Line>, TableError> {
        let (Some(number), Some(line)) = (call.client_number(), call.line().map(normal_line)) else {
            return Ok(Vec::new());
        };
        let began = call.started_at();
        let page = self.table.query(Decision::near(account, number, began)).await?;
        let decisions: Vec<Decision> = page.rows.iter().map(Decision::read).collect::<Result<_, _>>()?;
        let of_it = decisions.iter().filter(|it| it.channel == call.channel && it.line == line);
        let Some(nearest) = of_it.min_by_key(|it| it.at.since(began).0.abs()) else { return Ok(Vec::new()) };
        let because = nearest.answered.because.iter();
        Ok(because.map(|reason| Line { at: nearest.at, words: reason.words() }).collect())
    }
}
