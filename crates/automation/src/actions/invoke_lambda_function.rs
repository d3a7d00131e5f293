//! `aws:invokeLambdaFunction`: invokes a Lambda function.
//!
//! AWS: "aws:invokeLambdaFunction – Invoke an AWS Lambda function", read in the reference of
//! 2026-11.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use value::{Value, value};

use super::poll;
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;

pub(super) static ACTION: Action = Action {
    name: "aws:invokeLambdaFunction",
    required: &["FunctionName"],
    timeout_seconds: Some(600),
    may_follow_cancel: true,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const PASSED_ON: [&str; 5] =
    ["FunctionName", "InvocationType", "LogType", "ClientContext", "Qualifier"];

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let payload = turn.text_input("Payload").or_else(|| turn.text_input("InputPayload"));
    // Blobs are base64 texts in requests and answers.
    let input = poll::inputs(turn, &PASSED_ON)
        .with_some("Payload", payload.map(|text| STANDARD.encode(text)));
    turn.call("lambda", "Invoke", input);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Output { output, .. } => done(turn, output),
        Answer::Error(err) => {
            Outcome::Failed(Failure::client_error(&err.code, "Invoke", &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

fn done(turn: &Turn<'_, '_>, answer: &Value) -> Outcome {
    let payload = STANDARD.decode(poll::text(answer, "Payload")).unwrap_or_default();
    let payload = String::from_utf8_lossy(&payload).into_owned();
    if let Some(error) = answer.get("FunctionError") {
        // UNVERIFIED: the wording.
        let error = crate::parameter::text(error);
        let text = format!("Lambda function failed with error {error}: {payload}");
        return Outcome::Failed(Failure::action(&text));
    }
    let outputs = value!({"StatusCode": answer.get("StatusCode").cloned(), "Payload": payload})
        .with_some("LogResult", answer.get("LogResult").cloned());
    let data = value::parse(poll::text(&outputs, "Payload")).unwrap_or_default();
    // Declared outputs select from the payload as data, by `$.Payload.x` or, as in AWS's example
    // of a loop, by `$.x`.
    let members = data.as_object().cloned().unwrap_or_default();
    let selectable = members.iter().fold(outputs.clone(), |all, (name, value)| {
        if all.get(name).is_some() { all } else { all.with(name.clone(), value.clone()) }
    });
    let selectable = selectable.with("Payload", data);
    match crate::output::select(&turn.step.outputs, &selectable) {
        Ok(selected) => Outcome::Done(merged(selected, &outputs)),
        Err(err) => Outcome::Failed(Failure::action(&err.to_string())),
    }
}

/// Returns declared outputs with the predetermined ones they do not name.
fn merged(declared: Value, predetermined: &Value) -> Value {
    let members = predetermined.as_object().into_iter().flat_map(value::Map::iter);
    members.fold(declared, |outputs, (name, value)| match outputs.get(name) {
        Some(_) => outputs,
        None => outputs.with(name.clone(), value.clone()),
    })
}
