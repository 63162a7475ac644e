//! `backup` and `restore`: an archive fetched from the running server, and put into a new folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use perezvon_platform::Chunks;

use super::Said;
use super::args::{BackupArgs, RestoreArgs};
use super::server::Server;
use crate::backup::{self, Contents};

/// `perezvon backup`.
pub async fn backup(args: &BackupArgs) -> Result<Said, String> {
    let answer = Server::new(&args.server)?.download("/api/v1/backup").await?;
    let draft = draft(&args.file)?;
    let made = write(&draft, answer.chunks).await.and_then(|()| keep(&draft, &args.file));
    if made.is_err() {
        // Nothing that looks like a backup stays behind.
        _ = std::fs::remove_file(&draft);
    }
    Ok(Said::fine(format!("{}: {}\n", args.file.display(), in_short(&made?))))
}

/// `perezvon restore`.
pub fn restore(args: &RestoreArgs) -> Result<Said, String> {
    let contents = backup::restore(&args.file, &args.data).map_err(|error| error.to_string())?;
    let (data, short) = (args.data.display(), in_short(&contents));
    Ok(Said::fine(format!("{data}: {short}\nstart it with `perezvon local --data {data}`\n")))
}

fn in_short(contents: &Contents) -> String {
    let Contents { manifest, files, bytes } = contents;
    let mebibytes = bytes.div_ceil(1024 * 1024);
    format!("{files} files, {mebibytes} MiB, begun {} by perezvon {}", manifest.created_at, manifest.version)
}

/// Beside the file, so that it can be put in its place in one step.
fn draft(file: &Path) -> Result<PathBuf, String> {
    let name = file.file_name().ok_or_else(|| format!("{} is no file name", file.display()))?;
    Ok(file.with_file_name(format!(".{}.part", name.to_string_lossy())))
}

async fn write(draft: &Path, mut chunks: Chunks) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("{} cannot be written: {why}", draft.display());
    let mut file = backup::private_file(draft).map_err(failed)?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| format!("the backup broke off ({error}): try again"))?;
        file.write_all(&chunk).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

/// Reads it through first: half a backup must not take the place of a whole one.
fn keep(draft: &Path, file: &Path) -> Result<Contents, String> {
    let contents = backup::verify(draft).map_err(|error| error.to_string())?;
    std::fs::rename(draft, file).map_err(|why| format!("{} cannot be written: {why}", file.display()))?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use perezvon_platform::PortError;

    use super::*;

    #[tokio::test]
    async fn a_backup_that_breaks_off_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("backup.tar");
        std::fs::write(&file, "the old one").expect("a file");
        let draft = draft(&file).expect("a name");
        let chunks = vec![Ok(b"half".to_vec()), Err(PortError::new("http", "connection lost"))];
        let error = write(&draft, Box::pin(futures_util::stream::iter(chunks))).await.expect_err("broken");
        assert!(error.contains("try again"), "{error}");
        assert!(keep(&draft, &file).is_err());
        assert_eq!(std::fs::read(&file).expect("a file"), b"the old one");
    }
}
