//! How the AWS SDK for Java 1 reads, which the older optimized integrations are built on: answers
//! carry their HTTP headers, failures name the service by its class.

use value::{Map, Value, value};
use wire::model::{Kind, Shape};

use super::aws_sdk::pascal;
use crate::endpoint::CallError;

/// Where the endpoint puts what it knows of the HTTP answer.
const METADATA: &str = "ResponseMetadata";
/// How deeply outputs are followed; the models are recursive.
const DEPTH_MAX: usize = 64;

/// Returns an output as the SDK's classes print it: members in PascalCase, in the order of the
/// alphabet, times in milliseconds. What the model does not know stays as it is.
pub(super) fn shown(shape: &Shape, given: &Value) -> Value {
    shown_at(shape, given, 0)
}

fn shown_at(shape: &Shape, given: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return given.clone();
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(members)) => {
            let mut shown: Vec<(String, Value)> = members
                .iter()
                .map(|(name, found)| match shape.member(name) {
                    Some(member) => (pascal(name), shown_at(&member.shape(), found, depth + 1)),
                    None => (name.to_string(), found.clone()),
                })
                .collect();
            shown.sort_by(|(one, _), (other, _)| one.cmp(other));
            shown.into_iter().fold(Value::object(), |all, (name, found)| all.with(&*name, found))
        }
        (Kind::List, Value::Array(items)) => match shape.element() {
            Some(inner) => items.iter().map(|item| shown_at(&inner, item, depth + 1)).collect(),
            None => given.clone(),
        },
        (Kind::Map, Value::Object(members)) => match shape.element() {
            Some(inner) => {
                let shown = members.iter();
                let shown =
                    shown.map(|(key, found)| (key.clone(), shown_at(&inner, found, depth + 1)));
                shown.collect::<Map>().into()
            }
            None => given.clone(),
        },
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
        (Kind::Timestamp, Value::Number(seconds)) => {
            ((seconds.as_f64() * 1000.0).round() as i64).into()
        }
        _ => given.clone(),
    }
}

/// Returns an answer with `SdkHttpMetadata` and `SdkResponseMetadata` in place of what the endpoint
/// knows of the HTTP answer, in the order of the alphabet; some headers are `spelled` differently.
pub(super) fn response(answer: Value, spelled: &[(&str, &str)]) -> Value {
    let Some(known) = answer.get(METADATA) else { return answer };
    let headers = known.get("HTTPHeaders").and_then(Value::as_object).cloned().unwrap_or_default();
    let status = known.get("HTTPStatusCode").cloned().unwrap_or_default();
    let id = known.get("RequestId").cloned().unwrap_or_default();
    let mut all = Value::object();
    let mut each = Value::object();
    for (wire, shown) in HEADERS {
        if let Some(found) = headers.get(wire) {
            let other = spelled.iter().find(|(name, _)| name == wire);
            let name = other.map_or(*shown, |(_, name)| *name);
            all.set(name, value!([(found)]));
            each.set(name, found);
        }
    }
    let http = value!({
        "AllHttpHeaders": (all), "HttpHeaders": (each), "HttpStatusCode": (status),
    });
    let mut members: Vec<(&str, Value)> = answer
        .as_object()
        .into_iter()
        .flat_map(Map::iter)
        .filter(|(member, _)| &***member != METADATA)
        .map(|(member, found)| (&**member, found.clone()))
        .collect();
    members.push(("SdkHttpMetadata", http));
    members.push(("SdkResponseMetadata", value!({ "RequestId": (&id) })));
    members.sort_by_key(|(member, _)| *member);
    members.into_iter().fold(Value::object(), |shown, (member, found)| shown.with(member, found))
}

/// Returns an answer without what is known of how it came.
pub(super) fn plain(answer: &Value) -> Value {
    without(answer, METADATA)
}

/// Returns what a Task got of an answer without what tells how it came.
pub(super) fn without_http(shown: &Value) -> Value {
    without(&without(shown, "SdkHttpMetadata"), "SdkResponseMetadata")
}

/// Returns an object without one of its members.
pub(super) fn without(object: &Value, member: &str) -> Value {
    let members = object.as_object().into_iter().flat_map(Map::iter);
    let others = members.filter(|(name, _)| &***name != member);
    others.fold(Value::object(), |all, (name, found)| all.with(name.clone(), found))
}

/// The headers that are shown, as they come and as they are spelled: HTTP libraries do not keep
/// that.
const HEADERS: &[(&str, &str)] = &[
    ("x-amz-executed-version", "X-Amz-Executed-Version"),
    ("x-amzn-remapped-content-length", "x-amzn-Remapped-Content-Length"),
    ("server", "Server"),
    ("x-amzn-requestid", "x-amzn-RequestId"),
    ("connection", "connection"),
    ("x-amz-crc32", "x-amz-crc32"),
    ("content-length", "Content-Length"),
    ("date", "Date"),
    ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
    ("content-type", "Content-Type"),
];

/// Returns error name and cause: `StepFunctions.ExecutionAlreadyExistsException` and the service's
/// text with the SDK's additions. A code that the model does not know becomes the service's base
/// exception; what no service has answered has no details of an answer.
pub(super) fn failure(prefix: &str, service: &str, err: &CallError) -> (String, String) {
    let CallError { code, message, status, request_id, .. } = err;
    if *status == 0 {
        return (format!("{prefix}.{code}"), message.clone());
    }
    let exception = match &err.exception {
        Some(exception) if exception.ends_with("Exception") => exception.clone(),
        Some(exception) => format!("{exception}Exception"),
        // `AmazonDynamoDBv2` has the base exception `AmazonDynamoDBException`.
        None => format!("{}Exception", service.trim_end_matches("v2")),
    };
    let cause = format!(
        "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: \
         {request_id}; Proxy: null)"
    );
    (format!("{prefix}.{exception}"), cause)
}
