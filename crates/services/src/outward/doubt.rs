//! Calls whose answer may have been lost: which of them may be made again.
//!
//! A service outside remembers no effect ids. What it offers instead is a client token, where the
//! operation has one: the same effect always sends the same. Elsewhere only what reads, or what the
//! model calls idempotent, is asked again.

use runtime::CallError;
use sha2::{Digest, Sha256};
use value::Value;
use wire::model::{Member, Operation};

use crate::ids;

/// How the names of operations begin that only read.
const READING: &[&str] =
    &["BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan", "Select"];
/// What reads by its name and changes something all the same.
const CHANGING: &[(&str, &str)] = &[
    // Each of these hands out what nobody else gets then.
    ("stepfunctions", "GetActivityTask"),
    ("dynamodb-streams", "GetRecords"),
    ("kinesis", "GetRecords"),
];

/// Returns the input with a client token, if the operation has one and the input has none.
pub(super) fn with_token(operation: Operation, input: &Value, effect_id: Option<&str>) -> Value {
    let token = operation.input().and_then(|shape| {
        let token = shape.members().find(Member::is_idempotency_token)?;
        input.get(token.name()).is_none().then(|| token.name())
    });
    match token {
        Some(name) => input.clone().with(name, token_of(effect_id)),
        None => input.clone(),
    }
}

/// The same effect has the same token; what is no effect is never repeated.
fn token_of(effect_id: Option<&str>) -> String {
    let Some(effect_id) = effect_id else { return ids::uuid() };
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(Sha256::digest(effect_id)) {
        *to = from;
    }
    ids::uuid_from(bytes)
}

/// Returns whether asking twice does no harm.
pub(super) fn is_repeatable(operation: Operation, input: &Value) -> bool {
    let has_token = operation.input().is_some_and(|shape| {
        let mut tokens = shape.members().filter(Member::is_idempotency_token);
        tokens.any(|member| input.get(member.name()).is_some())
    });
    has_token || operation.is_repeatable() || only_reads(operation)
}

fn only_reads(operation: Operation) -> bool {
    let (service, name) = (operation.service().name(), operation.name());
    READING.iter().any(|prefix| name.starts_with(prefix)) && !CHANGING.contains(&(service, name))
}

/// Returns why a call is not made again.
pub(super) fn refusal(service: &str, name: &str) -> CallError {
    CallError {
        code: runtime::IN_DOUBT.into(),
        exception: None,
        message: format!(
            "The server ended while {service}:{name} was under way, so it may have been done or \
             not; it was not asked again, because {name} neither only reads nor takes a client \
             token"
        ),
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}

#[cfg(test)]
mod tests {
    use value::value;
    use wire::model::service;

    use super::*;

    fn operation(name: &str, operation: &str) -> Operation {
        service(name).unwrap().operation(operation).unwrap()
    }

    #[test]
    fn a_token_is_the_same_for_the_same_effect() {
        let run = operation("ec2", "RunInstances");
        let first = with_token(run, &value!({"MinCount": 1}), Some("x/1"));
        assert_eq!(first, with_token(run, &value!({"MinCount": 1}), Some("x/1")));
        assert_ne!(first, with_token(run, &value!({"MinCount": 1}), Some("x/2")));
        assert!(is_repeatable(run, &first));
        let own = value!({"ClientToken": "mine"});
        assert_eq!(with_token(run, &own, Some("x/1")), own);
    }

    #[test]
    fn only_what_reads_or_has_a_token_is_repeated() {
        let none = Value::object();
        assert!(is_repeatable(operation("dynamodb", "GetItem"), &none));
        assert!(is_repeatable(operation("s3", "HeadObject"), &none));
        for (service, name) in [
            ("lambda", "Invoke"),
            ("sqs", "SendMessage"),
            ("sqs", "ReceiveMessage"),
            ("sns", "Publish"),
            ("dynamodb", "PutItem"),
        ] {
            assert!(!is_repeatable(operation(service, name), &none), "{service}:{name}");
        }
    }
}
