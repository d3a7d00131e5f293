//! The one place where a call is allowed or refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use policy::{
    CallFacts, Document, Kind, Policy, PolicySet, Principal, PrincipalKind, Request, Transport,
};

use store::Store;

use crate::call::Origin;
use crate::decisions::Judged;
use crate::kept::Kept;
use crate::{Call, Check, Error, Reading, iam, sts};

/// How many compiled policies are kept; beyond that all are compiled anew.
const POLICIES_KEPT_MAX: usize = 10_000;

/// Compiled policies by kind and text.
#[derive(Default)]
pub(crate) struct Policies {
    compiled: Mutex<HashMap<(Kind, String), Arc<Document>>>,
    /// What speaks about callers without session policies, by unique id and ARN: a role made anew
    /// under the name of another has its ARN.
    of_callers: Kept<String, Arc<PolicySet>>,
    /// What some refusals carry.
    pub(crate) messages: sts::Messages,
    allowed: AtomicU64,
    denied: AtomicU64,
}

impl Policies {
    /// Returns a policy compiled. A stored text that is no policy (which cannot be stored through
    /// the API) allows nothing: it is an error, never an empty policy.
    fn compile(&self, kind: Kind, label: &str, text: &str) -> Result<Policy, Error> {
        let key = (kind, text.to_owned());
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = compiled.get(&key) {
            return Ok(Policy::new(label, document.clone()));
        }
        let document = Document::parse(text, kind).map_err(|err| {
            Error::internal(&format!("the stored policy {label} is malformed: {err}"))
        })?;
        let document = Arc::new(document);
        if compiled.len() >= POLICIES_KEPT_MAX {
            compiled.clear();
        }
        compiled.insert(key, document.clone());
        Ok(Policy::new(label, document))
    }

    /// Returns every policy that speaks about this caller.
    fn of_caller(&self, on: &Reading<'_>) -> Result<PolicySet, Error> {
        let principal = &on.call.principal;
        let stored = iam::policies_of_principal(on.store, principal)?;
        let mut set = PolicySet::default();
        for (label, text) in &stored.identity {
            set.identity.push(self.compile(Kind::Identity, label, text)?);
        }
        if let Some((label, text)) = &stored.boundary {
            set.boundary = Some(vec![self.compile(Kind::Boundary, label, text)?]);
        }
        if let Some(policies) = principal.session_policies() {
            let compiled = policies
                .iter()
                .map(|policy| self.compile(Kind::Session, &policy.label, &policy.document));
            set.session = Some(compiled.collect::<Result<_, _>>()?);
        }
        Ok(set)
    }

    /// Returns how many calls were allowed, and how many refused.
    pub(crate) fn decided(&self) -> (u64, u64) {
        (self.allowed.load(Ordering::Relaxed), self.denied.load(Ordering::Relaxed))
    }

    fn counted(&self, decided: Result<(), Error>) -> Result<(), Error> {
        let counter = if decided.is_ok() { &self.allowed } else { &self.denied };
        counter.fetch_add(1, Ordering::Relaxed);
        decided
    }

    /// Allows a call on what is committed, or says in AWS's words why not. Every check must be
    /// allowed. `on` reads from `store`.
    pub(crate) fn authorize_committed(
        &self,
        store: &Store,
        on: &Reading<'_>,
        service: &str,
        checks: &[Check],
    ) -> Result<(), Error> {
        if needs_no_policies(on, checks) {
            on.call.judgements.pass(checks);
            return self.counted(Ok(()));
        }
        let principal = &on.call.principal;
        // What speaks about a federated user depends on who gave the session out.
        let is_federated = matches!(principal.kind, PrincipalKind::FederatedUser { .. });
        let policies = if is_federated || principal.session_policies().is_some() {
            Arc::new(self.of_caller(on)?)
        } else {
            let caller = format!("{} {}", principal.user_id(), principal.arn());
            self.of_callers.get(store, caller.as_str(), || self.of_caller(on).map(Arc::new))?
        };
        self.counted(self.judge(on, service, checks, &policies))
    }

    /// Allows a call inside the transaction that makes the change, or says in AWS's words why not.
    /// Every check must be allowed.
    pub(crate) fn authorize(
        &self,
        on: &Reading<'_>,
        service: &str,
        checks: &[Check],
    ) -> Result<(), Error> {
        if needs_no_policies(on, checks) {
            on.call.judgements.pass(checks);
            return self.counted(Ok(()));
        }
        self.counted(self.judge(on, service, checks, &self.of_caller(on)?))
    }
}

fn needs_no_policies(on: &Reading<'_>, checks: &[Check]) -> bool {
    checks.is_empty() || matches!(on.call.principal.kind, PrincipalKind::Root)
}

impl Policies {
    /// The one judgement: every call of every caller comes here.
    fn judge(
        &self,
        on: &Reading<'_>,
        service: &str,
        checks: &[Check],
        policies: &PolicySet,
    ) -> Result<(), Error> {
        for check in checks {
            let request = request(on, check);
            let decision = match check.resource_policy {
                Some(text) => {
                    let resource = Some(self.compile(Kind::Resource, "resource policy", text)?);
                    policy::decide(&request, &PolicySet { resource, ..policies.clone() })
                }
                None => policy::decide(&request, policies),
            };
            let refused = (!decision.is_allowed()).then(|| {
                let err = Error::new(denial_code(service), refusal(on, check, &decision));
                self.messages.refusal(service, &request, &decision, err)
            });
            // What its resource grants nobody has to be granted.
            if check.resource_policy.is_none() || refused.is_some() {
                on.call.judgements.add(Judged::new(check, Some(decision)));
            }
            if let Some(err) = refused {
                return Err(err);
            }
        }
        Ok(())
    }
}

/// Returns what a refused caller is told; the log is told too.
fn refusal(on: &Reading<'_>, check: &Check, decision: &policy::Decision) -> String {
    let display = check.display.as_deref();
    let resource = display.or((check.resource != "*").then_some(&*check.resource));
    let caller = on.call.principal.arn();
    let text = policy::access_denied_text(&caller, &check.action, resource, decision);
    let (request_id, decision) = (&on.call.request_id, decision.outcome);
    tracing::info!(%request_id, ?decision, "{text}");
    text
}

/// Returns the code of a refusal: query services and JSON services spell it differently.
pub(crate) fn denial_code(service: &str) -> &'static str {
    match service {
        "iam" | "sts" | "cloudformation" => "AccessDenied",
        _ => "AccessDeniedException",
    }
}

fn request(on: &Reading<'_>, check: &Check) -> Request {
    let mut context = standard_context(on.call, &on.call.principal);
    for (key, values) in &check.context {
        context.set_list(key, values.iter().map(String::as_str));
    }
    Request::new(on.call.principal.clone(), &check.action, &check.resource, context)
}

/// Returns the condition keys that every call has; `principal` is who makes it.
pub(crate) fn standard_context(call: &Call, principal: &Principal) -> policy::Context {
    let mut facts = CallFacts {
        now_millis: call.now_millis,
        region: call.region.clone(),
        resource_account: Some(call.account().to_owned()),
        ..CallFacts::default()
    };
    match &call.from {
        Origin::Http { source_ip, user_agent } => {
            facts.source_ip = Some(source_ip.clone());
            facts.user_agent.clone_from(user_agent);
            facts.transport = Transport::Plain;
        }
        Origin::Service { source_arn } => {
            facts.source_arn = Some(source_arn.clone());
            facts.source_account = Some(call.account().to_owned());
        }
    }
    policy::standard_context(principal, &facts)
}
