//! Access that an account gives in the browser. `api` leaves the code on the row; the holder of the lease exchanges it,
//! and keeps what it gets in a record of its own, which applying settings never touches.

use perezvon_adapters::{Authorise, Known, Reply, Secret};
use perezvon_domain::time::Millis;
use perezvon_platform::Secrets;
use perezvon_store::items::connection::{ACCOUNT, ConnectionRow, Grant, TROUBLE, UNTIL_A_PERSON_ACTS};
use perezvon_store::items::text;
use perezvon_store::table::{Condition, Update, Value};
use perezvon_store::{TableError, keys};

use super::hold::Hold;
use super::send::Sent;
use super::{Codecs, Worker};
use crate::failure::Failure;
use crate::secrets::{self, ConnectionSecret};

/// So long after somebody set out to authorise the code is still tried.
const CODE_GOOD_FOR: Millis = Millis::minutes(20);
/// The wait after an exchange that certainly did not happen.
const LATER: Millis = Millis::minutes(1);
/// Beside the tokens: which grant they are from.
const GRANTED_AT: &str = "granted_at";

/// Whether there is access.
pub(super) enum Access {
    Given,
    /// The connection was changed: look at it again (step 3).
    Look,
    /// Too little time is left to exchange a code.
    NoTime,
}

/// What an exchange came to.
enum Exchanged {
    Tokens(Secret),
    /// Certainly not carried out.
    Later(String),
    /// The code is worth nothing any more, or nobody knows.
    No(String),
}

fn authorise(codecs: Codecs, secret: &ConnectionSecret) -> Option<&'static dyn Authorise> {
    let codec = codecs(&secret.provider)?;
    codec.provider.settings.page(&secret.base, &secret.secret)?;
    codec.jobs?.authorise()
}

/// A connection's own record, with what was given in the browser.
pub(super) async fn with_given(
    codecs: Codecs,
    store: &dyn Secrets,
    mut own: ConnectionSecret,
) -> Result<ConnectionSecret, Failure> {
    let Some(authorise) = authorise(codecs, &own) else { return Ok(own) };
    let name = ConnectionSecret::given_name(&own.account, &own.connection);
    if let Some(given) = secrets::read(store, &name).await? {
        own.secret = authorise.with_given(&own.secret, given);
    }
    Ok(own)
}

impl Worker {
    /// How access is given in the browser, where this connection wants that.
    pub(super) fn authorise(&self, secret: &ConnectionSecret) -> Option<&'static dyn Authorise> {
        authorise(self.codecs, secret)
    }

    /// Writes new tokens where they belong.
    pub(super) async fn keep_tokens(&self, secret: &ConnectionSecret) -> Result<(), Failure> {
        let (account, connection, store) = (&secret.account, &secret.connection, self.secrets.as_ref());
        let written = match self.authorise(secret) {
            Some(_) => secrets::write(store, &ConnectionSecret::given_name(account, connection), &secret.secret).await,
            None => secrets::write(store, &ConnectionSecret::name(account, connection), secret).await,
        };
        Ok(written?)
    }
}

