//! A process in memory, and how it lies in the store while it waits.
//!
//! A process that waits for nothing but time or a signal leaves memory: its state becomes a row,
//! and only its timers stay. The row begins with a line of its own, so that a start reads when each
//! process wants to be woken without reading what it is.

use serde::Deserialize;
use store::{Lsn, Table, Write};
use value::{Value, value};

use crate::definitions::Definitions;
use crate::process::{Process, put};
use crate::{Error, ProcessId};

/// A process that is in memory.
pub(super) struct Resident {
    pub(super) process: Process,
    /// Whether the store has a row of it.
    pub(super) stored: bool,
    /// Whether it has changed since that row was written.
    pub(super) changed: bool,
    /// Where the journal last speaks of it; 0 when it never did.
    pub(super) last_line: Lsn,
}

/// The first line of a row.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Head {
    /// The row is the process after this position of the journal.
    pub(super) lsn: Lsn,
    /// Where the journal last speaks of the process; 0 when it never did.
    pub(super) line: Lsn,
    /// The timers of a process that waits for nothing else; none when it waits for a call.
    pub(super) timers: Option<Vec<(u64, i64)>>,
}

impl Resident {
    /// Returns a process that has just begun.
    pub(super) fn new(process: Process) -> Resident {
        Resident { process, stored: false, changed: true, last_line: 0 }
    }

    /// Returns the process of a row.
    pub(super) fn restore(
        id: &ProcessId,
        row: &[u8],
        definitions: &Definitions,
    ) -> Result<Resident, Error> {
        let (head, state) = split(id, row)?;
        let process = Process::restore(id, parse(id, state)?, definitions)?;
        Ok(Resident { process, stored: true, changed: false, last_line: head.line })
    }

    /// Returns the write that keeps what a redrive goes on with, of a process that has ended. If it
    /// cannot be written down, which is a bug of the engine, there will be no redrive.
    pub(super) fn remains(&self, id: &ProcessId) -> Option<Write> {
        let remains = self.process.remains()?.inspect_err(|err| {
            tracing::error!(process = %id, error = %err, "what remains has no snapshot");
        });
        Some(put(Table::Redrives, id.name(), &remains.ok()?))
    }

    /// Returns the write of the process's row; `state` is its snapshot.
    pub(super) fn row(
        &self,
        shard: u32,
        id: &ProcessId,
        lsn: Lsn,
        timers: Option<&[(u64, i64)]>,
        state: &Value,
    ) -> Write {
        let pair = |(timer, at_millis): &(u64, i64)| value!([*timer, *at_millis]);
        let timers = timers.map_or(Value::Null, |timers| timers.iter().map(pair).collect());
        let head = value!({ "lsn": lsn, "line": self.last_line, "timers": timers });
        let text = format!("{head}\n{}", state.to_json());
        Write::Put(Table::Snapshots, row_key(shard, id), text.into_bytes())
    }
}

/// Returns the write that turns what has remained of a process into its row: a start goes on from
/// there with what the journal says behind `lsn`.
pub(super) fn row_of_remains(shard: u32, id: &ProcessId, lsn: Lsn, remains: &[u8]) -> Write {
    let mut row = format!("{}\n", value!({ "lsn": lsn, "line": 0, "timers": null })).into_bytes();
    row.extend_from_slice(remains);
    Write::Put(Table::Snapshots, row_key(shard, id), row)
}

/// Returns the first line of a row.
pub(super) fn head(id: &ProcessId, row: &[u8]) -> Result<Head, Error> {
    split(id, row).map(|(head, _)| head)
}

/// Rows of format 1 have no first line.
fn split<'r>(id: &ProcessId, row: &'r [u8]) -> Result<(Head, &'r [u8]), Error> {
    let Some(end) = row.iter().position(|byte| *byte == b'\n') else {
        return Ok((Head::default(), row));
    };
    let (head, state) = row.split_at(end);
    let head = value::from_value(parse(id, head)?).map_err(|err| damaged(id, &err.to_string()))?;
    Ok((head, state.get(1..).unwrap_or_default()))
}

fn parse(id: &ProcessId, bytes: &[u8]) -> Result<Value, Error> {
    value::parse_bytes(bytes).map_err(|err| damaged(id, &err.to_string()))
}

fn damaged(id: &ProcessId, what: &str) -> Error {
    let place = format!("{}/{id}", Table::Snapshots.name());
    Error::Store(store::Error::Corrupt { place, what: what.to_owned() })
}

/// Returns what the keys of a shard's rows start with; the process id follows.
pub(super) fn row_prefix(shard: u32) -> String {
    format!("{shard:04}/")
}

/// Returns the key of a process's row.
pub(super) fn row_key(shard: u32, id: &ProcessId) -> String {
    format!("{shard:04}/{id}")
}

/// Returns the process whose row has this key.
pub(super) fn id_of(key: &str) -> Result<ProcessId, Error> {
    let name = key.split_once('/').map(|(_, name)| name);
    name.and_then(ProcessId::parse).ok_or_else(|| {
        let place = format!("{}/{key}", Table::Snapshots.name());
        Error::Store(store::Error::Corrupt { place, what: "the key names no process".into() })
    })
}
