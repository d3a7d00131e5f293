//! State machines: CreateStateMachine and its kin.
//!
//! AWS Step Functions API reference, "CreateStateMachine" (read 2026-11).

use runtime::definition_key;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::configuration::{
    encryption, is_no_logging, is_no_tracing, is_own_key, is_zero, logging, no_logging, no_tracing,
    own_key, tracing,
};
use super::versions::{self, Version};
use super::{arn, definition_uses, definitions, deletion, error};
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, ids, roles};

/// The longest name of a state machine or an execution, in characters.
const NAME_CHARACTERS_MAX: usize = 80;
/// How many items a page has when the caller does not say (`maxResults` 0 is the same).
const PAGE_ITEMS_DEFAULT: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateStateMachine", checks: may_create, run: Run::Write(create) },
    Operation { name: "DescribeStateMachine", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "UpdateStateMachine", checks: may_update, run: Run::Write(update) },
    Operation { name: "ListStateMachines", checks: may_list, run: Run::Read(list) },
];

/// A state machine as it is stored, by ARN. Every execution keeps a copy: what is as usual is left
/// out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateMachine {
    #[serde(rename = "stateMachineArn")]
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) r#type: String,
    /// Key of the text in `Table::Definitions`.
    pub(super) definition: String,
    pub(super) role_arn: String,
    #[serde(default = "no_logging", skip_serializing_if = "is_no_logging")]
    pub(super) logging_configuration: Value,
    #[serde(default = "no_tracing", skip_serializing_if = "is_no_tracing")]
    pub(super) tracing_configuration: Value,
    #[serde(default = "own_key", skip_serializing_if = "is_own_key")]
    pub(super) encryption_configuration: Value,
    pub(super) creation_millis: i64,
    pub(super) update_millis: i64,
    /// Absent until the first update, as on AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revision_id: Option<String>,
    /// The version that is what the machine is now, if it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published: Option<u32>,
    /// The number of the latest version, which is never given again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) last_version: u32,
    /// The description of the version that was asked for with the machine; none asked, none here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_version: Option<FirstVersion>,
    /// Whether it only waits for its executions to end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_deleting: bool,
}

/// The version that a machine was created with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FirstVersion {
    pub(super) description: Option<String>,
}

/// Returns a stored state machine; the ARN of a version or an alias names none.
pub(super) fn find(store: &dyn Read, state_machine_arn: &str) -> Result<StateMachine, Error> {
    arn::qualified(state_machine_arn)?;
    let found: Option<StateMachine> = store.load(Table::StateMachines, state_machine_arn)?;
    match found {
        Some(machine) if !deletion::is_over(store, &machine)? => Ok(machine),
        Some(_) | None => Err(error::state_machine_does_not_exist(state_machine_arn)),
    }
}

/// Returns a stored state machine that is not being deleted.
pub(super) fn find_active(
    store: &dyn Read,
    state_machine_arn: &str,
) -> Result<StateMachine, Error> {
    let machine = find(store, state_machine_arn)?;
    deletion::refuse(&machine)?;
    Ok(machine)
}

/// Refuses names that AWS refuses: empty, over 80 characters, with blanks, brackets, wildcards,
/// punctuation of its list, or control characters.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let forbidden = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(letter)
            || ('\u{fffe}'..='\u{ffff}').contains(&letter)
    };
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARACTERS_MAX || name.contains(forbidden) {
        return Err(error::invalid_name(name));
    }
    Ok(())
}

/// Refuses a role that is no ARN, or that a state machine cannot assume.
fn check_role(on: &Reading<'_>, role_arn: &str, state_machine_arn: &str) -> Result<(), Error> {
    if !role_arn.starts_with("arn:") || !role_arn.contains(":role/") {
        return Err(error::invalid_role_arn(role_arn));
    }
    roles::check_assumable(on, role_arn, "states.amazonaws.com", state_machine_arn)
        .map_err(|_| error::role_not_assumable())
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = on.call.regional_arn("states", &format!("stateMachine:{}", input.text("name")?));
    let role = input.text("roleArn")?;
    Ok(vec![
        Check::new("states:CreateStateMachine", arn),
        Check::pass_role(role, "states.amazonaws.com"),
    ])
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let text = input.text("definition")?;
    let mut machine = requested(on, input)?;
    let mut existing: Option<StateMachine> = on.store.load(Table::StateMachines, &machine.arn)?;
    if let Some(over) = &existing
        && deletion::is_over(on.store.as_read(), over)?
    {
        deletion::remove(on.store, over, on.call.now_millis)?;
        existing = None;
    }
    if let Some(existing) = existing {
        deletion::refuse(&existing)?;
        return if existing.is_same_request(&machine) {
            let version = existing.first_version.as_ref().map(|_| versions::first_arn(&existing));
            Ok(created(&existing).with_some("stateMachineVersionArn", version))
        } else {
            Err(error::state_machine_already_exists(&machine.arn))
        };
    }
    definition_uses::keep(on.store, &machine.definition, text)?;
    definition_uses::take(on.store, &machine.definition, &machine.arn, &machine.arn)?;
    on.store.save(Table::StateMachines, &machine.arn, &machine)?;
    super::tags::add(on.store, &machine.arn, input.list("tags"))?;
    let answer = created(&machine);
    if !input.flag("publish") {
        return Ok(answer);
    }
    let description = input.maybe_text("versionDescription");
    let version = versions::publish_current(on, &mut machine, description)?;
    Ok(answer.with("stateMachineVersionArn", version.arn()))
}

