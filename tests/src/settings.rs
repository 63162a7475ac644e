//! Settings of the accounts that live in the world.

/// Key of the world's channels: that of the published test vectors.
pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
/// Its salt.
pub const SALT: &str = "543210zyxwvutsrqponmlkjihgfedcba";
/// The token the sandbox CRM accepts.
pub const TOKEN: &str = "sandbox-token";
/// The line of the captured calls.
pub const LINE: &str = "74950000001";

/// A whole account: three employees, one line, every occasion with what it should make.
pub fn full(account: &str) -> String {
    format!(
        r##"
fallback = "anna"

[account]
id = "{account}"
name = "Автошкола «Пример»"
time_zone = "Europe/Moscow"

[[employees]]
id = "anna"
name = "Анна Главная"
extension = "10"
crm_user = "504001"

[[employees]]
id = "petrova"
name = "Мария Петрова"
extension = "12"
crm_user = "504002"

[[employees]]
id = "sidorov"
name = "Пётр Сидоров"
extension = "23"
crm_user = "504003"

[[channels]]
id = "main"
provider = "mango"
name = "Телефония"
base = "https://pbx.test/vpbx"
finds_lost = false

[[channels.secrets]]
key = "{KEY}"
salt = "{SALT}"

[crm]
id = "main"
provider = "amocrm"
base = "https://crm.test"

[crm.secret]
token = "{TOKEN}"

[[scenarios]]
name = "Продажи"
lines = ["{LINE}"]
follow_transfers = true

[scenarios.incoming_new]
contact = {{ name = "Клиент $(phone)", tags = ["звонок"] }}
deal = {{ name = "Звонок $(phone)", pipeline = 3177727, status = 32392159, tags = ["звонок"] }}
task = {{ text = "Отправить расписание $(client)", due_in = "1d" }}

[scenarios.incoming_known]
task = {{ text = "Звонил $(client)", due_in = "2h" }}

[scenarios.outgoing_new]
contact = {{ name = "Клиент $(phone)" }}
deal = {{ name = "Исходящий $(phone)" }}

[scenarios.outgoing_known]
deal = {{ name = "Исходящий $(client)" }}

[scenarios.missed_new]
contact = {{ name = "Клиент $(phone)" }}
deal = {{ name = "Пропущенный $(phone)" }}
task = {{ text = "Перезвонить $(phone)", due_in = "30m" }}

[scenarios.missed_known]
task = {{ text = "Перезвонить $(client)", due_in = "30m" }}
"##
    )
}

/// What the channel of [`ads`] says in working hours if nobody answered for a minute.
pub const SOON: &str = "Скоро ответим";
/// And out of them, after two.
pub const TOMORROW: &str = "Ответим утром";
/// What it says when an hour without a word closes the conversation.
pub const THANKS: &str = "Спасибо, что написали!";

/// The account `school` with a channel of chats beside the telephone: open from nine to six, an autoreply in and out
/// of the hours, closing after an hour.
pub fn ads() -> String {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let hours: String = days.map(|day| format!("{day} = [\"09:00-18:00\"]\n")).concat();
    let keys = perezvon_sandbox::avito::Config::default();
    format!(
        r##"{full}
[groups]
"Продажи" = ["anna", "petrova"]

[hours]
{hours}
[[inboxes]]
name = "Чаты"
receiver = {{ group = "Продажи" }}
working = [{{ text = "{SOON}", delay = "1m" }}]
off_hours = [{{ text = "{TOMORROW}", delay = "2m" }}]
close_after = "1h"
closing_text = "{THANKS}"

[[channels]]
id = "ads"
provider = "avito"
name = "Объявления"
base = "https://ads.test"
inbox = "Чаты"

[[channels.secrets]]
user_id = "{user}"
client_id = "{id}"
client_secret = "{secret}"
"##,
        full = full("school"),
        user = keys.user_id,
        id = keys.client_id,
        secret = keys.client_secret,
    )
}

/// The account `school` with a Rostelecom beside the Mango, in one feed.
pub fn vats() -> String {
    let keys = perezvon_sandbox::rostelecom::Config::default();
    let full = full("school");
    format!(
        r##"{full}
[[channels]]
id = "vats"
provider = "rostelecom"
name = "Вторая АТС"
base = "https://vats.test"
line = "{LINE}"

[[channels.secrets]]
client_id = "{id}"
sign_key = "{key}"
"##,
        id = keys.client_id,
        key = keys.sign_key,
    )
}
