//! `aws:changeInstanceState`: brings EC2 instances into a state, or waits until they are in it.
//!
//! AWS: "aws:changeInstanceState – Change or assert instance state", read in the reference of
//! 2026-11.

use value::{Value, value};

use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;
use crate::parameter;

pub(super) static ACTION: Action = Action {
    name: "aws:changeInstanceState",
    required: &["InstanceIds", "DesiredState"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: true,
    phrase: "verifying instance(s) are in desired state",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const POLLED: Polled =
    Polled { start, look: |turn, _started| look(turn), judge, stop: |_turn, _started| None };

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    match desired(turn).as_str() {
        "running" | "stopped" | "terminated" => poll::begin(turn, &POLLED),
        other => {
            let text = format!("`{other}` is not running, stopped or terminated");
            Outcome::Failed(Failure::inputs(&text))
        }
    }
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    poll::resume(turn, answer, &POLLED)
}

fn desired(turn: &Turn<'_, '_>) -> String {
    turn.text_input("DesiredState").unwrap_or_default()
}

fn start(turn: &Turn<'_, '_>) -> Request {
    let only_check = turn.text_input("CheckStateOnly").unwrap_or_default();
    if only_check.eq_ignore_ascii_case("true") {
        return look(turn);
    }
    let (operation, inputs): (_, &[&str]) = match desired(turn).as_str() {
        "running" => ("StartInstances", &["InstanceIds", "AdditionalInfo"]),
        "stopped" => ("StopInstances", &["InstanceIds", "Force"]),
        _ => ("TerminateInstances", &["InstanceIds"]),
    };
    Request { service: "ec2", operation, input: poll::inputs(turn, inputs) }
}

/// A running instance has to pass its status checks too.
fn look(turn: &Turn<'_, '_>) -> Request {
    let input = poll::inputs(turn, &["InstanceIds"]);
    match desired(turn).as_str() {
        "running" => Request {
            service: "ec2",
            operation: "DescribeInstanceStatus",
            input: input.with("IncludeAllInstances", true),
        },
        _ => Request { service: "ec2", operation: "DescribeInstances", input },
    }
}

fn judge(turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        Err((code, message)) => return poll::refused(code, look(turn).operation, message),
        Ok(answer) => answer,
    };
    let desired = desired(turn);
    let instances = instances(answer);
    let wanted = turn.input("InstanceIds").and_then(|ids| ids.as_array().map(<[Value]>::len));
    for (id, state, _) in &instances {
        let is_lost = matches!(state.as_str(), "terminated" | "shutting-down");
        if is_lost && desired != "terminated" {
            let text = format!("Instance {id} entered unexpected state: {state}");
            return Judgement::Failed(Failure::action(&text));
        }
    }
    let there = instances.iter().filter(|(_, state, passed)| *state == desired && *passed).count();
    if there == instances.len() && wanted.unwrap_or(1) <= there {
        let states: Vec<Value> = instances.iter().map(|_| Value::from(&desired)).collect();
        return Judgement::Done(value!({"InstanceStates": states}));
    }
    Judgement::Running
}

/// Returns id, state and whether all checks are passed, for every instance of an answer.
fn instances(answer: &Value) -> Vec<(String, String, bool)> {
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).unwrap_or_default().to_vec()
    };
    let text =
        |value: &Value, path: &[&str]| value.path(path).map(parameter::text).unwrap_or_default();
    let described =
        list(answer, "Reservations").into_iter().flat_map(|one| list(&one, "Instances"));
    let described =
        described.map(|one| (text(&one, &["InstanceId"]), text(&one, &["State", "Name"]), true));
    let checked = list(answer, "InstanceStatuses").into_iter().map(|one| {
        let passed = ["SystemStatus", "InstanceStatus"];
        let passed = passed.iter().all(|check| text(&one, &[*check, "Status"]) == "ok");
        (text(&one, &["InstanceId"]), text(&one, &["InstanceState", "Name"]), passed)
    });
    described.chain(checked).collect()
}
