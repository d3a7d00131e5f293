//! Templates written in YAML, with the short forms `!Ref`, `!Sub`, `!GetAtt`, ….
//!
//! AWS page: "CloudFormation template format" (read 2026-11-24): aliases are refused, dates and
//! numbers with a leading zero stay text.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use value::{Map, Value};

use super::TEMPLATE_DEPTH_MAX;
use crate::Error;

/// A collection that is still open.
enum Open {
    Sequence { items: Vec<Value>, tag: Option<String> },
    Mapping { members: Map, key: Option<String>, tag: Option<String> },
}

pub(super) fn parse(text: &str) -> Result<Value, Error> {
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Value> = None;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|err| malformed(err.marker().line(), err.marker().col() + 1))?;
        let (line, column) = start(&span);
        let done = match event {
            Event::DocumentStart(_) if root.is_some() => return Err(malformed(line, column)),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => None,
            Event::Alias(_) => {
                return Err(Error::template(
                    "YAML aliases are not allowed in CloudFormation templates",
                ));
            }
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|tag| tag_name(&tag));
                let plain = style == ScalarStyle::Plain && tag.as_deref() != Some("!!str");
                let value = if plain { plain_scalar(&text) } else { Value::from(&*text) };
                let in_key = matches!(open.last(), Some(Open::Mapping { key: None, .. }));
                if in_key { Some(Value::from(&*text)) } else { Some(tagged(tag, value, &span)?) }
            }
            Event::SequenceStart(_, tag) => {
                let tag = tag.map(|tag| tag_name(&tag));
                open.push(Open::Sequence { items: Vec::new(), tag });
                None
            }
            Event::MappingStart(_, tag) => {
                let tag = tag.map(|tag| tag_name(&tag));
                open.push(Open::Mapping { members: Map::new(), key: None, tag });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence { items, tag }) => {
                    Some(tagged(tag, Value::from(items), &span)?)
                }
                Some(Open::Mapping { members, tag, .. }) => {
                    Some(tagged(tag, Value::from(members), &span)?)
                }
                None => None,
            },
        };
        if TEMPLATE_DEPTH_MAX < open.len() {
            return Err(Error::format("template nested too deeply"));
        }
        if let Some(value) = done {
            place(value, &mut open, &mut root).map_err(|()| malformed(line, column))?;
        }
    }
    Ok(root.unwrap_or_default())
}

/// Puts a finished value where it belongs; a key that is no scalar is refused.
fn place(value: Value, open: &mut [Open], root: &mut Option<Value>) -> Result<(), ()> {
    match open.last_mut() {
        None => *root = Some(value),
        Some(Open::Sequence { items, .. }) => items.push(value),
        Some(Open::Mapping { members, key, .. }) => match key.take() {
            Some(key) => {
                members.insert(key, value);
            }
            None => *key = Some(value.as_str().ok_or(())?.to_owned()),
        },
    }
    Ok(())
}

fn start(span: &Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 1)
}

fn malformed(line: usize, column: usize) -> Error {
    Error::format(format!("YAML not well-formed. (line {line}, column {column})"))
}

fn tag_name(tag: &Tag) -> String {
    let core = tag.is_yaml_core_schema();
    if core { format!("!!{}", tag.suffix) } else { tag.suffix.clone() }
}

/// Spells a short form out: `!Sub x` is `{"Fn::Sub": x}`.
fn tagged(tag: Option<String>, value: Value, span: &Span) -> Result<Value, Error> {
    let Some(tag) = tag.filter(|tag| !tag.starts_with("!!") && !tag.is_empty()) else {
        return Ok(value);
    };
    let (name, value) = match tag.as_str() {
        "Ref" | "Condition" => (tag, value),
        "GetAtt" => {
            let parts = value.as_str().and_then(|text| text.split_once('.'));
            let parts = parts.map(|(resource, attribute)| Value::from(vec![resource, attribute]));
            ("Fn::GetAtt".to_owned(), parts.unwrap_or(value))
        }
        "And" | "Base64" | "Cidr" | "Contains" | "EachMemberEquals" | "EachMemberIn" | "Equals"
        | "FindInMap" | "GetAZs" | "If" | "ImportValue" | "Join" | "Not" | "Or" | "Select"
        | "Split" | "Sub" | "Transform" => (format!("Fn::{tag}"), value),
        _ => {
            let (line, column) = start(span);
            return Err(malformed(line, column));
        }
    };
    Ok(Value::object().with(name, value))
}

/// Returns what a scalar without quotes means. Numbers keep their text.
// UNVERIFIED: that `yes`, `no`, `on` and `off` are booleans, as in YAML 1.1.
fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            value::parse(text).unwrap_or_else(|_| Value::from(text))
        }
        _ => Value::from(text),
    }
}
