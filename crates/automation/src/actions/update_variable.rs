//! `aws:updateVariable`: gives a variable another value of its type.

use value::Value;

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;
use crate::parameter;

pub(super) static ACTION: Action = Action {
    name: "aws:updateVariable",
    required: &["Name", "Value"],
    timeout_seconds: None,
    may_follow_cancel: true,
    phrase: "updating the variable",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let name = turn.text_input("Name").unwrap_or_default();
    let name = name.strip_prefix("variable:").unwrap_or(&name);
    let value = turn.input("Value").unwrap_or_default();
    let Some(variable) = turn.run.runbook.variables.iter().find(|one| one.name == name) else {
        return Outcome::Failed(Failure::inputs(&format!("variable `{name}` is not defined")));
    };
    if !variable.kind.admits(&value) {
        let (kind, given) = (variable.kind.name(), parameter::text(&value));
        let text = format!("variable `{name}` is of type {kind}, which `{given}` is not");
        return Outcome::Failed(Failure::inputs(&text));
    }
    turn.run.state.variables.set(name, value);
    Outcome::Done(Value::object())
}

fn resume(_turn: &mut Turn<'_, '_>, _answer: &Answer) -> Outcome {
    Outcome::InProgress
}
