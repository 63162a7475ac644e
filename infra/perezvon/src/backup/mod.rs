//! One archive of everything that this machine keeps, made while it runs; and the way back.
//!
//! The queues are copied first, then the table: what was accepted before the copy began is in one of
//! the two, or in both, which is harmless. Files that the rows name were there before the rows, so they
//! come last: recordings, secrets, keys and whatever else lies in the data folder.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::drivers::lock::{Lock, LockError};
use crate::drivers::queue::Queues;
use crate::drivers::table::Embedded;

const QUEUE: &str = "queue.db";
const TABLE: &str = "table.db";
/// Where copies and archives are while they are made.
const WORK: &str = "backup";
/// In a folder that is being restored, until all of it is there.
const UNFINISHED: &str = "restoring";
/// What the archive begins with.
const MANIFEST: &str = "perezvon-backup.json";
/// What a whole archive ends with: half of one can look like a whole one.
const END: &str = "perezvon-backup.end";
const FORMAT: u32 = 1;

/// What must be copied with care, because it is being written to.
#[derive(Clone)]
pub struct Parts {
    pub queues: Queues,
    pub table: Embedded,
}

/// What an archive says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the archive; this program reads 1.
    pub format: u32,
    /// When the copy began, RFC 3339.
    pub created_at: String,
    /// The version of the program that made it.
    pub version: String,
}

/// What is in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub manifest: Manifest,
    pub files: u64,
    /// Of all files together.
    pub bytes: u64,
}

/// Why there is no archive, or no restored folder.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{}: {why}", path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error("no copy of the running data: {0}")]
    Copy(String),
    #[error("{} is no backup: give a file that `perezvon backup` wrote", .0.display())]
    NotABackup(PathBuf),
    #[error("{} was made by perezvon {version}; restore it with that version or a newer one", path.display())]
    Newer { path: PathBuf, version: String },
    #[error("{} breaks off in the middle: copy it again, or take another backup", .0.display())]
    BrokenOff(PathBuf),
    #[error("{} is not empty: name a new folder with --data, so that nothing is overwritten", .0.display())]
    NotEmpty(PathBuf),
    #[error(
        "a restore into {} was interrupted: empty that folder and restore again", .0.display()
    )]
    Unfinished(PathBuf),
    #[error(transparent)]
    Locked(#[from] LockError),
}

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError + '_ {
    |why| BackupError::Io { path: path.to_owned(), why }
}

/// Writes one archive of the data folder and returns its path; the caller removes it when it is sent.
///
/// # Errors
/// Says what could not be copied or written; nothing is left behind.
pub async fn archive(data: &Path, parts: &Parts) -> Result<PathBuf, String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Unique within the process is enough: the lock keeps a second one out of the folder.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let work = data.join(WORK).join(number.to_string());
    let file = work.with_extension("tar");
    let made = copy_and_pack(data, parts, &work, &file).await;
    // Copies that stay cost room only, and the next start overwrites them.
    _ = fs::remove_dir_all(&work);
    if made.is_err() {
        _ = fs::remove_file(&file);
    }
    made.map(|()| file).map_err(|error| error.to_string())
}

