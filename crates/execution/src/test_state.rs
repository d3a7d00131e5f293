//! `TestState`: one state of a definition, run by itself.

use asl::{
    Computed, Definition, FailedIn, Flow, Items, Map, Scalar, Scope, State as StateDefinition,
    StateId, StateKind, error_name, matches,
};
use value::Value;

use crate::effect::{Call, Status};
use crate::fact::{Stamp, Started};
use crate::payload::Payload;
use crate::run::{Fault, FaultKind, Run, Subject};
use crate::state::{Doing, ROOT, Shown, State, Step, Thread};
use crate::states::{task, wait};
use crate::test_iterations;

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct Test {
    /// Which state.
    pub state: StateId,
    /// The execution that the context object tells of, with the state's input.
    pub started: Started,
    /// The context object instead of that.
    pub context: Option<Value>,
    /// The variables in reach, an object.
    pub variables: Value,
    /// What the state's task, branches or iterations come to.
    pub mock: Option<Mock>,
    /// How often every retrier was used before.
    pub retrier_retry_count: i64,
    /// How many iterations of a Map failed.
    pub map_iteration_failure_count: Option<i64>,
    /// The items that a Map's ItemReader has read.
    pub map_items: Option<Vec<Value>>,
}

/// What a state's task, branches or iterations come to.
#[derive(Clone, Debug)]
pub enum Mock {
    /// A result.
    Result(Payload),
    /// A failure.
    Error {
        /// The error name.
        error: Option<String>,
        /// The cause.
        cause: Option<String>,
    },
}

/// What came of a test.
#[derive(Clone, Debug)]
pub struct Tested {
    /// How it ended.
    pub status: TestStatus,
    /// What the state handed on.
    pub output: Option<Payload>,
    /// The error that it ended with, or that was caught.
    pub error: Option<String>,
    /// The cause of it.
    pub cause: Option<String>,
    /// The state that follows.
    pub next_state: Option<String>,
    /// The API's `inspectionData`, for the levels DEBUG and TRACE.
    pub inspection_data: Value,
}

/// How a test ended, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestStatus {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// It would be retried.
    Retriable,
    /// A Catch took the error over.
    CaughtError,
}

impl TestStatus {
    /// Returns the API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            TestStatus::Succeeded => "SUCCEEDED",
            TestStatus::Failed => "FAILED",
            TestStatus::Retriable => "RETRIABLE",
            TestStatus::CaughtError => "CAUGHT_ERROR",
        }
    }
}

/// Runs one state. A Task, Parallel or Map without a mock fails with `States.Runtime`: who wants
/// the task carried out asks [`test_call`] for its call and gives the answer as the mock.
pub fn test_state(definition: &Definition, test: &Test, stamp: &Stamp) -> Tested {
    let Some(tested) = definition.state(test.state) else {
        return failed(Some(error_name::RUNTIME.to_owned()), None);
    };
    let mut state = before(test, stamp);
    let mut run = entered(definition, &mut state, test, stamp);
    let scope = run.scope(ROOT);
    let fault = play(&mut run, tested, test);
    let mut answer = outcome(&run, definition, tested, fault.as_ref());
    let mut inspection = Value::object().with("input", test.started.input.text());
    let input = Scope { input: test.started.input.value().clone(), ..scope };
    inspect(&mut run, tested, test, &input, &mut inspection, answer.status);
    if let Some(details) = error_details(&run, tested, fault.as_ref(), answer.status) {
        inspection.set("errorDetails", details);
    }
    answer.inspection_data = inspection;
    answer
}

/// Returns the call that a tested Task makes; `None` for other states, and for a Task that fails
/// before it comes to that.
pub fn test_call(definition: &Definition, test: &Test, stamp: &Stamp) -> Option<Call> {
    let mut state = before(test, stamp);
    let run = entered(definition, &mut state, test, stamp);
    match &run.visit(ROOT)?.doing {
        Doing::Task(task) => Some(task.call.clone()),
        Doing::Beginning
        | Doing::Waiting(_)
        | Doing::Retrying(_)
        | Doing::Branches(_)
        | Doing::Iterations(_)
        | Doing::MapRun(_) => None,
    }
}

