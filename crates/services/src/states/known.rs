//! State machines as they were read last: starting an execution needs one each time, and they
//! hardly change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use store::{Read, Table};
use value::Value;

use super::state_machines::StateMachine;
use super::{arn, error};
use crate::Error;

/// How many machines are kept; beyond that all are read anew.
const KNOWN_MAX: usize = 4_096;

/// Machines by ARN.
#[derive(Default)]
pub(crate) struct KnownMachines {
    by_arn: Mutex<HashMap<String, Arc<Known>>>,
}

/// A machine, and the bytes it was read from.
pub(super) struct Known {
    bytes: Vec<u8>,
    pub(super) machine: StateMachine,
    /// The same as it is stored.
    pub(super) record: Value,
}

impl KnownMachines {
    /// Returns a stored state machine.
    pub(super) fn find(
        &self,
        store: &dyn Read,
        state_machine_arn: &str,
    ) -> Result<Arc<Known>, Error> {
        arn::resource(state_machine_arn, arn::Named::StateMachine)?;
        let bytes = store
            .get(Table::StateMachines, state_machine_arn)?
            .ok_or_else(|| error::state_machine_does_not_exist(state_machine_arn))?;
        let mut by_arn = self.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
        // INVARIANT: what is stored decides; what is known only saves reading it again.
        if let Some(known) = by_arn.get(state_machine_arn)
            && known.bytes == bytes
        {
            return Ok(known.clone());
        }
        let damaged = |err: &dyn std::fmt::Display| {
            Error::internal(&format!("the state machine {state_machine_arn} is damaged: {err}"))
        };
        let record = value::parse_bytes(&bytes).map_err(|err| damaged(&err))?;
        let machine = value::from_value(record.clone()).map_err(|err| damaged(&err))?;
        let known = Arc::new(Known { bytes, machine, record });
        if by_arn.len() >= KNOWN_MAX {
            by_arn.clear();
        }
        by_arn.insert(state_machine_arn.to_owned(), known.clone());
        Ok(known)
    }
}
