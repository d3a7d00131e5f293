//! Traces for OpenTelemetry: spans of requests and executions, sent as OTLP over HTTP in JSON.
//!
//! OpenTelemetry protocol specification 1.5, "OTLP/HTTP"; W3C Trace Context, "traceparent"; AWS
//! X-Ray developer guide, "Tracing header" (read 2026-11). Nobody waits for a collector: spans that
//! do not fit into the queue, or that it does not take, are counted and gone.

mod context;
mod execution;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store::Store;
use tokio::sync::{mpsc, oneshot};
use value::{Value, value};
use wire::Request;
use wire::client::{Client, Error as ClientError};

pub(crate) use context::{Context, of_start, within};

use crate::Services;
use crate::metrics::Named;

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
/// `SPAN_KIND_INTERNAL`.
const KIND_INTERNAL: u8 = 1;
/// `SPAN_KIND_CLIENT`.
const KIND_CLIENT: u8 = 3;
/// `SPAN_KIND_SERVER`.
const KIND_SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: u8 = 2;

/// What became of a request.
pub(crate) struct Ended<'a> {
    pub(crate) named: Option<Named>,
    pub(crate) status: u16,
    pub(crate) request_id: &'a str,
    pub(crate) took: Duration,
}

enum Message {
    Span(Value),
    /// An execution has ended: its spans are made when it is their turn.
    Execution(String),
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
    pub(crate) fn request(&self, context: Context, ended: &Ended<'_>) {
        if context.is_sampled() {
            self.queue(Message::Span(span(context, ended, SystemTime::now())));
        }
    }

    /// Notes an execution that has ended; the collector hears of it later.
    pub(crate) fn execution(&self, arn: &str) {
        self.queue(Message::Execution(arn.to_owned()));
    }

    fn queue(&self, message: Message) {
        if self.queue.try_send(message).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Services {
    /// Sends spans of requests and executions to the collector at an address such as
    /// `http://127.0.0.1:4318` from now on.
    ///
    /// # Errors
    /// When the address is not plain HTTP.
    pub fn trace_to(&self, collector: &str) -> Result<(), ClientError> {
        let client = Client::new(collector, "", None)?;
        let (queue, waiting) = mpsc::channel(SPANS_WAITING_MAX);
        let counts = Arc::new(Counts::default());
        let (store, of_all) = (self.store().clone(), counts.clone());
        let exporter = Exporter { client, store, waiting, counts: of_all, is_reached: true };
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
    /// Where histories are.
    store: Store,
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
                    Message::Execution(arn) => spans.extend(self.spans_of(arn).await),
                    Message::Flush(done) => flushed.push(done),
                }
                while SPANS_PER_MESSAGE_MAX <= spans.len() {
                    let rest = spans.split_off(SPANS_PER_MESSAGE_MAX);
                    self.send(std::mem::replace(&mut spans, rest)).await;
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

    /// Returns the spans of an execution; it counts as one that is dropped when it has none any
    /// more.
    async fn spans_of(&self, arn: String) -> Vec<Value> {
        let store = self.store.clone();
        let made = tokio::task::spawn_blocking(move || execution::spans(&store, &arn)).await;
        let problem = match made {
            Ok(Ok(spans)) => return spans,
            Ok(Err(err)) => err,
            Err(err) => err.to_string(),
        };
        tracing::warn!(error = %problem, "an execution has ended whose spans cannot be made");
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        Vec::new()
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
fn span(context: Context, ended: &Ended<'_>, now: SystemTime) -> Value {
    let end = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = end.saturating_sub(ended.took);
    let (service, operation) = ended.named.unwrap_or(("unknown", "unknown"));
    let parent_span = context.parent.and_then(|parent| parent.span);
    let span = value!({
        "traceId": context.trace,
        "spanId": context.span,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::context::is_hex;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_span_has_its_times_and_its_parent() {
        let headers = vec![("traceparent".into(), format!("00-{TRACE}-{SPAN}-01"))];
        let context = Context::of(&Request { headers, ..Request::default() });
        let took = Duration::from_millis(5);
        let ended = Ended { named: Some(("iam", "GetUser")), status: 503, request_id: "r", took };
        let now = UNIX_EPOCH + Duration::from_secs(10);
        let span = span(context, &ended, now);
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
