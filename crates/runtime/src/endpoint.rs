//! Where effects go: one operation of one AWS service, called as somebody.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::Lease;
use value::Value;

/// Whoever serves AWS operations: the services of this process, or a real AWS endpoint.
pub trait AwsEndpoint: Send + Sync {
    /// Calls an operation. The answer has the API model's member names; timestamps are epoch
    /// seconds, blobs base64.
    fn call(&self, call: Call) -> Answering;

    /// Returns the environment in which a script of this caller runs: credentials of its own and
    /// the address of the endpoint.
    fn script_environment(&self, caller: Caller) -> Environment;

    /// Tells that events have been committed to the outbox.
    fn events_committed(&self);

    /// Returns whether an event of this source might be delivered to anybody; false is certain, so
    /// that events nobody waits for need not be written.
    fn hears(&self, source: &str) -> bool;

    /// Tells that a STANDARD execution has ended, once that is durable. A crash in between tells
    /// nobody.
    fn execution_ended(&self, _arn: &str) {}
}

/// Variables for a script, on their way.
pub type Environment =
    Pin<Box<dyn Future<Output = Result<Vec<(String, String)>, CallError>> + Send>>;

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Result<Value, CallError>> + Send>>;

/// One call of one operation.
#[derive(Clone, Debug)]
pub struct Call {
    /// The same for every repetition of this effect; who serves the call remembers it, so that a
    /// repetition after a crash changes nothing. Absent when the effect is never repeated.
    pub effect_id: Option<String>,
    /// Under which lease the caller acts: who serves the call refuses it when the shard has another
    /// owner meanwhile, who may have made the same call and forgotten its answer. None outside of
    /// processes, and until the call is made.
    pub lease: Option<Lease>,
    /// The process that makes it, as logs name it: `execution/ARN`, `automation/ID`, `stack/ID`.
    /// None until the call is made, and for calls of nobody's process.
    pub process: Option<Arc<str>>,
    /// Whether it may have been made before: it was under way when its owner ended, and nobody
    /// knows how far it came. Who serves the call and remembers effects need not look.
    pub in_doubt: bool,
    /// Whether the output is to have a member `ResponseMetadata` that tells how it came over HTTP,
    /// as botocore's answers do; only calls that leave this process have something to tell.
    pub tells_http: bool,
    /// The automation execution that starts another one by this call.
    pub nested_in: Option<String>,
    /// The span that the process was started in, as a `traceparent`.
    pub trace: Option<String>,
    /// As whom.
    pub caller: Caller,
    /// Botocore's name of the service: `iam`, `stepfunctions`, `ssm`.
    pub service: String,
    /// AWS's name of the operation: `GetUser`.
    pub operation: String,
    /// The input, with the API model's member names.
    pub input: Value,
}

impl Call {
    /// Returns a call that is made once, by nobody's effect.
    pub fn new(
        caller: Caller,
        service: impl Into<String>,
        operation: impl Into<String>,
        input: Value,
    ) -> Call {
        Call {
            effect_id: None,
            lease: None,
            process: None,
            in_doubt: false,
            tells_http: false,
            nested_in: None,
            trace: None,
            caller,
            service: service.into(),
            operation: operation.into(),
            input,
        }
    }

    /// Returns the call as one of a process, which logs and records name.
    #[must_use]
    pub fn of_process(self, process: Arc<str>) -> Call {
        Call { process: Some(process), ..self }
    }

    /// Returns the call as an effect, which has an id.
    #[must_use]
    pub fn of_effect(self, effect_id: Option<String>) -> Call {
        Call { effect_id, ..self }
    }
}

/// As whom an effect acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Caller {
    /// As a role that a service assumes; the trust policy decides anew at every call.
    Role {
        /// The role.
        role_arn: String,
        /// `states.amazonaws.com`.
        service: String,
        /// Name of the session in the assumed role's ARN.
        session_name: String,
        /// What the service acts for: the ARN of a state machine, an automation execution …
        source_arn: String,
    },
    /// As the principal that started the process.
    Principal(Box<policy::Principal>),
}

impl CallError {
    /// Returns whether the same call may succeed a moment later, because it was not the service
    /// that refused but its store that failed, or a shard that was changing hands.
    pub(crate) fn may_pass(&self) -> bool {
        self.is_passing
    }

    /// Returns the error for a call that broke on our side.
    pub fn internal(request_id: String) -> CallError {
        CallError {
            code: "InternalFailure".into(),
            exception: None,
            message: "An internal error occurred; the server's log has the details.".into(),
            status: 500,
            request_id,
            extended_request_id: None,
            is_passing: false,
        }
    }
}

/// The service whose operation `Invoke` is a call of an API of API Gateway: it has no model.
pub const EXECUTE_API: &str = "execute-api";
/// The service whose operation `Invoke` is a request to an API outside AWS: it has no model.
pub const HTTP_TASK: &str = "http";
/// The service whose operations are calls of several operations, one after the other: it has no
/// model. They are `InvokeModel` with its bytes in S3, and what EMR finds by a name.
pub const SEVERAL_CALLS: &str = "several-calls";
/// The code of a call that no service has answered, as the SDK for Java calls it.
pub const NO_ANSWER: &str = "SdkClientException";
/// The code of a call that was under way when its owner ended and may not be made again. It is also
/// the error name that Retry and Catch see; AWS has none for this.
pub const IN_DOUBT: &str = "Stepwell.CallInDoubt";

/// Why a call failed, as the service said it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallError {
    /// The code on the wire: `NoSuchEntity`.
    pub code: String,
    /// The class of the exception, where the model knows the code: `NoSuchEntityException`.
    pub exception: Option<String>,
    /// The service's text.
    pub message: String,
    /// HTTP status; 0 when no service has answered.
    pub status: u16,
    /// Id of the request.
    pub request_id: String,
    /// The second id that S3 gives.
    #[serde(default)]
    pub extended_request_id: Option<Box<str>>,
    /// Whether it is our own store that failed, or a shard that was changing hands: the same call
    /// may succeed a moment later, and its effect id keeps it from being done twice.
    #[serde(default)]
    pub is_passing: bool,
}
