//! Parameters: declarations, the values a caller gives, and the constraints between them.
//!
//! AWS page: "CloudFormation template Parameters syntax" (read 2026-11-24).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use value::Value;

use crate::dynamic_references::check_parameter;
use crate::template::scalar_text;
use crate::{Error, Template};

/// One parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterInput {
    /// `ParameterKey`.
    pub key: String,
    /// Where the value comes from.
    pub value: ParameterSource,
    /// For types such as `AWS::SSM::Parameter::Value<String>`: what the named parameter holds.
    pub resolved: Option<String>,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterSource {
    /// `ParameterValue`.
    Given(String),
    /// `UsePreviousValue`.
    Previous,
}

/// The value of one parameter of a stack.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// As it was given or as the default says.
    pub text: String,
    /// What `Ref` returns: a text, or a list for list types.
    pub value: Value,
    /// What `ResolvedValue` shows, for parameters that name another one.
    pub resolved: Option<String>,
    /// Whether the value is shown as `****`.
    pub no_echo: bool,
}

/// Secrets stay out of logs: the value of a `NoEcho` parameter is not shown.
impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.no_echo { "****" } else { &self.text };
        f.debug_tuple("Parameter").field(&shown).finish()
    }
}

/// The parameters of a stack by name.
pub type Parameters = BTreeMap<String, Parameter>;

/// What a type makes of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    TextList,
    NumberList,
    /// The value is the name of an SSM parameter that holds a text.
    Named,
    /// The value is the name of an SSM parameter that holds a list.
    NamedList,
    /// The value is the name of an SSM parameter, whatever that holds.
    Name,
}

fn kind(type_name: &str) -> Option<Kind> {
    match type_name {
        "String" => Some(Kind::Text),
        "Number" => Some(Kind::Number),
        "CommaDelimitedList" | "List<String>" => Some(Kind::TextList),
        "List<Number>" => Some(Kind::NumberList),
        "AWS::SSM::Parameter::Name" => Some(Kind::Name),
        _ if type_name.starts_with("AWS::SSM::Parameter::Value<List<")
            || type_name == "AWS::SSM::Parameter::Value<CommaDelimitedList>" =>
        {
            Some(Kind::NamedList)
        }
        _ if type_name.starts_with("AWS::SSM::Parameter::Value<") => Some(Kind::Named),
        _ if type_name.starts_with("List<AWS::") => Some(Kind::TextList),
        _ if type_name.starts_with("AWS::") => Some(Kind::Text),
        _ => None,
    }
}

const MEMBERS: &[&str] = &[
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// Checks a declaration in the `Parameters` section.
pub(crate) fn check_declaration(name: &str, declaration: &Value) -> Result<(), Error> {
    let Some(members) = declaration.as_object() else {
        return Err(Error::format("Every Parameters member must be an object."));
    };
    if let Some(unknown) = members.keys().find(|key| !MEMBERS.contains(&&***key)) {
        return Err(Error::format(format!("Invalid template parameter property '{unknown}'")));
    }
    let Some(type_name) = members.get("Type").and_then(Value::as_str) else {
        return Err(Error::format("Every Parameters object must contain a Type member."));
    };
    if kind(type_name).is_none() {
        return Err(Error::format(format!("Unrecognized parameter type: {type_name}")));
    }
    if let Some(pattern) = members.get("AllowedPattern") {
        let valid = pattern.as_str().is_some_and(|pattern| compile(pattern).is_some());
        if !valid {
            return Err(Error::format(format!("AllowedPattern of parameter {name} is invalid")));
        }
    }
    Ok(())
}

/// A parameter that names an SSM parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedParameter {
    /// `ParameterKey`.
    pub key: String,
    /// The name that it has in this request.
    pub name: String,
    /// What that must be.
    pub wanted: Wanted,
}

/// What an SSM parameter must be that a parameter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A String.
    Text,
    /// A StringList.
    List,
    /// There.
    Any,
}

/// Returns the parameters of the template that name SSM parameters: what must be looked up and
/// given as [`ParameterInput::resolved`]. `previous` are those of the stack as it stands.
pub fn named_parameters(
    template: &Template,
    inputs: &[ParameterInput],
    previous: &Parameters,
) -> Vec<NamedParameter> {
    let wanted = |declaration: &Value| {
        let type_name = declaration.get("Type").and_then(Value::as_str).unwrap_or_default();
        match kind(type_name)? {
            Kind::Named => Some(Wanted::Text),
            Kind::NamedList => Some(Wanted::List),
            Kind::Name => Some(Wanted::Any),
            Kind::Text | Kind::Number | Kind::TextList | Kind::NumberList => None,
        }
    };
    let parameters = template.section("Parameters");
    parameters
        .filter_map(|(key, declaration)| {
            let wanted = wanted(declaration)?;
            let input = inputs.iter().find(|input| *input.key == **key);
            let (name, _) = given(key, declaration, input, previous)?;
            Some(NamedParameter { key: key.to_string(), name, wanted })
        })
        .collect()
}

/// Brings the values of a request and the declarations together.
pub(crate) fn resolve(
    template: &Template,
    inputs: &[ParameterInput],
    previous: &Parameters,
) -> Result<Parameters, Error> {
    let unknown: Vec<&str> = inputs
        .iter()
        .map(|input| input.key.as_str())
        .filter(|key| template.body().path(&["Parameters", key]).is_none())
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Parameters(format!(
            "Parameters: [{}] do not exist in the template",
            unknown.join(", ")
        )));
    }
    let mut parameters = Parameters::new();
    let mut missing = Vec::new();
    for (name, declaration) in template.section("Parameters") {
        let input = inputs.iter().find(|input| *input.key == **name);
        match given(name, declaration, input, previous) {
            Some((text, resolved)) => {
                let parameter = parameter(name, declaration, text, resolved)?;
                parameters.insert(name.to_string(), parameter);
            }
            None => missing.push(&**name),
        }
    }
    if missing.is_empty() {
        return Ok(parameters);
    }
    Err(Error::Parameters(format!("Parameters: [{}] must have values", missing.join(", "))))
}

