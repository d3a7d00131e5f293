//! Nodes' turns at the leases: one transaction each, by the database's clock.

use std::sync::{Mutex, PoisonError};

use super::connection::Connection;
use super::line::Line;
use super::rows::{column, integer, shard_number, unsigned};
use super::session::LOCK;
use crate::lease::{self, NodeRow, ShardRow};
use crate::{Claim, Error, Leases};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// Waits for other nodes' turns, and for commits under way: those lock the rows of their shards.
const SHARDS: &str = "SELECT shard, epoch, owner, until_millis FROM stepwell_shards \
    ORDER BY shard FOR UPDATE";
/// Asked under the locks, so it has what the last turn has left.
const NODES: &str = "SELECT node, address, until_millis FROM stepwell_nodes ORDER BY node";
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const SET_SHARDS: &str = "UPDATE stepwell_shards s \
    SET epoch = n.epoch, owner = n.owner, until_millis = n.until_millis \
    FROM unnest($1::int4[], $2::bigint[], $3::text[], $4::bigint[]) \
        AS n(shard, epoch, owner, until_millis) \
    WHERE s.shard = n.shard";
const SET_NODE: &str = "INSERT INTO stepwell_nodes (node, address, until_millis) \
    VALUES ($1, $2, $3) ON CONFLICT (node) \
    DO UPDATE SET address = excluded.address, until_millis = excluded.until_millis";
const DROP_NODE: &str = "DELETE FROM stepwell_nodes WHERE node = $1";

/// The connection on which this node takes its turns.
pub(super) struct Turns(Mutex<Line>);

impl Turns {
    pub(super) fn new(line: Line) -> Turns {
        Turns(Mutex::new(line))
    }

    pub(super) fn take(&self, claim: &Claim) -> Result<Leases, Error> {
        self.within(|connection| turn(connection, claim))
    }

    /// Empties the store, unless another node is at work.
    pub(super) fn reset(&self) -> Result<(), Error> {
        self.within(|connection| {
            // In the order in which everybody locks: the control plane before shards.
            connection.query_behind(BEGIN, LOCK, &[])?;
            connection.query(SHARDS, &[])?;
            let (nodes, now) = (nodes(connection)?, now(connection)?);
            let alive = nodes.iter().filter(|node| now < node.until_millis).count();
            if 1 < alive {
                return Err(Error::Backend(format!(
                    "{alive} nodes work on this store: only one that is alone may empty it"
                )));
            }
            connection.batch("DELETE FROM stepwell_rows; DELETE FROM stepwell_journal")
        })
    }

    /// Runs work that begins a transaction, and ends it.
    fn within<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = line.connection()?;
        let done = work(connection).and_then(|done| connection.batch("COMMIT").map(|()| done));
        if done.is_err() {
            line.give_up();
        }
        done
    }
}

fn nodes(connection: &mut Connection) -> Result<Vec<NodeRow>, Error> {
    let rows = connection.query(NODES, &[])?;
    let node = |row| {
        let (node, address) = (column(row, 0)?, column(row, 1)?);
        Ok(NodeRow { node, address, until_millis: column(row, 2)? })
    };
    rows.iter().map(node).collect()
}

fn now(connection: &mut Connection) -> Result<i64, Error> {
    let rows = connection.query(NOW, &[])?;
    let row = rows.first().ok_or_else(|| Error::Backend("the database tells no time".into()))?;
    column(row, 0)
}

fn turn(connection: &mut Connection, claim: &Claim) -> Result<Leases, Error> {
    let rows = connection.query_behind(BEGIN, SHARDS, &[])?;
    let shard = |row| {
        let (epoch, owner) = (unsigned(column(row, 1)?), column(row, 2)?);
        Ok(ShardRow { epoch, owner, until_millis: column(row, 3)? })
    };
    let mut shards: Vec<ShardRow> = rows.iter().map(shard).collect::<Result<_, Error>>()?;
    let (mut nodes, now) = (nodes(connection)?, now(connection)?);
    let before = (shards.clone(), nodes.clone());
    let leases = lease::turn(&mut shards, &mut nodes, claim, now);
    set_shards(connection, &before.0, &shards)?;
    for node in nodes.iter().filter(|node| !before.1.contains(node)) {
        connection.query(SET_NODE, &[&node.node, &node.address, &node.until_millis])?;
    }
    let lives = |node: &NodeRow| nodes.iter().any(|one| one.node == node.node);
    for node in before.1.iter().filter(|node| !lives(node)) {
        connection.query(DROP_NODE, &[&node.node])?;
    }
    Ok(leases)
}

/// Writes the rows that have changed.
fn set_shards(
    connection: &mut Connection,
    before: &[ShardRow],
    after: &[ShardRow],
) -> Result<(), Error> {
    let changed =
        (0..).zip(before.iter().zip(after)).filter(|(_, (before, after))| before != after);
    let changed: Vec<(u32, &ShardRow)> =
        changed.map(|(shard, (_, after))| (shard, after)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i32> = changed.iter().map(|(shard, _)| shard_number(*shard)).collect();
    let epochs: Vec<i64> = changed.iter().map(|(_, row)| integer(row.epoch)).collect();
    let owners: Vec<Option<&str>> = changed.iter().map(|(_, row)| row.owner.as_deref()).collect();
    let untils: Vec<i64> = changed.iter().map(|(_, row)| row.until_millis).collect();
    connection.query(SET_SHARDS, &[&numbers, &epochs, &owners, &untils]).map(drop)
}
