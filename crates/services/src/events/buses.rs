//! Event buses. There is one: `default`.

use value::{Value, value};

use super::{DEFAULT_BUS, error};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "DescribeEventBus", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListEventBuses", checks: may_list, run: Run::Read(list) },
];

/// Returns the name of the bus that a request means, given by name or ARN; only `default` exists.
pub(super) fn named(input: &Value) -> Result<&'static str, Error> {
    match input.maybe_text("EventBusName").or(input.maybe_text("Name")) {
        None => Ok(DEFAULT_BUS),
        Some(bus) if is_default(bus) => Ok(DEFAULT_BUS),
        Some(bus) => Err(error::bus_not_found(bus)),
    }
}

/// Whether a name or an ARN means the default bus.
pub(super) fn is_default(bus: &str) -> bool {
    bus == DEFAULT_BUS || bus.rsplit_once("event-bus/").is_some_and(|(_, name)| name == DEFAULT_BUS)
}

fn arn(on: &Reading<'_>) -> String {
    on.call.regional_arn("events", "event-bus/default")
}

fn may_describe(on: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("events:DescribeEventBus", arn(on))])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let bus = named(input)?;
    Ok(value!({ "Name": bus, "Arn": arn(on) }))
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("events:ListEventBuses")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let wanted = input.maybe_text("NamePrefix").unwrap_or_default();
    let buses =
        DEFAULT_BUS.starts_with(wanted).then(|| value!({ "Name": DEFAULT_BUS, "Arn": arn(on) }));
    Ok(value!({ "EventBuses": buses.into_iter().collect::<Value>() }))
}
