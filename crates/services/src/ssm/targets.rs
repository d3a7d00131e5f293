//! Over which targets an automation is to run.
//!
//! AWS Systems Manager user guide, "Map targets for an automation" (read 2026-11). Values that the
//! request names are taken as they are. What has to be looked up (a tag, a resource group, all
//! instances) is asked of the service that knows, if one is configured (`--endpoint`).

use std::collections::HashSet;

use automation::rate::{MAX_CONCURRENCY_DEFAULT, MAX_ERRORS_DEFAULT, RateControl, TARGETS_MAX};
use automation::{Runbook, rate};
use value::Value;

use super::error;
use crate::{Error, Input};

/// A key whose values stand for what they are.
const PLAIN_KEYS: [&str; 2] = ["ParameterValues", "InstanceIds"];

/// What a target of a request stands for.
#[derive(Debug, PartialEq)]
pub(super) enum Sought {
    /// Resources with a tag of this key, and one of these values if there are any.
    Tag { key: String, values: Vec<String> },
    /// Members of this resource group.
    ResourceGroup(String),
    /// All EC2 instances.
    Instances,
}

/// Returns what of a request's targets has to be looked up elsewhere.
///
/// # Errors
/// When there is more than one such target, or one of an unknown key.
pub(super) fn sought(input: &Value) -> Result<Option<Sought>, Error> {
    let mut found = None;
    for target in input.list("Targets") {
        let key = target.maybe_text("Key").unwrap_or_default();
        if PLAIN_KEYS.contains(&key) {
            continue;
        }
        let sought = one_sought(key, values(target))?;
        if found.replace(sought).is_some() {
            let text = "Only one resource group or tag can be specified at a time";
            return Err(error::invalid_target(text));
        }
    }
    Ok(found)
}

fn one_sought(key: &str, mut values: Vec<String>) -> Result<Sought, Error> {
    if let Some(key) = key.strip_prefix("tag:") {
        return Ok(Sought::Tag { key: key.to_owned(), values });
    }
    match key {
        "tag-key" if values.len() == 1 => {
            Ok(Sought::Tag { key: values.remove(0), values: Vec::new() })
        }
        "ResourceGroup" if values.len() == 1 => Ok(Sought::ResourceGroup(values.remove(0))),
        "ResourceGroup" | "tag-key" => {
            let text = "Only one resource group or tag can be specified at a time";
            Err(error::invalid_target(text))
        }
        "AWS::EC2::Instance" if values == ["*"] => Ok(Sought::Instances),
        "AWS::EC2::Instance" => {
            Err(error::invalid_target("The target AWS::EC2::Instance takes the value * only."))
        }
        other => Err(error::invalid_target(format!("The target key {other} is not valid."))),
    }
}

/// Returns over which targets an automation runs; none when it runs once, for itself. `found` are
/// the resources that what was [`sought`] stands for.
///
/// # Errors
/// When the request contradicts itself or the runbook, or there is no target.
pub(super) fn rate_control(
    input: &Value,
    runbook: &Runbook,
    found: &[String],
) -> Result<Option<RateControl>, Error> {
    let (targets, maps) = (input.list("Targets"), input.list("TargetMaps"));
    let resolved = match (targets.is_empty(), maps.is_empty()) {
        (true, true) => match input.list("TargetLocations").first() {
            Some(location) => vec![located(location)],
            None => return Ok(None),
        },
        (false, false) => {
            let text = "Targets and TargetMaps cannot be specified together.";
            return Err(error::invalid_target(text));
        }
        (false, true) => named(input, runbook, found)?,
        (true, false) => maps.iter().map(mapped).collect(),
    };
    if input.maybe_text("Mode") == Some("Interactive") {
        // UNVERIFIED: what AWS says of it.
        let text = "An automation with targets cannot run in Interactive mode.";
        return Err(error::invalid_parameters(text));
    }
    if resolved.is_empty() {
        return Err(error::invalid_target("The targets do not include any resource."));
    }
    if TARGETS_MAX < resolved.len() {
        let text = format!("{} targets are more than {TARGETS_MAX}.", resolved.len());
        return Err(error::invalid_target(text));
    }
    let amount = |member, default: &str| input.maybe_text(member).unwrap_or(default).to_owned();
    let rate = RateControl {
        target_parameter_name: input.maybe_text("TargetParameterName").map(str::to_owned),
        targets: input.get("Targets").cloned().unwrap_or_default(),
        target_maps: input.get("TargetMaps").cloned().unwrap_or_default(),
        target_locations: input.get("TargetLocations").cloned().unwrap_or_default(),
        max_concurrency: amount("MaxConcurrency", MAX_CONCURRENCY_DEFAULT),
        max_errors: amount("MaxErrors", MAX_ERRORS_DEFAULT),
        resolved,
    };
    check_parameters(input, runbook, &rate)?;
    Ok(Some(rate))
}

