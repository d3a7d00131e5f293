//! Redrives: what can be redriven remains, a token redrives once, and who was redriven goes on from
//! what remained of him.

use std::collections::{BTreeMap, BTreeSet};

use runtime::{Fact, ProcessId};
use value::Value;

use super::shadow::{Row, Shadow};

/// How long a token is known again, in milliseconds.
const TOKEN_MILLIS: i64 = 15 * 60 * 1000;
/// How many tokens are known again.
const TOKENS_MAX: i64 = 10;

/// What is known of redrives, by execution ARN.
#[derive(Default)]
pub(crate) struct Redrives {
    /// What remains of executions that have ended badly.
    remains: BTreeMap<String, Value>,
    /// How often each has been redriven.
    counts: BTreeMap<String, i64>,
    /// Executions whose record says that they can be redriven.
    redrivable: BTreeSet<String>,
}

impl Redrives {
    /// Takes in what remains of an execution.
    ///
    /// # Errors
    /// When it still runs.
    pub(crate) fn keep(&mut self, arn: &str, bytes: &[u8]) -> Result<(), String> {
        if !self.redrivable.contains(arn) {
            return Err(format!("something remains of {arn}, which cannot be redriven"));
        }
        self.remains.insert(arn.to_owned(), super::read(bytes)?);
        Ok(())
    }

    pub(crate) fn forget(&mut self, arn: &str) {
        self.remains.remove(arn);
    }

    /// Returns an execution as its redrive finds it; none when this fact is no redrive.
    pub(super) fn brought_back(
        &self,
        id: &ProcessId,
        fact: &Fact,
    ) -> Result<Option<Shadow>, String> {
        let Fact::Execution(
            execution::Fact::Redriven { .. } | execution::Fact::RedrivenByMapRun { .. },
        ) = fact
        else {
            return Ok(None);
        };
        let remains = self.remains.get(id.name()).cloned();
        remains.map(|remains| Row::of_remains(remains).into_shadow()).transpose()
    }

    /// Returns whether a row is what remains of an execution, which goes on from there.
    pub(super) fn is_what_remains(&self, id: &ProcessId, row: &Row) -> bool {
        self.remains.get(id.name()).is_some_and(|remains| row.holds(remains))
    }

    /// Takes in a record; returns whether the execution was redriven since the last one.
    ///
    /// # Errors
    /// When a token has redriven it twice, or it has forgotten one.
    pub(crate) fn record(
        &mut self,
        arn: &str,
        record: &Value,
        has_ended: bool,
    ) -> Result<bool, String> {
        let mut known: BTreeMap<&str, i64> = BTreeMap::new();
        let tokens = record.get("redriveTokens").and_then(Value::as_array).unwrap_or_default();
        for token in tokens {
            let name = token.at(0).and_then(Value::as_str).unwrap_or_default();
            let millis = token.at(1).and_then(Value::as_i64).unwrap_or_default();
            let before = known.insert(name, millis);
            if before.is_some_and(|before| millis - before < TOKEN_MILLIS) {
                return Err(format!("a token has redriven {arn} twice"));
            }
        }
        if has_ended && record.get("isRedrivable").and_then(Value::as_bool) == Some(true) {
            self.redrivable.insert(arn.to_owned());
        } else {
            self.redrivable.remove(arn);
        }
        let count = record.get("redriveCount").and_then(Value::as_i64).unwrap_or_default();
        // A child is redriven by its map run, which has no token.
        let is_child = record.get("mapRunArn").is_some();
        let remembered = i64::try_from(tokens.len()).unwrap_or(i64::MAX);
        if !is_child && remembered != count.min(TOKENS_MAX) {
            return Err(format!("{arn} was redriven {count} times and knows {remembered} tokens"));
        }
        let before = self.counts.insert(arn.to_owned(), count).unwrap_or_default();
        Ok(before < count)
    }

    /// Checks what must hold when everything has ended.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_end(&self) -> Result<(), String> {
        let remains: BTreeSet<&String> = self.remains.keys().collect();
        let redrivable: BTreeSet<&String> = self.redrivable.iter().collect();
        match remains.symmetric_difference(&redrivable).next() {
            Some(arn) => Err(format!("what remains of {arn} and its record do not agree")),
            None => Ok(()),
        }
    }
}
