//! A bucket of S3.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::StreamExt as _;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::explain;
use crate::ports::{Blob, Blobs, Chunks, PortError};

/// What the role of a reader needs; without the right to list, a missing blob is "access denied".
pub const READ_ACTIONS: &[&str] = &["s3:GetObject", "s3:ListBucket"];
/// What the role of a writer needs.
pub const WRITE_ACTIONS: &[&str] = &["s3:PutObject"];

/// Most bytes of one answer of `get`.
const PART: u64 = 4 * 1024 * 1024;
/// How long the whole of a call may take: a recording of 256 MiB is sent in one.
const CALL: Duration = Duration::from_secs(25);
/// How long a link to a blob is good.
const LINK: Duration = Duration::from_secs(300);

/// One bucket.
#[derive(Clone, Debug)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
}

impl S3Blobs {
    /// The bucket of this name.
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        // An endpoint of one's own is an emulator, and those know no bucket by host name.
        let config = Builder::from(sdk).force_path_style(sdk.endpoint_url().is_some());
        let config = config.timeout_config(TimeoutConfig::builder().operation_timeout(CALL).build()).build();
        Self { client: Client::from_conf(config), bucket: bucket.into() }
    }

    fn failed<E: ProvideErrorMetadata + std::error::Error + 'static>(&self, error: &E) -> PortError {
        PortError::new(format!("bucket {}", self.bucket), explain(error))
    }

    /// The answer to a range that begins behind the end.
    async fn nothing_left(&self, key: &str, from: u64) -> Result<Option<Blob>, PortError> {
        let call = self.client.head_object().bucket(&self.bucket).key(key);
        let head = call.send().await.map_err(|error| self.failed(&error))?;
        let total = u64::try_from(head.content_length().unwrap_or_default()).unwrap_or_default();
        let media_type = head.content_type.unwrap_or_default();
        Ok(Some(Blob { media_type, total, from, bytes: Vec::new() }))
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &str, media_type: &str, chunks: Chunks, limit: u64) -> Result<u64, PortError> {
        let (file, size) = spool(chunks, limit).await?;
        let body = ByteStream::from_path(file.path()).await.map_err(error_of)?;
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call.content_type(media_type).body(body);
        call.send().await.map_err(|error| self.failed(&error))?;
        Ok(size)
    }

    async fn get(&self, key: &str, from: u64, to: Option<u64>) -> Result<Option<Blob>, PortError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).range(range(from, to));
        let output = match call.send().await {
            Ok(output) => output,
            Err(error) => {
                return match error.code() {
                    Some("NoSuchKey") => Ok(None),
                    Some("InvalidRange") => self.nothing_left(key, from).await,
                    _ => Err(self.failed(&error)),
                };
            }
        };
        let total = output.content_range().and_then(total);
        let media_type = output.content_type.unwrap_or_default();
        let bytes = output.body.collect().await.map_err(error_of)?.to_vec();
        let total = total.ok_or_else(|| error_of("S3 did not say how large the blob is"))?;
        Ok(Some(Blob { media_type, total, from, bytes }))
    }

    async fn link(&self, key: &str, media_type: &str, file: Option<&str>) -> Result<Option<String>, PortError> {
        let lifetime = PresigningConfig::expires_in(LINK).map_err(error_of)?;
        let call = self.client.get_object().bucket(&self.bucket).key(key).response_content_type(media_type);
        let call = call.set_response_content_disposition(file.map(|file| format!("attachment; filename=\"{file}\"")));
        let request = call.presigned(lifetime).await.map_err(|error| self.failed(&error))?;
        Ok(Some(request.uri().to_owned()))
    }
}

fn error_of(why: impl std::fmt::Display) -> PortError {
    PortError::new("blobs", why)
}

/// Puts all chunks into a temporary file, so that nothing is stored before everything is there.
async fn spool(mut chunks: Chunks, limit: u64) -> Result<(NamedTempFile, u64), PortError> {
    let named = NamedTempFile::new().map_err(error_of)?;
    let mut file = tokio::fs::File::from_std(named.reopen().map_err(error_of)?);
    let mut size = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(error_of(format!("larger than the limit of {limit} bytes")));
        }
        file.write_all(&chunk).await.map_err(error_of)?;
    }
    file.flush().await.map_err(error_of)?;
    Ok((named, size))
}

/// A `Range` of at most [`PART`] bytes; both ends are inclusive.
fn range(from: u64, to: Option<u64>) -> String {
    let last = from.saturating_add(PART - 1);
    format!("bytes={from}-{}", to.map_or(last, |to| to.min(last)))
}

/// The size of the whole in `bytes 0-99/1234`.
fn total(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(pieces: Vec<Result<Vec<u8>, PortError>>) -> Chunks {
        Box::pin(futures_util::stream::iter(pieces))
    }

    #[tokio::test]
    async fn all_chunks_are_spooled_in_order() {
        let pieces = chunks(vec![Ok(b"ab".to_vec()), Ok(Vec::new()), Ok(b"c".to_vec())]);
        let (file, size) = spool(pieces, 3).await.expect("within the limit");
        assert_eq!((std::fs::read(file.path()).expect("a file"), size), (b"abc".to_vec(), 3));
    }

    #[tokio::test]
    async fn one_byte_over_the_limit_is_refused() {
        let error = spool(chunks(vec![Ok(b"abc".to_vec())]), 2).await.expect_err("too large");
        assert_eq!(error.to_string(), "blobs: larger than the limit of 2 bytes");
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_an_error() {
        let broken = chunks(vec![Ok(b"a".to_vec()), Err(PortError::new("http", "gone"))]);
        assert_eq!(spool(broken, 9).await.expect_err("broken").port, "http");
    }

    #[test]
    fn a_part_is_never_larger_than_four_mebibytes() {
        assert_eq!(range(0, None), "bytes=0-4194303");
        assert_eq!(range(10, Some(19)), "bytes=10-19");
        assert_eq!(range(10, Some(u64::MAX)), "bytes=10-4194313");
    }

    #[test]
    fn the_size_of_the_whole_is_read_from_the_range() {
        assert_eq!(total("bytes 0-99/1234"), Some(1234));
        assert_eq!(total("bytes 0-99/*"), None);
    }
}
