//! `check` and `apply`: a settings file checked here, or sent to the server with its secrets.

use perezvon_engine::settings::{Checked, Context, Problem, check};
use serde_json::Value;

use super::args::{ApplyArgs, CheckArgs};
use super::server::{Server, path_of};
use super::show::json;
use super::{Said, keys};
use crate::local::settings::{read, source};

/// `perezvon check`.
pub fn check_file(args: &CheckArgs) -> Said {
    let allow_hosts = args.allow_host.iter().cloned().collect();
    let checked = read(&args.file).and_then(|document| check(&document, &Context { allow_hosts }));
    match checked {
        Ok(checked) => Said::fine(in_short(&checked)),
        Err(problems) => Said::bad(lines(&problems)),
    }
}

fn in_short(checked: &Checked) -> String {
    let policy = &checked.policy;
    let crm = policy.crm.as_ref().map_or("no CRM".to_owned(), |crm| crm.0.clone());
    format!(
        "{}fine: account {}, {} employees, {} channels, {crm}, {} scenarios\n",
        warnings(&checked.warnings),
        policy.account,
        policy.employees.len(),
        policy.channels.len(),
        policy.scenarios.len(),
    )
}

/// `perezvon apply`.
pub async fn apply(args: &ApplyArgs) -> Result<Said, String> {
    let document = match read(&args.file) {
        Ok(document) => document,
        Err(problems) => return Ok(Said::bad(lines(&problems))),
    };
    let account = document.account.id.0.clone();
    if args.server.account.as_ref().is_some_and(|wanted| *wanted != account) {
        return Err(format!(
            "{} is of the account `{account}`: leave --account out, or give another file",
            args.file.display()
        ));
    }
    let server = Server::new(&args.server)?;
    if let Some(file) = args.keys.as_ref().filter(|_| !args.dry_run) {
        keys::bring(&server, file).await?;
    }
    let body = serde_json::to_value(&document).map_err(|error| error.to_string())?;
    let answer = server.put(&format!("{}?{}", path_of(&account, &["settings"]), query(args)), &body).await?;
    let fine = answer.status != 422;
    let text = if args.server.json { json(&answer.body) } else { answered(&answer.body) };
    Ok(Said { text, fine })
}

fn query(args: &ApplyArgs) -> String {
    let source = source(&args.file);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("source", &source);
    if args.dry_run {
        query.append_pair("dry_run", "true");
    }
    query.finish()
}

/// The answer in words: problems, changes, or the new version.
fn answered(body: &Value) -> String {
    if let Ok(problems) = serde_json::from_value::<Vec<Problem>>(body["problems"].clone()) {
        return lines(&problems);
    }
    let told = serde_json::from_value::<Vec<Problem>>(body["warnings"].clone());
    let warnings = warnings(&told.unwrap_or_default());
    if let Some(changes) = body["changes"].as_array() {
        let changes: Vec<&str> = changes.iter().filter_map(Value::as_str).collect();
        let changes = if changes.is_empty() { "nothing would change".to_owned() } else { changes.join("\n") };
        return format!("{warnings}{changes}\n");
    }
    let version = &body["version"];
    match body["changed"].as_bool() {
        Some(false) => format!("{warnings}version {version} says the same; its secrets were put in place again\n"),
        _ => format!("{warnings}applied as version {version}\n"),
    }
}

/// A line each.
pub fn lines(problems: &[Problem]) -> String {
    // What the server adds may have nothing to write instead.
    problems.iter().map(|problem| format!("{}\n", problem.to_string().trim_end_matches("; "))).collect()
}

pub(super) fn warnings(problems: &[Problem]) -> String {
    lines(problems).lines().map(|line| format!("warning: {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use perezvon_adapters::{PROVIDERS, Provider, Role};
    use serde_json::json;

    use super::*;

    /// Settings with one channel whose first secret lies in the file `key.txt`.
    fn minimal() -> String {
        let telephony = |known: &&&Provider| known.capabilities.role == Role::Telephony;
        let provider = PROVIDERS.iter().find(telephony).expect("a provider");
        let names = provider.settings.secrets().iter().map(|spec| spec.name).zip(0..);
        let secret = |(name, at)| match at {
            0 => format!("{name} = \"file:key.txt\"\n"),
            at => format!("{name} = \"invented-{at}\"\n"),
        };
        let secrets: String = names.map(secret).collect();
        format!(
            "fallback = \"petrova\"\n\
             account = {{ id = \"acme\", name = \"Пример\", time_zone = \"Europe/Moscow\" }}\n\
             employees = [{{ id = \"petrova\", name = \"Петрова\" }}]\n\
             [[channels]]\nid = \"main\"\nprovider = \"{}\"\nname = \"АТС\"\n\
             [[channels.secrets]]\n{secrets}",
            provider.id
        )
    }

    fn written(text: &str, secret: Option<&str>) -> (tempfile::TempDir, CheckArgs) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, text).expect("a file");
        if let Some(secret) = secret {
            std::fs::write(folder.path().join("key.txt"), secret).expect("a file");
        }
        (folder, CheckArgs { file, allow_host: Vec::new() })
    }

    #[test]
    fn a_file_without_a_fault_is_told_in_short_with_its_warnings() {
        let (_folder, args) = written(&minimal(), Some("invented-key\n"));
        let said = check_file(&args);
        assert!(said.fine, "{}", said.text);
        assert!(said.text.contains("fine: account acme, 1 employees, 1 channels, no CRM"), "{}", said.text);
        assert!(said.text.starts_with("warning: crm: "), "{}", said.text);
    }

    #[test]
    fn a_secret_that_is_not_there_is_told_with_its_place_and_what_to_do() {
        let (_folder, args) = written(&minimal(), None);
        let said = check_file(&args);
        assert!(!said.fine);
        assert!(said.text.starts_with("channels[0].secrets[0]."), "{}", said.text);
        assert!(said.text.contains("put the value into the file `key.txt`"), "{}", said.text);
    }

    #[test]
    fn each_problem_is_a_line() {
        let broken =
            minimal().replace("fallback = \"petrova\"", "fallback = \"nobody\"").replace("Europe/Moscow", "Mars");
        let (_folder, args) = written(&broken, Some("k"));
        let said = check_file(&args);
        assert_eq!((said.fine, said.text.lines().count()), (false, 2), "{}", said.text);
    }

    #[test]
    fn answers_of_the_server_are_put_into_words() {
        let problem = json!({ "path": "crm.base", "what": "is not https", "instead": "write https" });
        let cases = [
            (json!({ "problems": [problem] }), "crm.base: is not https; write https\n"),
            (
                json!({ "problems": [{ "path": "", "what": "a token is spent", "instead": "" }] }),
                "settings: a token is spent\n",
            ),
            (json!({ "changes": [], "warnings": [] }), "nothing would change\n"),
            (json!({ "changes": ["a: 1 -> 2", "b: 3 -> 4"], "warnings": [] }), "a: 1 -> 2\nb: 3 -> 4\n"),
            (
                json!({ "version": 7, "changed": true, "warnings": [problem] }),
                "warning: crm.base: is not https; write https\napplied as version 7\n",
            ),
            (
                json!({ "version": 7, "changed": false, "warnings": [] }),
                "version 7 says the same; its secrets were put in place again\n",
            ),
        ];
        for (body, text) in cases {
            assert_eq!(answered(&body), text);
        }
    }
}
