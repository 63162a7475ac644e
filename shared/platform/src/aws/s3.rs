//! A bucket of S3. Every request goes to a link that is signed as one for a browser is; the SDK for S3 would weigh as
//! much as all else in a function.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use futures_util::StreamExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::explain::told;
use super::http;
use crate::ports::{Blob, Blobs, Chunks, PortError};
use crate::why;

/// What the role of a reader needs; without the right to list, a missing blob is "access denied".
pub const READ_ACTIONS: &[&str] = &["s3:GetObject", "s3:ListBucket"];
/// What the role of a writer needs.
pub const WRITE_ACTIONS: &[&str] = &["s3:PutObject"];

/// Most bytes of one answer of `get`.
const PART: u64 = 4 * 1024 * 1024;
/// How long a call may take until its answer begins, and its answer until it ends: 256 MiB are sent in one.
const CALL: Duration = Duration::from_secs(25);
/// How long a link to a blob is good.
const LINK: Duration = Duration::from_secs(300);
/// What stands as it is in a query; in a path the slash does too.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// One bucket.
#[derive(Clone, Debug)]
pub struct S3Blobs {
    http: SharedHttpConnector,
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    bucket: String,
    /// Where the bucket is, without a slash behind it.
    address: String,
}

impl S3Blobs {
    /// The bucket of this name.
    pub fn new(sdk: &SdkConfig, bucket: &str) -> Result<Self, rustls::Error> {
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        // An endpoint of one's own is an emulator, and those know no bucket by host name.
        let address = match sdk.endpoint_url() {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        let http = http::connector(http::tls()?);
        Ok(Self { http, credentials: sdk.credentials_provider(), region, bucket: bucket.to_owned(), address })
    }

    /// A link that lets whoever has it do one thing with one blob.
    async fn signed(&self, method: &str, key: &str, query: &[(&str, &str)]) -> Result<String, PortError> {
        let credentials = self.credentials.as_ref().ok_or_else(|| error_of("no credentials"))?;
        let identity = credentials.provide_credentials().await.map_err(error_of)?.into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LINK);
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder().identity(&identity).region(&self.region).name("s3");
        let params = params.time(SystemTime::now()).settings(settings).build().map_err(error_of)?.into();
        let mut url = format!("{}/{}?", self.address, utf8_percent_encode(key, PATH));
        extend(&mut url, query.iter().copied());
        let request = SignableRequest::new(method, url.as_str(), std::iter::empty(), SignableBody::UnsignedPayload);
        let (signature, _) = sign(request.map_err(error_of)?, &params).map_err(error_of)?.into_parts();
        extend(&mut url, signature.params().iter().map(|(name, value)| (*name, value.as_ref())));
        Ok(url)
    }

    /// Asks, and once more if S3 was not well or did not answer.
    async fn ask(
        &self,
        method: &str,
        key: &str,
        headers: &[(&str, String)],
        body: &SdkBody,
    ) -> Result<HttpResponse, PortError> {
        let url = self.signed(method, key, &[]).await?;
        let mut last = false;
        let asking = async {
            loop {
                let body = body.try_clone().ok_or_else(|| error_of("a body that can be sent only once"))?;
                let mut request = ::http::Request::builder().method(method).uri(&url);
                for (name, value) in headers {
                    request = request.header(*name, value);
                }
                let request = HttpRequest::try_from(request.body(body).map_err(error_of)?).map_err(error_of)?;
                match self.http.call(request).await {
                    Ok(answer) if last || !answer.status().is_server_error() => return Ok(answer),
                    Err(error) if last => return Err(self.error(why::chain(&error))),
                    _ => last = true,
                }
            }
        };
        in_time(asking).await
    }

    fn error(&self, why: impl std::fmt::Display) -> PortError {
        PortError::new(format!("bucket {}", self.bucket), why)
    }

    /// The code of a refusal, and what it says.
    async fn refused(&self, answer: HttpResponse) -> (String, PortError) {
        let status = answer.status().as_u16();
        let text = match read(answer).await {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(error) => return (String::new(), error),
        };
        let within = |name: &str| Some(text.split_once(&format!("<{name}>"))?.1.split_once('<')?.0);
        match within("Code") {
            Some(code) => (code.to_owned(), self.error(told(code, within("Message")))),
            None => (String::new(), self.error(format!("S3 answered with {status}"))),
        }
    }

