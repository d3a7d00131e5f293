//! What a Task's resource means: which operation to call, and how its answer and its errors read in
//! Step Functions. One file per integration.

mod apigateway;
mod aws_sdk;
mod bedrock;
mod dynamodb;
mod eks;
mod emr;
mod events;
mod http;
mod job;
mod jobs;
mod lambda;
mod plain;
mod sdk1;
mod sns;
mod sqs;
mod states;
mod tested;

use asl::{Integration, IntegrationPattern, IntegrationStyle, Resource, Resources};
use execution::{Fact, State, TaskId};
use sha2::{Digest, Sha256};
use value::Value;

use crate::endpoint::{Call, CallError, Caller, IN_DOUBT};

pub(crate) use job::{answer as look_answer, is_stoppable, look, process as job_process, stop};
pub use tested::TaskFailure;

use job::Job;

/// How long a session name is: AWS draws 32 letters, here they come from what the session is for.
const SESSION_NAME_LETTERS: usize = 32;

/// The code of [`no_such_activity`].
const NO_SUCH_ACTIVITY: &str = "ActivityDoesNotExist";

/// What a Task asks for.
enum Integrated {
    /// Call this operation.
    Call { service: String, operation: String, input: Value },
    /// It cannot be asked; the answer is this.
    Refused(CallError),
}

/// An integration made for Step Functions; `integration` is always one of its own.
trait Optimized: Sync {
    /// Returns the patterns that are served of an action; none of one that is not.
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern];

    /// Returns the call that a Task means.
    fn request(
        &self,
        integration: &Integration,
        arguments: &Value,
        acting: &Acting<'_>,
    ) -> Integrated;

    /// Returns what a Task gets of the call's output, which may have `ResponseMetadata`.
    ///
    /// # Errors
    /// When the output tells of a failure.
    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure>;

    /// Returns the error name and the cause that a Task fails with.
    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String);

    /// Returns why an action that AWS has is not served.
    fn absence(&self, _action: &str) -> Option<&'static str> {
        None
    }

    /// Returns how the jobs are followed that `.sync` submits.
    fn job(&self, _action: &str) -> Option<&'static dyn Job> {
        None
    }
}

/// The optimized integrations by the name of their service in ARNs, one line each.
const OPTIMIZED: &[(&str, &dyn Optimized)] = &[
    ("apigateway", &apigateway::ApiGateway),
    ("athena", &plain::ATHENA),
    ("batch", &plain::BATCH),
    ("bedrock", &bedrock::Bedrock),
    ("codebuild", &plain::CODEBUILD),
    ("databrew", &plain::DATABREW),
    ("dynamodb", &dynamodb::DynamoDb),
    ("ecs", &plain::ECS),
    ("eks", &eks::Eks),
    ("elasticmapreduce", &emr::Emr),
    ("emr-containers", &plain::EMR_CONTAINERS),
    ("emr-serverless", &plain::EMR_SERVERLESS),
    ("events", &events::Events),
    ("glue", &plain::GLUE),
    ("http", &http::Http),
    ("lambda", &lambda::Lambda),
    ("mediaconvert", &plain::MEDIACONVERT),
    ("sagemaker", &plain::SAGEMAKER),
    ("sns", &sns::Sns),
    ("sqs", &sqs::Sqs),
    ("states", &states::States),
];

/// The services that have optimized integrations on AWS and none here.
const LACKING: &[&str] = &["bedrockagentcore"];

/// Returns the optimized integration that is meant, if it is served.
fn optimized(integration: &Integration) -> Option<&'static dyn Optimized> {
    let found = match integration.style {
        IntegrationStyle::Optimized => {
            OPTIMIZED.iter().find(|(name, _)| *name == integration.service)
        }
        IntegrationStyle::AwsSdk => None,
    };
    found.map(|(_, found)| *found)
}

/// For what a Task's call is made: ARNs.
pub(crate) struct Acting<'a> {
    pub(crate) execution: &'a str,
    /// The role of its state machine.
    pub(crate) role: &'a str,
    pub(crate) state_machine: &'a str,
}

/// Returns the call that an open task of an execution asks for, or the answer to one that cannot be
/// made.
pub(crate) fn call(
    asked: &execution::Call,
    acting: &Acting<'_>,
    effect_id: Option<String>,
) -> Result<Call, CallError> {
    made(request(&asked.resource, &asked.arguments, acting), asked, acting, effect_id)
}

