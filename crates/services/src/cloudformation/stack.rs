//! Stacks as they are stored, and how a request finds one.
//!
//! The runtime writes the record of a stack while an operation runs. Between operations nobody
//! does, except a change set that creates a stack to be reviewed. What may change at any time
//! (termination protection) stands beside the name.

use serde::{Deserialize, Serialize};
use stacks::{Identity, State, Status};
use store::{Load, Read, Scan, Table};
use value::{Value, value};

use super::error;
use crate::page::{Page, cut, open_marker};
use crate::{Check, Error, Input, Reading};

/// How many stacks are read at a time.
const STACKS_READ_AT_ONCE: usize = 500;
/// Later than any time that is written down, in milliseconds: what counts down from here sorts the
/// newest first.
const END_OF_TIME_MILLIS: i64 = 9_999_999_999_999;

/// What the runtime keeps of a stack in `Table::Stacks`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stack {
    /// What the engine knows.
    pub(super) state: State,
    /// What the API keeps beside it.
    pub(super) about: About,
    /// How many events the stack has had.
    pub(super) events: u64,
}

/// What the API keeps of a stack beside the engine's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// The last operation.
    pub(super) last: Last,
    pub(super) created_millis: i64,
    pub(super) updated_millis: Option<i64>,
    pub(super) deleted_millis: Option<i64>,
    pub(super) role_arn: Option<String>,
    pub(super) timeout_minutes: Option<i64>,
    pub(super) disable_rollback: bool,
    /// What the last creation or update asked for.
    pub(super) asked: Asked,
    /// What held before the last update, should it be rolled back.
    pub(super) before: Option<Asked>,
}

/// The last operation on a stack.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Last {
    /// Its number: operations are counted from 1; 0 is a stack that waits for its change set.
    pub(super) number: u64,
    /// The API's name of it; empty before the first.
    pub(super) action: String,
    /// `ClientRequestToken`.
    pub(super) token: Option<String>,
    /// The effect that asked for it, when a running process did.
    pub(super) effect_id: Option<String>,
    /// The change set that it executed.
    pub(super) change_set_id: Option<String>,
}

/// What a creation or an update asks for, beyond what the engine keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Key of the template's text in `Table::Definitions`.
    pub(super) definition: String,
    pub(super) capabilities: Vec<String>,
    /// Tags as the API shows them.
    pub(super) tags: Value,
    pub(super) notification_arns: Vec<String>,
}

/// What stands beside a name in `Table::StacksByName`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Name {
    /// The stack that has the name, or had it last, or is about to get it.
    pub(super) stack_id: String,
    pub(super) is_protected: bool,
}

impl Stack {
    pub(super) fn id(&self) -> &str {
        &self.state.identity.stack_id
    }

    pub(super) fn name(&self) -> &str {
        &self.state.identity.stack_name
    }

    /// Returns whether it is only a name, which waits for its change set.
    pub(super) fn is_reviewed(&self) -> bool {
        self.state.status == Status::ReviewInProgress
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.state.status == Status::DeleteComplete
    }

    /// Returns what holds now: after an update that failed, what held before it.
    pub(super) fn holds(&self) -> &Asked {
        let about = &self.about;
        match self.state.status {
            Status::UpdateFailed
            | Status::UpdateRollbackInProgress
            | Status::UpdateRollbackComplete
            | Status::UpdateRollbackFailed
            | Status::UpdateRollbackCompleteCleanupInProgress => {
                about.before.as_ref().unwrap_or(&about.asked)
            }
            Status::ReviewInProgress
            | Status::CreateInProgress
            | Status::CreateComplete
            | Status::CreateFailed
            | Status::RollbackInProgress
            | Status::RollbackComplete
            | Status::RollbackFailed
            | Status::DeleteInProgress
            | Status::DeleteComplete
            | Status::DeleteFailed
            | Status::DeleteSkipped
            | Status::UpdateInProgress
            | Status::UpdateComplete
            | Status::UpdateCompleteCleanupInProgress => &about.asked,
        }
    }

    /// Returns the template's text, byte for byte as it was sent.
    pub(super) fn template_text(&self, store: &dyn Read) -> Result<String, Error> {
        definition_text(store, &self.holds().definition)
    }
}

/// Returns a text of `Table::Definitions`.
pub(super) fn definition_text(store: &dyn Read, key: &str) -> Result<String, Error> {
    let bytes = store.get(Table::Definitions, key)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|err| Error::internal(&err))
}

/// Returns what the engine is told of where a stack lives.
pub(super) fn identity(on: &Reading<'_>, name: &str, stack_id: &str) -> Identity {
    Identity {
        stack_name: name.to_owned(),
        stack_id: stack_id.to_owned(),
        account: on.call.account().to_owned(),
        region: on.call.region.clone(),
        partition: on.call.settings.partition.clone(),
    }
}

