//! Constraints of the model, checked before an operation runs, in AWS's words.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fancy_regex::Regex;
use value::Value;

use crate::model::{Kind, Operation, Shape};

/// How many faults one answer lists.
const FAULTS_MAX: usize = 10;
/// How deeply inputs are followed.
const DEPTH_MAX: usize = 64;

/// Returns what is wrong with an input; nothing, when it fits the model.
///
/// The text is AWS's: `1 validation error detected: Value 'x' at 'userName' failed to satisfy
/// constraint: …`.
pub fn problems(operation: Operation, input: &Value) -> Option<String> {
    found(operation, input, Words::AreKnown)
}

/// Returns what is wrong with an input that another server answers. It may know words that the
/// model does not have yet: a new type of instance is no fault.
pub fn problems_elsewhere(operation: Operation, input: &Value) -> Option<String> {
    found(operation, input, Words::MayBeNew)
}

/// Whether the sets of words in the model are all that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    AreKnown,
    MayBeNew,
}

/// The pattern of names in IAM, which says in words of its own what they may hold.
const IAM_NAME: &str = r"[\w+=,.@-]+";

/// What is wrong, as it is found.
struct Faults {
    words: Words,
    is_iam: bool,
    texts: Vec<String>,
    /// Where a name of IAM has letters that it must not have; said only of what fits otherwise.
    name: Option<String>,
}

impl Faults {
    fn push(&mut self, text: String) {
        self.texts.push(text);
    }
}

fn found(operation: Operation, input: &Value, words: Words) -> Option<String> {
    let is_iam = operation.service().name() == "iam";
    let mut faults = Faults { words, is_iam, texts: Vec::new(), name: None };
    structure(&operation.input()?, input, "", 0, &mut faults);
    let mut texts = faults.texts;
    if texts.is_empty() {
        return faults.name.map(|at| {
            format!(
                "The specified value for {at} is invalid. It must contain only alphanumeric \
                 characters and/or the following: +=,.@_-"
            )
        });
    }
    let (count, plural) = (texts.len(), if texts.len() == 1 { "" } else { "s" });
    texts.truncate(FAULTS_MAX);
    Some(format!("{count} validation error{plural} detected: {}", texts.join("; ")))
}

fn structure(shape: &Shape, given: &Value, at: &str, depth: usize, faults: &mut Faults) {
    for member in shape.members() {
        let name = lower_camel(member.name());
        let at = if at.is_empty() { name } else { format!("{at}.{name}") };
        match given.get(member.name()) {
            None | Some(Value::Null) if member.is_required() => faults.push(format!(
                "Value null at '{at}' failed to satisfy constraint: Member must not be null"
            )),
            None | Some(Value::Null) => {}
            Some(value) => check(&member.shape(), value, &at, depth + 1, faults),
        }
    }
}

fn check(shape: &Shape, given: &Value, at: &str, depth: usize, faults: &mut Faults) {
    if depth > DEPTH_MAX {
        return;
    }
    match (shape.kind(), given) {
        (Kind::Structure, _) => structure(shape, given, at, depth, faults),
        (Kind::List, Value::Array(items)) => {
            length(shape, items.len(), given, at, faults);
            if let Some(element) = shape.element() {
                for (number, item) in items.iter().enumerate() {
                    check(
                        &element,
                        item,
                        &format!("{at}.{}.member", number + 1),
                        depth + 1,
                        faults,
                    );
                }
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            length(shape, entries.len(), given, at, faults);
            if let Some(element) = shape.element() {
                for (key, value) in entries.iter() {
                    check(&element, value, &format!("{at}.{key}.member"), depth + 1, faults);
                }
            }
        }
        (Kind::String, Value::String(text)) => string(shape, text, at, faults),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Number(number)) => {
            range(shape, number.as_f64(), given, at, faults);
        }
        _ => {}
    }
}

fn string(shape: &Shape, text: &str, at: &str, faults: &mut Faults) {
    length(shape, text.chars().count(), &text.into(), at, faults);
    let is_closed = faults.words == Words::AreKnown && !shape.values().is_empty();
    if is_closed && !shape.values().iter().any(|known| known == text) {
        let set = shape.values().join(", ");
        fault(
            shape,
            &text.into(),
            at,
            &format!("Member must satisfy enum value set: [{set}]"),
            faults,
        );
    }
    if let Some(pattern) = shape.pattern()
        && !matches_whole(pattern, text)
    {
        if faults.is_iam && pattern == IAM_NAME {
            faults.name.get_or_insert_with(|| at.to_owned());
            return;
        }
        let what = format!("Member must satisfy regular expression pattern: {pattern}");
        fault(shape, &text.into(), at, &what, faults);
    }
}

fn fault(shape: &Shape, given: &Value, at: &str, what: &str, faults: &mut Faults) {
    let shown = if shape.is_sensitive() { String::new() } else { format!(" '{}'", shown(given)) };
    faults.push(format!("Value{shown} at '{at}' failed to satisfy constraint: {what}"));
}

/// Returns a value as Java's `toString` shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}={}", shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn length(shape: &Shape, count: usize, given: &Value, at: &str, faults: &mut Faults) {
    let (least, most) = shape.range();
    let count = count as f64;
    if least.is_some_and(|least| count < least) {
        let what =
            format!("Member must have length greater than or equal to {}", least.unwrap_or(0.0));
        fault(shape, given, at, &what, faults);
    }
    if most.is_some_and(|most| count > most) {
        let what = format!("Member must have length less than or equal to {}", most.unwrap_or(0.0));
        fault(shape, given, at, &what, faults);
    }
}

fn range(shape: &Shape, number: f64, given: &Value, at: &str, faults: &mut Faults) {
    let (least, most) = shape.range();
    if least.is_some_and(|least| number < least) {
        let what =
            format!("Member must have value greater than or equal to {}", least.unwrap_or(0.0));
        fault(shape, given, at, &what, faults);
    }
    if most.is_some_and(|most| number > most) {
        let what = format!("Member must have value less than or equal to {}", most.unwrap_or(0.0));
        fault(shape, given, at, &what, faults);
    }
}

fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Patterns of the models, compiled once each.
static PATTERNS: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);

/// `None` for a pattern that cannot be compiled.
type Compiled = HashMap<&'static str, Option<Arc<Regex>>>;

/// Whether a text matches a pattern as Java's `matches` does: as a whole. A pattern that cannot be
/// compiled here refuses nothing.
fn matches_whole(pattern: &'static str, text: &str) -> bool {
    let compiled = {
        let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
        let compile =
            || Regex::new(&format!(r"\A(?:{})\z", ascii_classes(pattern))).ok().map(Arc::new);
        patterns.entry(pattern).or_insert_with(compile).clone()
    };
    // A match that exceeds the engine's own step limit is no match.
    compiled.is_none_or(|regex| regex.is_match(text).unwrap_or(false))
}

/// Spells out Java's classes: `\w`, `\d` and `\s` know ASCII only there. Classes may stand within
/// classes in both dialects.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('w') => out.push_str("[a-zA-Z0-9_]"),
            Some('W') => out.push_str("[^a-zA-Z0-9_]"),
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
