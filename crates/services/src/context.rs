//! What an operation has at hand: the call, and the store as far as it may touch it.

use store::{Read, Transaction};

use crate::Call;

/// For operations that read, and for checks.
pub struct Reading<'a> {
    /// A consistent snapshot.
    pub store: &'a dyn Read,
    /// Who calls, when, from where.
    pub call: &'a Call,
}

/// For operations that change something; all of it is kept, or none.
pub struct Writing<'a> {
    /// The transaction.
    pub store: &'a mut dyn Transaction,
    /// Who calls, when, from where.
    pub call: &'a Call,
    /// What to wake once this is durable.
    pub notices: Vec<Notice>,
}

/// Something that a background part of the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// Events wait to be matched, or deliveries to be made.
    Events,
    /// A schedule was added, changed or removed.
    Schedules,
    /// A connection waits to be authorized.
    Connections,
}

impl Writing<'_> {
    /// Returns this for reading.
    pub fn reading(&self) -> Reading<'_> {
        Reading { store: self.store.as_read(), call: self.call }
    }

    /// Wakes a background part once the transaction is durable.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}
