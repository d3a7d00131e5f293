//! What CreateStack, UpdateStack and CreateChangeSet have in common: template, parameters,
//! capabilities, role, tags.

use std::collections::BTreeMap;

use runtime::{Caller, definition_key};
use stacks::{
    Change, Identity, OnFailure, ParameterInput, ParameterSource, TEMPLATE_BODY_BYTES_MAX, Template,
};
use value::Value;

use super::stack::{self, Asked, Stack};
use super::{error, parameter_store};
use crate::{Check, Error, Input, Reading, Writing, roles, states};

/// Whom a stack's role has to trust.
const SERVICE: &str = "cloudformation.amazonaws.com";
/// How many tags a stack may have (CloudFormation quotas).
const TAGS_MAX: usize = 50;
/// Members that ask for what is not there: refused by name, never ignored. `IncludeNestedStacks`
/// is not among them: no stack has another in it here.
const NOT_AVAILABLE: [&str; 9] = [
    "TemplateURL",
    "StackPolicyBody",
    "StackPolicyURL",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "ResourceTypes",
    "ResourcesToImport",
    "RetainExceptOnCreate",
    "ImportExistingResources",
];

/// Refuses members that ask for what is not there; `false` and empty lists ask for nothing.
pub(super) fn check_available(input: &Value) -> Result<(), Error> {
    for member in NOT_AVAILABLE {
        let asked = input.get(member).is_some_and(|given| {
            given.as_bool() != Some(false) && given.as_array().is_none_or(|list| !list.is_empty())
        });
        if asked {
            return Err(error::not_available(member));
        }
    }
    let triggers = input.path(&["RollbackConfiguration", "RollbackTriggers"]);
    match triggers.and_then(Value::as_array) {
        Some([_, ..]) => Err(error::not_available("RollbackConfiguration.RollbackTriggers")),
        Some([]) | None => Ok(()),
    }
}

/// Returns what the request itself asks the policies: condition keys, and the role to pass.
pub(super) fn checks(check: Check, input: &Value) -> Vec<Check> {
    let mut check = check;
    let tags = input.list("Tags");
    let key = |tag: &Value| tag.maybe_text("Key").unwrap_or_default().to_owned();
    for tag in tags {
        let value = tag.maybe_text("Value").unwrap_or_default().to_owned();
        check = check.with(format!("aws:RequestTag/{}", key(tag)), vec![value]);
    }
    if !tags.is_empty() {
        check = check.with("aws:TagKeys", tags.iter().map(key).collect());
    }
    if let Some(name) = input.maybe_text("ChangeSetName") {
        check = check.with("cloudformation:ChangeSetName", vec![name.to_owned()]);
    }
    let Some(role) = input.maybe_text("RoleARN") else { return vec![check] };
    vec![
        check.with("cloudformation:RoleArn", vec![role.to_owned()]),
        Check::pass_role(role, SERVICE),
    ]
}

/// Checks the name of a new stack.
pub(super) fn check_stack_name(name: &str) -> Result<(), Error> {
    check_name("stackName", name)
}

/// Checks the name of a new stack or change set.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), Error> {
    let constraint = |what: &str| {
        Error::validation(format!(
            "1 validation error detected: Value '{name}' at '{member}' failed to satisfy \
             constraint: Member must {what}"
        ))
    };
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(constraint("satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"));
    }
    if NAME_CHARACTERS_MAX < name.len() {
        return Err(constraint("have length less than or equal to 128"));
    }
    Ok(())
}

/// How long the name of a stack or a change set may be.
const NAME_CHARACTERS_MAX: usize = 128;

/// Returns the text of the template in a request; `current` serves `UsePreviousTemplate`.
pub(super) fn template_text(
    on: &Reading<'_>,
    input: &Value,
    current: Option<&Stack>,
) -> Result<String, Error> {
    if let Some(stack) = current.filter(|_| input.flag("UsePreviousTemplate")) {
        return stack.template_text(on.store);
    }
    let text = input.maybe_text("TemplateBody").ok_or_else(|| {
        Error::validation("Either Template URL or Template Body must be specified.")
    })?;
    if TEMPLATE_BODY_BYTES_MAX < text.len() {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: \
             Member must have length less than or equal to {TEMPLATE_BODY_BYTES_MAX}"
        )));
    }
    Ok(text.to_owned())
}

/// Returns the parameters of a request.
pub(super) fn parameters(input: &Value) -> Result<Vec<ParameterInput>, Error> {
    let given = input.list("Parameters").iter();
    given
        .map(|parameter| {
            let key = parameter.text("ParameterKey")?.to_owned();
            let value = match parameter.maybe_text("ParameterValue") {
                _ if parameter.flag("UsePreviousValue") => ParameterSource::Previous,
                Some(text) => ParameterSource::Given(text.to_owned()),
                // UNVERIFIED: the exact words.
                None => {
                    let text = format!("Invalid input for parameter key {key}: it has no value");
                    return Err(Error::validation(text));
                }
            };
            Ok(ParameterInput { key, value, resolved: None })
        })
        .collect()
}

