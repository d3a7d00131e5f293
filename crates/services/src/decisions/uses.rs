//! When each user and role last made use of an action.
//!
//! IAM user guide, "Refine permissions in AWS using last accessed information" (read 2026-11):
//! attempts count, refused ones too.

use std::collections::HashMap;

use policy::PrincipalKind;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};

use super::Record;
use crate::{Error, iam};

/// Uses of one action by one entity that are closer together than this count as one.
const USE_NOTED_EVERY_MILLIS: i64 = 60_000;
/// How many users and roles are remembered; beyond that all uses are noted anew.
const ENTITIES_REMEMBERED_MAX: usize = 10_000;

/// When the uses of each entity were noted last, so that not every call writes.
#[derive(Default)]
pub(super) struct Uses(HashMap<String, HashMap<String, i64>>);

/// A use that is worth noting.
pub(super) struct Use {
    account: String,
    entity_id: String,
    action: String,
    last: LastUse,
}

/// When and where an action was last used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastUse {
    /// When.
    pub(crate) millis: i64,
    /// In which region.
    pub(crate) region: String,
}

impl Uses {
    /// Returns the use that a call is, unless one like it was noted a moment ago.
    pub(super) fn of(&mut self, record: &Record) -> Option<Use> {
        let entity_id = match &record.principal.kind {
            PrincipalKind::User { id, .. } => id,
            PrincipalKind::AssumedRole { role_id, .. } => role_id,
            PrincipalKind::Root
            | PrincipalKind::FederatedUser { .. }
            | PrincipalKind::Service { .. }
            | PrincipalKind::Anonymous => return None,
        };
        let (action, millis) = (record.action()?, record.millis);
        if let Some(noted) = self.0.get_mut(entity_id) {
            match noted.get_mut(action) {
                Some(before) if (*before..*before + USE_NOTED_EVERY_MILLIS).contains(&millis) => {
                    return None;
                }
                Some(before) => *before = millis,
                None => drop(noted.insert(action.to_owned(), millis)),
            }
        } else {
            if ENTITIES_REMEMBERED_MAX <= self.0.len() {
                self.0.clear();
            }
            let first = HashMap::from([(action.to_owned(), millis)]);
            self.0.insert(entity_id.clone(), first);
        }
        Some(Use {
            account: record.principal.account.clone(),
            entity_id: entity_id.clone(),
            action: action.to_owned(),
            last: LastUse { millis, region: record.region.clone() },
        })
    }
}

impl Use {
    /// Writes it, unless a later one is known or the entity is gone.
    pub(super) fn keep(&self, tx: &mut dyn Transaction) -> Result<(), Error> {
        if !iam::is_entity(tx.as_read(), &self.account, &self.entity_id)? {
            return Ok(());
        }
        let key = format!("{}{}", prefix(&self.entity_id), self.action);
        let known: Option<LastUse> = tx.load(Table::LastUses, &key)?;
        if known.is_none_or(|known| known.millis < self.last.millis) {
            tx.save(Table::LastUses, &key, &self.last)?;
        }
        Ok(())
    }
}

fn prefix(entity_id: &str) -> String {
    format!("{entity_id}/")
}

/// Returns what an entity has used, by action.
pub(crate) fn of_entity(
    store: &dyn Read,
    entity_id: &str,
) -> Result<Vec<(String, LastUse)>, Error> {
    let prefix = prefix(entity_id);
    let rows: Vec<(String, LastUse)> = store.load_all(Table::LastUses, Scan::prefix(&prefix))?;
    let action = |key: String| key.strip_prefix(&prefix).unwrap_or_default().to_owned();
    Ok(rows.into_iter().map(|(key, last)| (action(key), last)).collect())
}

/// Forgets what an entity has used: it is deleted.
pub(crate) fn forget(tx: &mut dyn Transaction, entity_id: &str) -> Result<(), Error> {
    for (key, _) in tx.scan(Table::LastUses, Scan::prefix(&prefix(entity_id)))? {
        tx.delete(Table::LastUses, &key)?;
    }
    Ok(())
}
