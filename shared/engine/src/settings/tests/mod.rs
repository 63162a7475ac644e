//! Specs of the settings. All of them start from the example file, so that it always works.

mod apply;
mod changes;
mod claims;
mod connections;
mod file;
mod hours;
mod inboxes;
mod people;
mod scenarios;
mod world;

use perezvon_adapters::{PROVIDERS, Role};

use super::{Checked, Context, Document, check, parse, resolve};

const EXAMPLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.example.toml"));

/// The example with made-up secrets.
fn example() -> Document {
    let mut document = parse(EXAMPLE).expect("the example can be read");
    let value = |reference| Ok(format!("{reference:?}").replace(char::is_whitespace, ""));
    resolve(&mut document, &value).expect("all references are known");
    document
}

/// The example after a change; it must be right.
fn accepted(change: impl FnOnce(&mut Document)) -> Checked {
    let mut document = example();
    change(&mut document);
    check(&document, &Context::default()).expect("no problems")
}

/// The problems of the example after a change, a line each; providers by their role.
fn refused(change: impl FnOnce(&mut Document)) -> Vec<String> {
    let mut document = example();
    change(&mut document);
    match check(&document, &Context::default()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|it| without_names(&it.to_string())).collect(),
    }
}

/// Names of providers belong into their own folders.
fn without_names(text: &str) -> String {
    PROVIDERS.iter().fold(text.to_owned(), |text, provider| {
        let role = format!("{:?}", provider.capabilities.role);
        text.replace(provider.name, &role).replace(provider.id, &role.to_lowercase())
    })
}

/// An address in the CRM's own domain.
fn crm_address(name: &str) -> String {
    let crm = PROVIDERS.iter().find(|it| it.capabilities.role == Role::Crm).expect("a CRM");
    format!("https://{name}{}", crm.settings.hosts()[0])
}

/// A change and all that is said about it.
type Case = (fn(&mut Document), &'static [&'static str]);

/// Each change alone brings exactly these problems; `…` leaves out the rest of a line.
#[track_caller]
fn each_is_refused(cases: &[Case]) {
    for (index, (change, expected)) in cases.iter().enumerate() {
        let problems = refused(change);
        let fits = |problem: &String, expected: &&str| match expected.strip_suffix('…') {
            Some(start) => problem.starts_with(start),
            None => problem == expected,
        };
        let all = problems.iter().zip(*expected).all(|(problem, it)| fits(problem, it));
        assert!(all && problems.len() == expected.len(), "case {index}: {problems:#?}");
    }
}

/// None of these changes is a problem.
fn each_is_accepted(cases: &[fn(&mut Document)]) {
    for (index, change) in cases.iter().enumerate() {
        assert_eq!(refused(change), Vec::<String>::new(), "case {index}");
    }
}
