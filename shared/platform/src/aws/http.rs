//! The HTTP client of all drivers, and TLS as every function does it. HTTP/1.1 is all that AWS needs; the SDK's own
//! client brings HTTP/2 along, and a scan of the system's root certificates at each start.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::{Connect, HttpConnector as Tcp};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tower::Service as _;

use crate::roots::ExtraRoot;

/// A connection stands by then, TLS included, or the SDK tries again.
const CONNECT: Duration = Duration::from_millis(3_100);

/// TLS by ring, with roots compiled in: nothing is gathered or read at the start of a function.
pub fn tls() -> Result<ClientConfig, rustls::Error> {
    tls_by(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

/// The same, with one more root.
pub fn tls_trusting(root: &ExtraRoot) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add(root.der.clone().into())?;
    tls_by(roots)
}

fn tls_by(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(tls.with_root_certificates(roots).with_no_client_auth())
}

/// One client for all drivers that are the SDK's: they share its connections.
pub(super) fn client(tls: ClientConfig) -> SharedHttpClient {
    let connector = connector(tls);
    http_client_fn(move |_, _| connector.clone())
}

/// What carries requests out, and keeps its connections.
pub(super) fn connector(tls: ClientConfig) -> SharedHttpConnector {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let connect = tower::service_fn(move |uri: Uri| {
        let connecting = https.clone().call(uri);
        Box::pin(async move {
            let late = |_| BoxError::from(io::Error::from(io::ErrorKind::TimedOut));
            tokio::time::timeout(CONNECT, connecting).await.map_err(late)?
        })
    });
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connect);
    SharedHttpConnector::new(Hyper(client))
}

#[derive(Debug)]
struct Hyper<C>(Client<C, SdkBody>);

impl<C: Connect + Clone + std::fmt::Debug + Send + Sync + 'static> HttpConnector for Hyper<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let response = client.request(request).await.map_err(failed)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What failed between here and AWS may be tried again; what we said wrong may not.
fn failed(error: legacy::Error) -> ConnectorError {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<hyper::Error>());
    if cause.is_some_and(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
