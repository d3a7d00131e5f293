//! A store whose secrets are sealed: any backend, seen through a cipher.
//!
//! Keys of rows stay as they are, so that rows are found; values of tables that hold secrets, and
//! entries of the journal, are sealed on their way in and opened on their way out. Which key a
//! store is sealed with stands in it, as the key's id and a proof that depends on the whole key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cipher::{self, Cipher};
use crate::key::{Key, to_hex};
use crate::{
    Backend, Claim, Commit, Done, Error, Figures, Job, JournalEntry, Lease, Leases, Load, Lsn,
    Read, SHARDS, Save, Scan, Table, Transaction, Verdict, Write,
};

/// The row that says which key the store is sealed with. It is not sealed itself.
const KEY_ROW: &str = "key";
/// The row that nodes know each other by.
const NODE_SECRET_ROW: &str = "node/secret";
/// How many rows are sealed at a time when an older store is.
const ROWS_AT_ONCE: usize = 256;

/// Which key a store is sealed with.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SealedWith {
    key_id: String,
    /// Depends on the whole key, where the id is short.
    proof: String,
    /// Whether what lay there in clear may still be found in space that is free by now.
    #[serde(default)]
    scrub_due: bool,
}

impl SealedWith {
    fn of(key: &Key, scrub_due: bool) -> SealedWith {
        SealedWith { key_id: key.id(), proof: to_hex(&key.derive("proof")), scrub_due }
    }

    fn expect(&self, key: &Key) -> Result<(), Error> {
        if self.proof == to_hex(&key.derive("proof")) {
            return Ok(());
        }
        Err(Error::OtherKey { sealed_with: self.key_id.clone(), given: key.id() })
    }
}

/// Returns the id of the key that a store is sealed with; `None` when it is not sealed yet.
pub(crate) fn key_id(store: &dyn Read) -> Result<Option<String>, Error> {
    Ok(sealed_with(store)?.map(|sealed| sealed.key_id))
}

fn sealed_with(store: &dyn Read) -> Result<Option<SealedWith>, Error> {
    store.load(Table::RuntimeSettings, KEY_ROW)
}

/// Returns whether a row is kept sealed.
fn is_secret(table: Table, key: &str) -> bool {
    table.holds_secrets() || (table == Table::RuntimeSettings && key == NODE_SECRET_ROW)
}

impl Cipher {
    fn seal_commit(&self, commit: &mut Commit) -> Result<(), Error> {
        if let Some((lsn, bytes)) = &mut commit.entry {
            *bytes = self.seal_entry(commit.shard, *lsn, bytes)?;
        }
        for write in &mut commit.writes {
            let Write::Put(table, key, bytes) = write else { continue };
            if is_secret(*table, key) {
                *bytes = self.seal_row(*table, key, bytes)?;
            }
        }
        Ok(())
    }

    fn seal_row(&self, table: Table, key: &str, row: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(&place(table, key), row)
    }

    fn open_row(&self, table: Table, key: &str, row: Vec<u8>) -> Result<Vec<u8>, Error> {
        // Most rows are not: their place need not be spelt out.
        if cipher::is_sealed(&row) { self.open(&place(table, key), row) } else { Ok(row) }
    }

    fn seal_entry(&self, shard: u32, lsn: Lsn, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(&place_of_entry(shard, lsn), bytes)
    }
}

/// What a row is bound to: under another's key it does not open.
fn place(table: Table, key: &str) -> String {
    format!("{}/{key}", table.name())
}

fn place_of_entry(shard: u32, lsn: Lsn) -> String {
    format!("journal {shard}/{lsn}")
}

/// A backend and the cipher that its secrets go through.
pub(crate) struct Sealed {
    inner: Arc<dyn Backend>,
    cipher: Arc<Cipher>,
}

impl Sealed {
    /// Opens a backend that is sealed with this key, or seals one that is not sealed yet, in one
    /// transaction. Then nothing of what lay there in clear is left in it, or a later opening sees
    /// to it: that nothing of it is left is up to who reads it just now, and to the disk.
    ///
    /// # Errors
    /// When it is sealed with another key, or the backend failed.
    pub(crate) fn open(inner: Arc<dyn Backend>, key: Key) -> Result<Sealed, Error> {
        let cipher = Arc::new(Cipher::new(key)?);
        let mut found = Ok(None);
        inner.read(&mut |tx| found = sealed_with(tx))?;
        let scrub_due = if let Some(sealed) = found? {
            sealed.expect(cipher.key())?;
            sealed.scrub_due
        } else {
            let by = cipher.clone();
            change(&*inner, move |tx| seal_all(tx, &by))?
        };
        if scrub_due {
            scrub(&*inner, &cipher)?;
        }
        Ok(Sealed { inner, cipher })
    }
}

