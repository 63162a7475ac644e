//! Tasks: make, list by card, complete.

use serde_json::{Value, json};

use super::cards::Author;
use super::directory::{ACCOUNT, OWNER, is_user};
use super::item::{self, Item};
use super::model::{Kind, Task};
use super::{AmoCrm, Call, hal, list, not_found, wrong_method};
use crate::http::Response;

const KEYS: [&str; 14] = [
    "id",
    "text",
    "complete_till",
    "entity_id",
    "entity_type",
    "task_type_id",
    "responsible_user_id",
    "duration",
    "is_completed",
    "result",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
];
const FILTERS: [&str; 6] = ["id", "entity_type", "entity_id", "is_completed", "task_type", "responsible_user_id"];

/// What a request wants of a task.
struct Wanted {
    text: Option<String>,
    complete_till: Option<i64>,
    entity: Option<(Kind, u64)>,
    task_type_id: Option<u64>,
    responsible: Option<u64>,
    duration: Option<i64>,
    is_completed: Option<bool>,
    result: Option<String>,
    by: Author,
}

impl Wanted {
    fn apply(self, task: &mut Task) {
        task.text = self.text.unwrap_or_else(|| std::mem::take(&mut task.text));
        task.complete_till = self.complete_till.unwrap_or(task.complete_till);
        task.entity = self.entity.or(task.entity);
        task.task_type_id = self.task_type_id.unwrap_or(task.task_type_id);
        task.responsible = self.responsible.unwrap_or(task.responsible);
        task.duration = self.duration.unwrap_or(task.duration);
        task.is_completed = self.is_completed.unwrap_or(task.is_completed);
        task.result = self.result.or(task.result.take());
    }
}

impl AmoCrm {
    pub(super) fn tasks_of_all(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        match call.request.method.as_str() {
            "GET" => self.list_tasks(call),
            "POST" => self.make_tasks(call),
            _ => Err(wrong_method()),
        }
    }

    pub(super) fn task(&mut self, id: u64, call: &Call<'_>) -> Result<Response, Response> {
        let found = self.tasks.iter().position(|task| task.id == id);
        match (call.request.method.as_str(), found) {
            ("GET", Some(place)) => Ok(hal(200, &self.task_json(&self.tasks[place]))),
            ("GET", None) => Ok(self.missing()),
            ("PATCH", Some(place)) => self.change_task(place, call),
            ("PATCH", None) => Err(not_found()),
            _ => Err(wrong_method()),
        }
    }

    fn list_tasks(&self, call: &Call<'_>) -> Result<Response, Response> {
        call.query.only_filters(&FILTERS)?;
        let query = &call.query;
        let found = |task: &&Task| {
            let (kind, id) = match task.entity {
                Some((kind, id)) => (kind.as_str(), id),
                None => ("", 0),
            };
            task.stamp.visible(self.config.list_lag_ms, call.now_ms)
                && query.passes("id", &task.id.to_string())
                && query.passes("entity_type", kind)
                && query.passes("entity_id", &id.to_string())
                && query.passes("is_completed", if task.is_completed { "1" } else { "0" })
                && query.passes("task_type", &task.task_type_id.to_string())
                && query.passes("responsible_user_id", &task.responsible.to_string())
        };
        let all: Vec<&Task> = self.tasks.iter().filter(found).collect();
        list::page(call, &self.config.base, "tasks", &all, |task| self.task_json(task))
    }

    fn make_tasks(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let given = item::batch(&call.request.body, |item| {
            item.required(&["text", "complete_till"]);
            self.read_task(item)
        })?;
        let mut made = Vec::with_capacity(given.len());
        for given in given {
            self.ids.task += 1;
            let mut task = Task {
                id: self.ids.task,
                entity: None,
                text: String::new(),
                complete_till: 0,
                task_type_id: 1,
                responsible: OWNER,
                duration: 0,
                is_completed: false,
                result: None,
                stamp: given.what.by.stamp(call.now_ms),
            };
            given.what.apply(&mut task);
            made.push(json!({
                "id": task.id,
                "request_id": given.request_id,
                "_links": self.self_link(&format!("/api/v4/tasks/{}", task.id)),
            }));
            self.tasks.push(task);
        }
        Ok(self.made(call, "tasks", made))
    }

    fn change_task(&mut self, place: usize, call: &Call<'_>) -> Result<Response, Response> {
        let wanted = item::single(&call.request.body, |item| self.read_task(item))?;
        let mut task = self.tasks[place].clone();
        wanted.by.touch(&mut task.stamp, call.now_ms);
        wanted.apply(&mut task);
        let body = json!({
            "id": task.id,
            "updated_at": task.stamp.updated_at,
            "_links": self.self_link(&format!("/api/v4/tasks/{}", task.id)),
        });
        self.tasks[place] = task;
        Ok(hal(200, &body))
    }

    fn read_task(&self, item: &mut Item<'_>) -> Wanted {
        item.only(&KEYS);
        let result = item.object("result").and_then(|mut result| {
            result.only(&["text"]);
            result.text("text")
        });
        Wanted {
            text: item.text("text"),
            complete_till: item.integer("complete_till"),
            entity: self.read_entity(item),
            task_type_id: item.known("task_type_id", |id| id == 1 || id == 2),
            responsible: item.known("responsible_user_id", is_user),
            duration: item.integer("duration"),
            is_completed: item.flag("is_completed"),
            result,
            by: Author::read(item),
        }
    }

    fn read_entity(&self, item: &mut Item<'_>) -> Option<(Kind, u64)> {
        match (item.has("entity_type"), item.has("entity_id")) {
            (false, false) => return None,
            (true, true) => {}
            (false, true) => item.refuse("FieldMissing", "entity_type"),
            (true, false) => item.refuse("FieldMissing", "entity_id"),
        }
        let Some(kind) = Kind::parse(&item.text("entity_type")?) else {
            item.refuse("NotSupportedChoice", "entity_type");
            return None;
        };
        let id = item.known("entity_id", |id| self.has_card(kind, id))?;
        Some((kind, id))
    }

    fn task_json(&self, task: &Task) -> Value {
        json!({
            "id": task.id,
            "created_by": task.stamp.created_by,
            "updated_by": 0,
            "created_at": task.stamp.created_at,
            "updated_at": task.stamp.updated_at,
            "responsible_user_id": task.responsible,
            "group_id": 0,
            "entity_id": task.entity.map(|(_, id)| id),
            "entity_type": task.entity.map(|(kind, _)| kind.as_str()),
            "duration": task.duration,
            "is_completed": task.is_completed,
            "task_type_id": task.task_type_id,
            "text": task.text,
            "result": task.result.as_ref().map_or(json!([]), |text| json!({ "text": text })),
            "complete_till": task.complete_till,
            "account_id": ACCOUNT,
            "_links": self.self_link(&format!("/api/v4/tasks/{}", task.id)),
        })
    }
}
