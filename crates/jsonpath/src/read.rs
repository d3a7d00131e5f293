//! Reading a path: definite ones step by step, indefinite ones by collecting.

use std::sync::Arc;

use value::{Map, Value};

use crate::filter;
use crate::token::{self, Slice, Token};
use crate::{Miss, READ_STEPS_MAX, SCAN_DEPTH_MAX};

/// Reads `tokens` in `root`.
pub(crate) fn read(tokens: &[Token], definite: bool, root: &Value) -> Result<Value, Miss> {
    if definite {
        return read_definite(tokens, root);
    }
    if let (Some(token @ Token::Slice(_)), false) =
        (tokens.first(), matches!(root, Value::Array(_)))
    {
        return Err(not_an_array(token, root, "$".into()));
    }
    let mut walk = Walk { root, found: Vec::new(), steps: 0 };
    match walk.collect(tokens, root) {
        Ok(()) => Ok(Value::from(walk.found)),
        Err(Overrun) => Err(Miss::TooManySteps(token::normalized(tokens))),
    }
}

/// Follows a definite path; the texts of the misses are Jayway's.
fn read_definite(tokens: &[Token], root: &Value) -> Result<Value, Miss> {
    let mut value = root;
    for (at, token) in tokens.iter().enumerate() {
        let before = tokens.get(..at).unwrap_or(&[]);
        let through = tokens.get(..=at).unwrap_or(tokens);
        let last = at + 1 == tokens.len();
        value = match token {
            Token::Property(name) => {
                let map = object_at(value, token, before)?;
                match map.get(name) {
                    Some(next) => next,
                    None if last => return Err(Miss::NoResults(token::normalized(tokens))),
                    None => return Err(Miss::MissingProperty(token::normalized(through))),
                }
            }
            Token::Index(index) => {
                let items = array_at(value, token, before)?;
                match element(items, *index) {
                    Some(next) => next,
                    None => return Err(Miss::NoResults(token::normalized(tokens))),
                }
            }
            Token::Properties(names) => return Ok(merged(object_at(value, token, before)?, names)),
            Token::Indices(_)
            | Token::Slice(_)
            | Token::Wildcard
            | Token::Scan
            | Token::Filter(_) => return Err(Miss::NoResults(token::normalized(tokens))),
        };
    }
    Ok(value.clone())
}

fn object_at<'a>(value: &'a Value, token: &Token, before: &[Token]) -> Result<&'a Map, Miss> {
    value.as_object().ok_or_else(|| Miss::NotAnObject {
        property: token.to_string(),
        path: token::normalized(before),
        found: java_class(value),
    })
}

fn array_at<'a>(value: &'a Value, token: &Token, before: &[Token]) -> Result<&'a [Value], Miss> {
    value.as_array().ok_or_else(|| not_an_array(token, value, token::normalized(before)))
}

fn not_an_array(token: &Token, value: &Value, path: Arc<str>) -> Miss {
    if value.is_null() {
        return Miss::IsNull(path);
    }
    Miss::NotAnArray { token: token.to_string(), context: value.to_string() }
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "com.fasterxml.jackson.databind.node.NullNode",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(number) => match number.as_i64() {
            Some(_) => "com.fasterxml.jackson.databind.node.IntNode",
            None => "com.fasterxml.jackson.databind.node.DoubleNode",
        },
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
    }
}

/// Returns the element at `index`, counted from the end when negative.
pub(crate) fn element(items: &[Value], index: i64) -> Option<&Value> {
    let at = match usize::try_from(index) {
        Ok(at) => at,
        Err(_) => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(at)
}

/// Returns an object of the members of `map` that `names` lists.
fn merged(map: &Map, names: &[Arc<str>]) -> Value {
    let members = names.iter().filter_map(|name| Some((name.clone(), map.get(name)?.clone())));
    Value::from(members.collect::<Map>())
}

/// The read visited too much.
struct Overrun;

/// One read of an indefinite path.
struct Walk<'a> {
    root: &'a Value,
    found: Vec<Value>,
    steps: usize,
}

