//! A shard: one task that owns its processes.
//!
//! A turn takes everything that waits in the inbox, turns it into facts, applies them, and writes
//! facts, records and history as one commit. Only then are effects performed and callers answered.
//! If the commit fails, the shard forgets what it had in memory and reads again what is durable.
//!
//! On a store that several nodes share, a shard works only while its node holds the lease: it
//! begins by reading what is durable, and ends when a commit is refused.

mod commit;
mod known;
mod perform;
mod recovery;
mod redrive;
mod resident;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use store::planted::{Bug, is_planted};
use store::{Lease, Load, Lsn, Read, Table, Write};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use value::Value;

use crate::activities::answer_row;
use crate::clock::Busy;
use crate::endpoint::CallError;
use crate::peers::Callback;
use crate::process::{
    Begin, Effect, Entry, Fact, JournalLine, Notice, Process, Stamp, StatusChange,
};
use crate::processes::{EXECUTION_EVENTS_SOURCE, ExecutionProcess, emit};
use crate::scripts::ScriptAnswer;
use crate::timers::Sleeper;
use crate::{Error, Novelty, ProcessId, Shared, Started};
use resident::{Resident, row_key};

/// How many messages one turn takes; the rest waits for the next, so that turns stay short.
const MESSAGES_PER_TURN_MAX: usize = 256;
/// After how long a process that fell due and could not be read is tried again, in milliseconds.
const READ_AGAIN_MILLIS: i64 = 5_000;
/// How often, once a second, a shard with scripts is not put down for another node: for longer than
/// any script may run.
const RELEASES_PUT_OFF_MAX: u32 = 660;

/// What a shard can be told.
pub(crate) enum Message {
    /// Begin a process, unless one of this id is known.
    Begin {
        id: ProcessId,
        begin: Box<Begin>,
        novelty: Novelty,
        reply: oneshot::Sender<Result<Started, Error>>,
    },
    /// A request to a running process: stop, signal.
    Request { id: ProcessId, fact: Fact, reply: oneshot::Sender<Result<(), Error>> },
    /// Something is said about a task.
    Callback { id: ProcessId, callback: Box<Callback>, reply: oneshot::Sender<Result<(), Error>> },
    /// A call was answered; `life` is the shard's when it was made.
    Answered { life: u64, id: ProcessId, call: u64, answer: Result<Value, CallError> },
    /// A script is about to be started; on an answer that is durable.
    ScriptBegins {
        life: u64,
        id: ProcessId,
        script: u64,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// A script ended.
    ScriptEnded { life: u64, id: ProcessId, script: u64, answer: ScriptAnswer },
    /// Something of a child execution; `life` is the shard's when it was asked for.
    Child { life: u64, id: ProcessId, number: u64, fact: execution::MapRunFact },
    /// A timer fell due.
    TimerFired { id: ProcessId, timer: u64 },
    /// The shard is this node's, under this fencing number.
    Own { epoch: u64 },
    /// The shard is another node's.
    Lost,
    /// Put the shard down in order, for another node.
    Release,
    /// Forget everything in memory and wait: the store is about to be emptied.
    Reset { reply: oneshot::Sender<()>, emptied: oneshot::Receiver<()> },
    /// Write a checkpoint and end.
    Stop { reply: oneshot::Sender<()> },
}

/// A message, and the proof that it is under way.
pub(crate) struct Envelope {
    pub(crate) message: Message,
    /// Messages of an earlier epoch (before a reset) are dropped.
    pub(crate) epoch: u64,
    pub(crate) busy: Busy,
}

/// Who waits for a commit, and what they will hear.
enum Reply {
    Began(oneshot::Sender<Result<Started, Error>>, Started),
    Requested(oneshot::Sender<Result<(), Error>>),
    /// The process does not run, if the shard is still this node's.
    NotRunning(oneshot::Sender<Result<(), Error>>),
}

/// What a turn has gathered for its commit and for after it.
#[derive(Default)]
struct Turn {
    lines: Vec<JournalLine>,
    writes: Vec<Write>,
    effects: Vec<(ProcessId, Effect)>,
    replies: Vec<Reply>,
    events: bool,
    /// Processes that have ended, for those who follow them.
    ended: Vec<ProcessId>,
    /// Processes that something happened to.
    touched: Vec<ProcessId>,
    /// Whether those that are to begin have begun before, as of the turn's beginning; each is
    /// taken out once it has been told.
    looked_up: HashMap<ProcessId, bool>,
}

/// Where a shard's journal stands.
#[derive(Clone, Copy, Default)]
struct Position {
    /// The last entry.
    last: Lsn,
    /// The last entry that was truncated.
    checkpoint: Lsn,
    /// How many lines there are behind the checkpoint.
    lines: usize,
}

pub(crate) struct Shard {
    number: u32,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Envelope>,
    /// The fencing number while this node owns the shard.
    epoch: Option<u64>,
    /// Counts how often the shard has forgotten everything. An answer to a call of an earlier life
    /// is not taken: the call has been made again, and is under way.
    life: u64,
    /// Processes that do not just wait.
    residents: HashMap<ProcessId, Resident>,
    /// Calls and scripts under way, to be cancelled or forgotten.
    running: BTreeMap<(ProcessId, u64), AbortHandle>,
    /// The scripts among them, which would fail elsewhere.
    scripts: BTreeSet<(ProcessId, u64)>,
    /// How often the shard was not put down for them.
    releases_put_off: u32,
    position: Position,
}

impl Shard {
    pub(crate) fn new(number: u32, shared: Arc<Shared>, inbox: mpsc::Receiver<Envelope>) -> Shard {
        Shard {
            number,
            shared,
            inbox,
            epoch: None,
            life: 0,
            residents: HashMap::new(),
            running: BTreeMap::new(),
            scripts: BTreeSet::new(),
            releases_put_off: 0,
            position: Position::default(),
        }
    }

