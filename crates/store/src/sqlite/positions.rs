//! The last journal position of each shard, so that none is given twice.

use rusqlite::Connection;

use super::recent::View;
use crate::{Error, Lsn, SHARDS};

/// Last positions; none is known at first.
#[derive(Clone, Copy, Default)]
pub(super) struct Positions {
    known: [Option<Lsn>; SHARDS as usize],
}

impl Positions {
    /// Takes the position of a new entry.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the shard has it already, or a later one.
    pub(super) fn take(
        &mut self,
        shard: u32,
        lsn: Lsn,
        tables: &Connection,
        view: &View,
    ) -> Result<(), Error> {
        let place = || format!("journal {shard}/{lsn}");
        let unknown = || Error::Corrupt { place: place(), what: "there is no such shard".into() };
        let known = self.known.get_mut(shard as usize).ok_or_else(unknown)?;
        let last = match *known {
            Some(last) => last,
            None => last_of(shard, tables)?.max(view.last_entry(shard)),
        };
        if lsn <= last {
            let what = format!("the last position is {last}");
            return Err(Error::Corrupt { place: place(), what });
        }
        *known = Some(lsn);
        Ok(())
    }
}

fn last_of(shard: u32, tables: &Connection) -> Result<Lsn, Error> {
    let sql = "SELECT max(lsn) FROM journal WHERE shard = ?1";
    let last: Option<i64> = tables.prepare_cached(sql)?.query_row([shard], |row| row.get(0))?;
    Ok(Lsn::try_from(last.unwrap_or(0)).unwrap_or(0))
}
