//! The grammar of policy documents: what AWS refuses, in its order and its words.
//!
//! AWS page: "Grammar of the IAM JSON policy language" (User Guide, read 2026-11-23). The words for
//! identity policies are those of getmoto/moto's tests (Apache-2.0); the words for trust policies
//! stand in public issues.
// UNVERIFIED: "Unknown field X", "Missing required field X" for trust policies, and
// "Statement IDs (SID) must be alpha-numeric" are AWS's words elsewhere.

use std::collections::HashSet;

use value::{Map, Value};

use super::compile::{condition_value, elements, principals};
use super::{
    Kind, Malformed, POLICY_BYTES_MAX, Position, PrincipalPattern, places, resource_format,
};
use crate::Arn;
use crate::arn::is_account;
use crate::conditions::{Spelling, is_date};

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const INVALID_JSON: &str = "This policy contains invalid Json";

/// As AWS wrote it in 2019, inner name and all.
const NO_PRINCIPALS: &str = "Invalid principal in policy: \
     com.amazon.balsa.error.InvalidPolicyException: \
     The passed in policy has a statement with no principals!";

const DOCUMENT_FIELDS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_FIELDS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

type Check = Result<(), Fault>;

/// A fault before its place in the text is known.
struct Fault {
    message: String,
    detail: String,
    statement: Option<usize>,
}

impl Fault {
    fn new(message: impl Into<String>, detail: impl Into<String>) -> Fault {
        Fault { message: message.into(), detail: detail.into(), statement: None }
    }

    fn syntax(detail: impl Into<String>) -> Fault {
        Fault::new(SYNTAX, detail)
    }
}

/// Parses and checks a policy text.
pub(super) fn document(text: &str, kind: Kind) -> Result<Value, Malformed> {
    let not_json = if kind == Kind::Trust { INVALID_JSON } else { SYNTAX };
    if text.len() > POLICY_BYTES_MAX {
        let detail = format!("longer than {POLICY_BYTES_MAX} bytes");
        return Err(Malformed {
            message: not_json.to_owned(),
            detail,
            position: None,
            statement: None,
        });
    }
    let json = value::parse(text).map_err(|fault| Malformed {
        message: not_json.to_owned(),
        position: Some(Position { line: fault.line, column: fault.column }),
        detail: fault.message,
        statement: None,
    })?;
    check(&json, kind).map_err(|fault| Malformed {
        position: fault.statement.and_then(|index| places::starts(text).get(index).copied()),
        message: fault.message,
        detail: fault.detail,
        statement: fault.statement,
    })?;
    Ok(json)
}

fn check(json: &Value, kind: Kind) -> Check {
    shape(json, kind)?;
    version(json, kind)?;
    let statements = elements(json.get("Statement"));
    let each = |check: &dyn Fn(&Value) -> Check| -> Check {
        statements.iter().enumerate().try_for_each(|(index, statement)| {
            check(statement).map_err(|fault| Fault { statement: Some(index), ..fault })
        })
    };
    each(&legacy)?;
    unique_sids(statements)?;
    each(&resource_formats)?;
    each(&|statement| actions(statement, kind))?;
    each(&|statement| presence(statement, kind))
}

/// Fields and types.
fn shape(json: &Value, kind: Kind) -> Check {
    let map = json.as_object().ok_or_else(|| Fault::syntax("the policy is not an object"))?;
    known_fields(map, &DOCUMENT_FIELDS, kind)?;
    match map.get("Version").map(Value::as_str) {
        None | Some(Some("2008-10-17" | "2012-10-17")) => {}
        Some(_) => {
            return Err(Fault::syntax("`Version` is neither `2012-10-17` nor `2008-10-17`"));
        }
    }
    text_if_present(map, "Id")?;
    let statements = elements(map.get("Statement"));
    if statements.is_empty() {
        return Err(Fault::syntax("`Statement` is missing or empty"));
    }
    statements.iter().enumerate().try_for_each(|(index, statement)| {
        statement_shape(statement, kind).map_err(|fault| Fault { statement: Some(index), ..fault })
    })
}

fn known_fields(map: &Map, known: &[&str], kind: Kind) -> Check {
    match map.keys().find(|key| !known.contains(&&***key)) {
        Some(unknown) if kind == Kind::Trust => {
            Err(Fault::new(format!("Unknown field {unknown}"), "the grammar has no such field"))
        }
        Some(unknown) => Err(Fault::syntax(format!("unknown field `{unknown}`"))),
        None => Ok(()),
    }
}

fn text_if_present(map: &Map, field: &str) -> Check {
    match map.get(field) {
        None | Some(Value::String(_)) => Ok(()),
        Some(other) => {
            Err(Fault::syntax(format!("`{field}` is not a string but {}", other.type_name())))
        }
    }
}

