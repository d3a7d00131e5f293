//! What can be checked before parameters are known.

use std::collections::BTreeSet;

use value::Value;

use super::references::{Conditions, Reference, SubPiece, collect, sub_pieces};
use super::{MAPPINGS_MAX, OUTPUTS_MAX, PARAMETERS_MAX, RESOURCES_MAX, Template, intrinsic};
use crate::intrinsics::PSEUDO_PARAMETERS;
use crate::{Error, dynamic_references, graph, parameters, resources};

// DIFFERS: `Hooks` are taken and not looked at.
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_MEMBERS: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

pub(super) fn check(template: &Template) -> Result<(), Error> {
    let Some(body) = template.body.as_object() else {
        return Err(Error::format("unsupported structure."));
    };
    let unknown: Vec<&str> =
        body.keys().map(|key| &**key).filter(|key| !SECTIONS.contains(key)).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(Error::format(format!("Invalid template property or properties [{unknown}]")));
    }
    check_version(template)?;
    if let Some(transform) = body.get("Transform") {
        // DIFFERS: macros and transforms are not run.
        let name = super::scalar_text(transform);
        return Err(Error::template(format!("transform {name} is not available here")));
    }
    check_sizes(template)?;
    for (name, declaration) in template.section("Parameters") {
        check_name("Parameter", name)?;
        parameters::check_declaration(name, declaration)?;
    }
    check_functions(&template.body, template)?;
    check_dynamic_references(template)?;
    check_conditions(template)?;
    check_resources(template)?;
    check_outputs(template)?;
    graph::order(template, &Conditions::new()).map(|_| ())
}

/// Checks the dynamic references that stand there whole; what functions make of others is seen with
/// the parameters.
fn check_dynamic_references(template: &Template) -> Result<(), Error> {
    for (_, resource) in template.section("Resources") {
        let kind = resource.get("Type").map(super::scalar_text).unwrap_or_default();
        let properties = resource.get("Properties").unwrap_or(&Value::Null);
        dynamic_references::check(properties, &format!("{kind}/Properties"))?;
    }
    for (name, output) in template.section("Outputs") {
        dynamic_references::check(output, &format!("Outputs/{name}"))?;
    }
    Ok(())
}

fn check_version(template: &Template) -> Result<(), Error> {
    match template.body.get("AWSTemplateFormatVersion") {
        None => Ok(()),
        Some(Value::String(version)) if &**version == "2010-09-09" => Ok(()),
        Some(version) => {
            let version = super::scalar_text(version);
            // UNVERIFIED: the exact words.
            Err(Error::format(format!(
                "Template format version {version} is not supported. Only the following are: \
                 [2010-09-09]"
            )))
        }
    }
}

fn check_sizes(template: &Template) -> Result<(), Error> {
    let limits = [
        ("Resources", "resources", RESOURCES_MAX),
        ("Parameters", "parameters", PARAMETERS_MAX),
        ("Outputs", "outputs", OUTPUTS_MAX),
        ("Mappings", "mappings", MAPPINGS_MAX),
    ];
    for (section, word, limit) in limits {
        if let Some(found) = template.body.get(section)
            && !matches!(found, Value::Object(_))
        {
            return Err(Error::format(format!("[/{section}] must be an object")));
        }
        let count = template.section(section).count();
        if limit < count {
            return Err(Error::format(format!(
                "Number of {word}, {count}, is greater than maximum allowed, {limit}"
            )));
        }
    }
    if template.section("Resources").next().is_none() {
        return Err(Error::format("At least one Resources member must be defined."));
    }
    Ok(())
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Error::format(format!("{what} name {name} is non alphanumeric.")))
}

fn check_conditions(template: &Template) -> Result<(), Error> {
    for (_, condition) in template.section("Conditions") {
        let mut found = Vec::new();
        collect(condition, &Conditions::new(), &mut found);
        let unknown = unresolved(template, &found, Scope::Parameters);
        if !unknown.is_empty() {
            return Err(Error::format(format!(
                "Unresolved dependencies [{}]. Cannot reference resources in the Conditions block \
                 of the template",
                unknown.join(", ")
            )));
        }
    }
    Ok(())
}

