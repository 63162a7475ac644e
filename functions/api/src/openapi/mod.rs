//! The OpenAPI document of all that is answered over HTTP, written from the table of routes and from the types of bodies and
//! answers. Only specs build this: the function carries what came of it, `docs/openapi.json`.

mod account;
mod answers;
mod chats;
mod doors;
mod operation;
mod outside;
#[cfg(test)]
mod tests;

use perezvon_platform::link::Role;
use serde_json::{Map, Value, json};

use crate::access::{COOKIE, allows};
use crate::openapi::answers::Problem;
use crate::openapi::operation::{Operation, Schemas};
use crate::page;
use crate::route::{self, Route};
use crate::table::ROWS;
use crate::web;

/// Every role, in the order of the papers.
const ROLES: [Role; 5] = [Role::Owner, Role::Admin, Role::Integrator, Role::Operator, Role::Auditor];

const ABOUT: &str = "Calls, conversations, settings and what waits for a person. Times are milliseconds since 1970 (UTC). \
    An id goes into a path percent-encoded, a slash in it as %2F. `x-roles` names the roles that may ask; another account's \
    id is answered with 404. A path without the method that was asked is answered with 405 and `Allow`. Texts for people are \
    Russian. Every refusal is a Problem: what is wrong, and what to do about it.";

/// The document as JSON, one line for each operation and each schema, so that a difference can be read.
pub fn text() -> String {
    let mut out = String::new();
    write(&document(), 0, &mut out);
    out + "\n"
}

/// What the document calls the operation behind a method and a path.
pub fn operation_id(method: &str, path: &str) -> Option<String> {
    let route = route::find(method, &web::segments(path)).ok()?;
    let operation = described(&route, &mut Schemas::default());
    operation.0["operationId"].as_str().map(str::to_owned)
}

fn document() -> Value {
    let (mut schemas, mut paths) = (Schemas::default(), Map::new());
    let mut add = |path: String, method: &str, operation: Value| {
        let place = paths.entry(path).or_insert_with(|| json!({}));
        place[method.to_lowercase()] = operation;
    };
    for row in ROWS {
        let (path, names, route) = row.described();
        let operation = described(&route, &mut schemas).of_names(&names);
        add(path, row.method, finished(operation, &route, row.method));
    }
    for asset in page::ASSETS {
        let route = Route::Page(asset);
        add(format!("/{}", asset.path), "GET", finished(described(&route, &mut schemas), &route, "GET"));
    }
    for (path, method, operation) in doors::all() {
        add(path, method, operation);
    }
    let problem = schemas.answer::<Problem>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "perezvon",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "securitySchemes": security_schemes(),
            "parameters": operation::names(),
            "responses": operation::usual_refusals(&problem),
            "schemas": schemas.all(),
        },
    })
}

fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "The token of an employee: `POST tokens`, or `perezvon token EMPLOYEE`.",
        },
        "page": {
            "type": "apiKey", "in": "cookie", "name": COOKIE,
            "description": "What `POST /api/v1/login` sets. A write needs an `Origin` that is our own page.",
        },
    })
}

/// What is said of a route. Whoever adds one cannot leave it out: it does not compile.
fn described(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Page(asset) => outside::file(asset),
        Route::Play(_) => outside::play(),
        Route::Authorised => outside::authorised(),
        Route::OneTimeLogin => outside::one_time_login(),
        Route::OpenApi => outside::openapi(),
        Route::Login => outside::login(schemas),
        Route::Logout => outside::logout(),
        Route::Me => outside::me(schemas),
        Route::Accounts => outside::accounts(schemas),
        Route::PutHookKey => outside::put_hook_key(schemas),
        Route::Of(_, resource) => account::described(resource, schemas),
    }
}

/// Who may ask, by the very rules of the router.
fn finished(operation: Operation, route: &Route, method: &str) -> Value {
    let logged_in = json!([{ "token": [] }, { "page": [] }]);
    let (security, roles) = match route {
        Route::Page(_) | Route::OpenApi | Route::OneTimeLogin | Route::Authorised => (json!([]), None),
        Route::Login | Route::Logout => (json!([]), None),
        // Only where the channel asks for it.
        Route::Play(_) => (json!([{}, { "token": [] }, { "page": [] }]), None),
        Route::Me | Route::Accounts => (logged_in, None),
        Route::PutHookKey => (logged_in, Some(vec![Role::Owner])),
        Route::Of(_, resource) => {
            let may = ROLES.into_iter().filter(|role| allows(*role, resource.right()));
            (logged_in, Some(may.collect()))
        }
    };
    operation.guarded(security, roles, method)
}

/// The outer levels on lines of their own, what is inside on one.
fn write(value: &Value, depth: usize, out: &mut String) {
    let entries = value.as_object().filter(|_| depth < 3 || is_path(value) && depth < 4);
    let Some(entries) = entries else {
        out.push_str(&value.to_string());
        return;
    };
    out.push('{');
    for (place, (name, inner)) in entries.iter().enumerate() {
        out.push_str(if place == 0 { "\n" } else { ",\n" });
        out.push_str(&format!("{}{}:", " ".repeat(depth + 1), json!(name)));
        write(inner, depth + 1, out);
    }
    out.push_str(&format!("\n{}}}", " ".repeat(depth)));
}

/// A path has an operation for each of its methods.
fn is_path(value: &Value) -> bool {
    ["get", "post", "put", "delete"].iter().any(|method| value[method].is_object())
}
