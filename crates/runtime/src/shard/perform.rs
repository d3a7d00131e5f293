//! Effects, performed after the commit that made them durable.

use std::sync::Arc;

use store::Lease;
use store::planted::{Bug, is_planted};
use tokio::sync::{SemaphorePermit, oneshot};
use tokio::task::AbortHandle;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use value::Value;

use super::{Message, Shard};
use crate::activities::Place;
use crate::children::{self, ChildTask};
use crate::endpoint::{Call, CallError};
use crate::fleet::{self, FleetChild};
use crate::items::{self, ItemsTask};
use crate::process::{Effect, Fact};
use crate::processes::Watcher;
use crate::results::{self, ResultsTask};
use crate::scripts::{self, Host, Script, ScriptAnswer};
use crate::tasks::AbortOnDrop;
use crate::timers::Sleeper;
use crate::{Error, Kind, ProcessId, Runtime, Shared, integrations};

impl Shard {
    pub(super) fn perform(&mut self, effects: Vec<(ProcessId, Effect)>) {
        for (id, effect) in effects {
            match effect {
                Effect::Call { number, mut call } => {
                    call.lease = self.lease();
                    call.process = Some(id.to_string().into());
                    self.shared.figures.performed();
                    let task = perform_call(&self.shared, self.life, id.clone(), number, *call);
                    self.running.insert((id, number), task);
                }
                Effect::Look { number, mut call, job } => {
                    call.lease = self.lease();
                    call.process = Some(id.to_string().into());
                    self.shared.figures.performed();
                    let look = (*call, *job);
                    let task = perform_look(&self.shared, self.life, id.clone(), number, look);
                    self.running.insert((id, number), task);
                }
                Effect::Tell { number, watcher } => {
                    let task = tell(&self.shared, self.life, id.clone(), number, *watcher);
                    self.running.insert((id, number), task);
                }
                Effect::Enqueue { number, place } => {
                    self.shared.figures.performed();
                    let place = (*place, self.lease());
                    let task = enqueue(&self.shared, self.life, id.clone(), number, place);
                    self.running.insert((id, number), task);
                }
                Effect::Answer { number, err } => {
                    let task = answer_call(&self.shared, self.life, id.clone(), number, err);
                    self.running.insert((id, number), task);
                }
                Effect::Script { number, script } => self.run_script(id, number, *script),
                Effect::Cancel { number } => {
                    self.scripts.remove(&(id.clone(), number));
                    if let Some(task) = self.running.remove(&(id, number)) {
                        task.abort();
                    }
                }
                Effect::Child { number, child } => {
                    self.shared.figures.performed();
                    let task =
                        children::follow(&self.shared, self.life, id.clone(), number, *child);
                    self.running.insert((id, number), task);
                }
                Effect::Items { number, task } => self.supply(id, number, *task),
                Effect::Results { number, task } => self.write_results(id, number, *task),
                Effect::StopChild { number, child } => self.stop_child(id, number, *child),
                Effect::FleetChild { number, child } => self.see_to(id, number, *child),
                Effect::Arm { timer, at_millis } => self.arm(id, timer, at_millis),
                Effect::Disarm { timer } => {
                    self.shared.timers.cancel(&(Sleeper::Process(id), timer));
                }
                // These were written with the commit.
                Effect::Write(_)
                | Effect::Emit(_)
                | Effect::Notice(_)
                | Effect::StatusChanged(_)
                | Effect::Finished => {}
            }
        }
    }

    fn run_script(&mut self, id: ProcessId, number: u64, script: Script) {
        self.shared.figures.performed();
        let task = perform_script(&self.shared, self.life, id.clone(), number, script);
        self.scripts.insert((id.clone(), number));
        self.running.insert((id, number), task);
    }

    /// Returns under what the shard acts, on a store that several nodes share.
    fn lease(&self) -> Option<Lease> {
        let shard = self.number;
        self.epoch.map(|epoch| Lease { shard, epoch })
    }

    fn supply(&mut self, id: ProcessId, number: u64, task: ItemsTask) {
        self.shared.figures.performed();
        let lease = self.lease();
        let task = items::supply(&self.shared, self.life, lease, id.clone(), number, task);
        self.running.insert((id, number), task);
    }

    fn write_results(&mut self, id: ProcessId, number: u64, task: ResultsTask) {
        self.shared.figures.performed();
        let task = (task, self.lease());
        let task = results::write(&self.shared, self.life, id.clone(), number, task);
        self.running.insert((id, number), task);
    }

