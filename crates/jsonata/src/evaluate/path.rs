//! Paths without bindings: steps, predicates, wildcards.

use std::rc::Rc;

use value::{Key, Value};

use super::{Evaluator, context, keep, lookup, outwards, settle};
use crate::compile::code::{Filter, Path, Stage, Step, StepKind, Variable};
use crate::datum::{Datum, Env, Form, List, Tuple, gather};
use crate::fault::Run;

/// Whether a step is the last of its path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Middle,
    End,
}

impl Evaluator<'_> {
    pub(super) fn path(&mut self, path: &Path, input: &Datum, env: &Env) -> Run<Datum> {
        let mut current: Vec<Datum> = match input.items() {
            Some(items) if !path.first_is_variable => items.to_vec(),
            _ => vec![input.clone()],
        };
        let mut result = Datum::Undefined;
        let mut tuples: Option<Vec<Tuple>> = None;
        let last = path.steps.len().saturating_sub(1);
        for (at, step) in path.steps.iter().enumerate() {
            self.waits.add(1);
            if at == 0 && step.cons && tuples.is_none() {
                result = self.first_step(step, current, env)?;
            } else if tuples.is_some() || step.tuple {
                tuples = Some(self.tuple_step(path, step, tuples.take(), current, env)?);
                current = Vec::new();
                continue;
            } else {
                let end = if at == last { At::End } else { At::Middle };
                result = self.step(step, &current, env, end)?;
            }
            if result.spread().len() == 0 {
                break;
            }
            current = if at == last { Vec::new() } else { items_of(std::mem::take(&mut result)) };
        }
        if let Some(tuples) = tuples {
            return self.finish_tuples(path, tuples, env);
        }
        if path.keep_singleton {
            if result.is_cons() && !result.is_sequence() {
                result = Datum::sequence(vec![result]);
            }
            result = keep(result);
        }
        match &path.group {
            Some(group) => self.group(group, &result, env),
            None => Ok(result),
        }
    }

    fn first_step(&mut self, step: &Step, current: Vec<Datum>, env: &Env) -> Run<Datum> {
        let input = Datum::sequence(current);
        match &step.kind {
            StepKind::Code(code) => self.eval(code, &input, env),
            StepKind::Sort(terms, position) => {
                self.sort_items(terms, *position, input.spread().to_vec(), env)
            }
        }
    }

    fn step(&mut self, step: &Step, current: &[Datum], env: &Env, at: At) -> Run<Datum> {
        let code = match &step.kind {
            StepKind::Code(code) => code,
            StepKind::Sort(terms, position) => {
                let mut sorted = self.sort_items(terms, *position, current.to_vec(), env)?;
                for stage in &step.stages {
                    if let Stage::Filter(filter) = stage {
                        sorted = self.filter(filter, &sorted, env)?;
                    }
                }
                return Ok(sorted);
            }
        };
        let mut results = Vec::with_capacity(current.len());
        for item in current {
            let mut result = self.eval(code, item, env)?;
            for stage in &step.stages {
                if let Stage::Filter(filter) = stage {
                    self.waits.add(1);
                    result = self.filter(filter, &result, env)?;
                }
            }
            if !result.is_undefined() {
                results.push(result);
            }
        }
        let joined = join(results, at);
        self.charge_slots(if joined.is_sequence() { joined.spread().len() } else { 0 })?;
        Ok(joined)
    }

    /// Keeps the items that a predicate chooses.
    pub(super) fn filter(&mut self, filter: &Filter, input: &Datum, env: &Env) -> Run<Datum> {
        if let Datum::Tuples(tuples) = input {
            // Bindings of a nested path that reaches here are not this path's to see.
            return self
                .filter_tuples(filter, tuples, env)
                .map(|kept| Datum::Tuples(Rc::new(kept)));
        }
        let code = match filter {
            Filter::At(number) => return Ok(nth(input, *number)),
            Filter::Where(code) => code,
        };
        let mut kept = Vec::new();
        match input.items() {
            None => {
                if chosen(&self.eval(code, input, env)?, 0, 1) {
                    kept.push(input.clone());
                }
            }
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    if chosen(&self.eval(code, &item, env)?, index, items.len()) {
                        kept.push(item);
                    }
                }
            }
        }
        self.charge_slots(kept.len())?;
        Ok(Datum::sequence(kept))
    }

    /// Returns the values of an object or the items of an array, arrays within flattened.
    pub(super) fn wildcard(&mut self, input: &Datum) -> Run<Datum> {
        let input = context(input);
        let values: Vec<Datum> = match input.items() {
            Some(items) => items.to_vec(),
            None => input.members().into_iter().map(|(_, member)| member).collect(),
        };
        let mut nested = false;
        let mut found = Vec::with_capacity(values.len());
        for value in values {
            if value.is_array() {
                nested = true;
                self.read_whole(&value)?;
            }
            flatten(value, &mut found);
        }
        // Once an array was appended the reference's result is a plain array, not a sequence.
        let form = if nested { Form::Plain } else { Form::Sequence };
        Ok(Datum::List(Rc::new(List { items: found, form })))
    }

    pub(super) fn descendants(&mut self, input: &Datum) -> Run<Datum> {
        if input.is_undefined() {
            return Ok(Datum::Undefined);
        }
        let context = context_items(input);
        self.read_whole(&context)?;
        let mut found = Vec::new();
        descend(&context, &mut found);
        self.sequence(found)
    }
}

