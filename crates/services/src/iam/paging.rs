//! Pages of IAM's lists: `Marker` and `MaxItems` in, `IsTruncated` and `Marker` out.

use serde::de::DeserializeOwned;
use store::{Load, Read, Scan, Table};
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
    let (after, limit) = asked(input)?;
    Ok(cut(rows, after.as_deref(), limit))
}

/// Returns behind which key a page begins, and how many items it has at most.
fn asked(input: &Value) -> Result<(Option<String>, usize), Error> {
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
    Ok((after, limit))
}

/// Returns the page that an input asks for of the stored records that `keep` lets through. No more
/// is read than the page needs: how many there are makes no difference.
pub(super) fn stored<T: DeserializeOwned>(
    store: &(impl Read + ?Sized),
    input: &Value,
    table: Table,
    prefix: &str,
    keep: impl Fn(&T) -> bool,
) -> Result<Page<T>, Error> {
    stored_without(store, input, (table, prefix), &[], keep)
}

/// Returns the same, the records without some members.
pub(super) fn stored_without<T: DeserializeOwned>(
    store: &(impl Read + ?Sized),
    input: &Value,
    (table, prefix): (Table, &str),
    left_out: &[&str],
    keep: impl Fn(&T) -> bool,
) -> Result<Page<T>, Error> {
    let (mut after, limit) = asked(input)?;
    let mut rows: Vec<(String, T)> = Vec::new();
    loop {
        // One more than fits, to know whether the page is the last.
        let scan = Scan::prefix(prefix).after(after.as_deref()).limit(limit + 1);
        let read = store.load_all_without(table, scan, left_out)?;
        let is_end = read.len() <= limit;
        after = read.last().map(|(key, _)| key.clone());
        rows.extend(read.into_iter().filter(|(_, record)| keep(record)));
        if is_end || limit < rows.len() {
            return Ok(cut(rows, None, limit));
        }
    }
}

/// Answers a list operation with one page, whose items `show` turns into what is answered.
pub(super) fn answer<T>(member: &str, page: Page<T>, show: impl FnMut(T) -> Answer) -> Answer {
    let items: Vec<Value> = page.items.into_iter().map(show).collect::<Result<_, _>>()?;
    Ok(close(Value::object().with(member, items), page.next))
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