/// Checks a request for a state machine and returns the machine.
fn requested(on: &Writing<'_>, input: &Value) -> Result<StateMachine, Error> {
    let (name, text) = (input.text("name")?, input.text("definition")?);
    let role_arn = input.text("roleArn")?;
    check_name(name)?;
    let machine_type = input.maybe_text("type").unwrap_or("STANDARD");
    definitions::check(on.call, text, machine_type)?;
    versions::check_description(input)?;
    let logging_configuration = logging(on.store.as_read(), input)?;
    let encryption_configuration = encryption(input)?;
    let arn = on.call.regional_arn("states", &format!("stateMachine:{name}"));
    check_role(&on.reading(), role_arn, &arn)?;
    let first_version = input.flag("publish").then(|| FirstVersion {
        description: input.maybe_text("versionDescription").map(str::to_owned),
    });
    Ok(StateMachine {
        arn,
        name: name.to_owned(),
        r#type: machine_type.to_owned(),
        definition: definition_key(text),
        role_arn: role_arn.to_owned(),
        logging_configuration,
        tracing_configuration: tracing(input),
        encryption_configuration,
        creation_millis: on.call.now_millis,
        update_millis: on.call.now_millis,
        revision_id: None,
        published: None,
        last_version: 0,
        first_version,
        is_deleting: false,
    })
}

fn created(machine: &StateMachine) -> Value {
    value!({
        "stateMachineArn": &machine.arn,
        "creationDate": machine.creation_millis as f64 / 1000.0,
    })
}

impl StateMachine {
    /// Whether creating the same machine again is the same request: the role does not count
    /// (API reference, "CreateStateMachine is an idempotent API").
    fn is_same_request(&self, other: &StateMachine) -> bool {
        self.definition == other.definition
            && self.r#type == other.r#type
            && self.logging_configuration == other.logging_configuration
            && self.tracing_configuration == other.tracing_configuration
            && self.encryption_configuration == other.encryption_configuration
            && self.first_version == other.first_version
    }

    /// Returns what describing the machine and describing it for an execution have in common.
    /// Metadata alone goes without the definition and what is read from it.
    pub(super) fn described(&self, on: &Reading<'_>, input: &Value) -> Answer {
        let described = value!({
            "stateMachineArn": &self.arn,
            "name": &self.name,
            "roleArn": &self.role_arn,
            "loggingConfiguration": &self.logging_configuration,
            "tracingConfiguration": &self.tracing_configuration,
            "encryptionConfiguration": &self.encryption_configuration,
        })
        .with_some("revisionId", self.revision_id.as_ref());
        if input.maybe_text("includedData") == Some("METADATA_ONLY") {
            // UNVERIFIED: that AWS leaves the definition out rather than sending it empty.
            return Ok(described);
        }
        let text = definitions::text(on.store, &self.definition)?;
        let references = definitions::variable_references(&text, &self.r#type);
        Ok(described.with("definition", text).with_some("variableReferences", references))
    }
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![arn::check("states:DescribeStateMachine", input.text("stateMachineArn")?)])
}

/// Describes a machine, or one of its versions.
fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let arn = input.text("stateMachineArn")?;
    let (machine, version) = match versions::find_by_arn(on.store, arn)? {
        Some(Version { machine, description, creation_millis, .. }) => {
            (machine, Some((description, creation_millis)))
        }
        None => (find(on.store, arn)?, None),
    };
    let creation_millis = version.as_ref().map_or(machine.creation_millis, |(_, millis)| *millis);
    Ok(machine
        .described(on, input)?
        .with("stateMachineArn", arn)
        .with("status", if machine.is_deleting { "DELETING" } else { "ACTIVE" })
        .with("type", &machine.r#type)
        .with("creationDate", creation_millis as f64 / 1000.0)
        .with_some("description", version.and_then(|(description, _)| description)))
}

