//! Actions that start something elsewhere and look at it again and again until it is over.

use value::{Value, value};

use super::{Answer, Outcome, Turn};
use crate::clock;
use crate::failure::{self, Failure};
use crate::parameter::{self, Type};

/// How long an action waits between two looks.
// UNVERIFIED: AWS does not say.
const POLL_SECONDS: i64 = 5;

/// How long these actions wait when the step does not say.
// UNVERIFIED: AWS does not say.
pub(super) const TIMEOUT_SECONDS: u64 = 3600;

/// One AWS call.
pub(super) struct Request {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    pub(super) input: Value,
}

/// What an action starts and how it is looked at.
pub(super) struct Polled {
    /// Starts it.
    pub(super) start: fn(&Turn<'_, '_>) -> Request,
    /// Says why the start was refused: code, operation, message.
    pub(super) refused: fn(&str, &str, &str) -> Failure,
    /// Looks at it; the value is the answer of the start.
    pub(super) look: fn(&Turn<'_, '_>, &Value) -> Request,
    /// Judges what was seen.
    pub(super) judge: fn(&Turn<'_, '_>, &Seen<'_>) -> Judgement,
    /// Stops it.
    pub(super) stop: fn(&Turn<'_, '_>, &Value) -> Option<Request>,
}

/// What a look showed.
pub(super) struct Seen<'a> {
    /// The answer of the start.
    pub(super) started: &'a Value,
    /// The answer of the look, or the code and message of its error.
    pub(super) answer: Result<&'a Value, (&'a str, &'a str)>,
}

/// What a look means.
pub(super) enum Judgement {
    /// It is not over.
    Running,
    /// It is over, with these outputs.
    Done(Value),
    /// It has failed.
    Failed(Failure),
}

/// Begins an attempt.
pub(super) fn begin(turn: &mut Turn<'_, '_>, polled: &Polled) -> Outcome {
    let request = (polled.start)(turn);
    turn.call(request.service, request.operation, request.input);
    Outcome::InProgress
}

/// Goes on with an answer.
pub(super) fn resume(turn: &mut Turn<'_, '_>, answer: &Answer, polled: &Polled) -> Outcome {
    let memory = turn.memory();
    let started = memory.get("started");
    match (answer, started) {
        (Answer::Output { output, .. }, None) => {
            turn.remember(value!({"started": output}));
            look_later(turn)
        }
        (Answer::Error(err), None) => {
            let request = (polled.start)(turn);
            Outcome::Failed((polled.refused)(&err.code, request.operation, &err.message))
        }
        (Answer::Timer, Some(started)) => {
            let request = (polled.look)(turn, started);
            turn.call(request.service, request.operation, request.input);
            Outcome::InProgress
        }
        (Answer::Output { output, .. }, Some(started)) => {
            settle(turn, &Seen { started, answer: Ok(output) }, polled)
        }
        (Answer::Error(err), Some(started)) => {
            settle(turn, &Seen { started, answer: Err((&err.code, &err.message)) }, polled)
        }
        (Answer::Timer, None)
        | (Answer::Returned { .. } | Answer::Raised(_) | Answer::Signal(_), _) => {
            Outcome::InProgress
        }
    }
}

/// Stops what was started.
pub(super) fn cancel(turn: &mut Turn<'_, '_>, polled: &Polled) {
    let memory = turn.memory();
    let request = memory.get("started").and_then(|started| (polled.stop)(turn, started));
    if let Some(request) = request {
        turn.tell(request.service, request.operation, request.input);
    }
}

fn settle(turn: &mut Turn<'_, '_>, seen: &Seen<'_>, polled: &Polled) -> Outcome {
    match (polled.judge)(turn, seen) {
        Judgement::Running => look_later(turn),
        Judgement::Done(outputs) => Outcome::Done(outputs),
        Judgement::Failed(failure) => Outcome::Failed(failure),
    }
}

fn look_later(turn: &mut Turn<'_, '_>) -> Outcome {
    let at = turn.now_millis() + POLL_SECONDS * clock::MILLIS_PER_SECOND;
    turn.wake_at(at);
    Outcome::InProgress
}

/// Says why a call was refused, as the SDK does.
pub(super) fn client_error(code: &str, operation: &str, message: &str) -> Failure {
    Failure::client_error(code, operation, message)
}

/// Returns the judgement on a look that the service refused.
pub(super) fn refused(code: &str, operation: &str, message: &str) -> Judgement {
    // A look that came too often is repeated; anything else will not get better.
    if failure::is_throttling(code) {
        return Judgement::Running;
    }
    Judgement::Failed(Failure::client_error(code, operation, message))
}

/// Returns some of the step's inputs as a request, those that are there.
pub(super) fn inputs(turn: &Turn<'_, '_>, names: &[&str]) -> Value {
    let present = names.iter().filter_map(|name| turn.input(name).map(|value| (*name, value)));
    present.fold(Value::object(), |request, (name, value)| request.with(name, value))
}

/// Returns the text of a member.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number that may be written as a text; what is none stays as it is.
pub(super) fn number(given: &Value) -> Value {
    parameter::typed(Type::Integer, given)
}

/// Returns a truth value that may be written as a text; what is none stays as it is.
pub(super) fn flag(given: &Value) -> Value {
    parameter::typed(Type::Boolean, given)
}
