//! Blobs on disk: `ab/cd/<digest of the key>` and a small JSON beside it with key and media type.

use std::fs;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use perezvon_platform::{Blob, Blobs, Chunks, PortError};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::files;

/// The most that one answer of [`Blobs::get`] carries, in bytes.
pub const MAX_PART: u64 = 4 * 1024 * 1024;

/// What stands beside a blob.
#[derive(Serialize, Deserialize)]
struct Label {
    key: String,
    media_type: String,
}

/// A folder of blobs.
#[derive(Clone)]
pub struct DiskBlobs {
    root: PathBuf,
}

/// The files of one blob. The body is renamed into place last: no body, no blob.
struct Places {
    folder: PathBuf,
    body: PathBuf,
    label: PathBuf,
}

impl DiskBlobs {
    /// The folder, which is made if it is missing and closed to everybody but its owner. Drafts of
    /// a process that died are removed: take the [`Lock`](super::lock::Lock) first.
    ///
    /// # Errors
    /// The folder cannot be made or closed.
    pub fn open(root: &Path) -> Result<Self, PortError> {
        let this = Self { root: root.to_owned() };
        files::private_folder(root).map_err(failed)?;
        match fs::remove_dir_all(this.drafts()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir(this.drafts()).map_err(failed)?,
        }
        Ok(this)
    }

    /// Where bodies are while they come in.
    fn drafts(&self) -> PathBuf {
        self.root.join("drafts")
    }

    fn places(&self, key: &str) -> Places {
        let name = files::name_of(key);
        let folder = self.root.join(&name[..2]).join(&name[2..4]);
        Places { body: folder.join(&name), label: folder.join(&name).with_extension("json"), folder }
    }
}

fn failed(why: impl std::fmt::Display) -> PortError {
    PortError::new("blobs", why)
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?.map_err(failed)
}

fn gone(file: PathBuf) -> io::Result<()> {
    fs::remove_file(file).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Makes the folder of a blob; each new name on the way is on disk after this.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.parent().map_or(Ok(()), files::flush_folder)?;
    files::flush_folder(root)
}

/// Writes all chunks and flushes; returns the size.
async fn pour(mut chunks: Chunks, file: fs::File, limit: u64) -> Result<u64, PortError> {
    let mut file = tokio::fs::File::from_std(file);
    let mut size = 0_u64;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(failed(format!("larger than the limit of {limit} bytes")));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok(size)
}

#[async_trait]
impl Blobs for DiskBlobs {
    async fn put(&self, key: &str, media_type: &str, chunks: Chunks, limit: u64) -> Result<u64, PortError> {
        let Places { folder, body, label } = self.places(key);
        let (root, drafts) = (self.root.clone(), self.drafts());
        let (draft, file) = on_disk(move || {
            make_folder(&root, &folder)?;
            files::Draft::new(&drafts)
        })
        .await?;
        let size = pour(chunks, file, limit).await?;
        let text = Label { key: key.to_owned(), media_type: media_type.to_owned() };
        let text = serde_json::to_vec(&text).map_err(failed)?;
        on_disk(move || {
            files::write_whole(&label, &text)?;
            draft.keep(&body)
        })
        .await?;
        Ok(size)
    }

    async fn get(&self, key: &str, from: u64, to: Option<u64>) -> Result<Option<Blob>, PortError> {
        let Places { body, label, .. } = self.places(key);
        let mut file = match tokio::fs::File::open(&body).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let label = tokio::fs::read(&label).await.map_err(failed)?;
        let label: Label = serde_json::from_slice(&label).map_err(failed)?;
        let total = file.metadata().await.map_err(failed)?.len();
        let end = to.map_or(total, |to| to.saturating_add(1).min(total));
        let length = end.saturating_sub(from).min(MAX_PART);
        file.seek(SeekFrom::Start(from)).await.map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).await.map_err(failed)?;
        Ok(Some(Blob { media_type: label.media_type, total, from, bytes }))
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        let Places { body, label, .. } = self.places(key);
        // The body first: without it there is no blob.
        on_disk(move || [body, label].into_iter().try_for_each(gone)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: Vec<Result<Vec<u8>, PortError>>) -> Chunks {
        Box::pin(futures_util::stream::iter(parts))
    }