/// Returns an array's items; anything else, even undefined, is the only item.
pub(super) fn one_or_items(input: &Datum) -> Vec<Datum> {
    match input.items() {
        Some(items) => items.to_vec(),
        None => vec![input.clone()],
    }
}

fn items_of(result: Datum) -> Vec<Datum> {
    let mut items = Vec::new();
    if result.is_array() {
        items.reserve(result.spread().len());
        gather(result, &mut items);
    }
    items
}

/// Returns whether a predicate's answer chooses the item at `index` of `count`.
pub(super) fn chosen(answer: &Datum, index: usize, count: usize) -> bool {
    if let Datum::Value(Value::Bool(answer)) = answer {
        return *answer;
    }
    let numbers = answer.spread();
    let all_numbers = numbers.iter().all(|number| number.as_number().is_some());
    if numbers.len() == 0 || !all_numbers {
        return super::boolean(answer).unwrap_or(false);
    }
    numbers.iter().filter_map(|number| number.as_number()).any(|number| {
        let floor = number.floor();
        let place = if floor < 0.0 { count as f64 + floor } else { floor };
        place == index as f64
    })
}

/// Returns the item at `number`, counted from the end if negative, as a result sequence.
fn nth(input: &Datum, number: f64) -> Datum {
    let count = if input.is_array() { input.spread().len() } else { 1 };
    let floor = number.floor();
    let place = if floor < 0.0 { count as f64 + floor } else { floor };
    let item = match input.items() {
        #[expect(clippy::cast_possible_truncation, reason = "checked against the length")]
        #[expect(clippy::cast_sign_loss, reason = "checked not to be negative")]
        Some(items) if place >= 0.0 && place < count as f64 => items.get(place as usize),
        None if place == 0.0 => input.clone().defined(),
        Some(_) | None => None,
    };
    match item {
        Some(array) if array.is_array() => array,
        Some(item) => Datum::sequence(vec![item]),
        None => Datum::sequence(Vec::new()),
    }
}

/// Joins what a step gave for each item.
pub(super) fn join(mut results: Vec<Datum>, at: At) -> Datum {
    if at == At::End
        && let [only] = results.as_mut_slice()
        && only.is_array()
        && !only.is_sequence()
    {
        return std::mem::take(only);
    }
    if !results.iter().any(Datum::is_array) {
        return Datum::sequence(results);
    }
    let mut joined = Vec::with_capacity(results.len());
    for result in results {
        if result.is_cons() {
            joined.push(result);
        } else {
            gather(result, &mut joined);
        }
    }
    Datum::sequence(joined)
}

