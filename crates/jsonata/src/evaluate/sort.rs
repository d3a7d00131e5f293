//! `^(…)` and `$sort`.

use std::cmp::Ordering;

use value::Value;

use super::{Evaluator, compare_text};
use crate::compile::code::Term;
use crate::datum::{Datum, Env};
use crate::fault::{Fault, Run};

impl Evaluator<'_> {
    pub(super) fn sort_items(
        &mut self,
        terms: &[Term],
        position: usize,
        items: Vec<Datum>,
        env: &Env,
    ) -> Run<Datum> {
        self.waits.add_sort();
        let mut keys = Vec::with_capacity(items.len() * terms.len());
        for item in &items {
            self.sort_keys(terms, item, env, &mut keys)?;
        }
        let sorted = self.sort_keyed(terms, position, &keys, items)?;
        self.sequence(sorted)
    }

    /// Evaluates the terms for one item.
    pub(super) fn sort_keys(
        &mut self,
        terms: &[Term],
        item: &Datum,
        env: &Env,
        keys: &mut Vec<Datum>,
    ) -> Run<()> {
        for term in terms {
            keys.push(self.eval(&term.code, item, env)?);
        }
        Ok(())
    }

    /// Sorts items by their keys: as many for each as there are terms.
    pub(super) fn sort_keyed<T>(
        &mut self,
        terms: &[Term],
        position: usize,
        keys: &[Datum],
        items: Vec<T>,
    ) -> Run<Vec<T>> {
        let width = terms.len();
        let mut order: Vec<usize> = (0..items.len()).collect();
        if let Some(keys) = comparable(keys, width) {
            // No comparison can fail, and all stable sorts agree.
            self.work(items.len() * (items.len().max(1).ilog2() as usize + 1))?;
            order.sort_by(|a, b| {
                compare_comparable(terms, row(&keys, *a, width), row(&keys, *b, width))
            });
        } else {
            order = merge_sort(order, &mut |a, b| {
                self.work(1)?;
                let order = compare_keys(terms, row(keys, *a, width), row(keys, *b, width));
                order.map(|order| order == Ordering::Greater).map_err(|fault| fault.at(position))
            })?;
        }
        let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
        Ok(order.into_iter().filter_map(|at| items.get_mut(at)?.take()).collect())
    }
}

/// A key that compares with every other key of its term.
enum SortKey<'k> {
    Nothing,
    Number(f64),
    Text(&'k str),
}

/// Returns the keys if each term has numbers only, or texts only.
fn comparable(keys: &[Datum], width: usize) -> Option<Vec<SortKey<'_>>> {
    let mut kinds: Vec<Option<bool>> = vec![None; width];
    let mut found = Vec::with_capacity(keys.len());
    for (at, key) in keys.iter().enumerate() {
        let kind = kinds.get_mut(at % width)?;
        let key = match key {
            Datum::Undefined => SortKey::Nothing,
            Datum::Value(Value::String(text)) => SortKey::Text(text),
            Datum::Value(Value::Number(number)) if !number.as_f64().is_nan() => {
                SortKey::Number(number.as_f64())
            }
            _ => return None,
        };
        let is_text = match key {
            SortKey::Nothing => None,
            SortKey::Number(_) => Some(false),
            SortKey::Text(_) => Some(true),
        };
        if is_text.is_some()
            && *kind.get_or_insert(is_text == Some(true)) != (is_text == Some(true))
        {
            return None;
        }
        found.push(key);
    }
    Some(found)
}

/// Returns the keys of one item.
fn row<K>(keys: &[K], at: usize, width: usize) -> &[K] {
    keys.get(at * width..(at + 1) * width).unwrap_or_default()
}

fn compare_comparable(terms: &[Term], left: &[SortKey], right: &[SortKey]) -> Ordering {
    for (term, (a, b)) in terms.iter().zip(left.iter().zip(right)) {
        let order = match (a, b) {
            (SortKey::Number(a), SortKey::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (SortKey::Text(a), SortKey::Text(b)) => compare_text(a, b),
            (SortKey::Nothing, SortKey::Nothing) => Ordering::Equal,
            // What has no key goes to the end, whatever the direction.
            (SortKey::Nothing, _) => return Ordering::Greater,
            (_, SortKey::Nothing) => return Ordering::Less,
            // The keys of a term are of one kind.
            (SortKey::Number(_), SortKey::Text(_)) | (SortKey::Text(_), SortKey::Number(_)) => {
                Ordering::Equal
            }
        };
        if order != Ordering::Equal {
            return if term.descending { order.reverse() } else { order };
        }
    }
    Ordering::Equal
}

/// Compares the keys of two items term by term.
fn compare_keys(terms: &[Term], left: &[Datum], right: &[Datum]) -> Run<Ordering> {
    for (term, (a, b)) in terms.iter().zip(left.iter().zip(right)) {
        // What has no key goes to the end, whatever the direction.
        match (a.is_undefined(), b.is_undefined()) {
            (true, true) => continue,
            (true, false) => return Ok(Ordering::Greater),
            (false, true) => return Ok(Ordering::Less),
            (false, false) => {}
        }
        let order = compare_key(a, b)?;
        if order != Ordering::Equal {
            return Ok(if term.descending { order.reverse() } else { order });
        }
    }
    Ok(Ordering::Equal)
}

fn compare_key(a: &Datum, b: &Datum) -> Run<Ordering> {
    for side in [a, b] {
        if side.as_number().is_none() && side.as_text().is_none() {
            return Err(Fault::new("T2008").value_some(side.to_json()));
        }
    }
    match (a.as_text(), b.as_text()) {
        (Some(a), Some(b)) => Ok(compare_text(a, b)),
        (None, None) => Ok(a.as_number().partial_cmp(&b.as_number()).unwrap_or(Ordering::Equal)),
        _ => Err(Fault::new("T2007").value_some(a.to_json()).value2(b.to_json())),
    }
}

/// Sorts stably; `after` tells whether the first argument belongs behind the second.
///
/// The order of comparisons is the reference's, because `after` may fail or answer oddly.
pub(crate) fn merge_sort<T>(
    mut items: Vec<T>,
    after: &mut dyn FnMut(&T, &T) -> Run<bool>,
) -> Run<Vec<T>> {
    if items.len() <= 1 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(items, after)?;
    let right = merge_sort(right, after)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        if after(a, b)? {
            merged.extend(right.next());
        } else {
            merged.extend(left.next());
        }
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
