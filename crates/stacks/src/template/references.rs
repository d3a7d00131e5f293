//! What a part of a template refers to.

use std::collections::BTreeMap;

use value::Value;

use super::intrinsic;

/// The outcome of each condition; empty before parameters are known.
pub(crate) type Conditions = BTreeMap<String, bool>;

/// One reference to a parameter, a pseudo parameter or a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Ref(String),
    GetAtt(String),
    /// A `${…}` of `Fn::Sub`, which may be either.
    Sub(String),
}

impl Reference {
    pub(crate) fn name(&self) -> &str {
        match self {
            Reference::Ref(name) | Reference::GetAtt(name) | Reference::Sub(name) => name,
        }
    }
}

/// Collects the references in `value`. Where a condition is known, only the branch of `Fn::If`
/// that is taken counts.
pub(crate) fn collect(value: &Value, conditions: &Conditions, found: &mut Vec<Reference>) {
    match (intrinsic(value), value) {
        (Some(("Ref", argument)), _) => {
            found.extend(argument.as_str().map(|name| Reference::Ref(name.to_owned())));
        }
        (Some(("Fn::GetAtt", argument)), _) => {
            let whole = argument.as_str().and_then(|text| text.split('.').next());
            let name = argument.at(0).and_then(Value::as_str).or(whole);
            found.extend(name.map(|name| Reference::GetAtt(name.to_owned())));
        }
        (Some(("Fn::Sub", argument)), _) => collect_sub(argument, conditions, found),
        (Some(("Fn::If", argument)), _) => {
            let name = argument.at(0).and_then(Value::as_str).unwrap_or("");
            let taken = conditions.get(name);
            for (at, expected) in [(1, true), (2, false)] {
                if taken.is_none_or(|taken| *taken == expected) {
                    argument.at(at).into_iter().for_each(|v| collect(v, conditions, found));
                }
            }
        }
        (_, Value::Array(items)) => items.iter().for_each(|v| collect(v, conditions, found)),
        (_, Value::Object(map)) => map.values().for_each(|v| collect(v, conditions, found)),
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
    }
}

fn collect_sub(argument: &Value, conditions: &Conditions, found: &mut Vec<Reference>) {
    let variables = argument.at(1);
    if let Some(variables) = variables {
        collect(variables, conditions, found);
    }
    let text = argument.as_str().or_else(|| argument.at(0).and_then(Value::as_str));
    for piece in sub_pieces(text.unwrap_or("")) {
        let SubPiece::Variable(name) = piece else { continue };
        if variables.and_then(|variables| variables.get(name)).is_none() {
            let resource = name.split('.').next().unwrap_or(name);
            found.push(Reference::Sub(resource.to_owned()));
        }
    }
}

/// A piece of the text of `Fn::Sub`.
pub(crate) enum SubPiece<'a> {
    Text(&'a str),
    /// `${name}`.
    Variable(&'a str),
    /// `${!name}`, which stands for `${name}`.
    Literal(&'a str),
}

/// Splits the text of `Fn::Sub`; a `${` without `}` is text.
pub(crate) fn sub_pieces(text: &str) -> Vec<SubPiece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        pieces.push(SubPiece::Text(before));
        pieces.push(match name.strip_prefix('!') {
            Some(literal) => SubPiece::Literal(literal),
            None => SubPiece::Variable(name.trim()),
        });
        rest = tail;
    }
    pieces.push(SubPiece::Text(rest));
    pieces
}
