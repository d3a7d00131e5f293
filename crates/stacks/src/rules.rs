//! The `Rules` section: assertions about parameters, checked before anything is done.
//!
//! AWS page: "CloudFormation template Rules syntax" (read 2026-11-24).
// DIFFERS: Fn::RefAll, Fn::ValueOf and Fn::ValueOfAll, which ask about other services' parameters,
// are refused.

use value::Value;

use crate::Error;
use crate::intrinsics::Scope;

/// Checks the assertions of every rule whose `RuleCondition` holds.
pub(crate) fn check(scope: &Scope<'_>) -> Result<(), Error> {
    for (name, rule) in scope.template.section("Rules") {
        let applies = rule.get("RuleCondition").map_or(Ok(true), |c| scope.condition(c));
        if !applies.map_err(Error::Parameters)? {
            continue;
        }
        let Some(assertions) = rule.get("Assertions").and_then(Value::as_array) else {
            return Err(Error::format(format!("[/Rules/{name}] must contain Assertions")));
        };
        for assertion in assertions {
            let assert = assertion.get("Assert").unwrap_or(&Value::Null);
            if !scope.condition(assert).map_err(Error::Parameters)? {
                return Err(Error::Parameters(failure(name, assertion)));
            }
        }
    }
    Ok(())
}

// UNVERIFIED: AWS's words around the description.
fn failure(name: &str, assertion: &Value) -> String {
    match assertion.get("AssertDescription").and_then(Value::as_str) {
        Some(description) => description.to_owned(),
        None => format!("Rule {name} failed"),
    }
}
