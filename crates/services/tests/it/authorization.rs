//! Each operation that is served asks for the action, and for a resource of the form, that the
//! Service Authorization Reference has.

use std::collections::BTreeSet;

use policy::actions::{self, Need};
use policy::{Principal, wildcard_matches};
use services::{Check, Reading, SERVICE_NAMES};
use value::Value;
use wire::model::{self, Kind, Member, Shape};

use crate::server::{ACCOUNT, DOCUMENT, server, trust};

/// Members that name what is worked on where they are optional.
const NAMING: &[&str] =
    &["Name", "name", "logGroupName", "StackName", "UserName", "stateMachineArn", "RoleArn"];

/// Operations whose question is another, or none, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("iam:GetAccessKeyLastUsed", "asked of a key that nobody has: its user is not known"),
    ("logs:DescribeLogGroups", "AWS's refusals name an empty log group"),
    ("sts:AssumeRole", "decided with the trust policy of the role, which is not there"),
    ("sts:AssumeRoleWithSAML", "as AssumeRole"),
    ("sts:AssumeRoleWithWebIdentity", "as AssumeRole"),
    ("sts:GetCallerIdentity", "open to everyone, as documented"),
    ("sts:GetSessionToken", "open to everyone, as documented"),
];

/// Returns a plausible text for a member.
fn plausible(operation: &str, member: &str) -> String {
    let states = |resource: &str| format!("arn:aws:states:us-east-1:{ACCOUNT}:{resource}");
    let iam = |resource: &str| format!("arn:aws:iam::{ACCOUNT}:{resource}");
    match member {
        "stateMachineArn" | "resourceArn" => states("stateMachine:m"),
        "executionArn" => states("execution:m:e"),
        "activityArn" => states("activity:a"),
        "mapRunArn" => states("mapRun:m/l:00000000-0000-0000-0000-000000000000"),
        "stateMachineVersionArn" => states("stateMachine:m:1"),
        "stateMachineAliasArn" => states("stateMachine:m:live"),
        "roleArn" | "RoleArn" => iam("role/r"),
        "PolicyArn" | "PermissionsBoundary" => iam("policy/p"),
        "PolicySourceArn" | "Arn" => iam("user/u"),
        "SerialNumber" => iam("mfa/m"),
        "OpenIDConnectProviderArn" => iam("oidc-provider/example.com"),
        "SAMLProviderArn" | "PrincipalArn" => iam("saml-provider/s"),
        "Url" => "https://example.com".to_owned(),
        "PolicyDocument" => DOCUMENT.to_owned(),
        "AssumeRolePolicyDocument" => trust(r#"{"Service":"states.amazonaws.com"}"#),
        "AWSServiceName" => "ssm.amazonaws.com".to_owned(),
        "StackName" => "s".to_owned(),
        "SettingId" => "/ssm/documents/console/public-sharing-permission".to_owned(),
        "ResourceType" if operation.ends_with("Resource") => "Document".to_owned(),
        "Name" if operation.contains("Automation") => "Doc".to_owned(),
        "definition" => r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#.to_owned(),
        "TemplateBody" => r#"{"Resources":{}}"#.to_owned(),
        _ => "x".to_owned(),
    }
}

/// Returns a value of a shape, its required members filled.
fn filled(operation: &str, member: &str, shape: &Shape, depth: usize) -> Value {
    assert!(depth < 16, "{operation}: {member} is too deep");
    match shape.kind() {
        Kind::Structure => {
            let members = shape.members().filter(Member::is_required);
            members.fold(Value::object(), |filling, inner| {
                let value = filled(operation, inner.name(), &inner.shape(), depth + 1);
                filling.with(inner.name(), value)
            })
        }
        Kind::List => {
            let element = shape.element().unwrap();
            Value::from(vec![filled(operation, member, &element, depth + 1)])
        }
        Kind::Map => Value::object().with("x", "x"),
        Kind::String => match shape.values().first() {
            Some(first) => Value::from(&**first),
            None => Value::from(plausible(operation, member)),
        },
        Kind::Boolean => Value::from(false),
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double => Value::from(1),
        Kind::Blob | Kind::Timestamp => Value::from("eA=="),
    }
}

/// Returns an input with the required members, and those that name what is worked on.
fn input(service: &str, operation: &str) -> Value {
    let shape = model::service(service).unwrap().operation(operation).unwrap().input();
    let Some(shape) = shape else { return Value::object() };
    let named = |member: &Member| {
        let name = member.name();
        member.is_required() || NAMING.contains(&name)
    };
    shape.members().filter(named).fold(Value::object(), |input, member| {
        input.with(member.name(), filled(operation, member.name(), &member.shape(), 0))
    })
}

/// Returns a template of an ARN as a pattern.
fn opened(template: &str) -> String {
    let mut parts = template.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| format!("*{}", part.split_once('}').unwrap().1));
    first + &rest.collect::<String>()
}

/// Returns what is wrong with a question, if anything is.
fn fault(check: &Check) -> Option<String> {
    let Some(action) = actions::find(&check.action) else {
        return Some(format!("{} is no action", check.action));
    };
    if action.full_name() != check.action {
        return Some(format!("{} is written {}", check.action, action.full_name()));
    }
    if action.is_wildcard_only() {
        let whole = check.resource == "*";
        return (!whole).then(|| format!("{} on {}, not on `*`", check.action, check.resource));
    }
    let fits = action
        .resources
        .iter()
        .any(|one| wildcard_matches(&opened(&one.arn_template), &check.resource));
    // Where a call may name no resource, it asks for all of them.
    let optional = action.resources.iter().all(|one| one.need == Need::Optional);
    let right = fits || (optional && check.resource == "*");
    let forms: Vec<&str> = action.resources.iter().map(|one| &*one.arn_template).collect();
    (!right).then(|| format!("{} on {}, not on {forms:?}", check.action, check.resource))
}

#[test]
fn every_operation_asks_for_its_action_on_a_resource_of_its_form() {
    let server = server();
    let call = server.call_of(Principal::user(ACCOUNT, "/", "kim", "AIDAKIM"));
    let (mut asked, mut odd) = (BTreeSet::new(), BTreeSet::new());
    for service in SERVICE_NAMES {
        let prefix = if *service == "stepfunctions" { "states" } else { service };
        for operation in services::operations(service) {
            let name = format!("{prefix}:{}", operation.name);
            let input = input(service, operation.name);
            let checks = server.store.read(|store| {
                let on = Reading { store, call: &call };
                (operation.checks)(&on, &input).unwrap_or_else(|err| panic!("{name}: {err}"))
            });
            asked.insert(name.clone());
            let mut faults: Vec<String> = checks.iter().filter_map(fault).collect();
            if !checks.iter().any(|check| check.action == name) {
                faults.push("it does not ask for its action".to_owned());
            }
            if !faults.is_empty() {
                eprintln!("{name}: {faults:?}");
                odd.insert(name);
            }
        }
    }
    assert!(250 < asked.len(), "{} operations", asked.len());
    let known = EXCEPTIONS.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(odd, known.filter(|name| asked.contains(name)).collect());
}
