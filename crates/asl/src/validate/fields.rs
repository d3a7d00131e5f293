//! Objects of a definition, field by field.

use std::sync::Arc;

use value::Value;

use super::Validator;
use super::hints::did_you_mean;
use crate::definition::QueryLanguage;
use crate::json::{Member, Node, NodeKind};
use crate::span::Span;

/// The fields of one object of the definition.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    members: &'n [Member],
    /// Where the object is: `/States/X`, or nothing at the top.
    location: &'n str,
    /// The whole object.
    pub(super) span: Span,
}

impl<'n> Fields<'n> {
    /// Reads `node` as an object; anything else is reported.
    pub(super) fn of(
        validator: &mut Validator<'_>,
        node: &'n Node,
        location: &'n str,
    ) -> Option<Fields<'n>> {
        if let NodeKind::Object(members) = &node.kind {
            return Some(Fields { members, location, span: node.span });
        }
        validator.schema(expected("Object"), shown(location), node.span);
        None
    }

    /// Returns an object without fields, in place of one that is not there.
    pub(super) fn nothing(location: &'n str, span: Span) -> Fields<'n> {
        Fields { members: &[], location, span }
    }

    /// Returns the value of a field; of a repeated one the last.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.members.iter().rev().find(|member| &*member.key == name).map(|member| &member.node)
    }

    /// Returns whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn members(&self) -> &'n [Member] {
        self.members
    }

    /// Returns the location of the object itself.
    pub(super) fn here(&self) -> &str {
        shown(self.location)
    }

    /// Returns the location of a field.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.location)
    }
}

/// The top of the definition is shown as `/`.
fn shown(location: &str) -> &str {
    if location.is_empty() { "/" } else { location }
}

// UNVERIFIED: AWS's wording for a value of the wrong JSON type.
fn expected(what: &str) -> String {
    format!("Expected value of type {what}")
}

impl Validator<'_> {
    /// Reports every field that is not in `known`.
    pub(super) fn only(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for member in fields.members() {
            if !known.contains(&&*member.key) {
                // UNVERIFIED: AWS's wording for a field that does not exist.
                self.schema("Field is not supported", fields.at(&member.key), member.key_span);
                self.hint(did_you_mean(&member.key, known.iter().copied()));
            }
        }
    }

    /// Reports the required fields that are missing; returns whether all are there.
    pub(super) fn required(&mut self, fields: &Fields<'_>, names: &[&str]) -> bool {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !fields.has(name)).collect();
        if !missing.is_empty() {
            let message = format!("These fields are required: [{}]", missing.join(", "));
            self.schema(message, fields.here(), fields.span);
        }
        missing.is_empty()
    }

    /// Reports two fields of which only one may be there.
    pub(super) fn exclusive(&mut self, fields: &Fields<'_>, (one, other): (&str, &str)) {
        if let (Some(_), Some(node)) = (fields.get(one), fields.get(other)) {
            // UNVERIFIED: AWS's wording; that both are refused stands in its documentation.
            let message = format!("Only one of the fields [{one}, {other}] is allowed");
            self.schema(message, fields.here(), node.span);
        }
    }

    pub(super) fn wrong_type(&mut self, what: &str, location: String, span: Span) {
        self.schema(expected(what), location, span);
    }

    pub(super) fn string<'n>(&mut self, fields: &Fields<'n>, name: &str) -> Option<&'n Arc<str>> {
        let node = fields.get(name)?;
        let found = node.as_str();
        if found.is_none() {
            self.wrong_type("String", fields.at(name), node.span);
        }
        found
    }

    /// Reads a whole number from `min` to `max`.
    pub(super) fn integer(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        min: i64,
        max: i64,
    ) -> Option<i64> {
        let node = fields.get(name)?;
        let number = match &node.kind {
            NodeKind::Scalar(Value::Number(number)) => number.as_i64(),
            NodeKind::Scalar(_)
            | NodeKind::String(_)
            | NodeKind::Array(_)
            | NodeKind::Object(_) => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => return Some(number),
            // UNVERIFIED: AWS's wording for a number out of its range.
            Some(number) => {
                let message = format!("Value {number} is not between {min} and {max}");
                self.schema(message, fields.at(name), node.span);
            }
            None => self.wrong_type("Integer", fields.at(name), node.span),
        }
        None
    }

    /// Reads any number that `valid` accepts.
    pub(super) fn number(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        valid: fn(f64) -> bool,
    ) -> Option<f64> {
        let node = fields.get(name)?;
        let number = node.to_value().as_f64();
        match number {
            Some(number) if valid(number) => return Some(number),
            Some(number) => {
                let message = format!("Value {number} is out of range");
                self.schema(message, fields.at(name), node.span);
            }
            None => self.wrong_type("Number", fields.at(name), node.span),
        }
        None
    }

    /// Reads `QueryLanguage`; a state may leave JSONPath for JSONata but not the other way round.
    pub(super) fn query_language(
        &mut self,
        fields: &Fields<'_>,
        machine: Option<QueryLanguage>,
    ) -> Option<QueryLanguage> {
        let name = self.string(fields, "QueryLanguage")?;
        let language = match &**name {
            "JSONata" => QueryLanguage::Jsonata,
            "JSONPath" => QueryLanguage::JsonPath,
            _ => {
                // UNVERIFIED: AWS's wording for an unknown query language.
                let message = "Value must be one of: [JSONPath, JSONata]";
                self.schema(message, fields.at("QueryLanguage"), fields.span);
                return None;
            }
        };
        if machine == Some(QueryLanguage::Jsonata) && language == QueryLanguage::JsonPath {
            let message =
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            self.schema(message, fields.here(), fields.span);
        }
        Some(language)
    }
}
