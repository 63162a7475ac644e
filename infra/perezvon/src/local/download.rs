//! A file as the body of an answer, in pieces; it is removed when it was sent or the client left.

use std::io;
use std::path::PathBuf;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

const PIECE: usize = 64 * 1024;

/// A file that is gone with this.
struct Once {
    file: File,
    path: PathBuf,
}

impl Drop for Once {
    fn drop(&mut self) {
        // What stays costs room only.
        _ = std::fs::remove_file(&self.path);
    }
}

/// The answer that carries the file.
pub(super) async fn response(path: PathBuf) -> io::Result<Response> {
    let once = Once { file: File::open(&path).await?, path };
    let length = once.file.metadata().await?.len();
    let pieces = stream::try_unfold(once, |mut once| async move {
        let mut piece = vec![0; PIECE];
        let read = once.file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then_some((piece, once)))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_file_is_sent_whole_and_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("archive");
        let bytes: Vec<u8> = (0..PIECE * 2 + 7).map(|n| n as u8).collect();
        std::fs::write(&path, &bytes).expect("a file");
        let sent = response(path.clone()).await.expect("a response");
        let body = sent.into_body().collect().await.expect("a body").to_bytes();
        assert!(body.as_ref() == bytes);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_nobody_waits_for_is_removed_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("archive");
        std::fs::write(&path, "bytes").expect("a file");
        drop(response(path.clone()).await.expect("a response"));
        assert!(!path.exists());
    }
}
