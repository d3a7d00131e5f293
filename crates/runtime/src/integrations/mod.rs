//! What a Task's resource means: which operation to call, and how its answer and its errors read in
//! Step Functions. One file per integration.

mod aws_sdk;

use asl::{Integration, IntegrationPattern, IntegrationStyle, Resource, Resources};
use sha2::{Digest, Sha256};
use value::Value;

use crate::endpoint::CallError;

/// How long a session name is: AWS draws 32 letters, here they come from what the session is for.
const SESSION_NAME_LETTERS: usize = 32;

/// What a Task asks for.
pub(crate) enum Integrated {
    /// Call this operation.
    Call { service: String, operation: String, input: Value },
    /// It cannot be asked; the answer is this.
    Refused(CallError),
}

/// Returns the call that a Task's resource and arguments mean.
pub(crate) fn request(resource: &str, arguments: &Value) -> Integrated {
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => match style(&integration) {
            Ok(()) => aws_sdk::request(&integration, arguments),
            Err(what) => refused(&what),
        },
        Some(Resource::Activity(arn)) => {
            refused(&format!("Stepwell does not serve activities yet: {arn}"))
        }
        Some(Resource::Function(arn)) => {
            refused(&format!("Stepwell does not call Lambda functions yet: {arn}"))
        }
        None => refused(&format!("`{resource}` is no resource of a Task")),
    }
}

/// Returns what a Task gets of an operation's answer.
pub(crate) fn response(resource: &str, output: Value) -> Value {
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => aws_sdk::response(&integration, output),
        Some(Resource::Activity(_) | Resource::Function(_)) | None => output,
    }
}

/// Returns the error name and the cause that a Task fails with.
pub(crate) fn failure(resource: &str, err: &CallError) -> (String, String) {
    match Resource::parse(resource) {
        Some(Resource::Integration(integration)) => aws_sdk::failure(&integration, err),
        Some(Resource::Activity(_) | Resource::Function(_)) | None => {
            (err.code.clone(), err.message.clone())
        }
    }
}

fn refused(what: &str) -> Integrated {
    Integrated::Refused(CallError {
        code: "NotImplemented".into(),
        exception: None,
        message: what.to_owned(),
        status: 501,
        request_id: String::new(),
    })
}

/// Says whether an integration is of a style and pattern that is served.
fn style(integration: &Integration) -> Result<(), String> {
    let arn = &integration.arn;
    match (integration.style, integration.pattern) {
        (IntegrationStyle::AwsSdk, IntegrationPattern::RequestResponse) => Ok(()),
        (IntegrationStyle::Optimized, _) => {
            Err(format!("Stepwell does not serve the optimized integration {arn} yet"))
        }
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
                style(integration).err().or_else(|| aws_sdk::refusal(integration))
            }
            Resource::Activity(arn) => {
                Some(format!("Stepwell does not serve activities yet: {arn}"))
            }
            Resource::Function(arn) => {
                Some(format!("Stepwell does not call Lambda functions yet: {arn}"))
            }
        }
    }
}

/// Returns a session name within AWS's alphabet, the same for the same purpose.
pub(crate) fn session_name(purpose: &str) -> String {
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
