//! State machines: CreateStateMachine and its kin.
//!
//! AWS Step Functions API reference, "CreateStateMachine" (read 2026-11).

use asl::{Definition, Diagnostic, Options, Severity, StateMachineType};
use runtime::definition_key;
use runtime::integrations::Served;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::{arn, error};
use crate::page::{cut, open_marker};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids, roles};

/// The longest name of a state machine or an execution, in characters.
const NAME_CHARACTERS_MAX: usize = 80;
/// How many diagnostics are given when the caller does not say.
const DIAGNOSTICS_DEFAULT: usize = 100;
/// How many items a page has when the caller does not say (`maxResults` 0 is the same).
const PAGE_ITEMS_DEFAULT: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateStateMachine", checks: may_create, run: Run::Write(create) },
    Operation { name: "DescribeStateMachine", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "UpdateStateMachine", checks: may_update, run: Run::Write(update) },
    Operation { name: "DeleteStateMachine", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "ListStateMachines", checks: may_list, run: Run::Read(list) },
    Operation {
        name: "ValidateStateMachineDefinition",
        checks: may_validate,
        run: Run::Read(validate),
    },
];

/// A state machine as it is stored, by ARN.
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
    pub(super) logging_configuration: Value,
    pub(super) tracing_configuration: Value,
    pub(super) encryption_configuration: Value,
    pub(super) creation_millis: i64,
    pub(super) update_millis: i64,
    /// Absent until the first update, as on AWS.
    pub(super) revision_id: Option<String>,
}

/// Returns a stored state machine.
pub(super) fn find(store: &dyn Read, state_machine_arn: &str) -> Result<StateMachine, Error> {
    arn::resource(state_machine_arn, arn::Named::StateMachine)?;
    store
        .load(Table::StateMachines, state_machine_arn)?
        .ok_or_else(|| error::state_machine_does_not_exist(state_machine_arn))
}

/// Returns the text of a definition, byte for byte.
pub(super) fn definition_text(store: &dyn Read, key: &str) -> Result<String, Error> {
    let bytes = store.get(Table::Definitions, key)?;
    let bytes = bytes.ok_or_else(|| Error::internal(&format!("definition {key} is missing")))?;
    String::from_utf8(bytes).map_err(|err| Error::internal(&err))
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

fn options(machine_type: &str) -> Options<'static> {
    let machine_type = match machine_type {
        "EXPRESS" => StateMachineType::Express,
        _ => StateMachineType::Standard,
    };
    Options { machine_type, resources: &Served }
}

fn check_definition(call: &Call, text: &str, machine_type: &str) -> Result<(), Error> {
    let bytes_max = call.settings.limits.definition_bytes;
    if text.len() > bytes_max {
        let limit =
            format!("DEFINITION_TOO_LARGE: the definition is longer than {bytes_max} bytes");
        return Err(error::invalid_definition(&limit));
    }
    match Definition::parse(text, &options(machine_type)) {
        Ok(_) => Ok(()),
        Err(problems) => Err(Error::new("InvalidDefinition", problems.to_string())),
    }
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
    let (name, text) = (input.text("name")?, input.text("definition")?);
    let role_arn = input.text("roleArn")?;
    check_name(name)?;
    let machine_type = input.maybe_text("type").unwrap_or("STANDARD");
    check_definition(on.call, text, machine_type)?;
    roles::check_assumable(&on.reading(), role_arn, "states.amazonaws.com")
        .map_err(|_| error::role_not_assumable())?;
    let state_machine_arn = on.call.regional_arn("states", &format!("stateMachine:{name}"));
    let machine = StateMachine {
        arn: state_machine_arn.clone(),
        name: name.to_owned(),
        r#type: machine_type.to_owned(),
        definition: definition_key(text),
        role_arn: role_arn.to_owned(),
        logging_configuration: logging(input),
        tracing_configuration: tracing(input),
        encryption_configuration: encryption(input),
        creation_millis: on.call.now_millis,
        update_millis: on.call.now_millis,
        revision_id: None,
    };
    let existing: Option<StateMachine> = on.store.load(Table::StateMachines, &state_machine_arn)?;
    if let Some(existing) = existing {
        return if existing.is_same_request(&machine) {
            Ok(created(&existing))
        } else {
            Err(error::state_machine_already_exists(&state_machine_arn))
        };
    }
    on.store.put(Table::Definitions, &machine.definition, text.as_bytes())?;
    on.store.save(Table::StateMachines, &state_machine_arn, &machine)?;
    super::tags::add(on.store, &state_machine_arn, input.list("tags"))?;
    Ok(created(&machine))
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
    }

    /// Returns what describing the machine and describing it for an execution have in common.
    pub(super) fn described(&self, definition: String) -> Value {
        value!({
            "stateMachineArn": &self.arn,
            "name": &self.name,
            "definition": definition,
            "roleArn": &self.role_arn,
            "loggingConfiguration": &self.logging_configuration,
            "tracingConfiguration": &self.tracing_configuration,
            "encryptionConfiguration": &self.encryption_configuration,
        })
        .with_some("revisionId", self.revision_id.as_ref())
    }
}

