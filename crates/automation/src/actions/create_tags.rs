//! `aws:createTags`: tags EC2 resources or Systems Manager's own.
//!
//! AWS: "aws:createTags – Create tags for AWS resources", read in the reference of 2026-11.

use value::{Value, value};

use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel, poll};
use crate::failure::Failure;
use crate::parameter;

pub(super) static ACTION: Action = Action {
    name: "aws:createTags",
    required: &["ResourceIds", "Tags"],
    timeout_seconds: Some(600),
    may_follow_cancel: false,
    phrase: "Execute/Cancelling action",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    ask(turn, 0)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    match answer {
        Answer::Output { .. } => {
            let tagged = turn.memory().get("tagged").and_then(Value::as_i64).unwrap_or(0);
            ask(turn, usize::try_from(tagged).unwrap_or(usize::MAX))
        }
        Answer::Error(err) => {
            let failure = Failure::client_error(&err.code, operation(turn), &err.message);
            Outcome::Failed(failure)
        }
        Answer::Returned { .. } | Answer::Raised(_) | Answer::Timer | Answer::Signal(_) => {
            Outcome::InProgress
        }
    }
}

fn resource_type(turn: &Turn<'_, '_>) -> String {
    turn.text_input("ResourceType").unwrap_or_else(|| "EC2".to_owned())
}

fn operation(turn: &Turn<'_, '_>) -> &'static str {
    if resource_type(turn) == "EC2" { "CreateTags" } else { "AddTagsToResource" }
}

/// Tags what comes behind the first `tagged` resources: EC2 takes all at once, Systems Manager one
/// by one.
fn ask(turn: &mut Turn<'_, '_>, tagged: usize) -> Outcome {
    let tags = turn.input("Tags").unwrap_or_default();
    let resources = turn.input("ResourceIds").unwrap_or_default();
    let Some(resource) = resources.at(tagged) else { return Outcome::Done(Value::object()) };
    let count = resources.as_array().map_or(0, <[Value]>::len);
    match operation(turn) {
        "CreateTags" => {
            turn.remember(value!({"tagged": i64::try_from(count).unwrap_or(i64::MAX)}));
            let request = value!({"Resources": &resources, "Tags": tags});
            turn.call("ec2", "CreateTags", request);
        }
        operation => {
            turn.remember(value!({"tagged": i64::try_from(tagged + 1).unwrap_or(i64::MAX)}));
            let request = poll::inputs(turn, &["ResourceType"])
                .with("ResourceId", parameter::text(resource))
                .with("Tags", tags);
            turn.call("ssm", operation, request);
        }
    }
    Outcome::InProgress
}
