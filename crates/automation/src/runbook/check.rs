//! What only shows when a runbook is seen as a whole: names, targets, circles, references.

use std::collections::HashSet;

use value::Value;

use super::{OnFailure, Runbook, Step};
use crate::actions::{self, branch};
use crate::diagnostic::{Diagnostics, Path};
use crate::reference::{self, Piece, Reference};

/// Checks a runbook as a whole.
pub(super) fn runbook(runbook: &Runbook, found: &mut Diagnostics) {
    let path = Path::default().key("mainSteps");
    let mut names = HashSet::new();
    let all = flattened(&runbook.steps, &path);
    for (step, path) in &all {
        if !names.insert(step.name.as_str()) && !step.name.is_empty() {
            let text = format!("step name `{}` is used twice", step.name);
            found.error(&path.key("name"), text);
        }
    }
    let check = Check { runbook, names: &names };
    for (step, path) in &all {
        check.targets(step, path, found);
        check.inputs(step, path, found);
        if step.action.name == branch::ACTION.name {
            branch::check(&step.inputs, &path.key("inputs"), found);
        }
    }
    check.assume_role(found);
    check.outputs(found);
    if let Some(circle) = circle(runbook) {
        found.error(&path, format!("the steps form a circle: {}", circle.join(" -> ")));
    }
}

/// Returns all steps, those inside loops too, with their paths.
fn flattened<'a>(steps: &'a [Step], path: &Path) -> Vec<(&'a Step, Path)> {
    let mut all = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let path = path.index(index);
        let body = flattened(&step.body, &path.key("inputs").key("Steps"));
        all.push((step, path));
        all.extend(body);
    }
    all
}

struct Check<'a> {
    runbook: &'a Runbook,
    names: &'a HashSet<&'a str>,
}