/// Returns a call for a Task, as the role that it asks for.
fn made(
    wanted: Integrated,
    asked: &execution::Call,
    acting: &Acting<'_>,
    effect_id: Option<String>,
) -> Result<Call, CallError> {
    match wanted {
        Integrated::Call { service, operation, input } => {
            let role = asked.credentials_role_arn.as_deref().unwrap_or(acting.role);
            let caller = caller(&Acting { role, ..*acting });
            let tells_http = match Resource::parse(&asked.resource) {
                Some(Resource::Integration(integration)) => optimized(&integration).is_some(),
                Some(Resource::Activity(_) | Resource::Function(_)) | None => false,
            };
            let call = Call::new(caller, service, operation, input).of_effect(effect_id);
            Ok(Call { tells_http, ..call })
        }
        Integrated::Refused(err) => Err(err),
    }
}

/// Returns as whom an execution calls.
pub(crate) fn caller(acting: &Acting<'_>) -> Caller {
    Caller::Role {
        role_arn: acting.role.to_owned(),
        service: "states.amazonaws.com".into(),
        session_name: session_name(acting.execution),
        source_arn: acting.state_machine.to_owned(),
    }
}

/// Returns the fact that an answered task is; `None` when nothing waits for it any more.
pub(crate) fn answered(
    state: &State,
    task: TaskId,
    answer: Result<Value, CallError>,
) -> Option<Fact> {
    if let Some(job) = state.job(task) {
        return Some(job::looked(&job, answer));
    }
    let resource = &state.open_call(task)?.resource;
    let parsed = Resource::parse(resource);
    if let Some(Resource::Activity(_)) = parsed {
        return Some(match answer {
            Ok(_) => Fact::ActivityScheduled { task },
            Err(err) if err.code == NO_SUCH_ACTIVITY => {
                Fact::TaskImpossible { task, cause: err.message }
            }
            Err(err) => Fact::TaskFailed { task, error: Some(err.code), cause: Some(err.message) },
        });
    }
    Some(match outcome(resource, answer) {
        Ok(output) if waits(parsed.as_ref()) => Fact::TaskSubmitted { task, output },
        Ok(output) => Fact::TaskSucceeded { task, output },
        // No Catch and no Retry is asked.
        Err(TaskFailure { error, cause }) if error == "States.Runtime" => {
            Fact::TaskImpossible { task, cause }
        }
        Err(TaskFailure { error, cause }) => {
            Fact::TaskFailed { task, error: Some(error), cause: Some(cause) }
        }
    })
}

/// Returns what a Task gets of an answer, or what it fails with.
fn outcome(resource: &str, answer: Result<Value, CallError>) -> Result<Value, TaskFailure> {
    match answer {
        Ok(output) => response(resource, output),
        Err(err) => {
            let (error, cause) = failure(resource, &err);
            Err(TaskFailure { error, cause })
        }
    }
}

/// Says whether a task goes on when its request is answered.
fn waits(resource: Option<&Resource>) -> bool {
    match resource {
        Some(Resource::Integration(integration)) => match integration.pattern {
            IntegrationPattern::RequestResponse => false,
            IntegrationPattern::Sync
            | IntegrationPattern::Sync2
            | IntegrationPattern::WaitForTaskToken => true,
        },
        Some(Resource::Activity(_) | Resource::Function(_)) | None => false,
    }
}

/// The answer to a task of an activity that is not there.
pub(crate) fn no_such_activity(arn: &str) -> CallError {
    CallError {
        code: NO_SUCH_ACTIVITY.into(),
        exception: None,
        message: format!("The activity {arn} does not exist."),
        status: 400,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}

/// Returns the call that a Task's resource and arguments mean.
fn request(resource: &str, arguments: &Value, acting: &Acting<'_>) -> Integrated {
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => match style(&integration) {
            Ok(()) => match optimized(&integration) {
                Some(optimized) => optimized.request(&integration, arguments, acting),
                None => aws_sdk::request(&integration, arguments),
            },
            Err(what) => refused(&what),
        },
        Some(Resource::Activity(arn)) => {
            refused(&format!("express state machines have no activities: {arn}"))
        }
        Some(Resource::Function(arn)) => lambda::request(&arn, arguments),
        None => refused(&format!("`{resource}` is no resource of a Task")),
    }
}

