//! Limits that protect the server, AWS's quotas unless the operator says otherwise.
//!
//! Limits that an engine applies (25,000 history events, 256 KiB of state data) are not among them:
//! an execution that is replayed after a restart must come to the same end as before it.

use execution::PAYLOAD_BYTES_MAX;
use runtime::EXPRESS_UNDER_WAY_MAX;

/// The largest definition of a state machine, in bytes (Step Functions quotas, "Maximum state
/// machine definition size").
const DEFINITION_BYTES_MAX: usize = 1024 * 1024;
/// How many STANDARD executions may be open at once (Step Functions quotas, "Maximum open
/// executions").
const OPEN_EXECUTIONS_MAX: usize = 1_000_000;
/// How many automations may be open at once: 100 that run and 1,000 that wait for them to end
/// (Systems Manager quotas, "Concurrently running automations", "Automation queue size").
const OPEN_AUTOMATIONS_MAX: usize = 1_100;
/// More executions than any machine holds.
const EXECUTIONS_CONCEIVABLE: usize = 100_000_000;

/// The limits of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an execution's input.
    pub execution_input_bytes: usize,
    /// Bytes of a definition.
    pub definition_bytes: usize,
    /// STANDARD executions that have not ended.
    pub open_executions: usize,
    /// EXPRESS executions under way.
    pub express_executions: usize,
    /// Automations that have not ended.
    pub open_automations: usize,
}

/// One limit, as the command line knows it.
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// What it bounds, and what is answered beyond it.
    pub about: &'static str,
    /// What it may be set to at most.
    pub max: usize,
    field: fn(&mut Limits) -> &mut usize,
}

/// Every limit.
pub const LIMITS: &[Limit] = &[
    Limit {
        name: "execution-input-bytes",
        about: "input of an execution; InvalidExecutionInput",
        // More would only fail in the first state.
        max: PAYLOAD_BYTES_MAX,
        field: |limits| &mut limits.execution_input_bytes,
    },
    Limit {
        name: "definition-bytes",
        about: "definition of a state machine; InvalidDefinition",
        // What the API's model and the compiler take.
        max: DEFINITION_BYTES_MAX,
        field: |limits| &mut limits.definition_bytes,
    },
    Limit {
        name: "open-executions",
        about: "STANDARD executions that have not ended; ExecutionLimitExceeded",
        max: EXECUTIONS_CONCEIVABLE,
        field: |limits| &mut limits.open_executions,
    },
    Limit {
        name: "express-executions",
        about: "EXPRESS executions under way on a node; ExecutionLimitExceeded",
        max: EXECUTIONS_CONCEIVABLE,
        field: |limits| &mut limits.express_executions,
    },
    Limit {
        name: "open-automations",
        about: "automations that have not ended; AutomationExecutionLimitExceededException",
        max: EXECUTIONS_CONCEIVABLE,
        field: |limits| &mut limits.open_automations,
    },
];

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            execution_input_bytes: PAYLOAD_BYTES_MAX,
            definition_bytes: DEFINITION_BYTES_MAX,
            open_executions: OPEN_EXECUTIONS_MAX,
            express_executions: EXPRESS_UNDER_WAY_MAX,
            open_automations: OPEN_AUTOMATIONS_MAX,
        }
    }
}

impl Limit {
    /// Returns what the limit is in `limits`.
    pub fn of(&self, mut limits: Limits) -> usize {
        *(self.field)(&mut limits)
    }
}

impl Limits {
    /// Sets one limit, written `NAME=VALUE`.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, number) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
        let limit = LIMITS
            .iter()
            .find(|limit| limit.name == name)
            .ok_or_else(|| format!("there is no limit `{name}`"))?;
        match number.replace('_', "").parse::<usize>() {
            Ok(number) if number <= limit.max => *(limit.field)(self) = number,
            Ok(_) | Err(_) => return Err(format!("`{name}` is a number from 0 to {}", limit.max)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_name_and_within_its_bounds() {
        let mut limits = Limits::default();
        limits.set("open-executions=2_000_000").unwrap();
        limits.set("definition-bytes=100").unwrap();
        assert_eq!((limits.open_executions, limits.definition_bytes), (2_000_000, 100));
        for wrong in
            ["", "open-executions", "open=1", "definition-bytes=-1", "definition-bytes=9e9"]
        {
            assert!(limits.set(wrong).is_err(), "{wrong}");
        }
        assert!(limits.set("execution-input-bytes=262145").is_err());
        let defaults: Vec<usize> = LIMITS.iter().map(|limit| limit.of(Limits::default())).collect();
        assert_eq!(defaults, [262_144, 1_048_576, 1_000_000, 10_000, 1_100]);
    }
}
