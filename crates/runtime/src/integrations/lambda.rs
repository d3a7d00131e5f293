//! Lambda functions: `lambda:invoke`, and a function's own ARN as a Task's resource.
//!
//! Step Functions developer guide, "Invoke an AWS Lambda function with Step Functions", and
//! "Handling errors in Step Functions workflows" for `Lambda.Unknown` (read 2026-11);
//! answers and texts as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use value::{Value, value};

use super::plain::{Plain, TOKEN, UPPER};
use super::{Acting, Integrated, Optimized, TaskFailure, sdk1};
use crate::endpoint::CallError;

/// `lambda:`.
pub(super) struct Lambda;

const API: Plain = Plain {
    service: "lambda",
    prefix: "Lambda",
    class: "AWSLambda",
    actions: &[("invoke", TOKEN)],
    headers: UPPER,
};

impl Optimized for Lambda {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        let arguments = match arguments.get("Payload") {
            // Recorded: nothing is no payload, and a text is the payload's JSON already.
            Some(Value::Null) => sdk1::without(arguments, "Payload"),
            Some(Value::String(text)) => {
                arguments.clone().with("Payload", STANDARD.encode(&**text))
            }
            Some(payload) => arguments.clone().with("Payload", sent(payload)),
            None => arguments.clone(),
        };
        API.call(&integration.action, &arguments)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        // Recorded: the cause is printed anew, without spaces.
        let payload = payload(&output).map_err(|failure| match value::parse(&failure.cause) {
            Ok(said) => TaskFailure { cause: said.to_json(), ..failure },
            Err(_) => failure,
        })?;
        let output = match payload {
            Some(payload) => output.with("Payload", payload),
            None => output,
        };
        API.response(integration, output)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }
}

/// Returns the call of a Task whose resource is a function: its whole input is the payload.
pub(super) fn request(arn: &str, arguments: &Value) -> Integrated {
    API.call("invoke", &value!({ "FunctionName": arn, "Payload": sent(arguments) }))
}

/// Returns what such a Task gets: the payload alone.
pub(super) fn response(output: &Value) -> Result<Value, TaskFailure> {
    Ok(payload(output)?.unwrap_or_default())
}

/// Returns the error name and the cause that such a Task fails with.
pub(super) fn failure(err: &CallError) -> (String, String) {
    sdk1::failure(API.prefix, API.class, err)
}

/// A payload travels as bytes.
fn sent(payload: &Value) -> String {
    STANDARD.encode(payload.to_json())
}

/// Returns what the function returned, or how it failed: then the error's type is the error name,
/// and all that the runtime says is the cause.
fn payload(output: &Value) -> Result<Option<Value>, TaskFailure> {
    let bytes = output.get("Payload").and_then(Value::as_str);
    let bytes = bytes.map(|text| STANDARD.decode(text).unwrap_or_default());
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let parsed = text.as_deref().and_then(|text| value::parse(text).ok());
    if output.get("FunctionError").is_some() {
        let kind = parsed.as_ref().and_then(|parsed| parsed.get("errorType")?.as_str());
        let said = text.unwrap_or_default();
        return Err(match kind {
            Some(kind) => TaskFailure { error: kind.to_owned(), cause: said },
            // UNVERIFIED: the words, which are known from reports only.
            None => TaskFailure {
                error: "Lambda.Unknown".into(),
                cause: format!(
                    "The cause could not be determined because Lambda did not return an error \
                     type. Returned payload: {said}"
                ),
            },
        });
    }
    Ok(match (parsed, text) {
        (Some(parsed), _) => Some(parsed),
        // Functions that are not called for their answer have none.
        (None, Some(text)) => (!text.is_empty()).then(|| text.into()),
        (None, None) => None,
    })
}