impl Check<'_> {
    fn targets(&self, step: &Step, path: &Path, found: &mut Diagnostics) {
        let mut target = |name: &str, path: Path| {
            if !self.names.contains(name) {
                found.error(&path, format!("step {}: there is no step `{name}`", step.name));
            }
        };
        if let Some(next) = &step.next_step {
            target(next, path.key("nextStep"));
        }
        if let Some(OnFailure::Step(name)) = &step.on_failure {
            target(name, path.key("onFailure"));
        }
        if let Some(name) = &step.on_cancel {
            target(name, path.key("onCancel"));
        }
        for (name, place) in branch_targets(step, path) {
            target(&name, place);
        }
        let after = step.on_cancel.as_deref().and_then(|name| self.runbook.step_index(name));
        if let Some(after) = after.and_then(|index| self.runbook.steps.get(index))
            && !after.action.may_follow_cancel
        {
            let text = format!("`{}` cannot run after a cancellation", after.action.name);
            found.error(&path.key("onCancel"), text);
        }
    }

    fn inputs(&self, step: &Step, path: &Path, found: &mut Diagnostics) {
        let path = path.key("inputs");
        let members = step.inputs.as_object().into_iter().flat_map(value::Map::iter);
        for (name, value) in members {
            // The body of a loop is checked step by step.
            let is_body = step.action.name == actions::LOOP && &**name == "Steps";
            if !step.is_code(name) && !is_body {
                self.references(value, &path.key(name), found);
            }
        }
    }

    fn references(&self, value: &Value, path: &Path, found: &mut Diagnostics) {
        match value {
            Value::String(text) => {
                for piece in reference::pieces(text) {
                    if let Piece::Reference(reference, _) = piece {
                        self.reference(&reference, path, found);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.references(item, &path.index(index), found);
                }
            }
            Value::Object(members) => {
                for (key, member) in members.iter() {
                    self.references(member, &path.key(key), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn reference(&self, reference: &Reference, path: &Path, found: &mut Diagnostics) {
        match reference {
            Reference::Parameter(name) => {
                if !self.runbook.parameters.iter().any(|one| one.name == *name) {
                    found.error(path, format!("parameter `{name}` is not defined"));
                }
            }
            Reference::Variable(name) => {
                if !self.runbook.variables.iter().any(|one| one.name == *name) {
                    found.error(path, format!("variable `{name}` is not defined"));
                }
            }
            Reference::Output { step, .. } => {
                if step != actions::LOOP_SCOPE && !self.names.contains(step.as_str()) {
                    found.error(path, format!("there is no step `{step}`"));
                }
            }
            Reference::ParameterStore(parameter) => found.error_with_hint(
                path,
                format!("`ssm:{parameter}` cannot stand here"),
                "make it the default of a parameter",
            ),
            Reference::System(_) => {}
        }
    }

    fn assume_role(&self, found: &mut Diagnostics) {
        let role = self.runbook.assume_role.as_deref().map(Value::from);
        if let Some(role) = role {
            self.references(&role, &Path::default().key("assumeRole"), found);
        }
    }

    fn outputs(&self, found: &mut Diagnostics) {
        let path = Path::default().key("outputs");
        for (index, output) in self.runbook.outputs.iter().enumerate() {
            let step = output.split('.').next().unwrap_or_default();
            // A draft without steps is doubtful already.
            if !self.names.is_empty() && !self.names.contains(step) {
                found.error(&path.index(index), format!("there is no step `{step}`"));
            }
        }
    }
}

/// Returns where an `aws:branch` may go, with the places that say so.
fn branch_targets(step: &Step, path: &Path) -> Vec<(String, Path)> {
    if step.action.name != branch::ACTION.name {
        return Vec::new();
    }
    let path = path.key("inputs");
    let mut targets = Vec::new();
    let choices = step.inputs.get("Choices").and_then(Value::as_array).unwrap_or_default();
    for (index, choice) in choices.iter().enumerate() {
        if let Some(next) = choice.get("NextStep").and_then(Value::as_str) {
            targets.push((next.to_owned(), path.key("Choices").index(index).key("NextStep")));
        }
    }
    if let Some(default) = step.inputs.get("Default").and_then(Value::as_str) {
        targets.push((default.to_owned(), path.key("Default")));
    }
    targets
}

/// Returns the indexes of the steps that may follow the step at `index`.
fn followers(runbook: &Runbook, index: usize) -> Vec<usize> {
    let Some(step) = runbook.steps.get(index) else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for (inner, path) in flattened(std::slice::from_ref(step), &Path::default()) {
        names.extend(branch_targets(inner, &path).into_iter().map(|(name, _)| name));
        names.extend(inner.next_step.iter().filter(|_| !inner.is_end).cloned());
        match &inner.on_failure {
            Some(OnFailure::Step(name)) if !inner.is_end => names.push(name.clone()),
            Some(OnFailure::Step(_) | OnFailure::Abort | OnFailure::Continue) | None => {}
        }
        names.extend(inner.on_cancel.iter().cloned());
    }
    let mut indexes: Vec<usize> =
        names.iter().filter_map(|name| runbook.step_index(name)).collect();
    let has_default = step
        .inputs
        .get("Default")
        .is_some_and(|_| !branch_targets(step, &Path::default()).is_empty());
    let falls_through = step.next_step.is_none() && !step.is_end && !has_default;
    if falls_through && index + 1 < runbook.steps.len() {
        indexes.push(index + 1);
    }
    indexes
}

/// How far the walk has come with a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    New,
    OnPath,
    Done,
}

/// Returns the names along a circle of steps, the first one repeated at the end.
fn circle(runbook: &Runbook) -> Option<Vec<String>> {
    let mut colours = vec![Colour::New; runbook.steps.len()];
    for start in 0..runbook.steps.len() {
        // Each entry of the path is a step and those of its followers not yet looked at.
        let mut path = vec![(start, followers(runbook, start))];
        if colours.get(start) != Some(&Colour::New) {
            continue;
        }
        paint(&mut colours, start, Colour::OnPath);
        while let Some((index, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                paint(&mut colours, *index, Colour::Done);
                path.pop();
                continue;
            };
            match colours.get(next).copied() {
                Some(Colour::OnPath) => {
                    let on_circle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != next);
                    let names = on_circle.chain([next]).filter_map(|at| runbook.steps.get(at));
                    return Some(names.map(|step| step.name.clone()).collect());
                }
                Some(Colour::New) => {
                    paint(&mut colours, next, Colour::OnPath);
                    path.push((next, followers(runbook, next)));
                }
                Some(Colour::Done) | None => {}
            }
        }
    }
    None
}

fn paint(colours: &mut [Colour], index: usize, colour: Colour) {
    if let Some(slot) = colours.get_mut(index) {
        *slot = colour;
    }
}
