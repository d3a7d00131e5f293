//! Policy documents: what cannot be read allows nothing, what only limits gives nothing, and a
//! refusal stands whatever a document says.
//!
//! The first letter says where the document is put, the rest is its text.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use policy::{
    Context, Document, Effect, Kind, Outcome, Policy, PolicySet, Principal, Request, decide, lint,
};

const KINDS: [Kind; 8] = [
    Kind::Identity,
    Kind::Managed,
    Kind::Boundary,
    Kind::Session,
    Kind::Resource,
    Kind::Trust,
    Kind::ServiceControl,
    Kind::ResourceControl,
];

fuzz_target!(|given: &str| {
    let Some(letter) = given.chars().next() else { return };
    let (kind, text) = (KINDS[letter as usize % KINDS.len()], &given[letter.len_utf8()..]);
    if let Ok(json) = value::parse(text) {
        lint::lint(&json, kind).iter().for_each(|finding| assert!(!finding.message.is_empty()));
    }
    let document = match Document::parse(text, kind) {
        Ok(document) => document,
        // Nothing can be decided with it: there is no document.
        Err(fault) => {
            assert!(!fault.message.is_empty() && !fault.detail.is_empty());
            return;
        }
    };
    let grants = document.statements().iter().any(|one| one.effect() == Effect::Allow);
    let policy = Policy::new("f", Arc::new(document));
    for request in requests() {
        holds(kind, &policy, grants, &request);
    }
});

fn requests() -> [Request; 3] {
    let context = || {
        Context::new()
            .with("aws:username", "alice")
            .with("aws:SourceIp", "10.1.2.3")
            .with("aws:CurrentTime", "2026-11-25T00:00:00Z")
            .with("aws:MultiFactorAuthAge", "30")
            .with("saml:sub", "*")
            .with_list("aws:TagKeys", ["a".to_owned(), "${b}".to_owned()])
    };
    let alice = Principal::user("123456789012", "/", "alice", "AIDA1");
    let role = Principal::assumed_role("123456789012", "/ops/", "Deleter", "AROA1", "run-1");
    let user = "arn:aws:iam::123456789012:user/alice";
    let bucket = "arn:aws:s3:::bucket/key";
    let trusted = "arn:aws:iam::123456789012:role/r";
    [
        Request::new(alice, "iam:GetUser", user, context()),
        Request::new(role, "s3:GetObject", bucket, context()),
        Request::new(Principal::anonymous(), "sts:AssumeRole", trusted, context()),
    ]
}

/// Returns a policy that does this to everything.
fn all(effect: &str) -> Policy {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"*","Resource":"*"}}}}"#
    );
    Policy::new(effect, Arc::new(Document::parse(&text, Kind::Identity).expect("a policy")))
}

/// Puts a document where documents of its kind belong.
fn with(kind: Kind, policy: &Policy, identity: Vec<Policy>) -> PolicySet {
    let (rest, policy) = (PolicySet { identity, ..PolicySet::default() }, policy.clone());
    match kind {
        Kind::Identity | Kind::Managed => {
            let identity = [rest.identity.clone(), vec![policy]].concat();
            PolicySet { identity, ..rest }
        }
        Kind::Boundary => PolicySet { boundary: Some(vec![policy]), ..rest },
        Kind::Session => PolicySet { session: Some(vec![policy]), ..rest },
        Kind::Resource | Kind::Trust => PolicySet { resource: Some(policy), ..rest },
        Kind::ServiceControl => PolicySet { scp: vec![vec![policy]], ..rest },
        Kind::ResourceControl => PolicySet { rcp: vec![vec![policy]], ..rest },
    }
}

fn holds(kind: Kind, policy: &Policy, grants: bool, request: &Request) {
    let alone = decide(request, &with(kind, policy, Vec::new()));
    assert_eq!(alone, decide(request, &with(kind, policy, Vec::new())), "not the same twice");
    assert!(grants || !alone.is_allowed(), "nothing in it allows anything");
    let only_limits = match kind {
        Kind::Identity | Kind::Managed | Kind::Resource | Kind::Trust => false,
        Kind::Boundary | Kind::Session | Kind::ServiceControl | Kind::ResourceControl => true,
    };
    assert!(!(only_limits && alone.is_allowed()), "what only limits gave something");
    // A refusal of everything stands, wherever identity policies are asked.
    let refusing = vec![all("Allow"), all("Deny")];
    let plain = PolicySet { identity: refusing.clone(), ..PolicySet::default() };
    if decide(request, &plain).outcome == Outcome::ExplicitDeny {
        let beside = decide(request, &with(kind, policy, refusing));
        assert_eq!(beside.outcome, Outcome::ExplicitDeny, "a refusal fell");
    }
}
