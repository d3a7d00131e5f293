//! What descends from this process, and what it uses.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// How often everything is killed again that is still there: who forks faster is found the next
/// time.
const ROUNDS_MAX: usize = 200;
/// How many files are counted in a script's directory; more are too many.
const FILES_MAX: usize = 20_000;

/// One process, as `/proc/PID/stat` tells it.
struct Process {
    parent: i32,
    resident_pages: u64,
}

/// What the script's processes use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) processes: u64,
    pub(super) memory_bytes: u64,
}

/// Counts the processes below `keeper` but for the warden.
pub(super) fn census(keeper: Pid, warden: Option<Pid>) -> Census {
    let all = all();
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut census = Census::default();
    for pid in descendants(&all, keeper.as_raw_nonzero().get()) {
        if Some(pid) != warden.map(|warden| warden.as_raw_nonzero().get()) {
            census.processes += 1;
        }
        let pages = all.get(&pid).map_or(0, |process| process.resident_pages);
        census.memory_bytes = census.memory_bytes.saturating_add(pages.saturating_mul(page));
    }
    census
}

/// Kills everything that descends from this process, until nothing is left.
///
/// INVARIANT: whoever loses a parent becomes this process's child, for it has declared itself the
/// reaper of its descendants; so none is ever anywhere else.
pub(super) fn kill_descendants(keeper: Pid) {
    for _round in 0..ROUNDS_MAX {
        let below = descendants(&all(), keeper.as_raw_nonzero().get());
        for pid in &below {
            if let Some(pid) = Pid::from_raw(*pid) {
                // Whoever has ended meanwhile need not be killed.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        // Reaps who has ended; who has not yet is found in the next round.
        while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
        if below.is_empty() {
            return;
        }
        std::thread::yield_now();
    }
}

/// Returns the ids below `root`; each is met once, for a parent is older than its child.
fn descendants(all: &HashMap<i32, Process>, root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, process) in all {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        // Taken out, so that even a list read in two moments has no circle.
        let below = children.remove(&pid).unwrap_or_default();
        found.extend(&below);
        open.extend(below);
    }
    found
}

fn all() -> HashMap<i32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parsed(&stat)?))
        })
        .collect()
}

/// Reads a line of `/proc/PID/stat`; the name, in parentheses, may hold anything.
fn parsed(stat: &str) -> Option<Process> {
    let (_, behind) = stat.rsplit_once(')')?;
    // The state is the third field of the line.
    let mut fields = behind.split_ascii_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let resident_pages = fields.nth(19)?.parse().ok()?;
    Some(Process { parent, resident_pages })
}

/// Returns how many bytes the files in a directory hold; `None` when there are too many to count.
pub(super) fn bytes_in(directory: &Path) -> Option<u64> {
    let mut open = vec![directory.to_owned()];
    let (mut files, mut bytes) = (0, 0_u64);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            files += 1;
            if FILES_MAX < files {
                return None;
            }
            // Links are not followed.
            match entry.metadata() {
                Ok(found) if found.is_dir() => open.push(entry.path()),
                Ok(found) => bytes = bytes.saturating_add(found.len()),
                Err(_) => {}
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_whose_name_is_odd() {
        let line = "7 (a) b (c)) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 8192 55 1 2";
        let process = parsed(line).unwrap();
        assert_eq!((process.parent, process.resident_pages), (3, 55));
        assert!(parsed("nonsense").is_none());
    }

    #[test]
    fn finds_this_test_below_its_parent() {
        let me = std::process::id().cast_signed();
        let all = all();
        let parent = all.get(&me).unwrap().parent;
        assert!(descendants(&all, parent).contains(&me));
        assert!(!descendants(&all, me).contains(&parent));
    }
}
