//! `aws:runInstances`: launches EC2 instances and waits until they are ready to be used.
//!
//! AWS: "aws:runInstances – Launch an Amazon EC2 instance", read 2026-11; the words of failures are
//! those of "Troubleshooting Systems Manager Automation".

use value::{Value, value};

use super::change_instance_state::{self, Instance};
use super::poll::{self, Judgement, Polled, Request, Seen};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::failure::Failure;

/// What AWS launches when the step names no type.
const INSTANCE_TYPE: &str = "m1.small";
/// What it is busy with once they are launched.
const VERIFYING: &str = "verifying launched instance(s) are ready to be used";

/// Inputs that are members of the request under the same name.
const PASSED_ON: [&str; 17] = [
    "AdditionalInfo",
    "BlockDeviceMappings",
    "ClientToken",
    "DisableApiTermination",
    "EbsOptimized",
    "ImageId",
    "InstanceInitiatedShutdownBehavior",
    "KernelId",
    "KeyName",
    "NetworkInterfaces",
    "Placement",
    "PrivateIpAddress",
    "RamdiskId",
    "SecurityGroupIds",
    "SecurityGroups",
    "SubnetId",
    "TagSpecifications",
];

pub(super) static ACTION: Action = Action {
    name: "aws:runInstances",
    required: &["ImageId"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: false,
    phrase: VERIFYING,
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const POLLED: Polled = Polled {
    start,
    refused,
    look: |_turn, launched| change_instance_state::look_until_running(&launched_ids(launched)),
    judge,
    stop: |_turn, _launched| None,
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    poll::begin(turn, &POLLED)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    poll::resume(turn, answer, &POLLED)
}

fn start(turn: &Turn<'_, '_>) -> Request {
    let count = |name: &str| turn.input(name).map_or(Value::from(1), |given| poll::number(&given));
    let profile = Value::object()
        .with_some("Arn", turn.text_input("IamInstanceProfileArn"))
        .with_some("Name", turn.text_input("IamInstanceProfileName"));
    let has_profile = profile.as_object().is_some_and(|members| !members.is_empty());
    let monitoring = turn.input("Monitoring").map(|enabled| match enabled {
        already @ Value::Object(_) => already,
        enabled => value!({"Enabled": poll::flag(&enabled)}),
    });
    let kind = turn.text_input("InstanceType").unwrap_or_else(|| INSTANCE_TYPE.to_owned());
    let input = poll::inputs(turn, &PASSED_ON)
        .with("InstanceType", kind)
        .with("MinCount", count("MinInstanceCount"))
        .with("MaxCount", count("MaxInstanceCount"))
        .with_some("IamInstanceProfile", has_profile.then_some(profile))
        .with_some("Monitoring", monitoring)
        .with_some("UserData", turn.text_input("UserData"));
    Request { service: "ec2", operation: "RunInstances", input }
}

/// DIFFERS: AWS also tells the HTTP status and the request's id in the parentheses.
fn refused(code: &str, _operation: &str, message: &str) -> Failure {
    Failure::launch(&format!("{message} (Service: AmazonEC2; Error Code: {code})"))
}

fn launched_ids(launched: &Value) -> Value {
    let instances = launched.get("Instances").and_then(Value::as_array).unwrap_or_default();
    instances.iter().filter_map(|instance| instance.get("InstanceId").cloned()).collect()
}

fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let answer = match seen.answer {
        // A new instance is not known everywhere at once.
        Err(("InvalidInstanceID.NotFound", _)) => return Judgement::Running,
        Err((code, message)) => return poll::refused(code, "DescribeInstanceStatus", message),
        Ok(answer) => answer,
    };
    let ids = launched_ids(seen.started);
    let instances = change_instance_state::instances(answer);
    if let Some(lost) = instances.iter().find(|instance| instance.is_lost_or_stopped()) {
        let text = format!("Instance {} entered unexpected state: {}", lost.id, lost.state);
        return Judgement::Failed(Failure::verifying(VERIFYING, &text));
    }
    let is_ready = |instance: &&Instance| instance.state == "running" && instance.has_passed;
    let ready = instances.iter().filter(is_ready).count();
    if ready < ids.as_array().map_or(0, <[Value]>::len) {
        return Judgement::Running;
    }
    let states: Value = instances.iter().map(|instance| &*instance.state).collect();
    Judgement::Done(value!({"InstanceIds": ids, "InstanceStates": states}))
}