    fn stop_child(&mut self, id: ProcessId, number: u64, child: ChildTask) {
        // Whoever has begun it, or is about to, need not go on.
        if let Some(task) = self.running.remove(&(id.clone(), number)) {
            task.abort();
        }
        let task = children::stop(&self.shared, self.life, id.clone(), number, child);
        self.running.insert((id, number), task);
    }

    fn see_to(&mut self, id: ProcessId, number: u64, child: FleetChild) {
        self.shared.figures.performed();
        // Whoever follows it with an older wish need not go on.
        if let Some(task) = self.running.remove(&(id.clone(), number)) {
            task.abort();
        }
        let task = fleet::see_to(&self.shared, self.life, id.clone(), number, child);
        self.running.insert((id, number), task);
    }

    /// Performs again what was under way when the process died: timers, calls, scripts.
    pub(super) fn perform_outstanding(&mut self) {
        let mut effects = Vec::new();
        for (id, resident) in &self.residents {
            let outstanding = resident.process.outstanding();
            effects.extend(outstanding.into_iter().map(|effect| (id.clone(), effect)));
        }
        for (_, effect) in &mut effects {
            if let Effect::Call { call, .. } = effect {
                call.in_doubt = true;
            }
        }
        // In an order that does not change from one start to the next.
        effects.sort_by(|(one, _), (other, _)| one.cmp(other));
        if is_planted(Bug::FreshEffect) {
            for (_, effect) in &mut effects {
                let Effect::Call { call, .. } = effect else { continue };
                call.effect_id = call.effect_id.take().map(|id| format!("{id}/{}", self.life));
            }
        }
        self.perform(effects);
    }
}

/// How often a call is made again whose answer was that the service is not available just now.
const ASKED_AGAIN_MAX: usize = 600;
/// How long to wait before it is made again, in milliseconds.
const ASK_AGAIN_MILLIS: u64 = 1_000;

async fn ask(shared: &Arc<Shared>, call: &Call, span: &Span) -> Result<Value, CallError> {
    let Some(endpoint) = shared.endpoint() else {
        return Err(CallError::internal(String::new()));
    };
    let _turn = shared.calls.acquire().await;
    // A task of its own, so that a panic in a handler is an answer, not a silence.
    let calling = endpoint.call(call.clone()).instrument(span.clone());
    let guarded = AbortOnDrop(tokio::spawn(calling));
    guarded.join().await.unwrap_or_else(|| Err(CallError::internal(String::new())))
}

/// Asks until there is an answer that will not be another a moment later.
async fn ask_on(shared: &Arc<Shared>, call: &Call, span: &Span) -> Result<Value, CallError> {
    let mut answer = ask(shared, call, span).await;
    // What failed may have been kept all the same. The id tells that it is the same call, so
    // asking again finds out, and changes nothing twice.
    for _ in 0..ASKED_AGAIN_MAX {
        if !answer.as_ref().is_err_and(CallError::may_pass) {
            break;
        }
        shared.clock.sleep(ASK_AGAIN_MILLIS).await;
        answer = ask(shared, call, span).await;
    }
    answer
}

/// Looks at a job in a task of its own. A job that is a process of this server and seems to run is
/// asked to tell of its end, and looked at once more: it may have ended before it was asked.
fn perform_look(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    (call, job): (Call, execution::Job),
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let span = tracing::error_span!("look", process = %id, request_id = Empty);
    let task = tokio::spawn(async move {
        let mut answer = ask_on(&shared, &call, &span).await;
        let mut told = false;
        let process = answer.as_ref().ok().and_then(|seen| integrations::job_process(&job, seen));
        if let Some(process) = process {
            let watcher = Watcher { execution_arn: id.name().to_owned(), task: job.call.task.0 };
            let runtime = Runtime { shared: shared.clone() };
            told = runtime.request(process, Fact::Watched(watcher)).await.is_ok();
            answer = ask_on(&shared, &call, &span).await;
        }
        let answer = answer.map(|seen| integrations::look_answer(seen, told));
        shared.send(Message::Answered { life, id, call: number, answer }, epoch, busy).await;
    });
    task.abort_handle()
}

