//! What `aws:createImage` and `aws:copyImage` share: an image that comes to be.

use value::{Value, value};

use super::Turn;
use super::poll::{self, Judgement, Request, Seen};
use crate::failure::Failure;

/// Returns a request with the image's name and description, and other inputs as they are.
pub(super) fn named(turn: &Turn<'_, '_>, others: &[&str]) -> Value {
    poll::inputs(turn, others)
        .with_some("Name", turn.text_input("ImageName"))
        .with_some("Description", turn.text_input("ImageDescription"))
}

/// Looks at the image that an answer names.
pub(super) fn look(started: &Value) -> Request {
    let input = value!({"ImageIds": [poll::text(started, "ImageId")]});
    Request { service: "ec2", operation: "DescribeImages", input }
}

/// UNVERIFIED: the words of the failure.
pub(super) fn judge(_turn: &Turn<'_, '_>, seen: &Seen<'_>) -> Judgement {
    let id = poll::text(seen.started, "ImageId");
    let answer = match seen.answer {
        // A new image is not known everywhere at once.
        Err(("InvalidAMIID.NotFound", _)) => return Judgement::Running,
        Err((code, message)) => return poll::refused(code, "DescribeImages", message),
        Ok(answer) => answer,
    };
    let image = answer.get("Images").and_then(|images| images.at(0)).cloned().unwrap_or_default();
    match poll::text(&image, "State") {
        "available" => Judgement::Done(value!({"ImageId": id, "ImageState": "available"})),
        "" | "pending" | "transient" => Judgement::Running,
        state => {
            let reason = image.path(&["StateReason", "Message"]).and_then(Value::as_str);
            let reason = reason.map(|reason| format!(". {reason}")).unwrap_or_default();
            let text = format!("Image {id} entered unexpected state: {state}{reason}");
            Judgement::Failed(Failure::ended("verifying the image is available", &text))
        }
    }
}
