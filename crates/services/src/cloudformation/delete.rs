//! DeleteStack.
//!
//! AWS CloudFormation API reference, "DeleteStack" (read 2026-11).

use std::sync::Arc;

use stacks::{Fact, Status};
use value::Value;

use super::operation::{self, Plan};
use super::stack::{self, About, Stack};
use super::{error, request};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "DeleteStack", checks: may_delete, run: Run::Workflow(delete) }];

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(request::checks(stack::check(on, "DeleteStack", input)?, input))
}

fn delete(services: Arc<Services>, call: Call, input: Value) -> Pending {
    operation::run(services, call, input, plan)
}

/// Deleting what is not there, or is being deleted, succeeds and changes nothing.
fn plan(on: &mut Writing<'_>, input: &Value) -> Result<Plan, Error> {
    let reading = on.reading();
    let done = Plan::Answered(Value::object());
    let found = stack::find(&reading, input.text("StackName")?)?;
    let Some(stack) = found.filter(|stack| !stack.is_deleted()) else { return Ok(done) };
    let repeated = operation::is_repeated(&reading, input, "DeleteStack", &stack.about.last)?;
    if repeated || stack.state.status == Status::DeleteInProgress {
        return Ok(done);
    }
    let retain = retained(&stack, input)?;
    let name = stack::find_name(&reading, stack.name())?;
    if name.is_some_and(|name| name.is_protected && name.stack_id == stack.id()) {
        return Err(error::is_protected(stack.name()));
    }
    // DIFFERS: AWS takes a deletion while a stack is being created, and stops the creation.
    if stack.state.is_running() {
        return Err(error::not_deletable(stack.id(), stack.state.status));
    }
    let about = About {
        last: operation::next(&reading, input, "DeleteStack", &stack.about.last),
        deleted_millis: Some(on.call.now_millis),
        role_arn: request::role(&reading, input, stack.id(), Some(&stack))?,
        ..stack.about.clone()
    };
    let fact = Fact::DeleteRequested { token: operation::token(&about.last), retain };
    operation::begin(&reading, stack, &about, fact, Value::object())
}

/// Returns the resources that are to be left alone.
fn retained(stack: &Stack, input: &Value) -> Result<Vec<String>, Error> {
    let retain = input.list("RetainResources").iter().filter_map(Value::as_str);
    let retain: Vec<String> = retain.map(str::to_owned).collect();
    if !retain.is_empty() && stack.state.status != Status::DeleteFailed {
        // UNVERIFIED: the exact words.
        return Err(Error::validation(format!(
            "Invalid operation on stack [{}]. RetainResources can only be given for a stack in \
             DELETE_FAILED state",
            stack.id()
        )));
    }
    Ok(retain)
}