    /// Returns how many processes are in memory.
    pub(crate) fn processes(&self) -> usize {
        self.residents.len()
    }

    /// Runs until told to stop. `starting` keeps virtual time from jumping to the deadline of a
    /// call before the call is made again.
    pub(crate) async fn run(mut self, starting: Busy) {
        self.perform_outstanding();
        drop(starting);
        let mut envelopes = Vec::new();
        while self.inbox.recv_many(&mut envelopes, MESSAGES_PER_TURN_MAX).await > 0 {
            let epoch = self.shared.epoch();
            let mut turn = Turn { looked_up: self.look_up(&envelopes), ..Turn::default() };
            let mut under_way = Vec::with_capacity(envelopes.len());
            for envelope in envelopes.drain(..) {
                under_way.push(envelope.busy);
                match envelope.message {
                    Message::Own { epoch } => {
                        self.finish_turn(std::mem::take(&mut turn)).await;
                        self.own(epoch);
                    }
                    Message::Lost => self.lose(&mut turn),
                    Message::Release if self.puts_release_off() => {}
                    Message::Release => {
                        self.finish_turn(std::mem::take(&mut turn)).await;
                        self.release().await;
                    }
                    Message::Reset { reply, emptied } => {
                        self.forget();
                        self.position = Position::default();
                        turn = Turn::default();
                        let _ = reply.send(());
                        // An error says that nobody empties it after all.
                        let _ = emptied.await;
                    }
                    Message::Stop { reply } => {
                        self.finish_turn(turn).await;
                        self.release().await;
                        let _ = reply.send(());
                        return;
                    }
                    message if envelope.epoch == epoch => self.take(message, &mut turn),
                    _stale => {}
                }
            }
            self.finish_turn(turn).await;
            drop(under_way);
        }
    }

    /// Takes the shard over, with everything that is durable.
    fn own(&mut self, epoch: u64) {
        if self.epoch == Some(epoch) {
            return;
        }
        self.forget();
        self.epoch = None;
        match self.recover(epoch) {
            Ok(()) => self.perform_outstanding(),
            Err(err) => {
                tracing::error!(shard = self.number, error = %err, "the shard cannot be read");
                self.epoch = Some(epoch);
                self.put_down();
            }
        }
    }