/// Tells an execution that a job of it has ended.
fn tell(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    watcher: Watcher,
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let task = tokio::spawn(async move {
        let runtime = Runtime { shared: shared.clone() };
        let waiting = ProcessId::new(Kind::Execution, &watcher.execution_arn);
        let stirred = execution::Fact::JobStirred { task: execution::TaskId(watcher.task) };
        loop {
            let told = runtime.request(waiting.clone(), Fact::Execution(stirred.clone())).await;
            match told {
                // Whoever has ended meanwhile does not wait any more.
                Ok(()) | Err(Error::NotRunning) => break,
                // Bounded by the life of the shard, which ends this task.
                Err(err) => {
                    tracing::warn!(process = %waiting, error = %err, "an execution was not told");
                    shared.clock.sleep(ASK_AGAIN_MILLIS).await;
                }
            }
        }
        let answer = Ok(Value::Null);
        shared.send(Message::Answered { life, id, call: number, answer }, epoch, busy).await;
    });
    task.abort_handle()
}

/// Calls the endpoint in a task of its own; whatever happens, the process hears of it.
fn perform_call(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    call: Call,
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let span = tracing::error_span!("effect", process = %id, request_id = Empty);
    let task = tokio::spawn(async move {
        let answer = ask_on(&shared, &call, &span).await;
        shared.send(Message::Answered { life, id, call: number, answer }, epoch, busy).await;
    });
    task.abort_handle()
}

/// Puts a task into an activity's queue; whatever happens, the process hears of it.
fn enqueue(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    (place, lease): (Place, Option<Lease>),
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let task = tokio::spawn(async move {
        let mut answer = Err(CallError::internal(String::new()));
        for _ in 0..ASKED_AGAIN_MAX {
            match place.clone().enqueue(&shared, lease).await {
                Ok(true) => answer = Ok(Value::Null),
                Ok(false) => answer = Err(integrations::no_such_activity(&place.activity_arn)),
                // The shard has another owner, who does this.
                Err(store::Error::Fenced { .. }) => return,
                // What failed may have been kept all the same: asking again finds out.
                Err(err) => {
                    tracing::warn!(process = %id, error = %err, "a task is not in its queue yet");
                    shared.clock.sleep(ASK_AGAIN_MILLIS).await;
                    continue;
                }
            }
            break;
        }
        shared.send(Message::Answered { life, id, call: number, answer }, epoch, busy).await;
    });
    task.abort_handle()
}

/// Answers a call that cannot be made; in a task, for the inbox may be full.
fn answer_call(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    err: CallError,
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let task = tokio::spawn(async move {
        let message = Message::Answered { life, id, call: number, answer: Err(err) };
        shared.send(message, epoch, busy).await;
    });
    task.abort_handle()
}

fn perform_script(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    script: Script,
) -> AbortHandle {
    let shared = shared.clone();
    let busy = shared.clock.busy();
    let epoch = shared.epoch();
    let task = tokio::spawn(async move {
        let answer = script_answer(&shared, life, &id, &script).await;
        // Its turn is over when its shard has its end: whoever waits for that stops the shard next.
        let Some((answer, _turn)) = answer else { return };
        let message = Message::ScriptEnded { life, id, script: number, answer };
        shared.send(message, epoch, busy).await;
    });
    task.abort_handle()
}

/// Runs a script, unless it was started before; nothing when its process is no longer ours, or the
/// server is about to end.
async fn script_answer<'a>(
    shared: &'a Arc<Shared>,
    life: u64,
    id: &ProcessId,
    script: &Script,
) -> Option<(ScriptAnswer, Option<SemaphorePermit<'a>>)> {
    if script.is_interrupted() {
        return Some((scripts::interrupted(script), None));
    }
    let Some(endpoint) = shared.endpoint() else {
        return Some((scripts::refused(script, "Internal Server Error."), None));
    };
    let turn = shared.scripts.take().await?;
    // Durable before the script is started, so that it is never started again.
    let (reply, durable) = oneshot::channel();
    let begins = Message::ScriptBegins { life, id: id.clone(), script: script.script.id, reply };
    shared.send(begins, shared.epoch(), shared.clock.busy()).await;
    match durable.await {
        Ok(Ok(())) => {
            let host = Host { interpreters: shared.interpreters(), store: &shared.store, endpoint };
            Some((scripts::run(script, host).await, Some(turn)))
        }
        // The shard has another owner or another life, which does this.
        Ok(Err(_)) | Err(_) => None,
    }
}
