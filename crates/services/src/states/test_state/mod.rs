//! TestState: one state by itself, with a mock in place of its task, or for real.
//!
//! AWS Step Functions API reference, "TestState" (read 2026-11); texts as recorded on AWS
//! (conformance/states, `test_state`).

mod context;
mod mock;

use std::sync::Arc;
use std::time::Duration;

use asl::{
    AnyResource, Definition, IntegrationPattern, Options, Resource, Resources, StateKind,
    StateMachineType,
};
use execution::{HistoryMode, Mock, Payload, Stamp, Started, Test, Tested};
use runtime::integrations::{Served, TaskFailure};
use value::{Value, value};

use super::error;
use crate::outward::{self, Reveal, Traced};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, ids};

/// How long a test may take (API reference, "TestState": five minutes).
const TEST_SECONDS_MAX: u64 = 300;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "TestState", checks: may_test, run: Run::Workflow(test) }];

fn may_test(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![Check::any("states:TestState")];
    if let Some(role) = input.maybe_text("roleArn") {
        checks.push(Check::pass_role(role, "states.amazonaws.com"));
    }
    if input.flag("revealSecrets") {
        checks.push(Check::any("states:RevealSecrets"));
    }
    Ok(checks)
}

fn test(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let mut asked = Asked::read(&call, &input)?;
        let stamp = Stamp { millis: call.now_millis, entropy: ids::entropy() };
        let mut traced = Traced::default();
        if asked.test.mock.is_none() {
            let reveals = input.flag("revealSecrets");
            let reveal = if reveals { Reveal::Everything } else { Reveal::Definition };
            let work = asked.carry_out(&services, &stamp);
            (asked.test.mock, traced) = outward::traced(reveal, work).await;
        }
        let mut tested = execution::test_state(&asked.definition, &asked.test, &stamp);
        let level = input.maybe_text("inspectionLevel");
        if level == Some("TRACE") {
            let shown = tested.inspection_data.with_some("request", traced.request);
            tested.inspection_data = shown.with_some("response", traced.response);
        }
        Ok(answer(&tested, level))
    })
}

/// What TestState is asked for, checked.
struct Asked {
    definition: Definition,
    test: Test,
}

impl Asked {
    fn read(call: &Call, input: &Value) -> Result<Asked, Error> {
        let options = Options { machine_type: StateMachineType::Express, resources: &AnyResource };
        let definition = Definition::parse_state(input.text("definition")?, &options)
            .map_err(|problems| Error::new("InvalidDefinition", problems.to_string()))?;
        let state = match input.maybe_text("stateName") {
            Some(name) => {
                definition.find(name).ok_or_else(|| refused("State not found in definition"))?
            }
            None => definition.start(),
        };
        let tested = definition.state(state).ok_or_else(|| Error::internal(&"no such state"))?;
        let configuration = input.get("stateConfiguration");
        let configured = |name: &str| configuration?.integer(name);
        let culprit = configuration.and_then(|given| given.maybe_text("errorCausedByState"));
        if culprit.is_some_and(|name| definition.find(name).is_none()) {
            // UNVERIFIED: AWS's wording.
            return Err(refused("State in errorCausedByState not found in definition"));
        }
        let mock = input.get("mock").map(|given| mock::read(given, tested)).transpose()?;
        if mock.is_none() {
            check_unmocked(tested, input)?;
        }
        let context = input.maybe_text("context");
        let context = context.map(|text| context::read(text, tested)).transpose()?;
        let test = Test {
            state,
            started: started(call, input)?,
            context,
            variables: variables(input)?,
            mock,
            retrier_retry_count: configured("retrierRetryCount").unwrap_or(0),
            map_iteration_failure_count: configured("mapIterationFailureCount"),
            map_items: map_items(configuration, tested)?,
        };
        Ok(Asked { definition, test })
    }

    /// Makes a Task's call as the role that the test names, and returns what came of it.
    async fn carry_out(&self, services: &Services, stamp: &Stamp) -> Option<Mock> {
        let call = execution::test_call(&self.definition, &self.test, stamp)?;
        let own = call.timeout_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let seconds = own.unwrap_or(TEST_SECONDS_MAX).min(TEST_SECONDS_MAX);
        let made = services.runtime().call_for_test(&call, &self.test.started);
        let answered = tokio::time::timeout(Duration::from_secs(seconds), made).await;
        Some(match answered {
            Ok(Ok(result)) => Mock::Result(result.into()),
            Ok(Err(TaskFailure { error, cause })) => {
                Mock::Error { error: Some(error), cause: Some(cause) }
            }
            Err(_elapsed) => {
                Mock::Error { error: Some(asl::error_name::TIMEOUT.to_owned()), cause: None }
            }
        })
    }
}

