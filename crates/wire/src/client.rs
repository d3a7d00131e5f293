//! The client's side: requests out of inputs, outputs and errors out of answers, and a small HTTP
//! client that sends them.

mod transport;

use sha2::{Digest, Sha256};
use value::Value;

use crate::message::Request;
use crate::model::{Operation, Protocol, Service};
use crate::{json, query, rest, sigv4, xml};

pub use transport::ANSWER_BYTES_MAX;
use transport::Transport;

/// How long an answer may take, in seconds, unless the caller says otherwise.
pub const ANSWER_SECONDS_MAX: u64 = 120;

/// An answer as it came; header names are in lower case.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns a header; its name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// Returns the usual words for the status: `OK`.
    pub fn status_text(&self) -> &'static str {
        let status = hyper::StatusCode::from_u16(self.status).ok();
        status.and_then(|status| status.canonical_reason()).unwrap_or_default()
    }

    /// Returns the id of the request, where the answer has one.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-amzn-requestid").or(self.header("x-amz-request-id"))
    }
}

impl From<crate::Response> for Answer {
    fn from(response: crate::Response) -> Answer {
        let headers = response.headers.into_iter();
        let headers = headers.map(|(name, text)| (name.to_ascii_lowercase(), text)).collect();
        Answer { status: response.status, headers, body: response.body }
    }
}

/// Why a call brought no output.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The service refused.
    #[error("{code}: {message}")]
    Service {
        /// The code on the wire: `NoSuchEntity`.
        code: String,
        /// The text.
        message: String,
        /// The HTTP status.
        status: u16,
        /// The id of the request, where the answer has one.
        request_id: Option<String>,
        /// The second id that S3 gives.
        extended_request_id: Option<String>,
    },
    /// The input does not fit the operation.
    #[error("the input does not fit: {0}")]
    Input(String),
    /// The endpoint is not one that can be called.
    #[error("the endpoint `{endpoint}` can not be called: {reason}")]
    Endpoint {
        /// The address.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing was sent: the connection was refused, or the name does not resolve.
    #[error("no connection to the endpoint: {0}")]
    Unreachable(String),
    /// The request may have arrived, but no whole answer came.
    #[error("the answer did not arrive: {0}")]
    Interrupted(String),
    /// An answer came that is none of this protocol.
    #[error("the answer with status {status} can not be read: {reason}")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
}

/// Writes the request for an operation; it has no `host` header and no signature yet.
///
/// # Errors
/// When the input lacks a part of the path.
pub fn request(operation: Operation, input: &Value) -> Result<Request, Error> {
    let service = operation.service();
    let post = |content_type: String, body: Vec<u8>| Request {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![("content-type".into(), content_type)],
        body,
        ..Request::default()
    };
    match service.protocol() {
        Protocol::Json => {
            let version = service.json_version();
            let shape = operation.input();
            let body = shape.map_or_else(Value::object, |shape| json::encode(&shape, input));
            let content_type = format!("application/x-amz-json-{version}");
            let mut request = post(content_type, body.to_string().into_bytes());
            let prefix = service.target_prefix().unwrap_or_default();
            let target = format!("{prefix}.{}", operation.name());
            request.headers.push(("x-amz-target".into(), target));
            Ok(request)
        }
        Protocol::Query | Protocol::Ec2 => {
            let content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
            Ok(post(content_type, query::encode_form(operation, input).into_bytes()))
        }
        Protocol::RestJson | Protocol::RestXml => {
            rest::encode_request(operation, input).map_err(Error::Input)
        }
    }
}

/// Reads the answer to a call.
///
/// # Errors
/// The service's refusal, or an answer that can not be read.
pub fn output(operation: Operation, answer: &Answer) -> Result<Value, Error> {
    if answer.status >= 300 {
        return Err(refusal(operation.service(), answer));
    }
    let read = match operation.service().protocol() {
        Protocol::Json => match operation.output() {
            Some(shape) => json::decode(&shape, &answer.body),
            None => Ok(Value::object()),
        },
        Protocol::Query | Protocol::Ec2 => query::decode_answer(operation, &answer.body),
        Protocol::RestJson | Protocol::RestXml => {
            rest::decode_answer(operation, answer.status, &answer.headers, &answer.body)
        }
    };
    read.map_err(|reason| Error::Answer { status: answer.status, reason })
}

