//! State machines as they were read last: starting an execution needs one each time, and they
//! hardly change.

use std::sync::Arc;

use store::{Store, Table};
use value::Value;

use super::arn::{self, Qualifier};
use super::state_machines::{StateMachine, find_active};
use super::versions::Version;
use super::{aliases, error, versions};
use crate::Error;
use crate::kept::Kept;

/// Machines and versions by ARN.
#[derive(Default)]
pub(crate) struct KnownMachines {
    by_arn: Kept<String, Arc<Known>>,
    aliases: Kept<String, Arc<aliases::Alias>>,
}

/// A machine that is stored, or a version of one.
pub(super) struct Known {
    pub(super) machine: StateMachine,
    /// The same as executions keep it.
    pub(super) record: Value,
}

/// What an ARN leads to.
pub(super) struct Routed {
    /// The machine as it is, or as it was when the version was published.
    pub(super) known: Arc<Known>,
    /// The version, if it is one.
    pub(super) version_arn: Option<String>,
    /// The alias that led there.
    pub(super) alias_arn: Option<String>,
}

impl KnownMachines {
    /// Returns what the ARN of a state machine, a version or an alias leads to; `draw` decides
    /// between the versions of an alias.
    pub(super) fn find(&self, store: &Store, arn: &str, draw: u64) -> Result<Routed, Error> {
        let found = arn::qualified(arn)?;
        match found.qualifier {
            None => {
                let known = self.by_arn.get(store, arn, || machine(store, arn))?;
                Ok(Routed { known, version_arn: None, alias_arn: None })
            }
            Some(Qualifier::Version(_)) => {
                let known = self.by_arn.get(store, arn, || version(store, arn))?;
                Ok(Routed { known, version_arn: Some(arn.to_owned()), alias_arn: None })
            }
            Some(Qualifier::Alias(_)) => {
                let alias = self.aliases.get(store, arn, || {
                    let alias = store.read(|tx| aliases::load(tx, arn))?;
                    // UNVERIFIED: AWS's answer to the name of no alias.
                    alias.map(Arc::new).ok_or_else(|| error::state_machine_does_not_exist(arn))
                })?;
                let version_arn = alias.version(draw).to_owned();
                let known =
                    self.by_arn.get(store, &*version_arn, || version(store, &version_arn))?;
                let (version_arn, alias_arn) = (Some(version_arn), Some(arn.to_owned()));
                Ok(Routed { known, version_arn, alias_arn })
            }
        }
    }
}

fn machine(store: &Store, arn: &str) -> Result<Arc<Known>, Error> {
    let bytes = store.read(|tx| tx.get(Table::StateMachines, arn))?;
    let bytes = bytes.ok_or_else(|| error::state_machine_does_not_exist(arn))?;
    let damaged = |err: &dyn std::fmt::Display| {
        Error::internal(&format!("the state machine {arn} is damaged: {err}"))
    };
    let stored = value::parse_bytes(&bytes).map_err(|err| damaged(&err))?;
    let machine: StateMachine = value::from_value(stored).map_err(|err| damaged(&err))?;
    if machine.is_deleting {
        // Whether it is over changes with its executions: nothing to be remembered.
        store.read(|tx| find_active(tx, arn))?;
    }
    known(machine)
}

fn known(machine: StateMachine) -> Result<Arc<Known>, Error> {
    let record = value::to_value(&machine).map_err(|err| Error::internal(&err))?;
    Ok(Arc::new(Known { machine, record }))
}

fn version(store: &Store, arn: &str) -> Result<Arc<Known>, Error> {
    let found = store.read(|tx| versions::find_by_arn(tx, arn))?;
    let Version { machine, .. } = found.ok_or_else(|| error::state_machine_does_not_exist(arn))?;
    known(machine)
}
