//! Dynamic references, `{{resolve:ssm:/app/name:1}}`: texts that stand for what another service
//! holds.
//!
//! AWS page: "Get values stored in other services using dynamic references" (read 2026-11-26). They
//! are seen in what the intrinsic functions have made, never by them. Those to Parameter Store are
//! looked up at every request; a secure one only when the property that holds it is written, so
//! that nothing here ever knows its value.

use std::collections::{BTreeMap, BTreeSet};

use value::Value;

use crate::Error;
use crate::intrinsics::{Failure, Scope};
use crate::template::intrinsic;

/// How many dynamic references a template may have.
pub const DYNAMIC_REFERENCES_MAX: usize = 60;

/// The properties that take a secure reference, of the types that there are.
const SECURE_PLACES: &[&str] = &["AWS::IAM::User/Properties/LoginProfile/Password"];

const OPENING: &str = "{{resolve:";
const CLOSING: &str = "}}";

/// A part of a text.
enum Piece<'a> {
    Text(&'a str),
    Reference(Reference<'a>),
}

/// One dynamic reference.
#[derive(Clone, Copy)]
struct Reference<'a> {
    /// All of it.
    text: &'a str,
    /// `ssm`.
    service: &'a str,
    /// `/app/name:1`.
    key: &'a str,
}

/// Splits a text at its references.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPENING) {
        let Some((inside, after)) = behind.split_once(CLOSING) else { break };
        let length = rest.len() - before.len() - after.len();
        let whole = rest.get(before.len()..before.len() + length).unwrap_or_default();
        let (service, key) = inside.split_once(':').unwrap_or((inside, ""));
        found.push(Piece::Text(before));
        found.push(Piece::Reference(Reference { text: whole, service, key }));
        rest = after;
    }
    found.push(Piece::Text(rest));
    found
}

fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Reference(reference) => Some(reference),
        Piece::Text(_) => None,
    })
}

impl Reference<'_> {
    /// Checks what can be seen without looking anything up; `place` is where the text stands.
    fn check(self, place: &str) -> Result<(), Error> {
        match self.service {
            "ssm" | "ssm-secure" if !self.is_well_formed() => Err(Error::Parameters(format!(
                "Incorrect format is used in the following SSM reference: [{}]",
                self.text
            ))),
            // DIFFERS: AWS finds one without a version only when the operation has begun.
            "ssm-secure" if !SECURE_PLACES.contains(&place) => Err(Error::Parameters(format!(
                "SSM Secure reference is not supported in: [{place}]"
            ))),
            "ssm" | "ssm-secure" => Ok(()),
            // DIFFERS: there is no Secrets Manager.
            service => Err(Error::template(format!(
                "dynamic references ({OPENING}{service}:…{CLOSING}) are not available here"
            ))),
        }
    }

    /// A name and perhaps the number of a version; labels are not taken.
    fn is_well_formed(self) -> bool {
        let (name, version) = match self.key.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (self.key, None),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
        !name.is_empty()
            && name.chars().all(legal)
            && version.is_none_or(|it| !it.is_empty() && it.chars().all(|c| c.is_ascii_digit()))
    }
}

/// Checks the value of a parameter. What it refers to must not change from one operation to the
/// next without anybody asking for it.
pub(crate) fn check_parameter(name: &str, text: &str) -> Result<(), Error> {
    for reference in references(text) {
        reference.check(&format!("Parameters/{name}"))?;
        if !reference.key.contains(':') {
            return Err(Error::template(format!(
                "parameter {name} should not contain ssm versionless resolver"
            )));
        }
    }
    Ok(())
}

/// Checks the references that stand in a property or output as they are written. `place` is its
/// path; what functions do to it is not known.
pub(crate) fn check(value: &Value, place: &str) -> Result<(), Error> {
    match value {
        Value::String(text) => known(text).try_for_each(|reference| reference.check(place)),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, place)),
        Value::Object(members) => match intrinsic(value) {
            Some((_, argument)) => check(argument, place),
            None => members
                .iter()
                .try_for_each(|(key, member)| check(member, &format!("{place}/{key}"))),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Returns the references in a text without those whose names `Fn::Sub` is yet to make.
fn known(text: &str) -> impl Iterator<Item = Reference<'_>> {
    references(text).filter(|reference| !reference.key.contains("${"))
}

/// What a change refers to.
#[derive(Default)]
pub(crate) struct Found {
    /// Names, perhaps with versions.
    pub(crate) names: BTreeSet<String>,
    count: usize,
}

impl Found {
    /// Collects the references in a property or output. `place` is its path; a list ends it.
    pub(crate) fn collect(
        &mut self,
        scope: &Scope<'_>,
        value: &Value,
        place: &str,
    ) -> Result<(), Error> {
        // What a function makes of what is known before anything is made; what it needs besides is
        // not there yet, so that its arguments are looked at one by one.
        if let Some((_, argument)) = intrinsic(value) {
            return match scope.evaluate(value) {
                Ok(made) => self.plain(&made.unwrap_or_default(), place),
                Err(_) => self.collect(scope, argument, place),
            };
        }
        match value {
            Value::String(text) => self.text(text, place),
            Value::Array(items) => items.iter().try_for_each(|it| self.collect(scope, it, place)),
            Value::Object(members) => members.iter().try_for_each(|(key, member)| {
                self.collect(scope, member, &format!("{place}/{key}"))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// The same for a value without functions.
    fn plain(&mut self, value: &Value, place: &str) -> Result<(), Error> {
        match value {
            Value::String(text) => self.text(text, place),
            Value::Array(items) => items.iter().try_for_each(|it| self.plain(it, place)),
            Value::Object(members) => members.values().try_for_each(|it| self.plain(it, place)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn text(&mut self, text: &str, place: &str) -> Result<(), Error> {
        for reference in known(text) {
            reference.check(place)?;
            self.count += 1;
            if DYNAMIC_REFERENCES_MAX < self.count {
                // UNVERIFIED: the words.
                return Err(Error::template(format!(
                    "there are more than {DYNAMIC_REFERENCES_MAX} dynamic references"
                )));
            }
            if reference.service == "ssm" {
                self.names.insert(reference.key.to_owned());
            }
        }
        Ok(())
    }
}

/// Puts what Parameter Store holds in the place of the references to it. Secure ones stay.
pub(crate) fn settle(value: Value, held: &BTreeMap<String, String>) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) if text.contains(OPENING) => Value::from(settled_text(&text, held)?),
        Value::Array(items) => {
            let items = items.iter().cloned().map(|item| settle(item, held));
            Value::from(items.collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(members) => {
            let mut settled = value::Map::new();
            for (key, member) in members.iter() {
                settled.insert(key.clone(), settle(member.clone(), held)?);
            }
            Value::from(settled)
        }
        other => other,
    })
}

fn settled_text(text: &str, held: &BTreeMap<String, String>) -> Result<String, Failure> {
    let mut settled = String::new();
    for piece in pieces(text) {
        settled.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Reference(reference) if reference.service == "ssm-secure" => reference.text,
            // DIFFERS: a name that a resource tells is known too late to be looked up.
            Piece::Reference(reference) => held.get(reference.key).ok_or_else(|| {
                let text = reference.text;
                format!("the dynamic reference {text} depends on a resource of the same stack")
            })?,
        });
    }
    Ok(settled)
}

/// Returns the name of the parameter, perhaps with its version, that a text refers to securely; the
/// text is nothing else.
pub fn secure_reference(text: &str) -> Option<&str> {
    let inside = text.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    inside.strip_prefix("ssm-secure:")
}
