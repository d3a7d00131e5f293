//! How the AWS SDK for Java 1 reads, which the older optimized integrations are built on: answers
//! carry their HTTP headers, failures name the service by its class (recorded: conformance/states).

use value::{Map, Value, value};

use super::pascal;
use crate::endpoint::CallError;

/// Where the endpoint puts what it knows of the HTTP answer.
const METADATA: &str = "ResponseMetadata";

/// Returns an answer as the SDK's classes print it: members in PascalCase, in the order of the
/// alphabet, times in milliseconds, and what is known of the HTTP answer in members of its own.
pub(super) fn response(output: &Value) -> Value {
    let mut members = Value::object();
    for (member, found) in output.as_object().into_iter().flat_map(Map::iter) {
        if &**member == METADATA {
            members.set("SdkHttpMetadata", http_metadata(found));
            let id = found.get("RequestId").cloned().unwrap_or_default();
            members.set("SdkResponseMetadata", value!({ "RequestId": (id) }));
        } else {
            members.set(pascal(member), printed(member, found));
        }
    }
    in_order(&members)
}

fn printed(member: &str, found: &Value) -> Value {
    match found {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
        Value::Number(seconds) if member.ends_with("Date") => {
            ((seconds.as_f64() * 1000.0).round() as i64).into()
        }
        Value::Object(members) => {
            let printed = members.iter().fold(Value::object(), |printed, (member, found)| {
                printed.with(pascal(member), self::printed(member, found))
            });
            in_order(&printed)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.clone()
        }
    }
}

/// Returns an object with its members in the order of the alphabet.
fn in_order(object: &Value) -> Value {
    let mut members: Vec<_> = object.as_object().into_iter().flat_map(Map::iter).collect();
    members.sort_by_key(|(member, _)| (*member).clone());
    members
        .into_iter()
        .map(|(member, found)| (member.clone(), found.clone()))
        .collect::<Map>()
        .into()
}

fn http_metadata(known: &Value) -> Value {
    let headers = known.get("HTTPHeaders").and_then(Value::as_object).cloned().unwrap_or_default();
    let status = known.get("HTTPStatusCode").cloned().unwrap_or_default();
    let mut all = Value::object();
    let mut each = Value::object();
    for (wire, shown) in HEADERS {
        if let Some(found) = headers.get(wire) {
            all.set(*shown, value!([(found)]));
            each.set(*shown, found);
        }
    }
    value!({ "AllHttpHeaders": (all), "HttpHeaders": (each), "HttpStatusCode": (status) })
}

/// The headers that are shown, as they come and as they are spelled.
const HEADERS: &[(&str, &str)] = &[
    ("x-amzn-requestid", "x-amzn-RequestId"),
    ("connection", "connection"),
    ("content-length", "Content-Length"),
    ("date", "Date"),
    ("content-type", "Content-Type"),
];

/// Returns error name and cause: `StepFunctions.ExecutionAlreadyExistsException` and the service's
/// text with the SDK's additions. A code that the model does not know becomes the service's base
/// exception.
pub(super) fn failure(prefix: &str, service: &str, err: &CallError) -> (String, String) {
    let exception = match &err.exception {
        Some(exception) if exception.ends_with("Exception") => exception.clone(),
        Some(exception) => format!("{exception}Exception"),
        None => format!("{service}Exception"),
    };
    let CallError { code, message, status, request_id, .. } = err;
    let cause = format!(
        "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: \
         {request_id}; Proxy: null)"
    );
    (format!("{prefix}.{exception}"), cause)
}
