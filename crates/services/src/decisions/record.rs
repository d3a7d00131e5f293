//! One call and what was decided about it.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use policy::{Decision, Matched, Outcome, Principal, PrincipalKind, Reach};
use value::{Value, value};

use crate::{Answer, Call, Check, Input};

/// The condition key whose value a statement that allows iam:PassRole needs; that of no other is
/// recorded.
const PASSED_TO_SERVICE: &str = "iam:PassedToService";

/// What the operations begin with that begin a process.
const BEGINNING: [&str; 5] =
    ["Start", "CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"];

/// The errors of who is turned away before a policy is asked: there is no such role, or the token
/// vouches for nobody.
const REFUSALS: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredTokenException",
    "IDPRejectedClaim",
    "InvalidIdentityToken",
];

/// The questions of one call, as they are answered; whoever judges adds to them.
#[derive(Clone, Debug, Default)]
pub struct Judgements(Arc<Mutex<Option<Vec<Judged>>>>);

/// One question, and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    action: String,
    resource: String,
    /// How the service names the resource, where that is not its ARN.
    display: Option<String>,
    passed_to: Option<String>,
    /// Who asked, where that was not the caller: a service that assumes a role.
    asker: Option<Arc<Principal>>,
    /// None where no policy was asked.
    decision: Option<Decision>,
}

impl Judged {
    /// Returns what was decided about a check.
    pub(crate) fn new(check: &Check, decision: Option<Decision>) -> Judged {
        let passed_to = check.context.iter().find(|(key, _)| key == PASSED_TO_SERVICE);
        Judged {
            action: check.action.clone(),
            resource: check.resource.clone(),
            display: check.display.clone(),
            passed_to: passed_to.and_then(|(_, services)| services.first().cloned()),
            asker: None,
            decision,
        }
    }

    /// Returns this as the question of somebody else than the caller.
    pub(crate) fn asked_by(self, asker: Arc<Principal>) -> Judged {
        Judged { asker: Some(asker), ..self }
    }

    fn outcome(&self) -> Outcome {
        self.decision.as_ref().map_or(Outcome::Allowed, |decision| decision.outcome)
    }
}

impl Judgements {
    /// Adds an answer.
    pub(crate) fn add(&self, judged: Judged) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_default().push(judged);
    }

    /// Adds checks that were passed without asking a policy. What its resource grants nobody has to
    /// be granted.
    pub(crate) fn pass(&self, checks: &[Check]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.get_or_insert_default();
        let checks = checks.iter().filter(|check| check.resource_policy.is_none());
        all.extend(checks.map(|check| Judged::new(check, None)));
    }

    /// Returns the answers; none when nothing was asked.
    fn take(&self) -> Option<Vec<Judged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What is kept of a call while it is made.
pub(crate) struct Noting {
    request_id: String,
    millis: i64,
    principal: Arc<Principal>,
    region: String,
    process: Option<Arc<str>>,
    judgements: Judgements,
    service: Cow<'static, str>,
    operation: Cow<'static, str>,
}

/// A call that was allowed or refused.
pub(crate) struct Record {
    pub(super) request_id: String,
    pub(super) millis: i64,
    pub(super) principal: Arc<Principal>,
    pub(super) service: Cow<'static, str>,
    operation: Cow<'static, str>,
    pub(super) region: String,
    /// On whose behalf: `execution/ARN`, `automation/ID`, `stack/ID`, `rule/ARN`.
    pub(super) process: Option<Arc<str>>,
    /// The process that it began.
    pub(super) began: Option<String>,
    /// The code of the error that was answered.
    error: Option<Cow<'static, str>>,
    judged: Vec<Judged>,
    /// Whether it is in the store.
    pub(super) is_stored: AtomicBool,
}

impl Noting {
    /// Begins to note a call.
    pub(crate) fn of(
        call: &Call,
        service: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
    ) -> Noting {
        Noting {
            request_id: call.request_id.clone(),
            millis: call.now_millis,
            principal: call.principal.clone(),
            region: call.region.clone(),
            process: call.process.clone(),
            judgements: call.judgements.clone(),
            service: service.into(),
            operation: operation.into(),
        }
    }

    /// Returns the record of the call, once it is answered; none when it never came to a decision.
    pub(crate) fn answered(self, answer: &Answer) -> Option<Record> {
        let judged = self.judgements.take()?;
        let begins = BEGINNING.iter().any(|begin| self.operation.starts_with(begin));
        let began = answer.as_ref().ok().filter(|_| begins).and_then(began);
        Some(Record {
            request_id: self.request_id,
            millis: self.millis,
            principal: self.principal,
            service: self.service,
            operation: self.operation,
            region: self.region,
            process: self.process,
            began,
            error: answer.as_ref().err().map(|err| err.code.clone()),
            judged,
            is_stored: AtomicBool::new(false),
        })
    }
}

/// Returns the process that an answer tells of.
fn began(answer: &Value) -> Option<String> {
    let execution = || Some(format!("execution/{}", answer.maybe_text("executionArn")?));
    let automation = || Some(format!("automation/{}", answer.maybe_text("AutomationExecutionId")?));
    let stack = || Some(format!("stack/{}", answer.maybe_text("StackId")?));
    execution().or_else(automation).or_else(stack)
}