    /// Another node has the shard, or the store is away: what the turn has gathered is not kept.
    fn lose(&mut self, turn: &mut Turn) {
        let lost = std::mem::take(turn);
        commit::answer(lost.replies, &Err(Error::NotHere));
        // The node knows, and may have been given the shard again: that is told next.
        self.forget();
        self.epoch = None;
    }

    /// Returns whether the shard is kept for now, though another node should have it: its scripts
    /// would be interrupted. It is asked for again.
    fn puts_release_off(&mut self) -> bool {
        let is_put_off = !self.scripts.is_empty() && self.releases_put_off < RELEASES_PUT_OFF_MAX;
        self.releases_put_off += u32::from(is_put_off);
        is_put_off
    }

    /// Puts the shard down in order.
    async fn release(&mut self) {
        if self.epoch.is_some() {
            self.checkpoint().await;
            self.put_down();
            // Somebody waits for it.
            self.shared.node.hurry();
        }
    }

    /// Forgets the shard. Whoever keeps the leases brings it back, if it is still this node's; not
    /// in a hurry: if the disk is full or the database gone, the next attempt ends like this one.
    fn put_down(&mut self) {
        self.forget();
        if let Some(epoch) = self.epoch.take() {
            self.shared.node.put_down(Lease { shard: self.number, epoch });
        }
    }

    /// Turns one message into facts and applies them.
    fn take(&mut self, message: Message, turn: &mut Turn) {
        if self.epoch.is_none() {
            return refuse(message);
        }
        match message {
            Message::Begin { id, begin, novelty, reply } => {
                match self.has_begun(&id, novelty, turn) {
                    Ok(false) => self.begin(&id, *begin, reply, turn),
                    Ok(true) => turn.replies.push(Reply::Began(reply, Started::AlreadyKnown)),
                    Err(err) => drop(reply.send(Err(err))),
                }
            }
            Message::Request { id, fact, reply } => self.request(&id, fact, reply, turn),
            Message::Callback { id, callback, reply } => {
                self.called_back(&id, &callback, reply, turn);
            }
            Message::Answered { life, id, call, answer } if life == self.life => {
                self.running.remove(&(id.clone(), call));
                let Some(resident) = self.residents.get(&id) else { return };
                // With the fact durable, nobody will ask for the remembered answer again.
                turn.writes.push(Write::Delete(Table::Applied, resident.process.effect_id(call)));
                let fact = resident.process.answered(call, answer);
                self.apply_some(&id, fact, turn);
            }
            Message::ScriptBegins { life, id, script, reply } if life == self.life => {
                let begun = automation::Fact::ScriptBegun { id: script };
                self.request(&id, Fact::Automation(begun), reply, turn);
            }
            Message::ScriptEnded { life, id, script, answer } if life == self.life => {
                self.running.remove(&(id.clone(), script));
                self.scripts.remove(&(id.clone(), script));
                let resident = self.residents.get(&id);
                let fact = resident.and_then(|resident| resident.process.script_ended(answer));
                self.apply_some(&id, fact, turn);
            }
            Message::Child { life, id, number, fact } if life == self.life => {
                if !matches!(fact, execution::MapRunFact::ChildStarted) {
                    self.running.remove(&(id.clone(), number));
                }
                let fact = ExecutionProcess::child(number, fact);
                if self.residents.contains_key(&id) {
                    self.apply(&id, Fact::Execution(fact), turn);
                }
            }
            Message::TimerFired { id, timer } => self.timer_fired(id, timer, turn),
            // Answers of an earlier life, and what was taken before.
            Message::Answered { .. }
            | Message::ScriptBegins { .. }
            | Message::ScriptEnded { .. }
            | Message::Child { .. }
            | Message::Own { .. }
            | Message::Lost
            | Message::Release
            | Message::Reset { .. }
            | Message::Stop { .. } => {}
        }
    }

