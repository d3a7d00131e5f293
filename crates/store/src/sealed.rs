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
    Read, Save, Scan, Table, Transaction, Verdict, Write,
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
}

impl SealedWith {
    fn of(key: &Key) -> SealedWith {
        SealedWith { key_id: key.id(), proof: to_hex(&key.derive("proof")) }
    }

    fn expect(&self, key: &Key) -> Result<(), Error> {
        if self.proof == SealedWith::of(key).proof {
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
    /// Opens a backend that is sealed with this key, or seals one that is not sealed yet: in one
    /// transaction, after which nothing of what lay there in clear is left in it.
    ///
    /// # Errors
    /// When it is sealed with another key, or the backend failed.
    pub(crate) fn open(inner: Arc<dyn Backend>, key: Key) -> Result<Sealed, Error> {
        let cipher = Arc::new(Cipher::new(key)?);
        let mut found = Ok(None);
        inner.read(&mut |tx| found = sealed_with(tx))?;
        if let Some(sealed) = found? {
            sealed.expect(cipher.key())?;
        } else {
            let by = cipher.clone();
            if 0 < change(&*inner, move |tx| seal_all(tx, &by))? {
                inner.scrub()?;
            }
        }
        Ok(Sealed { inner, cipher })
    }
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
    });
    done_out.recv().map_err(|_| Error::Closed)??;
    answer_out.try_recv().map_err(|_| Error::Closed)?
}

/// Seals every secret that is not, and says with which key. Returns how many there were.
fn seal_all(tx: &mut dyn Transaction, cipher: &Cipher) -> Result<usize, Error> {
    // Another node may have been first.
    if let Some(sealed) = sealed_with(tx.as_read())? {
        sealed.expect(cipher.key())?;
        return Ok(0);
    }
    let mut sealed = 0;
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
                sealed += 1;
            }
            if !table.holds_secrets() && *table != Table::RuntimeSettings {
                break;
            }
        }
    }
    put_key_row(tx, cipher)?;
    Ok(sealed)
}

fn put_key_row(tx: &mut dyn Transaction, cipher: &Cipher) -> Result<(), Error> {
    tx.save(Table::RuntimeSettings, KEY_ROW, &SealedWith::of(cipher.key()))
}

impl Backend for Sealed {
    fn submit(&self, job: Job) {
        let (cipher, work) = (self.cipher.clone(), job.work);
        let work = Box::new(move |tx: &mut dyn Transaction| {
            work(&mut Through { inner: tx, cipher: &cipher })
        });
        self.inner.submit(Job { work, done: job.done });
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

    fn beneath(&self) -> Option<Arc<dyn Backend>> {
        Some(self.inner.clone())
    }

    /// Which key the store is sealed with is written down again: it stays the same.
    fn reset(&self) -> Result<(), Error> {
        self.inner.reset()?;
        let cipher = self.cipher.clone();
        change(&*self.inner, move |tx| put_key_row(tx, &cipher))
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
        self.inner.clear()?;
        put_key_row(self.inner, self.cipher)
    }

    fn as_read(&self) -> &dyn Read {
        self
    }
}
