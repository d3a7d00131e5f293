//! Callbacks: SendTaskSuccess and its kin, by which whoever has a task's token reports on it.
//!
//! AWS Step Functions API reference, "SendTaskSuccess" (read 2026-11).

use std::sync::Arc;

use execution::TaskToken;
use runtime::{Answered, Callback, Report};
use store::{Load, Table};
use value::Value;

use super::error;
use crate::{Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "SendTaskSuccess", checks: may_succeed, run: Run::Workflow(succeed) },
    Operation { name: "SendTaskFailure", checks: may_fail, run: Run::Workflow(fail) },
    Operation { name: "SendTaskHeartbeat", checks: may_beat, run: Run::Workflow(beat) },
];

fn may_succeed(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:SendTaskSuccess")])
}

fn succeed(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let token = read_token(&input)?;
        let output = value::parse(input.text("output")?)
            .map_err(|err| error::invalid_output(&err.to_string()))?;
        report(&services, &call, token, Report::Succeeded { output }).await
    })
}

fn may_fail(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:SendTaskFailure")])
}

fn fail(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let token = read_token(&input)?;
        let text = |member: &str| input.maybe_text(member).map(str::to_owned);
        let failed = Report::Failed { error: text("error"), cause: text("cause") };
        report(&services, &call, token, failed).await
    })
}

fn may_beat(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:SendTaskHeartbeat")])
}

fn beat(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let token = read_token(&input)?;
        report(&services, &call, token, Report::Heartbeat).await
    })
}

/// A token that could be one.
struct Shown {
    text: String,
    leads_to: TaskToken,
}

fn read_token(input: &Value) -> Result<Shown, Error> {
    let text = input.text("taskToken")?;
    let leads_to = TaskToken::parse(text).ok_or_else(error::invalid_token)?;
    Ok(Shown { text: text.to_owned(), leads_to })
}

/// Hands a report to the execution that the token leads to.
async fn report(services: &Services, call: &Call, token: Shown, report: Report) -> Answer {
    if let Some(answer) = known_answer(services, call)? {
        return Ok(answer);
    }
    let answer = Value::object();
    let effect = call.effect_id.clone();
    let answered = effect.map(|id| Answered { id, answer: answer.clone() });
    let callback = Callback { token: token.text, report, answered };
    match services.runtime().call_back(callback).await {
        Ok(()) => Ok(answer),
        Err(runtime::Error::NotRunning) => {
            // What was answered may have been so by this very call, before a crash.
            if let Some(answer) = known_answer(services, call)? {
                return Ok(answer);
            }
            let execution_arn = &token.leads_to.execution_arn;
            let known = services.store().read(|store| store.get(Table::Executions, execution_arn));
            Err(match known? {
                Some(_) => error::task_timed_out(),
                None => error::task_does_not_exist(),
            })
        }
        Err(err) => Err(err.into()),
    }
}

/// Returns what an effect was answered before: the execution that took the report wrote it down
/// with the same commit.
pub(super) fn known_answer(services: &Services, call: &Call) -> Result<Option<Value>, Error> {
    let Some(effect) = &call.effect_id else { return Ok(None) };
    Ok(services.store().read(|store| store.load(Table::Applied, effect))?)
}
