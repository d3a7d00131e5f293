//! `^(…)` and `$sort`.

use std::cmp::Ordering;

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
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            keyed.push((self.sort_keys(terms, &item, env)?, item));
        }
        let sorted = self.sort_keyed(terms, position, keyed)?;
        self.sequence(sorted)
    }

    /// Evaluates the terms for one item.
    pub(super) fn sort_keys(&mut self, terms: &[Term], item: &Datum, env: &Env) -> Run<Vec<Datum>> {
        terms.iter().map(|term| self.eval(&term.code, item, env)).collect()
    }

    pub(super) fn sort_keyed<T>(
        &mut self,
        terms: &[Term],
        position: usize,
        keyed: Vec<(Vec<Datum>, T)>,
    ) -> Run<Vec<T>> {
        let sorted = merge_sort(keyed, &mut |left, right| {
            self.work(1)?;
            let order = compare_keys(terms, &left.0, &right.0);
            order.map(|order| order == Ordering::Greater).map_err(|fault| fault.at(position))
        })?;
        Ok(sorted.into_iter().map(|(_, item)| item).collect())
    }
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
