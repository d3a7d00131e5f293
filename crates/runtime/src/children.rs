//! Child executions of map runs: begun, followed to their end, and ended.
//!
//! A parent asks for a child as for a call. Whatever happens to the node, it asks again; a child
//! that has begun is not begun a second time, for its name is its own. That a child has ended is
//! read from its record, so nothing is lost between the two.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use execution::{
    Child, ChildEnd, ChildKind, Fact as ExecutionFact, MapRunFact, Payload, Started, Status,
};
use store::{Load, SHARDS, Table};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use value::Value;

use crate::clock::{Busy, Clock};
use crate::node::Place;
use crate::process::{Begin, Fact, Kind};
use crate::processes::BeginExecution;
use crate::shard::Message;
use crate::{Error, ProcessId, Runtime, Shared};

/// How long to wait before something is tried again that failed, in milliseconds.
pub(crate) const TRY_AGAIN_MILLIS: u64 = 1_000;
/// How often a child is looked at that runs on another node, in milliseconds.
pub(crate) const LOOK_ELSEWHERE_MILLIS: u64 = 1_000;
/// How often a child is looked at that runs here, in milliseconds: its shard tells when it has
/// ended, unless it has gone elsewhere.
pub(crate) const LOOK_HERE_MILLIS: u64 = 10_000;

/// What the runtime needs to know of a child.
pub(crate) struct ChildTask {
    pub(crate) id: ProcessId,
    kind: ChildKind,
    /// How it begins; none once it is known to have begun.
    pub(crate) begin: Option<Box<BeginExecution>>,
    /// Which redrive of its map run redrives it; none once it is known to have been.
    redrive: Option<u32>,
}

impl ChildTask {
    /// Returns the task of a child; `parent` is how its parent began.
    pub(crate) fn new(child: Child, parent: &BeginExecution) -> ChildTask {
        let Child { name, of, input, redrive, .. } = child;
        let kind = of.kind;
        // `…:mapRun:machine/label:id`
        let (prefix, run) = of.map_run_arn.split_once(":mapRun:").unwrap_or_default();
        let machine = run.rsplit_once(':').map_or(run, |(machine, _)| machine);
        let arn = match kind {
            ChildKind::Standard => format!("{prefix}:execution:{machine}:{name}"),
            // Express executions end in an id of their own; this name is one.
            ChildKind::Express => format!("{prefix}:express:{machine}:{name}:{name}"),
        };
        let begin = input.map(|input| {
            Box::new(BeginExecution {
                name,
                state_machine_arn: format!("{prefix}:stateMachine:{machine}"),
                state_machine_name: machine.to_owned(),
                definition: parent.definition.clone(),
                role_arn: parent.role_arn.clone(),
                region: parent.region.clone(),
                input: input.text(),
                machine: Value::Null,
                state_machine_version_arn: None,
                state_machine_alias_arn: None,
                child: Some(Box::new(of.clone())),
            })
        });
        ChildTask { id: ProcessId::new(Kind::Execution, &arn), kind, begin, redrive }
    }
}

/// Who waits for the end of which process.
#[derive(Default)]
pub(crate) struct Followers {
    waiting: Mutex<HashMap<ProcessId, Vec<oneshot::Sender<Busy>>>>,
}

impl Followers {
    fn waiting(&self) -> MutexGuard<'_, HashMap<ProcessId, Vec<oneshot::Sender<Busy>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everyone who waits that the process has ended.
    pub(crate) fn tell(&self, id: &ProcessId, clock: &Clock) {
        for follower in self.waiting().remove(id).unwrap_or_default() {
            // Whoever has stopped waiting does not need to know.
            let _ = follower.send(clock.busy());
        }
    }

    pub(crate) fn wait(&self, id: &ProcessId) -> oneshot::Receiver<Busy> {
        let (follower, told) = oneshot::channel();
        let mut waiting = self.waiting();
        let followers = waiting.entry(id.clone()).or_default();
        followers.retain(|follower| !follower.is_closed());
        followers.push(follower);
        told
    }

    pub(crate) fn forget(&self, id: &ProcessId) {
        let mut waiting = self.waiting();
        if let Some(followers) = waiting.get_mut(id) {
            followers.retain(|follower| !follower.is_closed());
            if followers.is_empty() {
                waiting.remove(id);
            }
        }
    }
}

/// A child that somebody asked for.
struct Asked {
    shared: Arc<Shared>,
    /// The shard's life when it did.
    life: u64,
    epoch: u64,
    parent: ProcessId,
    number: u64,
}

