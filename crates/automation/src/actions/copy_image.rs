//! `aws:copyImage`: copies an image of EC2 from any region into this one and waits for it.
//!
//! AWS: "aws:copyImage – Copy or encrypt an Amazon Machine Image", read 2026-11.

use super::image;
use super::poll::{self, Polled, Request};
use super::{Action, Answer, Outcome, Turn, Work, nothing_to_cancel};

pub(super) static ACTION: Action = Action {
    name: "aws:copyImage",
    required: &["SourceImageId", "SourceRegion", "ImageName"],
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
    let encrypted = turn.input("Encrypted").map(|given| poll::flag(&given));
    let names = ["SourceImageId", "SourceRegion", "KmsKeyId", "ClientToken"];
    let input = image::named(turn, &names).with_some("Encrypted", encrypted);
    Request { service: "ec2", operation: "CopyImage", input }
}
