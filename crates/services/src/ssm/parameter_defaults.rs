//! `{{ssm:name}}` as the default of a runbook's parameter: looked up when an execution starts.
//!
//! AWS Systems Manager user guide, "Using parameters in Automation runbooks" (read 2026-11): the
//! value is that of the moment of the start, and never a SecureString.

use std::sync::Arc;

use automation::Runbook;
use value::Value;

use super::parameter_names as names;
use super::{error, parameters};
use crate::call::Origin;
use crate::{Call, Error, Reading, Services, roles};

/// Returns the values of the defaults that a start takes from Parameter Store, by parameter; what
/// is given is not looked up. They are read as the role of the runbook, or as the caller when there
/// is none.
pub(super) fn found(
    services: &Services,
    on: &Reading<'_>,
    runbook: &Runbook,
    role: Option<&str>,
    given: &Value,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let wanted = runbook.parameter_store_defaults();
    let wanted: Vec<_> = wanted.iter().filter(|(name, _)| given.get(name).is_none()).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let reader = reader(on, role)?;
    let on = Reading { store: on.store, call: &reader };
    let checks: Vec<_> =
        wanted.iter().map(|(_, path)| parameters::check(&on, "GetParameters", path)).collect();
    services.policies.authorize_committed(services.store(), &on, "ssm", &checks)?;
    let value =
        |(name, path): &(&str, String)| Ok(((*name).to_owned(), value_of(&on, name, path)?));
    wanted.into_iter().map(value).collect()
}

/// Returns the parameters of a start with what was found for the others.
pub(super) fn with(given: Value, found: &[(String, Vec<String>)]) -> Value {
    found.iter().fold(given, |all, (name, texts)| all.with(name.as_str(), texts.clone()))
}

/// Returns the call of whoever reads the parameters.
fn reader(on: &Reading<'_>, role: Option<&str>) -> Result<Call, Error> {
    let Some(role) = role else { return Ok(on.call.clone()) };
    let source_arn = on.call.regional_arn("ssm", "automation-execution/start");
    let principal = roles::assume(on, role, "ssm.amazonaws.com", "start", &source_arn)?;
    Ok(Call {
        principal: Arc::new(principal),
        from: Origin::Service { source_arn },
        ..on.call.clone()
    })
}

/// Returns the texts that a parameter's value stands for.
fn value_of(on: &Reading<'_>, name: &str, path: &str) -> Result<Vec<String>, Error> {
    let (bare, selector) = names::split(path);
    let parameter = parameters::find(on, bare)?;
    let found = parameter.as_ref().and_then(|parameter| parameter.version(selector.as_ref()));
    let Some((_, version)) = found else {
        // UNVERIFIED: the wording.
        let text = format!(
            "Parameter \"{name}\" refers to {path}, which Parameter Store could not find.{}",
            names::why_absent(bare)
        );
        return Err(error::invalid_parameters(text));
    };
    if version.secure.is_some() {
        // UNVERIFIED: the wording.
        let text = format!(
            "Parameter \"{name}\" refers to {path}, which is a SecureString. Runbooks cannot refer \
             to one: let a step read it."
        );
        return Err(error::invalid_parameters(text));
    }
    Ok(match &*version.kind {
        "StringList" => version.value.split(',').map(str::to_owned).collect(),
        _ => vec![version.value.clone()],
    })
}