impl Asked {
    async fn tell(&self, fact: MapRunFact, busy: Busy) {
        let (life, id, number) = (self.life, self.parent.clone(), self.number);
        self.shared.send(Message::Child { life, id, number, fact }, self.epoch, busy).await;
    }

    fn runtime(&self) -> Runtime {
        Runtime { shared: self.shared.clone() }
    }

    /// Begins the child, unless it has begun.
    ///
    /// # Errors
    /// Why it can never begin.
    async fn begin(&self, id: &ProcessId, begin: &BeginExecution) -> Result<(), Error> {
        loop {
            let begin = Begin::Execution(begin.clone());
            match self.runtime().begin(id.clone(), begin).await {
                Ok(_) => return Ok(()),
                Err(err @ Error::Definition { .. }) => return Err(err),
                // The store is away, or the shard is changing hands: neither lasts.
                Err(_) => self.shared.clock.sleep(TRY_AGAIN_MILLIS).await,
            }
        }
    }

    /// Tells the child something that it takes in once, however often it is told. Nothing, if it
    /// has ended and that is no redrive, or cannot be redriven.
    async fn request(&self, id: &ProcessId, fact: &ExecutionFact) {
        loop {
            match self.runtime().request(id.clone(), Fact::Execution(fact.clone())).await {
                Ok(()) | Err(Error::NotRunning) => return,
                Err(_) => self.shared.clock.sleep(TRY_AGAIN_MILLIS).await,
            }
        }
    }

    /// Returns how the child ended, once it has; it was told to.
    async fn end_of(&self, id: &ProcessId) -> Option<ChildEnd> {
        loop {
            match self.record(id) {
                Ok(record) => return record.as_ref().and_then(ended),
                Err(_) => self.shared.clock.sleep(TRY_AGAIN_MILLIS).await,
            }
        }
    }

    /// Follows a standard child to its end.
    async fn follow(&self, id: &ProcessId, is_known_to_run: bool, busy: Busy) {
        let mut busy = Some(busy);
        let mut tells_start = !is_known_to_run;
        loop {
            let told = self.shared.followers.wait(id);
            // It has begun, so that one without a record is the store's failure: it is read again.
            if let Ok(Some(record)) = self.record(id) {
                if let Some(end) = ended(&record) {
                    drop(told);
                    self.shared.followers.forget(id);
                    let busy = busy.unwrap_or_else(|| self.shared.clock.busy());
                    return self.tell(MapRunFact::ChildEnded(Box::new(end)), busy).await;
                }
                if tells_start {
                    tells_start = false;
                    let busy = busy.take().unwrap_or_else(|| self.shared.clock.busy());
                    self.tell(MapRunFact::ChildStarted, busy).await;
                }
            }
            drop(busy.take());
            let millis = match self.shared.node.place(id.shard(SHARDS)) {
                Place::Here => LOOK_HERE_MILLIS,
                Place::There(_) | Place::Nowhere => LOOK_ELSEWHERE_MILLIS,
            };
            tokio::select! {
                biased;
                told = told => busy = told.ok(),
                () = self.shared.clock.sleep(millis) => {}
            }
        }
    }

    fn record(&self, id: &ProcessId) -> Result<Option<Value>, store::Error> {
        self.shared.store.read(|tx| tx.load(Table::Executions, id.name()))
    }

    /// Runs an express child to its end.
    async fn run_express(&self, id: &ProcessId, begin: &BeginExecution, busy: Busy) {
        let Ok(input) = Payload::parse(&begin.input) else { return };
        let started = started(id, begin, input.clone());
        let mut busy = Some(busy);
        loop {
            let now = busy.take().unwrap_or_else(|| self.shared.clock.busy());
            let runtime = self.runtime();
            match runtime.run_express_child(&begin.definition, started.clone(), now).await {
                Ok((ended, busy)) => {
                    let end = ChildEnd {
                        status: ended.finish.status,
                        input,
                        output: ended.finish.output,
                        error: ended.finish.error,
                        cause: ended.finish.cause,
                        start_millis: ended.start_millis,
                        stop_millis: ended.stop_millis,
                        is_redrivable: true,
                    };
                    let busy = busy.unwrap_or_else(|| self.shared.clock.busy());
                    return self.tell(MapRunFact::ChildEnded(Box::new(end)), busy).await;
                }
                Err(Error::ExpressLimit) => self.shared.clock.sleep(TRY_AGAIN_MILLIS).await,
                Err(err) => {
                    let busy = self.shared.clock.busy();
                    return self.tell(self.broken(&input, &err), busy).await;
                }
            }
        }
    }