impl Hold<'_> {
    /// Takes in what came from the browser; without access the connection waits for it, and says so.
    pub(super) async fn access(&mut self) -> Result<Access, Failure> {
        let Some(authorise) = self.worker.authorise(&self.secret) else { return Ok(Access::Given) };
        if let Some(grant) = self.row.grant.clone() {
            // Two requests in a row, and nobody should end us between them: rather at the beginning of a hold.
            if self.left_ms() < 2 * self.margin_ms() && self.last_sent > self.row.last_sent {
                return Ok(Access::NoTime);
            }
            self.take_grant(authorise, &grant).await?;
            return Ok(Access::Look);
        }
        if authorise.is_given(&self.secret.secret) {
            return Ok(Access::Given);
        }
        let why = self.row.facts.get(TROUBLE).map_or("канал не авторизован", String::as_str);
        let why = format!("{why}. {}", self.where_to_authorise());
        self.pause_connection(UNTIL_A_PERSON_ACTS, &why).await?;
        Ok(Access::Look)
    }

    /// What a person does about it.
    pub(super) fn where_to_authorise(&self) -> String {
        let (account, connection) = (&self.wake_up.account, &self.wake_up.connection);
        let (_, channel) = connection.as_str().split_once(':').unwrap_or_default();
        format!("Владелец авторизует канал по адресу /api/v1/accounts/{account}/channels/{channel}/authorise")
    }

    async fn take_grant(&mut self, authorise: &dyn Authorise, grant: &Grant) -> Result<(), Failure> {
        // Whoever kept the tokens may have died before the row said so. A code that comes twice may cost them.
        self.take_stored().await?;
        if self.secret.secret.get(GRANTED_AT) == grant.at.0.to_string() {
            return self.settle(authorise, grant, Ok(())).await;
        }
        if self.now().since(grant.at).0 > CODE_GOOD_FOR.0 {
            return self.settle(authorise, grant, Err(TOO_LATE.to_owned())).await;
        }
        match self.exchange_code(authorise, grant).await? {
            Exchanged::Tokens(mut secret) => {
                secret.0.insert(GRANTED_AT.to_owned(), grant.at.0.to_string());
                self.secret.secret = secret;
                self.refreshed = true;
                self.worker.keep_tokens(&self.secret).await?;
                self.settle(authorise, grant, Ok(())).await
            }
            Exchanged::Later(why) => {
                let why = format!("код авторизации ещё не обменян: {why}");
                self.pause_connection(self.now().after(LATER), &why).await
            }
            Exchanged::No(why) => self.settle(authorise, grant, Err(why)).await,
        }
    }

    /// The code for tokens, and whose they are. Nothing is kept before that is known: a pair that works stays until
    /// there is a better one.
    async fn exchange_code(&mut self, authorise: &dyn Authorise, grant: &Grant) -> Result<Exchanged, Failure> {
        let (base, own) = (self.secret.base.clone(), self.secret.secret.clone());
        let facts = self.row.facts.clone();
        let known = |now, secret| Known {
            now,
            base: &base,
            secret,
            facts: &facts,
            point: None,
            recording_link: None,
            lag: None,
        };
        let asking = known(self.now(), &own);
        let reply = match self.send(authorise.exchange(&asking, &grant.code)).await? {
            Sent::Not(why) => return Ok(Exchanged::Later(why)),
            Sent::Answer(Reply { status: 429, .. }) => return Ok(Exchanged::Later("ответ 429".to_owned())),
            Sent::Answer(reply) if reply.status < 500 => reply,
            Sent::Answer(_) | Sent::Unknown(_) => return Ok(Exchanged::No(UNKNOWN.to_owned())),
        };
        let mut secret = match authorise.exchanged(&asking, &reply) {
            Ok(pair) => pair.secret,
            Err(why) => return Ok(Exchanged::No(why)),
        };
        let asking = known(self.now(), &secret);
        let Sent::Answer(reply) = self.send(authorise.whose(&asking)).await? else {
            return Ok(Exchanged::No(WHOSE.to_owned()));
        };
        Ok(match authorise.owner(&asking, &reply) {
            Ok(owner) => {
                secret.0.insert(ACCOUNT.to_owned(), text(&owner));
                Exchanged::Tokens(secret)
            }
            Err(why) => Exchanged::No(why),
        })
    }

    /// Takes the code off the row, and says there what came of it; under the grant, for there may be a newer one.
    async fn settle(
        &mut self,
        authorise: &dyn Authorise,
        grant: &Grant,
        done: Result<(), String>,
    ) -> Result<(), Failure> {
        let mine = Condition::And(vec![
            Condition::Eq("lease".to_owned(), Value::N(self.lease)),
            Condition::Eq("granted_at".to_owned(), Value::N(grant.at.0)),
        ]);
        let mut facts = self.row.facts.clone();
        let mut update =
            Update::new(keys::connection(&self.wake_up.account, &self.wake_up.connection)).remove("grant").when(mine);
        match done {
            Ok(()) => {
                facts.remove(TROUBLE);
                facts.insert(ACCOUNT.to_owned(), self.secret.secret.get(ACCOUNT).to_owned());
                update = update.add("code", 1);
            }
            Err(why) => {
                tracing::warn!(account = %self.wake_up.account, connection = %self.wake_up.connection, why, "not authorised");
                if !authorise.is_given(&self.secret.secret) {
                    let why = format!("{why}. {}", self.where_to_authorise());
                    update = update.set("retry_at", UNTIL_A_PERSON_ACTS.0).set("why", why);
                }
                facts.insert(TROUBLE.to_owned(), why);
            }
        }
        match self.worker.table.update(update.set("facts", text(&facts))).await {
            Ok(row) => {
                self.row = ConnectionRow::read(&row)?;
                self.worker.remembered.put(self.row.code, &self.secret);
                Ok(())
            }
            Err(TableError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

const TOO_LATE: &str = "код авторизации не успели обменять: авторизуйте канал ещё раз";
const UNKNOWN: &str = "неизвестно, обменян ли код авторизации (сервер не ответил): авторизуйте канал ещё раз";
const WHOSE: &str = "неизвестно, чей аккаунт дал доступ (сервер не ответил): авторизуйте канал ещё раз";