    fn request(
        &mut self,
        id: &ProcessId,
        fact: Fact,
        reply: oneshot::Sender<Result<(), Error>>,
        turn: &mut Turn,
    ) {
        let there = match self.is_resident(id) {
            Ok(false) if fact.is_redrive() => self.bring_back(id, turn),
            there => there,
        };
        match there {
            Ok(true) => {
                self.apply(id, fact, turn);
                turn.replies.push(Reply::Requested(reply));
            }
            Ok(false) => turn.replies.push(Reply::NotRunning(reply)),
            Err(err) => drop(reply.send(Err(err))),
        }
    }

    fn called_back(
        &mut self,
        id: &ProcessId,
        callback: &Callback,
        reply: oneshot::Sender<Result<(), Error>>,
        turn: &mut Turn,
    ) {
        match self.is_resident(id) {
            Ok(true) => {}
            Ok(false) => return turn.replies.push(Reply::NotRunning(reply)),
            Err(err) => return drop(reply.send(Err(err))),
        }
        let resident = self.residents.get(id);
        let fact = resident.and_then(|resident| resident.process.called_back(callback));
        if let Some(fact) = fact {
            self.apply(id, fact, turn);
            turn.writes.extend(callback.answered.as_ref().map(answer_row));
            turn.replies.push(Reply::Requested(reply));
        } else {
            // It goes back to where it was.
            turn.touched.push(id.clone());
            turn.replies.push(Reply::NotRunning(reply));
        }
    }

    fn timer_fired(&mut self, id: ProcessId, timer: u64, turn: &mut Turn) {
        match self.is_resident(&id) {
            Ok(true) => {
                let resident = self.residents.get(&id);
                let fact = resident.and_then(|resident| resident.process.timer_fired(timer));
                self.apply_some(&id, fact, turn);
            }
            Ok(false) => {}
            // Nobody else would wake it before the next start.
            Err(_) => {
                let at_millis = self.shared.clock.now_millis() + READ_AGAIN_MILLIS;
                self.arm(id, timer, at_millis);
            }
        }
    }

    fn arm(&self, id: ProcessId, timer: u64, at_millis: i64) {
        let timer = (Sleeper::Process(id), timer);
        self.shared.timers.arm(timer, at_millis, &self.shared.clock);
    }

    /// Returns whether a process runs; one that waits outside is brought back into memory.
    ///
    /// # Errors
    /// When it cannot be read. It stays where it is, untouched.
    fn is_resident(&mut self, id: &ProcessId) -> Result<bool, Error> {
        if self.residents.contains_key(id) {
            return Ok(true);
        }
        let key = row_key(self.number, id);
        let row = self.shared.store.get(Table::Snapshots, &key);
        let loaded = match row {
            Ok(Some(row)) => Resident::restore(id, &row, &self.shared.definitions),
            Ok(None) => return Ok(false),
            Err(err) => Err(Error::Store(err)),
        };
        let resident = loaded.inspect_err(|err| {
            tracing::error!(process = %id, error = %err, "a process cannot be read");
        })?;
        self.residents.insert(id.clone(), resident);
        Ok(true)
    }

    fn begin(
        &mut self,
        id: &ProcessId,
        begin: Begin,
        reply: oneshot::Sender<Result<Started, Error>>,
        turn: &mut Turn,
    ) {
        let stamp = Stamp::now(&self.shared.clock);
        let mut effects = Vec::new();
        match Process::begin(id, &begin, &stamp, &self.shared.definitions, &mut effects) {
            Ok(process) => {
                self.residents.insert(id.clone(), Resident::new(process));
                let entry = Entry::Began(begin);
                turn.lines.push(JournalLine { process: id.clone(), stamp, entry });
                self.gather(id, effects, turn);
                turn.replies.push(Reply::Began(reply, Started::New { at_millis: stamp.millis }));
                self.shared.figures.begun(self.number, id.kind());
            }
            Err(err) => drop(reply.send(Err(err))),
        }
    }

    fn apply_some(&mut self, id: &ProcessId, fact: Option<Fact>, turn: &mut Turn) {
        if let Some(fact) = fact {
            self.apply(id, fact, turn);
        }
    }