async fn copy_and_pack(data: &Path, parts: &Parts, work: &Path, file: &Path) -> Result<(), BackupError> {
    let manifest = Manifest {
        format: FORMAT,
        created_at: jiff::Timestamp::now().to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    // What a dead process left.
    _ = fs::remove_dir_all(work);
    private_folder(work).map_err(at(work))?;
    let failed = |why: &dyn std::fmt::Display| BackupError::Copy(why.to_string());
    parts.queues.backup_to(&work.join(QUEUE)).await.map_err(|why| failed(&why))?;
    parts.table.backup_to(&work.join(TABLE)).await.map_err(|why| failed(&why))?;
    let (data, work, file) = (data.to_owned(), work.to_owned(), file.to_owned());
    let packed = tokio::task::spawn_blocking(move || pack(&data, &work, &file, &manifest)).await;
    packed.map_err(|why| failed(&why))?
}

fn pack(data: &Path, work: &Path, file: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut tar = tar::Builder::new(private_file(file).map_err(at(file))?);
    let text = serde_json::to_vec(manifest).map_err(|why| BackupError::Copy(why.to_string()))?;
    add(&mut tar, MANIFEST.as_ref(), text.len() as u64, text.as_slice()).map_err(at(file))?;
    for name in [QUEUE, TABLE] {
        add_file(&mut tar, &work.join(name), name.as_ref())?;
    }
    for inside in files(data, Path::new(""))? {
        add_file(&mut tar, &data.join(&inside), &inside)?;
    }
    add(&mut tar, END.as_ref(), 0, io::empty()).map_err(at(file))?;
    tar.into_inner().and_then(|file| file.sync_all()).map_err(at(file))
}

/// The files below this folder as paths inside `data`, without what is copied on its own and what
/// means nothing elsewhere.
fn files(data: &Path, inside: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let folder = data.join(inside);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(at(&folder))? {
        let entry = entry.map_err(at(&folder))?;
        let name = entry.file_name();
        let path = inside.join(&name);
        let kind = entry.file_type().map_err(at(&folder))?;
        if is_left_out(inside, &name.to_string_lossy()) {
            continue;
        }
        if kind.is_dir() {
            found.extend(files(data, &path)?);
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_left_out(inside: &Path, name: &str) -> bool {
    let database = |name: &str| name.starts_with(QUEUE) || name.starts_with(TABLE);
    let at_top = inside.as_os_str().is_empty();
    (at_top && (["lock", WORK, UNFINISHED].contains(&name) || database(name)))
        || name == "drafts"
        || name.starts_with(".draft-")
}

fn add_file(tar: &mut tar::Builder<File>, path: &Path, inside: &Path) -> Result<(), BackupError> {
    let file = match File::open(path) {
        // Removed since it was listed.
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(at(path))?,
    };
    // Files are replaced, never written in place: an open one keeps its size.
    let size = file.metadata().map_err(at(path))?.len();
    add(tar, inside, size, file.take(size)).map_err(at(path))
}

fn add(tar: &mut tar::Builder<File>, inside: &Path, size: u64, bytes: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    tar.append_data(&mut header, inside, bytes)
}

/// Reads an archive through to its end.
///
/// # Errors
/// It is no archive of ours, or not a whole one.
pub fn verify(archive: &Path) -> Result<Contents, BackupError> {
    read(archive, |_, bytes| io::copy(bytes, &mut io::sink()).map_err(at(archive)))
}

/// Puts an archive into a folder that is empty or not there yet.
///
/// # Errors
/// The folder holds something, the archive is none or broken: what to do is said.
pub fn restore(archive: &Path, data: &Path) -> Result<Contents, BackupError> {
    // Looked at before it is locked: locking would already change a folder that is not ours.
    if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(data.to_owned()));
    }
    let _lock = Lock::take(data)?;
    let unfinished = data.join(UNFINISHED);
    private_file(&unfinished).map_err(at(&unfinished))?;
    let contents = read(archive, |inside, bytes| {
        let path = data.join(inside);
        put(&path, bytes).map_err(at(&path))
    });
    if contents.is_err() {
        // It was empty, and the lock kept everybody else out: all of it is ours.
        empty(data).map_err(at(data))?;
    } else {
        fs::remove_file(&unfinished).map_err(at(&unfinished))?;
    }
    contents
}

/// Whether the folder was restored to the end, or never restored.
///
/// # Errors
/// A restore into it was interrupted.
pub fn check_whole(data: &Path) -> Result<(), BackupError> {
    if data.join(UNFINISHED).exists() {
        return Err(BackupError::Unfinished(data.to_owned()));
    }
    Ok(())
}

/// Hands each file of an archive to `take`, which returns its size.
fn read(
    archive: &Path,
    mut take: impl FnMut(&Path, &mut dyn Read) -> Result<u64, BackupError>,
) -> Result<Contents, BackupError> {
    let none = || BackupError::NotABackup(archive.to_owned());
    let broken = |_| BackupError::BrokenOff(archive.to_owned());
    let mut tar = tar::Archive::new(File::open(archive).map_err(at(archive))?);
    let mut entries = tar.entries().map_err(at(archive))?;
    let first = entries.next().and_then(Result::ok).ok_or_else(none)?;
    let manifest = manifest(first).ok_or_else(none)?;
    if manifest.format != FORMAT {
        return Err(BackupError::Newer { path: archive.to_owned(), version: manifest.version });
    }
    let mut contents = Contents { manifest, files: 0, bytes: 0 };
    for entry in entries {
        let mut entry = entry.map_err(broken)?;
        let inside = entry.path().map_err(broken)?.into_owned();
        if inside == Path::new(END) {
            return Ok(contents);
        }
        let stays_inside = inside.components().all(|part| matches!(part, Component::Normal(_)));
        if !stays_inside || !entry.header().entry_type().is_file() {
            return Err(none());
        }
        let size = entry.size();
        if take(&inside, &mut entry)? != size {
            break;
        }
        contents.files += 1;
        contents.bytes += size;
    }
    Err(BackupError::BrokenOff(archive.to_owned()))
}

fn manifest(entry: tar::Entry<'_, File>) -> Option<Manifest> {
    if entry.path().ok()? != Path::new(MANIFEST) {
        return None;
    }
    serde_json::from_reader(entry.take(64 * 1024)).ok()
}

fn put(path: &Path, bytes: &mut dyn Read) -> io::Result<u64> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder)?;
    let mut file = private_file(path)?;
    let size = io::copy(bytes, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    Ok(size)
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file for its owner's eyes only: archives and what is in them hold secrets.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
