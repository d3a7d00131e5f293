//! `aws:sleep`: waits for a duration or until a moment.
//!
//! AWS: "aws:sleep – Delay an automation", read in the reference of 2026-11.

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::clock;
use crate::failure::Failure;

/// The longest sleep.
const SLEEP_SECONDS_MAX: i64 = 604_799;

pub(super) static ACTION: Action = Action {
    name: "aws:sleep",
    required: &[],
    timeout_seconds: None,
    may_follow_cancel: false,
    phrase: "sleeping",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let now = turn.now_millis();
    let until = match (turn.text_input("Duration"), turn.text_input("Timestamp")) {
        (Some(duration), None) => match clock::parse_duration(&duration) {
            Some(millis) if 0 <= millis => now.saturating_add(millis),
            Some(_) | None => return invalid(&format!("`{duration}` is not a duration")),
        },
        (None, Some(timestamp)) => match clock::parse_timestamp(&timestamp) {
            Some(millis) => millis,
            None => return invalid(&format!("`{timestamp}` is not a timestamp")),
        },
        (Some(_), Some(_)) | (None, None) => {
            return invalid("one of `Duration` and `Timestamp` is needed");
        }
    };
    if SLEEP_SECONDS_MAX * clock::MILLIS_PER_SECOND < until.saturating_sub(now) {
        return invalid(&format!("a sleep lasts at most {SLEEP_SECONDS_MAX} seconds"));
    }
    if until <= now {
        return Outcome::Done(value::Value::object());
    }
    turn.wake_at(until);
    Outcome::InProgress
}

fn resume(_turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Timer => Outcome::Done(value::Value::object()),
        Answer::Output { .. }
        | Answer::Error(_)
        | Answer::Returned { .. }
        | Answer::Raised(_)
        | Answer::Signal(_) => Outcome::InProgress,
    }
}

fn invalid(text: &str) -> Outcome {
    Outcome::Failed(Failure::inputs(text))
}