    /// The answer to a range that begins behind the end.
    async fn nothing_left(&self, key: &str, from: u64) -> Result<Option<Blob>, PortError> {
        let head = self.ask("HEAD", key, &[], &SdkBody::empty()).await?;
        if !head.status().is_success() {
            return Err(self.refused(head).await.1);
        }
        let total = header(&head, "content-length").parse().unwrap_or_default();
        Ok(Some(Blob { media_type: header(&head, "content-type"), total, from, bytes: Vec::new() }))
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &str, media_type: &str, chunks: Chunks, limit: u64) -> Result<u64, PortError> {
        let (file, size) = spool(chunks, limit).await?;
        let body = ByteStream::from_path(file.path()).await.map_err(error_of)?.into_inner();
        let headers = [("content-type", media_type.to_owned()), ("content-length", size.to_string())];
        let answer = self.ask("PUT", key, &headers, &body).await?;
        if answer.status().is_success() { Ok(size) } else { Err(self.refused(answer).await.1) }
    }

    async fn get(&self, key: &str, from: u64, to: Option<u64>) -> Result<Option<Blob>, PortError> {
        let answer = self.ask("GET", key, &[("range", range(from, to))], &SdkBody::empty()).await?;
        if !answer.status().is_success() {
            let (code, error) = self.refused(answer).await;
            return match code.as_str() {
                "NoSuchKey" => Ok(None),
                "InvalidRange" => self.nothing_left(key, from).await,
                _ => Err(error),
            };
        }
        let total = total(&header(&answer, "content-range"));
        let total = total.ok_or_else(|| error_of("S3 did not say how large the blob is"))?;
        let media_type = header(&answer, "content-type");
        Ok(Some(Blob { media_type, total, from, bytes: read(answer).await? }))
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        let answer = self.ask("DELETE", key, &[], &SdkBody::empty()).await?;
        if answer.status().is_success() { Ok(()) } else { Err(self.refused(answer).await.1) }
    }

    async fn link(&self, key: &str, media_type: &str, file: Option<&str>) -> Result<Option<String>, PortError> {
        let file = file.map(|file| format!("attachment; filename=\"{file}\""));
        let mut query = vec![("response-content-type", media_type)];
        query.extend(file.as_deref().map(|file| ("response-content-disposition", file)));
        self.signed("GET", key, &query).await.map(Some)
    }
}

fn error_of(why: impl std::fmt::Display) -> PortError {
    PortError::new("blobs", why)
}

/// Puts pairs behind a URL that has a `?` already.
fn extend<'a>(url: &mut String, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, value) in pairs {
        let between = if url.ends_with('?') { "" } else { "&" };
        *url = format!("{url}{between}{name}={}", utf8_percent_encode(value, QUERY));
    }
}

fn header(answer: &HttpResponse, name: &str) -> String {
    answer.headers().get(name).unwrap_or_default().to_owned()
}

/// The body of an answer: it may stop in the middle as well.
async fn read(answer: HttpResponse) -> Result<Vec<u8>, PortError> {
    let reading = ByteStream::new(answer.into_body()).collect();
    in_time(async { Ok(reading.await.map_err(error_of)?.to_vec()) }).await
}

async fn in_time<T>(work: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
    let late = |_| error_of(format!("timeout: S3 did not answer within {} s", CALL.as_secs()));
    tokio::time::timeout(CALL, work).await.map_err(late)?
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

    /// A body of which no more comes.
    struct Stuck;

    impl hyper::body::Body for Stuck {
        type Data = hyper::body::Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_in_the_middle_is_waited_for_a_while_and_says_so() {
        let answer = HttpResponse::try_from(::http::Response::new(SdkBody::from_body_1_x(Stuck))).expect("an answer");
        let read = tokio::time::timeout(CALL + Duration::from_secs(1), read(answer)).await;
        let error = read.expect("it ends by itself").expect_err("no body");
        assert!(error.why.starts_with("timeout: "), "{error}");
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
