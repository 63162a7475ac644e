//! What people do with a conversation: reply, note, assign, close, open, take a message back. Each is committed as a
//! command, with who did it, and once under an `Idempotency-Key`.

use std::sync::Arc;

use perezvon_domain::conversation::event::Author;
use perezvon_domain::conversation::{Conversation, NotAssigned, NotDeleted, NotReplied, State, text};
use perezvon_domain::policy::{ChannelRules, Employee};
use perezvon_domain::{AccountId, ChannelId, ConversationEventKind as Kind, EmployeeId, Policy, Timestamp};
use perezvon_engine::commit::{Commanded, ItemId, Once};
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::history::{Entry, HistoryRow};
use perezvon_store::keys;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::access::Visitor;
use crate::conversations::ConversationView;
use crate::once::{once, once_or_now};
use crate::route::Act;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// Longest reply in all, in characters; it goes out in parts that the provider takes.
const LONGEST_REPLY: usize = 10_000;
/// Longest note, in bytes: its row is written at once.
const LONGEST_NOTE: usize = 4 * 1024;

/// What somebody wrote.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Text"))]
pub struct Written {
    text: String,
}

/// Who has a conversation from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Assignment", extend("required" = ["to"])))]
pub struct Assigned {
    /// `null` gives it back to its group, and must be said.
    #[serde(deserialize_with = "said")]
    to: Option<EmployeeId>,
}

fn said<'de, D: Deserializer<'de>>(given: D) -> Result<Option<EmployeeId>, D::Error> {
    Option::deserialize(given)
}

/// What a person does is an employee's: of an owner who is none it is refused.
pub fn employee<'a>(policy: &'a Policy, visitor: &Visitor) -> Result<&'a Employee, Problem> {
    let named = policy.employee(&EmployeeId(visitor.person.name.clone()));
    let works = named.filter(|employee| employee.active && !visitor.owns_everything());
    works.ok_or(Problem::new(403, texts::ONLY_EMPLOYEES))
}

/// Who does something to which conversation.
pub struct Acting {
    pub policy: Arc<Policy>,
    pub id: ItemId,
    pub by: EmployeeId,
}

impl Api {
    pub(crate) async fn acting(&self, account: &AccountId, id: &str, visitor: &Visitor) -> Result<Acting, Problem> {
        let (channel, chat) = id.split_once(':').ok_or_else(Problem::not_found)?;
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.ok_or(Problem::new(404, texts::NO_SETTINGS))?;
        let by = employee(&policy, visitor)?.id.clone();
        let id = ItemId { account: account.clone(), channel: ChannelId::from(channel), entry: chat.to_owned() };
        Ok(Acting { policy, id, by })
    }

    /// `POST conversations/{id}/reply`, `note`, `assign`, `close` and `open`.
    pub(crate) async fn act(
        &self,
        acting: &Acting,
        act: Act,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let by = acting.by.clone();
        let key = once(request, &by)?;
        match act {
            Act::Reply => {
                let parts = acting.parts(request)?;
                let kind = |state: &Conversation| {
                    let allowed = state.may_reply(&acting.policy, &parts);
                    allowed.map_err(|why| acting.or_superseded(not_replied(why)))?;
                    Ok(Kind::ReplyWritten { by: by.clone(), parts: parts.clone() })
                };
                self.done(acting, key, kind, ends_ms).await
            }
            Act::Note => {
                let text = note(request)?;
                let key = once_or_now(request, &by, self.now())?;
                let kind = |_: &Conversation| Ok(Kind::NoteWritten { by: by.clone(), text: text.clone() });
                self.done(acting, Some(key), kind, ends_ms).await
            }
            Act::Assign => {
                let Assigned { to } = request.json()?;
                let kind = |state: &Conversation| {
                    state.may_assign(&acting.policy, to.as_ref()).map_err(not_assigned)?;
                    Ok(Kind::Assigned { by: by.clone(), to: to.clone() })
                };
                self.done(acting, key, kind, ends_ms).await
            }
            Act::Close => {
                let kind = |state: &Conversation| match state.state {
                    State::New => Err(Problem::new(409, texts::CHAT_NOT_OPEN)),
                    State::Open | State::Closed(_) => Ok(Kind::ClosedByAgent { by: by.clone() }),
                };
                self.done(acting, key, kind, ends_ms).await
            }
            Act::Image => self.reply_with_image(acting, key, request, ends_ms).await,
            Act::Voice => self.ask_for_voice(acting, request, ends_ms).await,
            Act::Open => self.done(acting, key, |_| Ok(Kind::Opened { by: by.clone() }), ends_ms).await,
        }
    }