/// Leaves nothing of what lay there in clear. Whatever cannot be done now stays due.
fn scrub(backend: &dyn Backend, cipher: &Arc<Cipher>) -> Result<(), Error> {
    let mut in_clear = Ok(false);
    backend.read(&mut |tx| in_clear = is_journal_in_clear(tx))?;
    let in_clear = in_clear?;
    match backend.scrub() {
        Ok(true) if in_clear => tracing::info!(
            "the journal has entries that an older version left in clear; they go with the next \
             checkpoints, and what is left of them in free space with the start after that"
        ),
        Ok(true) => {
            let cipher = cipher.clone();
            change(backend, move |tx| put_key_row(tx, &cipher, false))?;
        }
        Ok(false) => tracing::warn!(
            "secrets that an older version left in clear may still lie in free space of the store, \
             for something else reads it; the next start tries again"
        ),
        Err(err) => tracing::warn!(
            "secrets that an older version left in clear may still lie in free space of the store, \
             which could not be written anew; the next start tries again: {err}"
        ),
    }
    Ok(())
}

/// Returns whether there are entries of the journal that an older version left in clear: they are
/// older than any sealed one.
fn is_journal_in_clear(tx: &dyn Read) -> Result<bool, Error> {
    for shard in 0..SHARDS {
        let first = tx.journal(shard, 0, 1)?;
        if first.first().is_some_and(|entry| !cipher::is_sealed(&entry.bytes)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs one change and waits for it.
fn change<T: Send + 'static>(
    backend: &dyn Backend,
    work: impl FnOnce(&mut dyn Transaction) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (answer_in, answer_out) = std::sync::mpsc::sync_channel(1);
    let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
    backend.submit(Job {
        work: Box::new(move |tx| {
            let answer = work(tx);
            let verdict = if answer.is_ok() { Verdict::Keep } else { Verdict::Discard };
            // Both receivers live until the job is done.
            let _ = answer_in.send(answer);
            verdict
        }),
        done: Box::new(move |outcome| {
            let _ = done_in.send(outcome);
        }),
        is_whole_store: true,
    });
    done_out.recv().map_err(|_| Error::Closed)??;
    answer_out.try_recv().map_err(|_| Error::Closed)?
}

/// Seals every secret that is not, and says with which key. Returns whether there were any, and so
/// a scrub is due.
fn seal_all(tx: &mut dyn Transaction, cipher: &Cipher) -> Result<bool, Error> {
    // Another node may have been first.
    if let Some(sealed) = sealed_with(tx.as_read())? {
        sealed.expect(cipher.key())?;
        return Ok(sealed.scrub_due);
    }
    let mut scrub_due = is_journal_in_clear(tx.as_read())?;
    for table in Table::ALL {
        let mut after: Option<String> = None;
        loop {
            let scan = Scan::prefix("").after(after.as_deref()).limit(ROWS_AT_ONCE);
            let rows = tx.scan(*table, scan)?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, row) in rows {
                if !is_secret(*table, &key) {
                    continue;
                }
                if cipher::is_sealed(&row) {
                    // Whose key is lost cannot be taken over by another.
                    cipher.open_row(*table, &key, row)?;
                    continue;
                }
                tx.put(*table, &key, &cipher.seal_row(*table, &key, &row)?)?;
                scrub_due = true;
            }
            if !table.holds_secrets() && *table != Table::RuntimeSettings {
                break;
            }
        }
    }
    put_key_row(tx, cipher, scrub_due)?;
    Ok(scrub_due)
}

fn put_key_row(tx: &mut dyn Transaction, cipher: &Cipher, scrub_due: bool) -> Result<(), Error> {
    tx.save(Table::RuntimeSettings, KEY_ROW, &SealedWith::of(cipher.key(), scrub_due))
}

impl Backend for Sealed {
    fn submit(&self, job: Job) {
        let (cipher, work) = (self.cipher.clone(), job.work);
        let work = Box::new(move |tx: &mut dyn Transaction| {
            work(&mut Through { inner: tx, cipher: &cipher })
        });
        self.inner.submit(Job { work, ..job });
    }

    fn commit(&self, mut commit: Commit, done: Done) {
        match self.cipher.seal_commit(&mut commit) {
            Ok(()) => self.inner.commit(commit, done),
            Err(err) => done(Err(err)),
        }
    }

    fn lease(&self, claim: &Claim) -> Result<Leases, Error> {
        self.inner.lease(claim)
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn generation(&self) -> Option<u64> {
        self.inner.generation()
    }

    fn figures(&self) -> &Figures {
        self.inner.figures()
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Read)) -> Result<(), Error> {
        self.inner.read(&mut |tx| work(&Opened { inner: tx, cipher: &self.cipher }))
    }

    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let row = self.inner.get(table, key)?;
        row.map(|row| self.cipher.open_row(table, key, row)).transpose()
    }

    fn present(&self, table: Table, keys: &[&str]) -> Result<Vec<bool>, Error> {
        self.inner.present(table, keys)
    }

    fn beneath(&self) -> Option<Arc<dyn Backend>> {
        Some(self.inner.clone())
    }

    /// Which key the store is sealed with is written down again: it stays the same.
    fn reset(&self) -> Result<(), Error> {
        let mut found = Ok(None);
        self.inner.read(&mut |tx| found = sealed_with(tx))?;
        let scrub_due = found?.is_some_and(|sealed| sealed.scrub_due);
        self.inner.reset()?;
        let cipher = self.cipher.clone();
        change(&*self.inner, move |tx| put_key_row(tx, &cipher, scrub_due))
    }
}

