//! Which state machines and versions use which definition, and when one that none uses is removed.
//!
//! Executions need no row here: whoever may still need a definition began before the last machine
//! or version let go of it, and as long as there is one he is in the index of executions.

use runtime::newest_first;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};

use crate::Error;
use crate::retention::{Budget, Kind, Looked, ROWS_PER_LOOK_MAX, Removed};

/// How long after a definition was let go of executions may begin with it, in milliseconds: they
/// read the machine before that, or on a node whose clock is late.
const GRACE_MILLIS: i64 = 60 * 60 * 1000;

/// Definitions that nothing uses any more.
pub(crate) const PURGED: &Kind = &Kind { name: "definition", look, remove };

/// A use, by `definition key/ARN of the machine or version`. Who has no ARN is something else with
/// the same content, or of before uses were kept: then the definition stays for ever.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Use {
    /// Whose executions may use it.
    machine_arn: String,
    /// When the machine or version let go of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped_millis: Option<i64>,
}

fn prefix(definition: &str) -> String {
    format!("{definition}/")
}

fn is_used(store: &dyn Read, definition: &str) -> Result<bool, store::Error> {
    let prefix = prefix(definition);
    let scan = Scan::prefix(&prefix).limit(1);
    Ok(!store.scan(Table::DefinitionUses, scan)?.is_empty())
}

/// Keeps a definition's text.
pub(super) fn keep(
    store: &mut dyn Transaction,
    definition: &str,
    text: &str,
) -> Result<(), store::Error> {
    let is_known = store.get(Table::Definitions, definition)?.is_some();
    if is_known && !is_used(store.as_read(), definition)? {
        pin(store, definition)?;
    }
    store.put(Table::Definitions, definition, text.as_bytes())
}

/// Takes note that a definition that was kept before is used once more. One of before uses were
/// kept may have others, and stays for ever.
pub(super) fn adopt(store: &mut dyn Transaction, definition: &str) -> Result<(), store::Error> {
    if is_used(store.as_read(), definition)? { Ok(()) } else { pin(store, definition) }
}

/// Keeps a content that is no state machine's for ever.
pub(crate) fn keep_other(
    store: &mut dyn Transaction,
    key: &str,
    content: &[u8],
) -> Result<(), store::Error> {
    // Only where a machine's definition might take it along.
    if is_used(store.as_read(), key)? {
        pin(store, key)?;
    }
    store.put(Table::Definitions, key, content)
}

fn pin(store: &mut dyn Transaction, definition: &str) -> Result<(), store::Error> {
    let pinned = Use { machine_arn: String::new(), dropped_millis: None };
    store.save(Table::DefinitionUses, &prefix(definition), &pinned)
}

/// Takes note that a machine, or a version of it, uses a definition.
pub(super) fn take(
    store: &mut dyn Transaction,
    definition: &str,
    owner_arn: &str,
    machine_arn: &str,
) -> Result<(), store::Error> {
    let key = format!("{}{owner_arn}", prefix(definition));
    let taken = Use { machine_arn: machine_arn.to_owned(), dropped_millis: None };
    store.save(Table::DefinitionUses, &key, &taken)
}

/// Takes note that it no longer does; its executions may.
pub(super) fn let_go(
    store: &mut dyn Transaction,
    definition: &str,
    owner_arn: &str,
    now_millis: i64,
) -> Result<(), store::Error> {
    let key = format!("{}{owner_arn}", prefix(definition));
    // Of before uses were kept there is none.
    let Some(found) = store.load::<Use>(Table::DefinitionUses, &key)? else { return Ok(()) };
    let dropped = Use { dropped_millis: Some(now_millis), ..found };
    store.save(Table::DefinitionUses, &key, &dropped)
}

/// Returns whether nothing begun by a use can need the definition any more.
fn is_due(store: &dyn Read, found: &Use, before_millis: i64) -> Result<bool, Error> {
    let Some(dropped) = found.dropped_millis else { return Ok(false) };
    if before_millis <= dropped.saturating_add(GRACE_MILLIS) {
        return Ok(false);
    }
    let executions = format!("{}/", found.machine_arn);
    let until = format!("{executions}{}", newest_first(dropped.saturating_add(GRACE_MILLIS)));
    let scan = Scan::prefix(&executions).after(Some(&until)).limit(1);
    Ok(store.scan(Table::ExecutionsByStart, scan)?.is_empty())
}

fn look(store: &dyn Read, behind: Option<&str>, before_millis: i64) -> Result<Looked, Error> {
    let scan = Scan::prefix("").after(behind).limit(ROWS_PER_LOOK_MAX);
    let rows: Vec<(String, Use)> = store.load_all(Table::DefinitionUses, scan)?;
    let next = rows.last().filter(|_| rows.len() == ROWS_PER_LOOK_MAX).map(|(key, _)| key.clone());
    let mut due = Vec::new();
    for (key, found) in rows {
        if is_due(store, &found, before_millis)? {
            due.push(key);
        }
    }
    Ok(Looked { due, next })
}

fn remove(
    tx: &mut dyn Transaction,
    key: &str,
    before_millis: i64,
    _: &mut Budget,
) -> Result<Removed, Error> {
    let found: Option<Use> = tx.load(Table::DefinitionUses, key)?;
    let (Some(found), Some((definition, _))) = (found, key.split_once('/')) else {
        return Ok(Removed::Stays);
    };
    if !is_due(tx.as_read(), &found, before_millis)? {
        return Ok(Removed::Stays);
    }
    tx.delete(Table::DefinitionUses, key)?;
    if is_used(tx.as_read(), definition)? {
        return Ok(Removed::Stays);
    }
    tx.delete(Table::Definitions, definition)?;
    Ok(Removed::Gone)
}