    /// `DELETE conversations/{id}/messages/{message}`, named as the provider names it.
    pub(crate) async fn delete_message(
        &self,
        acting: &Acting,
        message: &str,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let (id, now) = (&acting.id, self.now());
        let row = self.table.get(&keys::message(&id.account, &id.channel, &id.entry, message)).await?;
        let row = HistoryRow::read(&row.ok_or(Problem::new(404, texts::NO_MESSAGE))?)?;
        let kind = |state: &Conversation| {
            let sent_at = deletable(&row)?;
            let allowed = state.may_delete(&acting.policy, sent_at, now);
            allowed.map_err(|why| acting.or_superseded(not_deleted(why)))?;
            Ok(Kind::DeletionAsked { by: acting.by.clone(), message: message.to_owned() })
        };
        self.done(acting, once(request, &acting.by)?, kind, ends_ms).await
    }

    pub(crate) async fn done(
        &self,
        acting: &Acting,
        once: Option<Once>,
        kind: impl Fn(&Conversation) -> Result<Kind, Problem> + Send + Sync,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let (policy, committer) = (&*acting.policy, self.committer());
        let done = committer.command::<ConversationItem, _>(policy, &acting.id, once.as_ref(), kind, ends_ms);
        match done.await? {
            Commanded::Done(state) => {
                let view = ConversationView::new(state.row(policy), Some(policy));
                Ok(Reply::json(200, &json!({ "conversation": view })))
            }
            Commanded::Unknown => Err(Problem::new(404, texts::NO_CHAT)),
            Commanded::Refused(problem) => Err(problem),
            Commanded::Reused => Err(Problem::new(422, texts::KEY_REUSED)),
        }
    }
}

impl Acting {
    fn rules(&self) -> Option<&ChannelRules> {
        self.policy.channels.get(&self.id.channel)
    }

    /// Of a superseded channel nothing is sent, whatever else is in the way.
    fn or_superseded(&self, problem: Problem) -> Problem {
        let Some(by) = self.rules().and_then(|rules| rules.superseded.as_ref()) else { return problem };
        Problem::new(409, (&texts::superseded(Some(by)), texts::ANSWER_THERE))
    }

    /// The text of a reply in parts that the provider takes.
    fn parts(&self, request: &Request) -> Result<Vec<String>, Problem> {
        let Written { text } = request.json()?;
        if text.trim().chars().count() > LONGEST_REPLY {
            return Err(too_long(texts::too_many_characters(LONGEST_REPLY)));
        }
        let inbox = self.rules().and_then(ChannelRules::inbox);
        // Of a channel that is off nothing is cut: the command itself refuses.
        Ok(text::parts(&text, inbox.map_or(LONGEST_REPLY, |inbox| inbox.max_text)))
    }
}

fn note(request: &Request) -> Result<String, Problem> {
    let Written { text } = request.json()?;
    match text.trim() {
        "" => Err(Problem::new(400, texts::EMPTY_TEXT)),
        text if text.len() > LONGEST_NOTE => Err(too_long(texts::too_many_bytes(LONGEST_NOTE))),
        text => Ok(text.to_owned()),
    }
}

