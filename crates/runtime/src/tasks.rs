//! Tasks that others wait for.

use std::future::pending;

use tokio::task::{JoinError, JoinHandle};

/// Waits for a task and returns what it made, or that it panicked. If it was cancelled there is no
/// end to wait for: only the end of the process cancels a task that somebody waits for, and to take
/// that for an answer would fail what the next start goes on with.
///
/// # Errors
/// When the task panicked.
pub async fn finished<T>(task: &mut JoinHandle<T>) -> Result<T, JoinError> {
    match task.await {
        Err(err) if err.is_cancelled() => pending().await,
        outcome => outcome,
    }
}

/// Ends a task when its owner is aborted.
pub(crate) struct AbortOnDrop<T>(pub(crate) JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    /// Waits for the task; `None` when it panicked.
    pub(crate) async fn join(mut self) -> Option<T> {
        finished(&mut self.0).await.ok()
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_task_that_was_cancelled_has_no_end_and_one_that_panicked_has() {
        let mut cancelled = tokio::spawn(pending::<()>());
        cancelled.abort();
        let waited = tokio::time::timeout(Duration::from_millis(50), finished(&mut cancelled));
        assert!(waited.await.is_err());
        let panicked = AbortOnDrop(tokio::spawn(async { panic!("on purpose") }));
        assert!(panicked.join().await.is_none());
        assert_eq!(AbortOnDrop(tokio::spawn(async { 1 })).join().await, Some(1));
    }
}