fn check_condition_exists(template: &Template, name: &str, block: &str) -> Result<(), Error> {
    if template.body.path(&["Conditions", name]).is_some() {
        return Ok(());
    }
    Err(Error::format(format!(
        "Unresolved condition dependency [{name}] in the {block} block of the template"
    )))
}

fn check_resources(template: &Template) -> Result<(), Error> {
    let mut unknown_types = BTreeSet::new();
    for (logical_id, resource) in template.section("Resources") {
        check_name("Resource", logical_id)?;
        let Some(members) = resource.as_object() else {
            return Err(Error::format(format!(
                "[/Resources/{logical_id}] resource definition is malformed"
            )));
        };
        if let Some(name) = members.keys().find(|name| !RESOURCE_MEMBERS.contains(&&***name)) {
            return Err(Error::format(format!("Invalid template resource property '{name}'")));
        }
        match members.get("Type").and_then(Value::as_str) {
            None => {
                return Err(Error::format(format!(
                    "[/Resources/{logical_id}] Every Resources object must contain a Type member."
                )));
            }
            Some(name) if resources::find(name).is_none() => {
                unknown_types.insert(name.to_owned());
            }
            Some(_) => {}
        }
        if let Some(name) = members.get("Condition").and_then(Value::as_str) {
            check_condition_exists(template, name, "Resources")?;
        }
        check_policy(logical_id, members.get("DeletionPolicy"))?;
    }
    if !unknown_types.is_empty() {
        let names: Vec<String> = unknown_types.into_iter().collect();
        return Err(Error::format(format!("Unrecognized resource types: [{}]", names.join(", "))));
    }
    check_dependencies(template)
}

fn check_policy(logical_id: &str, policy: Option<&Value>) -> Result<(), Error> {
    match policy.and_then(Value::as_str) {
        None | Some("Delete" | "Retain" | "RetainExceptOnCreate" | "Snapshot") => Ok(()),
        Some(other) => Err(Error::format(format!(
            "Unrecognized DeletionPolicy {other} for resource {logical_id}"
        ))),
    }
}

fn check_dependencies(template: &Template) -> Result<(), Error> {
    let mut unknown = Vec::new();
    for (_, resource) in template.section("Resources") {
        let mut found = Vec::new();
        let properties = resource.get("Properties");
        if let Some(properties) = properties {
            collect(properties, &Conditions::new(), &mut found);
        }
        check_get_att(template, &found)?;
        unknown.extend(unresolved(template, &found, Scope::Everything));
        let depends_on = graph::depends_on(resource);
        unknown.extend(depends_on.into_iter().filter(|name| template.resource(name).is_none()));
    }
    refuse_unresolved(unknown, "Resources")
}

fn refuse_unresolved(mut unknown: Vec<String>, block: &str) -> Result<(), Error> {
    unknown.sort_unstable();
    unknown.dedup();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Error::format(format!(
        "Unresolved resource dependencies [{}] in the {block} block of the template",
        unknown.join(", ")
    )))
}

fn check_get_att(template: &Template, found: &[Reference]) -> Result<(), Error> {
    let missing = found.iter().find_map(|reference| match reference {
        Reference::GetAtt(name) if template.resource(name).is_none() => Some(name),
        Reference::GetAtt(_) | Reference::Ref(_) | Reference::Sub(_) => None,
    });
    missing.map_or(Ok(()), |name| {
        Err(Error::template(format!("instance of Fn::GetAtt references undefined resource {name}")))
    })
}

/// What may be referred to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Parameters,
    Everything,
}

fn unresolved(template: &Template, found: &[Reference], scope: Scope) -> Vec<String> {
    let known = |name: &str| {
        PSEUDO_PARAMETERS.contains(&name)
            || template.body.path(&["Parameters", name]).is_some()
            || (scope == Scope::Everything && template.resource(name).is_some())
    };
    found.iter().map(Reference::name).filter(|name| !known(name)).map(str::to_owned).collect()
}

