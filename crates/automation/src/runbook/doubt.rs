//! What a runbook says that AWS accepts but its author can hardly have meant: warnings.

use std::collections::HashSet;

use value::{Map, Value};

use super::read::{DOCUMENT_KEYS, PARAMETER_KEYS, STEP_KEYS};
use super::{Runbook, Step, check};
use crate::actions::{self, inputs};
use crate::diagnostic::{Diagnostics, Path};
use crate::parameter::{self, Parameter};
use crate::pattern;
use crate::reference::{self, Piece, Reference};

/// How many letters a misspelt word may differ in to be recognised.
const LETTERS_WRONG_MAX: usize = 2;

/// Looks for everything doubtful in a runbook that is not wrong.
pub(super) fn runbook(runbook: &Runbook, document: &Value, found: &mut Diagnostics) {
    for parameter in &runbook.parameters {
        default(parameter, found);
    }
    let doubt = Doubt { runbook, reached: reachable(runbook) };
    for (index, step) in runbook.steps.iter().enumerate() {
        doubt.step(index, step, found);
    }
    doubt.outputs(found);
    doubt.unused(document, found);
}

/// Keys that mean nothing, with those that they may have been meant for.
pub(super) fn keys(document: &Value, found: &mut Diagnostics) {
    let root = Path::default();
    unknown(document.as_object(), &root, &DOCUMENT_KEYS, "key of Automation documents", found);
    let path = root.key("parameters");
    let parameters = document.get("parameters").and_then(Value::as_object);
    for (name, parameter) in parameters.into_iter().flat_map(Map::iter) {
        let what = "property of parameters";
        unknown(parameter.as_object(), &path.key(name), &PARAMETER_KEYS, what, found);
    }
    steps(document.get("mainSteps"), &root.key("mainSteps"), 0, found);
}

fn steps(list: Option<&Value>, path: &Path, depth: usize, found: &mut Diagnostics) {
    let list = list.and_then(Value::as_array).unwrap_or_default();
    for (number, step) in list.iter().enumerate() {
        let path = path.index(number);
        unknown(step.as_object(), &path, &STEP_KEYS, "property of steps", found);
        let action = step.get("action").and_then(Value::as_str).unwrap_or_default();
        let given = step.get("inputs").and_then(Value::as_object);
        let path = path.key("inputs");
        if let Some(known) = inputs::known(action) {
            unknown(given, &path, known, &format!("input of {action}"), found);
        }
        if action == actions::LOOP && depth < super::read::LOOP_DEPTH_MAX {
            let body = given.and_then(|given| given.get("Steps"));
            steps(body, &path.key("Steps"), depth + 1, found);
        }
    }
}

fn unknown(
    members: Option<&Map>,
    path: &Path,
    known: &[&str],
    what: &str,
    found: &mut Diagnostics,
) {
    for key in members.into_iter().flat_map(Map::keys).filter(|key| !known.contains(&&***key)) {
        let text = format!("`{key}` is no {what}");
        match similar(key, known) {
            Some(near) => {
                found.warning_with_hint(&path.key(key), text, format!("did you mean {near}?"));
            }
            None => found.warning(&path.key(key), text),
        }
    }
}

/// Returns the known word that a misspelt one is closest to.
fn similar<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let distances = known.iter().map(|one| (distance(&word, &one.to_ascii_lowercase()), *one));
    let (wrong, near) = distances.min()?;
    (wrong <= LETTERS_WRONG_MAX && wrong < near.len() / 2).then_some(near)
}

