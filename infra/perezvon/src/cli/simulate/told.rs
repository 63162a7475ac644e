//! A timeline put into words: in Russian, as all decisions are explained; or as JSON.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Moment, Zoned};
use perezvon_domain::conversation::event::{Author, ConversationEventKind as Kind};
use perezvon_domain::conversation::timeline::{Line, describe};
use perezvon_domain::conversation::words;
use perezvon_domain::effect::Wanted;
use perezvon_domain::{ChatCommand, Command, Effect, EmployeeId, Policy, Timestamp};
use serde_json::{Value, json};

/// A line for each moment; below it what was sent, why, and what comes next.
pub(super) fn text(timeline: &[Line], policy: &Policy, zone: &TimeZone) -> String {
    timeline.iter().map(|line| one(line, policy, zone)).collect()
}

fn one(line: &Line, policy: &Policy, zone: &TimeZone) -> String {
    let when = local(line.at, zone).strftime("%d.%m.%Y %H:%M:%S");
    let day = words::weekday(line.at, &policy.time_zone);
    let mut told = format!("{when}, {day}: {}\n", happened(&line.event, policy));
    let mut below = |text: String| told.push_str(&format!("    {text}\n"));
    line.because.iter().for_each(|why| below(why.clone()));
    line.effects.iter().filter_map(done).for_each(&mut below);
    if !line.changed {
        let why = match line.event {
            Kind::ReplyWritten { .. } => ": клиент ещё не писал, а первыми писать нельзя",
            _ => "",
        };
        below(format!("ничего не меняется{why}"));
    }
    let on = |at: Timestamp| words::on(at, line.at, &policy.time_zone);
    let replies = line.reply_due.map(|at| format!("автоответ {}", on(at)));
    let closes = line.close_due.map(|at| format!("закрытие {}", on(at)));
    let next: Vec<String> = replies.into_iter().chain(closes).collect();
    below(format!("дальше: {}", if next.is_empty() { "ничего".to_owned() } else { next.join(", ") }));
    told
}

fn happened(event: &Kind, policy: &Policy) -> String {
    let name = |id: &EmployeeId| policy.employee(id).map_or_else(|| id.0.clone(), |employee| employee.name.clone());
    match event {
        Kind::MessageReceived(message) if message.from == Author::Client => said("клиент пишет", &message.text),
        Kind::MessageReceived(message) => said("сотрудник отвечает в приложении провайдера", &message.text),
        Kind::MessageDeleted { .. } => "клиент удаляет сообщение".to_owned(),
        Kind::ClientLeft => "клиент выходит из чата".to_owned(),
        Kind::ReplyWritten { by, parts } => said(&format!("{} отвечает", name(by)), &parts.join(" ")),
        Kind::NoteWritten { by, text } => said(&format!("{} оставляет заметку", name(by)), text),
        Kind::Assigned { by, to: Some(to) } if to == by => format!("{} берёт обращение", name(to)),
        Kind::Assigned { by, to: Some(to) } => format!("{} передаёт обращение, кому: {}", name(by), name(to)),
        Kind::Assigned { by, to: None } => format!("{} возвращает обращение группе", name(by)),
        Kind::Opened { by } => format!("{} смотрит обращение", name(by)),
        Kind::ClosedByAgent { by } => format!("{} закрывает обращение", name(by)),
        Kind::ChannelDisabled => "канал отключают".to_owned(),
        Kind::ReplyDue => "время автоответа".to_owned(),
        Kind::CloseDue => "время закрытия".to_owned(),
        other => other.name().to_owned(),
    }
}

fn said(what: &str, text: &str) -> String {
    if text.is_empty() { what.to_owned() } else { format!("{what}: «{}»", in_one_line(text)) }
}

/// A text of a file or of the command line must not move the cursor of whoever reads.
fn in_one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn done(effect: &Effect) -> Option<String> {
    match command(effect)? {
        ChatCommand::SendMessage { text, .. } => Some(said("клиенту отправлено", text)),
        ChatCommand::SendImage { .. } => Some("клиенту отправлена картинка".to_owned()),
        ChatCommand::MarkRead { .. } => Some("чат отмечен прочитанным".to_owned()),
        ChatCommand::DeleteMessage { .. } | ChatCommand::ReadChat { .. } | ChatCommand::ReadVoice { .. } => None,
    }
}

fn command(effect: &Effect) -> Option<&ChatCommand> {
    match &effect.wanted {
        Wanted::Job(order) => match &order.command {
            Command::Chat(command) => Some(command),
            _ => None,
        },
        _ => None,
    }
}

fn local(at: Timestamp, zone: &TimeZone) -> Zoned {
    Moment::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

/// An entry for each moment.
pub(super) fn json(timeline: &[Line], zone: &TimeZone) -> Value {
    let entry = |line: &Line| {
        let sent = line.effects.iter().filter_map(command).filter_map(ChatCommand::text);
        json!({
            "at": line.at,
            "local": local(line.at, zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            "event": line.event.name(),
            "changed": line.changed,
            "effects": line.effects.iter().map(describe).collect::<Vec<_>>(),
            "sent": sent.collect::<Vec<_>>(),
            "because": line.because,
            "reply_due": line.reply_due,
            "close_due": line.close_due,
        })
    };
    timeline.iter().map(entry).collect()
}
