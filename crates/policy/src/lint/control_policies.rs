//! What resource control policies may say: less than others.
//!
//! AWS page: "Resource control policies (RCPs)" (Organizations User Guide, read 2026-11-25).

use value::Value;

use super::statement::Form;
use super::{Finding, Policy};
use crate::{Effect, Kind};

/// Checks the rules that only resource control policies have.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    if policy.kind != Kind::ResourceControl {
        return;
    }
    for statement in &policy.statements {
        let mut refuse = |member: &str, message: &str| {
            let place = statement.place.member(member);
            findings.push(Finding::error("RESOURCE_CONTROL_POLICY", &place, message));
        };
        if statement.effect == Effect::Allow {
            refuse("Effect", "a resource control policy can only deny");
        }
        if statement.json.get("Principal").and_then(Value::as_str) != Some("*") {
            refuse(
                "Principal",
                "a resource control policy speaks of everyone: `\"Principal\": \"*\"`",
            );
        }
        if statement.actions.form == Form::AllBut {
            refuse("NotAction", "a resource control policy lists its actions in `Action`");
        }
        if statement.actions.texts.iter().any(|entry| entry.text == "*") {
            refuse("Action", "a resource control policy names the service of each action");
        }
    }
}
