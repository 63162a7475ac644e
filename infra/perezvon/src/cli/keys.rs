//! Keys of an installation in the cloud: the pair for hook URLs, and the owner's token.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use perezvon_platform::hook::{self, Hook};
use perezvon_platform::link::sign_person;
use serde_json::json;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::Said;
use super::args::KeysArgs;
use super::server::Server;
use crate::local::data::{owner, write_private};

/// The parameter of the template.
const PARAMETER: &str = "HookPublicKeys";
const DAY_MS: i64 = 86_400_000;

/// `perezvon keys`.
pub fn make(args: &KeysArgs) -> Result<Said, String> {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("hook-{}.key", args.config_env)));
    if out.exists() {
        return Err(format!("{} is there already: keep it, or move it away to make a new pair", out.display()));
    }
    let text = std::fs::read_to_string(&args.config).map_err(|why| told(&args.config, &why))?;
    let key = hook::generate().map_err(|error| error.to_string())?;
    let public = hook::public_text(&key.verifying_key());
    let (text, ring) = with_key(&text, &args.config_env, &public).map_err(|why| told(&args.config, &why))?;
    // The private half first: a public one without it would be a ring that nothing fits.
    write_private(&out, format!("{}\n", hook::private_text(&key)).as_bytes()).map_err(|why| told(&out, &why))?;
    std::fs::write(&args.config, text).map_err(|why| told(&args.config, &why))?;
    let (out, config, name) = (out.display(), args.config.display(), &args.config_env);
    let rest = match ring {
        1 => String::new(),
        ring => format!(
            "{PARAMETER} holds {ring} keys now, so addresses made with the older ones go on working; take those out \
             when the providers have the new addresses\n"
        ),
    };
    Ok(Said::fine(format!(
        "{out}: the private half. Nobody else may read it, and it belongs into no repository\n\
         {config}: the public half, for `{name}`\n{rest}\
         next: sam build && sam deploy --config-env {name}\n\
         then: perezvon apply SETTINGS --keys {out} --server URL\n"
    )))
}

/// The text of samconfig.toml with one more key for this installation, and how many it has now.
fn with_key(text: &str, name: &str, public: &str) -> Result<(String, usize), String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let deploy = document.get_mut(name).and_then(|table| table.get_mut("deploy")?.get_mut("parameters"));
    let parameters = deploy.and_then(Item::as_table_mut).ok_or_else(|| no_table(name))?;
    let overrides = overrides(parameters)?;
    let named = format!("{PARAMETER}=");
    let place = overrides.iter().position(|value| value.as_str().is_some_and(|text| text.starts_with(&named)));
    let known = place.and_then(|place| overrides.get(place)?.as_str()?.strip_prefix(&named));
    let ring: Vec<String> = [public.to_owned()].into_iter().chain(keys_of(known.unwrap_or_default())).collect();
    let value = format!("{named}{}", ring.join(","));
    match place {
        Some(place) => drop(overrides.replace(place, value)),
        None => overrides.push(value),
    }
    Ok((document.to_string(), ring.len()))
}

fn no_table(name: &str) -> String {
    format!("there is no [{name}.deploy.parameters]: name an installation with --config-env, or add it")
}

fn keys_of(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
}

fn overrides(parameters: &mut Table) -> Result<&mut Array, String> {
    let item = parameters.entry("parameter_overrides").or_insert_with(|| Value::Array(Array::new()).into());
    item.as_array_mut().ok_or_else(|| "write parameter_overrides as a list: [\"Name=value\"]".to_owned())
}

/// Brings the private half up, and sees whether the door takes what it signs.
pub async fn bring(server: &Server, file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|why| told(file, &why))?;
    let key = hook::parse_private(&text).map_err(|error| told(file, &error))?;
    server.put("/api/v1/keys/hook", &json!({ "private": text.trim() })).await?;
    match server.knock(&nobodys_token(&key)).await? {
        405 => Ok(()),
        404 => Err(format!(
            "{}: brought up, but the installation was deployed with another public half; \
             deploy it with the samconfig.toml that `perezvon keys` wrote",
            file.display()
        )),
        503 => {
            Err("the installation has no hook keys yet: deploy it with the samconfig.toml that `perezvon keys` wrote"
                .to_owned())
        }
        status => Err(format!("hook URLs are answered with {status}: look at the log of `ingest`")),
    }
}

/// Of a channel that cannot be: good for a knock at the door, and for nothing else.
fn nobodys_token(key: &SigningKey) -> String {
    let nobody = Hook { account: String::new(), channel: String::new(), generation: 0, body_limit: 0 };
    hook::sign(&nobody, key)
}

/// `perezvon token --person-key`.
pub fn owner_token(file: &Path, days: Option<u32>) -> Result<Said, String> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|why| told(file, &why))?;
    let key = text.trim();
    if key.len() < 16 {
        return Err(told(file, &"this is no person key: 16 characters at least are expected"));
    }
    let expires = days.map(|days| jiff::Timestamp::now().as_millisecond() + i64::from(days) * DAY_MS);
    Ok(Said::fine(format!("{}\n", sign_person(&owner(), expires, key.as_bytes()))))
}

fn told(place: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{}: {why}", place.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# Ours.
[default.deploy.parameters]
# Small.
parameter_overrides = [\"Architecture=arm64\"]

[production.deploy.parameters]
confirm_changeset = true # look first
";

    #[test]
    fn the_public_half_stands_beside_the_other_parameters_and_comments_stay() {
        let (text, ring) = with_key(CONFIG, "default", "new").expect("a parameter");
        let expected = CONFIG.replace("=arm64\"]", "=arm64\", \"HookPublicKeys=new\"]");
        assert_eq!((text.as_str(), ring), (expected.as_str(), 1));
    }

    #[test]
    fn an_installation_without_parameters_gets_its_first() {
        let (text, _) = with_key(CONFIG, "production", "new").expect("a parameter");
        assert!(text.ends_with("true # look first\nparameter_overrides = [\"HookPublicKeys=new\"]\n"), "{text}");
    }

    #[test]
    fn a_second_pair_goes_before_the_first_which_stays_good() {
        let (text, _) = with_key(CONFIG, "default", "old").expect("a parameter");
        let (text, ring) = with_key(&text, "default", "new").expect("a parameter");
        assert!(text.contains("\"HookPublicKeys=new,old\"") && ring == 2, "{text}");
    }

    #[test]
    fn an_installation_that_is_not_there_is_told() {
        let error = with_key(CONFIG, "staging", "new").expect_err("not there");
        assert!(error.contains("[staging.deploy.parameters]"), "{error}");
        assert!(with_key("[a.deploy.parameters]\nparameter_overrides = \"x\"", "a", "new").is_err());
    }

    #[test]
    fn the_private_half_goes_to_a_file_and_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (config, out) = (folder.path().join("samconfig.toml"), folder.path().join("hook.key"));
        std::fs::write(&config, CONFIG).expect("a file");
        let args = KeysArgs { config: config.clone(), config_env: "default".to_owned(), out: Some(out.clone()) };
        let said = make(&args).expect("a pair");
        let private = std::fs::read_to_string(&out).expect("the private half");
        let key = hook::parse_private(&private).expect("a private half");
        let public = hook::public_text(&key.verifying_key());
        assert!(std::fs::read_to_string(&config).expect("a file").contains(&public));
        assert!(!said.text.contains(private.trim()), "{}", said.text);
        assert!(make(&args).expect_err("it is there").contains("there already"));
    }
}