/// Returns an execution that is about to enter the state.
fn before(test: &Test, stamp: &Stamp) -> State {
    let root = Thread {
        parent: None,
        shown: Shown::InHistory,
        previous_event_id: 0,
        variables: test.variables.clone(),
        map_item: None,
        step: Step::Enter { state: test.state.0, input: test.started.input.clone() },
    };
    State {
        started: Some(Box::new(test.started.clone())),
        started_millis: stamp.millis,
        threads: [(ROOT, root)].into(),
        ..State::default()
    }
}

/// Enters the state.
fn entered<'a>(
    definition: &'a Definition,
    state: &'a mut State,
    test: &Test,
    stamp: &Stamp,
) -> Run<'a> {
    let mut run = Run::new(definition, state, stamp);
    run.subject = Subject::Test;
    run.context.clone_from(&test.context);
    run.go_on(ROOT);
    run
}

fn failed(error: Option<String>, cause: Option<String>) -> Tested {
    Tested {
        status: TestStatus::Failed,
        output: None,
        error,
        cause,
        next_state: None,
        inspection_data: Value::object(),
    }
}

/// Plays the mock where the state waits for something; returns the failure that it stood for.
fn play(run: &mut Run<'_>, tested: &StateDefinition, test: &Test) -> Option<Fault> {
    let visit = run.visit_mut(ROOT)?;
    visit.attempts = vec![test.retrier_retry_count; RETRIERS_MAX];
    let tolerated = match &visit.doing {
        Doing::Beginning | Doing::Retrying(_) => return None,
        Doing::Waiting(_) => {
            wait::over(run, ROOT);
            return None;
        }
        Doing::Task(_) => None,
        Doing::Branches(_) => Some(0),
        Doing::Iterations(iterations) => i64::try_from(iterations.tolerated).ok(),
        Doing::MapRun(map_run) => i64::try_from(map_run.tolerated()).ok(),
    };
    let count = test.map_iteration_failure_count.unwrap_or(0);
    // Recorded: a Map without a threshold takes the mocked result as it is.
    let exceeded = has_threshold(tested) && tolerated.is_some_and(|tolerated| count > tolerated);
    let fault = match &test.mock {
        Some(Mock::Result(_)) if exceeded => Some(Fault {
            error: Some(error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD.to_owned()),
            cause: Some("The specified tolerated failure threshold was exceeded".to_owned()),
            kind: FaultKind::State,
        }),
        Some(Mock::Result(result)) => {
            arrive(run, result, tolerated.is_none());
            return None;
        }
        Some(Mock::Error { error, cause }) => {
            let kind = if tolerated.is_none() { FaultKind::Task } else { FaultKind::State };
            Some(Fault { error: error.clone(), cause: cause.clone(), kind })
        }
        None => Some(Fault {
            error: Some(error_name::RUNTIME.to_owned()),
            cause: None,
            kind: FaultKind::Runtime,
        }),
    };
    if let Some(fault) = &fault {
        run.fail(ROOT, fault.clone());
    }
    fault
}

fn has_threshold(tested: &StateDefinition) -> bool {
    match &tested.kind {
        StateKind::Map(map) => {
            map.tolerated_failure_count.is_some() || map.tolerated_failure_percentage.is_some()
        }
        StateKind::Pass(_)
        | StateKind::Task(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_)
        | StateKind::Parallel(_) => false,
    }
}

/// No state has more retriers than this.
const RETRIERS_MAX: usize = 64;

fn arrive(run: &mut Run<'_>, result: &Payload, from_task: bool) {
    if from_task {
        task::succeeded(run, ROOT, result.value().clone());
        return;
    }
    run.abandon(ROOT);
    if let Err(failure) = run.complete(ROOT, result.clone()) {
        run.evaluation_failed(ROOT, failure);
    }
}

