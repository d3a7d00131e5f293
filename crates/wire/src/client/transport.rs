//! The HTTP client below: connections to one endpoint, plain or with TLS, kept and used again.

use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request as HttpRequest, Response as HttpResponse};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as HttpClient, Error as HttpError};
use hyper_util::rt::TokioExecutor;

use super::{Answer, Error};
use crate::message::Request;

/// The largest answer that is read, in bytes, unless the caller says less.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a connection may take to come about, in seconds.
const CONNECT_SECONDS_MAX: u64 = 10;

/// Connections to one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    /// `127.0.0.1:4566`.
    authority: String,
    /// The largest answer that is read, in bytes.
    bytes_max: usize,
    http: Http,
}

#[derive(Clone, Debug)]
enum Http {
    Plain(HttpClient<HttpConnector, Full<Bytes>>),
    Tls(HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Transport {
    pub(super) fn new(endpoint: &str) -> Result<Transport, Error> {
        let refuse = |reason: String| Error::Endpoint { endpoint: endpoint.to_owned(), reason };
        let (scheme, rest) = endpoint.split_once("://").unwrap_or_default();
        let authority = rest.trim_end_matches('/');
        if authority.is_empty() || !is_authority(authority) {
            return Err(refuse("it is not `http://host:port` or `https://host`".into()));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(CONNECT_SECONDS_MAX)));
        let builder = HttpClient::builder(TokioExecutor::new());
        let http = match scheme {
            "http" => Http::Plain(builder.build(connector)),
            "https" => {
                connector.enforce_http(false);
                let trusted = HttpsConnectorBuilder::new().with_native_roots();
                let trusted =
                    trusted.map_err(|err| refuse(format!("no roots to trust in: {err}")))?;
                let tls = trusted.https_only().enable_http1().wrap_connector(connector);
                Http::Tls(builder.build(tls))
            }
            _ => return Err(refuse("it begins with neither http:// nor https://".into())),
        };
        Ok(Transport { authority: authority.to_owned(), bytes_max: ANSWER_BYTES_MAX, http })
    }

    pub(super) fn reading_at_most(&self, bytes_max: usize) -> Transport {
        Transport { bytes_max, ..self.clone() }
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) async fn send(&self, request: Request, seconds_max: u64) -> Result<Answer, Error> {
        let query = if request.query.is_empty() { "" } else { "?" };
        let (path, authority) = (&request.path, &self.authority);
        let uri = format!("{}://{authority}{path}{query}{}", self.scheme(), request.query);
        let mut builder = HttpRequest::builder().method(request.method.as_str()).uri(uri);
        for (name, text) in &request.headers {
            builder = builder.header(name, text);
        }
        let sent = builder
            .body(Full::new(Bytes::from(request.body)))
            .map_err(|err| Error::Input(err.to_string()))?;
        let limit = Duration::from_secs(seconds_max);
        let answer = tokio::time::timeout(limit, async {
            let response = self.http.request(sent).await.map_err(|err| lost(&err))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, self.bytes_max).collect().await;
            let body = body.map_err(|err| {
                if err.is::<LengthLimitError>() {
                    // It would be no shorter the next time.
                    let reason = format!("it is larger than {} bytes", self.bytes_max);
                    Error::Answer { status: parts.status.as_u16(), reason }
                } else {
                    Error::Interrupted(err.to_string())
                }
            })?;
            let headers = parts.headers.iter().map(|(name, text)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(text.as_bytes()).into_owned())
            });
            Ok(Answer {
                status: parts.status.as_u16(),
                headers: headers.collect(),
                body: body.to_bytes().to_vec(),
            })
        });
        answer.await.unwrap_or_else(|_| Err(Error::Interrupted("it took too long".into())))
    }

    fn scheme(&self) -> &'static str {
        match self.http {
            Http::Plain(_) => "http",
            Http::Tls(_) => "https",
        }
    }
}

impl Http {
    async fn request(
        &self,
        request: HttpRequest<Full<Bytes>>,
    ) -> Result<HttpResponse<Incoming>, HttpError> {
        match self {
            Http::Plain(client) => client.request(request).await,
            Http::Tls(client) => client.request(request).await,
        }
    }
}

/// Whether a text can stand for a host and a port: it has nothing that ends them.
fn is_authority(text: &str) -> bool {
    !text.contains(|c: char| "/@?#\\".contains(c) || c.is_whitespace() || c.is_control())
}

/// Returns what a request that was not answered came to: its last cause says most.
fn lost(err: &HttpError) -> Error {
    let mut cause: &dyn std::error::Error = err;
    for _ in 0..CAUSES_MAX {
        let Some(deeper) = cause.source() else { break };
        cause = deeper;
    }
    let text = cause.to_string();
    if err.is_connect() { Error::Unreachable(text) } else { Error::Interrupted(text) }
}

/// How deep the causes of a failed request are followed.
const CAUSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for right in ["http://127.0.0.1:4566", "https://a-b.example/", "http://[::1]:80"] {
            assert!(Transport::new(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "http://",
            "ftp://a",
            "http://a/b",
            "http://a@b",
            "http://a?b",
            "http://a#b",
            "http://a\\b",
            "http://a b",
            "http://a\tb",
            "http://a\nb",
        ] {
            assert!(Transport::new(wrong).is_err(), "{wrong}");
        }
    }
}
