//! UpdateTerminationProtection.
//!
//! AWS CloudFormation API reference, "UpdateTerminationProtection" (read 2026-11).

use store::{Save, Table};
use value::{Value, value};

use super::error;
use super::stack::{self, Name};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "UpdateTerminationProtection",
    checks: may_update,
    run: Run::Write(update),
}];

fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![stack::check(on, "UpdateTerminationProtection", input)?])
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let reading = on.reading();
    let found = stack::find(&reading, input.text("StackName")?)?;
    let found = found.filter(|stack| !stack.is_deleted());
    let stack =
        found.ok_or_else(|| error::no_stack(input.maybe_text("StackName").unwrap_or_default()))?;
    let key = stack::name_key(&reading, stack.name());
    let name = Name {
        stack_id: stack.id().to_owned(),
        is_protected: input.flag("EnableTerminationProtection"),
    };
    on.store.save(Table::StacksByName, &key, &name)?;
    Ok(value!({ "StackId": name.stack_id }))
}
