//! Parameters of types such as `AWS::SSM::Parameter::Value<String>`: what they name is looked up in
//! Parameter Store whenever a stack is created or updated.
//!
//! AWS CloudFormation user guide, "Systems Manager parameter types" (read 2026-11): the latest
//! value counts, also where an update keeps the name (`UsePreviousValue`).

use stacks::{Change, ParameterInput, ParameterSource, Parameters, Template};
use value::Value;

use super::request;
use super::stack::Stack;
use crate::{Check, Error, Reading, ssm};

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
    Ok(named.iter().map(|(_, name)| ssm::parameter_check(on, name)).collect())
}

/// Returns the parameters of a request with what those that they name hold now. One that is not
/// there stays without, which the engine refuses.
pub(super) fn looked_up(
    on: &Reading<'_>,
    template: &Template,
    mut given: Vec<ParameterInput>,
    deployed: Option<&Change>,
) -> Result<Vec<ParameterInput>, Error> {
    for (key, name) in named(template, &given, deployed) {
        let resolved = match ssm::named_parameter(on, &name)? {
            Some(ssm::Named::Text(value)) => Some(value),
            Some(ssm::Named::Secure) => return Err(secure(&name)),
            None if !ssm::why_absent(&name).is_empty() => return Err(amazons(&name)),
            None => None,
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
) -> Vec<(String, String)> {
    let none = Parameters::new();
    let previous = deployed.map_or(&none, |change| &change.parameters);
    stacks::named_parameters(template, given, previous)
}

fn deployed(current: Option<&Stack>) -> Option<&Change> {
    current.and_then(|stack| stack.state.deployed.as_ref())
}
