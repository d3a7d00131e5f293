//! Statements that give more than people think.

use super::statement::{Form, Statement};
use super::{Finding, Policy};
use crate::{Effect, Kind};

/// Checks what identity policies give away.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    let grants = match policy.kind {
        Kind::Identity | Kind::Managed => true,
        // A boundary, a session policy and a service control policy grant nothing by themselves.
        Kind::Boundary
        | Kind::Session
        | Kind::ServiceControl
        | Kind::ResourceControl
        | Kind::Resource
        | Kind::Trust => false,
    };
    if !grants {
        return;
    }
    for statement in policy.statements.iter().filter(|one| one.effect == Effect::Allow) {
        findings.extend(not_action(statement));
        findings.extend(pass_role(statement));
    }
}

fn on_everything(statement: &Statement<'_>) -> bool {
    let all = statement.resources.texts.iter().any(|entry| entry.text == "*");
    statement.resources.form == Form::AllBut || all
}

fn not_action(statement: &Statement<'_>) -> Option<Finding> {
    let open = statement.actions.form == Form::AllBut && on_everything(statement);
    let message = "`Allow` with `NotAction` grants every other action of every service, also of \
                   services yet to come";
    let finding = Finding::warning("ALLOW_NOT_ACTION", &statement.actions.place, message);
    open.then(|| finding.hint("list what is allowed, or deny the rest"))
}

fn pass_role(statement: &Statement<'_>) -> Option<Finding> {
    let entry = statement.actions.texts.iter().find(|entry| {
        let name = entry.text.to_lowercase();
        name.starts_with("iam:") && crate::wildcard_matches(&name, "iam:passrole")
    })?;
    // `iam:*` gives roles away in other ways too, and says so by itself.
    let named = entry.text.to_lowercase().starts_with("iam:p");
    let listed = statement.actions.form == Form::Listed;
    if !named || !listed || !on_everything(statement) || statement.is_conditional() {
        return None;
    }
    let message = "every role of the account can be handed to every service";
    let finding = Finding::warning("PASS_ANY_ROLE", &entry.place, message);
    Some(finding.hint("name the roles in `Resource`, the service in `iam:PassedToService`"))
}