fn logging(input: &Value) -> Value {
    let asked = input.get("loggingConfiguration").cloned().unwrap_or_default();
    let level = asked.maybe_text("level").unwrap_or("OFF").to_owned();
    value!({
        "level": level,
        "includeExecutionData": asked.flag("includeExecutionData"),
    })
    .with_some("destinations", asked.get("destinations"))
}

fn tracing(input: &Value) -> Value {
    let enabled = input.get("tracingConfiguration").is_some_and(|asked| asked.flag("enabled"));
    value!({ "enabled": enabled })
}

fn encryption(input: &Value) -> Value {
    let own = || value!({ "type": "AWS_OWNED_KEY" });
    input.get("encryptionConfiguration").cloned().unwrap_or_else(own)
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DescribeStateMachine", input.text("stateMachineArn")?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let machine = find(on.store, input.text("stateMachineArn")?)?;
    let text = definition_text(on.store, &machine.definition)?;
    Ok(machine
        .described(text)
        .with("status", "ACTIVE")
        .with("type", &machine.r#type)
        .with("creationDate", machine.creation_millis as f64 / 1000.0))
}

fn may_update(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![Check::new("states:UpdateStateMachine", input.text("stateMachineArn")?)];
    if let Some(role) = input.maybe_text("roleArn") {
        checks.push(Check::pass_role(role, "states.amazonaws.com"));
    }
    Ok(checks)
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let state_machine_arn = input.text("stateMachineArn")?;
    let before = find(on.store.as_read(), state_machine_arn)?;
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
    let mut machine = before.clone();
    if let Some(text) = input.maybe_text("definition") {
        check_definition(on.call, text, &machine.r#type)?;
        machine.definition = definition_key(text);
        on.store.put(Table::Definitions, &machine.definition, text.as_bytes())?;
    }
    if let Some(role_arn) = input.maybe_text("roleArn") {
        roles::check_assumable(&on.reading(), role_arn, "states.amazonaws.com")
            .map_err(|_| error::role_not_assumable())?;
        role_arn.clone_into(&mut machine.role_arn);
    }
    if input.get("loggingConfiguration").is_some() {
        machine.logging_configuration = logging(input);
    }
    if input.get("tracingConfiguration").is_some() {
        machine.tracing_configuration = tracing(input);
    }
    if input.get("encryptionConfiguration").is_some() {
        machine.encryption_configuration = encryption(input);
    }
    // The revision changes with the definition or the role, not with the same text again.
    if machine.definition != before.definition || machine.role_arn != before.role_arn {
        machine.revision_id = Some(ids::uuid());
    }
    machine.update_millis = on.call.now_millis;
    on.store.save(Table::StateMachines, state_machine_arn, &machine)?;
    Ok(value!({ "updateDate": on.call.now_seconds() })
        .with_some("revisionId", machine.revision_id.as_ref()))
}

fn may_delete(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DeleteStateMachine", input.text("stateMachineArn")?)])
}

/// Deletes a machine; deleting one that does not exist succeeds, as on AWS.
// DIFFERS: AWS keeps the machine as DELETING until its executions have ended; here it goes at once
// and running executions go on to their end.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let state_machine_arn = input.text("stateMachineArn")?;
    arn::resource(state_machine_arn, arn::Named::StateMachine)?;
    on.store.delete(Table::StateMachines, state_machine_arn)?;
    on.store.delete(Table::Tags, state_machine_arn)?;
    Ok(Value::object())
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
    let items = page.items.iter().map(|machine| {
        value!({
            "stateMachineArn": &machine.arn,
            "name": &machine.name,
            "type": &machine.r#type,
            "creationDate": machine.creation_millis as f64 / 1000.0,
        })
    });
    Ok(value!({ "stateMachines": items.collect::<Value>() }).with_some("nextToken", page.next))
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

fn may_validate(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:ValidateStateMachineDefinition")])
}

fn validate(_: &Reading<'_>, input: &Value) -> Answer {
    let machine_type = input.maybe_text("type").unwrap_or("STANDARD");
    let checked = asl::check(input.text("definition")?, &options(machine_type));
    let wanted = input.maybe_text("severity").unwrap_or("ERROR");
    let limit = input.integer("maxResults").and_then(|asked| usize::try_from(asked).ok());
    let limit = limit.filter(|asked| *asked > 0).unwrap_or(DIAGNOSTICS_DEFAULT);
    let shown = checked
        .diagnostics
        .iter()
        .filter(|problem| wanted == "WARNING" || problem.severity == Severity::Error);
    let diagnostics: Vec<Value> = shown.map(diagnostic).collect();
    let result = if checked.definition.is_some() { "OK" } else { "FAIL" };
    let truncated = diagnostics.len() > limit;
    let diagnostics: Value = diagnostics.into_iter().take(limit).collect();
    Ok(value!({ "result": result, "diagnostics": diagnostics, "truncated": truncated }))
}

fn diagnostic(problem: &Diagnostic) -> Value {
    value!({
        "severity": problem.severity.as_str(),
        "code": problem.code.as_str(),
        "message": &problem.message,
        "location": &problem.location,
    })
}
