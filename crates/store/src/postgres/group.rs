//! Commits of shards, merged into the columns of as few statements as possible.
//!
//! A statement sees no row that it has written itself, and may touch each but once. So of several
//! writes to one row the last wins here already, which is what one after the other would give.

use std::collections::BTreeMap;

use super::keys;
use super::rows::{integer, shard_number};
use crate::{Commit, Write, frame};

/// How many bytes of rows and entries one statement carries, unless a single commit has more.
const GROUP_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The columns of one statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) fence: Fence,
    pub(super) journal: Journal,
    pub(super) removed: Removed,
    pub(super) kept: Kept,
    pub(super) truncated: Truncated,
}

/// Who may write: a unit is a shard under an epoch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) units: Vec<i32>,
    pub(super) shards: Vec<i32>,
    pub(super) epochs: Vec<i64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) units: Vec<i32>,
    pub(super) lsns: Vec<i64>,
    pub(super) crcs: Vec<i64>,
    pub(super) bytes: Vec<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) units: Vec<i32>,
    pub(super) tabs: Vec<i16>,
    pub(super) keys: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) units: Vec<i32>,
    pub(super) tabs: Vec<i16>,
    pub(super) keys: Vec<String>,
    pub(super) values: Vec<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Truncated {
    pub(super) units: Vec<i32>,
    pub(super) lsns: Vec<i64>,
}

/// Of each commit, in order, its unit in the group and its shard.
pub(super) type Members = Vec<(i32, u32)>;

/// The row's new value; none removes it.
type Fate = Option<Vec<u8>>;

/// A group that still grows. Everything lies in the order of its key, so that statements of
/// several connections take their locks in the same order.
#[derive(Default)]
struct Draft {
    units: BTreeMap<(u32, u64), i32>,
    entries: BTreeMap<(i32, u64), Vec<u8>>,
    /// What becomes of each row, and by which unit.
    rows: BTreeMap<(i16, String), (i32, Fate)>,
    truncated: BTreeMap<i32, u64>,
    members: Members,
    bytes: usize,
}

/// Sorts commits into groups, which are to be written one after another.
pub(super) fn groups(commits: Vec<Commit>) -> Vec<(Group, Members)> {
    let mut finished = Vec::new();
    let mut draft = Draft::default();
    for commit in commits {
        if !draft.has_room_for(&commit) {
            finished.push(std::mem::take(&mut draft).finish());
        }
        draft.add(commit);
    }
    if !draft.members.is_empty() {
        finished.push(draft.finish());
    }
    finished
}

fn place(write: &Write) -> (i16, String) {
    match write {
        Write::Put(table, key, _) | Write::Delete(table, key) => {
            (table.id(), keys::encode(key).into_owned())
        }
    }
}

fn bytes_of(commit: &Commit) -> usize {
    let writes = commit.writes.iter().map(|write| match write {
        Write::Put(_, key, value) => key.len() + value.len(),
        Write::Delete(_, key) => key.len(),
    });
    writes.sum::<usize>() + commit.entry.as_ref().map_or(0, |(_, bytes)| bytes.len())
}

impl Draft {
    /// Whether the commit fits in, and writes no row that another unit of the group writes: one of
    /// the two may turn out to be fenced. Nor may a position be given twice.
    fn has_room_for(&self, commit: &Commit) -> bool {
        let unit = self.units.get(&(commit.shard, commit.epoch));
        let fits = self.members.is_empty() || self.bytes + bytes_of(commit) <= GROUP_BYTES_MAX;
        let stranger = |write: &Write| {
            self.rows.get(&place(write)).is_some_and(|(writer, _)| Some(writer) != unit)
        };
        let given = |lsn: u64| unit.is_some_and(|unit| self.entries.contains_key(&(*unit, lsn)));
        fits && !commit.writes.iter().any(stranger)
            && !commit.entry.as_ref().is_some_and(|(lsn, _)| given(*lsn))
    }

    fn add(&mut self, commit: Commit) {
        self.bytes += bytes_of(&commit);
        let Commit { shard, epoch, entry, writes, truncate } = commit;
        let next = i32::try_from(self.units.len()).unwrap_or(i32::MAX);
        let unit = *self.units.entry((shard, epoch)).or_insert(next);
        self.members.push((unit, shard));
        if let Some((lsn, bytes)) = entry {
            self.entries.insert((unit, lsn), bytes);
        }
        for write in writes {
            let place = place(&write);
            let value = match write {
                Write::Put(table, key, bytes) => Some(frame::seal(table, &key, bytes)),
                Write::Delete(..) => None,
            };
            self.rows.insert(place, (unit, value));
        }
        if let Some(upto) = truncate {
            let before = self.truncated.entry(unit).or_insert(upto);
            *before = upto.max(*before);
        }
    }