fn may_update(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![arn::check("states:UpdateStateMachine", input.text("stateMachineArn")?)];
    if let Some(role) = input.maybe_text("roleArn") {
        checks.push(Check::pass_role(role, "states.amazonaws.com"));
    }
    Ok(checks)
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let state_machine_arn = input.text("stateMachineArn")?;
    refuse_qualified(state_machine_arn)?;
    let before = find_active(on.store.as_read(), state_machine_arn)?;
    let mut machine = before.clone();
    change(on, input, &mut machine)?;
    // The revision changes with the definition or the role, not with the same text again.
    if machine.definition != before.definition || machine.role_arn != before.role_arn {
        machine.revision_id = Some(ids::uuid());
        machine.published = None;
    }
    machine.update_millis = on.call.now_millis;
    on.store.save(Table::StateMachines, state_machine_arn, &machine)?;
    let answer = value!({ "updateDate": on.call.now_seconds() })
        .with_some("revisionId", machine.revision_id.as_ref());
    if !input.flag("publish") {
        return Ok(answer);
    }
    let description = input.maybe_text("versionDescription");
    let version = versions::publish_current(on, &mut machine, description)?;
    Ok(answer.with("stateMachineVersionArn", version.arn()))
}

/// Makes the changes that a request asks for.
fn change(on: &mut Writing<'_>, input: &Value, machine: &mut StateMachine) -> Result<(), Error> {
    let changeable = [
        "definition",
        "roleArn",
        "loggingConfiguration",
        "tracingConfiguration",
        "encryptionConfiguration",
    ];
    if changeable.iter().all(|member| input.get(member).is_none()) {
        return Err(error::missing_update_parameter());
    }
    versions::check_description(input)?;
    if let Some(text) = input.maybe_text("definition") {
        definitions::check(on.call, text, &machine.r#type)?;
        let definition = definition_key(text);
        if definition != machine.definition {
            let now_millis = on.call.now_millis;
            definition_uses::let_go(on.store, &machine.definition, &machine.arn, now_millis)?;
            definition_uses::keep(on.store, &definition, text)?;
            definition_uses::take(on.store, &definition, &machine.arn, &machine.arn)?;
            machine.definition = definition;
        }
    }
    if let Some(role_arn) = input.maybe_text("roleArn") {
        check_role(&on.reading(), role_arn, &machine.arn)?;
        role_arn.clone_into(&mut machine.role_arn);
    }
    if input.get("loggingConfiguration").is_some() {
        machine.logging_configuration = logging(on.store.as_read(), input)?;
    }
    if input.get("tracingConfiguration").is_some() {
        machine.tracing_configuration = tracing(input);
    }
    if input.get("encryptionConfiguration").is_some() {
        machine.encryption_configuration = encryption(input)?;
    }
    Ok(())
}

/// Refuses the ARN of a version or an alias where only a state machine can be meant.
// UNVERIFIED: AWS's wording; that the request fails with ValidationException is documented.
pub(super) fn refuse_qualified(state_machine_arn: &str) -> Result<(), Error> {
    match arn::qualified(state_machine_arn)?.qualifier {
        None => Ok(()),
        Some(_) => Err(error::validation(format!(
            "The ARN of a version or an alias is not allowed here: '{state_machine_arn}'"
        ))),
    }
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:ListStateMachines")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let (after, limit) = page_of(input)?;
    let prefix = on.call.regional_arn("states", "stateMachine:");
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, StateMachine)> = on.store.load_all(Table::StateMachines, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    let mut items = Vec::new();
    for machine in &page.items {
        if !deletion::is_over(on.store, machine)? {
            items.push(value!({
                "stateMachineArn": &machine.arn,
                "name": &machine.name,
                "type": &machine.r#type,
                "creationDate": machine.creation_millis as f64 / 1000.0,
            }));
        }
    }
    Ok(value!({ "stateMachines": items }).with_some("nextToken", page.next))
}

/// Returns where a page starts and how many items it has at most.
pub(super) fn page_of(input: &Value) -> Result<(Option<String>, usize), Error> {
    let after = match input.maybe_text("nextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_token)?),
        None => None,
    };
    let limit = input.integer("maxResults").and_then(|asked| usize::try_from(asked).ok());
    Ok((after, limit.filter(|asked| *asked > 0).unwrap_or(PAGE_ITEMS_DEFAULT)))
}
