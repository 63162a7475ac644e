//! The Russian words for what stands in rows: calls, jobs, results, times.

use perezvon_domain::call::row::Row;
use perezvon_domain::event::Direction;
use perezvon_domain::job::{Amendment, JobResult, RecordPlan, Records};
use perezvon_domain::{ChannelId, ChatCommand, ChatResult, ClientId, Command, Origin, Policy, Timestamp};
use perezvon_store::items::job::JobState;

/// What kind of line a call is in the feed; the page has a badge for each.
pub fn kind(row: &Row) -> &'static str {
    match (row.direction, row.answered, row.ended) {
        (_, _, false) => "ongoing",
        (Some(Direction::Internal), _, true) => "internal",
        (Some(Direction::Outgoing), true, true) => "outgoing",
        (Some(Direction::Outgoing), false, true) => "unanswered",
        (_, true, true) => "answered",
        (_, false, true) => "missed",
    }
}

/// A call in one line (FEED-03): `Входящий звонок: отвечен, 1 мин 5 с`.
pub fn description(row: &Row) -> String {
    let direction = match row.direction {
        Some(Direction::Incoming) => "Входящий звонок",
        Some(Direction::Outgoing) => "Исходящий звонок",
        Some(Direction::Internal) => "Внутренний звонок",
        None => "Звонок",
    };
    let result = match (row.ended, row.answered, row.direction) {
        (false, true, _) => "идёт разговор".to_owned(),
        (false, false, _) => "идёт вызов".to_owned(),
        (true, true, _) => format!("отвечен, {}", duration(row.seconds)),
        (true, false, Some(Direction::Incoming)) => "пропущен".to_owned(),
        (true, false, _) => "не отвечен".to_owned(),
    };
    format!("{direction}: {result}")
}

/// A length of time: `1 ч 2 мин 5 с`.
pub fn duration(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} с"),
        (0, _) => format!("{minutes} мин {rest} с"),
        _ => format!("{hours} ч {minutes} мин {rest} с"),
    }
}

/// Where a row of the feed comes from (FEED-03): `Виртуальная АТС: …`.
pub fn source(policy: &Policy, channel: &ChannelId) -> String {
    let name = policy.channels.get(channel).map_or(channel.as_str(), |rules| rules.source.as_str());
    format!("Виртуальная АТС: {name}")
}

/// A moment in a time zone, `21.11.2026 15:04:05`; in UTC should the zone be unknown.
pub fn moment(at: Timestamp, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(zone).strftime("%d.%m.%Y %H:%M:%S").to_string()
}

/// What a job is asked to do.
pub fn command(command: &Command) -> String {
    match command {
        Command::FindClient { client: ClientId::Phone(number) } => {
            format!("узнать в CRM, чей это номер {}", number.plus())
        }
        Command::FindClient { client } => format!("узнать в CRM, есть ли там клиент {}", client.words()),
        Command::MakeRecords(plan) => format!("создать в CRM: {}", plan_words(plan)),
        Command::JoinPhone { number, .. } => format!("добавить к контакту телефон {}", number.plus()),
        Command::LogCall(log) if log.recording.is_some() => "записать звонок в CRM, с записью разговора".to_owned(),
        Command::LogCall(_) => "записать звонок в CRM".to_owned(),
        Command::Amend(amendment) => amend_words(amendment).to_owned(),
        Command::CopyRecording { link_only: true, .. } => "взять у АТС ссылку на запись".to_owned(),
        Command::CopyRecording { link_only: false, .. } => "скопировать запись разговора".to_owned(),
        Command::Chat(command) => chat_words(command),
        Command::Subscribe { .. } => "сообщить провайдеру, куда слать события".to_owned(),
        Command::Heal { .. } => "забрать то, о чём провайдер не сообщил".to_owned(),
        Command::CallBack { extension, client } => {
            format!("позвонить: сначала на доб. {extension}, после ответа на {}", client.plus())
        }
        Command::Unsubscribe { .. } => "сказать провайдеру, чтобы не слал события на прежний адрес".to_owned(),
        Command::ReadClient { client } => format!("перечитать в CRM клиента {}: там что-то изменилось", client.words()),
        Command::ReadDismissed => "спросить CRM, кто в ней больше не работает".to_owned(),
        Command::ReadUsers => "спросить АТС, кто в ней работает".to_owned(),
        Command::ReadCall { .. } => "спросить АТС, чем кончился звонок".to_owned(),
        Command::ShowPopup { number, .. } => format!("показать в CRM, что звонит {}", number.plus()),
        Command::ReadCards { .. } => "взять ссылки на карточки клиента".to_owned(),
        Command::RouteCall { extension, .. } => format!("перевести звонок на доб. {extension}"),
    }
}