fn check_outputs(template: &Template) -> Result<(), Error> {
    let mut unknown = Vec::new();
    for (name, output) in template.section("Outputs") {
        check_name("Output", name)?;
        if let Some(condition) = output.get("Condition").and_then(Value::as_str) {
            check_condition_exists(template, condition, "Outputs")?;
        }
        let Some(value) = output.get("Value") else {
            return Err(Error::format(format!(
                "[/Outputs/{name}] Every Outputs member must contain a Value object"
            )));
        };
        let mut found = Vec::new();
        collect(value, &Conditions::new(), &mut found);
        check_get_att(template, &found)?;
        unknown.extend(unresolved(template, &found, Scope::Everything));
    }
    refuse_unresolved(unknown, "Outputs")
}

/// Checks the shape of every intrinsic function, wherever it stands.
fn check_functions(value: &Value, template: &Template) -> Result<(), Error> {
    if let Some((name, argument)) = intrinsic(value) {
        check_function(name, argument, template)?;
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|v| check_functions(v, template)),
        Value::Object(map) => map.values().try_for_each(|v| check_functions(v, template)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_function(name: &str, argument: &Value, template: &Template) -> Result<(), Error> {
    let items = argument.as_array().map_or(0, <[Value]>::len);
    let refuse = |text: &str| Err(Error::template(text));
    match name {
        "Ref" if argument.as_str().is_none() => {
            refuse("every Ref object must have a single String value.")
        }
        "Fn::GetAtt" if argument.as_str().is_some_and(|text| !text.contains('.')) => refuse(
            "if specifying one argument to Fn::GetAtt, that argument must be a non-empty string \
             in format <LogicalId>.<Attribute>",
        ),
        "Fn::GetAtt" if argument.as_str().is_none() && items != 2 => refuse(
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
             resource attribute",
        ),
        "Fn::Join" if items != 2 => refuse(
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list \
             of strings to be joined or a function that returns a list of strings (such as \
             Fn::GetAZs) to be joined.",
        ),
        "Fn::Split" if items != 2 => refuse(
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a \
             string to be split or a function that returns a string to be split.",
        ),
        "Fn::Select" if items != 2 => {
            refuse("Fn::Select requires a list argument with two elements")
        }
        "Fn::If" if items != 3 => refuse("Fn::If requires a list argument with three elements"),
        "Fn::If" => {
            let condition = argument.at(0).and_then(Value::as_str).unwrap_or("");
            check_condition_exists(template, condition, "Resources")
        }
        "Fn::Equals" if items != 2 => {
            refuse("Fn::Equals requires a list argument with two elements.")
        }
        "Fn::Not" if items != 1 => refuse("Fn::Not object requires a list argument."),
        "Fn::And" | "Fn::Or" if !(2..=10).contains(&items) => refuse(&format!(
            "every {name} object requires a list of at least 2 and at most 10 boolean parameters."
        )),
        "Fn::FindInMap" if !(3..=4).contains(&items) => refuse(
            "every Fn::FindInMap object requires three parameters, the map name, map key and the \
             attribute for return value",
        ),
        "Fn::Sub" => check_sub(argument),
        _ => Ok(()),
    }
}

fn check_sub(argument: &Value) -> Result<(), Error> {
    let text = argument.as_str().or_else(|| argument.at(0).and_then(Value::as_str));
    let listed = argument.as_array().is_none_or(|items| items.len() == 2);
    let Some(text) = text.filter(|_| listed) else {
        return Err(Error::template(
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a \
             string as first argument, and an optional second argument to specify a mapping of \
             values to replace in the string",
        ));
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':');
    let invalid = sub_pieces(text).into_iter().any(|piece| match piece {
        SubPiece::Variable(name) => name.is_empty() || !name.chars().all(allowed),
        SubPiece::Text(_) | SubPiece::Literal(_) => false,
    });
    if invalid {
        return Err(Error::template(
            "variable names in Fn::Sub syntax must contain only alphanumeric characters, \
             underscores, periods, and colons",
        ));
    }
    Ok(())
}