    fn files_in(folder: &Path) -> usize {
        fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| if path.is_dir() { files_in(&path) } else { 1 })
            .sum()
    }

    #[tokio::test]
    async fn a_blob_comes_back_whole_and_in_ranges() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = DiskBlobs::open(folder.path()).expect("open");
        let key = "acct/calls/../запись.mp3";
        assert_eq!(blobs.get(key, 0, None).await, Ok(None));
        let parts = chunks(vec![Ok(b"0123".to_vec()), Ok(Vec::new()), Ok(b"456789".to_vec())]);
        assert_eq!(blobs.put(key, "audio/mpeg", parts, 10).await, Ok(10));
        let part = async |from, to| {
            let blob = blobs.get(key, from, to).await.expect("an answer").expect("a blob");
            assert_eq!((blob.media_type.as_str(), blob.total, blob.from), ("audio/mpeg", 10, from));
            String::from_utf8(blob.bytes).expect("text")
        };
        assert_eq!(part(0, None).await, "0123456789");
        assert_eq!(part(3, Some(5)).await, "345");
        assert_eq!(part(8, Some(u64::MAX)).await, "89");
        assert_eq!(part(10, None).await, "");
        assert_eq!(part(5, Some(2)).await, "");
    }

    #[tokio::test]
    async fn a_blob_that_was_removed_is_gone_and_may_be_removed_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = DiskBlobs::open(folder.path()).expect("open");
        blobs.put("key", "text/plain", chunks(vec![Ok(b"one".to_vec())]), 9).await.expect("put");
        for _ in 0..2 {
            blobs.remove("key").await.expect("removed");
            assert_eq!(blobs.get("key", 0, None).await, Ok(None));
        }
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_too_large_leaves_the_old_blob_and_no_draft() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = DiskBlobs::open(folder.path()).expect("open");
        let one = || chunks(vec![Ok(b"old".to_vec())]);
        blobs.put("key", "text/plain", one(), 3).await.expect("put");
        let large = chunks(vec![Ok(b"abc".to_vec()), Ok(b"d".to_vec())]);
        let error = blobs.put("key", "text/html", large, 3).await.expect_err("too large").to_string();
        assert!(error.contains("limit of 3"), "{error}");
        let broken = chunks(vec![Ok(b"n".to_vec()), Err(PortError::new("http", "connection lost"))]);
        blobs.put("key", "text/html", broken, 3).await.expect_err("broken off");
        let blob = blobs.get("key", 0, None).await.expect("an answer").expect("a blob");
        assert_eq!((blob.media_type.as_str(), blob.bytes.as_slice()), ("text/plain", b"old".as_slice()));
        assert_eq!(files_in(folder.path()), 2, "body and label");
    }

    #[tokio::test]
    async fn the_drafts_of_a_dead_process_are_removed_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = DiskBlobs::open(folder.path()).expect("open");
        blobs.put("key", "text/plain", chunks(vec![Ok(b"kept".to_vec())]), 9).await.expect("put");
        fs::write(blobs.drafts().join(".draft-7"), "half a recording").expect("a draft");
        let blobs = DiskBlobs::open(folder.path()).expect("open again");
        assert_eq!(files_in(folder.path()), 2, "body and label");
        let blob = blobs.get("key", 0, None).await.expect("an answer").expect("a blob");
        assert_eq!(blob.bytes, b"kept");
    }

    #[tokio::test]
    async fn one_answer_is_never_more_than_four_mebibytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = DiskBlobs::open(folder.path()).expect("open");
        let parts = (0..5).map(|n| Ok(vec![n; 1024 * 1024])).collect();
        blobs.put("key", "audio/mpeg", chunks(parts), u64::MAX).await.expect("put");
        let first = blobs.get("key", 0, None).await.expect("an answer").expect("a blob");
        assert_eq!((first.total, first.bytes.len() as u64), (5 * 1024 * 1024, MAX_PART));
        let rest = blobs.get("key", MAX_PART, None).await.expect("an answer").expect("a blob");
        assert_eq!(rest.bytes, vec![4; 1024 * 1024]);
    }
}
