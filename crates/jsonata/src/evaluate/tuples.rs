//! Paths that carry bindings: `@$name`, `#$name` and `%`.

use std::rc::Rc;

use super::path::{chosen, one_or_items};
use super::{Evaluator, keep};
use crate::compile::code::{Filter, Layout, Path, Stage, Step, StepKind, Term};
use crate::datum::{Datum, Env, Frame, Tuple, gather};
use crate::fault::Run;

impl Evaluator<'_> {
    /// Takes one step for every tuple; the first such step makes tuples of the items so far.
    pub(super) fn tuple_step(
        &mut self,
        path: &Path,
        step: &Step,
        tuples: Option<Vec<Tuple>>,
        items: Vec<Datum>,
        env: &Env,
    ) -> Run<Vec<Tuple>> {
        let Some(layout) = &path.layout else { return Ok(Vec::new()) };
        let begun = tuples.is_some();
        let tuples = tuples.unwrap_or_else(|| {
            let empty = vec![None; layout.len()];
            items.into_iter().map(|item| Tuple { item, slots: empty.clone() }).collect()
        });
        let mut result = match &step.kind {
            StepKind::Code(code) => {
                let mut result = Vec::new();
                for tuple in &tuples {
                    let own = frame(tuple, layout, env);
                    let found = self.eval(code, &tuple.item, &own)?;
                    extend(&mut result, step, tuple, &found);
                }
                result
            }
            StepKind::Sort(terms, position) => {
                let mut sorted = self.sort_tuples(terms, *position, tuples, layout, env)?;
                if let Some(index) = step.index.filter(|_| !begun) {
                    number(&mut sorted, index);
                }
                sorted
            }
        };
        self.charge_slots(result.len())?;
        for stage in &step.stages {
            match stage {
                Stage::Filter(filter) => {
                    result = self.filter_own_tuples(filter, result, layout, env)?;
                }
                Stage::Index(slot) => number(&mut result, *slot),
            }
        }
        Ok(result)
    }

    fn sort_tuples(
        &mut self,
        terms: &[Term],
        position: usize,
        tuples: Vec<Tuple>,
        layout: &Layout,
        env: &Env,
    ) -> Run<Vec<Tuple>> {
        let mut keys = Vec::with_capacity(tuples.len() * terms.len());
        for tuple in &tuples {
            let own = frame(tuple, layout, env);
            self.sort_keys(terms, &tuple.item, &own, &mut keys)?;
        }
        self.sort_keyed(terms, position, &keys, tuples)
    }

    fn filter_own_tuples(
        &mut self,
        filter: &Filter,
        tuples: Vec<Tuple>,
        layout: &Layout,
        env: &Env,
    ) -> Run<Vec<Tuple>> {
        let count = tuples.len();
        let code = match filter {
            Filter::At(number) => return Ok(nth(tuples, *number)),
            Filter::Where(code) => code,
        };
        let mut kept = Vec::new();
        for (index, tuple) in tuples.into_iter().enumerate() {
            let own = frame(&tuple, layout, env);
            let answer = self.eval(code, &tuple.item, &own)?;
            if chosen(&answer, index, count) {
                kept.push(tuple);
            }
        }
        Ok(kept)
    }

    /// Filters what a nested path handed on; `env` is the frame of the outer path's tuple.
    pub(super) fn filter_tuples(
        &mut self,
        filter: &Filter,
        tuples: &[Tuple],
        env: &Env,
    ) -> Run<Vec<Tuple>> {
        let code = match filter {
            Filter::At(number) => return Ok(nth(tuples.to_vec(), *number)),
            Filter::Where(code) => code,
        };
        let mut kept = Vec::new();
        for (index, tuple) in tuples.iter().enumerate() {
            let mut slots = env.slots.borrow().clone();
            overlay(&mut slots, &tuple.slots);
            let own = Frame::new(&env.names, slots, env.parent.clone());
            let answer = self.eval(code, &tuple.item, &own)?;
            if chosen(&answer, index, tuples.len()) {
                kept.push(tuple.clone());
            }
        }
        Ok(kept)
    }

    /// Ends a path that carried bindings.
    pub(super) fn finish_tuples(
        &mut self,
        path: &Path,
        tuples: Vec<Tuple>,
        env: &Env,
    ) -> Run<Datum> {
        if let Some(group) = &path.group {
            let Some(layout) = &path.layout else { return Ok(Datum::Undefined) };
            return self.group_tuples(group, tuples, layout, env);
        }
        if path.gives_tuples {
            return Ok(Datum::Tuples(Rc::new(tuples)));
        }
        let items = tuples.into_iter().map(|tuple| tuple.item).collect();
        let result = self.sequence(items)?;
        Ok(if path.keep_singleton { keep(result) } else { result })
    }
}

