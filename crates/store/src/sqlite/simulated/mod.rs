//! The log on a simulated disk (`disk`), under a scheduler that one seed decides: what is written
//! and read when, when somebody carries to the tables, what fails, and where in an operation the
//! process or the power ends. After every end the directory is opened again.
//!
//! What must hold (`model`): what was acknowledged is there; what was not is there wholly or not at
//! all, and gone for good once something was acknowledged after it; what a start has shown stays;
//! journals have no gaps; all readers, those who began earlier and other processes included, see
//! what the model says. The tables are SQLite's own: a transaction of theirs is kept or not.

mod disk;
mod model;
mod random;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use rusqlite::Connection;

use super::ahead::Ahead;
use super::session::Session;
use super::snapshot::{Over, Snapshot};
use super::tables::Tables;
use super::{disk::Disk, keep_statements, migrate, open_log};
use crate::writer::{Batch, Session as _};
use crate::{Error, Transaction, Verdict, Work, Write};
use disk::{Crash, Fuse, SimulatedDisk, Troubles};
use model::{Call, Deed, Model};
use random::Random;

/// How many worlds a test run sees; `STEPWELL_LOG_SEEDS` says otherwise.
const SEEDS: u64 = 300;
/// How many of them at once.
const THREADS: usize = 2;
/// How many steps a world has.
const STEPS: usize = 60;
/// How many steps somebody reads for.
const STEPS_HELD: usize = 6;

/// What does not hold.
type Outcome<T> = Result<T, String>;

/// A process that has the directory open.
struct Process {
    ahead: Arc<Ahead>,
    tables: Arc<Mutex<Tables>>,
    session: Session,
}

impl Process {
    fn open(disk: &SimulatedDisk, database: &Path) -> Result<Process, Error> {
        let connection = connect(database)?;
        let ahead = Arc::new(open_log(disk, &connection, 0)?);
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let tables = Arc::new(Mutex::new(Tables::new(connection, shared)));
        ahead.carry_by_hand(tables.clone());
        let session = Session::new(ahead.clone(), tables.clone(), connect(database)?);
        Ok(Process { ahead, tables, session })
    }
}

fn connect(database: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(database)?;
    // The files of the tables are not simulated, and need not outlive this process.
    connection.pragma_update(None, "synchronous", "off")?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Makes a database whose tables are empty.
fn furnish(database: &Path) {
    static TEMPLATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("tables");
        template(&database);
        std::fs::read(database).unwrap()
    });
    std::fs::write(database, &*TEMPLATE).unwrap();
}

fn template(database: &Path) {
    let mut connection = Connection::open(database).unwrap();
    connection.pragma_update(None, "page_size", 512).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "off").unwrap();
    migrate::to_current(&mut connection).unwrap();
    // The same in every run.
    connection.execute("UPDATE commit_log SET salt = 4711", []).unwrap();
}

struct World {
    random: Random,
    disk: SimulatedDisk,
    database: PathBuf,
    /// For readers: who opens a database reads which tables there are, and that takes long.
    idle: Vec<Connection>,
    process: Option<Process>,
    troubles: Troubles,
    /// How often a life ends in the middle of an operation, in a thousand.
    ends: usize,
    /// What was acknowledged.
    kept: Model,
    /// What may be there instead after a start: that and one more, whose outcome nobody knows.
    doubtful: Vec<Model>,
    at: usize,
    /// What happened, for whoever looks for the cause.
    story: Vec<String>,
}

impl World {
    fn new(seed: u64, database: PathBuf) -> World {
        let mut random = Random::new(seed);
        let disk = SimulatedDisk::new(random.fork(), random.pick([2_048, 4_096, 16_384]));
        let mut sometimes = |most| if random.chance(500) { random.below(most) } else { 0 };
        let troubles = Troubles {
            open: sometimes(100),
            write: sometimes(100),
            sync: sometimes(100),
            commit: sometimes(300),
        };
        let ends = sometimes(1_000);
        World {
            random,
            disk,
            database,
            idle: Vec::new(),
            process: None,
            troubles,
            ends,
            kept: Model::default(),
            doubtful: Vec::new(),
            at: 0,
            story: Vec::new(),
        }
    }