impl Record {
    #[cfg(test)]
    pub(super) fn example(millis: i64) -> Record {
        Record::example_of("execution/e", None, millis)
    }

    #[cfg(test)]
    pub(super) fn example_of(process: &str, began: Option<&str>, millis: i64) -> Record {
        let principal = Principal::assumed_role("1", "/", "r", "AROAR", "s");
        Record {
            request_id: millis.to_string(),
            millis,
            principal: Arc::new(principal),
            service: "iam".into(),
            operation: "GetUser".into(),
            region: "us-east-1".into(),
            process: Some(process.into()),
            began: began.map(str::to_owned),
            error: None,
            judged: vec![Judged::new(&Check::new("iam:GetUser", "arn:aws:iam::1:user/u"), None)],
            is_stored: AtomicBool::new(false),
        }
    }

    /// Returns what was decided: allowed only if every question was. Where none came to be asked,
    /// the answer says it.
    pub(super) fn outcome(&self) -> Outcome {
        let refused = self.judged.iter().map(Judged::outcome).find(|one| *one != Outcome::Allowed);
        let error = self.error.as_deref().unwrap_or_default();
        match refused {
            Some(outcome) => outcome,
            None if self.judged.is_empty() && REFUSALS.contains(&error) => Outcome::ImplicitDeny,
            None => Outcome::Allowed,
        }
    }

    /// Returns whether it outlives the process: what was refused, and what a process did.
    pub(super) fn is_worth_writing(&self) -> bool {
        self.process.is_some() || self.outcome() != Outcome::Allowed
    }

    /// Returns the action that the call itself is: `iam:GetUser`.
    pub(super) fn action(&self) -> Option<&str> {
        self.judged.first().map(|judged| &*judged.action)
    }

    /// Returns the record as it is stored and shown.
    pub(super) fn shown(&self) -> Value {
        let checks: Vec<Value> = self.judged.iter().map(|judged| self.check(judged)).collect();
        value!({
            "requestId": &self.request_id,
            "time": self.millis as f64 / 1000.0,
            "caller": self.principal.arn(),
            "principal": self.principal.iam_arn(),
            "service": &*self.service,
            "operation": &*self.operation,
            "region": &self.region,
        })
        .with_some("process", self.process.as_deref())
        .with_some("began", self.began.as_deref())
        .with_some("error", self.error.as_deref())
        .with("outcome", self.outcome().as_str())
        .with("checks", checks)
    }

    fn check(&self, judged: &Judged) -> Value {
        let asker = judged.asker.as_ref().unwrap_or(&self.principal);
        // iam:PassRole is no call: it is asked when a role is handed on.
        let name = judged.action.split_once(':').map_or("", |(_, name)| name);
        let is_call = judged.asker.is_none() && name.eq_ignore_ascii_case(&self.operation);
        let shown = value!({
            "action": &judged.action,
            "resource": &judged.resource,
            "isCall": is_call,
            "outcome": judged.outcome().as_str(),
        })
        .with_some("display", judged.display.as_deref())
        .with_some("passedTo", judged.passed_to.as_deref())
        .with_some("asker", judged.asker.as_ref().map(|asker| asker.arn()));
        let Some(decision) = &judged.decision else {
            let is_root = matches!(asker.kind, PrincipalKind::Root);
            return shown.with("because", if is_root { "root" } else { "open" });
        };
        let reach = match decision.reach {
            Reach::SameAccount => "sameAccount",
            Reach::CrossAccount => "crossAccount",
        };
        let layers: Vec<Value> = decision
            .layers
            .iter()
            .map(|one| value!({ "layer": one.layer.as_str(), "outcome": one.outcome.as_str() }))
            .collect();
        let lacking =
            policy::remedies(asker, &judged.action, judged.passed_to.as_deref(), decision);
        let add: Vec<Value> = lacking
            .into_iter()
            .map(|remedy| {
                value!({ "layer": remedy.layer.as_str(), "statement": (remedy.statement) })
            })
            .collect();
        shown
            .with("reach", reach)
            .with_some("blockedBy", decision.blocked_by.map(policy::Layer::as_str))
            .with("layers", layers)
            .with("matched", decision.matched.iter().map(matched).collect::<Vec<Value>>())
            .with(
                "missingContext",
                decision.missing_context.iter().map(|key| Value::from(&**key)).collect::<Vec<_>>(),
            )
            .with_some("add", Some(add).filter(|add| !add.is_empty()))
    }
}

fn matched(matched: &Matched) -> Value {
    let effect = match matched.effect {
        policy::Effect::Allow => "Allow",
        policy::Effect::Deny => "Deny",
    };
    value!({
        "layer": matched.layer.as_str(),
        "policy": &*matched.policy,
        "statement": matched.index,
        "effect": effect,
        "line": matched.span.start.line,
        // AWS's columns stand behind the brace they speak of.
        "column": matched.span.start.column.saturating_sub(1),
    })
    .with_some("sid", matched.sid.as_deref())
}
