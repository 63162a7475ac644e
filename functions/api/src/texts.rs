//! What the API says when something is wrong, in Russian: the error and what to do about it.

use perezvon_domain::policy::Superseded;
use perezvon_domain::time::Millis;

/// An error and what to do.
pub type Text = (&'static str, &'static str);

pub const LOG_IN: Text = (
    "Нужен вход",
    "Передайте токен в заголовке «Authorization: Bearer …» или войдите на странице. Токен владельца лежит в файле owner.token: путь к нему напечатан при запуске.",
);
pub const TOKEN_REFUSED: Text =
    ("Токен не подходит или истёк", "Попросите новый токен у администратора или владельца установки.");
pub const LINK_USED: Text =
    ("Ссылка для входа уже использована или истекла", "Получите новую ссылку: каждая действует один раз и 15 минут.");
pub const NO_RIGHT: Text =
    ("У вашей роли нет права на это", "Попросите администратора аккаунта сделать это или дать роль.");
pub const WRONG_ORIGIN: Text = (
    "Запрос пришёл не с нашей страницы",
    "Откройте страницу по её публичному адресу и повторите; программам нужен заголовок Authorization.",
);
pub const NOT_FOUND: Text = ("Такого адреса или объекта нет", "Проверьте адрес и аккаунт.");
pub const WRONG_METHOD: Text = ("Этот адрес не принимает такой метод", "Допустимые методы названы в заголовке Allow.");
pub const TRY_AGAIN: Text = ("Хранилище не ответило", "Повторите через несколько секунд: ничего не потеряно.");
pub const OWN_HOOK_KEY: Text = (
    "У этой установки свой ключ адресов вебхуков",
    "На одной машине он лежит в папке данных и создаётся при первом запуске: передавать его не нужно.",
);
pub const BAD_HOOK_KEY: Text =
    ("Это не закрытый ключ адресов вебхуков", "Передайте содержимое файла, который записала команда «perezvon keys».");
pub const NO_SETTINGS: Text = ("У аккаунта ещё нет настроек", "Примените файл настроек: «perezvon apply ФАЙЛ».");
pub const OTHER_ACCOUNT: Text =
    ("В настройках назван другой аккаунт", "Аккаунт в документе должен совпадать с аккаунтом в адресе.");
pub const BAD_CURSOR: Text = ("Курсор не подходит", "Начните список сначала, без параметра cursor.");
pub const BAD_NUMBER: Text = ("Это не похоже на телефонный номер", "Укажите номер целиком, например +79990001122.");
pub const DIGEST_ONLY: Text = (
    "От этого запроса сохранён только отпечаток: дневной объём карантина был исчерпан",
    "Вернуть в работу его нельзя. Попросите АТС повторить событие или сверьте звонок по её статистике.",
);
pub const JOB_IS_OPEN: Text = ("Задание и так в очереди", "Подождите: оно будет выполнено в свой срок.");
pub const JOB_IS_DONE: Text = ("Задание уже выполнено", "Повторять его нельзя: получился бы дубль.");
pub const JOB_CHANGED: Text = ("Задание только что изменилось", "Обновите список и решите снова.");
pub const WHAT_DISABLING_DOES: [&str; 5] = [
    "Новые сообщения этого канала больше не принимаются: то, что придёт, пока он выключен, не появится и потом.",
    "Открытые обращения закроются без сообщения клиентам.",
    "Автоответы и закрытия по времени отменяются; уйдут только ответы сотрудников, которые уже стоят в очереди.",
    "История обращений остаётся.",
    "Провайдеру будет сказано больше не слать события. Включить канал снова: примените настройки с active = true.",
];
pub const ASK_AGAIN: &str = "Повторите запрос с тем же согласием.";
pub const NOT_CHATS: Text =
    ("Так выключают только каналы переписки", "Поставьте каналу active = false в настройках и примените их.");
pub const NO_CONSENT: Text = (
    "Согласие истекло, дано на другое или настройки с тех пор изменились",
    "Повторите запрос без consent, посмотрите, что будет сделано, и пришлите новое согласие.",
);
pub const ADDRESS_IN_USE: Text =
    ("Этот адрес снова в работе", "Повторять не нужно: иначе сообщения перестанут приходить.");
pub const CONNECTION_OFF: Text =
    ("Подключение отключено", "Подключите систему заново: у неё будет новый идентификатор.");
pub const NO_EMPLOYEE: Text =
    ("Такого действующего сотрудника нет в настройках", "Добавьте сотрудника в настройки и повторите.");
pub const ROLE_TOO_HIGH: Text = ("Эту роль вы дать не можете", "Роль владельца даёт только владелец.");
pub const BAD_DAYS: Text = ("Срок токена — от 1 до 3650 дней", "Исправьте поле days или уберите его.");
pub const NO_RECORDING: Text = ("Записи по этой ссылке нет", "Проверьте ссылку: она должна быть скопирована целиком.");
pub const RECORDING_REVOKED: Text =
    ("Эта ссылка на запись отозвана", "Откройте звонок в ленте: там действующая ссылка.");
pub const RECORDING_NOT_READY: Text =
    ("Запись ещё не готова", "Повторите через минуту: АТС отдаёт запись после звонка.");
pub const RECORDING_FAILED: Text = ("Запись разговора не получена", "Причина написана в объяснении звонка в ленте.");
pub const RECORDING_GONE: Text =
    ("Файл записи удалён из хранилища", "Попросите запись у АТС: она хранит её по своему тарифу.");
