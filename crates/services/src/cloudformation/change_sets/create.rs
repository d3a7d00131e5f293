//! CreateChangeSet.
//!
//! AWS CloudFormation API reference, "CreateChangeSet" (read 2026-11).

use runtime::stack_event_key;
use stacks::{Identity, StackEvent, State, Status};
use store::{Load, Save, Table};
use value::{Value, value};

use super::super::create::{reserve, reserved_id};
use super::super::stack::{self, About, Asked, Last, Stack};
use super::super::update::{check_changes, check_updatable};
use super::super::{error, parameter_store, request};
use super::{ChangeSet, key};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

pub(in super::super) const OPERATIONS: &[Operation] =
    &[Operation { name: "CreateChangeSet", checks: may_create, run: Run::Write(create) }];

/// Why a change set fails that would change nothing.
const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different \
                          information to create a change set.";

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let check = stack::check(on, "CreateChangeSet", input)?;
    let mut checks = request::checks(check, input);
    let current = stack::find(on, input.text("StackName")?)?;
    checks.extend(parameter_store::checks(on, input, current.as_ref())?);
    Ok(checks)
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("ChangeSetName")?;
    request::check_name("changeSetName", name)?;
    request::check_available(input)?;
    let subject = subject(&on.reading(), input)?;
    let stack_id = subject.stack_id().to_owned();
    let existing: Option<ChangeSet> = on.store.load(Table::ChangeSets, &key(&stack_id, name))?;
    if let Some(existing) = existing {
        let token = input.maybe_text("ClientToken");
        if token.is_some() && token == existing.token.as_deref() {
            return Ok(answer(&existing));
        }
        return Err(error::change_set_exists(name));
    }
    let change_set = made(on, input, &subject)?;
    if let Subject::New { identity, is_reviewed: false } = subject {
        review(on, identity)?;
    }
    on.store.save(Table::ChangeSets, &change_set.key(), &change_set)?;
    Ok(answer(&change_set))
}

fn answer(change_set: &ChangeSet) -> Value {
    value!({ "Id": &change_set.id, "StackId": &change_set.stack_id })
}

/// What a change set is to change.
enum Subject {
    /// A stack that has yet to be created; other change sets may have begun its review.
    New { identity: Identity, is_reviewed: bool },
    /// A stack that is there.
    Existing(Box<Stack>),
}

impl Subject {
    fn stack_id(&self) -> &str {
        match self {
            Subject::New { identity, .. } => &identity.stack_id,
            Subject::Existing(stack) => stack.id(),
        }
    }
}

fn subject(on: &Reading<'_>, input: &Value) -> Result<Subject, Error> {
    let name = input.text("StackName")?;
    let found = stack::find(on, name)?.filter(|stack| !stack.is_deleted());
    match (input.maybe_text("ChangeSetType"), found) {
        (Some("CREATE"), None) => {
            request::check_stack_name(name)?;
            let stack_id = reserved_id(on, name)?;
            let identity = stack::identity(on, name, &stack_id);
            Ok(Subject::New { identity, is_reviewed: false })
        }
        (Some("CREATE"), Some(stack)) if stack.is_reviewed() => {
            Ok(Subject::New { identity: stack.state.identity, is_reviewed: true })
        }
        (Some("CREATE"), Some(_)) => {
            Err(error::already_created(name, input.text("ChangeSetName")?))
        }
        (Some("IMPORT"), _) => Err(error::not_available("ChangeSetType IMPORT")),
        (Some(_) | None, Some(stack)) => {
            check_updatable(&stack)?;
            Ok(Subject::Existing(Box::new(stack)))
        }
        (Some(_) | None, None) => Err(error::no_stack(name)),
    }
}

/// Checks the request and looks at what would change.
fn made(on: &mut Writing<'_>, input: &Value, subject: &Subject) -> Result<ChangeSet, Error> {
    let reading = on.reading();
    let (current, state) = match subject {
        Subject::New { identity, .. } => (None, State::new(identity.clone())),
        Subject::Existing(stack) => (Some(&**stack), stack.state.clone()),
    };
    let checked = request::check(&reading, input, &state.identity, current)?;
    let unchanged = match current.map(|stack| check_changes(stack, &checked.change, &checked.asked))
    {
        Some(Err(stacks::Error::NoUpdates)) => true,
        Some(Err(err)) => return Err(error::refused(&err)),
        Some(Ok(())) | None => false,
    };
    let changes = checked.change.preview(&state);
    let shown = changes
        .iter()
        .map(|one| value!({ "Type": "Resource" }).with("ResourceChange", one.to_value()));
    let name = input.text("ChangeSetName")?.to_owned();
    let uuid = on.call.stable_uuid("changeSet");
    checked.keep_template(on)?;
    Ok(ChangeSet {
        id: on.call.regional_arn("cloudformation", &format!("changeSet/{name}/{uuid}")),
        name,
        stack_id: subject.stack_id().to_owned(),
        stack_name: state.identity.stack_name.clone(),
        description: input.maybe_text("Description").map(str::to_owned),
        token: input.maybe_text("ClientToken").map(str::to_owned),
        created_millis: on.call.now_millis,
        behind: current.map_or(0, |stack| stack.about.last.number),
        failure: unchanged.then(|| NO_CHANGES.to_owned()),
        changes: shown.collect(),
        change: checked.change,
        asked: checked.asked,
        role_arn: checked.role_arn,
        on_failure: request::on_failure(input, "OnStackFailure")?,
    })
}

/// Makes the stack that waits for its change set.
fn review(on: &mut Writing<'_>, identity: Identity) -> Result<(), Error> {
    let (name, stack_id) = (identity.stack_name.clone(), identity.stack_id.clone());
    reserve(on, &name, &stack_id, false)?;
    let about = About {
        last: Last::default(),
        created_millis: on.call.now_millis,
        updated_millis: None,
        deleted_millis: None,
        role_arn: None,
        timeout_minutes: None,
        disable_rollback: false,
        asked: Asked::nothing(),
        before: None,
    };
    let event = StackEvent {
        event_id: on.call.stable_uuid("review"),
        stack_id: stack_id.clone(),
        stack_name: name.clone(),
        logical_id: name,
        physical_id: stack_id.clone(),
        resource_type: "AWS::CloudFormation::Stack".to_owned(),
        timestamp_millis: on.call.now_millis,
        status: Status::ReviewInProgress,
        reason: Some("User Initiated".to_owned()),
        properties: None,
        client_request_token: None,
    };
    on.store.save(Table::StackEvents, &stack_event_key(&stack_id, 1), &event)?;
    let stack = Stack { state: State::new(identity), about, events: 1 };
    Ok(on.store.save(Table::Stacks, &stack_id, &stack)?)
}
