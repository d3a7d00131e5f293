//! The keys of a provider that were fetched from it: how long they stand, and when it is asked
//! again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::keys::Keys;
use crate::Error;

/// For how long fetched keys are taken without asking.
pub(super) const KEPT: Duration = Duration::from_mins(10);
/// How soon a provider is asked again: for a key that is not among those it gave, or because it did
/// not answer. Nobody has proved anything yet who makes us ask.
pub(super) const AGAIN: Duration = Duration::from_secs(10);
/// For how long fetched keys stand while the provider does not answer.
const KEPT_UNANSWERED: Duration = Duration::from_hours(1);

/// What is known of one provider.
#[derive(Default)]
pub(super) struct Fetched {
    known: Mutex<Known>,
    /// Held while the provider is asked: whoever else needs its answer waits for that one.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// The last keys that it gave, and when.
    good: Option<(Instant, Arc<Keys>)>,
    /// When it last gave none, and why.
    failed: Option<(Instant, Error)>,
}

impl Fetched {
    /// Returns keys that are no older than that, of a provider that is asked with `fetch`: once,
    /// however many want them.
    ///
    /// # Errors
    /// What came of asking, when there are no keys that stand.
    pub(super) async fn keys(
        &self,
        age: Duration,
        fetch: impl Future<Output = Result<Keys, Error>>,
    ) -> Result<Arc<Keys>, Error> {
        if let Some(answer) = self.known().answer(age, Instant::now()) {
            return answer;
        }
        let _turn = self.asking.lock().await;
        // Whoever had the turn before may have brought it.
        if let Some(answer) = self.known().answer(age, Instant::now()) {
            return answer;
        }
        let brought = fetch.await;
        self.known().take(brought, Instant::now())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Returns what is to be said without asking; none when the provider is to be asked.
    fn answer(&self, age: Duration, now: Instant) -> Option<Result<Arc<Keys>, Error>> {
        if let Some(keys) = self.good(age, now) {
            return Some(Ok(keys));
        }
        let (at, fault) = self.failed.as_ref()?;
        (now.saturating_duration_since(*at) < AGAIN).then(|| self.standing(fault, now))
    }

    /// Takes in what came of asking. Keys stand until others come in their place: a provider that
    /// fails takes nothing back.
    fn take(&mut self, brought: Result<Keys, Error>, now: Instant) -> Result<Arc<Keys>, Error> {
        match brought {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.good = Some((now, keys.clone()));
                Ok(keys)
            }
            Err(fault) => {
                let answer = self.standing(&fault, now);
                self.failed = Some((now, fault));
                answer
            }
        }
    }

    fn standing(&self, fault: &Error, now: Instant) -> Result<Arc<Keys>, Error> {
        self.good(KEPT_UNANSWERED, now).ok_or_else(|| fault.clone())
    }

    fn good(&self, age: Duration, now: Instant) -> Option<Arc<Keys>> {
        let (at, keys) = self.good.as_ref()?;
        (now.saturating_duration_since(*at) < age).then(|| keys.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::parse(br#"{"keys": []}"#).unwrap()
    }

    fn fault() -> Result<Keys, Error> {
        Err(Error::new("IDPCommunicationError", "silent"))
    }

    #[test]
    fn a_provider_that_fails_takes_nothing_back() {
        let (mut known, start) = (Known::default(), Instant::now());
        let after = |duration: Duration| start + duration;
        assert!(known.answer(KEPT, start).is_none());
        let first = known.take(Ok(keys()), start).unwrap();
        let is_first = |answer: Option<Result<Arc<Keys>, Error>>| {
            answer.is_some_and(|answer| answer.is_ok_and(|keys| Arc::ptr_eq(&keys, &first)))
        };
        assert!(is_first(known.answer(KEPT, after(KEPT / 2))));
        // For a key that is not among them it is asked, but not at once.
        assert!(is_first(known.answer(AGAIN, after(AGAIN / 2))));
        assert!(known.answer(AGAIN, after(AGAIN)).is_none());
        assert!(is_first(Some(known.take(fault(), after(AGAIN)))));
        assert!(is_first(known.answer(AGAIN, after(AGAIN + AGAIN / 2))));
        assert!(known.answer(AGAIN, after(AGAIN * 2)).is_none());
        assert!(is_first(known.answer(KEPT, after(KEPT / 2))));
        // When they have grown old it is asked; while it is silent they stand, but not for ever.
        assert!(known.answer(KEPT, after(KEPT)).is_none());
        assert!(is_first(Some(known.take(fault(), after(KEPT)))));
        assert!(is_first(known.answer(KEPT, after(KEPT + AGAIN / 2))));
        assert!(known.take(fault(), after(KEPT_UNANSWERED)).is_err());
        assert!(
            known.answer(KEPT, after(KEPT_UNANSWERED + AGAIN / 2)).is_some_and(|no| no.is_err())
        );
        let second = known.take(Ok(keys()), after(KEPT_UNANSWERED + AGAIN)).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
    }

    #[tokio::test]
    async fn however_many_want_them_they_are_fetched_once() {
        let (fetched, asked) = (Fetched::default(), std::sync::atomic::AtomicUsize::new(0));
        let (open, gate) = tokio::sync::oneshot::channel::<()>();
        let slow = fetched.keys(KEPT, async {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            gate.await.unwrap();
            Ok(keys())
        });
        let quick = || {
            fetched.keys(KEPT, async {
                asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Ok(keys())
            })
        };
        let opening = async { open.send(()).unwrap() };
        let (one, two, three, ()) = tokio::join!(slow, quick(), quick(), opening);
        let one = one.unwrap();
        assert!(Arc::ptr_eq(&one, &two.unwrap()) && Arc::ptr_eq(&one, &three.unwrap()));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
