//! Amazon CloudWatch Logs, as far as Step Functions needs it: groups, streams, events.
//!
//! What state machines log is written by the runtime; here it is read. Events stand in the order of
//! time within their group.

mod error;
mod events;
mod files;
mod filter;
mod groups;
mod retention;
mod streams;

use value::Value;

use crate::page::open_marker;
use crate::{Check, Error, Input, Operation, Reading};

/// Every operation, one line per file.
pub(crate) const OPERATIONS: &[&[Operation]] =
    &[events::OPERATIONS, groups::OPERATIONS, streams::OPERATIONS];

pub(crate) use groups::exists;
pub(crate) use retention::PURGED;

/// Returns the ARN of a log group, under which it is stored.
fn group_arn(on: &Reading<'_>, name: &str) -> String {
    on.call.regional_arn("logs", &format!("log-group:{name}"))
}

/// Returns the ARN of the log group that a request names, by name or by ARN.
fn asked_group(on: &Reading<'_>, input: &Value) -> Result<String, Error> {
    match (input.maybe_text("logGroupName"), input.maybe_text("logGroupIdentifier")) {
        (None, Some(arn)) if arn.starts_with("arn:") => {
            Ok(arn.strip_suffix(":*").unwrap_or(arn).to_owned())
        }
        (Some(name), None) | (None, Some(name)) => Ok(group_arn(on, name)),
        (Some(_), Some(_)) | (None, None) => Err(error::invalid_parameter(
            "Exactly one of logGroupName and logGroupIdentifier must be specified.",
        )),
    }
}

/// Returns the question whether the caller may do `action` to a group, or to a stream of it.
// UNVERIFIED: AWS asks for the group with an empty stream, as its AccessDenied texts show.
fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let stream = input.maybe_text("logStreamName").unwrap_or_default();
    let arn = format!("{}:log-stream:{stream}", asked_group(on, input)?);
    Ok(vec![Check::new(format!("logs:{action}"), arn)])
}

/// Returns behind which key a page starts, and how many items it has at most.
fn page_of(input: &Value, items_max: usize) -> Result<(Option<String>, usize), Error> {
    let after = match input.maybe_text("nextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_token)?),
        None => None,
    };
    let limit = input.integer("limit").and_then(|asked| usize::try_from(asked).ok());
    Ok((after, limit.unwrap_or(items_max).min(items_max)))
}