/// Reads through a cipher.
struct Opened<'t> {
    inner: &'t dyn Read,
    cipher: &'t Cipher,
}

impl Read for Opened<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let row = self.inner.get(table, key)?;
        row.map(|row| self.cipher.open_row(table, key, row)).transpose()
    }

    fn get_all(&self, table: Table, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let rows = self.inner.get_all(table, keys)?.into_iter().zip(keys);
        let open = |(row, key): (Option<Vec<u8>>, &&str)| {
            row.map(|row| self.cipher.open_row(table, key, row)).transpose()
        };
        rows.map(open).collect()
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let rows = self.inner.scan(table, scan)?;
        let opened = rows.into_iter().map(|(key, row)| {
            let row = self.cipher.open_row(table, &key, row)?;
            Ok((key, row))
        });
        opened.collect()
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        let entries = self.inner.journal(shard, after, limit)?;
        let opened = entries.into_iter().map(|JournalEntry { lsn, bytes }| {
            let bytes = self.cipher.open(&place_of_entry(shard, lsn), bytes)?;
            Ok(JournalEntry { lsn, bytes })
        });
        opened.collect()
    }
}

/// A transaction through a cipher.
struct Through<'t> {
    inner: &'t mut dyn Transaction,
    cipher: &'t Cipher,
}

impl Through<'_> {
    fn opened(&self) -> Opened<'_> {
        Opened { inner: self.inner.as_read(), cipher: self.cipher }
    }
}

impl Read for Through<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.opened().get(table, key)
    }

    fn get_all(&self, table: Table, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.opened().get_all(table, keys)
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.opened().scan(table, scan)
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        self.opened().journal(shard, after, limit)
    }
}

