//! Policy documents: checked once, compiled once.

mod check;
mod compile;
mod matching;
mod places;
mod resource_format;

use std::fmt;
use std::sync::Arc;

use crate::Version;
use crate::conditions::Condition;
use crate::pattern::Pattern;

pub(crate) use matching::{Asked, BoundaryState, Caller, Grade};

/// How long a policy text may be. AWS's limits are lower and belong to the calls that store
/// policies; the largest of AWS's own managed policies has 150,000 bytes.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// What a policy document is for; each kind has its own grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An inline policy of a user, group or role, or one given to the policy simulator.
    Identity,
    /// A managed policy: as `Identity`, but it must say version 2012-10-17.
    Managed,
    /// A permissions boundary, which is a managed policy.
    Boundary,
    /// A session policy.
    Session,
    /// A policy of a resource, or of a VPC endpoint.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

/// A policy document, ready for decisions.
///
/// ```
/// use policy::{Document, Kind};
///
/// let text = r#"{"Version": "2012-10-17",
///   "Statement": {"Sid": "Read", "Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}}"#;
/// let document = Document::parse(text, Kind::Identity).unwrap();
/// let statement = &document.statements()[0];
/// assert_eq!(statement.sid(), Some("Read"));
/// assert_eq!(statement.span().start.line, 2);
///
/// let fault = Document::parse("no policy", Kind::Trust).unwrap_err();
/// assert_eq!(fault.message, "This policy contains invalid Json");
/// ```
#[derive(Debug)]
pub struct Document {
    kind: Kind,
    version: Version,
    id: Option<Arc<str>>,
    statements: Vec<Statement>,
}

/// One statement of a document.
#[derive(Debug)]
pub struct Statement {
    sid: Option<Arc<str>>,
    index: usize,
    span: Span,
    reported_start: Position,
    effect: Effect,
    principals: Option<Selector<PrincipalPattern>>,
    actions: Selector<Pattern>,
    /// What the listed actions begin with, `iam:` and the like: most statements are passed over by
    /// a look at this. `None` where a wildcard stands for a service.
    action_services: Option<Vec<Box<str>>>,
    /// Absent where the document hangs on one resource: trust and some resource policies.
    resources: Option<Selector<Pattern>>,
    conditions: Vec<Condition>,
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It refuses, whatever else grants.
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`, `Principal` or `NotPrincipal`.
#[derive(Debug)]
struct Selector<T> {
    scope: Scope,
    patterns: Vec<T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Listed,
    AllButListed,
}

/// One entry of a `Principal` element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalPattern {
    /// `*`
    Everyone,
    /// An account, given by its number or as its root ARN.
    Account(Arc<str>),
    /// A user, role or session.
    Arn(Arc<str>),
    /// The unique id that the ARN of a deleted user or role turns into.
    UniqueId(Arc<str>),
    /// A service principal.
    Service(Arc<str>),
    /// An identity provider.
    Federated(Arc<str>),
    /// A canonical user id of S3.
    CanonicalUser(Arc<str>),
}

/// A place in a policy text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters.
    pub column: usize,
}

/// From where to where a statement stands.
///
/// AWS's columns count from 1 and stand behind the brace they speak of: a statement whose `{` is
/// the first character of a text starts at column 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Behind the opening brace.
    pub start: Position,
    /// Behind the closing brace.
    pub end: Position,
}

/// Why a policy document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// AWS's text for the error `MalformedPolicyDocument`.
    pub message: String,
    /// What is wrong in more words than AWS's, for people.
    pub detail: String,
    /// The first character of what is wrong: the fault in the JSON, else the statement.
    pub position: Option<Position>,
    /// The place of the faulty statement among the statements, from 0.
    pub statement: Option<usize>,
}

impl Document {
    /// Checks and compiles a policy text.
    ///
    /// # Errors
    /// The first fault, in AWS's order of checks and AWS's words.
    pub fn parse(text: &str, kind: Kind) -> Result<Document, Malformed> {
        let json = check::document(text, kind)?;
        Ok(compile::document(&json, &places::statements(text), kind))
    }

    /// Returns what the document is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the language version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the `Id` element.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns the statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns the entries of all `Principal` and `NotPrincipal` elements, so that the keeper of a
    /// policy can check that they exist.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalPattern> {
        let selectors =
            self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        selectors.flat_map(|selector| &selector.patterns)
    }

    /// Returns the condition keys and policy variables the document asks for, as
    /// `GetContextKeysForCustomPolicy` lists them.
    pub fn context_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let mut note = |key: &str| {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                keys.push(key.to_owned());
            }
        };
        for statement in &self.statements {
            for pattern in statement.resources.iter().flat_map(|selector| &selector.patterns) {
                pattern.variables().for_each(&mut note);
            }
            for condition in &statement.conditions {
                note(condition.written_key());
                condition.variables().for_each(&mut note);
            }
        }
        keys
    }
}

impl Statement {
    /// Returns the statement id.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Returns the place among the statements, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns where the statement stands in the text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns where the policy simulator says that the statement starts: in a list behind what
    /// stands before it, the bracket or the statement before.
    pub fn reported_start(&self) -> Position {
        self.reported_start
    }

    /// Returns what the statement does.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn shared_sid(&self) -> Option<Arc<str>> {
        self.sid.clone()
    }
}

impl PrincipalPattern {
    /// Returns AWS's text for `MalformedPolicyDocument` when there is no such principal.
    pub fn refusal(&self) -> String {
        let (kind, name) = match self {
            PrincipalPattern::Everyone => ("AWS", "*"),
            PrincipalPattern::Account(name)
            | PrincipalPattern::Arn(name)
            | PrincipalPattern::UniqueId(name) => ("AWS", &**name),
            PrincipalPattern::Service(name) => ("SERVICE", &**name),
            PrincipalPattern::Federated(name) => ("FEDERATED", &**name),
            PrincipalPattern::CanonicalUser(name) => ("CANONICALUSER", &**name),
        };
        format!("Invalid principal in policy: \"{kind}\":\"{name}\"")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}
