//! One process per data folder: an exclusive lock on `DIR/lock`, held until the process ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why the folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else works in it.
    #[error("{folder} is in use by {holder}: stop it, or name another folder")]
    Held { folder: PathBuf, holder: String },
    /// The lock file cannot be made or locked.
    #[error("cannot lock {folder}: {why}")]
    Io { folder: PathBuf, why: io::Error },
}

/// A locked data folder; free again when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`LockError::Held`] names the folder and the process that holds it.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let failed = |why| LockError::Io { folder: folder.to_owned(), why };
        super::files::private_folder(folder).map_err(failed)?;
        let path = folder.join("lock");
        // Not truncated: until the lock is ours the file tells who holds it.
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: folder.to_owned(), holder: holder(&path) });
            }
            Err(TryLockError::Error(why)) => return Err(failed(why)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn holder(path: &Path) -> String {
    let pid = fs::read_to_string(path).unwrap_or_default();
    match pid.trim() {
        "" => "another process".to_owned(),
        pid => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_the_folder_and_the_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let lock = Lock::take(&data).expect("free");
        let error = Lock::take(&data).expect_err("held").to_string();
        assert!(error.contains(&data.display().to_string()), "{error}");
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(lock);
        Lock::take(&data).expect("free again");
    }

    #[test]
    fn what_a_dead_process_left_is_no_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("lock"), "99999999 and more\n").expect("a file");
        let _lock = Lock::take(folder.path()).expect("free");
        let pid = fs::read_to_string(folder.path().join("lock")).expect("the file");
        assert_eq!(pid.trim(), std::process::id().to_string());
    }
}
