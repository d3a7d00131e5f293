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

const POLLED: Polled = Polled {
    start,
    refused: poll::client_error,
    look: |turn, _started| look(turn),
    judge,
    stop: |_turn, _started| None,
};

/// One instance of an answer.
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) state: String,
    /// Whether it has passed both status checks, where they were asked for.
    pub(super) has_passed: bool,
}

impl Instance {
    /// Returns whether it will not run again.
    fn is_lost(&self) -> bool {
        matches!(self.state.as_str(), "terminated" | "shutting-down")
    }

    /// Returns whether it will not become ready after its launch.
    pub(super) fn is_lost_or_stopped(&self) -> bool {
        self.is_lost() || matches!(self.state.as_str(), "stopping" | "stopped")
    }
}

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
    let force = turn.input("Force").filter(|_| inputs.contains(&"Force"));
    let input = poll::inputs(turn, inputs).with_some("Force", force.map(|it| poll::flag(&it)));
    Request { service: "ec2", operation, input }
}

fn look(turn: &Turn<'_, '_>) -> Request {
    let ids = turn.input("InstanceIds").unwrap_or_default();
    if desired(turn) == "running" {
        return look_until_running(&ids);
    }
    let input = value!({"InstanceIds": ids});
    Request { service: "ec2", operation: "DescribeInstances", input }
}

/// A running instance has to pass its status checks too.
pub(super) fn look_until_running(ids: &Value) -> Request {
    let input = value!({"InstanceIds": ids.clone(), "IncludeAllInstances": true});
    Request { service: "ec2", operation: "DescribeInstanceStatus", input }
}

fn judge(turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        Err((code, message)) => return poll::refused(code, look(turn).operation, message),
        Ok(answer) => answer,
    };
    let desired = desired(turn);
    let instances = instances(answer);
    let wanted = turn.input("InstanceIds").and_then(|ids| ids.as_array().map(<[Value]>::len));
    let lost = instances.iter().find(|instance| instance.is_lost());
    if let Some(Instance { id, state, .. }) = lost.filter(|_| desired != "terminated") {
        let text = format!("Instance {id} entered unexpected state: {state}");
        return Judgement::Failed(Failure::action(&text));
    }
    let is_there = |instance: &&Instance| instance.state == desired && instance.has_passed;
    let there = instances.iter().filter(is_there).count();
    if there == instances.len() && wanted.unwrap_or(1) <= there {
        let states: Vec<Value> = instances.iter().map(|_| Value::from(&desired)).collect();
        return Judgement::Done(value!({"InstanceStates": states}));
    }
    Judgement::Running
}

/// Returns every instance of an answer.
pub(super) fn instances(answer: &Value) -> Vec<Instance> {
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).unwrap_or_default().to_vec()
    };
    let text =
        |value: &Value, path: &[&str]| value.path(path).map(parameter::text).unwrap_or_default();
    let reservations = list(answer, "Reservations").into_iter();
    let described = reservations.flat_map(|one| list(&one, "Instances")).map(|one| Instance {
        id: text(&one, &["InstanceId"]),
        state: text(&one, &["State", "Name"]),
        has_passed: true,
    });
    let checked = list(answer, "InstanceStatuses").into_iter().map(|one| Instance {
        id: text(&one, &["InstanceId"]),
        state: text(&one, &["InstanceState", "Name"]),
        has_passed: ["SystemStatus", "InstanceStatus"]
            .iter()
            .all(|check| text(&one, &[*check, "Status"]) == "ok"),
    });
    described.chain(checked).collect()
}
