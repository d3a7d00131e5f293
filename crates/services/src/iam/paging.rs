//! Pages of IAM's lists: `Marker` and `MaxItems` in, `IsTruncated` and `Marker` out.

use value::Value;

use super::error;
use crate::page::{Page, cut, open_marker};
use crate::{Answer, Error, Input};

/// How many items a page has when the caller does not say.
const PAGE_ITEMS_DEFAULT: usize = 100;
/// The most items a page can have.
const PAGE_ITEMS_MAX: i64 = 1000;

/// Answers a list operation: one page of `rows` (key and item, in key order) as `member`.
pub(super) fn page<T: Into<Value>>(
    input: &Value,
    member: &str,
    rows: impl IntoIterator<Item = (String, T)>,
) -> Answer {
    let page = slice(input, rows)?;
    let items: Vec<Value> = page.items.into_iter().map(Into::into).collect();
    Ok(close(Value::object().with(member, items), page.next))
}

/// Returns the page of `rows` that an input asks for.
pub(super) fn slice<T>(
    input: &Value,
    rows: impl IntoIterator<Item = (String, T)>,
) -> Result<Page<T>, Error> {
    let limit = match input.integer("MaxItems") {
        None => PAGE_ITEMS_DEFAULT,
        Some(asked) => checked_limit(asked)?,
    };
    let after = match input.maybe_text("Marker") {
        None => None,
        Some(marker) => {
            Some(open_marker(marker).ok_or_else(|| Error::validation("Invalid Marker."))?)
        }
    };
    Ok(cut(rows, after.as_deref(), limit))
}

/// Returns the answer with `IsTruncated` and, when there is more, `Marker`.
pub(super) fn close(answer: Value, next: Option<String>) -> Value {
    answer.with("IsTruncated", next.is_some()).with_some("Marker", next)
}

fn checked_limit(asked: i64) -> Result<usize, Error> {
    let refused = |bound: &str| {
        Err(error::constraint(
            "maxItems",
            Some(&asked.to_string()),
            &format!("Member must have value {bound}"),
        ))
    };
    if asked > PAGE_ITEMS_MAX {
        return refused("less than or equal to 1000");
    }
    match usize::try_from(asked) {
        Ok(limit) if limit > 0 => Ok(limit),
        Ok(_) | Err(_) => refused("greater than or equal to 1"),
    }
}
