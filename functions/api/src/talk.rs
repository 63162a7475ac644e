//! `GET conversations/{id}`: one conversation, explained, with a page of its messages.

use perezvon_domain::conversation::Conversation;
use perezvon_domain::conversation::row::Row;
use perezvon_domain::{AccountId, ChannelId};
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::history::{Entry, HistoryRow};
use perezvon_store::keys;
use serde_json::json;

use crate::conversations::{ConversationView, name};
use crate::explain::{Entity, cards, crm_base};
use crate::story::Line;
use crate::web::{Problem, Reply, Request};
use crate::{Api, history, list, opaque, texts, words};

impl Api {
    /// `GET conversations/{id}`; with a cursor older messages.
    pub(crate) async fn conversation(
        &self,
        account: &AccountId,
        id: &str,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let (channel, chat) = id.split_once(':').ok_or_else(Problem::not_found)?;
        let limit = list::limit(request)?;
        let place = |text| opaque::decode_place(text).ok_or(Problem::new(400, texts::BAD_CURSOR));
        let before = request.param("cursor").map(place).transpose()?;
        let row = self.table.get(&keys::chat(account, &ChannelId::from(channel), chat)).await?;
        let item = ConversationItem::read(&row.ok_or(Problem::new(404, texts::NO_CHAT))?)?;
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.ok_or(Problem::new(404, texts::NO_SETTINGS))?;
        let of = &item.conversation;
        let (rows, whole) = history::read(&*self.table, of).await?;
        let views = history::views(&item, &rows, &policy, self.now())?;
        let (messages, cursor) = history::page(views, before.as_ref(), limit);
        let row = of.row(&policy);
        let entities = self.cards_of(&row, account).await?;
        let view = ConversationView::new(row, Some(&policy));
        let reasons = reasons(of);
        let text = lines(&view, &reasons, &policy.time_zone);
        let assignee = of.assignee.as_ref().map(|id| json!({ "id": id, "name": name(id, Some(&policy)) }));
        let body = json!({
            "conversation": view,
            "assignee": assignee,
            "round": of.round.number,
            "reasons": reasons,
            "entities": entities,
            "messages": messages,
            "cursor": cursor,
            "whole": whole,
            "time_zone": policy.time_zone,
            "text": text,
        });
        Ok(Reply::json(200, &body))
    }

    /// `GET conversations/{id}/messages/{message}`: the whole text of a message, however long.
    pub(crate) async fn message(&self, account: &AccountId, id: &str, message: &str) -> Result<Reply, Problem> {
        let missing = || Problem::new(404, texts::NO_MESSAGE);
        let (channel, chat) = id.split_once(':').ok_or_else(missing)?;
        let key = keys::message(account, &ChannelId::from(channel), chat, message);
        let row = HistoryRow::read(&self.table.get(&key).await?.ok_or_else(missing)?)?;
        let (Some(Entry::Message(told)), None) = (row.entry, row.deleted_at) else { return Err(missing()) };
        let text = match &row.whole {
            None => told.text,
            Some(blob) => {
                let whole = self.blobs.get(blob, 0, None).await?.ok_or(Problem::new(410, texts::TEXT_GONE))?;
                String::from_utf8_lossy(&whole.bytes).into_owned()
            }
        };
        Ok(Reply::json(200, &json!({ "text": text })))
    }

    /// What stands in the CRM for it. Whoever makes nothing there pays no read of the settings.
    async fn cards_of(&self, row: &Row, account: &AccountId) -> Result<Vec<Entity>, Problem> {
        if row.contact.is_none() && row.deal.is_none() {
            return Ok(Vec::new());
        }
        let base = crm_base(&self.needed_settings(account).await?);
        Ok(cards(row.contact.clone(), row.deal.clone(), &base))
    }
}

/// Why what was done.
fn reasons(of: &Conversation) -> Vec<Line> {
    of.because.iter().map(|because| Line { at: because.at, words: because.reason.words() }).collect()
}

/// The same as lines that can be printed as they are.
fn lines(view: &ConversationView, reasons: &[Line], zone: &str) -> Vec<String> {
    let state = match view.state {
        "open" => "открыто",
        "closed" => "закрыто",
        _ => "клиент ещё не писал",
    };
    let about = view.about.as_ref().map_or_else(String::new, |about| format!(", {about}"));
    let mut out = vec![
        format!("Обращение: {}{about}: {state}", view.client),
        format!("{}, {}", view.source, view.id),
        String::new(),
        "Что решено и почему".to_owned(),
    ];
    out.extend(reasons.iter().map(|line| format!("  {}  {}", words::moment(line.at, zone), line.words)));
    let dues = [("следующий автоответ", view.replies_at), ("закроется само", view.closes_at)];
    let dues = dues.into_iter().filter_map(|(what, at)| Some(format!("  {}  {what}", words::moment(at?, zone))));
    let dues: Vec<String> = dues.collect();
    if !dues.is_empty() {
        out.extend([String::new(), "Что будет, если никто не напишет".to_owned()]);
        out.extend(dues);
    }
    out
}
