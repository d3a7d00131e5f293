//! Rows as they are once what lies over them is taken into account.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::{Error, JournalEntry, Lsn, Read, Scan, Table};

/// What stands over a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// Nothing: the row beneath counts.
    Nothing,
    /// It has been removed.
    Removed,
    /// It has another value.
    Value(Vec<u8>),
}

impl From<&Option<Vec<u8>>> for Above {
    fn from(value: &Option<Vec<u8>>) -> Above {
        value.clone().map_or(Above::Removed, Above::Value)
    }
}

/// Values that hide those beneath; `None` hides a row that is no more.
pub(super) trait Overlay {
    /// Returns what stands over a row.
    fn find(&self, table: Table, key: &str) -> Above;

    /// Returns at most `limit` values over rows whose key has a prefix, in key order.
    fn range(
        &self,
        table: Table,
        from: Bound<&str>,
        prefix: &str,
        limit: usize,
    ) -> Vec<(String, Option<Vec<u8>>)>;

    /// Returns at most `limit` entries that a shard's journal has more, oldest first.
    fn entries(&self, shard: u32, after: Lsn, limit: usize) -> Vec<JournalEntry>;

    /// Returns up to where a shard's journal is no longer needed.
    fn truncated(&self, shard: u32) -> Lsn;
}

/// Reads of `base` through `over`.
pub(super) struct Merged<'m> {
    pub(super) base: &'m dyn Read,
    pub(super) over: &'m dyn Overlay,
}

impl Read for Merged<'_> {
    fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.over.find(table, key) {
            Above::Value(value) => Ok(Some(value)),
            Above::Removed => Ok(None),
            Above::Nothing => self.base.get(table, key),
        }
    }

    fn scan(&self, table: Table, scan: Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut found = Vec::new();
        let mut after = scan.after.map(str::to_owned);
        loop {
            let limit = scan.limit.saturating_sub(found.len());
            let piece = Scan { prefix: scan.prefix, after: after.as_deref(), limit };
            let base = self.base.scan(table, piece)?;
            let over = self.over.range(table, beginning(piece), scan.prefix, limit);
            if over.is_empty() && found.is_empty() {
                return Ok(base);
            }
            let upto = known_upto(&base, &over, limit);
            let mut rows: BTreeMap<String, Option<Vec<u8>>> =
                base.into_iter().map(|(key, value)| (key, Some(value))).collect();
            rows.extend(over);
            if let Some(upto) = &upto {
                rows.retain(|key, _| key <= upto);
            }
            let rows = rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
            found.extend(rows.take(limit));
            if upto.is_none() || scan.limit <= found.len() {
                return Ok(found);
            }
            after = upto;
        }
    }

    fn journal(&self, shard: u32, after: Lsn, limit: usize) -> Result<Vec<JournalEntry>, Error> {
        let after = after.max(self.over.truncated(shard));
        let mut entries = self.base.journal(shard, after, limit)?;
        let last = entries.last().map_or(after, |entry| entry.lsn);
        entries.extend(self.over.entries(shard, last, limit.saturating_sub(entries.len())));
        Ok(entries)
    }

    fn tables(&self) -> Result<Vec<Table>, Error> {
        self.base.tables()
    }
}

/// Returns where a scan begins.
pub(super) fn beginning(scan: Scan<'_>) -> Bound<&str> {
    match scan.after {
        Some(after) if after >= scan.prefix => Bound::Excluded(after),
        Some(_) | None => Bound::Included(scan.prefix),
    }
}

/// Returns up to which key both sides are known; none when they are to the end.
fn known_upto(
    base: &[(String, Vec<u8>)],
    over: &[(String, Option<Vec<u8>>)],
    limit: usize,
) -> Option<String> {
    let cut = |length: usize| limit <= length;
    let base = base.last().filter(|_| cut(base.len())).map(|(key, _)| key);
    let over = over.last().filter(|_| cut(over.len())).map(|(key, _)| key);
    match (base, over) {
        (Some(base), Some(over)) => Some(base.min(over).clone()),
        (one, other) => one.or(other).cloned(),
    }
}