fn statement_shape(statement: &Value, kind: Kind) -> Check {
    let map = statement.as_object().ok_or_else(|| Fault::syntax("a statement is not an object"))?;
    known_fields(map, &STATEMENT_FIELDS, kind)?;
    text_if_present(map, "Sid")?;
    match map.get("Effect").map(Value::as_str) {
        Some(Some(effect))
            if effect.eq_ignore_ascii_case("Allow") || effect.eq_ignore_ascii_case("Deny") => {}
        Some(_) => return Err(Fault::syntax("`Effect` is neither `Allow` nor `Deny`")),
        None => return Err(Fault::syntax("`Effect` is missing")),
    }
    for (one, other) in
        [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")]
    {
        if map.contains_key(one) && map.contains_key(other) {
            return Err(Fault::syntax(format!("both `{one}` and `{other}`")));
        }
    }
    for field in ["Action", "NotAction", "Resource", "NotResource"] {
        for value in elements(map.get(field)) {
            // AWS lets `null` pass in a list of resources.
            let blank = value.is_null() && matches!(map.get(field), Some(Value::Array(_)));
            if value.as_str().is_none() && !blank {
                return Err(Fault::syntax(format!("`{field}` holds {}", value.type_name())));
            }
        }
    }
    principal_shape(map, kind)?;
    condition_shape(map.get("Condition"))
}

fn principal_shape(map: &Map, kind: Kind) -> Check {
    let Some(principal) = map.get("Principal").or_else(|| map.get("NotPrincipal")) else {
        return Ok(());
    };
    match principal {
        Value::String(text) if &**text == "*" => Ok(()),
        // DIFFERS: resource policies may name one AWS principal without the `AWS` key.
        Value::String(_) if kind == Kind::Resource => Ok(()),
        Value::Object(kinds) => kinds.iter().try_for_each(|(name, values)| {
            if !PRINCIPAL_KINDS.contains(&&**name) {
                return Err(Fault::syntax(format!("unknown kind of principal `{name}`")));
            }
            match elements(Some(values)).iter().find(|value| value.as_str().is_none()) {
                Some(other) => {
                    Err(Fault::syntax(format!("principal `{name}` holds {}", other.type_name())))
                }
                None => Ok(()),
            }
        }),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(Fault::syntax("`Principal` is neither `*` nor an object"))
        }
    }
}

fn condition_shape(condition: Option<&Value>) -> Check {
    let Some(condition) = condition else {
        return Ok(());
    };
    let operators =
        condition.as_object().ok_or_else(|| Fault::syntax("`Condition` is not an object"))?;
    for (operator, block) in operators.iter() {
        let keys = block
            .as_object()
            .ok_or_else(|| Fault::syntax(format!("condition `{operator}` is not an object")))?;
        if !keys.is_empty() && Spelling::parse(operator).is_none() {
            return Err(Fault::syntax(format!("unknown condition operator `{operator}`")));
        }
        for (key, values) in keys.iter() {
            if elements(Some(values)).iter().any(|value| condition_value(value).is_none()) {
                return Err(Fault::syntax(format!("condition key `{key}` has no plain value")));
            }
        }
    }
    Ok(())
}

fn version(json: &Value, kind: Kind) -> Check {
    let managed = matches!(kind, Kind::Managed | Kind::Boundary);
    if managed && json.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
        return Err(Fault::new(
            "Policy document must be version 2012-10-17 or greater.",
            "managed policies need `\"Version\": \"2012-10-17\"`",
        ));
    }
    Ok(())
}

/// What AWS's first parser trips over.
fn legacy(statement: &Value) -> Check {
    let effect = statement.get("Effect").and_then(Value::as_str).unwrap_or_default();
    if effect != "Allow" && effect != "Deny" {
        return Err(Fault::new(LEGACY, format!("`{effect}` is written `Allow` or `Deny`")));
    }
    if let Some(cut) = resources(statement).find(|text| resource_format::fails_legacy_parsing(text))
    {
        return Err(Fault::new(LEGACY, format!("`{cut}` is not a whole ARN")));
    }
    let operators = statement.get("Condition").and_then(Value::as_object);
    for (operator, block) in operators.iter().flat_map(|map| map.iter()) {
        if !Spelling::parse(operator).is_some_and(Spelling::compares_dates) {
            continue;
        }
        for (key, values) in block.as_object().iter().flat_map(|map| map.iter()) {
            let texts = elements(Some(values)).iter().filter_map(condition_value);
            // A variable is a date or not only when it has its value.
            if let Some(text) = { texts }.find(|text| !text.contains("${") && !is_date(text)) {
                return Err(Fault::new(LEGACY, format!("`{text}` of `{key}` is not a date")));
            }
        }
    }
    Ok(())
}

fn unique_sids(statements: &[Value]) -> Check {
    let mut seen = HashSet::new();
    for (index, statement) in statements.iter().enumerate() {
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or_default();
        // DIFFERS: `_` passes; AWS's guide allows letters and digits only, the corpus has both.
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let message = "Statement IDs (SID) must be alpha-numeric. Check that your input \
                 satisfies the regular expression [0-9A-Za-z]*";
            return Err(Fault {
                statement: Some(index),
                ..Fault::new(message, format!("`{sid}` has other characters"))
            });
        }
        if !sid.is_empty() && !seen.insert(sid) {
            return Err(Fault {
                statement: Some(index),
                ..Fault::new(
                    "Statement IDs (SID) in a single policy must be unique.",
                    format!("`{sid}` stands twice"),
                )
            });
        }
    }
    Ok(())
}

