//! State machines as they were read last: starting an execution needs one each time, and they
//! hardly change.

use std::sync::Arc;

use store::{Store, Table};
use value::Value;

use super::state_machines::StateMachine;
use super::{arn, error};
use crate::Error;
use crate::kept::Kept;

/// Machines by ARN.
#[derive(Default)]
pub(crate) struct KnownMachines {
    by_arn: Kept<String, Arc<Known>>,
}

/// A machine that is stored.
pub(super) struct Known {
    pub(super) machine: StateMachine,
    /// The same as it is stored.
    pub(super) record: Value,
}

impl KnownMachines {
    /// Returns a stored state machine.
    pub(super) fn find(&self, store: &Store, state_machine_arn: &str) -> Result<Arc<Known>, Error> {
        arn::resource(state_machine_arn, arn::Named::StateMachine)?;
        self.by_arn.get(store, state_machine_arn, || {
            let bytes = store
                .read(|tx| tx.get(Table::StateMachines, state_machine_arn))?
                .ok_or_else(|| error::state_machine_does_not_exist(state_machine_arn))?;
            let damaged = |err: &dyn std::fmt::Display| {
                Error::internal(&format!("the state machine {state_machine_arn} is damaged: {err}"))
            };
            let record = value::parse_bytes(&bytes).map_err(|err| damaged(&err))?;
            let machine = value::from_value(record.clone()).map_err(|err| damaged(&err))?;
            Ok(Arc::new(Known { machine, record }))
        })
    }
}