    fn say(&mut self, what: impl Into<String>) {
        self.story.push(format!("{} {}", self.at, what.into()));
    }

    fn run(&mut self) -> Outcome<()> {
        while self.at < STEPS {
            self.at += 1;
            if self.process.is_none() {
                self.begin()?;
            } else {
                self.step()?;
            }
            if self.disk.is_gone() {
                self.end()?;
            }
        }
        self.troubles = Troubles::default();
        self.ends = 0;
        self.end()?;
        while self.process.is_none() {
            self.begin()?;
        }
        self.write()?;
        self.read()
    }

    /// Opens the directory, again and again if need be.
    fn begin(&mut self) -> Outcome<()> {
        for tries in 0.. {
            let troubles = if tries < 3 { self.troubles } else { Troubles::default() };
            let ends = if tries < 3 { self.ends } else { 0 };
            let fuse = self.random.chance(ends).then(|| self.fuse());
            self.disk.trouble(troubles, fuse);
            match Process::open(&self.disk, &self.database) {
                Ok(process) => {
                    self.process = Some(process);
                    break;
                }
                Err(Error::Backend(_)) if tries < 3 => self.crash(),
                Err(err) => return Err(format!("it cannot be opened: {err}")),
            }
        }
        let found = self.look()?;
        let known = self.doubtful.iter().find(|model| **model == found);
        if found != self.kept && known.is_none() {
            return Err(format!("after a start: {}", self.kept.difference(&found)));
        }
        let has_more = found != self.kept;
        self.say(if has_more { "begins with one more" } else { "begins" });
        // What was shown must stay.
        self.kept = found;
        self.doubtful.clear();
        if has_more && self.random.chance(300) {
            self.crash();
        }
        Ok(())
    }

    fn fuse(&mut self) -> Fuse {
        // Of the rarer operations the first few count.
        let (most, what) = self.random.pick([
            (5, None),
            (20, None),
            (80, None),
            (4, Some("commit")),
            (4, Some("sync")),
        ]);
        Fuse { left: self.random.below(most), what }
    }

    fn crash(&mut self) {
        self.process = None;
        let crash = self.random.pick([Crash::Killed, Crash::PowerGone]);
        self.disk.end(crash);
        self.say(format!("{crash:?}"));
    }

    /// Ends the process one way or the other.
    fn end(&mut self) -> Outcome<()> {
        if self.random.chance(300)
            && let Some(process) = &self.process
        {
            // In order, unless something is in the way.
            process.ahead.pass_on_what_lies();
            let _ = process.ahead.carry_once(&process.tables);
        }
        self.crash();
        self.look_from_outside()
    }

    fn step(&mut self) -> Outcome<()> {
        match self.random.below(100) {
            0..52 => self.write(),
            52..62 => {
                self.process()?.ahead.pass_on_what_lies();
                self.say("passes on");
                Ok(())
            }
            62..72 => self.carry(),
            72..80 => self.read(),
            80..85 => self.look_from_outside(),
            85..90 => self.hold(),
            90..92 => {
                let process = self.process()?;
                let outcome = process.ahead.blank(&process.tables).is_ok();
                self.say(format!("blanks the log: {outcome}"));
                Ok(())
            }
            _ => self.end().and_then(|()| self.begin()),
        }
    }

    fn process(&mut self) -> Outcome<&mut Process> {
        self.process.as_mut().ok_or_else(|| "nobody is there".to_owned())
    }

    fn carry(&mut self) -> Outcome<()> {
        let disk = self.disk.clone();
        let process = self.process()?;
        let outcome = disk.repeated(|| process.ahead.carry_once(&process.tables));
        self.say(format!("carries: {}", outcome.is_ok()));
        Ok(())
    }

