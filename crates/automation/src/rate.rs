//! Rate control: one execution for each of many targets, some at a time.
//!
//! AWS Systems Manager user guide, "Control automations at scale" (read 2026-11): the first target
//! alone, then twice as many at a time up to `MaxConcurrency`; after more failures than `MaxErrors`
//! no further target is begun, and those that run are let finish.

use serde::{Deserialize, Serialize};
use value::Value;

use crate::state::Status;

/// The most targets of one execution: 300 target maps, and 250 values of five `Targets`.
pub const TARGETS_MAX: usize = 300;

/// `MaxConcurrency` when the request does not say.
pub const MAX_CONCURRENCY_DEFAULT: &str = "10";

/// `MaxErrors` when the request does not say.
// UNVERIFIED: AWS names no default for Automation; Run Command has this one.
pub const MAX_ERRORS_DEFAULT: &str = "0";

/// What an execution over many targets is to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateControl {
    /// `TargetParameterName`.
    pub target_parameter_name: Option<String>,
    /// `Targets`, as they were given.
    pub targets: Value,
    /// `TargetMaps`, as they were given.
    pub target_maps: Value,
    /// `TargetLocations`, as they were given.
    #[serde(default)]
    pub target_locations: Value,
    /// `MaxConcurrency`: a number or a percentage.
    pub max_concurrency: String,
    /// `MaxErrors`: a number or a percentage.
    pub max_errors: String,
    /// What `Targets` or `TargetMaps` stand for.
    pub resolved: Vec<Target>,
}

/// One target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// `Target` of the child: the value of the target parameter, or the target map as JSON.
    pub name: String,
    /// The parameters that only this child has.
    pub parameters: Value,
}

impl RateControl {
    /// Returns how many children may run at once, at least one.
    pub(crate) fn concurrency(&self) -> usize {
        amount(&self.max_concurrency, self.resolved.len()).max(1)
    }

    /// Returns how many children may fail.
    pub(crate) fn errors_allowed(&self) -> usize {
        amount(&self.max_errors, self.resolved.len())
    }
}

/// Returns what a number or a percentage of all targets is.
// UNVERIFIED: that a fraction of a target is no target.
fn amount(text: &str, targets: usize) -> usize {
    match text.strip_suffix('%') {
        Some(percent) => percent.parse::<usize>().unwrap_or(0) * targets / 100,
        None => text.parse().unwrap_or(usize::MAX),
    }
}

/// The children of an execution over many targets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fleet {
    /// Those that were begun, in the order of their targets.
    pub(crate) children: Vec<ChildExecution>,
    /// How many may run at once so far.
    pub(crate) window: usize,
    /// How many have ended since the window last grew.
    pub(crate) ended: usize,
}

/// A child that was begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChildExecution {
    /// The id of the effect.
    pub(crate) id: u64,
    /// `AutomationExecutionId`.
    pub(crate) execution_id: String,
    /// `StepExecutionId` of the step that stands for it.
    pub(crate) step_id: String,
    pub(crate) status: Status,
    pub(crate) start_millis: i64,
    pub(crate) end_millis: Option<i64>,
    pub(crate) failure_message: Option<String>,
}

impl Fleet {
    /// Returns how many children have this status.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.children.iter().filter(|child| child.status == status).count()
    }

    /// Returns how many children have not ended.
    pub(crate) fn running(&self) -> usize {
        self.children.iter().filter(|child| !child.status.is_terminal()).count()
    }

    /// Returns how many children have gone wrong.
    // UNVERIFIED: that a child which somebody cancels is not an error.
    pub(crate) fn errors(&self) -> usize {
        self.count(Status::Failed) + self.count(Status::TimedOut)
    }

    /// Notes the end of a child; the window doubles when as many have ended as it lets run.
    pub(crate) fn widen(&mut self, concurrency: usize) {
        self.ended += 1;
        if self.window <= self.ended {
            self.window = (self.window * 2).min(concurrency);
            self.ended = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_or_a_part_of_all() {
        for (text, targets, expected) in
            [("3", 50, 3), ("10%", 50, 5), ("10%", 9, 0), ("100%", 7, 7), ("0", 7, 0)]
        {
            assert_eq!(amount(text, targets), expected, "{text} of {targets}");
        }
    }
}
