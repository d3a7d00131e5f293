//! `aws-sdk:SERVICE:ACTION`: any operation of any AWS service, with the casing and the error names
//! of the AWS SDK for Java, which Step Functions is built on.
//!
//! Step Functions developer guide, "Learning to use AWS service SDK integrations" (read 2026-11);
//! error texts as recorded on AWS (conformance/states).

use asl::Integration;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use value::{Map, Value};
use wire::model::{self, Kind, Member, Service, Shape};

use super::{Integrated, refused};
use crate::endpoint::CallError;

/// How deeply inputs and outputs are followed; the models are recursive.
const DEPTH_MAX: usize = 64;

/// Returns the model's spelling of an operation, however its author spelled it.
pub(super) fn find_operation(service: &str, written: &str) -> Option<String> {
    let wanted = plain(written);
    let service = model::service(service)?;
    service.operation_names().find(|name| plain(undated(name)) == wanted).map(str::to_owned)
}

/// Returns a model's name without the date of the API's version: `CreateInvalidation2020_05_31` of
/// CloudFront is `createInvalidation` everywhere else.
fn undated(name: &str) -> &str {
    const LIKE: &[u8] = b"2020_05_31";
    let at = name.len().saturating_sub(LIKE.len());
    let Some((stem, date)) = name.split_at_checked(at) else { return name };
    let is_date = date.len() == LIKE.len()
        && date.bytes().zip(LIKE).all(|(letter, like)| match like {
            b'_' => letter == b'_',
            _ => letter.is_ascii_digit(),
        });
    if is_date { stem } else { name }
}

/// Returns a name without underscores and case.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Says why an integration can never work: AWS has no such service or action.
pub(super) fn refusal(integration: &Integration) -> Option<String> {
    let Integration { service, action, arn, .. } = integration;
    let known = model::service(service).is_some() && find_operation(service, action).is_some();
    (!known).then(|| not_recognized(arn))
}

/// Says that AWS has no such resource.
pub(super) fn not_recognized(arn: &str) -> String {
    format!(
        "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or \
         the resource is not available in this region."
    )
}

/// Returns the call that a Task means; its arguments are in PascalCase whatever the model says.
pub(super) fn request(integration: &Integration, arguments: &Value) -> Integrated {
    let Integration { service, action, .. } = integration;
    let Some(found) = model::service(service) else {
        return refused(&format!("AWS has no service `{service}`"));
    };
    let Some(operation) = find_operation(service, action) else {
        return refused(&format!("the service `{service}` has no action `{action}`"));
    };
    let input = found.operation(&operation).and_then(|operation| operation.input());
    let input = input.map_or_else(Value::object, |shape| {
        rename(&shape, arguments, 0, &Renaming { name: str::to_owned, blob: sent_blob })
    });
    Integrated::Call { service: found.name().to_owned(), operation, input }
}

/// Renames members to the model's spelling. What the model does not know stays as it is.
pub(super) fn to_model(shape: &Shape, given: &Value) -> Value {
    rename(shape, given, 0, &Renaming { name: str::to_owned, blob: Value::clone })
}

/// Renames members to PascalCase and turns timestamps and bytes into text.
fn to_task(shape: &Shape, given: &Value) -> Value {
    rename(shape, given, 0, &Renaming { name: pascal, blob: seen_blob })
}

/// What renaming does.
struct Renaming {
    /// To a member's name.
    name: fn(&str) -> String,
    /// To bytes, which travel as base64.
    blob: fn(&Value) -> Value,
}

/// Bytes are given as the text that they are; anything but text is sent as its JSON (recorded for
/// S3's `Body`). UNVERIFIED: that it is so for other services.
fn sent_blob(given: &Value) -> Value {
    match given {
        Value::Null => Value::Null,
        Value::String(text) => STANDARD.encode(&**text).into(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            STANDARD.encode(given.to_json()).into()
        }
    }
}