/// Returns how many letters have to be changed, added or removed (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, letter) in left.chars().enumerate() {
        let mut next = vec![number + 1];
        for ((at, other), above) in right.iter().enumerate().zip(row.iter().skip(1)) {
            let replaced = row.get(at).copied().unwrap_or_default() + usize::from(letter != *other);
            let before = next.last().copied().unwrap_or_default();
            next.push(replaced.min(before + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Defaults are not checked when a run starts, so a wrong one shows late.
fn default(parameter: &Parameter, found: &mut Diagnostics) {
    let Some(default) = &parameter.default else { return };
    let path = Path::default().key("parameters").key(&parameter.name).key("default");
    let text = parameter::text(default);
    // The empty default stands for "not given".
    if text.is_empty() || text.contains("{{") {
        return;
    }
    if !parameter.kind.admits(&parameter.typed_default(default)) {
        found.warning(&path, format!("`{text}` is no {}", parameter.kind.name()));
        return;
    }
    let allowed = parameter.allowed_values.iter().flatten().map(parameter::text);
    let allowed: Vec<String> = allowed.collect();
    let texts: Vec<String> = match default.as_array() {
        Some(items) => items.iter().map(parameter::text).collect(),
        None => vec![text],
    };
    for text in &texts {
        if !allowed.is_empty() && !allowed.contains(text) {
            found.warning(&path, format!("`{text}` is not among the allowed values"));
        }
        if let Some(java) = &parameter.allowed_pattern
            && !pattern::matches_whole(java, text)
        {
            found.warning(&path, format!("`{text}` does not match the allowed pattern"));
        }
    }
}

/// Returns for every step which steps can run after it.
fn reachable(runbook: &Runbook) -> Vec<HashSet<usize>> {
    let followers: Vec<Vec<usize>> = (0..runbook.steps.len())
        .map(|index| {
            let mut next = check::followers(runbook, index);
            // Behind the last step of a body its loop goes on: round again, and behind itself.
            next.extend(runbook.steps.get(index).and_then(|step| step.parent));
            next
        })
        .collect();
    let of = |start: usize| {
        let mut seen = HashSet::new();
        let mut rest = followers.get(start).cloned().unwrap_or_default();
        while let Some(next) = rest.pop() {
            if seen.insert(next) {
                rest.extend(followers.get(next).into_iter().flatten());
            }
        }
        seen
    };
    (0..runbook.steps.len()).map(of).collect()
}

struct Doubt<'a> {
    runbook: &'a Runbook,
    reached: Vec<HashSet<usize>>,
}

impl Doubt<'_> {
    fn can_follow(&self, step: usize, before: usize) -> bool {
        self.reached.get(before).is_some_and(|reached| reached.contains(&step))
    }

    fn step(&self, index: usize, step: &Step, found: &mut Diagnostics) {
        if index > 0 && !self.can_follow(index, 0) {
            found.warning(&step.path, format!("step {} is never reached", step.name));
        }
        if step.is_end && step.next_step.is_some() {
            let text = format!("step {}: `nextStep` means nothing beside `isEnd`", step.name);
            found.warning(&step.path.key("nextStep"), text);
        }
        let mut names = HashSet::new();
        for (number, output) in step.outputs.iter().enumerate() {
            if !names.insert(output.name.as_str()) {
                let text = format!("output `{}` is declared twice", output.name);
                found.warning(&step.path.key("outputs").index(number), text);
            }
        }
        let members = step.inputs.as_object().into_iter().flat_map(Map::iter);
        for (name, value) in members.filter(|(name, _)| !step.is_verbatim(name)) {
            let path = step.path.key("inputs").key(name);
            each_reference(value, &path, &mut |reference, path| {
                if let Reference::Output { step: other, output } = reference {
                    self.read(index, other, output, path, found);
                }
            });
        }
    }

    /// An output that is read by the step at `index`.
    fn read(&self, index: usize, name: &str, output: &str, path: &Path, found: &mut Diagnostics) {
        let Some(other) = self.runbook.step_index(name) else { return };
        if !self.can_follow(index, other) {
            let text = format!("step {name} cannot have run when `{name}.{output}` is read");
            found.warning(path, text);
        }
        self.output(name, output, path, found);
    }

    /// Warns of an output that a step does not have.
    fn output(&self, name: &str, output: &str, path: &Path, found: &mut Diagnostics) {
        let index = self.runbook.step_index(name);
        let Some(step) = index.and_then(|index| self.runbook.steps.get(index)) else { return };
        let Some(predetermined) = inputs::outputs(step.action.name) else { return };
        let declared = step.outputs.iter().map(|output| output.name.as_str());
        let known: Vec<&str> = declared.chain(predetermined.iter().copied()).collect();
        if known.contains(&output) {
            return;
        }
        let text = format!("step {name} has no output `{output}`");
        let hint = match similar(output, &known) {
            Some(near) => format!("did you mean {near}?"),
            None if known.is_empty() => "it has none: declare it under `outputs`".to_owned(),
            None => format!("it has {}", known.join(", ")),
        };
        found.warning_with_hint(path, text, hint);
    }

    fn outputs(&self, found: &mut Diagnostics) {
        let path = Path::default().key("outputs");
        for (number, output) in self.runbook.outputs.iter().enumerate() {
            if let Some((step, name)) = output.split_once('.') {
                self.output(step, name, &path.index(number), found);
            }
        }
    }

    /// Parameters and variables that nothing reads.
    fn unused(&self, document: &Value, found: &mut Diagnostics) {
        let mut used: HashSet<(bool, String)> = HashSet::new();
        each_reference(document, &Path::default(), &mut |reference, _| match reference {
            Reference::Parameter(name) => drop(used.insert((true, name.clone()))),
            Reference::Variable(name) => drop(used.insert((false, name.clone()))),
            Reference::Output { .. } | Reference::System(_) | Reference::ParameterStore(_) => {}
        });
        let path = Path::default().key("parameters");
        for Parameter { name, .. } in &self.runbook.parameters {
            if !self.runbook.steps.is_empty() && !used.contains(&(true, name.clone())) {
                found.warning(&path.key(name), format!("parameter `{name}` is not used"));
            }
        }
        let path = Path::default().key("variables");
        for variable in &self.runbook.variables {
            let name = &variable.name;
            if !used.contains(&(false, name.clone())) {
                found.warning(&path.key(name), format!("variable `{name}` is never read"));
            }
        }
    }
}

/// Calls `see` with every reference inside a value.
fn each_reference(value: &Value, path: &Path, see: &mut dyn FnMut(&Reference, &Path)) {
    match value {
        Value::String(text) => {
            for piece in reference::pieces(text) {
                if let Piece::Reference(reference, _) = piece {
                    see(&reference, path);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_reference(item, &path.index(index), see);
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter() {
                each_reference(member, &path.key(key), see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