fn outcome(
    run: &Run<'_>,
    definition: &Definition,
    tested: &StateDefinition,
    fault: Option<&Fault>,
) -> Tested {
    let mut answer = failed(None, None);
    if let Some(finish) = run.finished() {
        if finish.status == Status::Succeeded {
            answer.status = TestStatus::Succeeded;
            answer.output.clone_from(&finish.output);
        } else {
            (answer.error, answer.cause) = (finish.error.clone(), finish.cause.clone());
        }
        return answer;
    }
    if let Some(fault) = fault {
        (answer.error, answer.cause) = (fault.error.clone(), fault.cause.clone());
        answer.status = TestStatus::Retriable;
    }
    let thread = run.state.threads.get(&ROOT);
    if let Some(Step::Enter { state, input }) = thread.map(|thread| &thread.step) {
        let caught = fault.is_some() && catch_index(tested, fault).is_some();
        answer.status = if caught { TestStatus::CaughtError } else { TestStatus::Succeeded };
        answer.output = Some(input.clone());
        answer.next_state = definition.state(StateId(*state)).map(|next| next.name.to_string());
    }
    answer
}

fn catch_index(tested: &StateDefinition, fault: Option<&Fault>) -> Option<usize> {
    let (fault, catch) = (fault?, catchers(tested));
    let error = fault.error.as_deref().unwrap_or_default();
    catch.iter().position(|catcher| matches(&catcher.error_equals, error, failed_in(fault)))
}

fn catchers(tested: &StateDefinition) -> &[asl::Catcher] {
    match &tested.kind {
        StateKind::Task(task) => &task.catch,
        StateKind::Parallel(parallel) => &parallel.catch,
        StateKind::Map(map) => &map.catch,
        StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_) => &[],
    }
}

fn failed_in(fault: &Fault) -> FailedIn {
    match fault.kind {
        FaultKind::Task => FailedIn::Task,
        FaultKind::Heartbeat => FailedIn::Heartbeat,
        FaultKind::State | FaultKind::Runtime => FailedIn::Other,
    }
}

fn error_details(
    run: &Run<'_>,
    tested: &StateDefinition,
    fault: Option<&Fault>,
    status: TestStatus,
) -> Option<Value> {
    match status {
        TestStatus::Succeeded | TestStatus::Failed => None,
        TestStatus::CaughtError => {
            Some(Value::object().with("catchIndex", catch_index(tested, fault)?))
        }
        TestStatus::Retriable => {
            let Doing::Retrying(timer) = run.visit(ROOT)?.doing else { return None };
            let due = run.state.timers.get(&timer)?.at_millis;
            let retry = match &tested.kind {
                StateKind::Task(task) => &task.retry,
                StateKind::Parallel(parallel) => &parallel.retry,
                StateKind::Map(map) => &map.retry,
                StateKind::Pass(_)
                | StateKind::Choice(_)
                | StateKind::Wait(_)
                | StateKind::Succeed
                | StateKind::Fail(_) => return None,
            };
            let (fault, error) = (fault?, fault?.error.as_deref().unwrap_or_default());
            let index = retry
                .iter()
                .position(|retrier| matches(&retrier.error_equals, error, failed_in(fault)))?;
            let details = Value::object()
                .with("retryBackoffIntervalSeconds", (due - run.millis) / 1_000)
                .with("retryIndex", index);
            Some(details)
        }
    }
}

/// Fills in what the data went through on its way.
fn inspect(
    run: &mut Run<'_>,
    tested: &StateDefinition,
    test: &Test,
    scope: &Scope,
    inspection: &mut Value,
    status: TestStatus,
) {
    if let StateKind::Map(map) = &tested.kind {
        bounds(run, map, scope, inspection);
        test_iterations::inspect(run, tested, map, test, scope, inspection);
    }
    match &tested.flow {
        Flow::Jsonata { arguments, .. } => {
            let arguments = arguments.as_ref().and_then(|_| {
                run.evaluate(scope, |evaluation| tested.effective_input(evaluation)).ok()
            });
            if let Some(arguments) = arguments {
                inspection.set("afterArguments", arguments.to_string());
            }
        }
        Flow::JsonPath(flow) => {
            let effective = run.evaluate(scope, |evaluation| tested.effective_input(evaluation));
            let selected = flow.input_path.select(&scope.input, scope);
            // Recorded: a fixed result and branches hide the input's way.
            let fixed = match &tested.kind {
                StateKind::Pass(pass) => pass.result.clone(),
                StateKind::Task(_)
                | StateKind::Choice(_)
                | StateKind::Wait(_)
                | StateKind::Succeed
                | StateKind::Fail(_)
                | StateKind::Parallel(_)
                | StateKind::Map(_) => None,
            };
            let hidden = fixed.is_some() || matches!(tested.kind, StateKind::Parallel(_));
            let show = |value: &Value| spelled(test, value);
            if let (Ok(selected), false) = (&selected, hidden) {
                inspection.set("afterInputPath", show(selected));
            }
            let shaped = matches!(tested.kind, StateKind::Task(_) | StateKind::Pass(_));
            if let (Ok(effective), true, false) = (&effective, shaped, hidden) {
                inspection.set("afterParameters", show(effective));
            }
            if let (StateKind::Map(map), Ok(effective)) = (&tested.kind, &effective)
                && let Items::Path(path) = &map.items
                && let Ok(items) = path.find(&Scope { input: effective.clone(), ..scope.clone() })
            {
                inspection.set("afterItemsPath", spelled_within(test, &items));
            }
            if status == TestStatus::Succeeded {
                let result = fixed.or_else(|| effective.ok().filter(|_| shaped));
                results(run, tested, test, scope, result, inspection);
            }
        }
    }
}

