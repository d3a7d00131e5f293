//! `bedrock:`: models are invoked and customized.
//!
//! Step Functions developer guide, "Invoke and customize Amazon Bedrock models with Step Functions"
//! (read 2026-11).

use asl::{Integration, IntegrationPattern};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use value::{Value, value};

use super::job::Job;
use super::plain::{BEDROCK, Plain, TOKEN, UPPER};
use super::{Acting, Integrated, Optimized, TaskFailure, aws_sdk, sdk1};
use crate::endpoint::{CallError, SEVERAL_CALLS};

/// `bedrock:`.
pub(super) struct Bedrock;

const INVOKE_MODEL: &str = "invokeModel";
const JSON: &str = "application/json";

/// What invokes models is a service of its own.
const RUNTIME: Plain = Plain {
    service: "bedrock-runtime",
    prefix: "Bedrock",
    class: "BedrockRuntime",
    // UNVERIFIED: callbacks; the guide's table gives them to Bedrock, its page to neither action.
    actions: &[(INVOKE_MODEL, TOKEN)],
    headers: UPPER,
};

fn api(action: &str) -> &'static Plain {
    if action == INVOKE_MODEL { &RUNTIME } else { &BEDROCK }
}

impl Optimized for Bedrock {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        api(action).patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        if integration.action == INVOKE_MODEL {
            return invoke_model(arguments);
        }
        BEDROCK.call(&integration.action, arguments)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        if integration.action == INVOKE_MODEL {
            return Ok(invoked(&output));
        }
        BEDROCK.response(integration, sdk1::plain(&output))
    }

    // UNVERIFIED: the cause, which is that of the SDK that Step Functions had when this came.
    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        if err.code == "States.Runtime" {
            return (err.code.clone(), err.message.clone());
        }
        let api = api(&integration.action);
        aws_sdk::failure_of(api.prefix, api.class, err)
    }

    fn job(&self, action: &str) -> Option<&'static dyn Job> {
        BEDROCK.job(action)
    }
}

/// What is sent to a model is in the arguments or in S3, and so is what it says.
fn invoke_model(arguments: &Value) -> Integrated {
    let given = |member: &str| arguments.get(member).filter(|found| **found != Value::Null);
    let (body, from, to) = (given("Body"), given("Input"), given("Output"));
    // UNVERIFIED: AWS's words for both.
    let request = match (body, from) {
        (Some(body), None) => {
            // Bedrock's default, which an HTTP client would have another for.
            let kind = given("ContentType").cloned().unwrap_or_else(|| JSON.into());
            arguments.clone().with("Body", sent(body)).with("ContentType", kind)
        }
        (None, Some(_)) => arguments.clone(),
        (Some(_), Some(_)) => return refused("either Body or Input is given, not both"),
        (None, None) => return refused("either Body or Input is required"),
    };
    let request = ["Input", "Output"].iter().fold(request, |all, name| sdk1::without(&all, name));
    let call = RUNTIME.call(INVOKE_MODEL, &request);
    let Integrated::Call { input, .. } = &call else { return call };
    if from.is_none() && to.is_none() {
        return call;
    }
    let uri = |found: Option<&Value>| found.and_then(|found| found.get("S3Uri").cloned());
    let said = [("Input", from), ("Output", to)].into_iter().try_fold(
        value!({ "Request": (input.clone()) }),
        |all, (name, found)| match (found, uri(found)) {
            (None, _) => Ok(all),
            (Some(_), Some(uri)) => Ok(all.with(name, uri)),
            (Some(_), None) => Err(format!("{name}.S3Uri is required")),
        },
    );
    match said {
        Ok(input) => Integrated::Call {
            service: SEVERAL_CALLS.into(),
            operation: aws_sdk::pascal(INVOKE_MODEL),
            input,
        },
        Err(what) => refused(&what),
    }
}

/// A text is the body as it is (UNVERIFIED), anything else is sent as its JSON.
fn sent(body: &Value) -> String {
    match body {
        Value::String(text) => STANDARD.encode(&**text),
        other => STANDARD.encode(other.to_json()),
    }
}

/// Returns what the Task gets: JSON as such. UNVERIFIED: other text as text, bytes that are none as
/// base64; and what stands for an answer that lies in S3, here its URI.
fn invoked(output: &Value) -> Value {
    let shown = RUNTIME.shown(INVOKE_MODEL, &sdk1::plain(output));
    let Some(body) = shown.get("Body").and_then(Value::as_str) else { return shown };
    if body.starts_with("s3://") {
        return shown;
    }
    let bytes = STANDARD.decode(body).unwrap_or_default();
    match String::from_utf8(bytes) {
        Ok(text) => {
            let parsed = value::parse(&text).unwrap_or_else(|_| text.into());
            shown.with("Body", parsed)
        }
        Err(_) => shown,
    }
}

fn refused(what: &str) -> Integrated {
    Integrated::Refused(CallError {
        code: "States.Runtime".into(),
        exception: None,
        message: format!("bedrock:{INVOKE_MODEL}: {what}"),
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    })
}
