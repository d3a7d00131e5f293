//! What is simulated: actions, resources, context, and the policies that come with the call.

use std::sync::Arc;

use policy::{Arn, Context, Document, Kind, Policy, Principal, Request};
use value::Value;

use super::super::error::invalid_input;
use super::scenarios;
use crate::{Error, Input};

/// How many actions one call may ask about.
///
/// UNVERIFIED: AWS's number.
const ACTIONS_MAX: usize = 128;
/// How many decisions one call may ask for: actions times resources.
const DECISIONS_MAX: usize = 10_000;
/// How an account is written in an ARN of its root.
const ROOT: &str = "root";

/// The members that both operations have.
pub(super) struct Question {
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    /// The account of resources whose ARN does not say it.
    resource_owner: Option<String>,
    pub(super) context: Context,
    /// `CallerArn`.
    pub(super) caller: Option<Principal>,
    pub(super) boundary: Option<Vec<Policy>>,
    pub(super) resource_policy: Option<Policy>,
}

impl Question {
    /// Reads what both operations have in common.
    ///
    /// # Errors
    /// `InvalidInput` with what is wrong.
    pub(super) fn read(input: &Value) -> Result<Question, Error> {
        let actions = actions(input)?;
        let resources = resources(input)?;
        if actions.len() * resources.len() > DECISIONS_MAX {
            return Err(invalid_input(format!(
                "ActionNames times ResourceArns is more than {DECISIONS_MAX} decisions"
            )));
        }
        if let Some(option) = input.maybe_text("ResourceHandlingOption") {
            scenarios::check(option, &resources)?;
        }
        let boundary = policies(input, "PermissionsBoundaryPolicyInputList", Kind::Boundary)?;
        if boundary.len() > 1 {
            // UNVERIFIED: AWS's text; it takes one boundary.
            return Err(invalid_input("Only one permissions boundary policy can be simulated"));
        }
        Ok(Question {
            actions,
            resources,
            resource_owner: resource_owner(input)?,
            context: context(input)?,
            caller: input.maybe_text("CallerArn").map(caller).transpose()?,
            boundary: (!boundary.is_empty()).then_some(boundary),
            resource_policy: match input.maybe_text("ResourcePolicy") {
                Some(text) => Some(compiled("ResourcePolicy", text, Kind::Resource)?),
                None => None,
            },
        })
    }

    /// Returns a request with the owner of its resource, where the ARN does not name one.
    pub(super) fn owned(&self, request: Request, resource: &str) -> Request {
        let named = resource.split(':').nth(4).is_some_and(|account| !account.is_empty());
        match self.resource_owner.as_deref().filter(|_| !named) {
            Some(owner) => request.in_account(owner),
            None => request,
        }
    }
}

fn texts(input: &Value, member: &str) -> Vec<String> {
    input.list(member).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn actions(input: &Value) -> Result<Vec<String>, Error> {
    let actions = texts(input, "ActionNames");
    if actions.is_empty() {
        return Err(invalid_input("ActionNames is empty"));
    }
    if actions.len() > ACTIONS_MAX {
        return Err(invalid_input(format!("ActionNames has more than {ACTIONS_MAX} items")));
    }
    let parts = |action: &str| {
        let (service, name) = action.split_once(':')?;
        let whole = !service.is_empty() && !name.is_empty() && !action.contains(['*', '?']);
        whole.then_some(())
    };
    match actions.iter().find(|action| parts(action).is_none()) {
        // UNVERIFIED: AWS's text for what is no action.
        Some(other) => Err(invalid_input(format!("Invalid Action: {other}"))),
        None => Ok(actions),
    }
}

fn resources(input: &Value) -> Result<Vec<String>, Error> {
    let resources = texts(input, "ResourceArns");
    let strangers: Vec<&str> = resources
        .iter()
        .map(String::as_str)
        .filter(|text| *text != "*" && text.parse::<Arn>().is_err())
        .collect();
    if !strangers.is_empty() {
        let shown = strangers.join(", ");
        return Err(invalid_input(format!(
            "ResourceNames are not in a valid ARN format: {shown}."
        )));
    }
    Ok(if resources.is_empty() { vec!["*".to_owned()] } else { resources })
}

/// Reads an account, or the ARN of its root, as the two pages of the reference have it.
fn resource_owner(input: &Value) -> Result<Option<String>, Error> {
    let Some(text) = input.maybe_text("ResourceOwner") else { return Ok(None) };
    let of_root = text.parse::<Arn>().ok().filter(|arn| arn.resource() == ROOT);
    let account = of_root.as_ref().map_or(text, Arn::account);
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(account.to_owned()));
    }
    Err(invalid_input(format!("'{text}' is not a valid as a Resource Owner.")))
}

fn caller(text: &str) -> Result<Principal, Error> {
    // UNVERIFIED: AWS's text; it takes the ARN of a user only.
    let refused = || invalid_input(format!("Invalid Caller Arn: {text} is not the ARN of a user"));
    let arn: Arn = text.parse().map_err(|_| refused())?;
    let path = arn.resource().strip_prefix("user/").filter(|_| arn.service() == "iam");
    let (path, name) =
        path.map(|path| path.rsplit_once('/').unwrap_or(("", path))).ok_or_else(refused)?;
    if name.is_empty() {
        return Err(refused());
    }
    let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    Ok(Principal::user(arn.account(), &path, name, "").in_partition(arn.partition()))
}

/// Reads the policies of a list; their labels are those that results show.
///
/// # Errors
/// `InvalidInput` in the words for malformed documents.
pub(crate) fn policies(input: &Value, member: &str, kind: Kind) -> Result<Vec<Policy>, Error> {
    let documents = input.list(member).iter().filter_map(Value::as_str).enumerate();
    documents.map(|(at, text)| compiled(&format!("{member}.{}", at + 1), text, kind)).collect()
}

fn compiled(label: &str, text: &str, kind: Kind) -> Result<Policy, Error> {
    let document = Document::parse(text, kind).map_err(|fault| {
        // UNVERIFIED: that InvalidInput has the words of MalformedPolicyDocument.
        invalid_input(fault.message)
    })?;
    Ok(Policy::new(label, Arc::new(document)))
}

fn context(input: &Value) -> Result<Context, Error> {
    let mut context = Context::new();
    for entry in input.list("ContextEntries") {
        let Some(key) = entry.maybe_text("ContextKeyName") else {
            return Err(invalid_input("A context entry has no ContextKeyName"));
        };
        context.set_list(key, texts(entry, "ContextKeyValues"));
    }
    Ok(context)
}
