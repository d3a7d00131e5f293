//! The HTTP server: reads whole requests, hands them over, writes whole answers.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::fault::Face;
use crate::message::{BODY_BYTES_MAX, Request, Response};

/// How long a client may take to send its headers.
const HEADERS_SECONDS_MAX: u64 = 30;
/// How long accepting pauses when the system is out of descriptors.
const ACCEPT_PAUSE_MILLIS: u64 = 50;
/// How often a server that stops looks whether requests are still under way.
const DRAIN_LOOK_MILLIS: u64 = 10;

/// Whoever answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request. A panic becomes an internal failure, the server goes on.
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>>;
}

/// What became of the requests that were under way when the server was told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// How many were answered.
    pub ended: usize,
    /// How many were not, in the time there was.
    pub cut_off: usize,
}

/// A request under way; dropping it says that it has ended.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(count: &Arc<AtomicUsize>) -> UnderWay {
        count.fetch_add(1, Ordering::SeqCst);
        UnderWay(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Serves until `stop` is ready, then accepts nobody and lets requests under way end: they have as
/// long for it as `stop` says.
pub async fn serve(
    listener: TcpListener,
    handler: Arc<impl Handler>,
    stop: impl Future<Output = Duration>,
) -> Drained {
    let graceful = GracefulShutdown::new();
    let under_way = Arc::new(AtomicUsize::new(0));
    let mut stop = std::pin::pin!(stop);
    let drain = loop {
        let accepted = tokio::select! {
            drain = &mut stop => break drain,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(err) => {
                tracing::warn!(error = %err, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MILLIS)).await;
                continue;
            }
        };
        // Small answers must not wait for more to come.
        let _ = stream.set_nodelay(true);
        let (handler, under_way) = (handler.clone(), under_way.clone());
        let service = service_fn(move |request| {
            answer(handler.clone(), request, peer.ip().to_string(), UnderWay::new(&under_way))
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(HEADERS_SECONDS_MAX))
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(err) = connection.await {
                tracing::debug!(error = %err, "a connection ended early");
            }
        });
    };
    drop(listener);
    let before = under_way.load(Ordering::SeqCst);
    let all_ended = async {
        graceful.shutdown().await;
        // Requests whose clients have hung up go on without a connection.
        while 0 < under_way.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(DRAIN_LOOK_MILLIS)).await;
        }
    };
    // Whether all have ended or time was up, the count says.
    let _ = tokio::time::timeout(drain, all_ended).await;
    let cut_off = under_way.load(Ordering::SeqCst);
    Drained { ended: before.saturating_sub(cut_off), cut_off }
}

async fn answer(
    handler: Arc<impl Handler>,
    request: hyper::Request<Incoming>,
    peer: String,
    under_way: UnderWay,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let mut request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Vec::new(),
        peer,
    };
    let face = face_of(&request);
    let response = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => {
            request.body = body.to_bytes().to_vec();
            handled(handler.handle(request), under_way).await.unwrap_or_else(|| {
                tracing::error!("a request ended in a panic");
                let text = "An internal error occurred; the server's log has the details.";
                face.fault(500, "InternalFailure", text).render(&own_request_id())
            })
        }
        Err(err) if err.is::<http_body_util::LengthLimitError>() => {
            let text = format!("The request body is larger than {BODY_BYTES_MAX} bytes.");
            face.fault(413, "RequestEntityTooLarge", text).render(&own_request_id())
        }
        Err(err) => face
            .fault(
                400,
                face.word("MalformedInput", "SerializationException"),
                format!("the body could not be read: {err}"),
            )
            .render(&own_request_id()),
    };
    Ok(render(response))
}

/// Waits for an answer; `None` when its making panicked. What can be answered at once is answered
/// here. The rest goes on in a task of its own, which a client that hangs up does not end.
async fn handled(
    mut handling: Pin<Box<dyn Future<Output = Response> + Send>>,
    under_way: UnderWay,
) -> Option<Response> {
    let first = std::future::poll_fn(|context| {
        let poll = AssertUnwindSafe(|| handling.as_mut().poll(context));
        // INVARIANT: a future that panicked is not polled again.
        Poll::Ready(std::panic::catch_unwind(poll))
    });
    match first.await {
        Ok(Poll::Ready(response)) => Some(response),
        Ok(Poll::Pending) => {
            let going_on = async move {
                let _under_way = under_way;
                handling.await
            };
            tokio::spawn(going_on).await.ok()
        }
        Err(_) => None,
    }
}

/// Returns how errors before routing are written.
fn face_of(request: &Request) -> Face {
    let content_type = request.header("content-type").unwrap_or_default();
    if request.header("x-amz-target").is_some() || content_type.contains("json") {
        Face::json(content_type)
    } else {
        Face::of_name(crate::sigv4::scope_service(request).as_deref())
    }
}

/// Returns an id for a request that reached no handler.
fn own_request_id() -> String {
    static REFUSED: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", REFUSED.fetch_add(1, Ordering::Relaxed))
}

fn render(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(response.body));
    builder.body(body).unwrap_or_else(|_| {
        // A header with a line break in it; none of ours has.
        let mut plain = hyper::Response::new(Full::default());
        *plain.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}
