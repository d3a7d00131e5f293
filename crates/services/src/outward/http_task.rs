//! HTTP tasks: a request to an API outside AWS, out of a task's arguments and a connection.
//!
//! Step Functions developer guide, "Call HTTPS APIs in Step Functions workflows" (read 2026-11).

mod form;
mod token;
mod trace;
mod url;

use runtime::CallError;
use value::{Map, Value, value};
use wire::client::Answer;
use wire::{Request, percent_encode};

use self::url::Url;

pub(crate) use self::token::Unauthorized;
pub(super) use self::token::{
    SECONDS_MAX as TOKEN_SECONDS_MAX, read as read_token, request as token_request,
};
pub(crate) use self::trace::{Reveal, Traced, traced};
pub(super) use self::trace::{note_answer, note_request};
use super::execute_api::spelled;
use crate::events::connections::Connection;

/// How long a request may take, in seconds.
pub(super) const SECONDS_MAX: u64 = 60;
/// How much of an answer is asked for, in bytes.
const ANSWER_BYTES: usize = 262_144;
/// The methods that may be asked for.
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
/// Headers that a task may not set, and what others that it may not set begin with.
const NOT_ALLOWED: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
];
const NOT_ALLOWED_PREFIXES: &[&str] = &["x-forwarded-", "x-amz-", "x-amzn-"];
/// Answers that are no text.
const NOT_TEXT: &[&str] = &["application/octet-stream", "image/", "video/", "audio/"];

/// A task's arguments, read and checked.
#[derive(Clone)]
pub(crate) struct HttpTask {
    /// The URL without what is behind the path, as it is called.
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) connection_arn: String,
    /// `https://host`, or `http://127.0.0.1:8000`.
    address: String,
    host: String,
    path: String,
    query: Vec<(String, String)>,
    /// As they are spelled.
    headers: Vec<(String, String)>,
    body: Option<Value>,
    arrays: Option<form::Arrays>,
}

impl HttpTask {
    /// Reads a task's arguments.
    ///
    /// # Errors
    /// What is wrong with them: `States.Runtime`.
    pub(crate) fn read(input: &Value) -> Result<HttpTask, CallError> {
        let text = |member: &str| input.get(member).and_then(Value::as_str);
        let required =
            |member: &str| text(member).ok_or_else(|| refused(&format!("{member} is required")));
        let (url, method) = (required("ApiEndpoint")?, required("Method")?);
        if !METHODS.contains(&method) {
            return Err(refused(&format!("`{method}` is no method of an HTTP task")));
        }
        let arn = |member: &str| input.path(&[member, "ConnectionArn"]).and_then(Value::as_str);
        let connection_arn = match (arn("Authentication"), arn("InvocationConfig")) {
            (Some(arn), None) | (None, Some(arn)) => arn.to_owned(),
            _ => {
                let what = "either Authentication or InvocationConfig names the ConnectionArn";
                return Err(refused(what));
            }
        };
        let Url { address, path, query } =
            Url::read(url).map_err(|why| refused(&format!("`{url}` cannot be called: {why}")))?;
        let mut query = wire::query_pairs(query).map_err(|err| refused(&err.to_string()))?;
        query.extend(pairs(input.get("QueryParameters")));
        let host = address.split_once("://").map_or(&*address, |(_, host)| host).to_owned();
        Ok(HttpTask {
            endpoint: format!("{address}{path}"),
            method: method.to_owned(),
            connection_arn,
            host,
            path,
            query,
            headers: headers(input.get("Headers"))?,
            body: input.get("RequestBody").cloned().filter(|body| *body != Value::Null),
            arrays: form::arrays(input.get("Transform"))?,
            address,
        })
    }

    /// Says whether the request only reads.
    pub(super) fn only_reads(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD" | "OPTIONS")
    }

    /// Returns where the request goes, and the request with what the connection adds to it: what
    /// the connection says stands.
    ///
    /// # Errors
    /// When the two bodies cannot be one.
    pub(super) fn request(
        mut self,
        connection: &Connection,
        region: &str,
    ) -> Result<(String, Request), CallError> {
        let body = self.whole_body(connection)?;
        let headers = self.with_added(connection);
        overwrite(&mut self.query, owned(connection.parameters("QueryStringParameters")));
        let lower = |(name, text): (String, String)| (name.to_ascii_lowercase(), text);
        let mut request = Request {
            method: self.method,
            path: self.path,
            query: written(&self.query),
            headers: headers.into_iter().map(lower).collect(),
            body: body.unwrap_or_default(),
            ..Request::default()
        };
        if !request.body.is_empty() && request.header("content-type").is_none() {
            let json = "application/json; charset=UTF-8";
            request.headers.push(("content-type".into(), json.into()));
        }
        let agent = format!("Amazon|StepFunctions|HttpInvoke|{region}");
        request.headers.retain(|(name, _)| name != "user-agent" && name != "range");
        request.headers.push(("user-agent".into(), agent));
        request.headers.push(("range".into(), format!("bytes=0-{ANSWER_BYTES}")));
        request.headers.push(("host".into(), self.host));
        Ok((self.address, request))
    }

