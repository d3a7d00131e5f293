//! UpdateStack.
//!
//! AWS CloudFormation API reference, "UpdateStack" (read 2026-11).

use std::sync::Arc;

use stacks::{Change, Fact, Status};
use value::{Value, value};

use super::operation::{self, Plan};
use super::stack::{self, About, Asked, Stack};
use super::{error, parameter_store, request};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "UpdateStack", checks: may_update, run: Run::Workflow(update) }];

fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = request::checks(stack::check(on, "UpdateStack", input)?, input);
    let current = stack::find(on, input.text("StackName")?)?;
    checks.extend(parameter_store::checks(on, input, current.as_ref())?);
    Ok(checks)
}

fn update(services: Arc<Services>, call: Call, input: Value) -> Pending {
    operation::run(services, call, input, plan)
}

fn plan(on: &mut Writing<'_>, input: &Value) -> Result<Plan, Error> {
    let reading = on.reading();
    let name = input.text("StackName")?;
    let stack = stack::find(&reading, name)?.ok_or_else(|| error::no_stack(name))?;
    let answer = value!({ "StackId": stack.id() });
    if operation::is_repeated(&reading, input, "UpdateStack", &stack.about.last)? {
        return Ok(Plan::Answered(answer));
    }
    request::check_available(input)?;
    check_updatable(&stack)?;
    let checked = request::check(&reading, input, &stack.state.identity, Some(&stack))?;
    check_changes(&stack, &checked.change, &checked.asked).map_err(|err| error::refused(&err))?;
    let about = About {
        last: operation::next(&reading, input, "UpdateStack", &stack.about.last),
        updated_millis: Some(on.call.now_millis),
        role_arn: checked.role_arn.clone(),
        before: Some(stack.holds().clone()),
        asked: checked.asked.clone(),
        ..stack.about.clone()
    };
    checked.keep_template(on)?;
    let fact = Fact::UpdateRequested {
        token: operation::token(&about.last),
        change: Box::new(checked.change),
        on_failure: request::on_failure(input, "OnStackFailure")?,
    };
    operation::begin(&on.reading(), stack, &about, fact, answer)
}

/// Checks that a stack is in a state to be updated.
// DIFFERS: AWS also updates stacks that failed with rollback disabled (CREATE_FAILED,
// UPDATE_FAILED); here they can only be deleted.
pub(super) fn check_updatable(stack: &Stack) -> Result<(), Error> {
    match stack.state.status {
        Status::CreateComplete | Status::UpdateComplete | Status::UpdateRollbackComplete => Ok(()),
        status @ (Status::ReviewInProgress
        | Status::CreateInProgress
        | Status::CreateFailed
        | Status::RollbackInProgress
        | Status::RollbackComplete
        | Status::RollbackFailed
        | Status::DeleteInProgress
        | Status::DeleteComplete
        | Status::DeleteFailed
        | Status::DeleteSkipped
        | Status::UpdateInProgress
        | Status::UpdateFailed
        | Status::UpdateCompleteCleanupInProgress
        | Status::UpdateRollbackInProgress
        | Status::UpdateRollbackFailed
        | Status::UpdateRollbackCompleteCleanupInProgress) => {
            Err(error::not_updatable(stack.id(), status))
        }
    }
}

/// Checks that there is something to update; other tags are enough.
pub(super) fn check_changes(
    stack: &Stack,
    change: &Change,
    asked: &Asked,
) -> Result<(), stacks::Error> {
    let before = stack.holds();
    match change.check_update(&stack.state) {
        Err(stacks::Error::NoUpdates)
            if before.tags != asked.tags || before.notification_arns != asked.notification_arns =>
        {
            Ok(())
        }
        checked => checked,
    }
}
