//! The call of a Task that is tested by itself (`TestState`).

use execution::Started;
use value::Value;

use super::{Acting, call, outcome};
use crate::{CallError, Runtime};

/// Why the call of a tested Task failed, as Retry and Catch see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFailure {
    /// The error name.
    pub error: String,
    /// The cause.
    pub cause: String,
}

impl Runtime {
    /// Makes the call of a Task that is tested by itself, as the role that the test names.
    ///
    /// # Errors
    /// What the Task fails with.
    pub async fn call_for_test(
        &self,
        asked: &execution::Call,
        started: &Started,
    ) -> Result<Value, TaskFailure> {
        let acting = Acting {
            execution: &started.execution_arn,
            role: &started.role_arn,
            state_machine: &started.state_machine_arn,
        };
        let answer = match call(asked, &acting, None) {
            Ok(call) => match self.shared.endpoint() {
                Some(endpoint) => endpoint.call(call).await,
                None => Err(CallError::internal(String::new())),
            },
            Err(err) => Err(err),
        };
        outcome(&asked.resource, answer)
    }
}
