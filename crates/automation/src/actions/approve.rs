//! `aws:approve`: waits until enough approvers agree, or one refuses.
//!
//! AWS: "aws:approve – Pause an automation for manual approval", read in the reference of 2026-11.

use value::{Value, value};

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};
use crate::clock;
use crate::fact::Signal;
use crate::failure::Failure;
use crate::reference::System;

pub(super) static ACTION: Action = Action {
    name: "aws:approve",
    required: &["Approvers"],
    timeout_seconds: Some(604_800),
    may_follow_cancel: false,
    phrase: "waiting for approval",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    if let Some(topic) = turn.text_input("NotificationArn") {
        let message = notification(turn, &topic);
        // DIFFERS: on AWS a topic that cannot be written to fails the step; here it need not be
        // there for somebody to decide.
        turn.tell("sns", "Publish", message);
    }
    turn.remember(value!([]));
    turn.show_outputs(value!({"ApprovalStatus": "Waiting", "ApproverDecisions": []}));
    Outcome::Waiting
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Signal(Signal::Approve { approver, .. }) => decide(turn, approver, "Approved"),
        Answer::Signal(Signal::Reject { approver, .. }) => decide(turn, approver, "Rejected"),
        Answer::Signal(
            Signal::Resume { .. } | Signal::StartStep { .. } | Signal::StopStep { .. },
        )
        | Answer::Output { .. }
        | Answer::Error(_)
        | Answer::Returned { .. }
        | Answer::Raised(_)
        | Answer::Timer => Outcome::Waiting,
    }
}

/// Returns what the approvers are told.
// UNVERIFIED: the words.
fn notification(turn: &Turn<'_, '_>, topic: &str) -> Value {
    let execution_id = turn.run.scope().system(System::ExecutionId);
    let message = value!({
        "AutomationExecutionId": execution_id,
        "StepName": &turn.step.name,
        "Approvers": turn.input("Approvers"),
        "MinRequiredApprovals": turn.input("MinRequiredApprovals").unwrap_or_else(|| 1.into()),
        "Message": turn.text_input("Message"),
    });
    value!({
        "TopicArn": topic,
        "Subject": "Automation step is waiting for approval",
        "Message": message.to_string(),
    })
}

/// Notes a decision; somebody who is no approver, or has decided already, changes nothing.
fn decide(turn: &mut Turn<'_, '_>, approver: &str, status: &str) -> Outcome {
    let mut decisions = turn.memory();
    let decided = decisions.as_array().unwrap_or_default();
    let again =
        decided.iter().any(|one| one.get("Approver").and_then(Value::as_str) == Some(approver));
    if again || !is_approver(&turn.input("Approvers").unwrap_or_default(), approver) {
        return Outcome::Waiting;
    }
    decisions.array_mut().push(value!({
        "Approver": approver,
        "ApprovalStatus": status,
        "ApprovalDecisionTime": clock::epoch_seconds(turn.now_millis()),
    }));
    turn.remember(decisions.clone());
    let count = i64::try_from(decisions.as_array().map_or(0, <[Value]>::len)).unwrap_or(i64::MAX);
    let shown =
        |status: &str| value!({"ApprovalStatus": status, "ApproverDecisions": decisions.clone()});
    if status == "Rejected" {
        turn.show_outputs(shown("Rejected"));
        // UNVERIFIED: that one refusal fails the step, and the wording.
        return Outcome::Failed(Failure::action(&format!("The step was rejected by {approver}")));
    }
    let needed = turn.input("MinRequiredApprovals");
    let needed = needed.and_then(|it| it.as_i64().or_else(|| it.as_str()?.parse().ok()));
    if needed.unwrap_or(1) <= count {
        return Outcome::Done(shown("Approved"));
    }
    turn.show_outputs(shown("Waiting"));
    Outcome::Waiting
}

/// Returns whether a caller is among the approvers: by ARN, by user name, or as a session of an
/// approving role.
pub fn is_approver(approvers: &Value, caller: &str) -> bool {
    let approvers = approvers.as_array().unwrap_or_default();
    approvers.iter().filter_map(Value::as_str).any(|approver| {
        let user = caller.split_once(":user/").map(|(_, path)| path.rsplit('/').next());
        approver == caller
            || user.flatten() == Some(approver)
            || session_role(caller).is_some_and(|role| role_name(approver) == Some(role))
    })
}

/// Returns account and role of an assumed-role session.
fn session_role(caller: &str) -> Option<(&str, &str)> {
    let (head, tail) = caller.split_once(":assumed-role/")?;
    Some((head.rsplit(':').next()?, tail.split('/').next()?))
}

/// Returns account and name of a role.
fn role_name(approver: &str) -> Option<(&str, &str)> {
    let (head, path) = approver.split_once(":role/")?;
    Some((head.rsplit(':').next()?, path.rsplit('/').next()?))
}
