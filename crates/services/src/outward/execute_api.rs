//! APIs of API Gateway, which have no operations: a method, a path, and what the API makes of it.
//!
//! Step Functions developer guide, "Create API Gateway REST APIs with Step Functions" (read
//! 2026-11).

use runtime::CallError;
use value::{Map, Value, value};
use wire::client::Answer;
use wire::{Request, percent_encode};

use crate::ids;

/// The methods that may be asked for.
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
/// Headers that Step Functions does not let a task set.
const NOT_ALLOWED: &[&str] = &[
    "authorization",
    "connection",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

/// A call of an API, read from a task's arguments.
pub(crate) struct ApiCall {
    /// `API.execute-api.REGION.amazonaws.com`.
    pub(super) host: String,
    /// Whether it is signed, and the role asked for `execute-api:Invoke`.
    pub(crate) is_signed: bool,
    pub(super) request: Request,
}

impl ApiCall {
    /// Reads a task's arguments.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(input: &Value) -> Result<ApiCall, CallError> {
        let text = |member: &str| input.get(member).and_then(Value::as_str);
        let required =
            |member: &str| text(member).ok_or_else(|| refused(&format!("{member} is required")));
        let (endpoint, method) = (required("ApiEndpoint")?, required("Method")?);
        if !METHODS.contains(&method) {
            return Err(refused(&format!("`{method}` is no method")));
        }
        let (host, steps) = place(endpoint, input);
        if steps.iter().any(|step| matches!(*step, "." | "..")) {
            return Err(refused("a path has no `.` and no `..`: a policy cannot speak of them"));
        }
        let path = steps.into_iter().map(percent_encode).collect::<Vec<_>>().join("/");
        let mut request = Request {
            method: method.to_owned(),
            path: format!("/{path}"),
            query: query(input.get("QueryParameters")),
            headers: headers(input.get("Headers"))?,
            ..Request::default()
        };
        let keeps_null = input.get("AllowNullValues").and_then(Value::as_bool).unwrap_or_default();
        let body = input.get("RequestBody").cloned().unwrap_or_default();
        let body = if keeps_null { body } else { without_null(&body) };
        if body != Value::Null {
            request.body = body.to_json().into_bytes();
            if request.header("content-type").is_none() {
                request.headers.push(("content-type".into(), "application/json".into()));
            }
        }
        let is_signed = match text("AuthType").unwrap_or("NO_AUTH") {
            "NO_AUTH" => false,
            "IAM_ROLE" | "RESOURCE_POLICY" => true,
            other => return Err(refused(&format!("`{other}` is no AuthType"))),
        };
        Ok(ApiCall { host: host.to_owned(), is_signed, request })
    }

    /// Says whether the host is one of API Gateway's own, as Step Functions demands: whoever writes
    /// a task's input does not choose where signed requests go.
    pub(super) fn is_of_aws(&self) -> bool {
        let Some((api, rest)) = self.host.split_once(".execute-api.") else { return false };
        let region = rest.strip_suffix(".amazonaws.com");
        let region = region.or_else(|| rest.strip_suffix(".amazonaws.com.cn"));
        let is_word = |text: &str| {
            !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
        };
        is_word(api) && region.is_some_and(is_word)
    }

    /// Says whether the call only reads.
    pub(super) fn only_reads(&self) -> bool {
        matches!(&*self.request.method, "GET" | "HEAD" | "OPTIONS")
    }
}

/// Returns the host that is called, and the steps of the path there: the first is the stage.
fn place<'i>(endpoint: &'i str, input: &'i Value) -> (&'i str, Vec<&'i str>) {
    let text = |member: &str| input.get(member).and_then(Value::as_str).unwrap_or_default();
    let (host, prefix) = endpoint.split_once('/').unwrap_or((endpoint, ""));
    let steps = [prefix, text("Stage"), text("Path")].into_iter().flat_map(|path| path.split('/'));
    (host, steps.filter(|step| !step.is_empty()).collect())
}

/// Returns the end of the ARN that IAM is asked about: `API/STAGE/METHOD/PATH`, of what is called.
pub(super) fn resource(input: &Value) -> Option<String> {
    let text = |member: &str| input.get(member).and_then(Value::as_str);
    let (host, steps) = place(text("ApiEndpoint")?, input);
    let api = host.split('.').next()?.to_ascii_lowercase();
    let (stage, path) = steps.split_first().unwrap_or((&"", &[]));
    Some(format!("{api}/{stage}/{}/{}", text("Method")?, path.join("/")))
}

/// Returns what the task gets of an answer.
///
/// # Errors
/// When the API says no.
pub(super) fn output(answer: &Answer) -> Result<Value, CallError> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    if 400 <= answer.status {
        return Err(CallError {
            code: answer.status.to_string(),
            exception: None,
            message: body,
            status: answer.status,
            request_id: answer.request_id().map_or_else(ids::uuid, str::to_owned),
            extended_request_id: None,
            is_passing: false,
        });
    }
    let mut headers = Value::object();
    for (name, _) in &answer.headers {
        let all = answer.headers.iter().filter(|(known, _)| known == name);
        let all: Value = all.map(|(_, text)| Value::from(&**text)).collect();
        headers.set(spelled(name), all);
    }
    Ok(value!({
        "Headers": (headers),
        "ResponseBody": value::parse(&body).unwrap_or_else(|_| body.into()),
        "StatusCode": answer.status,
        "StatusText": answer.status_text(),
    }))
}