impl Walk<'_> {
    fn step(&mut self) -> Result<(), Overrun> {
        self.steps += 1;
        if self.steps <= READ_STEPS_MAX { Ok(()) } else { Err(Overrun) }
    }

    /// Collects what `tokens` name below `value`; parts that are not there are passed over.
    fn collect(&mut self, tokens: &[Token], value: &Value) -> Result<(), Overrun> {
        self.step()?;
        let Some((token, rest)) = tokens.split_first() else {
            self.found.push(value.clone());
            return Ok(());
        };
        match token {
            Token::Property(name) => self.collect_some(rest, value.get(name)),
            Token::Properties(names) => self.collect_names(names, rest, value),
            Token::Index(index) => self.collect_index(*index, rest, value),
            Token::Indices(indices) => {
                indices.iter().try_for_each(|index| self.collect_index(*index, rest, value))
            }
            Token::Slice(slice) => self.collect_slice(*slice, rest, value),
            Token::Wildcard => self.collect_children(rest, value),
            Token::Scan => self.scan(rest, value, 0),
            Token::Filter(filter) => self.collect_filtered(filter, rest, value),
        }
    }

    fn collect_some(&mut self, rest: &[Token], value: Option<&Value>) -> Result<(), Overrun> {
        value.map_or(Ok(()), |value| self.collect(rest, value))
    }

    fn collect_index(&mut self, at: i64, rest: &[Token], value: &Value) -> Result<(), Overrun> {
        let found = value.as_array().and_then(|items| element(items, at));
        self.collect_some(rest, found)
    }

    fn collect_names(
        &mut self,
        names: &[Arc<str>],
        rest: &[Token],
        value: &Value,
    ) -> Result<(), Overrun> {
        match value.as_object() {
            None => Ok(()),
            Some(map) if rest.is_empty() => self.collect(rest, &merged(map, names)),
            Some(map) => names.iter().try_for_each(|name| self.collect_some(rest, map.get(name))),
        }
    }

    /// Jayway's bounds: only an open slice counts a negative bound from the end; between two
    /// bounds each index is taken by itself, so `[-2:2]` is the last two, then the first two.
    fn collect_slice(
        &mut self,
        slice: Slice,
        rest: &[Token],
        value: &Value,
    ) -> Result<(), Overrun> {
        let Some(items) = value.as_array() else { return Ok(()) };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let (from, to) = match slice {
            Slice::From(from) if from < 0 => ((length + from).max(0), length),
            Slice::From(from) => (from, length),
            Slice::To(to) if to < 0 => (0, length + to),
            Slice::To(to) => (0, to.min(length)),
            Slice::Between(from, to) => (from.max(-length), to.min(length)),
        };
        (from..to).try_for_each(|at| self.collect_some(rest, element(items, at)))
    }

    fn collect_children(&mut self, rest: &[Token], value: &Value) -> Result<(), Overrun> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.collect(rest, item)),
            Value::Object(map) => map.values().try_for_each(|item| self.collect(rest, item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// A filter tests the elements of an array, and an object itself.
    fn collect_filtered(
        &mut self,
        filter: &filter::Filter,
        rest: &[Token],
        value: &Value,
    ) -> Result<(), Overrun> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| {
                self.step()?;
                if filter.accepts(item, self.root) { self.collect(rest, item) } else { Ok(()) }
            }),
            Value::Object(_) if filter.accepts(value, self.root) => self.collect(rest, value),
            Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => Ok(()),
        }
    }

    /// Applies the first of `tokens` to `value` and to everything below it, parents first.
    fn scan(&mut self, tokens: &[Token], value: &Value, depth: usize) -> Result<(), Overrun> {
        self.step()?;
        if depth > SCAN_DEPTH_MAX {
            return Err(Overrun);
        }
        match value {
            Value::Array(items) => {
                self.scan_array(tokens, value, items)?;
                items.iter().try_for_each(|item| self.scan(tokens, item, depth + 1))
            }
            Value::Object(map) => {
                if scan_meets(tokens, value, self.root) {
                    self.collect(tokens, value)?;
                }
                map.values().try_for_each(|item| self.scan(tokens, item, depth + 1))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// Jayway, on an array: the last token applies to the array, while of a token before the last
    /// only what follows it is applied, to every element.
    fn scan_array(
        &mut self,
        tokens: &[Token],
        value: &Value,
        items: &[Value],
    ) -> Result<(), Overrun> {
        let Some((_, rest)) = tokens.split_first() else { return Ok(()) };
        if !scan_meets(tokens, value, self.root) {
            return Ok(());
        }
        if rest.is_empty() {
            return self.collect(tokens, value);
        }
        items.iter().try_for_each(|item| self.collect(rest, item))
    }
}

/// Returns whether a deep scan stops at `value` to apply the first of `tokens`.
fn scan_meets(tokens: &[Token], value: &Value, root: &Value) -> bool {
    match tokens.first() {
        Some(Token::Property(name)) => value.get(name).is_some(),
        Some(Token::Properties(names)) if tokens.len() == 1 => {
            names.iter().all(|name| value.get(name).is_some())
        }
        Some(Token::Properties(_)) => matches!(value, Value::Object(_)),
        Some(Token::Index(_) | Token::Indices(_) | Token::Slice(_)) => {
            matches!(value, Value::Array(_))
        }
        Some(Token::Wildcard) => true,
        Some(Token::Filter(filter)) => filter.accepts(value, root),
        Some(Token::Scan) | None => false,
    }
}