    fn write(&mut self) -> Outcome<()> {
        let deed = self.kept.deed(&mut self.random, self.at);
        let complaint = Arc::new(Mutex::new(None));
        let works = works(&deed, &self.kept, &complaint);
        let (commits, is_whole_store) = (deed.commits.clone(), deed.clears);
        let batch = Batch { works, commits, is_whole_store };
        let outcome = self.process()?.session.write(batch);
        let said = outcome.as_ref().err().map(ToString::to_string);
        let (calls, turns) = (deed.calls.len(), deed.commits.len());
        self.say(format!("writes {calls} and {turns}, clears {is_whole_store}: {said:?}"));
        if let Some(complaint) = complaint.lock().unwrap().take() {
            return Err(complaint);
        }
        let after = self.kept.after(&deed);
        match outcome {
            Ok(written) if written.answers.iter().all(Result::is_ok) => {
                self.kept = after;
                self.doubtful.clear();
                Ok(())
            }
            Ok(_) => Err("an owner was refused".into()),
            Err(Error::Backend(_)) => {
                self.doubtful.push(after);
                Ok(())
            }
            Err(err) => Err(format!("a commit was refused: {err}")),
        }
    }

    /// Reads everything as the process itself does.
    fn look(&mut self) -> Outcome<Model> {
        let over = Over::Ahead(self.process()?.ahead.clone());
        self.look_through(&over)
    }

    fn look_through(&mut self, over: &Over) -> Outcome<Model> {
        let connection = self.reader()?;
        let snapshot = Snapshot::new(&connection, over);
        let found = Model::of(&snapshot, &mut self.random)?;
        snapshot.end().map_err(|err| err.to_string())?;
        self.idle.push(connection);
        Ok(found)
    }

    fn reader(&mut self) -> Outcome<Connection> {
        let idle = self.idle.pop();
        idle.map_or_else(|| connect(&self.database), Ok).map_err(|err| err.to_string())
    }

    fn read(&mut self) -> Outcome<()> {
        let found = self.look()?;
        self.say("reads");
        if found == self.kept {
            return Ok(());
        }
        Err(format!("somebody reads: {}", self.kept.difference(&found)))
    }

    /// Reads as another process does, for a backup say.
    fn look_from_outside(&mut self) -> Outcome<()> {
        let over = Over::Log(Box::new(self.disk.for_a_stranger()));
        let found = self.look_through(&over)?;
        self.say("is looked at from outside");
        if found == self.kept || self.doubtful.contains(&found) {
            return Ok(());
        }
        Err(format!("from outside: {}", self.kept.difference(&found)))
    }

    /// Reads, does other things, and reads again through the same snapshot.
    fn hold(&mut self) -> Outcome<()> {
        let connection = self.reader()?;
        let over = Over::Ahead(self.process()?.ahead.clone());
        let snapshot = Snapshot::new(&connection, &over);
        let expected = self.kept.clone();
        for _ in 0..STEPS_HELD {
            // Nobody reads in a process that has ended.
            if self.disk.is_gone() {
                break;
            }
            let found = Model::of(&snapshot, &mut self.random)?;
            if found != expected {
                return Err(format!("a snapshot changed: {}", expected.difference(&found)));
            }
            match self.random.below(3) {
                0 => self.carry()?,
                1 => self.process()?.ahead.pass_on_what_lies(),
                _ => self.write()?,
            }
        }
        snapshot.end().map_err(|err| err.to_string())?;
        self.idle.push(connection);
        Ok(())
    }
}

/// Returns what the calls of a deed do, each of which checks that it sees what came before.
fn works(deed: &Deed, kept: &Model, complaint: &Arc<Mutex<Option<String>>>) -> Vec<Work> {
    let mut before = if deed.clears { Model::default() } else { kept.clone() };
    let mut works: Vec<Work> = Vec::new();
    if deed.clears {
        works.push(Box::new(
            |tx| {
                if tx.clear().is_ok() { Verdict::Keep } else { Verdict::Discard }
            },
        ));
    }
    for call in deed.calls.clone() {
        let (seen, complaint) = (before.clone(), complaint.clone());
        before.call(&call);
        works.push(Box::new(move |tx| {
            let outcome = perform(&call, seen, tx);
            if let Err(what) = outcome {
                *complaint.lock().unwrap() = Some(format!("a call sees another store: {what}"));
            }
            if call.is_kept { Verdict::Keep } else { Verdict::Discard }
        }));
    }
    works
}

