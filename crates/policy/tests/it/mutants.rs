//! Documents and requests that were damaged: whatever comes, there is an answer.
//!
//! `STEPWELL_MUTANTS=1000000 cargo test -p policy mutants` looks longer.

use std::sync::Arc;

use policy::{
    Arn, Context, Document, Kind, Outcome, Policy, PolicySet, Principal, Request, decide, lint,
};

use crate::shorthand::{document, run_of_deleter, statement};

const MUTANTS: u64 = 6_000;
const MUTATIONS_MAX: u64 = 3;
/// The longest piece that one mutation moves, in characters.
const PIECE_MAX: u64 = 16;

const DOCUMENTS: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":["s3:Get*","sts:?"],"NotResource":"arn:aws:s3:::b/${aws:username, 'x'}/*"}}"#,
    r#"{"Version":"2008-10-17","Id":"日本","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*","${aws:PrincipalTag/Team}"]}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/${aws:username}","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":3600},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::/0"]},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},"Null":{"aws:TokenIssueTime":"true"}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:role/ops/Deleter"],"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:states:*:123456789012:*"},"StringEquals":{"sts:ExternalId":"e"}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:sts::123456789012:assumed-role/Deleter/run-1"},"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]},{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":true},"BinaryEquals":{"k:b":"QQ=="}}}]}"#,
];

const TOKENS: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "*",
    "?",
    "${",
    "}",
    "${*}",
    "null",
    "true",
    "0",
    "-1e9",
    "\"Allow\"",
    "\"Deny\"",
    "\"Effect\":",
    "\"Principal\":\"*\",",
    "\"Action\":",
    "\\u0000",
    "\u{0}",
    "é",
    "😀",
    "\\",
    "arn:aws:",
    "::",
    "ForAnyValue:",
    "IfExists",
    "Null",
    "aws:username",
    "2012-10-17",
    "/",
    "'",
    " ",
    "\n",
    "Not",
];

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

const ACTIONS: &[&str] = &[
    "iam:GetUser",
    "s3:GetObject",
    "sts:AssumeRole",
    "a:b",
    "",
    ":",
    "*",
    "sts:GetCallerIdentity",
    "İ:é",
];
const RESOURCES: &[&str] = &[
    "*",
    "",
    "arn:aws:iam::123456789012:user/bob",
    "arn:aws:s3:::b/x",
    "arn:::::",
    ":::::::",
    "arn:aws:iam::123456789012:role/ops/Deleter",
    "arn:aws:kms:::key/*",
    "日本",
];

/// Numbers by chance from a seed, the same on every run.
struct Dice(u64);

impl Dice {
    /// Returns a number from 0 up to, not including, `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.roll(below as u64)).unwrap()
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.index(from.len())]
    }
}

fn mutant(dice: &mut Dice, from: &[&str]) -> String {
    let mut text: Vec<char> = dice.pick(from).chars().collect();
    for _ in 0..=dice.roll(MUTATIONS_MAX) {
        let at = dice.index(text.len() + 1);
        let end = (at + dice.index(usize::try_from(PIECE_MAX).unwrap())).min(text.len());
        match dice.roll(4) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                let to = dice.index(text.len() + 1);
                text.splice(to..to, piece);
            }
            2 => drop(text.splice(at..at, dice.pick(TOKENS).chars())),
            _ => {
                let other: Vec<char> = dice.pick(from).chars().collect();
                let start = dice.index(other.len() + 1);
                let piece: Vec<char> = other.into_iter().skip(start).take(end - at).collect();
                drop(text.splice(at..end, piece));
            }
        }
    }
    text.into_iter().collect()
}

fn request(dice: &mut Dice) -> Request {
    let principal = match dice.roll(5) {
        0 => Principal::root("123456789012"),
        1 => Principal::service("states.amazonaws.com"),
        2 => Principal::anonymous(),
        3 => Principal::user("123456789012", "/", &mutant(dice, &["alice"]), "AIDA"),
        _ => run_of_deleter(),
    };
    let context = Context::new()
        .with("aws:username", mutant(dice, &["alice", "*"]))
        .with("aws:SourceIp", mutant(dice, &["10.1.2.3", "::1"]))
        .with("aws:CurrentTime", mutant(dice, &["2026-11-25T00:00:00Z"]))
        .with_list("aws:TagKeys", [mutant(dice, &["a"]), mutant(dice, &["b"])]);
    let (action, resource) = (dice.pick(ACTIONS), dice.pick(RESOURCES));
    let (action, resource) = match dice.roll(2) {
        0 => (action.to_owned(), resource.to_owned()),
        _ => (mutant(dice, ACTIONS), mutant(dice, RESOURCES)),
    };
    let request = Request::new(principal, &action, &resource, context);
    if dice.roll(3) == 0 { request.in_account("210987654321") } else { request }
}

/// Puts a document where documents of its kind belong.
fn policies(kind: Kind, policy: Policy, rest: PolicySet) -> PolicySet {
    match kind {
        Kind::Identity | Kind::Managed => PolicySet { identity: vec![policy], ..rest },
        Kind::Boundary => PolicySet { boundary: Some(vec![policy]), ..rest },
        Kind::Session => PolicySet { session: Some(vec![policy]), ..rest },
        Kind::Resource | Kind::Trust => PolicySet { resource: Some(policy), ..rest },
        Kind::ServiceControl => PolicySet { scp: vec![vec![policy]], ..rest },
        Kind::ResourceControl => PolicySet { rcp: vec![vec![policy]], ..rest },
    }
}

/// How often each property had something to say.
#[derive(Debug, Default)]
struct Tally {
    compiled: u64,
    allowed: u32,
    /// Requests that a limit was put on and that were not allowed without it.
    kept_out: u32,
    /// Requests that were allowed, until a refusal came beside what allowed them.
    refused: u32,
}

impl Tally {
    /// Asks everything that must hold of a document in its place.
    fn check(&mut self, text: &str, kind: Kind, parsed: &Policy, request: &Request) {
        let identity = |effect: &str, action: &str| {
            let statement = statement(effect, action, "*");
            Policy::new("i", document(Kind::Identity, &statement))
        };
        let granting = |identity| PolicySet { identity, ..PolicySet::default() };
        let (open, little) = (identity("Allow", "*"), identity("Allow", "s3:Get*"));
        let free = granting(vec![open.clone()]);
        let set = policies(kind, parsed.clone(), free.clone());
        let decision = decide(request, &set);
        assert_eq!(decision, decide(request, &set), "{text}: not the same twice");
        self.allowed += u32::from(decision.is_allowed());
        // A layer that only limits gives nothing that was not there.
        let limits = !matches!(kind, Kind::Identity | Kind::Managed | Kind::Resource | Kind::Trust);
        let before = granting(vec![little]);
        if limits && !decide(request, &before).is_allowed() {
            let limited = policies(kind, parsed.clone(), before);
            assert!(!decide(request, &limited).is_allowed(), "{text} widens {request:?}");
            self.kept_out += 1;
        }
        if matches!(kind, Kind::Identity | Kind::Managed) {
            return;
        }
        // Whatever it says, a refusal in another layer stands, although that layer grants all
        // besides; only an outsider has no identity.
        let refusing = granting(vec![open, identity("Deny", "*")]);
        if decide(request, &refusing).outcome == Outcome::ExplicitDeny {
            let outcome = decide(request, &policies(kind, parsed.clone(), refusing)).outcome;
            assert_eq!(outcome, Outcome::ExplicitDeny, "{text} against {request:?}");
            self.refused += u32::from(decide(request, &free).is_allowed());
        }
    }
}

#[test]
fn damaged_documents_and_requests_never_panic_and_never_widen() {
    let rounds = std::env::var("STEPWELL_MUTANTS").ok().and_then(|text| text.parse().ok());
    let mut dice = Dice(20_261_125);
    let mut tally = Tally::default();
    for _ in 0..rounds.unwrap_or(MUTANTS) {
        let text = mutant(&mut dice, DOCUMENTS);
        // Half of the documents are where their form belongs, so that many of them compile.
        let kind = match (dice.roll(2), text.contains("rincipal"), text.contains("sts:Ass")) {
            (0, true, true) => Kind::Trust,
            (0, true, false) => Kind::Resource,
            (0, false, _) => Kind::Identity,
            _ => KINDS[dice.index(KINDS.len())],
        };
        if let Ok(json) = value::parse(&text) {
            for finding in lint::lint(&json, kind) {
                assert!(!finding.message.is_empty(), "{text}");
            }
        }
        let parsed = match Document::parse(&text, kind) {
            Ok(parsed) => Policy::new("m", Arc::new(parsed)),
            Err(fault) => {
                assert!(!fault.message.is_empty() && !fault.detail.is_empty(), "{text}");
                continue;
            }
        };
        tally.compiled += 1;
        for statement in parsed.document.statements() {
            assert!(statement.span().start.line <= statement.span().end.line, "{text}");
        }
        tally.check(&text, kind, &parsed, &request(&mut dice));
    }
    // Each property met what it speaks of: nothing was allowed in vain.
    assert!(tally.compiled > MUTANTS / 30, "{tally:?}");
    assert!(tally.allowed > 20, "{tally:?}");
    assert!(tally.kept_out > 20, "{tally:?}");
    assert!(tally.refused > 20, "{tally:?}");
}

#[test]
fn damaged_arns_are_read_or_refused() {
    let mut dice = Dice(7);
    for _ in 0..MUTANTS {
        let text = mutant(&mut dice, RESOURCES);
        if let Ok(arn) = text.parse::<Arn>() {
            assert_eq!(arn.to_string(), text);
        }
    }
}
