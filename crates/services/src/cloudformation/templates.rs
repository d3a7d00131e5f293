//! Templates: GetTemplate, GetTemplateSummary, ValidateTemplate.
//!
//! AWS CloudFormation API reference, "GetTemplateSummary" (read 2026-11).

use stacks::Template;
use value::{Value, value};

use super::stack;
use super::{change_sets, error, request};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "GetTemplate", checks: may_get, run: Run::Read(get) },
    Operation { name: "GetTemplateSummary", checks: may_summarize, run: Run::Read(summarize) },
    Operation { name: "ValidateTemplate", checks: may_validate, run: Run::Read(validate) },
];

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    if input.get("ChangeSetName").is_some() {
        return Ok(vec![change_sets::check(on, "GetTemplate", input)?]);
    }
    Ok(vec![stack::check(on, "GetTemplate", input)?])
}

/// There are no transforms: the processed template is the one that was sent.
fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let text = match input.get("ChangeSetName") {
        Some(_) => change_sets::template_text(on, input)?,
        None => deployed(on, input)?,
    };
    Ok(value!({ "TemplateBody": text, "StagesAvailable": ["Original", "Processed"] }))
}

fn deployed(on: &Reading<'_>, input: &Value) -> Result<String, Error> {
    let stack = stack::wanted(on, input)?;
    if stack.is_reviewed() {
        // UNVERIFIED: what AWS says of a stack that has no template yet.
        return Err(error::no_stack_with_id(stack.name()));
    }
    stack.template_text(on.store)
}

fn may_summarize(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    match input.maybe_text("StackName") {
        Some(name) => Ok(vec![stack::check_named(on, "GetTemplateSummary", name)?]),
        None => Ok(vec![Check::any("cloudformation:GetTemplateSummary")]),
    }
}

fn summarize(on: &Reading<'_>, input: &Value) -> Answer {
    let text = match input.maybe_text("StackName") {
        Some(_) => deployed(on, input)?,
        None => given(on, input)?,
    };
    let template = parse(&text)?;
    let mut types: Vec<String> = template
        .section("Resources")
        .filter_map(|(_, resource)| resource.maybe_text("Type").map(str::to_owned))
        .collect();
    types.sort_unstable();
    types.dedup();
    let body = template.body();
    let version = body.maybe_text("AWSTemplateFormatVersion").map(str::to_owned);
    let metadata = body.get("Metadata").map(ToString::to_string);
    Ok(summary(&template)
        .with("Parameters", detailed_parameters(&template))
        .with("ResourceTypes", types)
        .with_some("Version", version)
        .with_some("Metadata", metadata))
}

fn may_validate(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("cloudformation:ValidateTemplate")])
}

fn validate(on: &Reading<'_>, input: &Value) -> Answer {
    Ok(summary(&parse(&given(on, input)?)?))
}

/// Returns the template in a request.
fn given(on: &Reading<'_>, input: &Value) -> Result<String, Error> {
    request::check_available(input)?;
    request::template_text(on, input, None)
}

fn parse(text: &str) -> Result<Template, Error> {
    Template::parse(text).map_err(|err| error::refused(&err))
}

/// Returns what both summaries have.
fn summary(template: &Template) -> Value {
    let (capabilities, reasons) = template.required_capabilities();
    let capabilities: Vec<&str> = capabilities.iter().map(|one| one.as_str()).collect();
    let reason =
        format!("The following resource(s) require capabilities: [{}]", reasons.join(", "));
    let summary = value!({
        "Parameters": template.parameter_summaries(),
        "DeclaredTransforms": [],
    });
    let summary = summary.with_some("Description", template.description());
    if capabilities.is_empty() {
        return summary;
    }
    summary
        .with("Capabilities", capabilities.into_iter().collect::<Value>())
        .with("CapabilitiesReason", reason)
}

/// GetTemplateSummary also tells types and constraints.
fn detailed_parameters(template: &Template) -> Value {
    let summaries = template.parameter_summaries();
    let summaries = summaries.as_array().unwrap_or_default().iter();
    let detailed = summaries.zip(template.section("Parameters")).map(|(summary, (_, declared))| {
        let allowed = declared.get("AllowedValues").cloned();
        let constraints = Value::object().with_some("AllowedValues", allowed);
        let kind = declared.maybe_text("Type").unwrap_or("String");
        summary.clone().with("ParameterType", kind).with("ParameterConstraints", constraints)
    });
    detailed.collect()
}
