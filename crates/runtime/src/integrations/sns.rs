//! `sns:publish`.
//!
//! Step Functions developer guide, "Publish messages to Amazon SNS topics with Step Functions"
//! (read 2026-11); answers as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::plain::{Plain, TOKEN};
use super::{Acting, Integrated, Optimized, TaskFailure, as_text};
use crate::endpoint::CallError;

/// `sns:`.
pub(super) struct Sns;

const API: Plain = Plain {
    service: "sns",
    prefix: "SNS",
    class: "AmazonSNS",
    actions: &[("publish", TOKEN)],
    headers: &[],
};

impl Optimized for Sns {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        API.call(&integration.action, &as_text(arguments, "Message"))
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        API.response(integration, output)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }
}