/// Returns a header's name as AWS spells it: HTTP libraries do not keep that.
pub(super) fn spelled(name: &str) -> String {
    match name {
        "x-amzn-requestid" => "x-amzn-RequestId".into(),
        "x-amz-apigw-id" => name.into(),
        _ => {
            let words = name.split('-').map(|word| {
                let mut letters = word.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            });
            words.collect::<Vec<_>>().join("-")
        }
    }
}

/// Returns the values of a member, which is one or a list; what is null is not there.
fn values(given: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.to_string()),
        other => Some(other.to_json()),
    };
    match given.as_array() {
        Some(all) => all.iter().filter_map(one).collect(),
        None => one(given).into_iter().collect(),
    }
}

fn query(given: Option<&Value>) -> String {
    let members = given.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    let pairs = members.flat_map(|(name, given)| {
        let all = values(given).into_iter();
        all.map(|text| format!("{}={}", percent_encode(name), percent_encode(&text)))
            .collect::<Vec<_>>()
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn headers(given: Option<&Value>) -> Result<Vec<(String, String)>, CallError> {
    let mut headers = Vec::new();
    for (name, given) in given.and_then(Value::as_object).into_iter().flat_map(Map::iter) {
        let name = name.to_ascii_lowercase();
        if NOT_ALLOWED.contains(&&*name) || name.starts_with("x-amz") {
            return Err(refused(&format!("the header `{name}` cannot be set")));
        }
        headers.extend(values(given).into_iter().map(|text| (name.clone(), text)));
    }
    Ok(headers)
}

/// Returns a body without members that are null, however deep. UNVERIFIED: that lists keep theirs.
fn without_null(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| **value != Value::Null);
            kept.fold(Value::object(), |all, (name, value)| {
                all.with(name.clone(), without_null(value))
            })
        }
        Value::Array(items) => items.iter().map(without_null).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}

/// UNVERIFIED: the code; the guide says only that it is the exception's name.
fn refused(what: &str) -> CallError {
    CallError {
        code: "IllegalArgumentException".into(),
        exception: None,
        message: what.to_owned(),
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(endpoint: &str) -> ApiCall {
        ApiCall::read(&value!({"ApiEndpoint": endpoint, "Method": "GET"})).unwrap()
    }

    #[test]
    fn only_hosts_of_api_gateway_are_called_on_aws() {
        assert!(call("a1.execute-api.us-east-1.amazonaws.com").is_of_aws());
        assert!(call("a1.execute-api.cn-north-1.amazonaws.com.cn").is_of_aws());
        for other in [
            "evil.example",
            "a.execute-api.evil.example",
            "x@y.execute-api.r.amazonaws.com",
            "a.execute-api.evil.example#.amazonaws.com",
            "a.execute-api.r.amazonaws.com:99",
        ] {
            assert!(!call(other).is_of_aws(), "{other}");
        }
    }

    #[test]
    fn what_a_task_may_not_say_is_refused() {
        let err = |input: Value| ApiCall::read(&input).err().unwrap().message;
        assert_eq!(err(value!({"Method": "GET"})), "ApiEndpoint is required");
        assert_eq!(err(value!({"ApiEndpoint": "a", "Method": "get"})), "`get` is no method");
        let host = value!({"ApiEndpoint": "a", "Method": "GET", "Headers": {"Host": "b"}});
        assert_eq!(err(host), "the header `host` cannot be set");
        let kind = value!({"ApiEndpoint": "a", "Method": "GET", "AuthType": "OTHER"});
        assert_eq!(err(kind), "`OTHER` is no AuthType");
    }

    #[test]
    fn a_policy_is_asked_about_the_path_that_is_called() {
        let place = |endpoint: &str, stage: &str, path: &str| {
            let input = value!({
                "ApiEndpoint": endpoint, "Method": "GET", "Stage": stage, "Path": path,
            });
            let called = ApiCall::read(&input).map(|call| call.request.path);
            (called.unwrap_or_else(|err| err.message), resource(&input).unwrap())
        };
        let same = ("/prod/a/b".to_owned(), "a1/prod/GET/a/b".to_owned());
        assert_eq!(place("a1.execute-api.r.amazonaws.com", "prod", "a/b"), same);
        assert_eq!(place("A1.execute-api.r.amazonaws.com", "prod", "//a//b/"), same);
        assert_eq!(place("a1.execute-api.r.amazonaws.com/prod", "", "a/b"), same);
        assert_eq!(place("a1.execute-api.r.amazonaws.com/", "prod/a", "b"), same);
        for path in ["public/../admin", "./a"] {
            let (refused, _) = place("a1.execute-api.r.amazonaws.com", "prod", path);
            assert!(refused.starts_with("a path has no `.`"), "{refused}");
        }
    }

    #[test]
    fn null_is_sent_only_when_asked_to() {
        let body = |keeps: bool| {
            let input = value!({
                "ApiEndpoint": "a", "Method": "POST", "RequestBody": {"a": null, "b": [null]},
                "AllowNullValues": keeps,
            });
            String::from_utf8(ApiCall::read(&input).unwrap().request.body).unwrap()
        };
        assert_eq!(body(false), r#"{"b":[null]}"#);
        assert_eq!(body(true), r#"{"a":null,"b":[null]}"#);
    }
}