    fn finish(self) -> (Group, Members) {
        let Draft { units, entries, rows, truncated, members, bytes: _ } = self;
        let mut group = Group::default();
        for ((shard, epoch), unit) in units {
            group.fence.units.push(unit);
            group.fence.shards.push(shard_number(shard));
            group.fence.epochs.push(integer(epoch));
        }
        for ((unit, lsn), bytes) in entries {
            // An entry that the same statement makes unnecessary is not written at all.
            if truncated.get(&unit).is_none_or(|upto| *upto < lsn) {
                group.journal.units.push(unit);
                group.journal.lsns.push(integer(lsn));
                group.journal.crcs.push(i64::from(crc32fast::hash(&bytes)));
                group.journal.bytes.push(bytes);
            }
        }
        for ((tab, key), (unit, value)) in rows {
            if let Some(value) = value {
                group.kept.units.push(unit);
                group.kept.tabs.push(tab);
                group.kept.keys.push(key);
                group.kept.values.push(value);
            } else {
                group.removed.units.push(unit);
                group.removed.tabs.push(tab);
                group.removed.keys.push(key);
            }
        }
        for (unit, upto) in truncated {
            group.truncated.units.push(unit);
            group.truncated.lsns.push(integer(upto));
        }
        (group, members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn commit(shard: u32, epoch: u64, lsn: u64, writes: Vec<Write>) -> Commit {
        Commit { shard, epoch, entry: Some((lsn, vec![0])), writes, truncate: None }
    }

    fn put(key: &str, value: &[u8]) -> Write {
        Write::Put(Table::Users, key.into(), value.into())
    }

    #[test]
    fn of_several_writes_to_a_row_the_last_wins() {
        let delete = Write::Delete(Table::Users, "a".into());
        let commits = vec![
            commit(1, 7, 1, vec![put("a", b"1"), put("b", b"1")]),
            commit(0, 9, 1, vec![put("c", b"1")]),
            commit(1, 7, 2, vec![delete, put("b", b"2")]),
        ];
        let merged = groups(commits);
        let [(group, members)] = merged.as_slice() else { panic!("one group") };
        assert_eq!(*members, [(0, 1), (1, 0), (0, 1)]);
        assert_eq!((&*group.fence.shards, &*group.fence.units), (&[0, 1][..], &[1, 0][..]));
        assert_eq!(group.removed.keys, ["a"]);
        assert_eq!(group.kept.keys, ["b", "c"]);
        assert_eq!(group.kept.values[0], frame::seal(Table::Users, "b", b"2".to_vec()));
        assert_eq!((&*group.journal.units, &*group.journal.lsns), (&[0, 0, 1][..], &[1, 2, 1][..]));
    }

    #[test]
    fn a_row_of_two_units_and_a_position_given_twice_need_two_statements() {
        let commits =
            vec![commit(0, 1, 1, vec![put("a", b"1")]), commit(0, 2, 1, vec![put("a", b"2")])];
        assert_eq!(groups(commits).len(), 2);
        assert_eq!(groups(vec![commit(0, 1, 1, vec![]), commit(0, 1, 1, vec![])]).len(), 2);
        assert_eq!(groups(vec![]), vec![]);
    }

    #[test]
    fn an_entry_that_is_truncated_at_once_is_not_written() {
        let truncate = Commit { truncate: Some(2), ..commit(0, 1, 2, vec![]) };
        let merged = groups(vec![commit(0, 1, 1, vec![]), truncate, commit(0, 1, 3, vec![])]);
        assert_eq!(merged[0].0.journal.lsns, [3]);
        assert_eq!(merged[0].0.truncated.lsns, [2]);
    }

    #[test]
    fn statements_have_a_size() {
        let big = vec![0; GROUP_BYTES_MAX];
        let commits = vec![commit(0, 1, 1, vec![put("a", &big)]), commit(1, 1, 1, vec![])];
        assert_eq!(groups(commits).len(), 2);
    }
}