    /// Returns how a child ends that can never begin.
    fn broken(&self, input: &Payload, err: &Error) -> MapRunFact {
        let now = self.shared.clock.now_millis();
        MapRunFact::ChildEnded(Box::new(ChildEnd {
            status: Status::Failed,
            input: input.clone(),
            output: None,
            error: Some(asl::error_name::RUNTIME.to_owned()),
            cause: Some(err.to_string()),
            start_millis: now,
            stop_millis: now,
            is_redrivable: false,
        }))
    }
}

/// Begins a child unless it has begun, and follows it to its end, in a task of its own.
pub(crate) fn follow(
    shared: &Arc<Shared>,
    life: u64,
    parent: ProcessId,
    number: u64,
    child: ChildTask,
) -> AbortHandle {
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    let asked = Asked { shared: shared.clone(), life, epoch, parent, number };
    let task = tokio::spawn(async move {
        let ChildTask { id, kind, begin, redrive } = child;
        match (kind, begin) {
            (ChildKind::Express, Some(begin)) => asked.run_express(&id, &begin, busy).await,
            // Its input is kept to its end.
            (ChildKind::Express, None) => {}
            (ChildKind::Standard, None) => {
                if let Some(redrive) = redrive {
                    asked.request(&id, &ExecutionFact::RedrivenByMapRun { redrive }).await;
                }
                asked.follow(&id, redrive.is_none(), busy).await;
            }
            (ChildKind::Standard, Some(begin)) => match asked.begin(&id, &begin).await {
                Ok(()) => asked.follow(&id, false, busy).await,
                Err(err) => {
                    let input = Payload::parse(&begin.input).unwrap_or(Value::Null.into());
                    asked.tell(asked.broken(&input, &err), busy).await;
                }
            },
        }
    });
    task.abort_handle()
}

/// Ends a child, in a task of its own. One that may not have begun is begun first, or redriven:
/// then whoever was about to do that finds that it has been done.
pub(crate) fn stop(
    shared: &Arc<Shared>,
    life: u64,
    parent: ProcessId,
    number: u64,
    child: ChildTask,
) -> AbortHandle {
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    let asked = Asked { shared: shared.clone(), life, epoch, parent, number };
    let task = tokio::spawn(async move {
        let ChildTask { id, begin, redrive, .. } = child;
        if let Some(begin) = begin
            && asked.begin(&id, &begin).await.is_err()
        {
            return asked.tell(MapRunFact::ChildStopped, busy).await;
        }
        if let Some(redrive) = redrive {
            asked.request(&id, &ExecutionFact::RedrivenByMapRun { redrive }).await;
        }
        asked.request(&id, &ExecutionFact::StopRequested { error: None, cause: None }).await;
        // It may have ended before, and well.
        let fact = match asked.end_of(&id).await {
            Some(end) => MapRunFact::ChildEnded(Box::new(end)),
            None => MapRunFact::ChildStopped,
        };
        asked.tell(fact, busy).await;
    });
    task.abort_handle()
}

/// Returns how a child ended, by its record.
fn ended(record: &Value) -> Option<ChildEnd> {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    let status = match text("status")? {
        "SUCCEEDED" => Status::Succeeded,
        "FAILED" => Status::Failed,
        "TIMED_OUT" => Status::TimedOut,
        "ABORTED" => Status::Aborted,
        _running => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = |member: &str| {
        let seconds = record.get(member).and_then(Value::as_f64).unwrap_or_default();
        (seconds * 1000.0).round() as i64
    };
    let payload = |member: &str| text(member).and_then(|text| Payload::parse(text).ok());
    Some(ChildEnd {
        status,
        input: payload("input").unwrap_or_else(|| Value::Null.into()),
        output: payload("output"),
        error: text("error").map(str::to_owned),
        cause: text("cause").map(str::to_owned),
        start_millis: millis("startDate"),
        stop_millis: millis("stopDate"),
        is_redrivable: record.get("isRedrivable").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// Returns how an express child is told that it begins.
fn started(id: &ProcessId, begin: &BeginExecution, input: Payload) -> Started {
    Started {
        input,
        execution_arn: id.name().to_owned(),
        execution_name: begin.name.clone(),
        role_arn: begin.role_arn.clone(),
        state_machine_arn: begin.state_machine_arn.clone(),
        state_machine_name: begin.state_machine_name.clone(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: begin.region.clone(),
        history: execution::HistoryMode::Counted,
        child: begin.child.clone(),
    }
}
