//! Brings an execution back that has ended badly.
//!
//! When such a process leaves memory for good, its last state stays in a table of its own. A
//! redrive makes that its row again, in the commit of the fact: whoever reads the shard after a
//! crash finds either what remains, or a process that runs, and the fact in the journal behind its
//! row.

use store::{Table, Write};

use super::resident::{Resident, row_of_remains};
use super::{Shard, Turn};
use crate::{Error, ProcessId};

impl Shard {
    /// Brings a process that has ended back into memory; false when nothing remains of it.
    ///
    /// # Errors
    /// When it cannot be read. It stays where it is, untouched.
    pub(super) fn bring_back(&mut self, id: &ProcessId, turn: &mut Turn) -> Result<bool, Error> {
        let row = self.shared.store.get(Table::Redrives, id.name()).map_err(Error::Store)?;
        let Some(remains) = row else { return Ok(false) };
        let resident = Resident::restore(id, &remains, &self.shared.definitions);
        let resident = resident.inspect_err(|err| {
            tracing::error!(process = %id, error = %err, "what remains of it cannot be read");
        })?;
        // Behind everything that the journal says of its life before.
        let row = row_of_remains(self.number, id, self.position.last, &remains);
        turn.writes.push(row);
        turn.writes.push(Write::Delete(Table::Redrives, id.name().to_owned()));
        self.residents.insert(id.clone(), resident);
        self.shared.figures.opened(self.number, id.kind());
        Ok(true)
    }
}