/// Returns what a Task gets of an operation's answer.
fn response(resource: &str, output: Value) -> Result<Value, TaskFailure> {
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => match optimized(&integration) {
            Some(optimized) => optimized.response(&integration, output),
            None => Ok(aws_sdk::response(&integration, output)),
        },
        Some(Resource::Function(_)) => lambda::response(&output),
        Some(Resource::Activity(_)) | None => Ok(output),
    }
}

/// Returns what a request that submits a job was answered, if the job is there.
pub(crate) fn submitted(resource: &str, output: Value) -> Option<Value> {
    response(resource, output).ok()
}

/// Returns arguments with a member as text, whatever it is: objects become their JSON.
fn as_text(arguments: &Value, member: &str) -> Value {
    match arguments.get(member) {
        Some(Value::String(_) | Value::Null) | None => arguments.clone(),
        Some(given) => arguments.clone().with(member, given.to_json()),
    }
}

/// Returns the error name and the cause that a Task fails with.
fn failure(resource: &str, err: &CallError) -> (String, String) {
    if err.code == IN_DOUBT {
        return (err.code.clone(), err.message.clone());
    }
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => match optimized(&integration) {
            Some(optimized) => optimized.failure(&integration, err),
            None => aws_sdk::failure(&integration, err),
        },
        Some(Resource::Function(_)) => lambda::failure(err),
        Some(Resource::Activity(_)) | None => (err.code.clone(), err.message.clone()),
    }
}

fn refused(what: &str) -> Integrated {
    Integrated::Refused(CallError {
        code: "NotImplemented".into(),
        exception: None,
        message: what.to_owned(),
        status: 501,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    })
}

/// Says whether an integration is of a style and pattern that is served.
fn style(integration: &Integration) -> Result<(), String> {
    let arn = &integration.arn;
    match (integration.style, integration.pattern) {
        (
            IntegrationStyle::AwsSdk,
            IntegrationPattern::RequestResponse | IntegrationPattern::WaitForTaskToken,
        ) => Ok(()),
        (IntegrationStyle::Optimized, pattern) => match optimized(integration) {
            None if LACKING.contains(&&*integration.service) => {
                Err(format!("Stepwell does not serve the optimized integration {arn} yet"))
            }
            None => Err(aws_sdk::not_recognized(arn)),
            Some(found) => match found.patterns(&integration.action) {
                [] if let Some(why) = found.absence(&integration.action) => {
                    Err(format!("Stepwell does not serve {arn}: {why}"))
                }
                // Whatever AWS has of a service that is served is served.
                [] => Err(aws_sdk::not_recognized(arn)),
                served if served.contains(&pattern) => Ok(()),
                _ => Err(format!(
                    "Stepwell does not serve the pattern {} of {arn}",
                    pattern.suffix()
                )),
            },
        },
        (IntegrationStyle::AwsSdk, pattern) => {
            Err(format!("Stepwell does not serve the pattern {} of {arn} yet", pattern.suffix()))
        }
    }
}

/// What the server can serve, asked while a definition is validated: a machine that could never run
/// here is refused when it is created, by name.
pub struct Served;

impl Resources for Served {
    fn refusal(&self, resource: &Resource) -> Option<String> {
        match resource {
            Resource::Integration(integration) => {
                style(integration).err().or_else(|| match integration.style {
                    IntegrationStyle::AwsSdk => aws_sdk::refusal(integration),
                    IntegrationStyle::Optimized => None,
                })
            }
            Resource::Activity(_) | Resource::Function(_) => None,
        }
    }
}

/// Returns a session name within AWS's alphabet, the same for the same purpose.
fn session_name(purpose: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
    let digest = Sha256::digest(purpose.as_bytes());
    digest
        .iter()
        .take(SESSION_NAME_LETTERS)
        .map(|byte| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'A')))
        .collect()
}

/// Returns the model's spelling of an operation that an author wrote as `describe_instances`,
/// `describeInstances` or `DescribeInstances`; the author's own when the model has none.
pub(crate) fn operation_name(service: &str, written: &str) -> String {
    aws_sdk::find_operation(service, written).unwrap_or_else(|| written.to_owned())
}
