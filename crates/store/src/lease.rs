//! Who owns which shard: the rules, apart from where the rows are kept.
//!
//! Every node takes a turn about once a second: it says that it lives, renews what it holds, takes
//! what nobody holds, and hears what it should give away. Times are the backend's own, so nodes
//! need no common clock; and a node whose lease was taken cannot commit, because every commit names
//! the epoch under which it acts.

/// For how long a lease is good without being renewed.
pub const LEASE_MILLIS: i64 = 5_000;

/// A node that asks for shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Names the node for as long as its process lives.
    pub node: String,
    /// Where other nodes reach it: `http://127.0.0.1:4566`.
    pub address: String,
    /// Shards that it has put down in order since its last turn.
    pub released: Vec<u32>,
    /// Whether it is leaving: it releases everything and asks for nothing.
    pub leaving: bool,
}

/// A shard that a node owns, and the fencing number of its commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub shard: u32,
    /// Grows with every change of owner.
    pub epoch: u64,
}

/// What a node hears in its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// What it owns now.
    pub held: Vec<Lease>,
    /// What it owns and should put down, because others have too little.
    pub shed: Vec<u32>,
    /// Where each shard that somebody owns is: shard and address.
    pub owners: Vec<(u32, String)>,
    /// How many nodes live.
    pub nodes: usize,
}

/// The row of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardRow {
    pub(crate) epoch: u64,
    pub(crate) owner: Option<String>,
    pub(crate) until_millis: i64,
}

/// The row of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRow {
    pub(crate) node: String,
    pub(crate) address: String,
    pub(crate) until_millis: i64,
}

/// Takes one node's turn at the rows.
pub(crate) fn turn(
    shards: &mut [ShardRow],
    nodes: &mut Vec<NodeRow>,
    claim: &Claim,
    now_millis: i64,
) -> Leases {
    // Whoever was reached at this address before is gone: a node that starts again need not wait
    // until the leases of its former life have run out.
    let former = |row: &NodeRow| row.node != claim.node && row.address == claim.address;
    let gone: Vec<String> =
        nodes.iter().filter(|row| former(row)).map(|row| row.node.clone()).collect();
    for row in shards.iter_mut().filter(|row| row.owner.as_ref().is_some_and(|o| gone.contains(o)))
    {
        row.owner = None;
    }
    nodes.retain(|row| row.node != claim.node && !former(row) && now_millis < row.until_millis);
    let until_millis = now_millis + LEASE_MILLIS;
    if !claim.leaving {
        let (node, address) = (claim.node.clone(), claim.address.clone());
        nodes.push(NodeRow { node, address, until_millis });
    }
    let me = Some(&claim.node);
    for (number, row) in (0..).zip(shards.iter_mut()) {
        if row.owner.as_ref() != me {
            continue;
        }
        if claim.leaving || claim.released.contains(&number) {
            row.owner = None;
        } else {
            // Late, but nobody has taken it meanwhile: the epoch is still ours.
            row.until_millis = until_millis;
        }
    }
    let share = if claim.leaving { 0 } else { shards.len().div_ceil(nodes.len().max(1)) };
    let mut mine = shards.iter().filter(|row| row.owner.as_ref() == me).count();
    for row in shards.iter_mut() {
        let free = row.owner.is_none() || row.until_millis <= now_millis;
        if free && mine < share {
            *row = ShardRow { epoch: row.epoch + 1, owner: Some(claim.node.clone()), until_millis };
            mine += 1;
        }
    }
    answer(shards, nodes, &claim.node, share)
}

fn answer(shards: &[ShardRow], nodes: &[NodeRow], me: &str, share: usize) -> Leases {
    let mut leases = Leases { nodes: nodes.len(), ..Leases::default() };
    for (shard, row) in (0..).zip(shards) {
        let Some(owner) = &row.owner else { continue };
        if owner == me {
            leases.held.push(Lease { shard, epoch: row.epoch });
        }
        if let Some(node) = nodes.iter().find(|node| node.node == *owner) {
            leases.owners.push((shard, node.address.clone()));
        }
    }
    leases.shed = leases.held.iter().skip(share).map(|lease| lease.shard).collect();
    leases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(node: &str) -> Claim {
        Claim {
            node: node.into(),
            address: format!("http://{node}"),
            released: Vec::new(),
            leaving: false,
        }
    }

    fn held(leases: &Leases) -> Vec<(u32, u64)> {
        leases.held.iter().map(|lease| (lease.shard, lease.epoch)).collect()
    }

    #[test]
    fn a_lone_node_owns_everything_and_a_second_gets_its_share_in_order() {
        let (mut shards, mut nodes) = (vec![ShardRow::default(); 4], Vec::new());
        let first = turn(&mut shards, &mut nodes, &claim("a"), 0);
        assert_eq!(held(&first), [(0, 1), (1, 1), (2, 1), (3, 1)]);
        let second = turn(&mut shards, &mut nodes, &claim("b"), 100);
        assert_eq!((held(&second), second.nodes), (vec![], 2));
        assert_eq!(second.owners.len(), 4);
        let first = turn(&mut shards, &mut nodes, &claim("a"), 200);
        assert_eq!(first.shed, [2, 3]);
        let released = Claim { released: first.shed, ..claim("a") };
        assert!(turn(&mut shards, &mut nodes, &released, 300).shed.is_empty());
        let second = turn(&mut shards, &mut nodes, &claim("b"), 400);
        assert_eq!(held(&second), [(2, 2), (3, 2)]);
    }

    #[test]
    fn a_silent_node_loses_its_shards_and_a_late_one_keeps_them_if_nobody_came() {
        let (mut shards, mut nodes) = (vec![ShardRow::default(); 2], Vec::new());
        turn(&mut shards, &mut nodes, &claim("a"), 0);
        let late = turn(&mut shards, &mut nodes, &claim("a"), 3 * LEASE_MILLIS);
        assert_eq!(held(&late), [(0, 1), (1, 1)]);
        let heir = turn(&mut shards, &mut nodes, &claim("b"), 4 * LEASE_MILLIS);
        assert_eq!((held(&heir), heir.nodes), (vec![(0, 2), (1, 2)], 1));
        let deposed = turn(&mut shards, &mut nodes, &claim("a"), 4 * LEASE_MILLIS + 1);
        assert_eq!(held(&deposed), []);
    }

    #[test]
    fn a_node_that_starts_again_at_its_address_takes_over_from_its_former_life() {
        let (mut shards, mut nodes) = (vec![ShardRow::default(); 2], Vec::new());
        turn(&mut shards, &mut nodes, &claim("a"), 0);
        let again = Claim { node: "a again".into(), ..claim("a") };
        let taken = turn(&mut shards, &mut nodes, &again, 1);
        assert_eq!((held(&taken), taken.nodes), (vec![(0, 2), (1, 2)], 1));
    }

    #[test]
    fn a_leaving_node_leaves_nothing_behind() {
        let (mut shards, mut nodes) = (vec![ShardRow::default(); 2], Vec::new());
        turn(&mut shards, &mut nodes, &claim("a"), 0);
        let gone = turn(&mut shards, &mut nodes, &Claim { leaving: true, ..claim("a") }, 1);
        assert_eq!(gone, Leases::default());
        assert_eq!(held(&turn(&mut shards, &mut nodes, &claim("b"), 2)), [(0, 2), (1, 2)]);
    }
}
