//! Versions: numbered snapshots of state machines that never change.
//!
//! AWS Step Functions API reference, "PublishStateMachineVersion"; developer guide, "State machine
//! versions in Step Functions workflows" (both read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};
use value::{Value, value};

use super::arn::{self, Qualifier};
use super::state_machines::{StateMachine, find_active, page_of};
use super::{aliases, definition_uses, error};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many versions a state machine may have (Step Functions quotas).
const VERSIONS_MAX: usize = 1_000;
/// What names the revision of a state machine that was never updated.
const INITIAL_REVISION: &str = "INITIAL";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "PublishStateMachineVersion", checks: may_publish, run: Run::Write(publish) },
    Operation { name: "ListStateMachineVersions", checks: may_list, run: Run::Read(list) },
    Operation { name: "DeleteStateMachineVersion", checks: may_delete, run: Run::Write(delete) },
];

/// A version as it is stored, by its machine's ARN and its number, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) description: Option<String>,
    pub(super) creation_millis: i64,
    /// The state machine as it was.
    pub(super) machine: StateMachine,
}

impl Version {
    pub(super) fn arn(&self) -> String {
        format!("{}:{}", self.machine.arn, self.number)
    }
}

/// Returns the key of a version: the newest sorts first.
fn key(machine_arn: &str, number: u32) -> String {
    format!("{machine_arn}:{:010}", u32::MAX - number)
}

/// Returns the ARN of the version that a machine was created with.
pub(super) fn first_arn(machine: &StateMachine) -> String {
    format!("{}:1", machine.arn)
}

/// Returns a stored version.
fn load(store: &dyn Read, machine_arn: &str, number: u32) -> Result<Option<Version>, Error> {
    Ok(store.load(Table::StateMachineVersions, &key(machine_arn, number))?)
}

/// Returns the version that a version's ARN names, if there is one.
pub(super) fn find_by_arn(store: &dyn Read, version_arn: &str) -> Result<Option<Version>, Error> {
    let found = arn::qualified(version_arn)?;
    match found.qualifier {
        Some(Qualifier::Version(number)) => load(store, found.machine, number),
        Some(Qualifier::Alias(_)) | None => Ok(None),
    }
}

/// Publishes what a state machine is now, unless that has been done; saves neither more nor less
/// than the version and the number in the machine.
pub(super) fn publish_current(
    on: &mut Writing<'_>,
    machine: &mut StateMachine,
    description: Option<&str>,
) -> Result<Version, Error> {
    if let Some(number) = machine.published
        && let Some(known) = load(on.store.as_read(), &machine.arn, number)?
    {
        return Ok(known);
    }
    let prefix = format!("{}:", machine.arn);
    let scan = Scan::prefix(&prefix).limit(VERSIONS_MAX);
    if on.store.scan(Table::StateMachineVersions, scan)?.len() == VERSIONS_MAX {
        // UNVERIFIED: AWS's wording.
        let text = format!("State machine versions limit of {VERSIONS_MAX} exceeded");
        return Err(Error::new("ServiceQuotaExceededException", text));
    }
    machine.last_version += 1;
    machine.published = Some(machine.last_version);
    let version = Version {
        number: machine.last_version,
        description: description.map(str::to_owned),
        creation_millis: on.call.now_millis,
        machine: machine.clone(),
    };
    let key = key(&machine.arn, version.number);
    on.store.save(Table::StateMachineVersions, &key, &version)?;
    definition_uses::adopt(on.store, &machine.definition)?;
    definition_uses::take(on.store, &machine.definition, &version.arn(), &machine.arn)?;
    on.store.save(Table::StateMachines, &machine.arn, machine)?;
    Ok(version)
}

/// Removes every version of a state machine.
pub(super) fn remove_all(
    store: &mut dyn Transaction,
    machine_arn: &str,
    now_millis: i64,
) -> Result<(), Error> {
    let prefix = format!("{machine_arn}:");
    let scan = Scan::prefix(&prefix).limit(VERSIONS_MAX);
    let rows: Vec<(String, Version)> = store.load_all(Table::StateMachineVersions, scan)?;
    for (_, version) in rows {
        remove(store, &version, now_millis)?;
    }
    Ok(())
}

fn remove(store: &mut dyn Transaction, version: &Version, now_millis: i64) -> Result<(), Error> {
    let Version { number, machine, .. } = version;
    definition_uses::let_go(store, &machine.definition, &version.arn(), now_millis)?;
    store.delete(Table::StateMachineVersions, &key(&machine.arn, *number))?;
    Ok(())
}

/// Refuses a version's description where no version is asked for.
pub(super) fn check_description(input: &Value) -> Result<(), Error> {
    if input.get("versionDescription").is_some() && !input.flag("publish") {
        let text = "Version description can only be set when publish is true";
        return Err(error::validation(text));
    }
    Ok(())
}

fn may_publish(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineArn")?;
    Ok(vec![arn::check("states:PublishStateMachineVersion", arn)])
}

fn publish(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut machine = find_active(on.store.as_read(), input.text("stateMachineArn")?)?;
    let revision = machine.revision_id.as_deref().unwrap_or(INITIAL_REVISION);
    if input.maybe_text("revisionId").is_some_and(|asked| asked != revision) {
        // UNVERIFIED: AWS's wording.
        let text = format!(
            "The specified revisionId does not match the current revision of the state machine: \
             {revision}"
        );
        return Err(error::conflict(text));
    }
    let version = publish_current(on, &mut machine, input.maybe_text("description"))?;
    Ok(described(&version))
}

fn described(version: &Version) -> Value {
    value!({
        "stateMachineVersionArn": version.arn(),
        "creationDate": version.creation_millis as f64 / 1000.0,
    })
}

fn may_list(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineArn")?;
    Ok(vec![arn::check("states:ListStateMachineVersions", arn)])
}

/// The newest first. A machine that does not exist has no versions, and that is no error: the API
/// names none for it.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let machine_arn = arn::qualified(input.text("stateMachineArn")?)?.machine;
    let (after, limit) = page_of(input)?;
    let prefix = format!("{machine_arn}:");
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, Version)> = on.store.load_all(Table::StateMachineVersions, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    let versions: Value = page.items.iter().map(described).collect();
    Ok(value!({ "stateMachineVersions": versions }).with_some("nextToken", page.next))
}

fn may_delete(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineVersionArn")?;
    Ok(vec![arn::check("states:DeleteStateMachineVersion", arn)])
}

/// Deletes a version; deleting one that does not exist succeeds (recorded). Executions that were
/// started from it go on, and their descriptions with them.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let version_arn = input.text("stateMachineVersionArn")?;
    let found = arn::qualified(version_arn)?;
    let Some(Qualifier::Version(number)) = found.qualifier else {
        // UNVERIFIED: AWS's wording.
        return Err(error::invalid_arn("stateMachine"));
    };
    let pointing = aliases::pointing_to(on.store.as_read(), found.machine, version_arn)?;
    if !pointing.is_empty() {
        let text = format!(
            "Version to be deleted must not be referenced by an alias. Current list of aliases \
             referencing this version: [{}]",
            pointing.join(", ")
        );
        return Err(error::conflict(text));
    }
    if let Some(version) = load(on.store.as_read(), found.machine, number)? {
        remove(on.store, &version, on.call.now_millis)?;
    }
    Ok(Value::object())
}
