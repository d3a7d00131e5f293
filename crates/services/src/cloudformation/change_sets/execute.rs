//! ExecuteChangeSet.
//!
//! AWS CloudFormation API reference, "ExecuteChangeSet" (read 2026-11).

use std::sync::Arc;

use stacks::{Fact, OnFailure};
use store::Table;
use value::Value;

use super::super::operation::{self, Plan};
use super::super::stack::{self, About, Stack};
use super::super::{error, request};
use super::{ChangeSet, EXECUTED, check, of_stack, wanted};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing};

pub(in super::super) const OPERATIONS: &[Operation] =
    &[Operation { name: EXECUTED, checks: may_execute, run: Run::Workflow(execute) }];

fn may_execute(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, EXECUTED, input)?])
}

fn execute(services: Arc<Services>, call: Call, input: Value) -> Pending {
    operation::run(services, call, input, plan)
}

fn plan(on: &mut Writing<'_>, input: &Value) -> Result<Plan, Error> {
    let reading = on.reading();
    request::check_available(input)?;
    let change_set = wanted(&reading, input)?;
    let stack = stack::find(&reading, &change_set.stack_id)?
        .ok_or_else(|| error::no_stack(&change_set.stack_name))?;
    let last = &stack.about.last;
    let is_this = last.change_set_id.as_ref() == Some(&change_set.id);
    if is_this && operation::is_repeated(&reading, input, EXECUTED, last)? {
        return Ok(Plan::Answered(Value::object()));
    }
    let status = change_set.execution_status(Some(&stack));
    if status != "AVAILABLE" {
        return Err(error::not_executable(&change_set.id, status));
    }
    let mut last = operation::next(&reading, input, EXECUTED, last);
    last.change_set_id = Some(change_set.id.clone());
    // The others are about a stack that is no more.
    for (key, _) in of_stack(&reading, stack.id())? {
        if key != change_set.key() {
            on.store.delete(Table::ChangeSets, &key)?;
        }
    }
    let on_failure =
        if input.flag("DisableRollback") { OnFailure::DoNothing } else { change_set.on_failure };
    let about = About { last, ..about(on, &stack, &change_set, on_failure) };
    let (token, change) = (operation::token(&about.last), Box::new(change_set.change));
    let fact = if stack.is_reviewed() {
        Fact::CreateRequested { token, change, on_failure }
    } else {
        Fact::UpdateRequested { token, change, on_failure }
    };
    operation::begin(&on.reading(), stack, &about, fact, Value::object())
}

/// Returns what the API keeps of the stack from now on, but for the operation.
fn about(on: &Writing<'_>, stack: &Stack, change_set: &ChangeSet, on_failure: OnFailure) -> About {
    let is_new = stack.is_reviewed();
    About {
        updated_millis: (!is_new).then_some(on.call.now_millis),
        role_arn: change_set.role_arn.clone(),
        disable_rollback: on_failure == OnFailure::DoNothing,
        before: (!is_new).then(|| stack.holds().clone()),
        asked: change_set.asked.clone(),
        ..stack.about.clone()
    }
}