/// Returns the exports of all stacks, when the template imports any.
pub(super) fn imports(on: &Reading<'_>, text: &str) -> Result<BTreeMap<String, String>, Error> {
    if !text.contains("ImportValue") {
        return Ok(BTreeMap::new());
    }
    let stacks = stack::all(on)?.into_iter().filter(|(_, stack)| !stack.is_deleted());
    let outputs = stacks.flat_map(|(_, stack)| stack.state.outputs);
    Ok(outputs.filter_map(|output| Some((output.export_name?, output.value))).collect())
}

/// A request, checked.
pub(super) struct Checked {
    pub(super) change: Change,
    pub(super) asked: Asked,
    pub(super) role_arn: Option<String>,
    text: String,
}

impl Checked {
    /// Keeps the text of the template. Unused, it does no harm: texts are kept by their hash.
    pub(super) fn keep_template(&self, on: &mut Writing<'_>) -> Result<(), Error> {
        Ok(states::keep_content(on.store, &self.asked.definition, self.text.as_bytes())?)
    }
}

/// Checks template, parameters, capabilities, tags and role.
pub(super) fn check(
    on: &Reading<'_>,
    input: &Value,
    identity: &Identity,
    current: Option<&Stack>,
) -> Result<Checked, Error> {
    let text = template_text(on, input, current)?;
    let refused = |err: stacks::Error| error::refused(&err);
    let template = Template::parse(&text).map_err(refused)?;
    let capabilities = texts(input, "Capabilities");
    let given: Vec<&str> = capabilities.iter().map(String::as_str).collect();
    let change =
        parameter_store::change(on, &text, template, parameters(input)?, current, identity)?;
    change.template.check_capabilities(&given).map_err(refused)?;
    let role_arn = role(on, input, &identity.stack_id, current)?;
    let before = current.map(Stack::holds);
    let asked = Asked {
        definition: definition_key(&text),
        capabilities,
        tags: tags(input, before)?,
        notification_arns: match (input.get("NotificationARNs"), before) {
            (None, Some(before)) => before.notification_arns.clone(),
            (Some(_) | None, _) => texts(input, "NotificationARNs"),
        },
    };
    Ok(Checked { change, asked, role_arn, text })
}

fn texts(input: &Value, member: &str) -> Vec<String> {
    let items = input.list(member).iter();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the tags of the request, or those that the stack has.
fn tags(input: &Value, before: Option<&Asked>) -> Result<Value, Error> {
    let Some(tags) = input.get("Tags") else {
        return Ok(before.map_or_else(|| Value::from(Vec::<Value>::new()), |b| b.tags.clone()));
    };
    if TAGS_MAX < input.list("Tags").len() {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member \
             must have length less than or equal to {TAGS_MAX}"
        )));
    }
    Ok(tags.clone())
}

/// Returns the role of the request, or the one that the stack has.
pub(super) fn role(
    on: &Reading<'_>,
    input: &Value,
    stack_id: &str,
    current: Option<&Stack>,
) -> Result<Option<String>, Error> {
    let Some(role) = input.maybe_text("RoleARN") else {
        return Ok(current.and_then(|stack| stack.about.role_arn.clone()));
    };
    roles::check_assumable(on, role, SERVICE, stack_id)
        .map_err(|_| error::role_not_assumable(role))?;
    Ok(Some(role.to_owned()))
}

/// Returns as whom resources are made: the role, or whoever asks.
pub(super) fn caller(on: &Reading<'_>, role_arn: Option<&str>, stack_id: &str) -> Caller {
    match role_arn {
        Some(role_arn) => Caller::Role {
            role_arn: role_arn.to_owned(),
            service: SERVICE.into(),
            session_name: "AWSCloudFormation".into(),
            source_arn: stack_id.to_owned(),
        },
        None => Caller::Principal(Box::new((*on.call.principal).clone())),
    }
}

/// Returns what is to be done when a resource fails. `member` is `OnFailure` or `OnStackFailure`.
pub(super) fn on_failure(input: &Value, member: &str) -> Result<OnFailure, Error> {
    let disable = input.get("DisableRollback").is_some();
    match input.maybe_text(member) {
        // UNVERIFIED: the exact words.
        Some(_) if disable => Err(Error::validation(format!(
            "You can specify either DisableRollback or {member}, but not both."
        ))),
        Some("DO_NOTHING") => Ok(OnFailure::DoNothing),
        Some("DELETE") => Ok(OnFailure::Delete),
        None if input.flag("DisableRollback") => Ok(OnFailure::DoNothing),
        Some(_) | None => Ok(OnFailure::Rollback),
    }
}
