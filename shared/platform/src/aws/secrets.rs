//! Secrets Manager.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_types::SdkConfig;

use super::explain::explain;
use crate::ports::{PortError, Secrets};

/// What the role of a reader needs.
pub const READ_ACTIONS: &[&str] = &["secretsmanager:GetSecretValue"];
/// What the role of a writer needs.
pub const WRITE_ACTIONS: &[&str] = &["secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"];

const NOT_FOUND: &str = "ResourceNotFoundException";
/// What a secret answers that was deleted and can still be restored.
const DELETED: &str = "InvalidRequestException";
/// What a name answers that can be none.
const NO_NAME: &str = "ValidationException";

/// The secrets whose names begin with one prefix.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
    prefix: String,
}

impl SecretsManager {
    /// Secrets under this prefix; it is put before each name as it is.
    pub fn new(sdk: &SdkConfig, prefix: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), prefix: prefix.into() }
    }

    fn id(&self, name: &str) -> String {
        format!("{}{}", self.prefix, escaped(name))
    }

    fn error<E: ProvideErrorMetadata + std::error::Error + 'static>(&self, name: &str, error: &E) -> PortError {
        let (id, told) = (self.id(name), explain(error));
        let remedy = match error.code() {
            Some(DELETED) => {
                format!("; if it was deleted, bring it back: aws secretsmanager restore-secret --secret-id {id}")
            }
            Some(NO_NAME) => "; correct SECRET_PREFIX in the function's environment and deploy again".to_owned(),
            _ => String::new(),
        };
        PortError::new(format!("secret {id}"), format!("{told}{remedy}"))
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn get(&self, name: &str) -> Result<Option<String>, PortError> {
        match self.client.get_secret_value().secret_id(self.id(name)).send().await {
            Ok(output) => Ok(output.secret_string),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(self.error(name, &error)),
        }
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), PortError> {
        match self.client.put_secret_value().secret_id(self.id(name)).secret_string(value).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(NOT_FOUND) => {
                let call = self.client.create_secret().name(self.id(name)).secret_string(value);
                call.send().await.map(|_| ()).map_err(|error| self.error(name, &error))
            }
            Err(error) => Err(self.error(name, &error)),
        }
    }
}

/// What Secrets Manager takes in a name stays; anything else becomes `+XX`, the plus sign as well.
/// Policies rely on it: `connection/*.crm+3A*`.
fn escaped(name: &str) -> String {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"/_=.@-".contains(&byte);
    let pieces = name.bytes().map(|byte| if stays(byte) { char::from(byte).into() } else { format!("+{byte:02X}") });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_hold_only_what_the_store_takes_and_never_meet() {
        assert_eq!(escaped("channel/acme.main"), "channel/acme.main");
        assert_eq!(escaped("connection/acme.crm:main"), "connection/acme.crm+3Amain");
        assert_ne!(escaped("a:b"), escaped("a+3Ab"));
    }
}
