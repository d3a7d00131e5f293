//! Child executions of map runs: begun, followed to their end, and ended.
//!
//! A parent asks for a child as for a call. Its name is its own ([`followers`]).

use std::sync::Arc;

use execution::{
    Child, ChildEnd, ChildKind, Fact as ExecutionFact, MapRunFact, Payload, Started, Status,
};
use store::{Load, Table};
use tokio::task::AbortHandle;
use value::Value;

use crate::clock::Busy;
use crate::followers::{self, Following, TRY_AGAIN_MILLIS};
use crate::process::{Begin, Fact, Kind};
use crate::processes::BeginExecution;
use crate::shard::Message;
use crate::{Error, ProcessId, Runtime, Shared};

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
                trace: parent.trace.clone(),
            })
        });
        ChildTask { id: ProcessId::new(Kind::Execution, &arn), kind, begin, redrive }
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
        followers::begin(&self.shared, id, &Begin::Execution(begin.clone())).await
    }

    /// Tells the child something. Nothing, if it has ended and that is no redrive, or cannot be
    /// redriven.
    async fn request(&self, id: &ProcessId, fact: ExecutionFact) {
        match followers::request(&self.shared, id, &Fact::Execution(fact)).await {
            Ok(()) | Err(Error::NotRunning) => {}
            // What became of it shows in its record all the same.
            Err(err) => tracing::warn!(process = %id, error = %err, "a child cannot be told"),
        }
    }

    /// Returns how the child ended, once it has; it was told to.
    async fn end_of(&self, id: &ProcessId) -> Option<ChildEnd> {
        loop {
            let record: Result<Option<Value>, _> =
                self.shared.store.read(|tx| tx.load(Table::Executions, id.name()));
            match record {
                Ok(record) => return record.as_ref().and_then(ended),
                // The store is away; that does not last.
                Err(_) => self.shared.clock.sleep(TRY_AGAIN_MILLIS).await,
            }
        }
    }

    /// Follows a standard child to its end.
    async fn follow(&self, id: &ProcessId, is_known_to_run: bool, busy: Busy) {
        let mut following = Following::new(&self.shared, (Table::Executions, id), busy);
        let mut tells_start = !is_known_to_run;
        loop {
            let record = following.record().await;
            if let Some(end) = ended(&record) {
                let busy = following.busy();
                return self.tell(MapRunFact::ChildEnded(Box::new(end)), busy).await;
            }
            if tells_start {
                tells_start = false;
                self.tell(MapRunFact::ChildStarted, following.busy()).await;
            }
        }
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
                    asked.request(&id, ExecutionFact::RedrivenByMapRun { redrive }).await;
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
            asked.request(&id, ExecutionFact::RedrivenByMapRun { redrive }).await;
        }
        asked.request(&id, ExecutionFact::StopRequested { error: None, cause: None }).await;
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
