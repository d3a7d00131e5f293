//! How large a value is when it is written out.
//!
//! Values share their parts, so a short program can make one that fits into memory and would fill
//! any disk: `$reduce([1..60], function($a, $v){ [[$a], [$a]] }, 0)`. Whoever reads a value to its
//! leaves asks here first.

use value::Value;

use super::{BYTES_TEXT, Evaluator, SLOT_BYTES};
use crate::datum::Datum;
use crate::fault::{Fault, Run};

/// Arrays and objects that are made before they are watched.
const UNWATCHED_MAX: usize = 200;
/// How deeply a result may nest.
const RESULT_NESTING_MAX: usize = value::DEPTH_MAX;
/// As many nodes can be looked at in one step.
const NODES_PER_STEP: usize = 16;

impl Evaluator<'_> {
    /// Meters a new array or object, and refuses one that nests too deeply to be dropped safely.
    pub(crate) fn made(&mut self, datum: Datum) -> Run<Datum> {
        self.made += 1;
        if self.made > UNWATCHED_MAX {
            self.fits(&datum)?;
        }
        Ok(datum)
    }

    /// Refuses a result that cannot be written out, or read back from storage.
    pub(crate) fn finish(&mut self, result: Datum) -> Run<Datum> {
        if self.made > 0 {
            self.fits(&result)?;
        }
        Ok(result)
    }

    /// Meters reading a value to its leaves.
    pub(crate) fn read_whole(&mut self, datum: &Datum) -> Run<()> {
        match datum {
            Datum::Value(Value::Array(_) | Value::Object(_))
            | Datum::List(_)
            | Datum::Record(_) => self.fits(datum),
            _ => Ok(()),
        }
    }

    /// Refuses what nests too deeply, or would take more memory than there is, were
    /// nothing shared.
    fn fits(&mut self, datum: &Datum) -> Run<()> {
        let affordable = self.limits.bytes_max / SLOT_BYTES;
        let mut left = affordable;
        if !counted(datum, RESULT_NESTING_MAX, &mut left) {
            return Err(Fault::uncoded(BYTES_TEXT));
        }
        self.work((affordable - left) / NODES_PER_STEP)
    }
}

/// Returns whether a value is written out with at most `nodes` of them.
pub(crate) fn is_light(value: &Value, nodes: usize) -> bool {
    let mut left = nodes;
    counted_value(value, usize::MAX, &mut left)
}

/// Takes a datum's nodes off `left`; returns false where there are too many, or too many levels.
fn counted(datum: &Datum, levels: usize, left: &mut usize) -> bool {
    let (Some(below), Some(rest)) = (levels.checked_sub(1), left.checked_sub(1)) else {
        return false;
    };
    match datum {
        Datum::Value(value) => return counted_value(value, levels, left),
        Datum::List(list) => {
            *left = rest;
            return list.items.iter().all(|item| counted(item, below, left));
        }
        Datum::Record(members) => {
            *left = rest;
            return members.iter().all(|(_, member)| counted(member, below, left));
        }
        Datum::Undefined | Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => *left = rest,
    }
    true
}

fn counted_value(value: &Value, levels: usize, left: &mut usize) -> bool {
    let (Some(below), Some(rest)) = (levels.checked_sub(1), left.checked_sub(1)) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| counted_value(item, below, left)),
        Value::Object(map) => map.values().all(|member| counted_value(member, below, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
