//! The events of a Task: of integrations, activities and functions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::write::Members;

/// What happened to a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the API's own members")]
pub enum TaskEvent {
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: Arc<str>,
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
        output: Arc<str>,
    },
    TaskSucceeded {
        resource_type: String,
        resource: String,
        output: Arc<str>,
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
        input: Arc<str>,
        timeout_in_seconds: Option<i64>,
        heartbeat_in_seconds: Option<i64>,
    },
    ActivityStarted {
        worker_name: Option<String>,
    },
    ActivitySucceeded {
        output: Arc<str>,
    },
    ActivityEndedBadly {
        how: BadEnd,
        error: Option<String>,
        cause: Option<String>,
    },
    LambdaFunctionScheduled {
        resource: String,
        input: Arc<str>,
        timeout_in_seconds: Option<i64>,
        credentials_role_arn: Option<String>,
    },
    LambdaFunctionStarted,
    LambdaFunctionSucceeded {
        output: Arc<str>,
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

/// The events of a task that ended badly.
fn task_end(how: BadEnd) -> &'static str {
    match how {
        BadEnd::Failed => "TaskFailed",
        BadEnd::TimedOut => "TaskTimedOut",
    }
}

fn activity_end(how: BadEnd) -> &'static str {
    match how {
        BadEnd::Failed => "ActivityFailed",
        BadEnd::TimedOut => "ActivityTimedOut",
    }
}

fn function_end(how: BadEnd) -> &'static str {
    match how {
        BadEnd::Failed => "LambdaFunctionFailed",
        BadEnd::TimedOut => "LambdaFunctionTimedOut",
    }
}

/// Writes the role of `Credentials`.
fn credentials(details: &mut Members<'_, '_>, role_arn: Option<&String>) {
    if let Some(role_arn) = role_arn {
        details.object("taskCredentials", |credentials| {
            credentials.text("roleArn", role_arn);
        });
    }
}

impl TaskEvent {
    pub(super) fn event_type(&self) -> &'static str {
        match self {
            TaskEvent::TaskScheduled { .. } => "TaskScheduled",
            TaskEvent::TaskStarted { .. } => "TaskStarted",
            TaskEvent::TaskSubmitted { .. } => "TaskSubmitted",
            TaskEvent::TaskSucceeded { .. } => "TaskSucceeded",
            TaskEvent::TaskEndedBadly { how, .. } => task_end(*how),
            TaskEvent::ActivityScheduled { .. } => "ActivityScheduled",
            TaskEvent::ActivityStarted { .. } => "ActivityStarted",
            TaskEvent::ActivitySucceeded { .. } => "ActivitySucceeded",
            TaskEvent::ActivityEndedBadly { how, .. } => activity_end(*how),
            TaskEvent::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled",
            TaskEvent::LambdaFunctionStarted => "LambdaFunctionStarted",
            TaskEvent::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded",
            TaskEvent::LambdaFunctionEndedBadly { how, .. } => function_end(*how),
        }
    }

    /// Writes the member that holds the details; a function's start has none.
    pub(super) fn write<'e>(&'e self, event_type: &str, event: &mut Members<'_, 'e>) {
        if !matches!(self, TaskEvent::LambdaFunctionStarted) {
            event.details(event_type, |details| self.details(details));
        }
    }

    fn details<'e>(&'e self, details: &mut Members<'_, 'e>) {
        match self {
            TaskEvent::LambdaFunctionStarted => {}
            TaskEvent::ActivityEndedBadly { error, cause, .. }
            | TaskEvent::LambdaFunctionEndedBadly { error, cause, .. } => {
                details.text_some("error", error.as_ref()).text_some("cause", cause.as_ref());
            }
            TaskEvent::ActivitySucceeded { output }
            | TaskEvent::LambdaFunctionSucceeded { output } => {
                details.shared("output", output).whole("outputDetails");
            }
            TaskEvent::TaskScheduled { .. }
            | TaskEvent::ActivityScheduled { .. }
            | TaskEvent::LambdaFunctionScheduled { .. } => self.scheduled(details),
            TaskEvent::TaskStarted { resource_type, resource } => {
                details.text("resourceType", resource_type).text("resource", resource);
            }
            TaskEvent::TaskSubmitted { resource_type, resource, output }
            | TaskEvent::TaskSucceeded { resource_type, resource, output } => {
                details
                    .text("resourceType", resource_type)
                    .text("resource", resource)
                    .shared("output", output)
                    .whole("outputDetails");
            }
            TaskEvent::TaskEndedBadly { resource_type, resource, error, cause, .. } => {
                details
                    .text("resourceType", resource_type)
                    .text("resource", resource)
                    .text_some("error", error.as_ref())
                    .text_some("cause", cause.as_ref());
            }
            TaskEvent::ActivityStarted { worker_name } => {
                details.text_some("workerName", worker_name.as_ref());
            }
        }
    }

    fn scheduled<'e>(&'e self, details: &mut Members<'_, 'e>) {
        match self {
            TaskEvent::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials_role_arn,
            } => {
                details
                    .text("resourceType", resource_type)
                    .text("resource", resource)
                    .text("region", region)
                    .shared("parameters", parameters)
                    .number_some("timeoutInSeconds", *timeout_in_seconds)
                    .number_some("heartbeatInSeconds", *heartbeat_in_seconds);
                credentials(details, credentials_role_arn.as_ref());
            }
            TaskEvent::ActivityScheduled {
                resource,
                input,
                timeout_in_seconds,
                heartbeat_in_seconds,
            } => {
                details
                    .text("resource", resource)
                    .shared("input", input)
                    .whole("inputDetails")
                    .number_some("timeoutInSeconds", *timeout_in_seconds)
                    .number_some("heartbeatInSeconds", *heartbeat_in_seconds);
            }
            TaskEvent::LambdaFunctionScheduled {
                resource,
                input,
                timeout_in_seconds,
                credentials_role_arn,
            } => {
                details
                    .text("resource", resource)
                    .shared("input", input)
                    .whole("inputDetails")
                    .number_some("timeoutInSeconds", *timeout_in_seconds);
                credentials(details, credentials_role_arn.as_ref());
            }
            TaskEvent::TaskStarted { .. }
            | TaskEvent::TaskSubmitted { .. }
            | TaskEvent::TaskSucceeded { .. }
            | TaskEvent::TaskEndedBadly { .. }
            | TaskEvent::ActivityStarted { .. }
            | TaskEvent::ActivitySucceeded { .. }
            | TaskEvent::ActivityEndedBadly { .. }
            | TaskEvent::LambdaFunctionStarted
            | TaskEvent::LambdaFunctionSucceeded { .. }
            | TaskEvent::LambdaFunctionEndedBadly { .. } => {}
        }
    }
}