impl Transaction for Through<'_> {
    fn put(&mut self, table: Table, key: &str, value: &[u8]) -> Result<(), Error> {
        if !is_secret(table, key) {
            return self.inner.put(table, key, value);
        }
        let sealed = self.cipher.seal_row(table, key, value)?;
        self.inner.put(table, key, &sealed)
    }

    fn delete(&mut self, table: Table, key: &str) -> Result<bool, Error> {
        self.inner.delete(table, key)
    }

    fn append(&mut self, shard: u32, entry: &JournalEntry) -> Result<(), Error> {
        let bytes = self.cipher.seal_entry(shard, entry.lsn, &entry.bytes)?;
        self.inner.append(shard, &JournalEntry { lsn: entry.lsn, bytes })
    }

    fn expect_owner(&mut self, lease: Lease) -> Result<(), Error> {
        self.inner.expect_owner(lease)
    }

    fn clear(&mut self) -> Result<(), Error> {
        let sealed = sealed_with(self.inner.as_read())?;
        self.inner.clear()?;
        put_key_row(self.inner, self.cipher, sealed.is_some_and(|sealed| sealed.scrub_due))
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sqlite::Sqlite;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY";

    fn is_told(directory: &Path) -> bool {
        std::fs::read_dir(directory).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())
        })
    }

    fn is_due(backend: &dyn Backend) -> bool {
        let mut found = Ok(None);
        backend.read(&mut |tx| found = sealed_with(tx)).unwrap();
        found.unwrap().unwrap().scrub_due
    }

    fn commit(backend: &dyn Backend, commit: Commit) {
        let (done_in, done_out) = std::sync::mpsc::sync_channel(1);
        backend.commit(commit, Box::new(move |outcome| done_in.send(outcome).unwrap()));
        done_out.recv().unwrap().unwrap();
    }

    /// Leaves a directory as an older version does.
    fn in_clear(directory: &Path) -> Arc<Sqlite> {
        let sqlite = Arc::new(Sqlite::open(directory).unwrap());
        change(&*sqlite, |tx| {
            for at in 0..200 {
                tx.put(Table::Sessions, &format!("{at:03}"), SECRET.as_bytes())?;
            }
            Ok(())
        })
        .unwrap();
        change(&*sqlite, |tx| {
            for at in 1..200 {
                tx.delete(Table::Sessions, &format!("{at:03}"))?;
            }
            Ok(())
        })
        .unwrap();
        sqlite
    }

    #[test]
    fn what_a_crash_kept_from_being_scrubbed_is_scrubbed_at_the_next_start() {
        let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
        let sqlite = in_clear(directory.path());
        let cipher = Cipher::new(key.clone()).unwrap();
        assert!(change(&*sqlite, move |tx| seal_all(tx, &cipher)).unwrap());
        drop(sqlite);
        assert!(is_told(directory.path()), "the fixture is none");

        let sqlite = Arc::new(Sqlite::open(directory.path()).unwrap());
        let stranger = rusqlite::Connection::open(directory.path().join("stepwell.sqlite"));
        let stranger = stranger.unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        drop(Sealed::open(sqlite.clone(), key.clone()).unwrap());
        assert!(
            is_due(&*sqlite),
            "that the file could not be written anew is no reason not to start"
        );
        drop(stranger);
        let sealed = Sealed::open(sqlite.clone(), key).unwrap();
        assert!(!is_due(&*sqlite));
        assert!(!is_told(directory.path()));
        let row = sealed.get(Table::Sessions, "000").unwrap().unwrap();
        assert_eq!(row, SECRET.as_bytes());
    }

    /// A backup that is being made reads what was there before.
    #[test]
    fn whoever_reads_meanwhile_keeps_the_scrub_due() {
        let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
        let sqlite = in_clear(directory.path());
        let file = directory.path().join("stepwell.sqlite");
        let reader = rusqlite::Connection::open(file).unwrap();
        let count = format!("BEGIN; SELECT count(*) FROM {}", Table::Sessions.name());
        reader.execute_batch(&count).unwrap();
        drop(Sealed::open(sqlite.clone(), key.clone()).unwrap());
        assert!(is_due(&*sqlite));
        let sealed = Sealed::open(sqlite.clone(), key.clone()).unwrap();
        sealed.reset().unwrap();
        change(&sealed, |tx| tx.clear()).unwrap();
        assert!(is_due(&*sqlite), "emptying a store leaves its free space as it is");
        reader.execute_batch("COMMIT").unwrap();
        drop(sealed);
        drop(Sealed::open(sqlite.clone(), key).unwrap());
        assert!(!is_due(&*sqlite));
        assert!(!is_told(directory.path()));
    }

    #[test]
    fn entries_of_the_journal_in_clear_keep_the_scrub_due_until_they_are_gone() {
        let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
        let sqlite = Arc::new(Sqlite::open(directory.path()).unwrap());
        let entry = |lsn| Some((lsn, SECRET.repeat(500).into_bytes()));
        commit(&*sqlite, Commit { shard: 3, epoch: 1, entry: entry(1), ..Commit::default() });
        let sealed = Sealed::open(sqlite.clone(), key.clone()).unwrap();
        assert!(is_due(&*sqlite));
        let truncate = Some(1);
        let next = Commit { shard: 3, epoch: 1, entry: entry(2), truncate, ..Commit::default() };
        commit(&sealed, next);
        drop((sealed, sqlite));
        assert!(is_told(directory.path()), "the fixture is none");

        let sqlite = Arc::new(Sqlite::open(directory.path()).unwrap());
        drop(Sealed::open(sqlite.clone(), key).unwrap());
        assert!(!is_due(&*sqlite));
        assert!(!is_told(directory.path()));
    }

    #[test]
    fn a_key_row_of_before_there_were_scrubs_due_is_read() {
        let old = value::parse(r#"{"keyId":"a","proof":"b"}"#).unwrap();
        let old: SealedWith = value::from_value(old).unwrap();
        assert!(!old.scrub_due);
    }
}
