//! `GET channels/{channel}/authorise` leads an owner to the provider's page, and `GET /oauth/callback` is where that page
//! sends the browser back to. The code it brings is left on the connection's row: whoever holds its lease exchanges it.

use perezvon_domain::{AccountId, ChannelId, Lane};
use perezvon_engine::settings::channel_connection;
use perezvon_platform::link::{STATE_GOOD_FOR_MS, State, open_state, sign_state};
use perezvon_store::items::connection::{ConnectionRow, Grant};
use perezvon_store::{TableError, keys};
use serde_json::json;

use crate::texts::{self, Text};
use crate::web::{Problem, Reply, Request};
use crate::{Api, page};

/// Longest code that is taken, in bytes: it lies in the row of the connection.
const LONGEST_CODE: usize = 2048;

impl Api {
    /// `GET channels/{channel}/authorise`: the address for a program, the page itself for a browser.
    pub(crate) async fn authorise(
        &self,
        account: &AccountId,
        channel: &ChannelId,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let row = self.table.get(&keys::connection(account, &channel_connection(channel))).await?;
        let row = ConnectionRow::read(&row.ok_or_else(Problem::not_found)?)?;
        let page = row.page.filter(|_| !row.off && row.leave_by.is_none());
        let page = page.ok_or(Problem::new(409, texts::NOT_BY_BROWSER))?;
        let state = State { account: account.0.clone(), channel: channel.0.clone(), at_ms: self.now().0 };
        let url = format!("{page}&state={}", sign_state(&state, &self.config.person_key));
        if request.header("accept").is_some_and(|wanted| wanted.contains("text/html")) {
            return Ok(Reply::redirect(303, &url));
        }
        Ok(Reply::json(200, &json!({ "url": url, "good_until": state.at_ms + STATE_GOOD_FOR_MS })))
    }

    /// `GET /oauth/callback`: nobody is logged in, `state` tells what it is about.
    pub(crate) async fn authorised(&self, request: &Request) -> Reply {
        match self.take_grant(request).await {
            Ok(text) => page::told(200, text),
            Err(Problem { status, error, what_to_do }) => page::told(status, (&error, &what_to_do)),
        }
    }

    async fn take_grant(&self, request: &Request) -> Result<Text, Problem> {
        let state = request.param("state");
        let state = state.and_then(|state| open_state(state, &self.config.person_key, self.now().0));
        let state = state.ok_or(Problem::new(400, texts::BAD_STATE))?;
        if let Some(error) = request.param("error") {
            let denied = error == "access_denied";
            return Err(Problem::new(403, if denied { texts::DENIED } else { texts::NO_CODE }));
        }
        let code = request.param("code").filter(|code| code.len() <= LONGEST_CODE);
        let code = code.ok_or(Problem::new(400, texts::NO_CODE))?.to_owned();
        let grant = Grant { at: perezvon_domain::Timestamp(state.at_ms), code };
        let (account, connection) = (AccountId(state.account), channel_connection(&ChannelId(state.channel)));
        match self.table.update(ConnectionRow::granted(&account, &connection, &grant, self.now())).await {
            // A browser may ask twice.
            Err(TableError::Conflict(Some(row))) if ConnectionRow::read(&row)?.grant == Some(grant) => {}
            Err(error) if error.is_conflict() => return Err(Problem::new(409, texts::STATE_USED)),
            other => _ = other?,
        }
        // Only makes it faster: the row is due.
        if let Err(error) = self.wake(&account, &connection, Lane::Outbound).await {
            tracing::warn!(%connection, %error, "no wake-up sent; the next pass of `wake` will do");
        }
        Ok(texts::AUTHORISED)
    }
}
