//! The settings of the demo account.

use std::collections::BTreeSet;

use perezvon_domain::{AccountId, Timestamp};
use perezvon_engine::settings::{
    Applier, Checked, Context, Document, Problem, Reference, check, current, parse, resolve,
};

use super::{Demo, Identity, base};
use crate::local::wiring::Ports;

const SETTINGS: &str = include_str!("settings.toml");
/// Where the settings say that they came from.
const SOURCE: &str = "demo";

/// The demo account.
pub(super) fn id() -> AccountId {
    AccountId::from("demo")
}

fn document(identity: &Identity) -> Result<Document, Vec<Problem>> {
    let mut document = parse(SETTINGS)?;
    resolve(&mut document, &|reference| match reference {
        Reference::Env(name) if name == "KEY" => Ok(identity.key.clone()),
        Reference::Env(name) if name == "SALT" => Ok(identity.salt.clone()),
        Reference::Env(name) if name == "TOKEN" => Ok(identity.token.clone()),
        _ => Err("the demo has no such secret".to_owned()),
    })?;
    let sandbox = base(identity.port);
    for channel in &mut document.channels {
        channel.base = channel.base.take().map(|path| format!("{sandbox}{path}"));
    }
    if let Some(crm) = &mut document.crm {
        crm.base = Some(sandbox);
    }
    Ok(document)
}

fn checked(identity: &Identity, context: &Context) -> Result<Checked, String> {
    let checked = document(identity).and_then(|document| check(&document, context));
    checked.map_err(|problems| problems.iter().map(|problem| format!("demo: {problem}\n")).collect())
}

impl Demo {
    /// Applies the settings of the demo account, with the sandbox's address of today; returns lines
    /// for the person at the screen.
    ///
    /// # Errors
    /// The table or the secret store failed.
    pub async fn apply(&self, ports: &Ports, allow_hosts: &[String]) -> Result<Vec<String>, String> {
        let context = Context { allow_hosts: allow_hosts.iter().cloned().collect::<BTreeSet<_>>() };
        let checked = checked(&self.identity, &context)?;
        let standing = current(ports.table.as_ref(), &id()).await.map_err(|error| error.to_string())?;
        if standing.is_some_and(|(head, _)| head.source != SOURCE) {
            let host = self.host();
            return Ok(vec![format!("demo: changed by hand, so left as it is; its sandbox is at {host} today")]);
        }
        let (crm, outbound) = (ports.crm(), ports.outbound());
        let applier = Applier {
            table: ports.table.as_ref(),
            secrets: ports.secrets.as_ref(),
            crm: crm.as_ref(),
            outbound: outbound.as_ref(),
            now: Timestamp(ports.clock.now_ms()),
        };
        let applied = applier.apply(checked, SOURCE, SOURCE).await;
        applied.map(|_| Vec::new()).map_err(|failure| format!("the demo account: {failure}"))
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::policy::Occasion;

    use super::*;

    #[test]
    fn the_settings_of_the_demo_have_no_fault() {
        let identity = Identity {
            port: 8788,
            token: "an-invented-token".to_owned(),
            key: "k".repeat(32),
            salt: "s".repeat(32),
            played: false,
        };
        let context = Context { allow_hosts: BTreeSet::from(["127.0.0.1:8788".to_owned()]) };
        let checked = checked(&identity, &context).expect("no fault");
        assert_eq!(checked.warnings, []);
        let scenario = &checked.policy.scenarios[0];
        let task = |occasion| scenario.rules[&occasion].task.is_some();
        assert!(task(Occasion::MissedNew) && !task(Occasion::IncomingNew));
    }
}
