//! In which accounts and regions an automation is to run: `TargetLocations`.
//!
//! AWS Systems Manager user guide, "Running automations in multiple AWS Regions and accounts" (read
//! 2026-11).
// DIFFERS: a server is one account in one region. The location that it is itself has an execution
// of its own, below one that stands for all; any other is refused. Without `ExecutionRoleName` and
// without a role of the runbook, that execution acts as its starter.

use value::Value;

use super::error;
use crate::{Error, Input, Reading};

/// Members of a location that ask for what is not there: refused by name, never ignored.
const NOT_AVAILABLE: [&str; 4] = [
    "Targets",
    "TargetLocationAlarmConfiguration",
    "TargetLocationMaxConcurrency",
    "TargetLocationMaxErrors",
];

/// Refuses every location that is not this account and region.
pub(super) fn check(on: &Reading<'_>, input: &Value) -> Result<(), Error> {
    let (account, region) = (on.call.account(), on.call.region.as_str());
    if 1 < input.list("TargetLocations").len() {
        let text = "Stepwell is one account in one region, so that it takes one location.";
        return Err(error::invalid_target(text));
    }
    for location in input.list("TargetLocations") {
        if let Some(member) = NOT_AVAILABLE.iter().find(|member| location.get(member).is_some()) {
            let text = format!("Stepwell takes no locations with {member}.");
            return Err(error::invalid_target(text));
        }
        for (member, own) in [("Accounts", account), ("Regions", region)] {
            let given = location.list(member);
            if given.is_empty() {
                return Err(error::invalid_target(format!("A location needs {member}.")));
            }
            let mut others = given.iter().filter_map(Value::as_str);
            if let Some(other) = others.find(|one| *one != own) {
                return Err(error::invalid_target(format!(
                    "Stepwell is the account {account} in {region}; {other} is elsewhere."
                )));
            }
        }
    }
    Ok(())
}

/// Returns the role that the location names.
pub(super) fn role(on: &Reading<'_>, input: &Value) -> Option<String> {
    let location = input.list("TargetLocations").first()?;
    let name = location.maybe_text("ExecutionRoleName")?;
    Some(on.call.global_arn("iam", &format!("role/{name}")))
}
