//! `aws:deleteImage`: deregisters an image of EC2 and deletes the snapshots that it is made of.
//!
//! AWS: "aws:deleteImage – Delete an Amazon Machine Image", read 2026-11; the runbook that is made
//! of this action asks for leave to `DescribeImages`, `DeregisterImage` and `DeleteSnapshot`.

use value::{Value, value};

use super::{Action, Answer, FOR_NEXT_ATTEMPT, Outcome, Turn, Work, nothing_to_cancel, poll};
use crate::failure::Failure;

const DESCRIBE: &str = "DescribeImages";
const DEREGISTER: &str = "DeregisterImage";
const DELETE: &str = "DeleteSnapshot";

pub(super) static ACTION: Action = Action {
    name: "aws:deleteImage",
    required: &["ImageId"],
    timeout_seconds: Some(600),
    may_follow_cancel: true,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn image_id(turn: &Turn<'_, '_>) -> String {
    turn.text_input("ImageId").unwrap_or_default()
}

/// What the memory keeps for another attempt: snapshots that are still to be deleted, of an image
/// that may be gone.
const LEFT: &str = FOR_NEXT_ATTEMPT;

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    let left = left(&turn.memory());
    ask(turn, DESCRIBE, value!({"ImageIds": [image_id(turn)]}), &left)
}

fn left(memory: &Value) -> Vec<Value> {
    memory.get(LEFT).and_then(Value::as_array).unwrap_or_default().to_vec()
}

/// Returns which snapshots are left when what was asked for has been done.
fn behind(memory: &Value, asked: &str) -> Vec<Value> {
    // As a Stepwell wrote that did not go on in another attempt.
    if let Some(others) = memory.get("snapshots").and_then(Value::as_array) {
        return others.to_vec();
    }
    let done = usize::from(asked == DELETE);
    left(memory).into_iter().skip(done).collect()
}

/// Makes a call and remembers which snapshots are left to delete, with it or behind it.
fn ask(turn: &mut Turn<'_, '_>, operation: &str, input: Value, snapshots: &[Value]) -> Outcome {
    turn.remember(value!({"asked": operation}).with(LEFT, snapshots.to_vec()));
    turn.call("ec2", operation, input);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    let memory = turn.memory();
    let (asked, left) = (poll::text(&memory, "asked"), left(&memory));
    match answer {
        Answer::Output { output, .. } if asked == DESCRIBE => described(turn, output, &left),
        Answer::Output { .. } => delete(turn, &behind(&memory, asked)),
        // An earlier attempt has deregistered it, or deleted it, and did not hear of that.
        Answer::Error(err) if asked == DESCRIBE && is_gone(&err.code) && !left.is_empty() => {
            delete(turn, &left)
        }
        Answer::Error(err) if asked == DELETE && is_gone(&err.code) => {
            delete(turn, &behind(&memory, asked))
        }
        Answer::Error(err) => {
            Outcome::Failed(Failure::client_error(&err.code, asked, &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

/// Returns whether an error says that there is no such thing any more.
fn is_gone(code: &str) -> bool {
    ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound"]
        .contains(&code)
}

/// Deletes the first of the snapshots, if there is one.
fn delete(turn: &mut Turn<'_, '_>, snapshots: &[Value]) -> Outcome {
    match snapshots.first() {
        Some(one) => ask(turn, DELETE, value!({"SnapshotId": one}), snapshots),
        None => Outcome::Done(Value::object()),
    }
}

/// Deregisters the image; the snapshots cannot be deleted before.
fn described(turn: &mut Turn<'_, '_>, output: &Value, left: &[Value]) -> Outcome {
    let id = image_id(turn);
    let image = match output.get("Images").and_then(|images| images.at(0)) {
        Some(image) => image,
        // UNVERIFIED: that another attempt goes on where the last one came to.
        None if !left.is_empty() => return delete(turn, left),
        // UNVERIFIED: the wording.
        None => return Outcome::Failed(Failure::action(&format!("Image {id} does not exist"))),
    };
    let devices = image.get("BlockDeviceMappings").and_then(Value::as_array).unwrap_or_default();
    let snapshot = |device: &Value| device.path(&["Ebs", "SnapshotId"]).cloned();
    let snapshots: Vec<Value> = devices.iter().filter_map(snapshot).collect();
    ask(turn, DEREGISTER, value!({"ImageId": id}), &snapshots)
}