fn perform(call: &Call, mut seen: Model, tx: &mut dyn Transaction) -> Outcome<()> {
    let failed = |err: Error| err.to_string();
    for write in &call.writes {
        match write {
            Write::Put(table, key, value) => tx.put(*table, key, value).map_err(failed)?,
            Write::Delete(table, key) => {
                let was_there = seen.rows.contains_key(&(*table, key.clone()));
                if tx.delete(*table, key).map_err(failed)? != was_there {
                    return Err(format!("{table:?} {key} was there or not"));
                }
            }
        }
        seen.write(write);
    }
    for ((table, key), value) in &seen.rows {
        if tx.as_read().get(*table, key).map_err(failed)?.as_ref() != Some(value) {
            return Err(format!("{table:?} {key}"));
        }
    }
    Ok(())
}

/// What became of a world.
struct End {
    violation: Option<String>,
    story: Vec<String>,
    operations: usize,
    /// What has gone wrong.
    reached: BTreeSet<String>,
}

fn run(seed: u64) -> End {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("tables");
    furnish(&database);
    let mut world = World::new(seed, database);
    let violation = world.run().err();
    let (operations, reached) = (world.disk.operations(), world.disk.reached());
    End { violation, operations, reached, story: world.story }
}

#[test]
fn everything_that_must_hold_does() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match asked("STEPWELL_LOG_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=asked("STEPWELL_LOG_SEEDS").unwrap_or(SEEDS),
    };
    let next = AtomicU64::new(*seeds.start());
    let one_after_the_other = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if !seeds.contains(&seed) {
            return;
        }
        let End { violation, story, .. } = run(seed);
        assert_eq!(
            violation,
            None,
            "{}\nreproduce: cargo xtask sim --log --seed {seed}",
            story.join("\n")
        );
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(one_after_the_other);
        }
    });
}

/// Every fault there is comes up, and so do the rare ends of those.
#[test]
fn worlds_have_everything_that_can_go_wrong() {
    let ends: Vec<End> = (1..=40).map(run).collect();
    let reached: BTreeSet<String> = ends.iter().flat_map(|end| end.reached.clone()).collect();
    let of = |what: &str| ["Fails", "Last"].map(|fate| format!("{what} {fate}"));
    let all = ["open", "read", "names", "write", "sync", "commit"].into_iter().flat_map(of);
    let all = all.chain(of("commit").map(|commit| format!("{commit}, kept")));
    assert_eq!(reached, all.collect());
    for told in ["begins with one more", "Killed", "PowerGone", "clears true: None"] {
        let is_told = |end: &End| end.story.iter().any(|line| line.ends_with(told));
        assert!(ends.iter().any(is_told), "{told}");
    }
}

/// One world in thousands came upon this.
#[test]
fn a_log_in_doubt_that_is_blanked_half_way_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=100 {
        let database = folder.path().join(seed.to_string());
        furnish(&database);
        let mut world = World::new(seed, database);
        (world.troubles, world.ends) = (Troubles::default(), 0);
        world.begin().unwrap();
        for _ in 0..4 {
            world.write().unwrap();
        }
        world.disk.trouble(Troubles { sync: 1_000, ..Troubles::default() }, None);
        world.write().unwrap();
        world.disk.trouble(Troubles { write: 1_000, ..Troubles::default() }, None);
        let process = world.process().unwrap();
        process.ahead.blank(&process.tables).unwrap_err();
        world.crash();
        world.begin().unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
}

#[test]
fn a_world_is_the_same_every_time() {
    for seed in 1..20 {
        let (one, other) = (run(seed), run(seed));
        assert_eq!((one.story, one.operations), (other.story, other.operations), "seed {seed}");
    }
}

/// Proof that the simulated disk can find something: bugs that are there on purpose.
#[cfg(feature = "planted-bugs")]
#[test]
fn every_planted_bug_of_the_log_is_found() {
    use crate::planted::{Bug, plant_here};

    for (name, bug) in Bug::OF_THE_LOG {
        plant_here(Some(bug));
        let found = (1..=1_000).find_map(|seed| Some((seed, run(seed).violation?)));
        plant_here(None);
        let (seed, what) = found.unwrap_or_else(|| panic!("nobody noticed {name}"));
        println!("{name}: found at seed {seed}: {what}");
    }
}
