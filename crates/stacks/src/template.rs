//! Templates: parsed, with the short forms spelled out, and checked.

mod json;
pub(crate) mod references;
mod validate;
mod yaml;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use value::{Map, Value};

use crate::{Error, resources};

/// The longest template that is taken from S3, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 1_000_000;
/// The longest template that may stand in a request (`TemplateBody`), in bytes.
pub const TEMPLATE_BODY_BYTES_MAX: usize = 51_200;
/// How deep a template may nest.
pub const TEMPLATE_DEPTH_MAX: usize = 100;
/// How many resources a template may have.
pub const RESOURCES_MAX: usize = 500;
/// How many parameters a template may have.
pub const PARAMETERS_MAX: usize = 200;
/// How many outputs a template may have.
pub const OUTPUTS_MAX: usize = 200;
/// How many mappings a template may have.
pub const MAPPINGS_MAX: usize = 200;

/// A checked template, in the long form of every intrinsic function.
///
/// ```
/// use stacks::Template;
///
/// let template = Template::parse("
/// Resources:
///   Role:
///     Type: AWS::IAM::Role
///     Properties:
///       AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
///       RoleName: !Sub '${AWS::StackName}-役'
/// ").unwrap();
/// let role = template.body().path(&["Resources", "Role", "Properties"]).unwrap();
/// let version = role.path(&["AssumeRolePolicyDocument", "Version"]).unwrap();
/// assert_eq!(version.as_str(), Some("2012-10-17"));
/// assert_eq!(role.path(&["RoleName", "Fn::Sub"]).unwrap().as_str(), Some("${AWS::StackName}-役"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template {
    body: Value,
}

/// What the caller must acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// The template has IAM resources.
    Iam,
    /// The template has IAM resources with names of their own.
    NamedIam,
    /// The template has macros or transforms.
    AutoExpand,
}

impl Capability {
    /// Returns the API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Iam => "CAPABILITY_IAM",
            Capability::NamedIam => "CAPABILITY_NAMED_IAM",
            Capability::AutoExpand => "CAPABILITY_AUTO_EXPAND",
        }
    }
}

impl Template {
    /// Parses and checks a template, JSON when it starts with `{` and else YAML.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let template = Template { body: parse_body(text)? };
        validate::check(&template)?;
        Ok(template)
    }

    /// Returns the template as one value.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns the `Description`.
    pub fn description(&self) -> Option<&str> {
        self.body.get("Description").and_then(Value::as_str)
    }

    /// Returns the members of a section such as `Resources`, in the order of the template.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.body.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
    }

    /// Returns the resource with a logical id.
    pub fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.body.path(&["Resources", logical_id])
    }

    /// Returns what the caller must acknowledge, and the types of resource that are the reason.
    pub fn required_capabilities(&self) -> (Vec<Capability>, Vec<String>) {
        let mut capabilities = Vec::new();
        let mut reasons: Vec<String> = Vec::new();
        for (_, resource) in self.section("Resources") {
            let Some(type_name) = resource.get("Type").and_then(Value::as_str) else { continue };
            let properties = resource.get("Properties");
            if let Some(capability) = resources::capability(type_name, properties) {
                capabilities.push(capability);
                reasons.push(type_name.to_owned());
            }
        }
        if capabilities.contains(&Capability::NamedIam) {
            capabilities.retain(|capability| *capability == Capability::NamedIam);
        }
        if self.body.get("Transform").is_some() {
            capabilities.push(Capability::AutoExpand);
        }
        capabilities.sort_unstable();
        capabilities.dedup();
        reasons.sort_unstable();
        reasons.dedup();
        (capabilities, reasons)
    }

    /// Checks that the caller has acknowledged everything; `CAPABILITY_NAMED_IAM` includes
    /// `CAPABILITY_IAM`.
    pub fn check_capabilities(&self, given: &[&str]) -> Result<(), Error> {
        let missing: Vec<&str> = self
            .required_capabilities()
            .0
            .into_iter()
            .filter(|capability| {
                let named =
                    *capability == Capability::Iam && given.contains(&"CAPABILITY_NAMED_IAM");
                !named && !given.contains(&capability.as_str())
            })
            .map(Capability::as_str)
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::Capabilities(missing.join(", "))) }
    }

    /// Returns the summary that `ValidateTemplate` and `GetTemplateSummary` show of the parameters.
    pub fn parameter_summaries(&self) -> Value {
        let summaries = self.section("Parameters").map(|(name, declaration)| {
            let text = |key: &str| declaration.get(key).map(scalar_text);
            Value::object()
                .with("ParameterKey", name.clone())
                .with_some("DefaultValue", text("Default"))
                .with("NoEcho", text("NoEcho").as_deref() == Some("true"))
                .with_some("Description", text("Description"))
        });
        summaries.collect()
    }
}

fn parse_body(text: &str) -> Result<Value, Error> {
    if TEMPLATE_BYTES_MAX < text.len() {
        return Err(Error::format(format!(
            "Template may not exceed {TEMPLATE_BYTES_MAX} bytes in size."
        )));
    }
    if text.trim_start().starts_with('{') { json::parse(text) } else { yaml::parse(text) }
}

/// Returns a scalar as the text that CloudFormation makes of it; other values as JSON.
pub(crate) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Returns the function and its argument when `value` is an intrinsic function.
pub(crate) fn intrinsic(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object()?;
    let (name, argument) = map.iter().next()?;
    let known = &**name == "Ref" || name.starts_with("Fn::");
    (map.len() == 1 && known).then_some((name, argument))
}
