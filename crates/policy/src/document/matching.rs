//! Whether a statement speaks of a request.

use std::cell::OnceCell;
use std::sync::Arc;

use super::{Effect, PrincipalPattern, Scope, Selector, Statement};
use crate::{Context, Principal, PrincipalKind};

/// How closely a `Principal` element names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// The account: it may grant on, through its identity policies.
    Account,
    /// The role behind a session: granted, within boundary and session policy.
    Role,
    /// The caller or everyone: granted, whatever boundary and session policy leave unsaid.
    Direct,
}

/// A caller under all the names a policy may know it by; most policies ask for none of them.
pub(crate) struct Caller<'r> {
    pub(crate) principal: &'r Principal,
    pub(crate) boundary: BoundaryState,
    arn: OnceCell<String>,
    iam_arn: OnceCell<String>,
    user_id: OnceCell<String>,
}

/// Whether a caller has a permissions boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BoundaryState {
    Set,
    Unset,
}

impl<'r> Caller<'r> {
    pub(crate) fn new(principal: &'r Principal, boundary: BoundaryState) -> Caller<'r> {
        let (arn, iam_arn, user_id) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Caller { principal, boundary, arn, iam_arn, user_id }
    }

    fn arn(&self) -> &str {
        self.arn.get_or_init(|| self.principal.arn())
    }

    fn iam_arn(&self) -> &str {
        self.iam_arn.get_or_init(|| self.principal.iam_arn())
    }

    fn user_id(&self) -> &str {
        self.user_id.get_or_init(|| self.principal.user_id())
    }
}

/// What is asked of statements: one action on one resource by one caller.
pub(crate) struct Asked<'r> {
    pub(crate) caller: &'r Caller<'r>,
    /// In lower case.
    pub(crate) action: &'r str,
    pub(crate) resource: &'r str,
    pub(crate) context: &'r Context,
}

impl Statement {
    /// Returns how closely the statement names the caller of a request that it matches; `None`
    /// when it does not match. A statement without `Principal` names whom it is attached to.
    ///
    /// Keys that conditions and variables ask for in vain are given to `missing`.
    pub(crate) fn matches(&self, asked: &Asked<'_>, missing: &mut Vec<Arc<str>>) -> Option<Grade> {
        let services = self.action_services.as_ref();
        if services.is_some_and(|them| !them.iter().any(|one| asked.action.starts_with(&**one))) {
            return None;
        }
        if !self.actions.selects(|pattern| pattern.matches(asked.action, &Context::EMPTY)) {
            return None;
        }
        let on_resource = self.resources.as_ref().is_none_or(|resources| {
            resources.selects(|pattern| pattern.matches(asked.resource, asked.context))
        });
        if !on_resource {
            let resources = self.resources.iter().flat_map(|resources| &resources.patterns);
            resources.flat_map(|one| one.unresolved(asked.context)).for_each(|key| {
                note(missing, key);
            });
            return None;
        }
        let grade = self.grade(asked.caller)?;
        for condition in &self.conditions {
            condition.missing_keys(asked.context).for_each(|key| note(missing, key));
        }
        let holds = self.conditions.iter().all(|condition| condition.holds(asked.context));
        holds.then_some(grade)
    }

    fn grade(&self, caller: &Caller<'_>) -> Option<Grade> {
        let Some(principals) = &self.principals else {
            return Some(Grade::Direct);
        };
        let patterns = &principals.patterns;
        let named = || patterns.iter().filter_map(|pattern| pattern.grade(caller)).max();
        match (principals.scope, self.effect) {
            (Scope::Listed, _) => named(),
            (Scope::AllButListed, Effect::Deny) => {
                let spared =
                    caller.boundary == BoundaryState::Unset && caller.is_wholly_listed(patterns);
                (!spared).then_some(Grade::Direct)
            }
            // DIFFERS: AWS no longer takes `Allow` with `NotPrincipal`; where it stands, naming the
            // account is enough to be left out.
            (Scope::AllButListed, Effect::Allow) => named().is_none().then_some(Grade::Direct),
        }
    }
}

