//! `apigateway:invoke`: an API of API Gateway, called as it is.
//!
//! Step Functions developer guide, "Create API Gateway REST APIs with Step Functions" (read
//! 2026-11); answers as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::plain::TOKEN;
use super::{Acting, Integrated, Optimized, TaskFailure};
use crate::endpoint::{CallError, EXECUTE_API};

/// `apigateway:`.
pub(super) struct ApiGateway;

impl Optimized for ApiGateway {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        if action == "invoke" { TOKEN } else { &[] }
    }

    fn request(&self, _: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        Integrated::Call {
            service: EXECUTE_API.into(),
            operation: "Invoke".into(),
            input: arguments.clone(),
        }
    }

    fn response(&self, _: &Integration, output: Value) -> Result<Value, TaskFailure> {
        Ok(output)
    }

    /// The error is named after the HTTP status; the cause is what the API said.
    fn failure(&self, _: &Integration, err: &CallError) -> (String, String) {
        let name = if err.status == 0 { err.code.clone() } else { err.status.to_string() };
        (format!("ApiGateway.{name}"), err.message.clone())
    }
}
