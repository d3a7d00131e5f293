//! What runs: processes of three kinds behind one face.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::{Table, Write};
use value::{SerdeError, Value};

use crate::Error;
use crate::activities::Place;
use crate::children::ChildTask;
use crate::clock::Clock;
use crate::definitions::Definitions;
use crate::endpoint::{Call, CallError};
use crate::fleet::FleetChild;
use crate::items::ItemsTask;
use crate::peers::Callback;
use crate::processes::{
    AutomationProcess, BeginAutomation, BeginExecution, BeginStack, ErrandDone, ExecutionProcess,
    StackProcess, Watcher,
};
use crate::results::ResultsTask;
use crate::scripts::{Script, ScriptAnswer};

/// The kinds of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A state-machine execution; its id is the execution ARN.
    Execution,
    /// A runbook execution; its id is the automation execution id.
    Automation,
    /// A stack operation; its id is the stack id and the operation's token.
    Stack,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Execution => "execution",
            Kind::Automation => "automation",
            Kind::Stack => "stack",
        }
    }

    /// Returns the table that holds one record per process of this kind.
    pub(crate) const fn record_table(self) -> Table {
        match self {
            Kind::Execution => Table::Executions,
            Kind::Automation => Table::Automations,
            Kind::Stack => Table::StackOperations,
        }
    }
}

/// Names a process, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    kind: Kind,
    name: Arc<str>,
}

impl ProcessId {
    /// Returns the id of a process.
    pub fn new(kind: Kind, name: &str) -> ProcessId {
        ProcessId { kind, name: Arc::from(name) }
    }

    pub(crate) fn parse(text: &str) -> Option<ProcessId> {
        let (kind, name) = text.split_once('/')?;
        let kind = [Kind::Execution, Kind::Automation, Kind::Stack]
            .into_iter()
            .find(|known| known.name() == kind)?;
        Some(ProcessId::new(kind, name))
    }

    /// Returns its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns its name within the kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the shard it belongs to (FNV-1a, fixed for ever: it decides who reads which
    /// journal).
    pub(crate) fn shard(&self, shards: u32) -> u32 {
        let mut hash: u32 = 0x811c_9dc5;
        for byte in self.kind.name().bytes().chain(self.name.bytes()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        hash % shards
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.name)
    }
}

/// When a fact happened, and randomness that belongs to it: the same at every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) millis: i64,
    pub(crate) entropy: [u8; 32],
}

impl Stamp {
    pub(crate) fn now(clock: &Clock) -> Stamp {
        Stamp { millis: clock.now_millis(), entropy: clock.entropy() }
    }
}

/// How a process begins, by kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Begin {
    /// A state-machine execution.
    Execution(BeginExecution),
    /// A runbook execution.
    Automation(BeginAutomation),
    /// A stack operation.
    Stack(BeginStack),
}

/// What happened to a process, by kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Fact {
    /// To a state-machine execution.
    Execution(execution::Fact),
    /// To a runbook execution.
    Automation(automation::Fact),
    /// To a stack operation.
    Stack(stacks::Fact),
    /// Another execution waits for the end of this one.
    Watched(Watcher),
    /// Something that this execution had to do elsewhere is done.
    ErrandDone(ErrandDone),
}

