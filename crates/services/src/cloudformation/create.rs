//! CreateStack.
//!
//! AWS CloudFormation API reference, "CreateStack" (read 2026-11).

use std::sync::Arc;

use stacks::{Fact, OnFailure, State};
use store::{Load, Save, Table};
use value::{Value, value};

use super::operation::{self, Plan};
use super::stack::{self, About, Last, Name, Stack};
use super::{error, parameter_store, request};
use crate::{Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation { name: "CreateStack", checks: may_create, run: Run::Workflow(create) }];

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let resource = format!("stack/{}/*", input.text("StackName")?);
    let arn = on.call.regional_arn("cloudformation", &resource);
    let mut checks = request::checks(Check::new("cloudformation:CreateStack", arn), input);
    checks.extend(parameter_store::checks(on, input, None)?);
    Ok(checks)
}

fn create(services: Arc<Services>, call: Call, input: Value) -> Pending {
    operation::run(services, call, input, plan)
}

fn plan(on: &mut Writing<'_>, input: &Value) -> Result<Plan, Error> {
    let reading = on.reading();
    let name = input.text("StackName")?;
    request::check_stack_name(name)?;
    request::check_available(input)?;
    let on_failure = request::on_failure(input, "OnFailure")?;
    if let Some(known) = stack::find(&reading, name)? {
        if operation::is_repeated(&reading, input, "CreateStack", &known.about.last)? {
            return Ok(Plan::Answered(value!({ "StackId": known.id() })));
        }
        return Err(error::already_exists(name));
    }
    let stack_id = reserved_id(&reading, name)?;
    let identity = stack::identity(&reading, name, &stack_id);
    let checked = request::check(&reading, input, &identity, None)?;
    let about = About {
        last: operation::next(&reading, input, "CreateStack", &Last::default()),
        created_millis: on.call.now_millis,
        updated_millis: None,
        deleted_millis: None,
        role_arn: checked.role_arn.clone(),
        timeout_minutes: input.integer("TimeoutInMinutes"),
        disable_rollback: on_failure == OnFailure::DoNothing,
        asked: checked.asked.clone(),
        before: None,
    };
    reserve(on, name, &stack_id, input.flag("EnableTerminationProtection"))?;
    checked.keep_template(on)?;
    let fact = Fact::CreateRequested {
        token: operation::token(&about.last),
        change: Box::new(checked.change),
        on_failure,
    };
    let stack = Stack { state: State::new(identity), about: about.clone(), events: 0 };
    operation::begin(&on.reading(), stack, &about, fact, value!({ "StackId": stack_id }))
}

/// Returns the id of the stack that is to get a free name. The id that a request reserved and did
/// not use, because the server stopped, is used now: two creations at once mean one stack.
pub(super) fn reserved_id(on: &Reading<'_>, name: &str) -> Result<String, Error> {
    if let Some(known) = stack::find_name(on, name)? {
        let used: Option<Value> = on.store.load(Table::Stacks, &known.stack_id)?;
        if used.is_none() {
            return Ok(known.stack_id);
        }
    }
    let id = on.call.stable_uuid("stack");
    Ok(on.call.regional_arn("cloudformation", &format!("stack/{name}/{id}")))
}

/// Gives a name to the stack that is about to be created.
pub(super) fn reserve(
    on: &mut Writing<'_>,
    name: &str,
    stack_id: &str,
    is_protected: bool,
) -> Result<(), Error> {
    let key = stack::name_key(&on.reading(), name);
    let reserved = Name { stack_id: stack_id.to_owned(), is_protected };
    Ok(on.store.save(Table::StacksByName, &key, &reserved)?)
}
