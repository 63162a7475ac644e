//! Secrets on disk: one file each, for the owner's eyes only, replaced whole.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use perezvon_platform::{PortError, Secrets};
use serde::{Deserialize, Serialize};

use super::files;

/// What a file holds: the name too, for its own name is a digest.
#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    value: String,
}

/// A folder of secrets.
#[derive(Clone)]
pub struct DiskSecrets {
    folder: PathBuf,
}

impl DiskSecrets {
    /// The folder, which is made if it is missing and closed to everybody but its owner.
    ///
    /// # Errors
    /// The folder cannot be made or closed.
    pub fn open(folder: &Path) -> Result<Self, PortError> {
        files::private_folder(folder).map_err(|why| failed("the folder", why))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(files::name_of(name)).with_extension("json")
    }
}

fn failed(what: &str, why: impl std::fmt::Display) -> PortError {
    PortError::new("secrets", format!("{what}: {why}"))
}

async fn on_disk<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, PortError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|why| failed(name, why))?;
    done.map_err(|why| failed(name, why))
}

#[async_trait]
impl Secrets for DiskSecrets {
    async fn get(&self, name: &str) -> Result<Option<String>, PortError> {
        let place = self.place(name);
        let Some(bytes) = on_disk(name, move || files::read_whole(&place)).await? else {
            return Ok(None);
        };
        // The parser's words could quote the secret.
        let sealed: Sealed = serde_json::from_slice(&bytes).map_err(|_| failed(name, "its file is damaged"))?;
        Ok(Some(sealed.value))
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), PortError> {
        let sealed = Sealed { name: name.to_owned(), value: value.to_owned() };
        let bytes = serde_json::to_vec(&sealed).map_err(|why| failed(name, why))?;
        let place = self.place(name);
        on_disk(name, move || files::write_whole(&place, &bytes)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_kept_under_any_name_and_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = DiskSecrets::open(folder.path()).expect("open");
        let name = "../acct/канал#1";
        assert_eq!(secrets.get(name).await, Ok(None));
        secrets.put(name, "{\"key\":\"a much longer first value\"}").await.expect("put");
        secrets.put(name, "{}").await.expect("put");
        secrets.put("other", "x").await.expect("put");
        let again = DiskSecrets::open(folder.path()).expect("open again");
        assert_eq!(again.get(name).await, Ok(Some("{}".to_owned())));
        let names = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(names, 2, "drafts were left behind, or a name left the folder");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("secrets");
        let secrets = DiskSecrets::open(&inside).expect("open");
        secrets.put("name", "value").await.expect("put");
        let mode = |path: &Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&inside), mode(&secrets.place("name"))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_damaged_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = DiskSecrets::open(folder.path()).expect("open");
        std::fs::write(secrets.place("name"), "{\"name\":\"name\",\"value\":hunter2").expect("a file");
        let error = secrets.get("name").await.expect_err("damaged").to_string();
        assert!(error.contains("name") && !error.contains("hunter2"), "{error}");
    }
}
