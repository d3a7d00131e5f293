//! `aws:createImage`: makes an image of an EC2 instance and waits until it is available.
//!
//! AWS: "aws:createImage – Create an Amazon Machine Image", read 2026-11.

use value::Value;

use super::image;
use super::poll::{self, Polled, Request};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};

pub(super) static ACTION: Action = Action {
    name: "aws:createImage",
    required: &["InstanceId", "ImageName"],
    timeout_seconds: Some(poll::TIMEOUT_SECONDS),
    may_follow_cancel: false,
    phrase: "verifying the image is available",
    work: Work::Available { begin, resume, cancel: nothing_to_cancel },
};

const POLLED: Polled = Polled {
    start,
    refused: poll::client_error,
    look: |_turn, started| image::look(started),
    judge: image::judge,
    stop: |_turn, _started| None,
};

fn begin(turn: &mut Turn<'_, '_>) -> Outcome {
    poll::begin(turn, &POLLED)
}

fn resume(turn: &mut Turn<'_, '_>, answer: &Answer) -> Outcome {
    poll::resume(turn, answer, &POLLED)
}

fn start(turn: &Turn<'_, '_>) -> Request {
    let no_reboot = turn.input("NoReboot").map(|given| poll::flag(&given));
    let input: Value = image::named(turn, &["InstanceId", "BlockDeviceMappings"]);
    let input = input.with_some("NoReboot", no_reboot);
    Request { service: "ec2", operation: "CreateImage", input }
}
