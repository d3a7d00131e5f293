//! What stands in the commit log, in the tables, or in both is one store: against a model, over
//! restarts, and through kill -9.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{Commit, SHARDS, Scan, Store, Table, Write};

use super::{own, wait};

const TABLES: [Table; 3] = [Table::Users, Table::Executions, Table::History];

/// Numbers that look random (xorshift), the same ones each time.
struct Dice(u64);

impl Dice {
    fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        from[usize::try_from(self.roll(N as u64)).unwrap()]
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One thing to do.
#[derive(Clone, Debug)]
struct Step {
    writes: Vec<Write>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A shard's turn, which has an entry and may truncate up to so many before it.
    Turn { shard: u32, keeps: Option<u64> },
    /// A call, and whether it is kept.
    Call { is_kept: bool },
}

fn step(seed: u64, at: u64) -> Step {
    let mut dice = Dice((seed << 32) + at * 7919 + 1);
    for _ in 0..8 {
        dice.roll(2);
    }
    let writes = (0..dice.roll(6)).map(|_| {
        let table = dice.pick(TABLES);
        let key = format!("{}/{:02}", dice.pick(["a", "b", "日本"]), dice.roll(40));
        if dice.roll(3) == 0 {
            return Write::Delete(table, key);
        }
        let length = dice.pick([3, 30, 3_000, 40_000]);
        Write::Put(table, key, format!("{at}/").repeat(length / 4).into_bytes())
    });
    let writes = writes.collect();
    let what = if dice.roll(3) == 0 {
        What::Call { is_kept: dice.roll(4) != 0 }
    } else {
        let keeps = Some(dice.roll(5)).filter(|keeps| *keeps < 3);
        What::Turn { shard: u32::try_from(dice.roll(u64::from(SHARDS))).unwrap(), keeps }
    };
    Step { writes, what }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    rows: BTreeMap<(Table, String), Vec<u8>>,
    journal: BTreeMap<(u32, u64), Vec<u8>>,
    last: BTreeMap<u32, u64>,
}

impl Model {
    fn take(&mut self, at: u64, step: &Step) {
        if let What::Call { is_kept: false } = step.what {
            return;
        }
        for write in &step.writes {
            match write.clone() {
                Write::Put(table, key, value) => drop(self.rows.insert((table, key), value)),
                Write::Delete(table, key) => drop(self.rows.remove(&(table, key))),
            }
        }
        if let What::Turn { shard, keeps } = step.what {
            let (lsn, upto) = self.position(shard, keeps);
            self.last.insert(shard, lsn);
            self.journal.insert((shard, lsn), at.to_string().into_bytes());
            if let Some(upto) = upto {
                self.journal.retain(|(of, lsn), _| *of != shard || upto < *lsn);
            }
        }
    }

    fn position(&self, shard: u32, keeps: Option<u64>) -> (u64, Option<u64>) {
        let lsn = self.last.get(&shard).copied().unwrap_or(0) + 1;
        (lsn, keeps.map(|keeps| (lsn - 1).saturating_sub(keeps)))
    }

    fn after(seed: u64, steps: u64) -> Model {
        let mut model = Model::default();
        (0..steps).for_each(|at| model.take(at, &step(seed, at)));
        model
    }

    /// Reads everything, some rows at a time.
    fn of(store: &Store, at_once: usize) -> Model {
        store.read(|tx| {
            let mut model = Model::default();
            for table in TABLES {
                let mut after: Option<String> = None;
                loop {
                    let scan = Scan::prefix("").after(after.as_deref()).limit(at_once);
                    let rows = tx.scan(table, scan).unwrap();
                    let Some((last, _)) = rows.last() else { break };
                    after = Some(last.clone());
                    for (key, value) in rows {
                        assert_eq!(tx.get(table, &key).unwrap().as_ref(), Some(&value));
                        model.rows.insert((table, key), value);
                    }
                }
            }
            for shard in 0..SHARDS {
                let mut after = 0;
                loop {
                    let entries = tx.journal(shard, after, at_once).unwrap();
                    let Some(last) = entries.last() else { break };
                    after = last.lsn;
                    for entry in entries {
                        model.journal.insert((shard, entry.lsn), entry.bytes);
                    }
                }
            }
            model
        })
    }

