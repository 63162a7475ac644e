//! The private half of the pair that signs hook URLs: brought by whoever owns the installation, read when a URL is made.

use ed25519_dalek::SigningKey;
use perezvon_engine::secrets::HOOK_KEY;
use perezvon_platform::PortError;
use perezvon_platform::hook::{parse_private, private_text, public_text};
use serde::Deserialize;
use serde_json::json;

use crate::access::Visitor;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// The private half of the pair that signs hook URLs, as `perezvon keys` wrote it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HookKey"))]
pub struct Given {
    private: String,
}

impl Api {
    /// `PUT keys/hook`.
    pub(crate) async fn put_hook_key(&self, visitor: &Visitor, request: &Request) -> Result<Reply, Problem> {
        if !visitor.owns_everything() {
            return Err(Problem::new(403, texts::NO_RIGHT));
        }
        if self.config.hook_key.is_some() {
            return Err(Problem::new(409, texts::OWN_HOOK_KEY));
        }
        let given: Given = request.json()?;
        let key = parse_private(&given.private).map_err(|_| Problem::new(400, texts::BAD_HOOK_KEY))?;
        self.secrets.put(HOOK_KEY, &private_text(&key)).await?;
        tracing::info!(by = %visitor.person.name, "the key of hook URLs was replaced");
        Ok(Reply::json(200, &json!({ "public": public_text(&key.verifying_key()) })))
    }

    /// What signs hook URLs; `None`: nobody brought a key yet.
    pub(crate) async fn hook_key(&self) -> Result<Option<SigningKey>, PortError> {
        let text = match &self.config.hook_key {
            Some(text) => Some(text.clone()),
            None => self.secrets.get(HOOK_KEY).await?,
        };
        let key = text.as_deref().map(parse_private).transpose();
        Ok(key.inspect_err(|error| tracing::error!(%error, "hook URLs cannot be made")).ok().flatten())
    }
}
