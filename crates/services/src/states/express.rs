//! Express executions: StartSyncExecution, and what StartExecution does with an EXPRESS machine.
//!
//! AWS Step Functions API reference, "StartSyncExecution" (read 2026-11); the shape of answers as
//! recorded on AWS (conformance/states).

use std::sync::Arc;

use execution::{Payload, Started, Status};
use runtime::{Ended, Logging};
use value::{Value, value};

use super::executions::Asked;
use super::{arn, error};
use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, ids};

/// What executions are billed in: started pieces of 100 ms (AWS Step Functions pricing).
const BILLED_MILLIS: i64 = 100;
/// The memory that an execution is billed for; it comes in pieces of 64 MB.
// DIFFERS: memory is not measured: every execution is shown with the smallest piece.
const BILLED_MEMORY_MB: i64 = 64;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "StartSyncExecution",
    checks: may_start_sync,
    run: Run::Workflow(start_sync),
}];

fn may_start_sync(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![arn::check("states:StartSyncExecution", input.text("stateMachineArn")?)])
}

fn start_sync(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let asked = Asked::read(&services, &call, &input)?;
        if !asked.is_express() {
            return Err(error::state_machine_type_not_supported());
        }
        let (definition, started) = begin(&call, &asked);
        let execution_arn = started.execution_arn.clone();
        let ended = services
            .runtime()
            .run_express(definition, started, Logging::of(&asked.routed.known.record))
            .await
            .map_err(|err| refusal(&call, err))?;
        let known = value!({
            "executionArn": execution_arn,
            "stateMachineArn": &asked.routed.known.machine.arn,
            "name": &asked.name,
        });
        let data = input.maybe_text("includedData") != Some("METADATA_ONLY");
        let answer =
            answer(known, &ended).with_some("traceHeader", input.maybe_text("traceHeader"));
        Ok(if data { with_data(answer, &asked, &ended) } else { answer })
    })
}

/// Begins an express execution that nobody waits for.
pub(super) fn start(services: &Services, call: &Call, asked: &Asked) -> Answer {
    let (definition, started) = begin(call, asked);
    let execution_arn = started.execution_arn.clone();
    let logging = Logging::of(&asked.routed.known.record);
    services
        .runtime()
        .start_express(definition, started, logging)
        .map_err(|err| refusal(call, err))?;
    Ok(value!({ "executionArn": execution_arn, "startDate": call.now_seconds() }))
}

/// Returns the key of the definition and how its execution starts. Names may repeat, so the ARN
/// ends in an id of its own.
fn begin<'a>(call: &Call, asked: &'a Asked) -> (&'a str, Started) {
    let machine = &asked.routed.known.machine;
    let id = ids::uuid();
    let resource = format!("express:{}:{}:{id}", machine.name, asked.name);
    let started = Started {
        history: execution::HistoryMode::Counted,
        child: None,
        input: asked.input.clone(),
        execution_arn: call.regional_arn("states", &resource),
        execution_name: asked.name.clone(),
        role_arn: machine.role_arn.clone(),
        state_machine_arn: machine.arn.clone(),
        state_machine_name: machine.name.clone(),
        state_machine_alias_arn: asked.routed.alias_arn.clone(),
        state_machine_version_arn: asked.routed.version_arn.clone(),
        region: call.region.clone(),
    };
    (&machine.definition, started)
}

fn refusal(call: &Call, err: runtime::Error) -> Error {
    match err {
        runtime::Error::ExpressLimit => {
            let under_way_max = call.settings.limits.express_executions;
            let what = format!("{under_way_max} express executions are under way");
            error::execution_limit_exceeded(&what)
        }
        err => err.into(),
    }
}

fn answer(known: Value, ended: &Ended) -> Value {
    let Ended { start_millis, stop_millis, finish } = ended;
    let pieces =
        (stop_millis - start_millis).max(1).saturating_add(BILLED_MILLIS - 1) / BILLED_MILLIS;
    // UNVERIFIED: that running out of time is named here as everywhere else.
    let timed_out =
        (finish.status == Status::TimedOut).then(|| asl::error_name::TIMEOUT.to_owned());
    known
        .with("startDate", *start_millis as f64 / 1000.0)
        .with("stopDate", *stop_millis as f64 / 1000.0)
        .with("status", finish.status.as_str())
        .with_some("error", finish.error.as_ref().or(timed_out.as_ref()))
        .with_some("cause", finish.cause.as_ref())
        .with(
            "billingDetails",
            value!({
                "billedDurationInMilliseconds": pieces * BILLED_MILLIS,
                "billedMemoryUsedInMB": BILLED_MEMORY_MB,
            }),
        )
}

/// Adds input and output. Recorded: the details of the output are there even when it is not.
fn with_data(answer: Value, asked: &Asked, ended: &Ended) -> Value {
    let included = value!({ "included": true });
    answer
        .with("input", asked.input.text())
        .with("inputDetails", &included)
        .with_some("output", ended.finish.output.as_ref().map(Payload::text))
        .with("outputDetails", included)
}