pub const RECORDING_HAS_NO_LINK: Text = (
    "Ссылки на эту запись ещё нет: отзывать нечего",
    "Она появится, когда запись будет сохранена у нас; если запись не получена, причина написана в объяснении звонка.",
);
pub const RECORDING_OUTSIDE: Text = (
    "Запись лежит у АТС, и ссылка принадлежит ей: отозвать её отсюда нельзя",
    "Закройте доступ к записи в кабинете АТС. Чтобы ссылки на новые записи можно было отзывать, включите copy_recordings у канала.",
);
pub const BAD_RANGE: Text = ("В записи нет такого участка", "Запросите участок внутри её длины.");

pub const BAD_LIST: Text = (
    "Такого списка ожидающих нет",
    "Укажите of=employee:ИДЕНТИФИКАТОР или of=group:НАЗВАНИЕ, или уберите параметр of.",
);
pub const BAD_MONTH: Text = ("Это не месяц", "Укажите месяц так: 2026-11.");
pub const NO_CHAT: Text = ("Такого обращения нет", "Обновите список и откройте обращение оттуда.");
pub const ONLY_EMPLOYEES: Text = (
    "Это делает сотрудник от своего имени, а вы вошли не как сотрудник",
    "Войдите с токеном сотрудника: его выдаёт администратор или команда «perezvon token СОТРУДНИК».",
);
pub const EMPTY_TEXT: Text = ("Текст пуст", "Напишите текст в поле text.");
pub const CHANNEL_OFF: Text =
    ("Канал этого обращения отключён", "Включите канал в настройках; пока он отключён, обращение только читается.");
pub const ANSWER_THERE: &str = "Отвечайте клиенту в том канале; этот заработает, когда тот уберут из настроек.";
pub const NEVER_STARTED: Text =
    ("Клиент ещё не писал, а писать первым этот провайдер не даёт", "Дождитесь сообщения клиента.");
pub const CHAT_NOT_OPEN: Text =
    ("Обращение не открыто", "Его откроет сообщение клиента или ваш ответ: ответьте и повторите.");
pub const NO_GROUP: Text =
    ("Обращение получил не отдел, а сотрудник: вернуть его некому", "Назначьте сотрудника в поле to.");
pub const NO_MESSAGE: Text = (
    "Такого сообщения в обращении нет, или оно ещё не отправлено",
    "Обновите обращение: удалить можно сообщение, у которого есть поле message.",
);
pub const MESSAGE_NOT_OURS: Text = ("Это не наше сообщение", "Удалить можно только то, что отправили мы.");
pub const MESSAGE_DELETED: Text = ("Сообщение уже удалено", "Обновите обращение.");
pub const KEY_REUSED: Text = (
    "Под этим ключом Idempotency-Key уже сделано другое",
    "Для другого запроса возьмите новый ключ; с тем же ключом повторяют тот же запрос без изменений.",
);
pub const LONG_KEY: Text = ("Ключ Idempotency-Key длиннее 100 байт", "Возьмите ключ короче, например UUID.");
pub const STATUS_OF_ANOTHER: Text =
    ("Статус другого сотрудника вы поменять не можете", "Это делает он сам, администратор или владелец.");

pub const SHORTEN: &str = "Сократите текст или отправьте его по частям.";
pub const WRITE_AGAIN: &str = "Отправьте клиенту ещё одно сообщение с исправлением.";
pub const CORRECT_THE_REQUEST: &str = "Исправьте запрос и повторите.";
pub const LOOK_AGAIN: &str =
    "Обновите звонок: там действующая ссылка. Если отозвать нужно и её, повторите с её поколением.";
pub const APPLY_AGAIN: &str = "Посмотрите разницу и примените настройки ещё раз.";
pub const BAD_BASE64: &str = "Тело запроса не читается";
pub const TOO_LARGE: &str = "Тело запроса больше 512 КиБ";

/// Why a channel neither takes in nor sends. Another account is not named.
pub fn superseded(by: Option<&Superseded>) -> String {
    let by = by.and_then(|by| by.by.as_ref());
    let by = by.map_or("в другом аккаунте этой установки".to_owned(), |channel| {
        format!("каналом {channel}")
    });
    format!("Канал не действует: тот же аккаунт провайдера подключён позже {by}.")
}

/// A parameter should be a whole number.
pub fn not_a_number(name: &str, value: &str) -> String {
    format!("Параметр {name} должен быть целым числом, а не «{value}»")
}

/// Links to a recording are not of the generation any more that a person saw.
pub fn other_generation(now: u32, asked: u32) -> String {
    format!("Поколение ссылок на эту запись уже {now}, а не {asked}")
}

/// The body is no JSON, or not the one that is wanted.
pub fn not_json(error: &serde_json::Error) -> String {
    format!("Тело запроса — не тот JSON, который нужен: {error}")
}

/// A parameter should be a moment or a date.
pub fn not_a_time(name: &str, value: &str) -> String {
    format!("Параметр {name} должен быть датой (2026-11-21) или временем в миллисекундах, а не «{value}»")
}

/// A text has more characters than may be.
pub fn too_many_characters(most: usize) -> String {
    format!("Текст длиннее {most} знаков")
}

/// A note has more bytes than may be.
pub fn too_many_bytes(most: usize) -> String {
    format!("Заметка длиннее {} КиБ", most / 1024)
}

/// A reply would go out in more parts than may be.
pub fn too_many_parts(most: usize) -> String {
    format!("Текст не помещается в {most} сообщений: столько провайдер примет за один ответ")
}

/// A message was sent too long ago.
pub fn too_old(within: Millis) -> String {
    format!("Сообщение отправлено больше {} мин назад: позже провайдер его не удаляет", within.0 / 60_000)
}