/// Returns the items that the ItemReader of a tested Map has read, by `mapItemReaderData`.
fn map_items(
    configuration: Option<&Value>,
    tested: &asl::State,
) -> Result<Option<Vec<Value>>, Error> {
    let data = configuration.and_then(|given| given.maybe_text("mapItemReaderData"));
    let StateKind::Map(map) = &tested.kind else { return Ok(None) };
    let asl::MapMode::Distributed(distributed) = &map.mode else { return Ok(None) };
    let (Some(data), Some(reader)) = (data, &distributed.item_reader) else { return Ok(None) };
    // UNVERIFIED: AWS's wording, and that it refuses what cannot be read.
    let wrong = |cause: String| refused(format!("Invalid mapItemReaderData: {cause}"));
    runtime::items_of_text(reader, data).map(Some).map_err(wrong)
}

fn refused(text: impl Into<String>) -> Error {
    Error::new("ValidationException", text)
}

/// Checks a test whose state is to be run for real.
fn check_unmocked(tested: &asl::State, input: &Value) -> Result<(), Error> {
    let configuration = input.get("stateConfiguration");
    if configuration.is_some_and(|given| given.get("mapIterationFailureCount").is_some()) {
        let text = "TestState does not support MapIterationFailureCount when a mock is not \
                    specified.";
        return Err(refused(text));
    }
    match &tested.kind {
        StateKind::Map(_) | StateKind::Parallel(_) => {
            let text = "TestState API does not support Map or Parallel states. Supported state \
                        types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
            Err(Error::new("InvalidDefinition", text))
        }
        StateKind::Task(task) => {
            if input.get("roleArn").is_none() {
                return Err(refused("RoleArn must be specified when testing a Task state"));
            }
            check_request_response(&task.resource)
        }
        StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_) => Ok(()),
    }
}

/// Only what answers at once can be tested for real.
fn check_request_response(resource: &Resource) -> Result<(), Error> {
    let answers_at_once = match resource {
        Resource::Integration(found) => found.pattern == IntegrationPattern::RequestResponse,
        Resource::Activity(_) => false,
        Resource::Function(_) => true,
    };
    if !answers_at_once {
        // UNVERIFIED: AWS's wording.
        let text = format!(
            "TestState API does not support the resource {resource} when a mock is not specified"
        );
        return Err(Error::new("InvalidDefinition", text));
    }
    match Served.refusal(resource) {
        Some(what) => Err(error::invalid_definition(&format!(
            "SCHEMA_VALIDATION_FAILED: {what} at /Resource"
        ))),
        None => Ok(()),
    }
}

fn started(call: &Call, input: &Value) -> Result<Started, Error> {
    let text = input.maybe_text("input").unwrap_or("{}");
    let input_data = Payload::parse(text).map_err(|err| error::unreadable_input(text, &err))?;
    // Recorded: a tested state sees an express execution of a machine that never was.
    let (machine, name) = (ids::uuid(), ids::uuid());
    Ok(Started {
        input: input_data,
        execution_arn: call.regional_arn("states", &format!("express:{machine}:{name}")),
        execution_name: name,
        role_arn: input.maybe_text("roleArn").unwrap_or_default().to_owned(),
        state_machine_arn: call.regional_arn("states", &format!("stateMachine:{machine}")),
        state_machine_name: machine,
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: call.region.clone(),
        history: HistoryMode::Recorded,
        child: None,
    })
}

fn variables(input: &Value) -> Result<Value, Error> {
    let Some(text) = input.maybe_text("variables") else { return Ok(Value::object()) };
    let found = value::parse(text).ok().filter(|found| found.as_object().is_some());
    // UNVERIFIED: AWS's wording.
    found.ok_or_else(|| refused("Variables must be a valid JSON object"))
}

fn answer(tested: &Tested, level: Option<&str>) -> Value {
    let detailed = matches!(level, Some("DEBUG" | "TRACE"));
    value!({ "status": (tested.status.as_str()) })
        .with_some("output", tested.output.as_ref().map(Payload::text))
        .with_some("error", tested.error.as_ref())
        .with_some("cause", tested.cause.as_ref())
        .with_some("nextState", tested.next_state.as_ref())
        .with_some("inspectionData", detailed.then(|| tested.inspection_data.clone()))
}
