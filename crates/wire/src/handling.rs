//! A request that is being answered, whether or not somebody still waits for the answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::message::Response;

/// What makes an answer.
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A request under way; dropping it says that it has ended.
pub(crate) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> UnderWay {
        count.fetch_add(1, Ordering::SeqCst);
        UnderWay(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits for an answer; `None` when its making panicked.
///
/// It is made in the connection's own task, for another one would cost every request a change of
/// threads. A client that hangs up ends that task, and with it this; only then does the making go
/// on in a task of its own.
pub(crate) struct Handling {
    answering: Option<(Answering, UnderWay)>,
}

impl Handling {
    pub(crate) fn new(answering: Answering, under_way: UnderWay) -> Handling {
        Handling { answering: Some((answering, under_way)) }
    }
}

impl Future for Handling {
    type Output = Option<Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Response>> {
        let Some((answering, _)) = &mut self.answering else { return Poll::Ready(None) };
        let polled =
            std::panic::catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context)));
        let response = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(response)) => Some(response),
            Err(_) => None,
        };
        // INVARIANT: a future that has ended or panicked is not polled again.
        self.answering = None;
        Poll::Ready(response)
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        let Some((answering, under_way)) = self.answering.take() else { return };
        // Outside a runtime there is nobody left to go on.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _under_way = under_way;
                answering.await;
            });
        }
    }
}
