//! Settings files at the start: all are checked before any is applied; the table is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use perezvon_domain::Timestamp;
use perezvon_engine::settings::{
    Applier, Checked, Context, Document, Problem, Reference, check, current, parse, resolve,
};
use perezvon_store::items::settings::SettingsHead;

use super::wiring::Ports;

/// Who applied it, if nobody did by hand.
const BY: &str = "perezvon local";

/// Reads a settings file; the secrets that it names stay as they are written.
///
/// # Errors
/// Everything that is wrong, with what to do.
pub fn written(file: &Path) -> Result<Document, Vec<Problem>> {
    let text = std::fs::read_to_string(file).map_err(|why| {
        vec![Problem::new("", format!("the file cannot be read: {why}"), "correct the path or the permissions")]
    })?;
    parse(&text)
}

/// Reads a settings file and fetches the secrets that it names: `env:NAME` from the environment,
/// `file:PATH` from a file, relative to the settings file.
///
/// # Errors
/// Everything that is wrong, with what to do.
pub fn read(file: &Path) -> Result<Document, Vec<Problem>> {
    let mut document = written(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    resolve(&mut document, &|reference| look_up(folder, &reference))?;
    Ok(document)
}

fn look_up(folder: &Path, reference: &Reference) -> Result<String, String> {
    match reference {
        Reference::Env(name) => {
            std::env::var(name).map_err(|_| format!("the environment variable `{name}` is not set"))
        }
        Reference::File(path) => {
            std::fs::read_to_string(folder.join(path)).map_err(|why| format!("the file `{path}` cannot be read: {why}"))
        }
    }
}

/// The name under which a settings version remembers its file.
pub fn source(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a file at the start means for the settings in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// New, edited, or the same as before: applying the same again finishes what broke off.
    Apply,
    /// Somebody changed the settings elsewhere since: a person decides.
    Keep,
}

fn plan(head: Option<&SettingsHead>, digest: &str, source: &str) -> Plan {
    match head {
        None => Plan::Apply,
        Some(head) if head.digest == digest || head.source == source => Plan::Apply,
        Some(_) => Plan::Keep,
    }
}

/// Applies the files; returns lines for the person at the screen.
///
/// # Errors
/// All problems of all files, a line each; then nothing was applied.
pub(super) async fn apply_files(
    files: &[PathBuf],
    ports: &Ports,
    allow_hosts: &[String],
) -> Result<Vec<String>, String> {
    let context = Context { allow_hosts: allow_hosts.iter().cloned().collect::<BTreeSet<_>>() };
    let checked = check_files(files, &context)?;
    let mut lines = Vec::new();
    for (file, checked) in checked {
        lines.extend(checked.warnings.iter().map(|warning| format!("{}: {warning}", file.display())));
        lines.extend(apply(file, checked, ports).await?);
    }
    Ok(lines)
}

fn check_files<'a>(files: &'a [PathBuf], context: &Context) -> Result<Vec<(&'a Path, Checked)>, String> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    let mut accounts: BTreeMap<String, &Path> = BTreeMap::new();
    for file in files {
        match read(file).and_then(|document| check(&document, context)) {
            Ok(checked) => {
                let account = checked.policy.account.0.clone();
                if let Some(other) = accounts.insert(account.clone(), file) {
                    let other = other.display();
                    problems.push(format!("{}: the account `{account}` stands in {other} too", file.display()));
                }
                good.push((file.as_path(), checked));
            }
            Err(found) => problems.extend(found.iter().map(|problem| format!("{}: {problem}", file.display()))),
        }
    }
    if problems.is_empty() { Ok(good) } else { Err(problems.join("\n")) }
}