fn resources(statement: &Value) -> impl Iterator<Item = &str> {
    let value = statement.get("Resource").or_else(|| statement.get("NotResource"));
    elements(value).iter().filter_map(Value::as_str)
}

fn resource_formats(statement: &Value) -> Check {
    match resources(statement).find_map(|text| Some((text, resource_format::fault(text)?))) {
        Some((text, message)) => Err(Fault::new(message, format!("resource `{text}`"))),
        None => Ok(()),
    }
}

fn actions(statement: &Value, kind: Kind) -> Check {
    let value = statement.get("Action").or_else(|| statement.get("NotAction"));
    for action in elements(value).iter().filter_map(Value::as_str) {
        let message = match action.split(':').collect::<Vec<_>>().as_slice() {
            ["*"] => None,
            [_] => Some(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                    .to_owned(),
            ),
            [vendor, _] if !is_vendor(vendor) => Some(format!("Vendor {vendor} is not valid")),
            [_, _] => None,
            _ => Some("Actions/Condition can contain only one colon.".to_owned()),
        };
        if let Some(message) = message {
            return Err(Fault::new(message, format!("action `{action}`")));
        }
        if kind == Kind::Trust && !action.to_lowercase().starts_with("sts:") {
            return Err(Fault::new(
                "AssumeRole policy may only specify STS AssumeRole actions.",
                format!("action `{action}`"),
            ));
        }
    }
    Ok(())
}

fn is_vendor(vendor: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*?".contains(&byte);
    !vendor.is_empty() && vendor.bytes().all(allowed)
}

fn has(statement: &Value, field: &str) -> bool {
    !elements(statement.get(field)).is_empty()
}

/// The elements a statement must have and must not have.
fn presence(statement: &Value, kind: Kind) -> Check {
    match kind {
        Kind::Trust => trust_presence(statement),
        Kind::Resource | Kind::ResourceControl => resource_presence(statement),
        Kind::Identity | Kind::Managed | Kind::Boundary | Kind::Session | Kind::ServiceControl => {
            identity_presence(statement)
        }
    }
}

fn action_presence(statement: &Value) -> Check {
    if has(statement, "Action") || has(statement, "NotAction") {
        return Ok(());
    }
    let detail = "neither `Action` nor `NotAction`";
    Err(Fault::new("Policy statement must contain actions.", detail))
}

fn identity_presence(statement: &Value) -> Check {
    action_presence(statement)?;
    if has(statement, "Principal") || has(statement, "NotPrincipal") {
        return Err(Fault::new(
            "Policy document should not specify a principal.",
            "the principal is whom the policy is attached to",
        ));
    }
    if !has(statement, "Resource") && !has(statement, "NotResource") {
        return Err(Fault::new(
            "Policy statement must contain resources.",
            "neither `Resource` nor `NotResource`",
        ));
    }
    Ok(())
}

fn resource_presence(statement: &Value) -> Check {
    action_presence(statement)?;
    if has(statement, "Principal") || has(statement, "NotPrincipal") {
        return Ok(());
    }
    let detail = "a resource policy says whom it speaks of";
    Err(Fault::new("Missing required field Principal", detail))
}

fn trust_presence(statement: &Value) -> Check {
    for (field, why) in [
        ("Resource", "the resource is the role itself"),
        ("NotResource", "the resource is the role itself"),
        ("NotPrincipal", "a trust policy names whom it trusts"),
    ] {
        if statement.get(field).is_some() {
            return Err(Fault::new(format!("Has prohibited field {field}"), why));
        }
    }
    for (field, why) in [
        ("Action", "a trust policy says how the role is assumed"),
        ("Principal", "a trust policy says who is trusted"),
    ] {
        if !has(statement, field) && !has(statement, &format!("Not{field}")) {
            return Err(Fault::new(format!("Missing required field {field}"), why));
        }
    }
    let patterns: Vec<PrincipalPattern> =
        principals(statement).map(|selector| selector.patterns).unwrap_or_default();
    if patterns.is_empty() {
        return Err(Fault::new(NO_PRINCIPALS, "the `Principal` element is empty"));
    }
    match patterns.iter().find(|pattern| !can_exist(pattern)) {
        Some(pattern) => Err(Fault::new(pattern.refusal(), "nobody can have such a name")),
        None => Ok(()),
    }
}

/// Returns whether somebody may have the name; whether somebody has it is for the keeper to say.
fn can_exist(pattern: &PrincipalPattern) -> bool {
    match pattern {
        PrincipalPattern::Arn(text) => text.parse::<Arn>().is_ok_and(|arn| {
            matches!(arn.service(), "iam" | "sts")
                && is_account(arn.account())
                && !arn.resource().contains(['*', '?'])
        }),
        PrincipalPattern::Service(name) => name.contains('.') && !name.contains(['*', '?']),
        PrincipalPattern::Everyone
        | PrincipalPattern::Account(_)
        | PrincipalPattern::UniqueId(_)
        | PrincipalPattern::Federated(_)
        | PrincipalPattern::CanonicalUser(_) => true,
    }
}
