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
