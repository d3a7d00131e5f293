//! Functions on arrays.

use std::rc::Rc;

use super::argument;
use crate::datum::{Datum, List};
use crate::evaluate::{Evaluator, append, equal};
use crate::fault::Run;

/// `$count(array)`
pub(super) fn count(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(Datum::from(argument(arguments, 0).spread().len() as f64))
}

/// `$append(first, second)`: one array of both.
pub(super) fn append_(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let joined = append(argument(arguments, 0).clone(), argument(arguments, 1).clone());
    evaluator.charge_slots(if joined.is_array() { joined.spread().len() } else { 0 })?;
    evaluator.made(joined)
}

/// `$reverse(array)`
pub(super) fn reverse(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let array = argument(arguments, 0);
    if array.spread().len() <= 1 {
        return Ok(array.clone());
    }
    let mut items = array.spread().to_vec();
    items.reverse();
    evaluator.array(items)
}

/// `$shuffle(array)`: in random order.
pub(super) fn shuffle(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let array = argument(arguments, 0);
    if array.spread().len() <= 1 {
        return Ok(array.clone());
    }
    let mut items = array.spread().to_vec();
    for last in (1..items.len()).rev() {
        #[expect(clippy::cast_possible_truncation, reason = "below the length")]
        #[expect(clippy::cast_sign_loss, reason = "not below 0")]
        let chosen = (evaluator.moment.unit() * (last + 1) as f64) as usize;
        items.swap(last, chosen.min(last));
    }
    evaluator.array(items)
}

/// `$zip(array, …)`: arrays of the first, second, … items.
pub(super) fn zip(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let lengths =
        arguments.iter().map(|array| array.items().map_or(0, super::super::datum::Items::len));
    let shortest = lengths.min().unwrap_or(0);
    let mut rows = Vec::with_capacity(shortest);
    for at in 0..shortest {
        let row = arguments.iter().filter_map(|array| array.spread().get(at)).collect();
        rows.push(evaluator.array(row)?);
    }
    evaluator.array(rows)
}

/// `$distinct(array)`: without repetitions.
pub(super) fn distinct(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let array = argument(arguments, 0);
    let Some(items) = array.items().filter(|items| items.len() > 1) else {
        return Ok(array.clone());
    };
    evaluator.read_whole(array)?;
    let mut kept: Vec<Datum> = Vec::new();
    for item in items.iter() {
        evaluator.work(kept.len())?;
        if !kept.iter().any(|known| equal(known, &item)) {
            kept.push(item);
        }
    }
    evaluator.charge_slots(kept.len())?;
    if array.is_sequence() {
        return Ok(Datum::List(Rc::new(List::sequence(kept))));
    }
    Ok(Datum::array(kept))
}