pub(super) fn name_key(on: &Reading<'_>, name: &str) -> String {
    format!("{}/{}/{name}", on.call.account(), on.call.region)
}

/// Returns what is known of a name.
pub(super) fn find_name(on: &Reading<'_>, name: &str) -> Result<Option<Name>, Error> {
    Ok(on.store.load(Table::StacksByName, &name_key(on, name))?)
}

/// Returns the stack with an id, deleted or not, or the undeleted stack with a name.
pub(super) fn find(on: &Reading<'_>, name_or_id: &str) -> Result<Option<Stack>, Error> {
    if name_or_id.starts_with("arn:") {
        return Ok(on.store.load(Table::Stacks, name_or_id)?);
    }
    let Some(name) = find_name(on, name_or_id)? else { return Ok(None) };
    let stack: Option<Stack> = on.store.load(Table::Stacks, &name.stack_id)?;
    Ok(stack.filter(|stack| !stack.is_deleted()))
}

/// Returns the stack that `StackName` means.
///
/// # Errors
/// `ValidationError` when there is none.
pub(super) fn wanted(on: &Reading<'_>, input: &Value) -> Result<Stack, Error> {
    let name = input.text("StackName")?;
    find(on, name)?.ok_or_else(|| error::no_stack_with_id(name))
}

/// Returns every stack of the account in this region, the newest first.
pub(super) fn all(on: &Reading<'_>) -> Result<Vec<(String, Stack)>, Error> {
    let prefix = on.call.regional_arn("cloudformation", "stack/");
    let mut found: Vec<(String, Stack)> = Vec::new();
    let mut behind: Option<String> = None;
    // INVARIANT: ends, because each round starts behind the last key of the one before.
    loop {
        let scan = Scan::prefix(&prefix).after(behind.as_deref()).limit(STACKS_READ_AT_ONCE);
        let rows: Vec<(String, Stack)> = on.store.load_all(Table::Stacks, scan)?;
        let Some((last, _)) = rows.last() else { break };
        behind = Some(last.clone());
        found.extend(rows.into_iter().map(|(id, stack)| {
            let age = END_OF_TIME_MILLIS.saturating_sub(stack.about.created_millis);
            (format!("{age:013}/{id}"), stack)
        }));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Cuts the page that a request asks for out of rows in key order.
pub(super) fn page<T>(
    rows: Vec<(String, T)>,
    input: &Value,
    limit: usize,
) -> Result<Page<T>, Error> {
    Ok(cut(rows, after(input)?.as_deref(), limit))
}

/// Returns the key behind which a request goes on.
pub(super) fn after(input: &Value) -> Result<Option<String>, Error> {
    let token = input.maybe_text("NextToken");
    token.map(|token| open_marker(token).ok_or_else(error::invalid_next_token)).transpose()
}

/// Returns a time as answers have it.
pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// Returns the question about an action on the stack that `StackName` means.
pub(super) fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    check_named(on, action, input.text("StackName")?)
}

/// Returns the question about an action on a stack.
pub(super) fn check_named(on: &Reading<'_>, action: &str, name: &str) -> Result<Check, Error> {
    let action = format!("cloudformation:{action}");
    let Some(stack) = find(on, name)? else {
        let arn = match name.strip_prefix("arn:") {
            Some(_) => name.to_owned(),
            None => on.call.regional_arn("cloudformation", &format!("stack/{name}/*")),
        };
        return Ok(Check::new(action, arn));
    };
    let mut check = Check::new(action, stack.id());
    for (key, tag) in stack.holds().tags() {
        check = check.with(format!("aws:ResourceTag/{key}"), vec![tag.to_owned()]);
    }
    Ok(check)
}

impl Asked {
    /// Returns what a stack has that is yet to be created.
    pub(super) fn nothing() -> Asked {
        Asked {
            definition: String::new(),
            capabilities: Vec::new(),
            tags: Value::from(Vec::<Value>::new()),
            notification_arns: Vec::new(),
        }
    }

    /// Returns keys and values of the tags.
    fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.tags.as_array().unwrap_or_default().iter();
        tags.filter_map(|tag| Some((tag.maybe_text("Key")?, tag.maybe_text("Value")?)))
    }
}

/// Returns the parameters of a stack as they are shown: those with `NoEcho` masked.
pub(super) fn shown_parameters(parameters: &stacks::Parameters) -> Value {
    let shown = parameters.iter().map(|(key, parameter)| {
        let text = if parameter.no_echo { "****" } else { &*parameter.text };
        let resolved = parameter.resolved.clone().filter(|_| !parameter.no_echo);
        value!({ "ParameterKey": key, "ParameterValue": text }).with_some("ResolvedValue", resolved)
    });
    shown.collect()
}
