//! Whole files: written beside their place, flushed, renamed. A crash leaves the old or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

/// A file that is not there yet: removed again unless it is [`keep`](Self::keep)t.
pub(super) struct Draft {
    path: PathBuf,
    kept: bool,
}

impl Draft {
    /// A new empty file in the folder, of a name that nobody else uses; readable by its owner only.
    pub(super) fn new(folder: &Path) -> io::Result<(Self, File)> {
        // Unique within the process is enough: the lock file keeps a second process out, and what
        // a dead one left behind is truncated.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = folder.join(format!(".draft-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((Self { path, kept: false }, file))
    }

    /// Puts the flushed file in its place, and the place on disk.
    pub(super) fn keep(mut self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        self.kept = true;
        place.parent().map_or(Ok(()), flush_folder)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // It may be gone already; a draft that stays is harmless.
            _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes the whole file, or leaves the old one as it was.
pub(super) fn write_whole(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let (draft, mut file) = Draft::new(folder)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    draft.keep(place)
}

/// The file's bytes; `None` if there is none.
pub(super) fn read_whole(place: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(place) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the folder and those above it, for the owner only.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Names in the folder are on disk after this. Only Unix can and need be asked for it.
pub(super) fn flush_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file name for any text.
pub(super) fn name_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
