//! Why a step failed, in AWS's words.

use serde::{Deserialize, Serialize};

/// What every failure message ends with; clients strip it by exact match.
pub const SUFFIX: &str =
    " Please refer to Automation Service Troubleshooting Guide for more diagnosis details.";

/// The failure of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where in the step's life it failed.
    pub stage: Stage,
    /// What kind of failure it was.
    pub kind: Kind,
    /// `FailureMessage`, whole.
    pub message: String,
}

/// `FailureDetails.FailureStage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The inputs did not fit the action.
    InputValidation,
    /// A check before the action failed.
    PreVerification,
    /// The action itself failed.
    Invocation,
    /// What the action should have brought about did not come.
    PostVerification,
}

/// `FailureDetails.FailureType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The action failed.
    Action,
    /// Somebody may not do something.
    Permission,
    /// A service was asked too often.
    Throttling,
    /// The result is not what was wanted.
    Verification,
    /// The fault is ours.
    Internal,
}

impl Failure {
    /// A failure of `aws:executeScript`: the traceback is the text.
    pub(crate) fn script(text: &str) -> Failure {
        Failure::phrased("Poll action status for completion", text, Kind::Action)
    }

    /// A failure while the action is carried out.
    pub(crate) fn action(text: &str) -> Failure {
        Failure::phrased("Execute/Cancelling action", text, Kind::Action)
    }

    /// An AWS operation answered with an error.
    pub(crate) fn client_error(code: &str, operation: &str, message: &str) -> Failure {
        let kind = match code {
            _ if is_throttling(code) => Kind::Throttling,
            _ if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => {
                Kind::Permission
            }
            _ => Kind::Action,
        };
        let text = client_error_text(code, operation, message);
        Failure::phrased("Execute/Cancelling action", &text, kind)
    }

    /// The inputs of a step do not fit its action.
    // UNVERIFIED: the phrase of failures that AWS finds before it calls anything.
    pub(crate) fn inputs(text: &str) -> Failure {
        let failure =
            Failure::phrased("validating and resolving the step inputs", text, Kind::Action);
        Failure { stage: Stage::InputValidation, ..failure }
    }

    /// What was to be verified is not so.
    pub(crate) fn verification(text: &str) -> Failure {
        let failure = Failure::phrased("Execute/Cancelling action", text, Kind::Verification);
        Failure { stage: Stage::PostVerification, ..failure }
    }

    /// What the step started has ended in failure.
    pub(crate) fn ended(phrase: &str, text: &str) -> Failure {
        let failure = Failure::phrased(phrase, text, Kind::Action);
        Failure { stage: Stage::PostVerification, ..failure }
    }

    /// Too many targets have gone wrong.
    pub(crate) fn fleet(text: &str) -> Failure {
        Failure::phrased("running the automation on its targets", text, Kind::Action)
    }

    /// Instances could not be launched.
    pub(crate) fn launch(text: &str) -> Failure {
        let message = format!(
            "Automation Step Execution fails when it's launching the instance(s). Get Exception \
             from RunInstances API of ec2 Service. Exception Message from RunInstances API: \
             [{text}].{SUFFIX}"
        );
        Failure { stage: Stage::Invocation, kind: Kind::Action, message }
    }

    /// What was launched does not become what it should.
    pub(crate) fn verifying(phrase: &str, text: &str) -> Failure {
        let message = format!("Step fails when it's {phrase}. {text}.{SUFFIX}");
        Failure { stage: Stage::PostVerification, kind: Kind::Verification, message }
    }

    /// The step took too long.
    // UNVERIFIED: AWS's documentation shows `Step timed out while step is verifying …` for EC2
    // only.
    pub(crate) fn timed_out(phrase: &str) -> Failure {
        let message = format!("Step timed out while step is {phrase}.{SUFFIX}");
        Failure { stage: Stage::Invocation, kind: Kind::Action, message }
    }

    fn phrased(phrase: &str, text: &str, kind: Kind) -> Failure {
        let message = format!("Step fails when it is {phrase}. {text}.{SUFFIX}");
        Failure { stage: Stage::Invocation, kind, message }
    }
}

/// Returns what a message says, without what every message ends with.
pub(crate) fn bare(message: &str) -> &str {
    message.strip_suffix(SUFFIX).unwrap_or(message).trim_end_matches('.')
}

/// Returns whether an error says that a service was asked too often.
pub(crate) fn is_throttling(code: &str) -> bool {
    code.contains("Throttl") || code == "TooManyRequestsException" || code == "RequestLimitExceeded"
}

/// Returns what botocore's `ClientError` prints.
pub(crate) fn client_error_text(code: &str, operation: &str, message: &str) -> String {
    format!("An error occurred ({code}) when calling the {operation} operation: {message}")
}