/// Bytes are seen as text (recorded for S3's `Body`). UNVERIFIED: those that are none stay base64.
fn seen_blob(given: &Value) -> Value {
    let bytes = given.as_str().and_then(|text| STANDARD.decode(text).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or_else(|| given.clone(), Value::from)
}

fn rename(shape: &Shape, given: &Value, depth: usize, renaming: &Renaming) -> Value {
    if depth > DEPTH_MAX {
        return given.clone();
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(members)) => {
            let renamed = members.iter().map(|(key, value)| match member(shape, key) {
                Some(found) => {
                    let name = (renaming.name)(found.name());
                    (name.into(), rename(&found.shape(), value, depth + 1, renaming))
                }
                None => (key.clone(), value.clone()),
            });
            renamed.collect::<Map>().into()
        }
        (Kind::List, Value::Array(items)) => match shape.element() {
            Some(inner) => {
                items.iter().map(|item| rename(&inner, item, depth + 1, renaming)).collect()
            }
            None => given.clone(),
        },
        (Kind::Map, Value::Object(members)) => match shape.element() {
            Some(inner) => {
                let renamed = members.iter();
                let renamed = renamed
                    .map(|(key, value)| (key.clone(), rename(&inner, value, depth + 1, renaming)));
                renamed.collect::<Map>().into()
            }
            None => given.clone(),
        },
        (Kind::Blob, _) => (renaming.blob)(given),
        (Kind::Timestamp, Value::Number(seconds)) => timestamp(seconds.as_f64()).into(),
        _ => given.clone(),
    }
}

/// Returns the member that a key means: the first letter's case does not count.
fn member(shape: &Shape, key: &str) -> Option<Member> {
    let wanted = pascal(key);
    shape.members().find(|known| pascal(known.name()) == wanted)
}

pub(super) fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns a time as the SDK for Java prints it.
fn timestamp(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    asl::format_millis((seconds * 1000.0).round() as i64)
}

/// Returns what the Task gets of an answer.
pub(super) fn response(integration: &Integration, output: Value) -> Value {
    let service = model::service(&integration.service);
    let operation = find_operation(&integration.service, &integration.action);
    let shape = service
        .zip(operation)
        .and_then(|(service, operation)| service.operation(&operation)?.output());
    match shape {
        Some(shape) => to_task(&shape, &output),
        None => output,
    }
}

/// Returns error name and cause: `Iam.NoSuchEntityException` and the service's text with the SDK's
/// additions. A code that the model does not know becomes the service's base exception, as in the
/// SDK: `Ssm.SsmException`.
pub(super) fn failure(integration: &Integration, err: &CallError) -> (String, String) {
    let prefix = pascal(&prefix_of(&integration.service));
    failure_of(&prefix, &prefix, err)
}

/// The same of a service whose errors begin with something else than its name.
pub(super) fn failure_of(prefix: &str, service: &str, err: &CallError) -> (String, String) {
    let error = match &err.exception {
        Some(exception) => format!("{prefix}.{}", with_exception(exception)),
        None => format!("{prefix}.{service}Exception"),
    };
    // What no service has answered carries no details of an answer.
    if err.status == 0 {
        return (format!("{prefix}.{}", err.code), err.message.clone());
    }
    let (message, status, id) = (&err.message, err.status, &err.request_id);
    let extended = err.extended_request_id.as_ref();
    let extended = extended.map(|id| format!(", Extended Request ID: {id}")).unwrap_or_default();
    // Recorded since 2025: the SDK says how often it tried, and Step Functions has it try once.
    let cause = format!(
        "{message} (Service: {service}, Status Code: {status}, Request ID: {id}{extended}) \
         (SDK Attempt Count: 1)"
    );
    (error, cause)
}

/// The name that errors carry is the SDK client's: `Sfn`, `Iam`, `DynamoDb`.
fn prefix_of(service: &str) -> String {
    let id = model::service(service).map(Service::service_id);
    match id {
        Some(id) => id.split([' ', '-']).map(capitalized).collect(),
        None => service.to_owned(),
    }
}

/// Returns a word of a service id as the SDK's class names have it: `IAM` → `Iam`, `DynamoDB` →
/// `DynamoDb`.
fn capitalized(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut previous_upper = false;
    for letter in word.chars() {
        if previous_upper {
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(letter);
        }
        previous_upper = letter.is_ascii_uppercase();
    }
    pascal(&out)
}

fn with_exception(class: &str) -> String {
    if class.ends_with("Exception") { class.to_owned() } else { format!("{class}Exception") }
}

#[cfg(test)]
mod tests {
    use super::find_operation;

    #[test]
    fn operations_are_found_by_the_names_that_step_functions_gives_them() {
        for (service, written, found) in [
            ("iam", "getUser", "GetUser"),
            ("cloudfront", "createInvalidation", "CreateInvalidation2020_05_31"),
            ("lambda", "invoke", "Invoke"),
        ] {
            assert_eq!(find_operation(service, written).as_deref(), Some(found));
        }
        assert_eq!(find_operation("iam", "getNobody"), None);
    }
}
