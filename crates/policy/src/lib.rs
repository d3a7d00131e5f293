//! The IAM policy language: documents, conditions, decisions with reasons.
//!
//! What it is: everything that says yes or no in Stepwell. [`Document`] is a checked and compiled
//! policy, [`Principal`] is who calls, [`Request`] is what they want, [`PolicySet`] holds the
//! policies that apply, layer by layer, and [`decide`] gives a [`Decision`] with its reasons.
//! [`access_denied_text`] is the one place where a refusal becomes AWS's words, [`actions`] the
//! table of what each action works on, [`lint`] finds what is allowed and probably not meant.
//!
//! What it is not: a store of policies, users or roles, or a check that they exist; callers bring
//! compiled documents and the facts of the call.
//!
//! ```
//! use std::sync::Arc;
//! use policy::{Context, Document, Kind, Policy, PolicySet, Principal, Request};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": [
//!     {"Effect": "Allow", "Action": "iam:*AccessKey*",
//!      "Resource": "arn:aws:iam::*:user/${aws:username}"},
//!     {"Sid": "Keep", "Effect": "Deny", "Action": "iam:DeleteAccessKey", "Resource": "*",
//!      "Condition": {"Null": {"aws:MultiFactorAuthAge": "true"}}}]}"#;
//! let document = Arc::new(Document::parse(text, Kind::Identity).unwrap());
//! let policies =
//!     PolicySet { identity: vec![Policy::new("OwnKeys", document)], ..PolicySet::default() };
//!
//! let alice = Principal::user("123456789012", "/", "alice", "AIDA1");
//! let resource = alice.arn();
//! let context = Context::new().with("aws:username", "alice");
//! let decision =
//!     policy::decide(&Request::new(alice, "iam:DeleteAccessKey", &resource, context), &policies);
//! assert_eq!(decision.outcome, policy::Outcome::ExplicitDeny);
//! assert_eq!(decision.matched[0].sid.as_deref(), Some("Keep"));
//! ```
//!
//! May depend on: `value`. It reads no clock, no file and no environment.

pub mod actions;
pub mod lint;

mod arn;
mod conditions;
mod context;
mod decision;
mod denial;
mod document;
mod evaluate;
mod pattern;
mod principal;
mod remedy;
mod request;
mod standard_context;
mod time;

pub use arn::{Arn, NotAnArn};
pub use context::Context;
pub use decision::{Decision, Layer, LayerOutcome, Matched, Outcome, Reach};
pub use denial::access_denied_text;
pub use document::{
    Document, Effect, Kind, Malformed, POLICY_BYTES_MAX, Position, PrincipalPattern, Span,
    Statement,
};
pub use evaluate::{decide, decide_any};
pub use pattern::{Version, wildcard_matches};
pub use principal::{
    FederatingUser, IdentityProvider, Principal, PrincipalKind, Session, SessionPolicy,
};
pub use remedy::{Remedy, remedies};
pub use request::{Policy, PolicySet, Request};
pub use standard_context::{CallFacts, Transport, standard_context};
