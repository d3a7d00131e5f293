//! Traces for OpenTelemetry: a span per request, sent as OTLP over HTTP in JSON.
//!
//! OpenTelemetry protocol specification 1.5, "OTLP/HTTP"; W3C Trace Context, "traceparent"; AWS
//! X-Ray developer guide, "Tracing header" (read 2026-11). Nobody waits for a collector: spans that
//! do not fit into the queue, or that it does not take, are counted and gone.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use value::{Value, value};
use wire::Request;
use wire::client::{Client, Error as ClientError};

use crate::metrics::Named;
use crate::{Services, ids};

/// How many spans may wait for the collector.
const SPANS_WAITING_MAX: usize = 4_096;
/// How many spans one message carries at most.
const SPANS_PER_MESSAGE_MAX: usize = 512;
/// How long spans wait for company, in milliseconds.
const COMPANY_MILLIS: u64 = 1_000;
/// How long the collector may take to answer, in seconds.
const ANSWER_SECONDS_MAX: u64 = 10;
/// How long a server that stops waits for its last spans to be sent, in milliseconds.
const FLUSH_MILLIS_MAX: u64 = 2_000;
/// `SPAN_KIND_SERVER`.
const KIND_SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: u8 = 2;

/// Where a trace came from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parent {
    /// 32 hexadecimal digits.
    trace: String,
    /// 16 hexadecimal digits; none when the trace has no span yet.
    span: Option<String>,
    is_sampled: bool,
}

/// What became of a request.
pub(crate) struct Ended<'a> {
    pub(crate) named: Option<Named>,
    pub(crate) status: u16,
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
}

enum Message {
    Span(Value),
    Flush(oneshot::Sender<()>),
}

/// How many spans were sent, and how many were lost.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// The way to a collector.
pub(crate) struct Traces {
    queue: mpsc::Sender<Message>,
    counts: Arc<Counts>,
}

