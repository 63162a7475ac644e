//! Signatures by hand: webhooks signed as a provider would, and why one does not fit.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use perezvon_adapters::{CODECS, Codec, Intake, Lab, Provider, RawRequest, Secret, codec};
use perezvon_domain::Timestamp;

use super::Said;
use super::args::{PayloadArgs, SecretArgs, SignArgs, VerifyArgs};
use crate::demo::{Webhook, calls_of};

/// A provider whose signatures can be made and looked into.
struct Signing {
    provider: &'static Provider,
    lab: &'static dyn Lab,
    intake: &'static dyn Intake,
}

impl Signing {
    fn of(name: &str) -> Result<Self, String> {
        let signing = |it: &'static Codec| Some(Self { provider: it.provider, lab: it.lab?, intake: it.intake? });
        let known = CODECS.iter().filter(|codec| signing(codec).is_some());
        let names: Vec<&str> = known.map(|codec| codec.provider.id).collect();
        codec(name)
            .and_then(signing)
            .ok_or_else(|| format!("`{name}` is no provider that signs webhooks: use one of {}", names.join(", ")))
    }

    /// The path that webhooks without a path of their own are taken to have.
    fn usual_path(&self) -> &'static str {
        self.intake.paths().first().copied().unwrap_or_default()
    }

    fn secret(&self, args: &SecretArgs) -> Result<Secret, String> {
        let specs = self.provider.settings.secrets();
        let mut given = BTreeMap::new();
        for (name, value) in named(args)? {
            if !specs.iter().any(|spec| spec.name == name) {
                let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
                let (provider, names) = (self.provider.name, names.join(", "));
                return Err(format!("{provider} has no secret `{name}`: use {names}"));
            }
            given.insert(name, value);
        }
        let missing = specs.iter().find(|spec| spec.required && !given.contains_key(spec.name));
        match missing {
            Some(spec) => {
                let name = spec.name;
                Err(format!("the secret `{name}` is missing: add --secret {name}=VALUE ({})", spec.about))
            }
            None => Ok(Secret(given)),
        }
    }
}

/// All secrets given, by name.
fn named(args: &SecretArgs) -> Result<Vec<(String, String)>, String> {
    let short = [("key", &args.key), ("salt", &args.salt)];
    let short = short.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let mut all: Vec<_> = short.collect();
    for text in &args.secret {
        let (name, value) = text.split_once('=').ok_or("a secret is written NAME=VALUE: --secret token=VALUE")?;
        all.push((name.to_owned(), value.to_owned()));
    }
    Ok(all)
}

/// `perezvon sign`.
pub fn sign(args: &SignArgs) -> Result<Said, String> {
    let signing = Signing::of(&args.provider)?;
    if args.payload.demo {
        return demo(&signing, &signing.secret(&args.secrets)?);
    }
    let (path, payload) = payload(&signing, &args.payload)?;
    let signed = signing.lab.sign(&payload, &signing.secret(&args.secrets)?);
    let path = args.path.as_deref().unwrap_or(path);
    let body = String::from_utf8_lossy(&signed.body);
    let url = args.url.as_deref().unwrap_or("HOOK_URL").trim_end_matches('/');
    let headers = signed.headers.iter().flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]);
    let words = ["curl", "-sS", "-i", "-X", "POST"].map(str::to_owned).into_iter().chain(headers);
    let words = words.chain(["--data-raw".to_owned(), body.to_string()]);
    let words: Vec<String> = words.map(|word| quoted(&word)).collect();
    let target = quoted(&format!("{url}/{}", path.trim_matches('/')));
    Ok(Said::fine(format!("{body}\n\n{} {target}\n", words.join(" "))))
}

/// The demo's webhooks, a line of JSON each.
fn demo(signing: &Signing, secret: &Secret) -> Result<Said, String> {
    let now_s = jiff::Timestamp::now().as_second();
    let calls = calls_of(signing.provider.id, now_s).ok_or_else(|| {
        let name = signing.provider.name;
        format!("the demo has no calls of {name}: use --example")
    })?;
    let line = |webhook: Webhook| {
        let signed = signing.lab.sign(&webhook.payload, secret);
        let line = serde_json::json!({
            "call": webhook.call,
            "entry": webhook.entry,
            "at_ms": webhook.at_ms,
            "path": webhook.path,
            "headers": signed.headers.iter().cloned().collect::<BTreeMap<_, _>>(),
            "body": String::from_utf8_lossy(&signed.body),
        });
        format!("{line}\n")
    };
    Ok(Said::fine(calls.into_iter().map(line).collect()))
}

