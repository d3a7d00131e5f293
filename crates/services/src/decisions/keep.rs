//! Decisions in the store: pages of calls, the oldest of which make room, written behind the
//! answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{Load, Read, Save, Scan, Table, Transaction};
use value::{Value, value};

use super::Record;
use crate::retention::{Budget, Kind, Looked, Removed};
use crate::{Error, Services, ids};

/// How often what waits is written, in milliseconds of the machine.
const WRITE_EVERY_MILLIS: u64 = 250;
/// How many calls are stored; the oldest pages make room.
const CALLS_STORED_MAX: u64 = 50_000;
/// How many pages make room at a time.
const PAGES_EVICTED_MAX: usize = 8;
/// For how long a call is stored, on the server's clock: 90 days, as long as executions are.
pub(crate) const KEPT_MILLIS: i64 = 90 * 86_400_000;
/// How many pages one look reads.
const PAGES_PER_LOOK: usize = 20;

/// What pages begin with.
pub(super) const PAGES: &str = "page/";
/// How many calls there are in all pages.
const COUNT: &str = "count";

impl Services {
    /// Writes what waits, for ever.
    pub(crate) async fn keep_decisions(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_millis(WRITE_EVERY_MILLIS)).await;
            if let Err(err) = self.write_decisions().await {
                tracing::warn!(error = %err, "what was decided could not be written");
            }
        }
    }

    /// Writes what was decided and waits for being written, and returns once it is durable.
    ///
    /// # Errors
    /// When the store fails; then what waited is in memory only.
    pub async fn write_decisions(&self) -> Result<(), Error> {
        let _turn = self.decisions.writing.lock().await;
        let (calls, uses) = {
            let mut noted = self.decisions.noted();
            (std::mem::take(&mut noted.waiting), std::mem::take(&mut noted.used))
        };
        if calls.is_empty() && uses.is_empty() {
            return Ok(());
        }
        let taken = calls.clone();
        let writing = self.store().write(move |tx| -> Result<(), Error> {
            for used in &uses {
                used.keep(tx)?;
            }
            if calls.is_empty() { Ok(()) } else { add_page(tx, &calls, CALLS_STORED_MAX) }
        });
        let written = writing.await.map_err(Error::from).and_then(|written| written);
        match &written {
            Ok(()) => {
                for call in taken {
                    call.is_stored.store(true, Ordering::Relaxed);
                }
            }
            Err(_) => self.decisions.lose(taken.len() as u64),
        }
        written
    }
}

/// Adds a page; the oldest ones go until no more than `stored_max` calls are left.
fn add_page(tx: &mut dyn Transaction, calls: &[Arc<Record>], stored_max: u64) -> Result<(), Error> {
    let millis = calls.iter().map(|call| call.millis).max().unwrap_or_default();
    let shown: Vec<Value> = calls.iter().map(|call| call.shown()).collect();
    let key = format!("{PAGES}{millis:015}/{}/{}", calls.len(), ids::uuid());
    tx.save(Table::Decisions, &key, &value!({ "calls": shown }))?;
    let mut count = count(tx.as_read())? + calls.len() as u64;
    if stored_max < count {
        let oldest = Scan::prefix(PAGES).limit(PAGES_EVICTED_MAX);
        for (key, _) in tx.scan(Table::Decisions, oldest)? {
            if stored_max < count {
                tx.delete(Table::Decisions, &key)?;
                count = count.saturating_sub(calls_on(&key));
            }
        }
    }
    Ok(tx.save(Table::Decisions, COUNT, &count)?)
}

fn count(store: &dyn Read) -> Result<u64, Error> {
    Ok(store.load(Table::Decisions, COUNT)?.unwrap_or_default())
}

/// Returns how many calls are on a page.
fn calls_on(key: &str) -> u64 {
    key.split('/').nth(2).and_then(|count| count.parse().ok()).unwrap_or_default()
}

/// Returns the time of the last call on a page.
pub(super) fn millis_of(key: &str) -> i64 {
    key.split('/').nth(1).and_then(|millis| millis.parse().ok()).unwrap_or_default()
}

/// Pages that have grown old.
pub(crate) static PURGED: &Kind = &Kind { name: "decision", look, remove };

fn look(store: &dyn Read, behind: Option<&str>, before_millis: i64) -> Result<Looked, Error> {
    let scan = Scan::prefix(PAGES).after(behind).limit(PAGES_PER_LOOK);
    let rows = store.scan(Table::Decisions, scan)?;
    let keys: Vec<String> = rows.into_iter().map(|(key, _)| key).collect();
    let looked = keys.len();
    let due: Vec<String> =
        keys.into_iter().take_while(|key| millis_of(key) < before_millis).collect();
    // Pages are in order of time: behind one that stays, all stay.
    let more = due.len() == PAGES_PER_LOOK && looked == PAGES_PER_LOOK;
    let next = due.last().filter(|_| more).cloned();
    Ok(Looked { due, next })
}

fn remove(tx: &mut dyn Transaction, key: &str, _: i64, _: &mut Budget) -> Result<Removed, Error> {
    if !tx.delete(Table::Decisions, key)? {
        return Ok(Removed::Stays);
    }
    let left = count(tx.as_read())?.saturating_sub(calls_on(key));
    tx.save(Table::Decisions, COUNT, &left)?;
    Ok(Removed::Gone)
}

#[cfg(test)]
mod tests {
    use store::Store;

    use super::*;

    const DAY_MILLIS: i64 = 86_400_000;

    fn write<T: Send + 'static>(
        store: &Store,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, Error> + Send + 'static,
    ) -> T {
        let threads = tokio::runtime::Builder::new_current_thread().build().unwrap();
        threads.block_on(store.write(work)).unwrap().unwrap()
    }

    fn stored(store: &Store) -> (Vec<i64>, u64) {
        store.read(|store| {
            let pages = store.scan(Table::Decisions, Scan::prefix(PAGES)).unwrap();
            let times = pages.iter().map(|(key, _)| millis_of(key)).collect();
            (times, count(store).unwrap())
        })
    }

    #[test]
    fn the_oldest_pages_make_room() {
        let store = Store::memory();
        for millis in 1..=6 {
            let calls: Vec<_> = (0..3).map(|_| Arc::new(Record::example(millis))).collect();
            write(&store, move |tx| add_page(tx, &calls, 10));
        }
        assert_eq!(stored(&store), (vec![4, 5, 6], 9));
    }

    #[test]
    fn pages_go_when_they_are_old() {
        let store = Store::memory();
        for day in 0..30 {
            let calls = [Arc::new(Record::example(day * DAY_MILLIS))];
            write(&store, move |tx| add_page(tx, &calls, 1_000));
        }
        let before = 25 * DAY_MILLIS;
        let (mut behind, mut due) = (None::<String>, Vec::new());
        loop {
            let looked = store.read(|store| look(store, behind.as_deref(), before)).unwrap();
            due.extend(looked.due);
            match looked.next {
                Some(next) => behind = Some(next),
                None => break,
            }
        }
        assert_eq!(due.len(), 25);
        write(&store, move |tx| {
            for key in due {
                assert_eq!(remove(tx, &key, before, &mut Budget::of(10))?, Removed::Gone);
            }
            Ok(())
        });
        assert_eq!(stored(&store).1, 5);
    }
}