/// Fills in what the result went through.
fn results(
    run: &mut Run<'_>,
    tested: &StateDefinition,
    test: &Test,
    scope: &Scope,
    own: Option<Value>,
    inspection: &mut Value,
) {
    let Flow::JsonPath(flow) = &tested.flow else { return };
    let mocked = match &test.mock {
        Some(Mock::Result(result)) => Some(result.clone()),
        Some(Mock::Error { .. }) | None => None,
    };
    let (result, shown) = match &tested.kind {
        StateKind::Task(_) => (mocked, true),
        StateKind::Parallel(_) | StateKind::Map(_) => (mocked, false),
        StateKind::Pass(pass) => (own.map(Payload::from), pass.result.is_some()),
        StateKind::Choice(_) | StateKind::Wait(_) | StateKind::Succeed | StateKind::Fail(_) => {
            (None, false)
        }
    };
    let Some(result) = result else { return };
    if shown {
        inspection.set("result", result.text());
    }
    let selected = run
        .evaluate(scope, |evaluation| tested.effective_result(evaluation, result.value().clone()));
    let Ok(selected) = selected else { return };
    let spell = |value: &Value| {
        if value == result.value() { result.text() } else { spelled(test, value) }
    };
    inspection.set("afterResultSelector", spell(&selected));
    if let Ok(placed) = flow.result_path.place(&scope.input, selected) {
        inspection.set("afterResultPath", spell(&placed));
    }
}

/// Shows the input as it was spelled.
fn spelled(test: &Test, value: &Value) -> String {
    let input = &test.started.input;
    if input.value() == value { input.text() } else { value.to_string() }
}

/// Shows a list from within the input or context, where AWS keeps a blank behind every comma.
fn spelled_within(test: &Test, items: &Value) -> String {
    match items.as_array() {
        Some(items) => {
            let shown: Vec<String> = items.iter().map(|item| spelled(test, item)).collect();
            format!("[{}]", shown.join(", "))
        }
        None => items.to_string(),
    }
}

/// Fills in how many iterations may run and fail.
fn bounds(run: &mut Run<'_>, map: &Map, scope: &Scope, inspection: &mut Value) {
    let concurrency = number(run, map.max_concurrency.as_ref(), scope);
    inspection.set("maxConcurrency", concurrency.unwrap_or_else(|| 0.into()));
    if let Some(count) = number(run, map.tolerated_failure_count.as_ref(), scope) {
        inspection.set("toleratedFailureCount", count);
    }
    if let Some(percentage) = number(run, map.tolerated_failure_percentage.as_ref(), scope) {
        inspection.set("toleratedFailurePercentage", percentage);
    }
}

fn number<T: Clone + Into<Value>>(
    run: &mut Run<'_>,
    scalar: Option<&Scalar<T>>,
    scope: &Scope,
) -> Option<Value> {
    let scalar = scalar?;
    match run.evaluate(scope, |evaluation| scalar.value(evaluation, "MaxConcurrency")).ok()? {
        Computed::Constant(constant) => Some(constant.into()),
        Computed::Value(found) => Some(found),
    }
}