async fn apply(file: &Path, checked: Checked, ports: &Ports) -> Result<Vec<String>, String> {
    let told = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let account = checked.policy.account.clone();
    let head = current(ports.table.as_ref(), &account).await.map_err(|error| told(&error))?;
    let head = head.map(|(head, _)| head);
    let source = source(file);
    let (crm, outbound) = (ports.crm(), ports.outbound());
    let applier = Applier {
        table: ports.table.as_ref(),
        secrets: ports.secrets.as_ref(),
        crm: crm.as_ref(),
        outbound: outbound.as_ref(),
        now: Timestamp(ports.clock.now_ms()),
    };
    if plan(head.as_ref(), &checked.digest, &source) == Plan::Keep {
        let mut lines = vec![format!(
            "{}: the settings of `{account}` were changed elsewhere since; going on with those. The file would change:",
            file.display()
        )];
        let difference = applier.difference(&checked).await.map_err(|failure| told(&failure))?;
        lines.extend(difference.into_iter().map(|line| format!("  {line}")));
        lines.push(format!("  To take the file: perezvon apply {}", file.display()));
        return Ok(lines);
    }
    let applied = applier.apply(checked, &source, BY).await.map_err(|failure| told(&failure))?;
    let what = if applied.changed { "applied as" } else { "unchanged:" };
    Ok(vec![format!("{}: {what} version {} of `{account}`", file.display(), applied.version)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(digest: &str, source: &str) -> SettingsHead {
        SettingsHead { version: 3, digest: digest.to_owned(), source: source.to_owned(), ..SettingsHead::default() }
    }

    #[test]
    fn a_file_is_applied_if_the_newest_version_came_from_it() {
        assert_eq!(plan(None, "new", "a.toml"), Plan::Apply);
        assert_eq!(plan(Some(&head("old", "a.toml")), "new", "a.toml"), Plan::Apply);
        assert_eq!(plan(Some(&head("same", "")), "same", "a.toml"), Plan::Apply);
    }

    #[test]
    fn settings_that_were_changed_elsewhere_are_kept() {
        assert_eq!(plan(Some(&head("old", "")), "new", "a.toml"), Plan::Keep);
        assert_eq!(plan(Some(&head("old", "b.toml")), "new", "a.toml"), Plan::Keep);
    }

    const SMALL: &str = r#"
        fallback = "petrova"
        account = { id = "acme", name = "Пример", time_zone = "Europe/Moscow" }
        employees = [{ id = "petrova", name = "Петрова" }]
        channels = [{ id = "main", provider = "PBX", name = "АТС", secrets = [{ key = "file:key", salt = "invented-salt" }] }]
    "#;

    /// With whatever provider takes webhooks.
    fn small() -> String {
        let pbx = perezvon_adapters::PROVIDERS.iter().find(|provider| provider.capabilities.body_limit > 0);
        SMALL.replace("PBX", pbx.expect("a provider").id)
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    #[test]
    fn a_secret_file_is_looked_for_beside_the_settings() {
        let folder = folder(&[("a.toml", &small()), ("key", "invented-key\n")]);
        let document = read(&folder.path().join("a.toml")).expect("read");
        assert_eq!(document.channels[0].secrets[0]["key"].0, "invented-key");
    }

    #[test]
    fn all_problems_of_all_files_are_told_at_once() {
        let folder = folder(&[("a.toml", &small()), ("b.toml", "fallback = ")]);
        let files: Vec<PathBuf> = ["a.toml", "b.toml", "c.toml"].map(|name| folder.path().join(name)).into();
        let error = check_files(&files, &Context::default()).expect_err("all are wrong");
        for file in &files {
            assert!(error.contains(&file.display().to_string()), "{error}");
        }
        assert!(error.contains("`key`") && !error.contains("invented-salt"), "{error}");
    }

    #[test]
    fn two_files_of_one_account_are_refused() {
        let folder = folder(&[("a.toml", &small()), ("b.toml", &small()), ("key", "invented-key")]);
        let files: Vec<PathBuf> = ["a.toml", "b.toml"].map(|name| folder.path().join(name)).into();
        let error = check_files(&files, &Context::default()).expect_err("twice");
        assert!(error.contains("`acme`"), "{error}");
    }
}