impl Fact {
    /// Returns whether it is about what has ended.
    pub(crate) fn is_redrive(&self) -> bool {
        match self {
            Fact::Execution(fact) => matches!(
                fact,
                execution::Fact::Redriven { .. } | execution::Fact::RedrivenByMapRun { .. }
            ),
            Fact::Automation(_) | Fact::Stack(_) | Fact::Watched(_) | Fact::ErrandDone(_) => false,
        }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JournalLine {
    pub(crate) process: ProcessId,
    #[serde(with = "stamp_as_text")]
    pub(crate) stamp: Stamp,
    pub(crate) entry: Entry,
}

/// What a journal line says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    Began(Begin),
    Fact(Fact),
    /// It has ended; what the journal said of it before no longer matters.
    Ended,
}

/// What a process wants of its shard.
pub(crate) enum Effect {
    /// Write this with the commit.
    Write(Write),
    /// Write this event into the outbox with the commit, and tell the world afterwards.
    Emit(Write),
    /// As `Emit`, if anybody listens.
    Notice(Box<Notice>),
    /// The status has changed: as `Emit`, if anybody listens; the process makes the event.
    StatusChanged(Box<StatusChange>),
    /// Call an operation; `number` is the process's own.
    Call { number: u64, call: Box<Call> },
    /// Look how a job is doing; it may be a process that is then asked to tell of its end.
    Look { number: u64, call: Box<Call>, job: Box<execution::Job> },
    /// Tell an execution that this one has ended; numbers are shared with calls.
    Tell { number: u64, watcher: Box<Watcher> },
    /// Put a task into an activity's queue; numbers are shared with calls.
    Enqueue { number: u64, place: Box<Place> },
    /// A call that cannot be made; its answer is known already.
    Answer { number: u64, err: CallError },
    /// Run a script; numbers are shared with calls.
    Script { number: u64, script: Box<Script> },
    /// A call or script is no longer wanted.
    Cancel { number: u64 },
    /// Wake me.
    Arm { timer: u64, at_millis: i64 },
    /// Do not wake me.
    Disarm { timer: u64 },
    /// Begin a child execution unless it has begun, and follow it to its end.
    Child { number: u64, child: Box<ChildTask> },
    /// See to a child of a runbook that runs over many targets.
    FleetChild { number: u64, child: Box<FleetChild> },
    /// Write the results of a map run.
    Results { number: u64, task: Box<ResultsTask> },
    /// Read or bring items of a map run.
    Items { number: u64, task: Box<ItemsTask> },
    /// End a child execution, whether or not it has begun.
    StopChild { number: u64, child: Box<ChildTask> },
    /// It has ended; whoever follows it is to hear of that.
    Finished,
}

/// An event that is written down only if anybody listens.
pub(crate) struct Notice {
    pub(crate) event: events::Event,
    pub(crate) stamp: Stamp,
    /// Which of the events of its fact it is.
    pub(crate) number: usize,
}

/// A change of the status of a state-machine execution.
pub(crate) struct StatusChange {
    pub(crate) stamp: Stamp,
    /// How it ended; none when it began.
    pub(crate) finish: Option<Box<execution::Finish>>,
}

/// Returns the write of a value as JSON.
pub(crate) fn put(table: Table, key: impl Into<String>, value: &Value) -> Write {
    Write::Put(table, key.into(), value.to_json().into_bytes())
}

/// A running process.
pub(crate) enum Process {
    Execution(ExecutionProcess),
    Automation(AutomationProcess),
    Stack(StackProcess),
}

impl Process {
    /// Begins a process: applies its first fact.
    pub(crate) fn begin(
        id: &ProcessId,
        begin: &Begin,
        stamp: &Stamp,
        definitions: &Definitions,
        effects: &mut Vec<Effect>,
    ) -> Result<Process, Error> {
        Ok(match begin {
            Begin::Execution(begin) => Process::Execution(ExecutionProcess::begin(
                id.name(),
                begin,
                stamp,
                definitions,
                effects,
            )?),
            Begin::Automation(begin) => Process::Automation(AutomationProcess::begin(
                id.name(),
                begin,
                stamp,
                definitions,
                effects,
            )?),
            Begin::Stack(begin) => {
                Process::Stack(StackProcess::begin(id.name(), begin, stamp, effects))
            }
        })
    }

    /// Applies a fact. A fact of another kind cannot reach it: ids carry their kind.
    pub(crate) fn apply(&mut self, stamp: &Stamp, fact: Fact, effects: &mut Vec<Effect>) {
        match (self, fact) {
            (Process::Execution(process), Fact::Execution(fact)) => {
                process.apply(stamp, fact, effects);
            }
            (Process::Automation(process), Fact::Automation(fact)) => {
                process.apply(stamp, fact, effects);
            }
            (Process::Stack(process), Fact::Stack(fact)) => process.apply(stamp, fact, effects),
            (Process::Execution(process), Fact::Watched(watcher)) => process.watch(watcher),
            (Process::Execution(process), Fact::ErrandDone(done)) => {
                process.errand_done(done, effects);
            }
            (Process::Execution(_) | Process::Automation(_) | Process::Stack(_), _) => {}
        }
    }

    /// Returns the event of a change of status; only executions leave it to others to ask for it.
    pub(crate) fn status_event(&self, change: &StatusChange) -> Option<Effect> {
        match self {
            Process::Execution(process) => Some(process.status_event(change)),
            Process::Automation(_) | Process::Stack(_) => None,
        }
    }

    /// Returns the fact that an answered call is.
    pub(crate) fn answered(&self, call: u64, answer: Result<Value, CallError>) -> Option<Fact> {
        match self {
            Process::Execution(process) => process.answered(call, answer),
            Process::Automation(process) => Some(Fact::Automation(process.answered(call, answer))),
            Process::Stack(process) => process.answered(call, answer).map(Fact::Stack),
        }
    }