fn chat_words(command: &ChatCommand) -> String {
    match command {
        ChatCommand::SendMessage { origin: Origin::Reply { .. }, .. } => "отправить ответ клиенту".to_owned(),
        ChatCommand::SendMessage { origin: Origin::Step { step }, .. } => {
            format!("отправить автоответ {}", u32::from(*step) + 1)
        }
        ChatCommand::SendMessage { origin: Origin::Closing, .. } => "отправить сообщение о закрытии".to_owned(),
        ChatCommand::SendImage { .. } => "отправить картинку клиенту".to_owned(),
        ChatCommand::MarkRead { .. } => "отметить чат прочитанным".to_owned(),
        ChatCommand::DeleteMessage { .. } => "удалить наше сообщение".to_owned(),
        ChatCommand::ReadChat { .. } => "узнать, кто клиент и о чём чат".to_owned(),
        ChatCommand::ReadVoice { .. } => "взять ссылку на голосовое сообщение".to_owned(),
    }
}

fn plan_words(plan: &RecordPlan) -> String {
    let parts = [("контакт", plan.contact.is_some()), ("сделка", plan.deal.is_some()), ("задача", plan.task.is_some())];
    let wanted: Vec<&str> = parts.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect();
    wanted.join(", ")
}

fn amend_words(amendment: &Amendment) -> &'static str {
    match amendment {
        Amendment::AddRecording { .. } => "передать в CRM ссылку на запись разговора",
        Amendment::Correct { .. } => "дописать уточнённый итог звонка",
        Amendment::Reassign { .. } => "сменить ответственного",
        Amendment::CompleteTask { .. } => "закрыть задачу о пропущенном звонке",
    }
}

/// A job's state.
pub fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Ready => "в очереди",
        JobState::Waiting => "ждёт",
        JobState::Done => "выполнено",
        JobState::Failed => "не удалось",
        JobState::Parked => "ждёт решения человека",
    }
}

/// What a job came to.
pub fn result(result: &JobResult) -> String {
    match result {
        JobResult::ClientFound(None) => "в CRM такого клиента нет".to_owned(),
        JobResult::ClientFound(Some(client)) => {
            format!("контакт {} «{}»", client.contact, client.name)
        }
        JobResult::RecordsMade(records) => records_words(records),
        JobResult::PhoneJoined { elsewhere: None } => "телефон есть у контакта".to_owned(),
        JobResult::PhoneJoined { elsewhere: Some(other) } => format!("телефон уже есть у контакта {other}"),
        JobResult::CallLogged(logged) => {
            format!("заметка {} ({} {})", logged.note, logged.entity_kind, logged.entity)
        }
        JobResult::CallNotPlaced => "некуда записать: контакта нет".to_owned(),
        JobResult::Amended => "исправлено".to_owned(),
        JobResult::RecordingStored { bytes, .. } => {
            format!("сохранена, {} КиБ", bytes.div_ceil(1024))
        }
        JobResult::RecordingLinked { .. } => "есть ссылка АТС".to_owned(),
        JobResult::Chat(result) => chat_result(result).to_owned(),
        JobResult::Subscribed => "провайдер знает адрес".to_owned(),
        JobResult::Healed => "пропущенного больше нет".to_owned(),
        JobResult::CallStarted { .. } => "АТС приняла заказ звонка".to_owned(),
        JobResult::Unsubscribed => "на прежний адрес больше ничего не придёт".to_owned(),
        JobResult::CallRead { news } if news.is_empty() => "АТС пока ничего не знает".to_owned(),
        JobResult::CallRead { .. } => "АТС ответила".to_owned(),
        JobResult::PopupShown => "показано".to_owned(),
        JobResult::Routed => "АТС переводит звонок".to_owned(),
        JobResult::CardsRead { .. } => "ссылки есть".to_owned(),
        JobResult::UsersRead { users } => format!("сотрудников в АТС: {users}"),
        JobResult::Dropped { because } => format!("не отправлено: {}", because.words()),
        JobResult::Failed { why, made: None } => why.clone(),
        JobResult::Failed { why, made: Some(made) } => format!("{why}; создано: {}", records_words(made)),
    }
}

