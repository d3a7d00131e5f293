//! Selectors: the JSONPath of outputs and properties.
//!
//! AWS names dot, index and deep scan; constant filters and bracketed names occur in its own
//! documents, and so do selectors without the leading `$.`.

use value::Value;

/// How deep a deep scan looks.
const SCAN_DEPTH_MAX: usize = 100;

/// One step of a selector.
#[derive(Debug, Clone, PartialEq)]
enum Hop {
    Name(String),
    Index(usize),
    /// `..name`.
    Scan(String),
    /// `[?(@.name == 'text')]`.
    Filter {
        name: String,
        text: String,
    },
    /// `[*]` or `.*`.
    All,
}

/// Returns what a selector finds; a deep scan, a filter or a wildcard always finds a list.
pub(crate) fn select(selector: &str, value: &Value) -> Option<Value> {
    let hops = parse(selector)?;
    let definite = hops.iter().all(|hop| matches!(hop, Hop::Name(_) | Hop::Index(_)));
    let mut found = vec![value.clone()];
    for hop in &hops {
        found = found.iter().flat_map(|value| follow(hop, value)).collect();
    }
    if definite { found.into_iter().next() } else { Some(Value::from(found)) }
}

/// Returns whether a text is a selector.
pub(crate) fn is_selector(text: &str) -> bool {
    parse(text).is_some()
}

fn follow(hop: &Hop, value: &Value) -> Vec<Value> {
    match hop {
        Hop::Name(name) => value.get(name).cloned().into_iter().collect(),
        Hop::Index(index) => value.at(*index).cloned().into_iter().collect(),
        Hop::All => children(value),
        Hop::Filter { name, text } => {
            let keep = |item: &Value| {
                item.get(name).is_some_and(|member| crate::parameter::text(member) == *text)
            };
            children(value).into_iter().filter(keep).collect()
        }
        Hop::Scan(name) => {
            let mut found = Vec::new();
            scan(name, value, 0, &mut found);
            found
        }
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        Value::Object(members) => members.values().cloned().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn scan(name: &str, value: &Value, depth: usize, found: &mut Vec<Value>) {
    found.extend(value.get(name).cloned());
    if depth < SCAN_DEPTH_MAX {
        for child in children(value) {
            scan(name, &child, depth + 1, found);
        }
    }
}

fn parse(selector: &str) -> Option<Vec<Hop>> {
    let selector = selector.trim();
    let mut rest = selector.strip_prefix('$').unwrap_or(selector);
    let mut hops = Vec::new();
    while !rest.is_empty() {
        let (hop, tail) = hop(rest)?;
        hops.push(hop);
        rest = tail;
    }
    Some(hops)
}

fn hop(text: &str) -> Option<(Hop, &str)> {
    if let Some(rest) = text.strip_prefix("..") {
        let (name, rest) = name(rest)?;
        return Some((Hop::Scan(name), rest));
    }
    if let Some(rest) = text.strip_prefix('[') {
        return bracket(rest);
    }
    let rest = text.strip_prefix('.').unwrap_or(text);
    if let Some(rest) = rest.strip_prefix('*') {
        return Some((Hop::All, rest));
    }
    // Between a dot and a bracket nothing need stand: `$.Items.[0]`.
    if let Some(rest) = rest.strip_prefix('[') {
        return bracket(rest);
    }
    let (name, rest) = name(rest)?;
    Some((Hop::Name(name), rest))
}

fn name(text: &str) -> Option<(String, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

fn bracket(text: &str) -> Option<(Hop, &str)> {
    if let Some(filter) = text.strip_prefix('?') {
        let (inside, rest) = filter.trim_start().strip_prefix('(')?.split_once(")]")?;
        let (left, right) = inside.split_once("==")?;
        let name = left.trim().strip_prefix("@.")?.to_owned();
        return Some((Hop::Filter { name, text: unquoted(right.trim()).to_owned() }, rest));
    }
    let (inside, rest) = text.split_once(']')?;
    let inside = inside.trim();
    let hop = match inside {
        "*" => Hop::All,
        _ if inside.starts_with(['\'', '"']) => Hop::Name(unquoted(inside).to_owned()),
        _ => Hop::Index(inside.parse().ok()?),
    };
    Some((hop, rest))
}

fn unquoted(text: &str) -> &str {
    let strip = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    strip('\'').or_else(|| strip('"')).unwrap_or(text)
}
