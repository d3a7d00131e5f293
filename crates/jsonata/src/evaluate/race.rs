//! Which of several failures the reference reports.
//!
//! It evaluates the items of an array and the members of an object concurrently, and reports what
//! fails first in its event loop. We evaluate one after another. When one fails, all are evaluated
//! once more while it is counted how often the reference would wait; the failure that came after
//! the fewest waits is reported. This costs nothing as long as nothing fails.

use value::{Key, Value};

use super::Evaluator;
use crate::Dialect;
use crate::compile::code::Code;
use crate::fault::{Fault, Run};

/// How often the reference waits until parts that were evaluated concurrently are all there.
const JOIN_WAITS: u64 = 2;
/// How often it waits at least in a sort, besides evaluating each key once.
const SORT_WAITS: u64 = 8;

/// How often the reference would have waited so far; counted only while `racing`.
#[derive(Debug, Default)]
pub(super) struct Waits {
    count: u64,
    pub(super) racing: bool,
}

impl Waits {
    pub(super) fn add(&mut self, waits: u64) {
        self.count += waits;
    }

    /// Adds those of evaluating a node besides what it consists of.
    pub(super) fn add_node(&mut self, code: &Code) {
        self.count += match code {
            Code::Constant(value) => 1 + array_waits(value),
            Code::Context
            | Code::Root
            | Code::Variable(_)
            | Code::Name(_)
            | Code::Wildcard
            | Code::Descendant
            | Code::Lambda(_)
            | Code::Transform(_)
            | Code::Regex(_) => 1,
            _ => 2,
        };
    }

    /// Adds those of sorting.
    pub(super) fn add_sort(&mut self) {
        self.count += SORT_WAITS;
    }

    /// Adds those of following field names from `start`.
    pub(super) fn add_fields(&mut self, start: &Value, names: &[Key]) {
        let mut items = vec![start];
        for name in names {
            items = items
                .into_iter()
                .flat_map(|item| item.as_array().unwrap_or(std::slice::from_ref(item)))
                .collect();
            self.count += 1 + items.len() as u64;
            items = items.into_iter().filter_map(|item| item.as_object()?.get(name)).collect();
            if items.is_empty() {
                return;
            }
        }
    }
}

/// Array constructors whose items are constant are constants to us.
fn array_waits(value: &Value) -> u64 {
    match value {
        Value::Array(items) => match items.iter().map(array_waits).max() {
            Some(longest) => longest + 2 + JOIN_WAITS,
            None => JOIN_WAITS,
        },
        _ => 0,
    }
}

impl Evaluator<'_> {
    /// Evaluates parts that the reference evaluates concurrently, each by a call of `part`.
    pub(super) fn concurrently(
        &mut self,
        parts: usize,
        mut part: impl FnMut(&mut Self, usize) -> Run<()>,
    ) -> Run<()> {
        if self.waits.racing {
            return self.race(parts, &mut part);
        }
        for at in 0..parts {
            let Err(fault) = part(self, at) else { continue };
            // UNVERIFIED: that Step Functions reports the first failure written.
            if parts == 1 || self.dialect == Dialect::Aws || !fault.has_code() {
                return Err(fault);
            }
            self.waits.racing = true;
            let outcome = self.race(parts, &mut part);
            self.waits.racing = false;
            return Err(outcome.err().unwrap_or(fault));
        }
        Ok(())
    }

    fn race(&mut self, parts: usize, part: &mut dyn FnMut(&mut Self, usize) -> Run<()>) -> Run<()> {
        let start = self.waits.count;
        let mut end = start;
        let mut first: Option<(u64, Fault)> = None;
        for at in 0..parts {
            self.waits.count = start;
            let outcome = part(self, at);
            let waits = self.waits.count;
            end = end.max(waits);
            match outcome {
                Err(fault) if !fault.has_code() => return Err(fault),
                Err(fault) if first.as_ref().is_none_or(|(known, _)| waits < *known) => {
                    first = Some((waits, fault));
                }
                Err(_) | Ok(()) => {}
            }
        }
        self.waits.count = first.as_ref().map_or(end, |(waits, _)| *waits) + JOIN_WAITS;
        first.map_or(Ok(()), |(_, fault)| Err(fault))
    }
}