    /// Compares what a store shows: it does not tell positions that are truncated.
    fn expect(&self, store: &Store, at_once: usize, when: &str) {
        let found = Model::of(store, at_once);
        assert!(found.journal == self.journal, "{when}: the journals differ");
        for (place, value) in &self.rows {
            assert_eq!(found.rows.get(place).map(Vec::len), Some(value.len()), "{when}: {place:?}");
        }
        assert!(found.rows == self.rows, "{when}: there are other rows, or other values");
    }
}

/// Does a step, and returns when it is durable.
fn perform(store: &Store, epoch: u64, model: &Model, at: u64, step: Step) {
    match step.what {
        What::Turn { shard, keeps } => {
            let (lsn, truncate) = model.position(shard, keeps);
            let entry = Some((lsn, at.to_string().into_bytes()));
            let commit = Commit { shard, epoch, entry, writes: step.writes, truncate };
            wait(store.commit(commit)).unwrap();
        }
        What::Call { is_kept } => {
            let (mut expected, writes) = (model.clone(), step.writes);
            let done = wait(store.write(move |tx| {
                for write in &writes {
                    match write {
                        Write::Put(table, key, value) => tx.put(*table, key, value).unwrap(),
                        Write::Delete(table, key) => {
                            let was_there = expected.rows.contains_key(&(*table, key.clone()));
                            assert_eq!(tx.delete(*table, key).unwrap(), was_there);
                        }
                    }
                    let only = std::slice::from_ref(write).to_vec();
                    expected.take(at, &Step { writes: only, what: What::Call { is_kept: true } });
                }
                let rows = tx.scan(Table::Users, Scan::prefix("a/")).unwrap();
                let keys = expected.rows.keys().filter(|(table, _)| *table == Table::Users);
                let keys = keys.filter(|(_, key)| key.starts_with("a/")).map(|(_, key)| key);
                assert!(rows.iter().map(|(key, _)| key).eq(keys), "a call sees its own writes");
                if is_kept { Ok(()) } else { Err(()) }
            }));
            assert_eq!(done.unwrap().is_ok(), is_kept);
        }
    }
}

#[test]
fn a_store_is_what_a_model_is_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let epoch = own(&store);
    let mut model = Model::default();
    for at in 0..450_u64 {
        let step = step(1, at);
        perform(&store, epoch, &model, at, step.clone());
        model.take(at, &step);
        if at % 60 == 0 {
            model.expect(&store, 1 + usize::try_from(at % 17).unwrap(), "from inside");
            model.expect(&Store::look_at(directory.path()).unwrap(), 7, "from another process");
        }
        if at % 150 == 149 {
            drop(store);
            store = Store::open(directory.path()).unwrap();
            model.expect(&store, 100, "after a restart");
        }
    }
    let before = model.clone();
    store.read(|snapshot| {
        let seen = snapshot.scan(Table::Users, Scan::prefix("")).unwrap();
        for at in 450..600 {
            let step = step(1, at);
            perform(&store, epoch, &model, at, step.clone());
            model.take(at, &step);
        }
        assert_eq!(snapshot.scan(Table::Users, Scan::prefix("")).unwrap(), seen);
        let users = before.rows.iter().filter(|((table, _), _)| *table == Table::Users);
        assert!(
            seen.iter()
                .map(|(key, value)| (key, value))
                .eq(users.map(|((_, key), value)| (key, value)))
        );
    });
    model.expect(&store, 3, "after a long read");
    store.reset().unwrap();
    Model::default().expect(&store, 3, "after a reset");
}

#[test]
fn what_does_not_fit_into_the_log_is_kept_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let epoch = own(&store);
    let large = vec![b'x'; 9_000_000];
    for lsn in 1..4 {
        let writes = vec![Write::Put(Table::Users, lsn.to_string(), large.clone())];
        let entry = Some((lsn, b"e".to_vec()));
        let commit = Commit { shard: 2, epoch, entry, writes, truncate: None };
        wait(store.commit(commit)).unwrap();
        let small = vec![Write::Put(Table::Users, "small".into(), lsn.to_string().into_bytes())];
        wait(store.commit(Commit { shard: 1, epoch, writes: small, ..Commit::default() })).unwrap();
    }
    for store in [Store::look_at(directory.path()).unwrap(), store] {
        store.read(|tx| {
            assert_eq!(tx.scan(Table::Users, Scan::prefix("")).unwrap().len(), 4);
            assert_eq!(tx.get(Table::Users, "3").unwrap().unwrap(), large);
            assert_eq!(tx.get(Table::Users, "small").unwrap().unwrap(), b"3");
            assert_eq!(tx.journal(2, 0, 9).unwrap().len(), 3);
        });
    }
}

/// Tells the child of the next test which directory and which seed.
const CHILD: &str = "STEPWELL_STORE_TEST_CHILD";

/// Not a test of its own: the process that the next one kills.
#[test]
fn child_that_is_killed() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (seed, directory) = task.split_once(' ').unwrap();
    let seed = seed.parse().unwrap();
    let store = Store::open(Path::new(directory)).unwrap();
    let epoch = own(&store);
    let mut model = Model::default();
    for at in 0.. {
        let step = step(seed, at);
        perform(&store, epoch, &model, at, step.clone());
        model.take(at, &step);
        println!("\nkept {}", at + 1);
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    for seed in 2..10_u64 {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ahead::child_that_is_killed", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{seed} {}", directory.path().display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100 * seed));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let mut kept = 0;
        for line in output.lines().map_while(Result::ok) {
            if let Some(count) = line.strip_prefix("kept ").and_then(|count| count.parse().ok()) {
                kept = count;
            }
        }
        killer.join().unwrap();
        assert!(0 < kept, "seed {seed}: the child did nothing");

        let looked = Model::of(&Store::look_at(directory.path()).unwrap(), 50);
        let store = Store::open(directory.path()).unwrap();
        let found = Model::of(&store, 50);
        assert!(found == looked, "seed {seed}: from outside it was another");
        // The line that told of the last step may have been lost with the process.
        let is_model = |steps| {
            let model = Model::after(seed, steps);
            (&model.rows, &model.journal) == (&found.rows, &found.journal)
        };
        let steps = (kept..kept + 3).find(|steps| is_model(*steps));
        let steps = steps.unwrap_or_else(|| panic!("seed {seed}: not as after {kept} steps"));
        let (epoch, mut model) = (own(&store), Model::after(seed, steps));
        for at in steps..steps + 50 {
            let step = step(seed, at);
            perform(&store, epoch, &model, at, step.clone());
            model.take(at, &step);
        }
        model.expect(&store, 9, "after a crash");
        drop(store);
        model.expect(&Store::open(directory.path()).unwrap(), 9, "after a crash and a restart");
    }
}
