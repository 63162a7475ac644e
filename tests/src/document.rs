//! Every answer of `api` in every story is held to docs/openapi.json: its status, its media type and each key of its body; and
//! so is every request that was granted.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use perezvon_api::Api;
use perezvon_api::openapi::operation_id;
use serde_json::{Value, json};

use crate::World;

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let read = || serde_json::from_str(include_str!("../../docs/openapi.json")).expect("JSON");
    DOCUMENT.get_or_init(read)
}

/// Every operation, with its method and path.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

impl World {
    /// What `api` answers, held to its document.
    pub async fn answer(&self, request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        answer(&self.api(), request, self.clock.monotonic_ms() + 30_000).await
    }
}

/// What a process of `api` answers, held to its document.
pub async fn answer(api: &Api, request: ApiGatewayV2httpRequest, ends_ms: i64) -> ApiGatewayV2httpResponse {
    let answer = api.handle(request.clone(), ends_ms).await;
    hold(&request, &answer);
    answer
}

/// Panics if an answer is none that the document describes.
fn hold(request: &ApiGatewayV2httpRequest, answer: &ApiGatewayV2httpResponse) {
    static BY_ID: OnceLock<BTreeMap<&str, &Value>> = OnceLock::new();
    let by_id =
        BY_ID.get_or_init(|| operations().map(|it| (it.2["operationId"].as_str().expect("an id"), it.2)).collect());
    let (method, path) =
        (request.request_context.http.method.as_str(), request.raw_path.as_deref().unwrap_or_default());
    let Some(id) = operation_id(method, path) else { return };
    let advice = "see functions/api/src/openapi and write docs/openapi.json anew";
    let operation = by_id.get(id.as_str()).unwrap_or_else(|| panic!("docs/openapi.json has no {id}: {advice}"));
    let response = &operation["responses"][answer.status_code.to_string()];
    assert!(response.is_object(), "docs/openapi.json does not say that {id} answers {}: {advice}", answer.status_code);
    let mut faults = Vec::new();
    answered(led(response), answer, &id, &mut faults);
    if answer.status_code < 300 {
        granted(operation, request, &id, &mut faults);
    }
    let body = answer.body.as_deref().map(String::from_utf8_lossy);
    assert!(faults.is_empty(), "docs/openapi.json does not describe this: {advice}\n{faults:#?}\n{body:?}");
}

/// The body of an answer.
fn answered(response: &'static Value, answer: &ApiGatewayV2httpResponse, id: &str, faults: &mut Vec<String>) {
    let body = answer.body.as_deref().unwrap_or_default();
    let media_type = answer.headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let fits =
        |known: &str| known == media_type || known.strip_suffix('*').is_some_and(|of| media_type.starts_with(of));
    let mut known = response["content"].as_object().into_iter().flatten();
    match known.find(|(known, _)| fits(known)) {
        Some((_, content)) if content["schema"].is_object() => {
            let body = serde_json::from_slice(body).expect("a JSON answer");
            check(&content["schema"], &body, id, faults);
        }
        Some(_) => {}
        None if body.is_empty() => {}
        None => faults.push(format!("{id} answers `{media_type}`")),
    }
}

/// The query and the body of a request that was granted.
fn granted(operation: &'static Value, request: &ApiGatewayV2httpRequest, id: &str, faults: &mut Vec<String>) {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let known: Vec<&Value> = parameters.filter(|it| it["in"] == "query").map(|it| &it["name"]).collect();
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    let names = query.split('&').filter_map(|part| part.split('=').next()).filter(|name| !name.is_empty());
    faults.extend(names.filter(|name| !known.contains(&&json!(name))).map(|name| format!("{id} takes `{name}`")));
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = request.body.as_deref().filter(|_| !request.is_base64_encoded);
    if let (true, Some(Ok(body))) = (schema.is_object(), body.map(serde_json::from_str)) {
        check(schema, &body, &format!("{id} is given"), faults);
    }
}

/// What a reference leads to.
fn led(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(to) => document().pointer(to.trim_start_matches('#')).expect("a reference that leads somewhere"),
        None => value,
    }
}

fn check(schema: &'static Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = led(schema);
    for any in ["anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()) {
        let tried = any.iter().map(|one| {
            let mut faults = Vec::new();
            check(one, value, at, &mut faults);
            faults
        });
        // What fits best is told.
        let best = tried.min_by_key(Vec::len).unwrap_or_default();
        faults.extend(best);
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        check(all, value, at, faults);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|name| is(value, name)) {
        faults.push(format!("{at}: {value} is no {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        faults.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if schema.get("const").is_some_and(|known| known != value) {
        faults.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    match value {
        Value::Object(_) => keys(schema, value, at, faults),
        Value::Array(items) if schema["items"].is_object() => {
            items.iter().for_each(|item| check(&schema["items"], item, at, faults));
        }
        _ => {}
    }
}

/// No key is missing, and none is there that is not described.
fn keys(schema: &'static Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    faults.extend(needed.filter(|key| value.get(key).is_none()).map(|key| format!("{at}.{key} is missing")));
    for (key, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (None, Some(Value::Bool(false))) => faults.push(format!("{at} is not described")),
            (Some(known), _) | (None, Some(known)) => check(known, inner, &at, faults),
            (None, None) if schema["properties"].is_object() => faults.push(format!("{at} is not described")),
            (None, None) => {}
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}
