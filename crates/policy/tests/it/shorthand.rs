//! Short ways to write policies and callers in tests.

use std::sync::Arc;

use policy::{Context, Decision, Document, Kind, Policy, PolicySet, Principal, Request, decide};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const OTHER_ACCOUNT: &str = "210987654321";
pub(crate) const BOB: &str = "arn:aws:iam::123456789012:user/bob";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:q";

pub(crate) fn document(kind: Kind, statements: &str) -> Arc<Document> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Arc::new(Document::parse(&text, kind).unwrap_or_else(|fault| panic!("{fault:?}: {text}")))
}

/// An identity policy.
pub(crate) fn identity(statements: &str) -> Policy {
    Policy::new("inline", document(Kind::Identity, statements))
}

pub(crate) fn resource(statements: &str) -> Policy {
    Policy::new("queue policy", document(Kind::Resource, statements))
}

pub(crate) fn trust(statements: &str) -> Policy {
    Policy::new("trust", document(Kind::Trust, statements))
}

/// A statement of an identity policy.
pub(crate) fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"}}"#)
}

/// A statement of a resource policy, on whatever it hangs.
pub(crate) fn granted_to(principal: &str, action: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}"}}"#)
}

pub(crate) fn allow_all() -> Policy {
    identity(&statement("Allow", "*", "*"))
}

pub(crate) fn alice() -> Principal {
    Principal::user(ACCOUNT, "/", "alice", "AIDAALICE")
}

pub(crate) fn run_of_deleter() -> Principal {
    Principal::assumed_role(ACCOUNT, "/ops/", "Deleter", "AROADELETER", "run-1")
}

pub(crate) fn ask(
    principal: Principal,
    action: &str,
    resource: &str,
    policies: &PolicySet,
) -> Decision {
    decide(&Request::new(principal, action, resource, Context::new()), policies)
}
