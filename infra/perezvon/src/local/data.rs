//! The data folder: its lock, the keys made at the first start, the owner's token.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use perezvon_platform::hook;
use perezvon_platform::link::{Person, Role, sign_person};

use crate::backup::{check_whole, private_file};
use crate::drivers::lock::Lock;

/// The name of the owner's token in the data folder.
pub const OWNER_TOKEN: &str = "owner.token";

/// The data folder, ours until this is dropped.
pub struct Data {
    pub path: PathBuf,
    pub keys: Keys,
    /// Nothing was ever kept here before.
    pub fresh: bool,
    _lock: Lock,
}

/// The keys of this installation. Part of every back-up: links and URLs out there depend on them.
pub struct Keys {
    /// Signs hook URLs.
    pub hook: SigningKey,
    /// Seals links to recordings.
    pub link: Vec<u8>,
    /// Seals tokens of people.
    pub person: Vec<u8>,
}

impl Data {
    /// Locks the folder, which is made if it is missing, and reads its keys or makes them.
    ///
    /// # Errors
    /// Somebody else works in it, or its files cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, String> {
        let lock = Lock::take(path).map_err(|error| error.to_string())?;
        check_whole(path).map_err(|error| error.to_string())?;
        let fresh = !path.join("table.db").exists();
        let keys = Keys::open(&path.join("keys"))?;
        keys.write_owner_token(&path.join(OWNER_TOKEN))?;
        Ok(Self { path: path.to_owned(), keys, fresh, _lock: lock })
    }

    /// A file or folder in it.
    pub fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Keys {
    fn open(folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|why| told(folder, &why))?;
        let hook = folder.join("hook");
        let text = read_or_make(&hook, || {
            let key = hook::generate().map_err(|error| error.to_string())?;
            Ok(hook::private_text(&key))
        })?;
        Ok(Self {
            hook: hook::parse_private(&text).map_err(|error| told(&hook, &error))?,
            link: seal_key(&folder.join("link"))?,
            person: seal_key(&folder.join("person"))?,
        })
    }

    /// The token of whoever owns the installation: always the same for the same key.
    pub fn owner_token(&self) -> String {
        sign_person(&owner(), None, &self.person)
    }

    fn write_owner_token(&self, place: &Path) -> Result<(), String> {
        let token = self.owner_token();
        if fs::read_to_string(place).is_ok_and(|there| there.trim() == token) {
            return Ok(());
        }
        write_private(place, format!("{token}\n").as_bytes()).map_err(|why| told(place, &why))
    }
}

/// Owns the installation: every account is theirs.
pub fn owner() -> Person {
    Person { account: perezvon_api::EVERY_ACCOUNT.to_owned(), name: "owner".to_owned(), role: Role::Owner }
}

/// 32 random bytes, in hex.
fn seal_key(place: &Path) -> Result<Vec<u8>, String> {
    let text = read_or_make(place, random_hex::<32>)?;
    let whole = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !whole {
        return Err(told(place, &"64 hex digits are expected; put the file back from a back-up"));
    }
    Ok(text.into_bytes())
}

/// This many random bytes, in hex.
pub(crate) fn random_hex<const N: usize>() -> Result<String, String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn read_or_make(place: &Path, make: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
    match fs::read_to_string(place) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let text = make()?;
            write_private(place, format!("{text}\n").as_bytes()).map_err(|why| told(place, &why))?;
            Ok(text)
        }
        Err(why) => Err(told(place, &why)),
    }
}

/// Writes the whole file for its owner only, or leaves the old one as it was.
pub(crate) fn write_private(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    // A name that back-ups leave out.
    let draft = place.with_file_name(format!(".draft-{name}"));
    let mut file = private_file(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, place)
}

fn told(place: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{}: {why}", place.display())
}

#[cfg(test)]
mod tests {
    use perezvon_platform::link::open_person;

    use super::*;

    fn token(data: &Data) -> String {
        fs::read_to_string(data.place(OWNER_TOKEN)).expect("a token").trim().to_owned()
    }

    #[test]
    fn keys_and_the_owners_token_are_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        let first = Data::open(&path).expect("open");
        let (hook, owner_token) = (first.keys.hook.to_bytes(), token(&first));
        assert!(first.fresh);
        assert_eq!(open_person(&owner_token, &first.keys.person, 0), Some(owner()));
        drop(first);
        fs::write(path.join("table.db"), "").expect("a file");
        let again = Data::open(&path).expect("open again");
        assert_eq!((again.keys.hook.to_bytes(), token(&again)), (hook, owner_token));
        assert!(!again.fresh);
    }

    #[test]
    fn a_token_that_no_key_opens_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(OWNER_TOKEN), "of another installation").expect("a file");
        let data = Data::open(folder.path()).expect("open");
        assert_eq!(open_person(&token(&data), &data.keys.person, 0), Some(owner()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_secret_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let data = Data::open(folder.path()).expect("open");
        for name in ["keys/hook", "keys/link", "keys/person", OWNER_TOKEN] {
            let mode = fs::metadata(data.place(name)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_key_is_told_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("keys")).expect("a folder");
        fs::write(folder.path().join("keys/link"), "short").expect("a file");
        let error = Data::open(folder.path()).err().expect("damaged");
        assert!(error.contains("back-up"), "{error}");
    }
}