fn refusal(service: &Service, answer: &Answer) -> Error {
    let found = match service.protocol() {
        Protocol::Json | Protocol::RestJson => json_refusal(answer),
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => xml_refusal(answer),
    };
    match found {
        Some((code, message)) => Error::Service {
            code,
            message,
            status: answer.status,
            request_id: answer.request_id().map(str::to_owned),
            extended_request_id: answer.header("x-amz-id-2").map(str::to_owned),
        },
        None => Error::Answer { status: answer.status, reason: "it names no error".into() },
    }
}

/// `com.amazonaws.x#Name:http://…` is `Name`.
fn json_refusal(answer: &Answer) -> Option<(String, String)> {
    let body = value::parse_bytes(&answer.body).unwrap_or_default();
    let compatible = answer.header("x-amzn-query-error").and_then(|text| text.split(';').next());
    let named = ["__type", "code", "Code"].iter().find_map(|key| body.get(key)?.as_str());
    let code = compatible.or(answer.header("x-amzn-errortype")).or(named)?;
    let code = code.split(':').next().unwrap_or(code);
    let code = code.rsplit('#').next().unwrap_or(code);
    let message = ["message", "Message", "errorMessage"];
    let message = message.iter().find_map(|key| body.get(key)?.as_str()).unwrap_or_default();
    Some((code.to_owned(), message.to_owned()))
}

fn xml_refusal(answer: &Answer) -> Option<(String, String)> {
    let root = xml::parse(std::str::from_utf8(&answer.body).ok()?).ok()?;
    let error = if root.name == "Error" { &root } else { root.descendant("Error")? };
    let text = |name: &str| error.child(name).map(|child| child.text.clone());
    Some((text("Code")?, text("Message").unwrap_or_default()))
}

/// Who calls.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

/// Shows no secret.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Calls operations at one endpoint. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    region: String,
    credentials: Option<Credentials>,
}

impl Client {
    /// Returns a client for an address like `http://127.0.0.1:4566`; without credentials it signs
    /// nothing.
    ///
    /// # Errors
    /// When the address is none, or this machine has no roots to trust in for `https://`.
    pub fn new(
        endpoint: &str,
        region: &str,
        credentials: Option<Credentials>,
    ) -> Result<Client, Error> {
        let transport = Transport::new(endpoint)?;
        Ok(Client { transport, region: region.to_owned(), credentials })
    }

    /// Returns the client with other credentials, over the same connections.
    #[must_use]
    pub fn signing_as(&self, credentials: Option<Credentials>) -> Client {
        Client { credentials, ..self.clone() }
    }

    /// Returns the client that reads no longer answers than this, over the same connections.
    #[must_use]
    pub fn reading_at_most(&self, bytes_max: usize) -> Client {
        Client { transport: self.transport.reading_at_most(bytes_max), ..self.clone() }
    }

    /// Calls an operation. `now_millis` is the machine's time, for the signature.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn call(
        &self,
        operation: Operation,
        input: &Value,
        now_millis: i64,
    ) -> Result<Value, Error> {
        let answer = self.ask(operation, input, now_millis, ANSWER_SECONDS_MAX).await?;
        output(operation, &answer)
    }

    /// Calls an operation, and returns the answer as it came: [`output`] reads it.
    ///
    /// # Errors
    /// See [`Error`]; a status that says no is no error here.
    pub async fn ask(
        &self,
        operation: Operation,
        input: &Value,
        now_millis: i64,
        seconds_max: u64,
    ) -> Result<Answer, Error> {
        let mut request = request(operation, input)?;
        request.headers.push(("host".into(), self.transport.authority().to_owned()));
        let signing_name = operation.service().signing_name();
        if !operation.is_unsigned() {
            self.sign(&mut request, signing_name, now_millis);
        }
        self.send(request, seconds_max).await
    }

    /// Signs a request, which has its `host` header, for a service; without credentials it stays as
    /// it is.
    pub fn sign(&self, request: &mut Request, signing_name: &str, now_millis: i64) {
        let Some(credentials) = &self.credentials else { return };
        if signing_name.starts_with("s3") {
            // S3 alone wants the body's digest as a header too.
            let digest = sigv4::hex(&Sha256::digest(&request.body));
            request.headers.push(("x-amz-content-sha256".into(), digest));
        }
        sigv4::sign(
            request,
            &credentials.access_key_id,
            &credentials.secret_access_key,
            credentials.session_token.as_deref(),
            (&self.region, signing_name),
            now_millis,
        );
    }

    /// Sends a request as it is, and waits so long for the answer.
    ///
    /// # Errors
    /// See [`Error`]; a status that says no is no error here.
    pub async fn send(&self, request: Request, seconds_max: u64) -> Result<Answer, Error> {
        self.transport.send(request, seconds_max).await
    }
}
