//! From checked JSON to a document that is fast to match.

use std::sync::Arc;

use value::Value;

use super::places::Placed;
use super::{Document, Effect, Kind, Position, PrincipalPattern, Scope, Selector, Span, Statement};
use crate::Arn;
use crate::arn::is_account;
use crate::conditions::{Condition, Spelling};
use crate::pattern::{Pattern, Version, Wildcards};

/// The unique ids that stand in trust and resource policies for deleted users and roles.
const UNIQUE_ID_PREFIXES: [&str; 2] = ["AIDA", "AROA"];

/// Compiles a document that passed its checks.
pub(super) fn document(json: &Value, places: &[Placed], kind: Kind) -> Document {
    let version = match json.get("Version").and_then(Value::as_str) {
        Some("2012-10-17") => Version::V2012,
        Some(_) | None => Version::V2008,
    };
    let statements = elements(json.get("Statement"));
    Document {
        kind,
        version,
        id: json.get("Id").and_then(Value::as_str).map(Arc::from),
        statements: statements
            .iter()
            .enumerate()
            .map(|(index, json)| {
                let place = places.get(index).copied().unwrap_or(NOWHERE);
                statement(json, index, place, version)
            })
            .collect(),
    }
}

const NOWHERE: Placed = {
    let start = Position { line: 1, column: 1 };
    Placed { span: Span { start, end: start }, reported_start: start }
};

fn statement(json: &Value, index: usize, place: Placed, version: Version) -> Statement {
    let effect = match json.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some(_) | None => Effect::Deny,
    };
    let action = |value: &Value| {
        let text = value.as_str()?.to_lowercase();
        Some(Pattern::compile(&text, Wildcards::Expand, Version::V2008))
    };
    // UNVERIFIED: `*` crosses colons wherever it stands. The guide says so of a star that ends a
    // part of the ARN, and no ARN of AWS has a colon that could tell the difference.
    let resource =
        |value: &Value| Some(Pattern::compile(value.as_str()?, Wildcards::Expand, version));
    Statement {
        sid: json.get("Sid").and_then(Value::as_str).map(Arc::from),
        index,
        span: place.span,
        reported_start: place.reported_start,
        effect,
        principals: principals(json),
        actions: selector(json, "Action", "NotAction", action)
            .unwrap_or(Selector { scope: Scope::Listed, patterns: Vec::new() }),
        action_services: action_services(json),
        resources: selector(json, "Resource", "NotResource", resource),
        conditions: conditions(json.get("Condition"), version),
    }
}

/// Returns the services of the listed actions in lower case, with their colons.
fn action_services(json: &Value) -> Option<Vec<Box<str>>> {
    let mut services: Vec<Box<str>> = Vec::new();
    for action in elements(Some(json.get("Action")?)) {
        let (service, _) = action.as_str()?.split_once(':')?;
        if service.contains(['*', '?']) {
            return None;
        }
        let service: Box<str> = format!("{}:", service.to_lowercase()).into();
        if !services.contains(&service) {
            services.push(service);
        }
    }
    Some(services)
}

fn selector<T>(
    json: &Value,
    listed: &str,
    all_but: &str,
    compile: impl Fn(&Value) -> Option<T>,
) -> Option<Selector<T>> {
    let (scope, value) = match (json.get(listed), json.get(all_but)) {
        (Some(value), _) => (Scope::Listed, value),
        (None, Some(value)) => (Scope::AllButListed, value),
        (None, None) => return None,
    };
    Some(Selector { scope, patterns: elements(Some(value)).iter().filter_map(compile).collect() })
}

/// Reads the `Principal` or `NotPrincipal` of a statement.
pub(super) fn principals(json: &Value) -> Option<Selector<PrincipalPattern>> {
    let (scope, value) = match (json.get("Principal"), json.get("NotPrincipal")) {
        (Some(value), _) => (Scope::Listed, value),
        (None, Some(value)) => (Scope::AllButListed, value),
        (None, None) => return None,
    };
    let patterns = match value.as_object() {
        Some(map) => map
            .iter()
            .flat_map(|(kind, values)| {
                elements(Some(values))
                    .iter()
                    .filter_map(|value| principal(kind, value.as_str()?))
                    .collect::<Vec<_>>()
            })
            .collect(),
        None => value.as_str().and_then(|text| principal("AWS", text)).into_iter().collect(),
    };
    Some(Selector { scope, patterns })
}

fn principal(kind: &str, text: &str) -> Option<PrincipalPattern> {
    Some(match kind {
        "AWS" => aws_principal(text),
        "Service" => PrincipalPattern::Service(text.into()),
        "Federated" => PrincipalPattern::Federated(text.into()),
        "CanonicalUser" => PrincipalPattern::CanonicalUser(text.into()),
        _ => return None,
    })
}

fn aws_principal(text: &str) -> PrincipalPattern {
    if text == "*" {
        return PrincipalPattern::Everyone;
    }
    if is_account(text) {
        return PrincipalPattern::Account(text.into());
    }
    if let Ok(arn) = text.parse::<Arn>() {
        return match (arn.service(), arn.resource()) {
            ("iam", "root") => PrincipalPattern::Account(arn.account().into()),
            _ => PrincipalPattern::Arn(text.into()),
        };
    }
    if UNIQUE_ID_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return PrincipalPattern::UniqueId(text.into());
    }
    PrincipalPattern::Arn(text.into())
}

fn conditions(json: Option<&Value>, version: Version) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (name, block) in json.and_then(Value::as_object).iter().flat_map(|map| map.iter()) {
        // The checks let an unknown operator through only without keys.
        let Some(operator) = Spelling::parse(name) else {
            continue;
        };
        for (key, values) in block.as_object().iter().flat_map(|map| map.iter()) {
            let values: Vec<String> =
                elements(Some(values)).iter().filter_map(condition_value).collect();
            conditions.push(Condition::compile(operator, key, &values, version));
        }
    }
    conditions
}

/// Returns the text of a condition value: numbers and booleans may stand without quotes.
pub(super) fn condition_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns one value or the list it is.
pub(super) fn elements(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}
