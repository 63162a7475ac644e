//! The marked rules of the protocol (docs/protocol.md, section 7), each on its own: every spec fails if its rule is
//! taken out of the code.

mod commit;
mod disconnect;
mod lease;
mod order;
mod sending;
mod sweep;
mod window;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use perezvon_domain::effect::{Command, JobOrder, Prev, Wanted};
use perezvon_domain::{AccountId, ConnectionId, Effect, EffectId, Number, Point, Timestamp};
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::Queue;
use perezvon_sandbox::amocrm;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::JobRow;
use perezvon_store::items::text;
use perezvon_store::{Key, Query, Table, Update, keys};
use perezvon_tests::World;
use perezvon_tests::settings::TOKEN;

/// The captured call.
const CALL: &str = "MTAwMDAwMDAwMDE=";

fn ids() -> (AccountId, ConnectionId) {
    (AccountId::from("school"), ConnectionId::from("crm:main"))
}

fn connection_key() -> Key {
    let (account, connection) = ids();
    keys::connection(&account, &connection)
}

fn call_key() -> Key {
    keys::call(&ids().0, &"main".into(), CALL)
}

/// What a spec learns inside the world and looks at afterwards.
type Notes<T> = Arc<Mutex<Vec<T>>>;

fn notes<T>() -> (Notes<T>, Notes<T>) {
    let notes = Notes::default();
    (notes.clone(), notes)
}

fn note<T>(notes: &Mutex<Vec<T>>, news: T) {
    notes.lock().expect("nobody panics over notes").push(news);
}

fn noted<T: Clone>(notes: &Mutex<Vec<T>>) -> Vec<T> {
    notes.lock().expect("nobody panics over notes").clone()
}

async fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds)).await;
}

async fn jobs(world: &World) -> Vec<JobRow> {
    let (account, connection) = ids();
    let mut query = Query::table(keys::jobs(&account, &connection));
    let (from, to) = keys::job_range();
    (query.from, query.to, query.limit) = (Some(from.into()), Some(to.into()), 1000);
    let rows = Table::query(world.table.as_ref(), query).await.expect("the model answers").rows;
    rows.iter().map(|row| JobRow::read(&account, &connection, row).expect("a job")).collect()
}

async fn connection(world: &World) -> ConnectionRow {
    let row = world.table.row(&connection_key());
    ConnectionRow::read(&row.expect("the connection")).expect("a connection")
}

fn number(n: i64) -> Number {
    Number::parse(&format!("7999{n:07}")).expect("a number")
}

fn question_id(n: i64) -> EffectId {
    EffectId(format!("call/main/entry-{n}/1/0"))
}

/// "Who has the n-th number?", of a call of its own.
fn question(n: i64) -> JobOrder {
    let command = Command::FindClient { client: number(n).into() };
    JobOrder { connection: ids().1, command, points: vec![Point::Phone(number(n))], prev: None }
}

fn question_put(n: i64, at: Timestamp) -> Update {
    JobRow::put(&ids().0, at, &question_id(n), &question(n), false)
}

async fn put_question(world: &World, n: i64, at: Timestamp) -> EffectId {
    world.table.update(question_put(n, at)).await.expect("put");
    question_id(n)
}

/// The question whose turn comes after another one.
async fn put_question_after(world: &World, n: i64, at: Timestamp, prev: Prev) {
    let order = JobOrder { prev: Some(prev), ..question(n) };
    world.table.update(JobRow::put(&ids().0, at, &question_id(n), &order, false)).await.expect("put");
}

/// An effect that stands in the outbox of the captured call.
fn left_in_the_outbox(id: &str, at: Timestamp, order: JobOrder) -> Update {
    let effect = Effect { id: id.into(), at, wanted: Wanted::Job(order) };
    Update::new(call_key()).set_in("outbox", id, text(&effect))
}

fn wake_up() -> WakeUp {
    let (account, connection) = ids();
    WakeUp { account, connection }
}

async fn wake(world: &World) {
    world.crm_queue.send(vec![wake_up().message(0)]).await.expect("sent");
}

/// The CRM takes this token only.
fn accept_only(world: &World, token: &str) {
    world.crm(|crm| crm.configure(amocrm::Config { tokens: vec![token.to_owned()], ..Default::default() }));
}

/// What `apply` writes for a new token, at any moment.
fn bring_token(world: &World, token: &str) -> impl FnOnce() + Send + 'static {
    let (table, secrets, token, now) = (world.table.clone(), world.secrets.clone(), token.to_owned(), world.now());
    move || {
        let (account, connection) = ids();
        for (name, record) in secrets.records.lock().expect("nobody panics over secrets").iter_mut() {
            if name.starts_with("connection/") {
                *record = record.replace(TOKEN, &token);
            }
        }
        table.write(ConnectionRow::new_code(&account, &connection, now)).expect("a new code");
    }
}