impl Traces {
    /// Notes a request that has ended; the collector hears of it later.
    pub(crate) fn request(&self, request: &Request, ended: &Ended<'_>) {
        let parent = parent(request);
        if parent.as_ref().is_some_and(|parent| !parent.is_sampled) {
            return;
        }
        let span = Message::Span(span(parent, ended, SystemTime::now()));
        if self.queue.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Services {
    /// Sends a span of every request to the collector at an address such as
    /// `http://127.0.0.1:4318` from now on.
    ///
    /// # Errors
    /// When the address is not plain HTTP.
    pub fn trace_to(&self, collector: &str) -> Result<(), ClientError> {
        let client = Client::new(collector, "", None)?;
        let (queue, waiting) = mpsc::channel(SPANS_WAITING_MAX);
        let counts = Arc::new(Counts::default());
        let exporter = Exporter { client, waiting, counts: counts.clone(), is_reached: true };
        tokio::spawn(exporter.run());
        // Said once, before the first request.
        let _ = self.traces.set(Traces { queue, counts });
        Ok(())
    }

    /// Sends what waits, for as long as a server that stops has time for it.
    pub async fn flush_traces(&self) {
        let Some(traces) = self.traces.get() else { return };
        let (flushed, done) = oneshot::channel();
        let flush = async {
            // An exporter that is gone has nothing to send.
            let _ = traces.queue.send(Message::Flush(flushed)).await;
            let _ = done.await;
        };
        let _ = tokio::time::timeout(Duration::from_millis(FLUSH_MILLIS_MAX), flush).await;
    }

    /// Returns how many spans were sent, and how many were lost.
    pub(crate) fn spans(&self) -> (u64, u64) {
        let Some(Traces { counts, .. }) = self.traces.get() else { return (0, 0) };
        (counts.sent.load(Ordering::Relaxed), counts.dropped.load(Ordering::Relaxed))
    }
}

/// The task that talks to the collector.
struct Exporter {
    client: Client,
    waiting: mpsc::Receiver<Message>,
    counts: Arc<Counts>,
    /// Whether the last message arrived: only the first failure of a row is logged.
    is_reached: bool,
}

impl Exporter {
    async fn run(mut self) {
        let mut messages = Vec::new();
        while let Some(first) = self.waiting.recv().await {
            messages.push(first);
            let company = self.company(&mut messages);
            let _ = tokio::time::timeout(Duration::from_millis(COMPANY_MILLIS), company).await;
            let (mut spans, mut flushed) = (Vec::new(), Vec::new());
            for message in messages.drain(..) {
                match message {
                    Message::Span(span) => spans.push(span),
                    Message::Flush(done) => flushed.push(done),
                }
            }
            if !spans.is_empty() {
                self.send(spans).await;
            }
            for done in flushed {
                let _ = done.send(());
            }
        }
    }

    /// Gathers more, until there is enough or somebody wants it sent.
    async fn company(&mut self, messages: &mut Vec<Message>) {
        while messages.len() < SPANS_PER_MESSAGE_MAX
            && !matches!(messages.last(), Some(Message::Flush(_)))
        {
            match self.waiting.recv().await {
                Some(message) => messages.push(message),
                None => return,
            }
        }
    }

    async fn send(&mut self, spans: Vec<Value>) {
        let count = spans.len() as u64;
        let request = Request {
            method: "POST".into(),
            path: "/v1/traces".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: envelope(spans).to_string().into_bytes(),
            ..Request::default()
        };
        let problem = match self.client.send(request, ANSWER_SECONDS_MAX).await {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("the status is {}", answer.status)),
            Err(err) => Some(err.to_string()),
        };
        let counter = if problem.is_none() { &self.counts.sent } else { &self.counts.dropped };
        counter.fetch_add(count, Ordering::Relaxed);
        if let (Some(problem), true) = (&problem, self.is_reached) {
            tracing::warn!(error = %problem, "the collector takes no spans; they are counted as \
                dropped until it does");
        }
        self.is_reached = problem.is_none();
    }
}

fn envelope(spans: Vec<Value>) -> Value {
    let service = vec![text("service.name", "stepwell")];
    let scope = value!({ "name": "stepwell", "version": env!("CARGO_PKG_VERSION") });
    value!({ "resourceSpans": [{
        "resource": { "attributes": service },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

fn text(key: &str, text: &str) -> Value {
    value!({ "key": key, "value": { "stringValue": text } })
}

/// Returns the span of a request that ended just now. It says nothing of what was in it.
fn span(parent: Option<Parent>, ended: &Ended<'_>, now: SystemTime) -> Value {
    let end = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = end.saturating_sub(ended.took);
    let (service, operation) = ended.named.unwrap_or(("unknown", "unknown"));
    let parent_span = parent.as_ref().and_then(|parent| parent.span.clone());
    let trace = parent.map_or_else(|| hex(&ids::entropy::<16>()), |parent| parent.trace);
    let span = value!({
        "traceId": trace,
        "spanId": hex(&ids::entropy::<8>()),
        "name": format!("{service}.{operation}"),
        "kind": KIND_SERVER,
        "startTimeUnixNano": start.as_nanos().to_string(),
        "endTimeUnixNano": end.as_nanos().to_string(),
        "attributes": [
            text("rpc.system", "aws-api"),
            text("rpc.service", service),
            text("rpc.method", operation),
            text("aws.request_id", ended.request_id),
            value!({
                "key": "http.response.status_code",
                "value": { "intValue": ended.status.to_string() },
            }),
        ],
    });
    // What the caller did wrong is no error of the server's span.
    let failed = (500 <= ended.status).then(|| value!({ "code": STATUS_ERROR }));
    span.with_some("parentSpanId", parent_span).with_some("status", failed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the trace that a request belongs to.
fn parent(request: &Request) -> Option<Parent> {
    let w3c = request.header("traceparent").and_then(from_traceparent);
    w3c.or_else(|| request.header("x-amzn-trace-id").and_then(from_xray))
}

/// `00-TRACE-SPAN-FLAGS`.
fn from_traceparent(text: &str) -> Option<Parent> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !is_hex(version, 2) || version == "ff" || !is_hex(flags, 2) {
        return None;
    }
    let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
    let (trace, span) = (id(trace, 32)?, id(span, 16)?);
    Some(Parent { trace, span: Some(span), is_sampled })
}

/// `Root=1-TIME-REST;Parent=SPAN;Sampled=1`.
fn from_xray(text: &str) -> Option<Parent> {
    let part = |name: &str| {
        let mut parts = text.split(';').filter_map(|part| part.trim().split_once('='));
        parts.find(|(known, _)| *known == name).map(|(_, text)| text)
    };
    let root = part("Root")?.strip_prefix("1-")?;
    let (time, rest) = root.split_once('-')?;
    let trace = id(&format!("{time}{rest}"), 32).filter(|_| time.len() == 8)?;
    let span = part("Parent").and_then(|span| id(span, 16));
    Some(Parent { trace, span, is_sampled: part("Sampled") != Some("0") })
}

/// Returns an id of so many digits, which must not be zero.
fn id(text: &str, digits: usize) -> Option<String> {
    let is_id = is_hex(text, digits) && text.bytes().any(|digit| digit != b'0');
    is_id.then(|| text.to_ascii_lowercase())
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Request { headers: headers.collect(), ..Request::default() }
    }

    #[test]
    fn a_trace_goes_on_whichever_header_it_came_with() {
        let w3c = format!("00-{TRACE}-{SPAN}-01");
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
        let found = parent(&request(&[("x-amzn-trace-id", xray), ("traceparent", &w3c)])).unwrap();
        let span = Some(SPAN.to_owned());
        assert_eq!(found, Parent { trace: TRACE.into(), span, is_sampled: true });
        let found = parent(&request(&[("x-amzn-trace-id", xray)])).unwrap();
        assert_eq!(found.trace, "5759e988bd862e3fe1be46a994272793");
        assert_eq!((found.span.as_deref(), found.is_sampled), (Some("53995c3f42cd8ad8"), false));
        let zeros = format!("00-{}-{SPAN}-01", "0".repeat(32));
        for wrong in ["", "00", "é", &zeros, &w3c.replace('4', "x"), "ff-1-2-3"] {
            assert_eq!(parent(&request(&[("traceparent", wrong)])), None, "{wrong}");
            assert_eq!(parent(&request(&[("x-amzn-trace-id", wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn a_span_has_its_times_and_its_parent() {
        let parent = from_traceparent(&format!("00-{TRACE}-{SPAN}-01"));
        let took = Duration::from_millis(5);
        let ended = Ended { named: Some(("iam", "GetUser")), status: 503, request_id: "r", took };
        let now = UNIX_EPOCH + Duration::from_secs(10);
        let span = span(parent, &ended, now);
        let text = |name: &str| span.get(name).and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(text("traceId"), TRACE);
        assert_eq!(text("parentSpanId"), SPAN);
        assert_eq!(text("name"), "iam.GetUser");
        assert_eq!(text("startTimeUnixNano"), "9995000000");
        assert_eq!(text("endTimeUnixNano"), "10000000000");
        assert!(is_hex(&text("spanId"), 16));
        assert_eq!(span.path(&["status", "code"]).and_then(Value::as_i64), Some(2));
    }
}