    /// Returns the task's headers with those of the connection, as they are spelled.
    fn with_added(&self, connection: &Connection) -> Vec<(String, String)> {
        let mut added: Vec<(String, String)> = connection.header().into_iter().collect();
        let others = owned(connection.parameters("HeaderParameters")).into_iter();
        let authorizes = added.first().map(|(name, _)| name.to_ascii_lowercase());
        added.extend(others.filter(|(name, _)| Some(name.to_ascii_lowercase()) != authorizes));
        let mut headers = self.headers.clone();
        headers
            .retain(|(name, _)| added.iter().all(|(other, _)| !other.eq_ignore_ascii_case(name)));
        headers.extend(added);
        headers
    }

    fn whole_body(&self, connection: &Connection) -> Result<Option<Vec<u8>>, CallError> {
        let added = connection.parameters("BodyParameters");
        let body = match (&self.body, added.is_empty()) {
            (body, true) => body.clone(),
            (None | Some(Value::Object(_)), false) => {
                let body = self.body.clone().unwrap_or_else(Value::object);
                Some(added.into_iter().fold(body, |body, (name, text)| body.with(name, text)))
            }
            (Some(_), false) => {
                let what = "the connection has body parameters, and RequestBody is no object";
                return Err(refused(what));
            }
        };
        Ok(body.map(|body| match (self.arrays, body) {
            (Some(arrays), body) => form::encode(&body, arrays).into_bytes(),
            // A text is the body as it is.
            (None, Value::String(text)) => text.as_bytes().to_vec(),
            (None, body) => body.to_json().into_bytes(),
        }))
    }
}

/// Returns names and values; a value may be a list.
fn pairs(given: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.to_string(),
        other => other.to_json(),
    };
    let members = given.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    let members = members.filter(|(_, value)| **value != Value::Null);
    members
        .flat_map(|(name, value)| match value.as_array() {
            Some(all) => all.iter().map(|one| (name.to_string(), text(one))).collect(),
            None => vec![(name.to_string(), text(value))],
        })
        .collect()
}

fn headers(given: Option<&Value>) -> Result<Vec<(String, String)>, CallError> {
    let headers = pairs(given);
    for (name, _) in &headers {
        let name = name.to_ascii_lowercase();
        let begins = NOT_ALLOWED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if begins || NOT_ALLOWED.contains(&&*name) {
            return Err(refused(&format!("the header `{name}` cannot be set")));
        }
    }
    Ok(headers)
}

/// Puts pairs in the place of those with the same names.
fn overwrite(pairs: &mut Vec<(String, String)>, added: Vec<(String, String)>) {
    pairs.retain(|(name, _)| added.iter().all(|(other, _)| other != name));
    pairs.extend(added);
}

fn owned(pairs: Vec<(&str, &str)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn written(pairs: &[(String, String)]) -> String {
    let pair = |(name, text): &(String, String)| {
        format!("{}={}", percent_encode(name), percent_encode(text))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Says why a URL cannot be called.
///
/// # Errors
/// In words.
pub(crate) fn check_url(url: &str) -> Result<(), &'static str> {
    Url::read(url).map(|_| ())
}

/// Returns what the task gets of an answer.
///
/// # Errors
/// `States.Http.StatusCode.N` when the API says no, `States.Runtime` when the answer is no text.
pub(crate) fn output(answer: &Answer) -> Result<Value, CallError> {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if NOT_TEXT.iter().any(|not_text| kind.starts_with(not_text)) {
        return Err(refused(&format!("the answer's content type `{kind}` is not supported")));
    }
    let Ok(body) = std::str::from_utf8(&answer.body) else {
        return Err(refused("the answer cannot be read as text"));
    };
    let mut headers = Value::object();
    for (name, _) in &answer.headers {
        let all = answer.headers.iter().filter(|(known, _)| known == name);
        let all: Value = all.map(|(_, text)| Value::from(&**text)).collect();
        headers.set(spelled(name), all);
    }
    let output = value!({
        "Headers": (headers),
        "ResponseBody": value::parse(body).unwrap_or_else(|_| body.into()),
        "StatusCode": answer.status,
        "StatusText": answer.status_text(),
    });
    if (200..300).contains(&answer.status) {
        return Ok(output);
    }
    // UNVERIFIED: the cause; AWS's documentation shows the names alone.
    Err(error(&format!("States.Http.StatusCode.{}", answer.status), &output.to_json()))
}

/// Returns the failure of a request that brought no answer.
pub(super) fn unanswered(what: &str) -> CallError {
    error("States.Http.Socket", what)
}

/// Returns the failure of a connection: `InvalidConnectionState`, `ResourceNotFound` …
pub(crate) fn connection_error(name: &str, what: &str) -> CallError {
    error(&format!("Events.ConnectionResource.{name}"), what)
}

fn refused(what: &str) -> CallError {
    error("States.Runtime", what)
}

fn error(code: &str, message: &str) -> CallError {
    CallError {
        code: code.to_owned(),
        exception: None,
        message: message.to_owned(),
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}
