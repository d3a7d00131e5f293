//! What stacks take from Parameter Store: parameters of types such as
//! `AWS::SSM::Parameter::Value<String>`, and dynamic references (`{{resolve:ssm:name:1}}`).
//!
//! AWS CloudFormation user guide, "Systems Manager parameter types" and "Get a plaintext value from
//! Systems Manager Parameter Store" (read 2026-11): what counts is looked up at every creation and
//! update, also where an update keeps the name (`UsePreviousValue`) or the template.

use std::collections::BTreeMap;

use stacks::{Change, Identity, NamedParameter, ParameterInput, ParameterSource, Parameters};
use stacks::{Template, Wanted};
use value::Value;

use super::stack::{self, Stack};
use super::{error, request};
use crate::{Check, Error, Input, Reading, ssm};

/// Returns what a request needs besides: to read the parameters that it names. A request that is
/// wrong needs nothing, for it is refused.
// UNVERIFIED: they are read as the caller, also where the stack has a role.
pub(super) fn checks(
    on: &Reading<'_>,
    input: &Value,
    current: Option<&Stack>,
) -> Result<Vec<Check>, Error> {
    let Ok(text) = request::template_text(on, input, current) else { return Ok(Vec::new()) };
    let (Ok(template), Ok(given)) = (Template::parse(&text), request::parameters(input)) else {
        return Ok(Vec::new());
    };
    let named = named(&template, &given, deployed(current));
    let mut names: Vec<String> = named.into_iter().map(|named| named.name).collect();
    // One that cannot be prepared is refused, and says no more than that its parameters do.
    let identity = match current {
        Some(stack) => stack.state.identity.clone(),
        None => stack::identity(on, input.text("StackName")?, ""),
    };
    if let Ok(change) = prepared(on, &text, template, given, current, &identity) {
        names.extend(change.dynamic_references(&identity).unwrap_or_default());
    }
    Ok(names.iter().map(|name| ssm::parameter_check(on, name)).collect())
}

/// Returns the change that a request asks for, with everything that Parameter Store holds of it.
pub(super) fn change(
    on: &Reading<'_>,
    text: &str,
    template: Template,
    given: Vec<ParameterInput>,
    current: Option<&Stack>,
    identity: &Identity,
) -> Result<Change, Error> {
    let change = prepared(on, text, template, given, current, identity)?;
    let names = change.dynamic_references(identity).map_err(|err| error::refused(&err))?;
    let held = held(on, names)?;
    Ok(change.with_held(held))
}

/// The same without what dynamic references stand for.
fn prepared(
    on: &Reading<'_>,
    text: &str,
    template: Template,
    given: Vec<ParameterInput>,
    current: Option<&Stack>,
    identity: &Identity,
) -> Result<Change, Error> {
    let (imports, deployed) = (request::imports(on, text)?, deployed(current));
    let parameters = looked_up(on, &template, given, deployed)?;
    let change = Change::prepare(template, &parameters, deployed, imports, identity);
    change.map_err(|err| error::refused(&err))
}

/// Returns what dynamic references stand for.
fn held(on: &Reading<'_>, names: Vec<String>) -> Result<BTreeMap<String, String>, Error> {
    let mut held = BTreeMap::new();
    for name in names {
        match ssm::named_parameter(on, &name)? {
            Some(ssm::Named::Text(value) | ssm::Named::List(value)) => {
                held.insert(name, value);
            }
            Some(ssm::Named::Secure) => {
                let bare = name.split(':').next().unwrap_or_default();
                return Err(Error::validation(format!(
                    "Non-secure ssm prefix was used for secure parameter {bare}"
                )));
            }
            None => {
                return Err(Error::validation(format!(
                    "Parameters: [ssm:{name}] cannot be found.{}",
                    ssm::why_absent(&name)
                )));
            }
        }
    }
    Ok(held)
}

/// Returns the parameters of a request with what those that they name hold now. One that is not
/// there stays without, which the engine refuses.
fn looked_up(
    on: &Reading<'_>,
    template: &Template,
    mut given: Vec<ParameterInput>,
    deployed: Option<&Change>,
) -> Result<Vec<ParameterInput>, Error> {
    for NamedParameter { key, name, wanted } in named(template, &given, deployed) {
        let resolved = match (ssm::named_parameter(on, &name)?, wanted) {
            (Some(ssm::Named::Text(value)), Wanted::Text | Wanted::Any)
            | (Some(ssm::Named::List(value)), Wanted::List | Wanted::Any) => Some(value),
            (Some(ssm::Named::Secure), Wanted::Any) => Some(String::new()),
            (Some(ssm::Named::Secure), Wanted::Text | Wanted::List) => return Err(secure(&name)),
            (Some(_), Wanted::Text | Wanted::List) => return Err(incompatible(&name)),
            (None, _) if !ssm::why_absent(&name).is_empty() => return Err(amazons(&name)),
            (None, _) => None,
        };
        if let Some(input) = given.iter_mut().find(|input| input.key == key) {
            input.resolved = resolved;
        } else {
            let value = ParameterSource::Given(name);
            given.push(ParameterInput { key, value, resolved });
        }
    }
    Ok(given)
}

/// A String where a list is wanted, or the other way round.
fn incompatible(name: &str) -> Error {
    Error::validation(format!(
        "Types for SSM parameters [{name}] defined in CFN template and SSM are incompatible"
    ))
}

/// One that only Amazon has: with the words that the engine has for any that is not there.
fn amazons(name: &str) -> Error {
    let text = format!(
        "Unable to fetch parameters [{name}] from parameter store for this account.{}",
        ssm::why_absent(name)
    );
    Error::new("ValidationError", text)
}

// UNVERIFIED: the words, from public reports.
fn secure(name: &str) -> Error {
    let text = format!(
        "Parameters [{name}] referenced by template have types not supported by CloudFormation."
    );
    Error::new("ValidationError", text)
}

fn named(
    template: &Template,
    given: &[ParameterInput],
    deployed: Option<&Change>,
) -> Vec<NamedParameter> {
    let none = Parameters::new();
    let previous = deployed.map_or(&none, |change| &change.parameters);
    stacks::named_parameters(template, given, previous)
}

fn deployed(current: Option<&Stack>) -> Option<&Change> {
    current.and_then(|stack| stack.state.deployed.as_ref())
}