    /// Returns the fact that a callback is; `None` when its token is of no open task, or the task
    /// has another worker.
    pub(crate) fn called_back(&self, callback: &Callback) -> Option<Fact> {
        match self {
            Process::Execution(process) => process.called_back(callback).map(Fact::Execution),
            // Only state machines have task tokens.
            Process::Automation(_) | Process::Stack(_) => None,
        }
    }

    /// Returns the id under which a call's answer is remembered until it is a fact.
    pub(crate) fn effect_id(&self, call: u64) -> String {
        match self {
            Process::Execution(process) => process.effect_id(call),
            Process::Automation(process) => process.effect_id(call),
            Process::Stack(process) => process.effect_id(call),
        }
    }

    /// Returns the fact that an ended script is; only runbooks run scripts.
    pub(crate) fn script_ended(&self, answer: ScriptAnswer) -> Option<Fact> {
        match self {
            Process::Automation(_) => Some(Fact::Automation(answer)),
            Process::Execution(_) | Process::Stack(_) => None,
        }
    }

    /// Returns the fact that a timer's falling due is; stack operations have none.
    pub(crate) fn timer_fired(&self, timer: u64) -> Option<Fact> {
        Some(match self {
            Process::Execution(_) => Fact::Execution(ExecutionProcess::timer_fired(timer)),
            Process::Automation(_) => Fact::Automation(automation::Fact::TimerFired { id: timer }),
            Process::Stack(_) => return None,
        })
    }

    /// Returns the effects that are still wanted after a crash: calls, scripts, timers.
    pub(crate) fn outstanding(&self) -> Vec<Effect> {
        match self {
            Process::Execution(process) => process.outstanding(),
            Process::Automation(process) => process.outstanding(),
            Process::Stack(process) => process.outstanding(),
        }
    }

    /// Returns whether it follows other processes.
    pub(crate) fn has_children(&self) -> bool {
        match self {
            Process::Execution(process) => process.has_children(),
            Process::Automation(process) => process.has_children(),
            Process::Stack(_) => false,
        }
    }

    /// Returns everything [`Process::restore`] needs.
    ///
    /// # Errors
    /// When the state cannot be written down, which is a bug of the engine.
    pub(crate) fn snapshot(&self) -> Result<Value, SerdeError> {
        match self {
            Process::Execution(process) => process.snapshot(),
            Process::Automation(process) => process.snapshot(),
            Process::Stack(process) => process.snapshot(),
        }
    }

    /// Returns the process as it was at its snapshot.
    pub(crate) fn restore(
        id: &ProcessId,
        snapshot: Value,
        definitions: &Definitions,
    ) -> Result<Process, Error> {
        let name = id.name();
        Ok(match id.kind() {
            Kind::Execution => {
                Process::Execution(ExecutionProcess::restore(name, snapshot, definitions)?)
            }
            Kind::Automation => {
                Process::Automation(AutomationProcess::restore(name, snapshot, definitions)?)
            }
            Kind::Stack => Process::Stack(StackProcess::restore(name, snapshot)?),
        })
    }

    /// Returns what a redrive goes on with; none when there can be no redrive.
    pub(crate) fn remains(&self) -> Option<Result<Value, SerdeError>> {
        match self {
            Process::Execution(process) => process.remains(),
            Process::Automation(_) | Process::Stack(_) => None,
        }
    }

    /// Returns whether nothing more can happen.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Process::Execution(process) => process.is_finished(),
            Process::Automation(process) => process.is_finished(),
            Process::Stack(process) => process.is_finished(),
        }
    }
}

/// Stamps in the journal: `[millis, "64 hex digits"]`.
mod stamp_as_text {
    use std::fmt::Write as _;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Stamp;

    pub(super) fn serialize<S: Serializer>(stamp: &Stamp, to: S) -> Result<S::Ok, S::Error> {
        let mut hex = String::with_capacity(64);
        for byte in stamp.entropy {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        (stamp.millis, hex).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Stamp, D::Error> {
        let (millis, hex) = <(i64, String)>::deserialize(from)?;
        let mut entropy = [0; 32];
        for (at, byte) in entropy.iter_mut().enumerate() {
            let digits = hex.get(2 * at..2 * at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16)
                .map_err(|_| D::Error::custom("the entropy of a stamp is not 64 hex digits"))?;
        }
        Ok(Stamp { millis, entropy })
    }
}
