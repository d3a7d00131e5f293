//! `aws:deleteImage`: deregisters an image of EC2 and deletes the snapshots that it is made of.
//!
//! AWS: "aws:deleteImage – Delete an Amazon Machine Image", read 2026-11; the runbook that is made
//! of this action asks for leave to `DescribeImages`, `DeregisterImage` and `DeleteSnapshot`.

use value::{Value, value};

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel, poll};
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

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    ask(turn, DESCRIBE, value!({"ImageIds": [image_id(turn)]}), &[])
}

/// Makes a call and remembers which snapshots are left to delete behind it.
fn ask(turn: &mut Turn<'_, '_>, operation: &str, input: Value, snapshots: &[Value]) -> Outcome {
    turn.remember(value!({"asked": operation, "snapshots": snapshots.to_vec()}));
    turn.call("ec2", operation, input);
    Outcome::InProgress
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    let memory = turn.memory();
    let asked = poll::text(&memory, "asked");
    match answer {
        Answer::Output { output, .. } if asked == DESCRIBE => described(turn, output),
        Answer::Output { .. } => {
            let left = memory.get("snapshots").and_then(Value::as_array).unwrap_or_default();
            match left.split_first() {
                Some((one, rest)) => ask(turn, DELETE, value!({"SnapshotId": one.clone()}), rest),
                None => Outcome::Done(Value::object()),
            }
        }
        Answer::Error(err) => {
            Outcome::Failed(Failure::client_error(&err.code, asked, &err.message))
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

/// Deregisters the image; the snapshots cannot be deleted before.
fn described(turn: &mut Turn<'_, '_>, output: &Value) -> Outcome {
    let id = image_id(turn);
    let image = output.get("Images").and_then(|images| images.at(0));
    let Some(image) = image else {
        // UNVERIFIED: the wording.
        return Outcome::Failed(Failure::action(&format!("Image {id} does not exist")));
    };
    let devices = image.get("BlockDeviceMappings").and_then(Value::as_array).unwrap_or_default();
    let snapshot = |device: &Value| device.path(&["Ebs", "SnapshotId"]).cloned();
    let snapshots: Vec<Value> = devices.iter().filter_map(snapshot).collect();
    ask(turn, DEREGISTER, value!({"ImageId": id}), &snapshots)
}
