//! What came of an example.

use value::{Value, value};

/// What came of an example.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// `DescribeExecution`'s answer.
    pub(super) execution: Value,
    /// How it should have ended.
    pub(super) expected_status: String,
    /// The states, in order of their first entering.
    pub(super) states: Vec<StateRun>,
    /// The steps of the runbooks that it started, in order.
    pub(super) steps: Vec<StepRun>,
    /// What was checked afterwards.
    pub(super) checks: Vec<Checked>,
    /// How long it took, on the machine's clock.
    pub(super) wall_millis: u128,
}

/// A state, and how it went.
#[derive(Debug)]
pub(super) struct StateRun {
    pub(super) name: String,
    pub(super) kind: String,
    /// How often it was entered.
    pub(super) times: usize,
    /// How long it took altogether, in history.
    pub(super) seconds: f64,
}

/// A runbook's step, and how it went.
#[derive(Debug)]
pub(super) struct StepRun {
    pub(super) runbook: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) failure: Option<String>,
}

/// A claim, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) claim: String,
    pub(super) problem: Option<String>,
}

impl Outcome {
    /// Returns `SUCCEEDED`, `FAILED` …
    pub(super) fn status(&self) -> &str {
        self.text("status").unwrap_or("UNKNOWN")
    }

    /// Returns a text of the execution.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.execution.get(member).and_then(Value::as_str)
    }

    /// Returns whether all went as the example says.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.status() == self.expected_status
            && self.checks.iter().all(|check| check.problem.is_none())
    }

    /// Returns all of it, for programs.
    pub(crate) fn to_value(&self) -> Value {
        let states = self.states.iter().map(|state| {
            value!({
                "name": &state.name,
                "type": &state.kind,
                "times": state.times as f64,
                "seconds": state.seconds
            })
        });
        let steps = self.steps.iter().map(|step| {
            value!({"runbook": &step.runbook, "name": &step.name, "status": &step.status})
                .with_some("failure", step.failure.clone())
        });
        let checks = self.checks.iter().map(|check| {
            value!({"claim": &check.claim, "holds": check.problem.is_none()})
                .with_some("problem", check.problem.clone())
        });
        value!({
            "asExpected": self.is_as_expected(),
            "wallMillis": self.wall_millis as f64,
            "execution": self.execution.clone(),
            "states": states.collect::<Vec<Value>>(),
            "steps": steps.collect::<Vec<Value>>(),
            "checks": checks.collect::<Vec<Value>>()
        })
    }
}