/// Returns the targets that are values of one parameter, each once.
fn named(input: &Value, runbook: &Runbook, found: &[String]) -> Result<Vec<rate::Target>, Error> {
    let parameter = input.maybe_text("TargetParameterName").ok_or_else(|| {
        error::invalid_parameters("TargetParameterName is required when Targets is specified.")
    })?;
    if !runbook.parameters.iter().any(|known| known.name == parameter) {
        let text = format!("The runbook has no parameter \"{parameter}\" to take the targets.");
        return Err(error::invalid_parameters(text));
    }
    let plain = |target: &&Value| PLAIN_KEYS.contains(&target.maybe_text("Key").unwrap_or(""));
    let given = input.list("Targets").iter().filter(plain).flat_map(values);
    let mut seen = HashSet::new();
    let names = given.chain(found.iter().cloned()).filter(|name| seen.insert(name.clone()));
    let target = |name: String| {
        let parameters = Value::object().with(parameter, Value::from(vec![name.as_str()]));
        rate::Target { name, parameters }
    };
    Ok(names.map(target).collect())
}

/// The one place that a location can be.
fn located(location: &Value) -> rate::Target {
    let first = |member| {
        location.list(member).first().and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    // UNVERIFIED: how a child in a location shows where it is.
    let name = format!("{}:{}", first("Accounts"), first("Regions"));
    rate::Target { name, parameters: Value::object() }
}

fn mapped(map: &Value) -> rate::Target {
    // UNVERIFIED: how a child of a target map shows its target.
    rate::Target { name: map.to_string(), parameters: map.clone() }
}

fn values(target: &Value) -> Vec<String> {
    let values = target.list("Values").iter();
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Refuses parameters with which a child could not start, and a role that is not the same for all.
// UNVERIFIED: whether AWS looks at the children's parameters before it starts the first.
fn check_parameters(input: &Value, runbook: &Runbook, rate: &RateControl) -> Result<(), Error> {
    let common = common(input);
    let mut roles = HashSet::from([runbook.assume_role(&parameters_of_first(input))]);
    for target in &rate.resolved {
        let own = with(&common, &target.parameters);
        runbook.start_parameters(&own).map_err(|err| error::invalid_parameters(err.to_string()))?;
        roles.insert(runbook.assume_role(&own));
    }
    if 1 < roles.len() {
        let text = "Stepwell runs all targets as one role: it cannot be among the targets.";
        return Err(error::invalid_target(text));
    }
    Ok(())
}

fn common(input: &Value) -> Value {
    input.get("Parameters").cloned().unwrap_or_else(Value::object)
}

fn with(common: &Value, own: &Value) -> Value {
    let mut all = common.clone();
    for (name, given) in own.as_object().into_iter().flat_map(value::Map::iter) {
        all.set(name.clone(), given.clone());
    }
    all
}

/// Returns the parameters that decide as which role a request runs: all but those of targets that
/// are looked up, for the role is the same for all targets.
pub(super) fn parameters_of_first(input: &Value) -> Value {
    match input.list("TargetMaps").first() {
        Some(map) => with(&common(input), map),
        None => common(input),
    }
}