    fn apply(&mut self, id: &ProcessId, fact: Fact, turn: &mut Turn) {
        let Some(resident) = self.residents.get_mut(id) else { return };
        let stamp = Stamp::now(&self.shared.clock);
        let mut effects = Vec::new();
        resident.changed = true;
        resident.process.apply(&stamp, fact.clone(), &mut effects);
        turn.lines.push(JournalLine { process: id.clone(), stamp, entry: Entry::Fact(fact) });
        self.gather(id, effects, turn);
    }

    /// Sorts what came out of a process into what is written and what is done afterwards.
    fn gather(&mut self, id: &ProcessId, effects: Vec<Effect>, turn: &mut Turn) {
        self.shared.figures.applied();
        turn.touched.push(id.clone());
        for effect in effects {
            let effect = match effect {
                Effect::StatusChanged(change) => match self.status_event(id, &change) {
                    Some(event) => event,
                    None => continue,
                },
                Effect::Notice(notice) => match self.told(*notice) {
                    Some(event) => event,
                    None => continue,
                },
                effect => effect,
            };
            match effect {
                Effect::Write(write) => turn.writes.push(write),
                Effect::Emit(Write::Put(_, key, _))
                    if is_planted(Bug::DropEvent) && key.starts_with('0') => {}
                Effect::Emit(write) => {
                    turn.events = true;
                    turn.writes.push(write);
                }
                // Events have been made of them.
                Effect::StatusChanged(_) | Effect::Notice(_) => {}
                Effect::Finished => turn.ended.push(id.clone()),
                Effect::Call { .. }
                | Effect::Enqueue { .. }
                | Effect::Look { .. }
                | Effect::Tell { .. }
                | Effect::Answer { .. }
                | Effect::Script { .. }
                | Effect::Cancel { .. }
                | Effect::Child { .. }
                | Effect::StopChild { .. }
                | Effect::FleetChild { .. }
                | Effect::Items { .. }
                | Effect::Results { .. }
                | Effect::Arm { .. }
                | Effect::Disarm { .. } => turn.effects.push((id.clone(), effect)),
            }
        }
    }

    /// Returns the effect that writes an event down, if anybody listens.
    fn told(&self, notice: Notice) -> Option<Effect> {
        let Notice { event, stamp, number } = notice;
        let heard = self.shared.endpoint()?.hears(&event.source);
        heard.then(|| emit(event, &stamp, number))
    }

    /// Returns the event of a change of status, if anybody listens.
    fn status_event(&self, id: &ProcessId, change: &StatusChange) -> Option<Effect> {
        let endpoint = self.shared.endpoint()?;
        if !endpoint.hears(EXECUTION_EVENTS_SOURCE) {
            return None;
        }
        self.residents.get(id)?.process.status_event(change)
    }

    fn forget(&mut self) {
        self.life += 1;
        for task in std::mem::take(&mut self.running).into_values() {
            task.abort();
        }
        self.scripts.clear();
        self.releases_put_off = 0;
        self.residents.clear();
        self.shared.figures.forgot(self.number);
        self.shared.timers.forget_shard(self.number);
    }
}

/// Answers a message that reached a shard of another node.
fn refuse(message: Message) {
    match message {
        Message::Begin { reply, .. } => drop(reply.send(Err(Error::NotHere))),
        Message::Request { reply, .. }
        | Message::Callback { reply, .. }
        | Message::ScriptBegins { reply, .. } => {
            drop(reply.send(Err(Error::NotHere)));
        }
        Message::Answered { .. }
        | Message::ScriptEnded { .. }
        | Message::Child { .. }
        | Message::TimerFired { .. }
        | Message::Own { .. }
        | Message::Lost
        | Message::Release
        | Message::Reset { .. }
        | Message::Stop { .. } => {}
    }
}

/// Returns the key of the setting that holds the position up to which a shard's journal was
/// truncated.
fn checkpoint_key(shard: u32) -> String {
    format!("checkpoint/{shard:04}")
}

/// Returns the position up to which a shard's journal was truncated.
fn checkpoint_of(tx: &dyn Read, shard: u32) -> Result<Lsn, store::Error> {
    Ok(tx.load(Table::RuntimeSettings, &checkpoint_key(shard))?.unwrap_or(0))
}
