//! Whether a process that is to begin has begun before.

use std::collections::HashMap;

use store::Table;

use super::{Envelope, Message, Shard, Turn};
use crate::{Error, Novelty, ProcessId};

impl Shard {
    /// Looks for all that is to begin in a turn at once, where each look is a journey to a
    /// database; nothing that another turn does comes between, for an id is in one shard.
    pub(super) fn look_up(&self, envelopes: &[Envelope]) -> HashMap<ProcessId, bool> {
        let mut looked_up = HashMap::new();
        if self.epoch.is_none() || !self.shared.store.is_shared() {
            return looked_up;
        }
        let mut wanted: HashMap<Table, Vec<&ProcessId>> = HashMap::new();
        for envelope in envelopes {
            if let Message::Begin { id, novelty: Novelty::Unknown, .. } = &envelope.message
                && !self.residents.contains_key(id)
            {
                wanted.entry(id.kind().record_table()).or_default().push(id);
            }
        }
        for (table, ids) in wanted {
            let keys: Vec<&str> = ids.iter().map(|id| id.name()).collect();
            // One alone is looked for when its turn comes, and so are all when this fails: whoever
            // asked is told why.
            if 1 < keys.len()
                && let Ok(present) = self.shared.store.present(table, &keys)
            {
                looked_up.extend(ids.into_iter().cloned().zip(present));
            }
        }
        looked_up
    }

    /// Returns whether a process of this id runs or has run.
    ///
    /// # Errors
    /// When the store failed.
    pub(super) fn has_begun(
        &self,
        id: &ProcessId,
        novelty: Novelty,
        turn: &mut Turn,
    ) -> Result<bool, Error> {
        match turn.looked_up.remove(id) {
            Some(known) => Ok(known),
            None => self.shared.is_known(id, novelty, self.residents.contains_key(id)),
        }
    }
}
