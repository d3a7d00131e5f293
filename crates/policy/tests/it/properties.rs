//! What holds for every policy and every request.

use std::sync::Arc;

use policy::{
    Context, Document, Kind, Outcome, Policy, PolicySet, Request, decide, wildcard_matches,
};
use proptest::prelude::*;
use value::{Value, value};

use crate::shorthand::{BOB, alice, run_of_deleter};

/// A statement whose parts come from a small world, so that many of them match.
fn any_statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::select(vec!["*", "iam:*", "iam:Get*", "iam:GetUser", "s3:?et*"]);
    let resource = prop::sample::select(vec![
        "*",
        "arn:aws:iam::123456789012:user/bob",
        "arn:aws:iam::*:user/${aws:username}",
        "arn:aws:iam::*:user/a*",
    ]);
    let condition = prop::sample::select(vec![
        value!({}),
        value!({"StringEquals": {"aws:username": "alice"}}),
        value!({"StringNotLike": {"aws:username": "a*"}}),
        value!({"ForAllValues:StringEquals": {"aws:TagKeys": ["x"]}}),
        value!({"Null": {"aws:TokenIssueTime": true}}),
        value!({"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": 60}}),
    ]);
    let scopes = (any::<bool>(), any::<bool>());
    (scopes, action, resource, condition).prop_map(|(scopes, action, resource, condition)| {
        let action_key = if scopes.0 { "NotAction" } else { "Action" };
        let resource_key = if scopes.1 { "NotResource" } else { "Resource" };
        value!({"Condition": condition}).with(action_key, action).with(resource_key, resource)
    })
}

fn effect(statement: &Value, effect: &str) -> Value {
    statement.clone().with("Effect", effect)
}

fn any_statements() -> impl Strategy<Value = Vec<Value>> {
    let one = (any_statement(), any::<bool>())
        .prop_map(|(statement, allow)| effect(&statement, if allow { "Allow" } else { "Deny" }));
    prop::collection::vec(one, 1..5)
}

fn policy(statements: &[Value]) -> Policy {
    let document =
        Value::object().with("Version", "2012-10-17").with("Statement", statements.to_vec());
    Policy::new("p", Arc::new(Document::parse(&document.to_string(), Kind::Identity).unwrap()))
}

fn any_request() -> impl Strategy<Value = Request> {
    let action = prop::sample::select(vec!["iam:GetUser", "iam:DeleteUser", "s3:GetObject"]);
    let resource = prop::sample::select(vec![BOB, "arn:aws:iam::123456789012:user/alice", "*"]);
    let context = prop::sample::select(vec![
        Context::new(),
        Context::new().with("aws:username", "alice"),
        Context::new().with("aws:username", "*").with_list("aws:TagKeys", ["x", "y"]),
        Context::new().with("aws:MultiFactorAuthAge", "never"),
    ]);
    let principal = prop::sample::select(vec![alice(), run_of_deleter()]);
    (principal, action, resource, context).prop_map(|(principal, action, resource, context)| {
        Request::new(principal, action, resource, context)
    })
}

/// Every layer that can limit, each with a policy.
fn layered(layers: &[Vec<Value>]) -> PolicySet {
    let of = |at: usize| vec![policy(&layers[at])];
    PolicySet {
        identity: of(0),
        boundary: Some(of(1)),
        session: Some(of(2)),
        scp: vec![of(3)],
        rcp: vec![of(4)],
        ..PolicySet::default()
    }
}

/// Allowed is widest, an explicit deny narrowest.
fn width(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::ExplicitDeny => 0,
        Outcome::ImplicitDeny => 1,
        Outcome::Allowed => 2,
    }
}

fn outcome(request: &Request, identity: Vec<Policy>) -> Outcome {
    decide(request, &PolicySet { identity, ..PolicySet::default() }).outcome
}

