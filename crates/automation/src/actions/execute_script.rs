//! `aws:executeScript`: runs a Python or PowerShell script as the assumed role.
//!
//! AWS: "aws:executeScript – Run a script", read in the reference of 2026-11.

use value::{Value, value};

use super::{
    Action, Answer, EXECUTE_SCRIPT, Outcome, Turn, Work, execute_aws_api, nothing_to_cancel,
};
use crate::clock;
use crate::effect::{Effect, Script};
use crate::fact::CallError;
use crate::failure::Failure;
use crate::native::{self, Invocation, Move, NativeScript, Progress};
use crate::output;
use crate::reference::SYSTEM;

/// The longest that a script may run.
const SCRIPT_SECONDS_MAX: u64 = 600;

/// How much longer a process may run than its step: the step's own timer comes first.
const GRACE_SECONDS: u64 = 30;

/// How many items of a list are returned.
const RESULT_ITEMS_MAX: usize = 100;

/// The longest result, printed as JSON.
const RESULT_BYTES_MAX: usize = 100 * 1024;

pub(super) static ACTION: Action = Action {
    name: EXECUTE_SCRIPT,
    required: &["Runtime"],
    timeout_seconds: Some(SCRIPT_SECONDS_MAX),
    may_follow_cancel: true,
    phrase: "Poll action status for completion",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let script = script(turn);
    if let Some(native) = native::find(&script.sha256) {
        turn.remember(value!({"file": script.file}));
        return advance(turn, native, None);
    }
    turn.run.ask(|id| Effect::Script(Box::new(Script { id, ..script })));
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Returned { payload, log } => done(turn, payload, log),
        Answer::Raised(text) => Outcome::Failed(Failure::script(text)),
        Answer::Output { output, request_id } => {
            let response = execute_aws_api::with_metadata(turn, output, request_id.as_deref());
            native_answer(turn, Ok(response))
        }
        Answer::Error(err) => native_answer(turn, Err(err.clone())),
        Answer::Timer | Answer::Signal(_) => Outcome::InProgress,
    }
}

/// Gives a call's answer to the compiled-in body that made it.
fn native_answer(turn: &mut Turn<'_, '_>, answer: Result<Value, CallError>) -> Outcome {
    match native::find(&native::sha256(&text(turn))) {
        Some(native) => advance(turn, native, Some(answer)),
        None => Outcome::Failed(Failure::script("the compiled-in script is not there any more")),
    }
}

/// Lets a compiled-in body go on until its next call or its end.
fn advance(
    turn: &mut Turn<'_, '_>,
    native: &NativeScript,
    answer: Option<Result<Value, CallError>>,
) -> Outcome {
    let memory = turn.memory();
    let file = memory.get("file").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut progress: Progress = match memory.get("progress") {
        Some(progress) => value::from_value(progress.clone()).unwrap_or_default(),
        None => Progress::default(),
    };
    let payload = payload(turn);
    let text = text(turn);
    let invocation = Invocation { payload: &payload, text: &text, file: &file };
    match native.next(&mut progress, invocation, answer) {
        Move::Call { operation, input } => {
            let progress = value::to_value(&progress).unwrap_or_default();
            turn.remember(value!({"file": file, "progress": progress}));
            turn.call(native.service, operation, input);
            Outcome::InProgress
        }
        Move::Done(result) => done(turn, &result, ""),
        Move::Failed(text) => Outcome::Failed(Failure::script(&text)),
    }
}

/// Makes the outputs of a script that has returned.
fn done(turn: &Turn<'_, '_>, payload: &Value, log: &str) -> Outcome {
    let bytes = payload.json_bytes();
    if RESULT_BYTES_MAX < bytes {
        // UNVERIFIED: the wording.
        let text = format!("The script returned {bytes} bytes, more than {RESULT_BYTES_MAX}");
        return Outcome::Failed(Failure::script(&text));
    }
    let log = (!log.is_empty()).then_some(log);
    let payload = match payload.as_array() {
        Some(items) => items.iter().take(RESULT_ITEMS_MAX).cloned().collect(),
        None => payload.clone(),
    };
    let answer = value!({"Payload": &payload}).with_some("ExecutionLog", log);
    match output::select(&turn.step.outputs, &answer) {
        Ok(mut outputs) => {
            if outputs.get("Payload").is_none() && !payload.is_null() {
                outputs.set("Payload", payload);
            }
            outputs.set("OutputPayload", answer);
            Outcome::Done(outputs)
        }
        Err(err) => Outcome::Failed(Failure::script(&err.to_string())),
    }
}

fn script(turn: &mut Turn<'_, '_>) -> Script {
    let folder = turn.run.draw_uuid();
    let time = clock::folder_time(turn.now_millis());
    let text = text(turn);
    Script {
        id: 0,
        runtime: turn.text_input("Runtime").unwrap_or_default(),
        handler: turn.text_input("Handler"),
        attachment: turn.text_input("Attachment"),
        payload: payload(turn),
        context: context(turn),
        timeout_seconds: turn.step.timeout_seconds.unwrap_or(SCRIPT_SECONDS_MAX) + GRACE_SECONDS,
        file: format!("/tmp/{folder}-{time}/customer_script.py"),
        sha256: native::sha256(&text),
        begun: false,
        text,
    }
}

fn text(turn: &Turn<'_, '_>) -> String {
    turn.text_input("Script").unwrap_or_default()
}

fn payload(turn: &Turn<'_, '_>) -> Value {
    turn.input("InputPayload").filter(|it| !it.is_null()).unwrap_or_else(Value::object)
}

/// Returns the handler's second argument.
fn context(turn: &Turn<'_, '_>) -> Value {
    let scope = turn.run.scope();
    let mut context = Value::object();
    for (name, variable) in SYSTEM {
        context.set(name, scope.system(variable));
    }
    context
}