/// Returns a frame with a tuple's bindings.
pub(super) fn frame(tuple: &Tuple, layout: &Layout, env: &Env) -> Env {
    Frame::new(layout, tuple.slots.clone(), Some(env.clone()))
}

/// Appends a tuple for each result of a step.
fn extend(result: &mut Vec<Tuple>, step: &Step, from: &Tuple, found: &Datum) {
    if let Datum::Tuples(nested) = found {
        for inner in nested.iter() {
            let mut tuple = from.clone();
            tuple.item = inner.item.clone();
            overlay(&mut tuple.slots, &inner.slots);
            result.push(tuple);
        }
        return;
    }
    if found.is_undefined() {
        return;
    }
    for (at, item) in one_or_items(found).into_iter().enumerate() {
        let mut tuple = from.clone();
        match step.focus {
            Some(slot) => set(&mut tuple, slot, item),
            None => tuple.item = item,
        }
        if let Some(slot) = step.index {
            set(&mut tuple, slot, Datum::from(at as f64));
        }
        if let Some(slot) = step.ancestor {
            set(&mut tuple, slot, from.item.clone());
        }
        result.push(tuple);
    }
}

/// Takes over what `inner` binds.
fn overlay(slots: &mut [Option<Datum>], inner: &[Option<Datum>]) {
    for (slot, value) in slots.iter_mut().zip(inner) {
        if value.is_some() {
            slot.clone_from(value);
        }
    }
}

fn set(tuple: &mut Tuple, slot: usize, value: Datum) {
    if let Some(place) = tuple.slots.get_mut(slot) {
        *place = Some(value);
    }
}

fn number(tuples: &mut [Tuple], slot: usize) {
    for (at, tuple) in tuples.iter_mut().enumerate() {
        set(tuple, slot, Datum::from(at as f64));
    }
}

fn nth(tuples: Vec<Tuple>, number: f64) -> Vec<Tuple> {
    let floor = number.floor();
    let place = if floor < 0.0 { tuples.len() as f64 + floor } else { floor };
    let found = tuples.into_iter().enumerate().find(|(at, _)| *at as f64 == place);
    found.map(|(_, tuple)| tuple).into_iter().collect()
}

/// Merges tuples of one group: every binding holds all their values.
pub(super) fn reduce(tuples: Vec<Tuple>) -> Option<Tuple> {
    let mut tuples = tuples.into_iter();
    let mut result = tuples.next()?;
    for tuple in tuples {
        result.item = append(result.item, tuple.item);
        for (slot, value) in result.slots.iter_mut().zip(tuple.slots) {
            if let Some(value) = value {
                let before = slot.take().unwrap_or_default();
                *slot = Some(append(before, value));
            }
        }
    }
    Some(result)
}

/// Appends two values as one array.
pub(crate) fn append(left: Datum, right: Datum) -> Datum {
    if left.is_undefined() {
        return right;
    }
    if right.is_undefined() {
        return left;
    }
    let mut items = one_or_items(&left);
    gather(right, &mut items);
    Datum::array(items)
}