/// Returns the text of a parameter, and what the parameter it names holds.
fn given(
    name: &str,
    declaration: &Value,
    input: Option<&ParameterInput>,
    previous: &Parameters,
) -> Option<(String, Option<String>)> {
    let resolved = input.and_then(|input| input.resolved.clone());
    match input.map(|input| &input.value) {
        Some(ParameterSource::Given(text)) => Some((text.clone(), resolved)),
        // Of one that names another the name is kept, not what that held then.
        Some(ParameterSource::Previous) => Some((previous.get(name)?.text.clone(), resolved)),
        None => declaration.get("Default").map(|default| (scalar_text(default), resolved)),
    }
}

fn parameter(
    name: &str,
    declaration: &Value,
    text: String,
    resolved: Option<String>,
) -> Result<Parameter, Error> {
    let type_name = declaration.get("Type").and_then(Value::as_str).unwrap_or("String");
    let kind = kind(type_name).unwrap_or(Kind::Text);
    check_constraints(name, declaration, kind, &text)?;
    check_parameter(name, &text)?;
    let no_echo = declaration.get("NoEcho").map(scalar_text).as_deref() == Some("true");
    let value = match kind {
        Kind::Name if resolved.is_none() => {
            // DIFFERS: AWS begins the operation, and it fails with this.
            return Err(Error::Parameters(format!(
                "Parameter validation failed: parameter value {text} for parameter name {name} \
                 does not exist."
            )));
        }
        Kind::Text | Kind::Number | Kind::Name => Value::from(&text),
        Kind::TextList | Kind::NumberList => list(&text),
        Kind::Named | Kind::NamedList => {
            let Some(held) = &resolved else {
                return Err(Error::Parameters(format!(
                    "Unable to fetch parameters [{text}] from parameter store for this account."
                )));
            };
            if kind == Kind::Named { Value::from(held) } else { list(held) }
        }
    };
    let resolved = match kind {
        Kind::NamedList => Some(items(&value)),
        Kind::Name => None,
        Kind::Text | Kind::Number | Kind::TextList | Kind::NumberList | Kind::Named => resolved,
    };
    Ok(Parameter { text, value, resolved, no_echo })
}

/// Returns a list as the text that it is shown as.
fn items(list: &Value) -> String {
    let items = list.as_array().unwrap_or_default();
    items.iter().map(scalar_text).collect::<Vec<_>>().join(",")
}

fn list(text: &str) -> Value {
    if text.is_empty() {
        return Value::from(Vec::<Value>::new());
    }
    text.split(',').map(str::trim).collect()
}

fn check_constraints(name: &str, declaration: &Value, kind: Kind, text: &str) -> Result<(), Error> {
    let described = declaration.get("ConstraintDescription").and_then(Value::as_str);
    let fail = |what: String| {
        Err(Error::Parameters(match described {
            Some(description) => {
                format!("Parameter '{name}' failed to satisfy constraint: {description}")
            }
            None => what,
        }))
    };
    let items: Vec<&str> = match kind {
        Kind::TextList | Kind::NumberList => text.split(',').map(str::trim).collect(),
        Kind::Text | Kind::Number | Kind::Named | Kind::NamedList | Kind::Name => vec![text],
    };
    if matches!(kind, Kind::Number | Kind::NumberList)
        && items.iter().any(|item| item.parse::<f64>().is_err())
    {
        return Err(Error::Parameters(format!("Parameter '{name}' must be a number.")));
    }
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().map(scalar_text).collect();
        if items.iter().any(|item| !allowed.iter().any(|value| value == item)) {
            return fail(format!("Parameter '{name}' must be one of AllowedValues"));
        }
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str)
        && items.iter().any(|item| !compile(pattern).is_some_and(|p| p.is_match(item)))
    {
        return fail(format!("Parameter '{name}' must match pattern {pattern}"));
    }
    check_bounds(name, declaration, text).or_else(fail)
}

/// Checks lengths and sizes; the error is AWS's text.
fn check_bounds(name: &str, declaration: &Value, text: &str) -> Result<(), String> {
    let bound = |key: &str| declaration.get(key).and_then(|v| scalar_text(v).parse::<f64>().ok());
    let length = text.chars().count() as f64;
    if bound("MinLength").is_some_and(|least| length < least) {
        let least = declaration.get("MinLength").map(scalar_text).unwrap_or_default();
        return Err(format!("Parameter '{name}' must contain at least {least} characters"));
    }
    if bound("MaxLength").is_some_and(|most| most < length) {
        let most = declaration.get("MaxLength").map(scalar_text).unwrap_or_default();
        return Err(format!("Parameter '{name}' must contain at most {most} characters"));
    }
    let number: Option<f64> = text.parse().ok();
    if let (Some(least), Some(number)) = (bound("MinValue"), number)
        && number < least
    {
        return Err(format!("Parameter '{name}' must be a number not less than {least}"));
    }
    if let (Some(most), Some(number)) = (bound("MaxValue"), number)
        && most < number
    {
        return Err(format!("Parameter '{name}' must be a number not greater than {most}"));
    }
    Ok(())
}

/// Compiles an `AllowedPattern`, which must match the whole value.
// DIFFERS: Java's look-around is refused; patterns run in linear time.
fn compile(pattern: &str) -> Option<regex::Regex> {
    regex::Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}
