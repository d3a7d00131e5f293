//! The history of one execution: without gaps, with one end, and never written over.

use store::{Read, Scan, Table};
use value::Value;

/// What is known of a history.
#[derive(Default)]
pub(crate) struct History {
    last_id: u64,
    has_ended: bool,
    /// How often it went on after an end.
    redrives: i64,
    /// Keys and hashes of the rows, in order.
    rows: Vec<(String, u64)>,
}

/// Returns the execution that a history row belongs to.
pub(crate) fn arn_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(arn, _)| arn)
}

fn is_end(event_type: &str) -> bool {
    matches!(
        event_type,
        "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionAborted" | "ExecutionTimedOut"
    )
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl History {
    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Takes a row in.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn append(&mut self, key: &str, bytes: &[u8]) -> Result<(), String> {
        let events: Value = super::read(bytes)?;
        for event in events.as_array().unwrap_or_default() {
            let number = |member: &str| {
                let found = event.get(member).and_then(Value::as_i64);
                found.and_then(|number| u64::try_from(number).ok()).unwrap_or(u64::MAX)
            };
            let (id, previous) = (number("id"), number("previousEventId"));
            let event_type = event.get("type").and_then(Value::as_str).unwrap_or_default();
            let is_redrive = event_type == "ExecutionRedriven";
            if self.has_ended != is_redrive {
                return Err(format!("event {id} ({event_type}) and an end, in {key}"));
            }
            if is_redrive {
                self.redrives += 1;
                let said = event.path(&["executionRedrivenEventDetails", "redriveCount"]);
                if said.and_then(Value::as_i64) != Some(self.redrives) {
                    return Err(format!("redrive {} is counted otherwise in {key}", self.redrives));
                }
            }
            if id != self.last_id + 1 {
                return Err(format!("event {id} follows event {} in {key}", self.last_id));
            }
            if id <= previous {
                return Err(format!("event {id} says that it follows {previous} in {key}"));
            }
            self.last_id = id;
            self.has_ended = is_end(event_type);
        }
        self.rows.push((key.to_owned(), hash(bytes)));
        Ok(())
    }

    pub(crate) fn check_end(&self) -> Result<(), String> {
        if self.has_ended { Ok(()) } else { Err("the history has no end".to_owned()) }
    }

    /// Checks that the rows are still what they were.
    pub(crate) fn check_kept(&self, arn: &str, tx: &dyn Read) -> Result<(), String> {
        let prefix = format!("{arn}/");
        let found =
            tx.scan(Table::History, Scan::prefix(&prefix)).map_err(|err| err.to_string())?;
        let found: Vec<(String, u64)> =
            found.into_iter().map(|(key, bytes)| (key, hash(&bytes))).collect();
        if found == self.rows {
            return Ok(());
        }
        Err(format!(
            "the history of {arn} is not what was written: it had {} rows",
            self.rows.len()
        ))
    }
}