proptest! {
    #[test]
    fn adding_a_deny_never_widens(
        request in any_request(),
        statements in any_statements(),
        added in any_statement(),
    ) {
        let before = outcome(&request, vec![policy(&statements)]);
        let deny = policy(&[effect(&added, "Deny")]);
        let after = outcome(&request, vec![policy(&statements), deny]);
        prop_assert!(width(after) <= width(before));
    }

    #[test]
    fn removing_an_allow_never_widens(request in any_request(), statements in any_statements()) {
        let before = outcome(&request, vec![policy(&statements)]);
        let is_allow = |one: &Value| one.get("Effect").and_then(Value::as_str) == Some("Allow");
        for (index, _) in statements.iter().enumerate().filter(|(_, one)| is_allow(one)) {
            let mut fewer = statements.clone();
            fewer.remove(index);
            let identity = if fewer.is_empty() { Vec::new() } else { vec![policy(&fewer)] };
            prop_assert!(width(outcome(&request, identity)) <= width(before));
        }
    }

    #[test]
    fn a_deny_in_any_layer_never_widens(
        request in any_request(),
        layers in prop::collection::vec(any_statements(), 5),
        added in any_statement(),
        layer in 0_usize..6,
    ) {
        let everywhere = layered(&layers);
        let before = decide(&request, &everywhere).outcome;
        let deny = policy(&[effect(&added, "Deny")]);
        let mut after = everywhere;
        match layer {
            0 => after.identity.push(deny),
            1 => after.boundary.get_or_insert_default().push(deny),
            2 => after.session.get_or_insert_default().push(deny),
            3 => after.scp[0].push(deny),
            4 => after.rcp[0].push(deny),
            _ => after.endpoint.get_or_insert_default().push(deny),
        }
        prop_assert!(width(decide(&request, &after).outcome) <= width(before));
    }

    #[test]
    fn without_an_allow_in_any_layer_nothing_is_wider(
        request in any_request(),
        layers in prop::collection::vec(any_statements(), 5),
        layer in 0_usize..5,
    ) {
        let before = decide(&request, &layered(&layers)).outcome;
        let mut fewer = layers;
        // A layer of denials only is what is left when every grant is taken out.
        for statement in &mut fewer[layer] {
            if statement.get("Effect").and_then(Value::as_str) == Some("Allow") {
                *statement = value!({"Effect": "Allow", "Action": "none:none", "Resource": "*"});
            }
        }
        prop_assert!(width(decide(&request, &layered(&fewer)).outcome) <= width(before));
    }

    #[test]
    fn boundaries_and_sessions_never_widen(
        request in any_request(),
        statements in any_statements(),
        limit in any_statements(),
    ) {
        let free = PolicySet { identity: vec![policy(&statements)], ..PolicySet::default() };
        let before = decide(&request, &free).outcome;
        let bounded = PolicySet { boundary: Some(vec![policy(&limit)]), ..free.clone() };
        let in_session = PolicySet { session: Some(vec![policy(&limit)]), ..free };
        prop_assert!(width(decide(&request, &bounded).outcome) <= width(before));
        prop_assert!(width(decide(&request, &in_session).outcome) <= width(before));
    }

    #[test]
    fn a_substituted_value_is_never_a_wildcard(
        name in "[a-z*?$]{0,6}",
        asked in "[a-z*?]{0,6}",
    ) {
        let allow = value!({"Effect": "Allow", "Action": "iam:*",
            "Resource": "arn:aws:iam::123456789012:user/${aws:username}"});
        let like = value!({"Effect": "Allow", "Action": "iam:*", "Resource": "*",
            "Condition": {"StringLike": {"aws:SourceIdentity": "${aws:username}"}}});
        let resource = format!("arn:aws:iam::123456789012:user/{asked}");
        let context = Context::new()
            .with("aws:username", name.as_str())
            .with("aws:SourceIdentity", asked.as_str());
        let request = Request::new(alice(), "iam:GetUser", &resource, context);
        for statement in [allow, like] {
            let allowed = outcome(&request, vec![policy(&[statement])]) == Outcome::Allowed;
            prop_assert_eq!(allowed, name == asked);
        }
    }

    #[test]
    fn wildcards_agree_with_the_plain_definition(
        pattern in "[ab*?日]{0,8}",
        text in "[ab日]{0,10}",
    ) {
        fn slow(pattern: &[char], text: &[char]) -> bool {
            match pattern {
                [] => text.is_empty(),
                ['*', rest @ ..] => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
                ['?', rest @ ..] => !text.is_empty() && slow(rest, &text[1..]),
                [one, rest @ ..] => text.first() == Some(one) && slow(rest, &text[1..]),
            }
        }
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(wildcard_matches(&pattern, &text), slow(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn parsing_never_panics(text in "\\PC*") {
        for kind in [Kind::Identity, Kind::Managed, Kind::Trust, Kind::Resource] {
            let _ = Document::parse(&text, kind);
        }
    }

    #[test]
    fn parsing_of_nearly_policies_never_panics(
        text in r#"\{"Version":"2012-10-17","Statement":\[?\{("Effect":"Allow"|"Sid":[0-9"]{1,4}),
            "(Not)?Action":("[a-z:*]{0,6}"|\[\]|\{\}|null),"(Not)?Resource":"[arnws:*$\{\}]{0,20}",
            "Condition":\{"[A-Za-z:]{0,12}":\{?"a":(1|"\$\{a, 'b'\}"|\[true\])\}?\}\}\]?\}"#
    ) {
        for kind in [Kind::Identity, Kind::Managed, Kind::Trust, Kind::Resource] {
            if let Ok(document) = Document::parse(&text, kind) {
                let policies = PolicySet {
                    identity: vec![Policy::new("p", Arc::new(document))],
                    ..PolicySet::default()
                };
                decide(&Request::new(alice(), "a:b", "*", Context::new()), &policies);
            }
        }
    }
}
