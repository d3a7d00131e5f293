//! What a shard makes durable at the end of a turn, as data.

use crate::{Lsn, Table};

/// One write of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Set the value at a key.
    Put(Table, String, Vec<u8>),
    /// Remove a key, if it is there.
    Delete(Table, String),
}

/// Everything one shard did in a turn. All of it is kept, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The shard.
    pub shard: u32,
    /// The fencing number of the lease under which the shard's owner acts. A backend that several
    /// nodes share refuses any but the newest.
    pub epoch: u64,
    /// The journal entry and its position, one after the last; none when there is nothing to tell.
    pub entry: Option<(Lsn, Vec<u8>)>,
    /// Rows that change with it, in this order.
    pub writes: Vec<Write>,
    /// The shard's journal is no longer needed up to and including this position.
    pub truncate: Option<Lsn>,
}