/// When a message of ours was sent; others are nobody's to take back.
fn deletable(row: &HistoryRow) -> Result<Timestamp, Problem> {
    let by_us = matches!(&row.entry, Some(Entry::Message(message)) if message.from == Author::Agent);
    match row.deleted_at {
        Some(_) => Err(Problem::new(409, texts::MESSAGE_DELETED)),
        None if by_us || row.effect.is_some() => Ok(row.at),
        None => Err(Problem::new(409, texts::MESSAGE_NOT_OURS)),
    }
}

fn too_long(error: String) -> Problem {
    Problem { what_to_do: texts::SHORTEN.to_owned(), ..Problem::bad(error) }
}

pub fn not_replied(why: NotReplied) -> Problem {
    match why {
        NotReplied::ChannelOff => Problem::new(409, texts::CHANNEL_OFF),
        NotReplied::NeverStarted => Problem::new(409, texts::NEVER_STARTED),
        NotReplied::NoImages => Problem::new(409, texts::NO_IMAGES),
        NotReplied::Empty => Problem::new(400, texts::EMPTY_TEXT),
        NotReplied::TooLong(most) => too_long(texts::too_many_characters(most)),
        NotReplied::TooMany(most) => too_long(texts::too_many_parts(most)),
    }
}

fn not_assigned(why: NotAssigned) -> Problem {
    match why {
        NotAssigned::NotOpen => Problem::new(409, texts::CHAT_NOT_OPEN),
        NotAssigned::NotHere => Problem::new(404, texts::NO_EMPLOYEE),
        NotAssigned::NoGroup => Problem::new(409, texts::NO_GROUP),
    }
}

fn not_deleted(why: NotDeleted) -> Problem {
    match why {
        NotDeleted::ChannelOff => Problem::new(409, texts::CHANNEL_OFF),
        NotDeleted::TooOld(within) => {
            Problem { status: 409, error: texts::too_old(within), what_to_do: texts::WRITE_AGAIN.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::time::Millis;

    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_bounds_are_told() {
        let replies = [
            (NotReplied::ChannelOff, 409),
            (NotReplied::NeverStarted, 409),
            (NotReplied::NoImages, 409),
            (NotReplied::Empty, 400),
            (NotReplied::TooLong(77), 400),
            (NotReplied::TooMany(77), 400),
        ];
        for (why, status) in replies {
            assert_eq!(not_replied(why).status, status, "{why:?}");
        }
        assert!(not_replied(NotReplied::TooMany(77)).error.contains("77"));
        assert_eq!([NotAssigned::NotOpen, NotAssigned::NotHere].map(|why| not_assigned(why).status), [409, 404]);
        let old = not_deleted(NotDeleted::TooOld(Millis::minutes(60)));
        assert!(old.status == 409 && old.error.contains("60 мин"), "{old:?}");
    }

    #[test]
    fn only_what_we_sent_is_taken_back_and_once() {
        let row = |effect: Option<&str>, deleted_at| HistoryRow {
            at: Timestamp(5),
            entry: None,
            effect: effect.map(Into::into),
            deleted_at,
            whole: None,
            voice: None,
        };
        assert_eq!(deletable(&row(Some("chat/ads/u/1/0"), None)), Ok(Timestamp(5)));
        for other in [row(None, None), row(Some("chat/ads/u/1/0"), Some(Timestamp(9)))] {
            assert_eq!(deletable(&other).map_err(|problem| problem.status), Err(409), "{other:?}");
        }
    }

    #[test]
    fn nobody_gives_a_conversation_back_by_leaving_the_name_out() {
        let read = |text: &str| serde_json::from_str::<Assigned>(text).map(|assigned| assigned.to);
        assert_eq!(read(r#"{"to":null}"#).expect("said"), None);
        assert_eq!(read(r#"{"to":"anna"}"#).expect("said"), Some("anna".into()));
        assert!(read("{}").is_err());
    }
}