fn note(missing: &mut Vec<Arc<str>>, key: &str) {
    if !missing.iter().any(|known| known.eq_ignore_ascii_case(key)) {
        missing.push(key.into());
    }
}

impl Caller<'_> {
    /// Returns whether a `NotPrincipal` of a `Deny` leaves the caller out.
    ///
    /// AWS checks the account, then the role, then the session: each must be listed. And a caller
    /// with a permissions boundary is denied, whatever is listed.
    fn is_wholly_listed(&self, listed: &[PrincipalPattern]) -> bool {
        let has = |wanted: &dyn Fn(&PrincipalPattern) -> bool| listed.iter().any(wanted);
        if has(&|one| *one == PrincipalPattern::Everyone) {
            return true;
        }
        let account = || has(&|one| one.is_account(&self.principal.account));
        let arn = |arn: &str| {
            has(&|one| matches!(one, PrincipalPattern::Arn(listed) if **listed == *arn))
        };
        match &self.principal.kind {
            PrincipalKind::Root => account(),
            PrincipalKind::User { .. } | PrincipalKind::FederatedUser { .. } => {
                account() && arn(self.arn())
            }
            PrincipalKind::AssumedRole { .. } => {
                account() && arn(self.iam_arn()) && arn(self.arn())
            }
            PrincipalKind::Service { .. } => has(&|one| one.grade(self).is_some()),
            PrincipalKind::Anonymous => false,
        }
    }
}

impl<T> Selector<T> {
    fn selects(&self, matches: impl Fn(&T) -> bool) -> bool {
        let listed = self.patterns.iter().any(matches);
        match self.scope {
            Scope::Listed => listed,
            Scope::AllButListed => !listed,
        }
    }
}

impl PrincipalPattern {
    fn is_account(&self, number: &str) -> bool {
        matches!(self, PrincipalPattern::Account(account) if **account == *number)
    }

    /// Returns how closely this entry names a caller.
    fn grade(&self, caller: &Caller<'_>) -> Option<Grade> {
        let when = |matched: bool, grade| matched.then_some(grade);
        // Services and anonymous callers have no ARN and no id that a policy could name.
        let in_account = !caller.principal.account.is_empty();
        match self {
            PrincipalPattern::Everyone => Some(Grade::Direct),
            PrincipalPattern::Account(_) => {
                let grade = match caller.principal.kind {
                    PrincipalKind::Root => Grade::Direct,
                    PrincipalKind::User { .. }
                    | PrincipalKind::AssumedRole { .. }
                    | PrincipalKind::FederatedUser { .. }
                    | PrincipalKind::Service { .. }
                    | PrincipalKind::Anonymous => Grade::Account,
                };
                when(in_account && self.is_account(&caller.principal.account), grade)
            }
            PrincipalPattern::Arn(arn) if in_account => {
                if **arn == *caller.arn() {
                    return Some(Grade::Direct);
                }
                when(**arn == *caller.iam_arn(), Grade::Role)
            }
            PrincipalPattern::UniqueId(id) if in_account => {
                match caller.user_id().split_once(':') {
                    Some((role_id, _)) => when(**id == *role_id, Grade::Role),
                    None => when(**id == *caller.user_id(), Grade::Direct),
                }
            }
            PrincipalPattern::Service(service) => match &caller.principal.kind {
                PrincipalKind::Service { name } => when(**service == **name, Grade::Direct),
                PrincipalKind::Root
                | PrincipalKind::User { .. }
                | PrincipalKind::AssumedRole { .. }
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::Anonymous => None,
            },
            // Only for the call that opens the session: afterwards the caller is the role.
            PrincipalPattern::Federated(provider) => {
                let is_outside = caller.principal.kind == PrincipalKind::Anonymous;
                let vouched_for = caller.principal.provider_arn() == Some(&**provider);
                when(is_outside && vouched_for, Grade::Direct)
            }
            PrincipalPattern::Arn(_)
            | PrincipalPattern::UniqueId(_)
            | PrincipalPattern::CanonicalUser(_) => None,
        }
    }
}