/// Reads a variable and the plain field names behind it.
pub(super) fn fields(variable: &Variable, names: &[Key], env: &Env) -> Datum {
    for place in &variable.places {
        let Some(frame) = outwards(env, place.hops) else { continue };
        if let Some(Some(Datum::Value(value))) = frame.slots.borrow().get(place.slot) {
            return fields_of(value, names);
        }
    }
    match settle(lookup(variable, env)).defined() {
        Some(start) => walk(items_of(join(vec![start], At::Middle)), names),
        None => Datum::Undefined,
    }
}

/// Reads plain field names from the context item.
pub(super) fn context_fields(input: &Datum, names: &[Key]) -> Datum {
    match input {
        Datum::Value(Value::Array(items)) => walk_values(items, names),
        Datum::Value(value) => fields_of(value, names),
        Datum::List(list) => walk(list.items.clone(), names),
        other => walk(vec![other.clone()], names),
    }
}

/// Follows field names through objects; arrays on the way take the slower road.
pub(crate) fn fields_of(value: &Value, names: &[Key]) -> Datum {
    let mut current = value;
    for (at, name) in names.iter().enumerate() {
        match current {
            Value::Object(map) => match map.get(name) {
                Some(member) => current = member,
                None => return Datum::Undefined,
            },
            Value::Array(items) => {
                return walk_values(items, names.get(at..).unwrap_or_default());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Datum::Undefined;
            }
        }
    }
    Datum::Value(current.clone())
}

/// Follows field names from the items of a plain array, which are only borrowed.
fn walk_values(items: &[Value], names: &[Key]) -> Datum {
    let mut current: Vec<&Value> = items.iter().collect();
    let last = names.len().saturating_sub(1);
    for (at, name) in names.iter().enumerate() {
        let mut found = Vec::with_capacity(current.len());
        for item in &current {
            match item {
                Value::Object(map) => found.extend(map.get(name)),
                // An array within an array is a sequence of its own, to be settled.
                Value::Array(_) => {
                    let items = current.into_iter().cloned().map(Datum::Value).collect();
                    return walk(items, names.get(at..).unwrap_or_default());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        if at == last {
            let found = found.into_iter().cloned().map(Datum::Value).collect();
            return settle(join(found, At::End));
        }
        current = flattened(found);
    }
    Datum::Undefined
}

/// Replaces arrays by their items.
fn flattened(values: Vec<&Value>) -> Vec<&Value> {
    if !values.iter().any(|value| matches!(value, Value::Array(_))) {
        return values;
    }
    let items = values.into_iter().map(|value| match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    });
    items.flatten().collect()
}

fn walk(mut items: Vec<Datum>, names: &[Key]) -> Datum {
    let last = names.len().saturating_sub(1);
    for (at, name) in names.iter().enumerate() {
        let found = items.iter().filter_map(|item| settle(item.field(name)).defined()).collect();
        if at == last {
            return settle(join(found, At::End));
        }
        items = items_of(join(found, At::Middle));
    }
    Datum::Undefined
}

fn flatten(value: Datum, into: &mut Vec<Datum>) {
    match value.items() {
        Some(items) => items.iter().for_each(|item| flatten(item, into)),
        None => into.push(value),
    }
}

fn context_items(input: &Datum) -> Datum {
    context(input)
}

fn descend(datum: &Datum, found: &mut Vec<Datum>) {
    match datum {
        Datum::Undefined => {}
        Datum::Value(value) => descend_value(value, found),
        Datum::List(list) => list.items.iter().for_each(|item| descend(item, found)),
        Datum::Record(members) => {
            found.push(datum.clone());
            members.iter().for_each(|(_, member)| descend(member, found));
        }
        Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => found.push(datum.clone()),
    }
}

fn descend_value(value: &Value, found: &mut Vec<Datum>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| descend_value(item, found)),
        Value::Object(map) => {
            found.push(Datum::Value(value.clone()));
            map.values().for_each(|member| descend_value(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push(Datum::Value(value.clone()));
        }
    }
}
