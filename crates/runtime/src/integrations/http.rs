//! `http:invoke`: an API outside AWS, authorized with a connection of EventBridge.
//!
//! Step Functions developer guide, "Call HTTPS APIs in Step Functions workflows" (read 2026-11).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::plain::ONLY;
use super::{Acting, Integrated, Optimized, TaskFailure};
use crate::endpoint::{CallError, HTTP_TASK};

/// `http:`.
pub(super) struct Http;

impl Optimized for Http {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        if action == "invoke" { ONLY } else { &[] }
    }

    fn request(&self, _: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        Integrated::Call {
            service: HTTP_TASK.into(),
            operation: "Invoke".into(),
            input: arguments.clone(),
        }
    }

    fn response(&self, _: &Integration, output: Value) -> Result<Value, TaskFailure> {
        Ok(output)
    }

    /// The names are those of Step Functions already.
    fn failure(&self, _: &Integration, err: &CallError) -> (String, String) {
        (err.code.clone(), err.message.clone())
    }
}
