//! Why something was done: a short code with its parameters, put into words when it is read.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A code with its parameters. The words are in [`Reason::words`], so that they can change and be translated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    pub code: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
}

/// A reason and when it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    pub at: Timestamp,
    #[serde(flatten)]
    pub reason: Reason,
}

/// How many reasons an item keeps; the oldest go first.
pub const KEPT: usize = 24;

/// Every code with its Russian words; `{0}` is the first parameter.
pub const WORDS: &[(&str, &str)] = &[
    ("client_asked", "спросили CRM, чей это номер {0}"),
    ("client_new", "в CRM нет контакта с номером {0}: новый клиент"),
    ("client_known", "контакт «{0}» ({1}) найден в CRM: клиент из базы"),
    ("client_duplicates", "с этим номером есть ещё контакты ({0}): взят тот, что менялся последним; проверьте дубли"),
    ("client_hidden", "номер скрыт или записан не как телефон: контакт и сделка не создаются"),
    ("no_crm", "CRM не подключена: звонок только в ленте"),
    ("final_summary", "звонок окончен: пришёл итог от АТС"),
    ("final_legs", "звонок окончен: все плечи завершены, итог от АТС не пришёл"),
    ("final_silence", "звонок окончен: событий больше нет"),
    ("final_end", "звонок окончен: так сообщила АТС"),
    ("final_unread", "звонок окончен: АТС не рассказала, чем он кончился, записано то, что известно"),
    ("account_asked", "спросили АТС, чем кончился звонок"),
    ("account_missing", "АТС так и не рассказала, чем кончился звонок"),
    ("account_failed", "спросить АТС, чем кончился звонок, не удалось: {0}"),
    ("internal", "внутренний звонок: в CRM ничего не создаётся"),
    ("no_line", "неизвестно, на какой номер компании звонили: сценарий не выбран"),
    ("no_scenario", "ни один включённый сценарий не действует на номере {0}"),
    ("no_rules", "сценарий «{0}» ничего не создаёт для этого события ({1})"),
    ("unlinked_no_contact", "контакта нет, и сценарий «{0}» его не создаёт: звонок не привязан"),
    ("records_wanted", "сценарий «{0}», событие {1}: {2}"),
    ("records_made", "создано в CRM: {0}"),
    ("records_failed", "записи в CRM не созданы: {0}"),
    ("task_needless", "задача не нужна: с клиентом уже поговорили"),
    ("responsible_scenario", "ответственный {0}: так задано в сценарии"),
    ("responsible_group", "ответственный {0}: из группы «{1}»"),
    ("responsible_client", "ответственный {0}: он ведёт этого клиента"),
    ("responsible_talked", "ответственный {0}: он говорил с клиентом"),
    ("responsible_transfer", "ответственный {0}: на него перевели звонок последним"),
    ("responsible_rang", "ответственный {0}: его телефон звонил последним"),
    ("responsible_fallback", "ответственный {0}: менеджер на крайний случай ({1})"),
    ("log_wanted", "звонок записывается в CRM: {0}"),
    ("logged", "звонок записан в CRM: заметка {0}"),
    ("logged_fallback", "CRM не нашла номер, хотя контакт есть: звонок записан заметкой {0}"),
    ("not_placed", "в CRM нет контакта, к которому можно записать звонок"),
    ("log_failed", "звонок не записан в CRM: {0}"),
    ("recording_copy", "запись разговора готова: копируем её"),
    ("recording_link", "запись разговора готова: берём ссылку у АТС"),
    ("recording_stored", "запись разговора сохранена"),
    ("recording_failed", "запись разговора не получена: {0}"),
    ("recording_revoked", "ссылку на запись разговора отозвал {0}: прежняя больше не открывается"),
    ("amend_recording", "запись разговора добавлена к звонку в CRM"),
    ("amend_link", "новая ссылка на запись разговора передана в CRM"),
    ("amend_result", "итог звонка уточнился: {0}"),
    ("amend_responsible", "ответственный сменился на {0}: последний перевод решает"),
    ("amend_task", "пропущенный звонок оказался отвеченным: задача закрыта"),
    ("amend_failed", "исправление в CRM не удалось: {0}"),
    ("chat_opened", "{0}, {1}: {2}; {3}"),
    ("chat_reopened", "{0}, {1}, обращение открыто снова: {2}; {3}"),
    ("chat_opened_by_agent", "{0}: обращение открыл сотрудник своим сообщением, автоответов не будет; {1}"),
    ("chat_steps", "клиент ждёт ответа: {0}"),
    ("chat_receiver", "обращение получает {0}"),
    ("chat_receiver_group", "обращение получает группа «{0}»"),
    ("chat_receiver_waits", "обращение получает группа «{0}»: ждёт {1}"),
    ("chat_receiver_fallback", "обращение получает {0}: менеджер на крайний случай ({1})"),
    ("chat_step", "отправляется автоответ {0}: клиенту ещё никто не ответил"),
    ("chat_replied", "ответил {0}: автоответов больше не будет"),
    ("chat_taken", "{0} ответил первым и стал ответственным"),
    ("chat_took", "{0} взял обращение"),
    ("chat_assigned", "{0} передал обращение: теперь его ведёт {1}"),
    ("chat_released", "{0} вернул обращение группе «{1}»"),
    ("chat_closed_by_agent", "{0} закрыл обращение"),
    ("chat_closed_by_time", "обращение закрыто: никто не писал с момента «{0}»"),
    ("chat_client_left", "обращение закрыто: клиент вышел из чата"),
    ("chat_channel_disabled", "обращение закрыто: канал отключён, клиенту ничего не отправлено"),
    (
        "chat_channel_superseded",
        "обращение закрыто: этот аккаунт подключён позже в другом канале, клиенту ничего не отправлено",
    ),
    ("chat_closing_text", "клиенту отправляется сообщение о закрытии"),
    ("chat_silent", "канал отключён: автоматические сообщения, которые ещё ждут, не отправляются"),
    ("chat_failed", "{0}: не отправлено ({1})"),
    ("chat_dropped", "{0}: не отправлено, потому что {1}"),
    ("chat_not_deleted", "сообщение не удалено: {0}"),
    ("chat_not_read", "кто клиент, узнать не удалось: {0}"),
    ("chat_no_voice", "голосовое сообщение не получено: {0}"),
    ("chat_client_asked", "спросили CRM, есть ли там клиент {0}"),
    ("chat_client_new", "в CRM нет контакта клиента {0}: новый клиент"),
    ("chat_duplicates", "этот клиент есть ещё в контактах ({0}): взят тот, что менялся последним; проверьте дубли"),
    ("chat_records_wanted", "первое сообщение {0}: {1}"),
    ("chat_no_rules", "первое сообщение {0}: настройки ничего в CRM не создают"),
    ("chat_phone", "клиент написал телефон {0}: он добавляется к контакту {1}"),
    ("chat_phone_joined", "телефон {0} есть у контакта клиента"),
    ("chat_phone_elsewhere", "телефон {0} уже есть у контакта {1}: у контакта клиента оставлено примечание об этом"),
    ("chat_phone_failed", "телефон {0} к контакту не добавлен: {1}"),
    ("responsible_inbox", "ответственный {0}: так задано в настройках чатов"),
    ("responsible_chat", "ответственный {0}: он ведёт обращение"),
    ("chat_over_done", "итог этой отправки уже известен"),
    ("chat_over_stale", "прошло больше суток"),
    ("chat_over_closed", "обращение уже закрыто"),
    ("chat_over_replied", "клиенту уже ответили"),
    ("chat_over_reopened", "обращение уже открыто снова"),
    ("chat_over_off", "канал отключён"),
    ("chat_over_superseded", "этот аккаунт подключён позже в другом канале"),
    ("order_asked", "{0} заказывает звонок: сначала зазвонит доб. {1}, после ответа — {2}"),
    ("order_accepted", "АТС приняла заказ звонка"),
    ("order_started", "из заказа получился звонок {0}"),
    ("order_failed", "АТС не позвонила: {0}"),
    ("order_dropped", "звонок не заказан у АТС: {0}"),
    ("order_over_late", "прошло больше минуты"),
    ("order_over_done", "итог этого заказа уже известен"),
    ("popup_wanted", "телефон звонит у {0}: в CRM показывается, кто звонит"),
    ("popup_dropped", "в CRM не показано, кто звонит: {0}"),
    ("notice_dropped", "ссылки на карточки не понадобились: {0}"),
    ("notice_failed", "ссылки на карточки не получены: {0}"),
    ("moment_over", "звонок уже не звонит, или прошло больше минуты"),
    ("moment_unknown", "неизвестно, дошёл ли запрос, а повторять его нельзя"),
    ("answer_no_settings", "АТС спросила, кто звонит: настройки не прочитаны до срока"),
    ("answer_no_crm", "АТС спросила, кто звонит: CRM не подключена, звонок идёт по правилам АТС"),
    ("answer_off", "АТС спросила, кто звонит: на номере {0} умный менеджер контактов не включён"),
    ("answer_hidden", "АТС спросила, кто звонит: номер скрыт или внутренний"),
    ("answer_no_slot", "АТС спросила, кто звонит: CRM в эту половину секунды уже спросили о другом звонке"),
    ("answer_late", "кто звонит: CRM не ответила до срока"),
    ("answer_waits", "АТС спросила, кто звонит: CRM сейчас не спросить ({0})"),
    ("answer_failed", "АТС спросила, кто звонит: CRM ответила не по делу ({0})"),
    ("answer_cached", "взят прежний ответ CRM, ему {0}"),
    ("answer_stale", "с тех пор карточка в CRM менялась"),
    ("answer_nothing", "о номере {0} ничего не известно: звонок идёт по правилам АТС"),
    ("answer_no_contact", "контакта с номером {0} в CRM нет: звонок идёт по правилам АТС"),
    ("answer_name", "имя для телефонов: «{0}» ({1})"),
    ("answer_responsible", "кому звонить: {0} (доб. {1}), он ведёт этого клиента"),
    ("answer_fallback", "кому звонить: {0} (доб. {1}), менеджер на крайний случай: {2}"),
    ("answer_rules", "звонок идёт по правилам АТС: {0}"),
    ("route_taken", "АТС приняла команду и переводит звонок"),
    ("route_failed", "звонок не переведён: {0}"),
    ("route_dropped", "звонок не переведён: {0}"),
    ("route_unknown", "дошла ли до АТС команда перевести звонок, неизвестно, а повторять её нельзя"),
    ("route_over_answered", "на него уже ответили"),
    ("route_over_ended", "он уже окончен"),
    ("route_over_late", "прошло больше 10 секунд"),
    ("route_over_moved", "он уже в другом месте АТС"),
    ("route_over_rings", "у этого сотрудника он уже звонит"),
    ("route_over_there", "АТС говорит, что его уже не перевести"),
];

impl Reason {
    /// A reason with parameters.
    pub fn new<const N: usize>(code: &str, with: [&str; N]) -> Self {
        debug_assert!(WORDS.iter().any(|(known, _)| *known == code), "no words for {code}");
        Self { code: code.to_owned(), with: with.map(str::to_owned).to_vec() }
    }

    /// The reason in Russian.
    pub fn words(&self) -> String {
        let Some((_, words)) = WORDS.iter().find(|(code, _)| *code == self.code) else {
            return format!("{} {}", self.code, self.with.join(", "));
        };
        let mut text = (*words).to_owned();
        for (index, value) in self.with.iter().enumerate() {
            text = text.replace(&format!("{{{index}}}"), value);
        }
        text
    }
}