fn payload(signing: &Signing, args: &PayloadArgs) -> Result<(&'static str, String), String> {
    if let Some(text) = &args.json {
        return Ok((signing.usual_path(), text.clone()));
    }
    if let Some(file) = &args.file {
        let bytes = without_last_break(read(file)?);
        let text = String::from_utf8(bytes).map_err(|_| format!("{} must be UTF-8", file.display()))?;
        return Ok((signing.usual_path(), text));
    }
    let examples = signing.lab.examples();
    let wanted = args.example.and_then(|number| examples.get(number.checked_sub(1)?));
    wanted.map(|example| (example.path, example.payload.trim_end().to_owned())).ok_or_else(|| {
        let numbered = examples.iter().zip(1..);
        let list: String = numbered
            .map(|(example, number)| format!("\n  {number:>2}  {}  {}", example.path, short(example.payload)))
            .collect();
        format!("what is to be signed? Give --json TEXT, --file FILE or --example N:{list}")
    })
}

fn short(payload: &str) -> String {
    let line: String = payload.chars().filter(|c| !c.is_control()).take(70).collect();
    format!("{line}...")
}

/// A word that a shell passes on as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `perezvon verify`.
pub fn verify(args: &VerifyArgs) -> Result<Said, String> {
    let signing = Signing::of(&args.provider)?;
    let secrets = [signing.secret(&args.secrets)?];
    let request = RawRequest {
        path: args.path.as_deref().unwrap_or(signing.usual_path()).trim_matches('/').to_owned(),
        headers: headers(&args.header)?,
        body: without_last_break(read(&args.body)?),
        received_at: Timestamp(jiff::Timestamp::now().as_millisecond()),
    };
    let mut text = String::new();
    for attempt in signing.lab.explain(&request, &secrets) {
        let fits = if attempt.fits { "fits        " } else { "does not fit" };
        text += &format!("{fits}  {}\n              {}\n", attempt.what, attempt.advice);
    }
    let verified = match signing.intake.verify(&request, &secrets) {
        Ok(verified) => verified,
        Err(refusal) => return Ok(Said::bad(format!("{text}\nrefused: {refusal}\n"))),
    };
    match signing.intake.normalise(verified) {
        Ok(events) => {
            let events: Vec<String> = events.iter().map(|event| format!("{event:?}\n")).collect();
            Ok(Said::fine(format!("{text}\nbelieved; it says:\n{}", events.concat())))
        }
        Err(malformed) => Ok(Said::bad(format!("{text}\nthe signature is right, the content is not: {malformed}\n"))),
    }
}

fn headers(given: &[String]) -> Result<BTreeMap<String, String>, String> {
    let pair = |text: &String| {
        let (name, value) = text.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    let wrong = |text| format!("`{text}` is no header: write --header 'NAME: VALUE'");
    given.iter().map(|text| pair(text).ok_or_else(|| wrong(text))).collect()
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    done.map_err(|why| format!("{} cannot be read: {why}", file.display()))?;
    Ok(bytes)
}

fn without_last_break(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = if bytes.ends_with(b"\r\n") { 2 } else { usize::from(bytes.ends_with(b"\n")) };
    bytes.truncate(bytes.len() - end);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(pairs: &[&str]) -> SecretArgs {
        let secret = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        SecretArgs { key: None, salt: None, secret }
    }

    #[test]
    fn secrets_are_those_that_the_provider_names() {
        let first = CODECS.iter().find_map(|codec| Signing::of(codec.provider.id).ok());
        let signing = first.expect("a provider that signs");
        let specs = signing.provider.settings.secrets();
        let all: Vec<String> = specs.iter().map(|spec| format!("{}=invented", spec.name)).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(signing.secret(&secrets(&all)).expect("a secret").0.len(), specs.len());
        let required = specs.iter().find(|spec| spec.required).expect("one is needed");
        let error = signing.secret(&secrets(&[])).expect_err("missing");
        assert!(error.contains(&format!("--secret {}=VALUE", required.name)), "{error}");
        let error = signing.secret(&secrets(&["colour=red"])).expect_err("unknown");
        assert!(error.contains(required.name), "{error}");
        assert!(signing.secret(&secrets(&["red"])).is_err());
    }

    #[test]
    fn an_unknown_provider_is_told_those_there_are() {
        let error = Signing::of("nobody").err().expect("unknown");
        assert!(error.contains("use one of"), "{error}");
    }

    #[test]
    fn words_reach_the_shell_unchanged() {
        assert_eq!(quoted("https://a.example/h/x"), "https://a.example/h/x");
        assert_eq!(quoted("a=b&c"), "'a=b&c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn one_line_break_at_the_end_does_not_count() {
        for (text, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            assert_eq!(without_last_break(text.into()), kept.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn headers_are_read_in_lower_case() {
        let read = headers(&["X-Sign: a:b".to_owned()]).expect("headers");
        assert_eq!(read.get("x-sign").map(String::as_str), Some("a:b"));
        assert!(headers(&["X-Sign".to_owned()]).is_err());
    }
}
