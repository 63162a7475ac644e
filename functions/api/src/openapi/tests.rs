//! The document is the one of the code, and it is sound.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_document_in_docs_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let text = text();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(path, &text).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "run the tests with UPDATE_EXPECTED=1 and look at the difference");
}

/// Every operation, with its path and method.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("methods").clone().into_iter();
        let path = path.clone();
        methods.map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

/// Every `$ref`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    if let Some(to) = value["$ref"].as_str() {
        found.insert(to.to_owned());
    }
    let inner: Vec<&Value> = match value {
        Value::Object(entries) => entries.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().for_each(|inner| references(inner, found));
}

#[test]
fn every_row_of_the_table_is_an_operation_and_every_operation_a_row() {
    let document = document();
    let files = page::ASSETS.iter().map(|asset| (format!("/{}", asset.path), "get".to_owned()));
    let doors = doors::all().into_iter().map(|(path, method, _)| (path, method.to_lowercase()));
    let rows = ROWS.iter().map(|row| (row.described().0, row.method.to_lowercase()));
    let expected: Vec<_> = rows.chain(files).chain(doors).collect();
    let known: BTreeSet<_> = operations(&document).into_iter().map(|(path, method, _)| (path, method)).collect();
    assert_eq!(expected.len(), known.len(), "two rows of the table have one address and method");
    assert_eq!(expected.into_iter().collect::<BTreeSet<_>>(), known);
}

#[test]
fn a_path_of_the_document_leads_where_its_operation_says() {
    for (path, method, operation) in operations(&document()) {
        if operation[doors::ANSWERED_BY].is_string() {
            continue;
        }
        let found = operation_id(&method.to_uppercase(), &path);
        assert_eq!(found.as_deref(), operation["operationId"].as_str(), "{method} {path}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = document();
    let (mut used, mut kept) = (BTreeSet::new(), BTreeSet::new());
    references(&document, &mut used);
    for part in ["schemas", "responses", "parameters"] {
        let names = document["components"][part].as_object().expect("components").keys();
        kept.extend(names.map(|name| format!("#/components/{part}/{name}")));
    }
    assert_eq!(used, kept);
    let numbered = |name: &&String| name.ends_with(|last: char| last.is_ascii_digit());
    assert_eq!(kept.iter().find(numbered), None, "two types have one name");
}

#[test]
fn operations_have_names_of_their_own_summaries_and_answers() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id.clone()), "{id} twice");
        assert!(operation["summary"].as_str().is_some_and(|it| it.len() > 4 && !it.ends_with('.')), "{id}");
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.keys().any(|status| status.starts_with(['2', '3'])), "{method} {path}");
        let parameters = operation["parameters"].as_array().expect("parameters");
        let names: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let in_path = parameters.iter().filter_map(|it| it["$ref"].as_str()?.rsplit('/').next());
        assert_eq!(in_path.collect::<Vec<_>>(), names, "{method} {path}");
    }
}

#[test]
fn whoever_may_not_ask_is_told_so_in_the_document() {
    let document = document();
    let of = |path: &str, method: &str| {
        let operation = &document["paths"][format!("/api/v1/accounts/{{account}}/{path}")][method];
        operation["x-roles"].as_array().expect("roles").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("calls", "get"), "owner admin operator auditor");
    assert_eq!(of("channels/{channel}/authorise", "get"), "owner");
    for (path, method, operation) in operations(&document) {
        let answers = &operation["responses"];
        let asks = operation["security"].as_array().is_some_and(|ways| !ways.is_empty() && !ways.contains(&json!({})));
        assert!(!asks || answers["401"].is_object(), "{method} {path}");
        assert!(!operation["x-roles"].is_array() || answers["403"].is_object(), "{method} {path}");
    }
}
