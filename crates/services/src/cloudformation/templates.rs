//! GetTemplate, GetTemplateSummary, ValidateTemplate.
//!
//! AWS CloudFormation API reference, "GetTemplate" (read 2026-11).

use stacks::Template;
use value::{Value, value};

use super::{error, request, stack};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "GetTemplate",
        checks: |on, input| Ok(vec![stack::check(on, "GetTemplate", input)?]),
        run: Run::Read(get),
    },
    Operation { name: "GetTemplateSummary", checks: may_summarize, run: Run::Read(summarize) },
    Operation {
        name: "ValidateTemplate",
        checks: |_, _| Ok(vec![Check::any("cloudformation:ValidateTemplate")]),
        run: Run::Read(validate),
    },
];

/// The text as it was sent, byte for byte.
fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let found = stack::wanted(on, input)?;
    Ok(value!({
        "TemplateBody": found.template_text(on.store)?,
        "StagesAvailable": ["Original", "Processed"],
    }))
}

fn may_summarize(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    match input.maybe_text("StackName") {
        Some(name) => Ok(vec![stack::check_named(on, "GetTemplateSummary", name)?]),
        None => Ok(vec![Check::any("cloudformation:GetTemplateSummary")]),
    }
}

/// Reads the template of a request, or of the stack that it names.
fn template(on: &Reading<'_>, input: &Value) -> Result<Template, Error> {
    request::check_available(input)?;
    let text = match input.maybe_text("StackName") {
        Some(_) => stack::wanted(on, input)?.template_text(on.store)?,
        None => request::template_text(on, input, None)?,
    };
    Template::parse(&text).map_err(|err| error::refused(&err))
}

/// Returns capabilities, why they are needed, and the description, as two operations show them.
fn needs(template: &Template) -> Value {
    let (capabilities, resources) = template.required_capabilities();
    let words: Value = capabilities.iter().map(|capability| capability.as_str()).collect();
    let reason = (!resources.is_empty()).then(|| {
        format!("The following resource(s) require capabilities: [{}]", resources.join(", "))
    });
    value!({ "Capabilities": words })
        .with_some("CapabilitiesReason", reason)
        .with_some("Description", template.description())
}

fn summarize(on: &Reading<'_>, input: &Value) -> Answer {
    let template = template(on, input)?;
    let kinds = template.section("Resources");
    let kinds = kinds.filter_map(|(_, resource)| resource.get("Type").cloned());
    let version = template.body().get("AWSTemplateFormatVersion").cloned();
    Ok(needs(&template)
        .with("Parameters", template.parameter_summaries())
        .with("ResourceTypes", kinds.collect::<Value>())
        .with_some("Version", version))
}

fn validate(on: &Reading<'_>, input: &Value) -> Answer {
    let template = template(on, input)?;
    let mut parameters = template.parameter_summaries();
    for parameter in parameters.array_mut() {
        parameter.object_mut().retain(|key, _| {
            matches!(&**key, "ParameterKey" | "DefaultValue" | "NoEcho" | "Description")
        });
    }
    Ok(needs(&template).with("Parameters", parameters))
}
