//! The events of a Task: of integrations, activities and functions.

use serde::{Deserialize, Serialize};
use value::Value;

use super::{error_and_cause, member_of, whole, with_output};

/// What happened to a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the API's own members")]
pub enum TaskEvent {
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    TaskStarted {
        resource_type: String,
        resource: String,
    },
    TaskSubmitted {
        resource_type: String,
        resource: String,
        output: String,
    },
    TaskSucceeded {
        resource_type: String,
        resource: String,
        output: String,
    },
    /// `TaskFailed`, `TaskTimedOut`.
    TaskEndedBadly {
        how: BadEnd,
        resource_type: String,
        resource: String,
        error: Option<String>,
        cause: Option<String>,
    },
    ActivityScheduled {
        resource: String,
        input: String,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
    },
    ActivityStarted {
        worker_name: Option<String>,
    },
    ActivitySucceeded {
        output: String,
    },
    ActivityEndedBadly {
        how: BadEnd,
        error: Option<String>,
        cause: Option<String>,
    },
    LambdaFunctionScheduled {
        resource: String,
        input: String,
        timeout_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    LambdaFunctionStarted,
    LambdaFunctionSucceeded {
        output: String,
    },
    LambdaFunctionEndedBadly {
        how: BadEnd,
        error: Option<String>,
        cause: Option<String>,
    },
}

/// How a task ended, if not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadEnd {
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
}

impl BadEnd {
    fn as_str(self) -> &'static str {
        match self {
            BadEnd::Failed => "Failed",
            BadEnd::TimedOut => "TimedOut",
        }
    }
}

fn task(resource_type: &str, resource: &str) -> Value {
    Value::object().with("resourceType", resource_type).with("resource", resource)
}

fn scheduled(resource: &str, input: &str) -> Value {
    Value::object().with("resource", resource).with("input", input).with("inputDetails", whole())
}

fn limits(details: Value, timeout: Option<i64>, heartbeat: Option<i64>) -> Value {
    details.with_some("timeoutInSeconds", timeout).with_some("heartbeatInSeconds", heartbeat)
}

fn with_credentials(details: Value, role_arn: Option<&String>) -> Value {
    let credentials = role_arn.map(|role_arn| Value::object().with("roleArn", role_arn));
    details.with_some("taskCredentials", credentials)
}

impl TaskEvent {
    pub(super) fn event_type(&self) -> String {
        match self {
            TaskEvent::TaskScheduled { .. } => "TaskScheduled".into(),
            TaskEvent::TaskStarted { .. } => "TaskStarted".into(),
            TaskEvent::TaskSubmitted { .. } => "TaskSubmitted".into(),
            TaskEvent::TaskSucceeded { .. } => "TaskSucceeded".into(),
            TaskEvent::TaskEndedBadly { how, .. } => format!("Task{}", how.as_str()),
            TaskEvent::ActivityScheduled { .. } => "ActivityScheduled".into(),
            TaskEvent::ActivityStarted { .. } => "ActivityStarted".into(),
            TaskEvent::ActivitySucceeded { .. } => "ActivitySucceeded".into(),
            TaskEvent::ActivityEndedBadly { how, .. } => format!("Activity{}", how.as_str()),
            TaskEvent::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled".into(),
            TaskEvent::LambdaFunctionStarted => "LambdaFunctionStarted".into(),
            TaskEvent::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded".into(),
            TaskEvent::LambdaFunctionEndedBadly { how, .. } => {
                format!("LambdaFunction{}", how.as_str())
            }
        }
    }

    pub(super) fn details(&self, event_type: &str) -> Option<(String, Value)> {
        let details = match self {
            TaskEvent::LambdaFunctionStarted => return None,
            TaskEvent::ActivityEndedBadly { error, cause, .. }
            | TaskEvent::LambdaFunctionEndedBadly { error, cause, .. } => {
                error_and_cause(error.as_ref(), cause.as_ref())
            }
            TaskEvent::ActivitySucceeded { output }
            | TaskEvent::LambdaFunctionSucceeded { output } => with_output(Value::object(), output),
            TaskEvent::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials_role_arn,
            } => {
                let details = task(resource_type, resource)
                    .with("region", region)
                    .with("parameters", parameters);
                let details = limits(details, *timeout_in_seconds, *heartbeat_in_seconds);
                with_credentials(details, credentials_role_arn.as_ref())
            }
            TaskEvent::ActivityScheduled {
                resource,
                input,
                timeout_in_seconds,
                heartbeat_in_seconds,
            } => limits(scheduled(resource, input), *timeout_in_seconds, *heartbeat_in_seconds),
            TaskEvent::LambdaFunctionScheduled {
                resource,
                input,
                timeout_in_seconds,
                credentials_role_arn,
            } => {
                let details = limits(scheduled(resource, input), *timeout_in_seconds, None);
                with_credentials(details, credentials_role_arn.as_ref())
            }
            TaskEvent::TaskStarted { resource_type, resource } => task(resource_type, resource),
            TaskEvent::TaskSubmitted { resource_type, resource, output }
            | TaskEvent::TaskSucceeded { resource_type, resource, output } => {
                with_output(task(resource_type, resource), output)
            }
            TaskEvent::TaskEndedBadly { resource_type, resource, error, cause, .. } => {
                task(resource_type, resource)
                    .with_some("error", error.as_ref())
                    .with_some("cause", cause.as_ref())
            }
            TaskEvent::ActivityStarted { worker_name } => {
                Value::object().with_some("workerName", worker_name.as_ref())
            }
        };
        Some((member_of(event_type), details))
    }
}
