//! Functions that call functions.

use value::Value;

use super::argument;
use crate::datum::Datum;
use crate::evaluate::{Evaluator, boolean, compare_text, merge_sort};
use crate::fault::{Fault, Run};

/// Calls `function` with as many of item, place and whole as it takes.
fn call(
    evaluator: &mut Evaluator,
    function: &Datum,
    arity: usize,
    item: Datum,
    place: impl FnOnce() -> Datum,
    whole: &Datum,
) -> Run<Datum> {
    let mut arguments = Vec::with_capacity(arity.clamp(1, 3));
    arguments.push(item);
    if arity >= 2 {
        arguments.push(place());
    }
    if arity >= 3 {
        arguments.push(whole.clone());
    }
    evaluator.apply(function, arguments)
}

fn index(at: usize) -> Datum {
    Datum::from(at as f64)
}

/// `$map(array, function)`
pub(super) fn map(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    if array.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let arity = function.arity();
    let mut results = Vec::with_capacity(array.spread().len());
    for (at, item) in array.spread().iter().enumerate() {
        let result = call(evaluator, function, arity, item, || index(at), array)?;
        results.extend(result.defined());
    }
    evaluator.sequence(results)
}

/// `$filter(array, function)`
pub(super) fn filter(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    if array.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let arity = function.arity();
    let mut kept = Vec::new();
    for (at, item) in array.spread().iter().enumerate() {
        let answer = call(evaluator, function, arity, item.clone(), || index(at), array)?;
        if boolean(&answer).unwrap_or(false) {
            kept.push(item);
        }
    }
    evaluator.sequence(kept)
}

/// `$single(array, function)`: the only item for which the function answers true.
pub(super) fn single(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    if array.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let arity = function.arity();
    let mut found = None;
    for (at, item) in array.spread().iter().enumerate() {
        let fits = function.is_undefined() || {
            let answer = call(evaluator, function, arity, item.clone(), || index(at), array)?;
            boolean(&answer).unwrap_or(false)
        };
        if fits && found.is_some() {
            return Err(Fault::new("D3138").index(at));
        }
        if fits {
            found = Some(item);
        }
    }
    found.ok_or_else(|| Fault::new("D3139"))
}

/// `$reduce(array, function, start)`
pub(super) fn reduce(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    if array.is_undefined() {
        return Ok(Datum::Undefined);
    }
    let arity = function.arity();
    if arity < 2 {
        return Err(Fault::new("D3050").index(1));
    }
    let mut items = array.spread().iter().enumerate();
    let start = argument(arguments, 2);
    let mut result = if start.is_undefined() {
        items.next().map(|(_, first)| first).unwrap_or_default()
    } else {
        start.clone()
    };
    for (at, item) in items {
        let mut arguments = vec![result, item];
        if arity >= 3 {
            arguments.push(index(at));
        }
        if arity >= 4 {
            arguments.push(array.clone());
        }
        result = evaluator.apply(function, arguments)?;
    }
    Ok(result)
}

/// `$sift(object, function)`: the members for which the function answers true.
pub(super) fn sift(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (object, function) = (argument(arguments, 0), argument(arguments, 1));
    let arity = function.arity();
    let mut kept = Vec::new();
    for (key, member) in object.members() {
        let place = || Datum::Value(Value::from(key.clone()));
        let answer = call(evaluator, function, arity, member.clone(), place, object)?;
        if boolean(&answer).unwrap_or(false) {
            kept.push((key, member));
        }
    }
    if kept.is_empty() { Ok(Datum::Undefined) } else { evaluator.object(kept) }
}

/// `$each(object, function)`: what the function makes of every member.
pub(super) fn each(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (object, function) = (argument(arguments, 0), argument(arguments, 1));
    let arity = function.arity();
    let mut results = Vec::new();
    for (key, member) in object.members() {
        let place = || Datum::Value(Value::from(key));
        let result = call(evaluator, function, arity, member, place, object)?;
        results.extend(result.defined());
    }
    evaluator.sequence(results)
}

/// `$sort(array, function)`: the function tells whether its first argument belongs behind the
/// second.
pub(super) fn sort(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let (array, function) = (argument(arguments, 0), argument(arguments, 1));
    if array.spread().len() <= 1 {
        return Ok(array.clone());
    }
    let items = array.spread().to_vec();
    let sorted = if function.is_undefined() {
        sort_plain(evaluator, items)?
    } else {
        merge_sort(items, &mut |a, b| {
            let answer = evaluator.apply(function, vec![a.clone(), b.clone()])?;
            Ok(is_truthy(&answer))
        })?
    };
    evaluator.array(sorted)
}

fn sort_plain(evaluator: &mut Evaluator, mut items: Vec<Datum>) -> Run<Vec<Datum>> {
    evaluator.work(items.len())?;
    if items.iter().all(|item| item.as_number().is_some()) {
        items.sort_by(|a, b| {
            a.as_number().partial_cmp(&b.as_number()).unwrap_or(std::cmp::Ordering::Equal)
        });
        return Ok(items);
    }
    if items.iter().all(|item| item.as_text().is_some()) {
        items.sort_by(|a, b| match (a.as_text(), b.as_text()) {
            (Some(a), Some(b)) => compare_text(a, b),
            _ => std::cmp::Ordering::Equal,
        });
        return Ok(items);
    }
    Err(Fault::new("D3070").index(1))
}

/// Returns whether JavaScript would take an answer for true.
fn is_truthy(answer: &Datum) -> bool {
    match answer {
        Datum::Undefined => false,
        Datum::Value(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            boolean(answer).unwrap_or(false)
        }
        Datum::Value(Value::Array(_) | Value::Object(_))
        | Datum::List(_)
        | Datum::Record(_)
        | Datum::Native(_)
        | Datum::Function(_)
        | Datum::Tuples(_) => true,
    }
}
