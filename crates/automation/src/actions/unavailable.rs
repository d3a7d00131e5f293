//! Actions that validation knows and Stepwell cannot carry out yet: their steps fail and say so.

use super::{Action, Work};

const POLLING_SECONDS: u64 = 3600;

const fn unavailable(name: &'static str, required: &'static [&'static str]) -> Action {
    Action {
        name,
        required,
        timeout_seconds: Some(POLLING_SECONDS),
        may_follow_cancel: true,
        phrase: "Execute/Cancelling action",
        work: Work::Unavailable,
    }
}

const fn never_after_cancel(action: Action) -> Action {
    Action { may_follow_cancel: false, ..action }
}

/// `aws:copyImage`.
pub(super) static COPY_IMAGE: Action = never_after_cancel(unavailable(
    "aws:copyImage",
    &["SourceImageId", "SourceRegion", "ImageName"],
));
/// `aws:createImage`.
pub(super) static CREATE_IMAGE: Action =
    never_after_cancel(unavailable("aws:createImage", &["InstanceId", "ImageName"]));
/// `aws:deleteImage`.
pub(super) static DELETE_IMAGE: Action = unavailable("aws:deleteImage", &["ImageId"]);
/// `aws:invokeWebhook`.
pub(super) static INVOKE_WEBHOOK: Action = unavailable("aws:invokeWebhook", &["IntegrationName"]);
/// `aws:runInstances`.
pub(super) static RUN_INSTANCES: Action =
    never_after_cancel(unavailable("aws:runInstances", &["ImageId"]));

/// What stands in a step, while it is checked, whose action nobody knows.
pub(crate) static UNKNOWN: Action = unavailable("", &[]);