fn chat_result(result: &ChatResult) -> &'static str {
    match result {
        ChatResult::Sent { .. } => "отправлено",
        ChatResult::MarkedRead => "отмечено прочитанным",
        ChatResult::Deleted => "удалено",
        ChatResult::ChatRead { .. } => "прочитано",
        ChatResult::VoiceRead { .. } => "ссылка получена",
    }
}

fn records_words(records: &Records) -> String {
    let contact = records.contact.as_ref().map(|id| {
        let known = if records.contact_made { "" } else { " (уже был)" };
        format!("контакт {id}{known}")
    });
    let deal = records.deal.as_ref().map(|id| format!("сделка {id}"));
    let task = records.task.as_ref().map(|id| format!("задача {id}"));
    let needless = records.task_needless.then(|| "задача не понадобилась".to_owned());
    let parts: Vec<String> = [contact, deal, task, needless].into_iter().flatten().collect();
    if parts.is_empty() { "ничего".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(direction: Direction, answered: bool, ended: bool, seconds: i64) -> Row {
        let json = serde_json::json!({
            "channel": "main", "entry": "1", "direction": direction, "answered": answered,
            "ended": ended, "started_at": 0, "seconds": seconds,
        });
        serde_json::from_value(json).expect("a row")
    }

    #[test]
    fn each_call_has_its_badge_and_its_line() {
        use Direction::{Incoming, Internal, Outgoing};
        let cases = [
            (row(Incoming, true, true, 65), "answered", "Входящий звонок: отвечен, 1 мин 5 с"),
            (row(Incoming, false, true, 0), "missed", "Входящий звонок: пропущен"),
            (row(Outgoing, true, true, 3725), "outgoing", "Исходящий звонок: отвечен, 1 ч 2 мин 5 с"),
            (row(Outgoing, false, true, 0), "unanswered", "Исходящий звонок: не отвечен"),
            (row(Internal, true, true, 9), "internal", "Внутренний звонок: отвечен, 9 с"),
            (row(Incoming, true, false, 0), "ongoing", "Входящий звонок: идёт разговор"),
            (row(Outgoing, false, false, 0), "ongoing", "Исходящий звонок: идёт вызов"),
        ];
        for (row, badge, line) in cases {
            assert_eq!((kind(&row), description(&row).as_str()), (badge, line));
        }
    }

    #[test]
    fn times_are_those_of_the_account() {
        let at = Timestamp(1_795_262_645_000);
        assert_eq!(moment(at, "Europe/Moscow"), "21.11.2026 15:04:05");
        assert_eq!(moment(at, "Nowhere/At-all"), "21.11.2026 12:04:05");
    }

    #[test]
    fn results_name_the_ids_of_the_crm() {
        let records = Records { contact: Some("11".into()), deal: Some("12".into()), ..Records::default() };
        assert_eq!(result(&JobResult::RecordsMade(records.clone())), "контакт 11 (уже был), сделка 12");
        let failed = JobResult::Failed { why: "нет прав".to_owned(), made: Some(records) };
        assert_eq!(result(&failed), "нет прав; создано: контакт 11 (уже был), сделка 12");
        assert_eq!(result(&JobResult::RecordsMade(Records::default())), "ничего");
    }
}
