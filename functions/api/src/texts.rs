//! What the API says when something is wrong, in Russian: the error and what to do about it.

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

pub const CORRECT_THE_REQUEST: &str = "Исправьте запрос и повторите.";
pub const LOOK_AGAIN: &str =
    "Обновите звонок: там действующая ссылка. Если отозвать нужно и её, повторите с её поколением.";
pub const APPLY_AGAIN: &str = "Посмотрите разницу и примените настройки ещё раз.";
pub const BAD_BASE64: &str = "Тело запроса не читается";
pub const TOO_LARGE: &str = "Тело запроса больше 512 КиБ";

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
