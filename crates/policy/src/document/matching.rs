//! Whether a statement speaks of a request.

use std::sync::Arc;

use super::{PrincipalPattern, Scope, Selector, Statement};
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

/// What is asked of statements: one action on one resource by one caller.
pub(crate) struct Asked<'r> {
    pub(crate) principal: &'r Principal,
    /// The caller's own ARN, the ARN of the role behind it, and its unique id.
    pub(crate) arn: &'r str,
    pub(crate) iam_arn: &'r str,
    pub(crate) user_id: &'r str,
    /// In lower case.
    pub(crate) action: &'r str,
    pub(crate) resource: &'r str,
    pub(crate) context: &'r Context,
}

impl Statement {
    /// Returns how closely the statement names the caller of a request that it matches; `None`
    /// when it does not match. A statement without `Principal` names whom it is attached to.
    ///
    /// Keys the conditions ask for in vain are given to `missing`.
    pub(crate) fn matches(&self, asked: &Asked<'_>, missing: &mut Vec<Arc<str>>) -> Option<Grade> {
        if !self.actions.selects(|pattern| pattern.matches(asked.action, &Context::EMPTY)) {
            return None;
        }
        let on_resource = self.resources.as_ref().is_none_or(|resources| {
            resources.selects(|pattern| pattern.matches(asked.resource, asked.context))
        });
        if !on_resource {
            return None;
        }
        let grade = self.grade(asked)?;
        for key in self.conditions.iter().filter_map(|one| one.missing_key(asked.context)) {
            if !missing.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                missing.push(key.into());
            }
        }
        let holds = self.conditions.iter().all(|condition| condition.holds(asked.context));
        holds.then_some(grade)
    }

    fn grade(&self, asked: &Asked<'_>) -> Option<Grade> {
        let Some(principals) = &self.principals else {
            return Some(Grade::Direct);
        };
        let named = principals.patterns.iter().filter_map(|pattern| pattern.grade(asked)).max();
        match principals.scope {
            Scope::Listed => named,
            Scope::AllButListed => named.is_none().then_some(Grade::Direct),
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
    fn grade(&self, asked: &Asked<'_>) -> Option<Grade> {
        let when = |matched: bool, grade| matched.then_some(grade);
        match self {
            PrincipalPattern::Everyone => Some(Grade::Direct),
            PrincipalPattern::Account(account) => {
                let grade = match asked.principal.kind {
                    PrincipalKind::Root => Grade::Direct,
                    PrincipalKind::User { .. }
                    | PrincipalKind::AssumedRole { .. }
                    | PrincipalKind::FederatedUser { .. }
                    | PrincipalKind::Service { .. }
                    | PrincipalKind::Anonymous => Grade::Account,
                };
                when(**account == asked.principal.account, grade)
            }
            PrincipalPattern::Arn(arn) if **arn == *asked.arn => Some(Grade::Direct),
            PrincipalPattern::Arn(arn) => when(**arn == *asked.iam_arn, Grade::Role),
            PrincipalPattern::UniqueId(id) => match asked.user_id.split_once(':') {
                Some((role_id, _)) => when(**id == *role_id, Grade::Role),
                None => when(**id == *asked.user_id, Grade::Direct),
            },
            PrincipalPattern::Service(service) => match &asked.principal.kind {
                PrincipalKind::Service { name } => when(**service == **name, Grade::Direct),
                PrincipalKind::Root
                | PrincipalKind::User { .. }
                | PrincipalKind::AssumedRole { .. }
                | PrincipalKind::FederatedUser { .. }
                | PrincipalKind::Anonymous => None,
            },
            PrincipalPattern::Federated(_) | PrincipalPattern::CanonicalUser(_) => None,
        }
    }
}
