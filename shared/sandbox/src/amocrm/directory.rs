//! What every account has from the start: users, the pipeline, task types.

use serde_json::{Value, json};

pub(super) const ACCOUNT: u64 = 30_000_001;
/// Its name in its address.
pub(super) const SUBDOMAIN: &str = "example";
/// The user whom the token belongs to: responsible for what names nobody.
pub(super) const OWNER: u64 = 504_001;
pub(super) const PIPELINE: u64 = 3_177_727;
const INCOMING: u64 = 32_392_156;
pub(super) const FIRST_STATUS: u64 = 32_392_159;
const WON: u64 = 142;
const LOST: u64 = 143;

const USERS: [(u64, &str); 3] =
    [(OWNER, "Оператор Первый"), (504_002, "Оператор Второй"), (504_003, "Оператор Третий")];

/// Id, name, place, colour.
const STATUSES: [(u64, &str, u32, &str); 4] = [
    (INCOMING, "Неразобранное", 10, "#c1c1c1"),
    (FIRST_STATUS, "Первичный контакт", 20, "#99ccff"),
    (WON, "Успешно реализовано", 10_000, "#CCFF66"),
    (LOST, "Закрыто и не реализовано", 11_000, "#D5D8DB"),
];

pub(super) fn is_user(id: u64) -> bool {
    USERS.iter().any(|(user, _)| *user == id)
}

pub(super) fn user_name(id: u64) -> &'static str {
    USERS.iter().find(|(user, _)| *user == id).map_or("", |(_, name)| name)
}

/// Whether a deal may stand there; incoming requests cannot be put back among the unsorted.
pub(super) fn is_status(id: u64) -> bool {
    id != INCOMING && STATUSES.iter().any(|(status, ..)| *status == id)
}

pub(super) fn is_closed(status: u64) -> bool {
    status == WON || status == LOST
}

pub(super) fn status_name(id: u64) -> &'static str {
    STATUSES.iter().find(|(status, ..)| *status == id).map_or("", |(_, name, ..)| name)
}

pub(super) fn account(base: &str) -> Value {
    json!({
        "id": ACCOUNT,
        "name": "Песочница",
        "subdomain": SUBDOMAIN,
        "created_at": 1_700_000_000,
        "created_by": 0,
        "updated_at": 1_736_000_000,
        "updated_by": 0,
        "current_user_id": OWNER,
        "country": "RU",
        "currency": "RUB",
        "customers_mode": "disabled",
        "is_unsorted_on": true,
        "is_loss_reason_enabled": true,
        "is_technical_account": false,
        "amojo_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "uuid": "bbbbbbbb-1111-4222-8333-444444444444",
        "version": 15,
        "is_api_filter_enabled": true,
        "_links": { "self": { "href": format!("{base}/api/v4/account") } },
        "_embedded": { "task_types": [
            { "id": 1, "name": "Звонок", "color": null, "icon_id": null, "code": "FOLLOW_UP" },
            { "id": 2, "name": "Встреча", "color": null, "icon_id": null, "code": "MEETING" },
        ]},
    })
}

pub(super) fn users(base: &str, dismissed: &[u64]) -> Value {
    let items: Vec<Value> = (1..)
        .zip(USERS)
        .map(|(n, (id, name))| {
            json!({
                "id": id,
                "name": name,
                "email": format!("op{n}@example.test"),
                "lang": "ru",
                "rights": {
                    "is_admin": id == OWNER,
                    "is_free": false,
                    "is_active": !dismissed.contains(&id),
                    "group_id": if id == OWNER { Value::Null } else { json!(1) },
                    "role_id": null,
                },
                "uuid": format!("cccccccc-0000-4000-8000-{n:012}"),
                "amojo_id": format!("dddddddd-0000-4000-8000-{n:012}"),
            })
        })
        .collect();
    json!({
        "_total_items": items.len(),
        "_page": 1,
        "_page_count": 1,
        "_links": { "self": { "href": format!("{base}/api/v4/users?page=1&limit=250") } },
        "_embedded": { "users": items },
    })
}

pub(super) fn pipelines(base: &str) -> Value {
    let statuses: Vec<Value> = STATUSES
        .iter()
        .map(|(id, name, sort, color)| {
            json!({
                "id": id,
                "name": name,
                "sort": sort,
                "is_editable": *id == FIRST_STATUS,
                "pipeline_id": PIPELINE,
                "color": color,
                "type": u8::from(*id == INCOMING),
                "account_id": ACCOUNT,
            })
        })
        .collect();
    json!({
        "_total_items": 1,
        "_links": { "self": { "href": format!("{base}/api/v4/leads/pipelines") } },
        "_embedded": { "pipelines": [{
            "id": PIPELINE,
            "name": "Воронка",
            "sort": 1,
            "is_main": true,
            "is_unsorted_on": true,
            "is_archive": false,
            "account_id": ACCOUNT,
            "_embedded": { "statuses": statuses },
        }]},
    })
}
