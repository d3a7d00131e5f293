//! A shard: one task that owns its processes.
//!
//! A turn takes everything that waits in the inbox, turns it into facts, applies them, and writes
//! facts, records and history as one commit. Only then are effects performed and callers answered.
//! If the commit fails, the shard forgets what it had in memory and reads again what is durable.

mod commit;
mod perform;
mod recovery;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use store::Table;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use value::Value;

use crate::clock::Busy;
use crate::endpoint::CallError;
use crate::process::{Begin, Effect, Entry, Fact, JournalLine, Process, Stamp, Write};
use crate::scripts::ScriptAnswer;
use crate::{Error, ProcessId, Shared, Started};

/// How many messages one turn takes; the rest waits for the next, so that turns stay short.
const MESSAGES_PER_TURN_MAX: usize = 256;
/// After how many journal lines a shard writes snapshots and starts a new journal.
const CHECKPOINT_LINES: usize = 2_000;

/// What a shard can be told.
pub(crate) enum Message {
    /// Begin a process, unless one of this id is known.
    Begin { id: ProcessId, begin: Box<Begin>, reply: oneshot::Sender<Result<Started, Error>> },
    /// A request to a running process: stop, signal.
    Request { id: ProcessId, fact: Fact, reply: oneshot::Sender<Result<(), Error>> },
    /// A call was answered.
    Answered { id: ProcessId, call: u64, answer: Result<Value, CallError> },
    /// A script ended.
    ScriptEnded { id: ProcessId, script: u64, answer: ScriptAnswer },
    /// A timer fell due.
    TimerFired { id: ProcessId, timer: u64 },
    /// Forget everything in memory; the store is about to be emptied.
    Reset { reply: oneshot::Sender<()> },
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
}

/// What a turn has gathered for its commit and for after it.
#[derive(Default)]
struct Turn {
    lines: Vec<JournalLine>,
    writes: Vec<Write>,
    effects: Vec<(ProcessId, Effect)>,
    replies: Vec<Reply>,
    events: bool,
    finished: Vec<ProcessId>,
}

pub(crate) struct Shard {
    number: u32,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Envelope>,
    processes: HashMap<ProcessId, Process>,
    /// Calls and scripts under way, to be cancelled or forgotten.
    running: HashMap<(ProcessId, u64), AbortHandle>,
    /// Processes that changed since the last checkpoint.
    dirty: HashSet<ProcessId>,
    /// Processes that the last checkpoint has a snapshot of.
    snapshots: HashSet<ProcessId>,
    lines_since_checkpoint: usize,
}

impl Shard {
    /// Runs until told to stop.
    pub(crate) async fn run(mut self) {
        self.perform_outstanding();
        let mut envelopes = Vec::new();
        while self.inbox.recv_many(&mut envelopes, MESSAGES_PER_TURN_MAX).await > 0 {
            let epoch = self.shared.epoch();
            let mut turn = Turn::default();
            let mut under_way = Vec::with_capacity(envelopes.len());
            let mut stop = None;
            for envelope in envelopes.drain(..) {
                under_way.push(envelope.busy);
                match envelope.message {
                    Message::Reset { reply } => {
                        self.forget();
                        turn = Turn::default();
                        let _ = reply.send(());
                    }
                    Message::Stop { reply } => stop = Some(reply),
                    message if envelope.epoch == epoch => self.take(message, &mut turn),
                    _stale => {}
                }
            }
            self.finish_turn(turn).await;
            if let Some(reply) = stop {
                self.checkpoint().await;
                let _ = reply.send(());
                return;
            }
            drop(under_way);
        }
    }

    /// Turns one message into facts and applies them.
    fn take(&mut self, message: Message, turn: &mut Turn) {
        match message {
            Message::Begin { id, begin, reply } => self.begin(&id, *begin, reply, turn),
            Message::Request { id, fact, reply } => {
                if self.processes.contains_key(&id) {
                    self.apply(&id, fact, turn);
                    turn.replies.push(Reply::Requested(reply));
                } else {
                    let _ = reply.send(Err(Error::NotRunning));
                }
            }
            Message::Answered { id, call, answer } => {
                self.running.remove(&(id.clone(), call));
                let Some(process) = self.processes.get(&id) else { return };
                // With the fact durable, nobody will ask for the remembered answer again.
                turn.writes.push(Write::Delete(Table::Applied, process.effect_id(call)));
                let fact = process.answered(call, answer);
                self.apply_some(&id, fact, turn);
            }
            Message::ScriptEnded { id, script, answer } => {
                self.running.remove(&(id.clone(), script));
                let fact = self.processes.get(&id).and_then(|process| process.script_ended(answer));
                self.apply_some(&id, fact, turn);
            }
            Message::TimerFired { id, timer } => {
                let fact = self.processes.get(&id).and_then(|process| process.timer_fired(timer));
                self.apply_some(&id, fact, turn);
            }
            Message::Reset { .. } | Message::Stop { .. } => {}
        }
    }

    fn begin(
        &mut self,
        id: &ProcessId,
        begin: Begin,
        reply: oneshot::Sender<Result<Started, Error>>,
        turn: &mut Turn,
    ) {
        match self.shared.is_known(id, self.processes.contains_key(id)) {
            Ok(false) => {}
            Ok(true) => return turn.replies.push(Reply::Began(reply, Started::AlreadyKnown)),
            Err(err) => return drop(reply.send(Err(err))),
        }
        let stamp = Stamp::now(&self.shared.clock);
        let mut effects = Vec::new();
        match Process::begin(id, &begin, &stamp, &self.shared.definitions, &mut effects) {
            Ok(process) => {
                self.processes.insert(id.clone(), process);
                let entry = Entry::Began(begin);
                turn.lines.push(JournalLine { process: id.clone(), stamp, entry });
                self.gather(id, effects, turn);
                turn.replies.push(Reply::Began(reply, Started::New));
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
        let Some(process) = self.processes.get_mut(id) else { return };
        let stamp = Stamp::now(&self.shared.clock);
        let mut effects = Vec::new();
        process.apply(&stamp, fact.clone(), &mut effects);
        turn.lines.push(JournalLine { process: id.clone(), stamp, entry: Entry::Fact(fact) });
        self.gather(id, effects, turn);
    }

    /// Sorts what came out of a process into what is written and what is done afterwards.
    fn gather(&mut self, id: &ProcessId, effects: Vec<Effect>, turn: &mut Turn) {
        self.dirty.insert(id.clone());
        for effect in effects {
            match effect {
                Effect::Write(write) => turn.writes.push(write),
                Effect::Emit(write) => {
                    turn.events = true;
                    turn.writes.push(write);
                }
                Effect::Finished => turn.finished.push(id.clone()),
                Effect::Call { .. }
                | Effect::Answer { .. }
                | Effect::Script { .. }
                | Effect::Cancel { .. }
                | Effect::Arm { .. }
                | Effect::Disarm { .. } => turn.effects.push((id.clone(), effect)),
            }
        }
    }

    fn forget(&mut self) {
        for (_, task) in self.running.drain() {
            task.abort();
        }
        self.processes.clear();
        self.dirty.clear();
        self.snapshots.clear();
        self.lines_since_checkpoint = 0;
    }
}
