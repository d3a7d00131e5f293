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
    for step in &runbook.steps {
        if !names.insert(step.name.as_str()) && !step.name.is_empty() {
            let text = format!("step name `{}` is used twice", step.name);
            found.error(&step.path.key("name"), text);
        }
    }
    let check = Check { runbook, names: &names };
    for (index, step) in runbook.steps.iter().enumerate() {
        check.targets(index, step, found);
        check.inputs(step, found);
        if step.action.name == branch::ACTION.name {
            branch::check(&step.inputs, &step.path.key("inputs"), found);
        }
        if step.action.name == actions::EXECUTE_SCRIPT {
            script(step, found);
        }
    }
    check.assume_role(found);
    check.outputs(found);
    if let Some(circle) = circle(runbook) {
        found.error(&path, format!("the steps form a circle: {}", circle.join(" -> ")));
    }
}

/// A script is written in the step or attached; a Python one needs a function to start with.
fn script(step: &Step, found: &mut Diagnostics) {
    let path = step.path.key("inputs");
    let has = |input: &str| step.inputs.get(input).is_some();
    if !has("Script") && !has("Attachment") {
        found.error(&path, format!("step {}: there is neither Script nor Attachment", step.name));
    }
    let runtime = step.inputs.get("Runtime").and_then(Value::as_str).unwrap_or_default();
    if runtime.starts_with("python") && !has("Handler") {
        found
            .error(&path, format!("step {}: a Python script needs the input `Handler`", step.name));
    }
}

struct Check<'a> {
    runbook: &'a Runbook,
    names: &'a HashSet<&'a str>,
}

impl Check<'_> {
    fn targets(&self, index: usize, step: &Step, found: &mut Diagnostics) {
        let path = &step.path;
        let loops: Vec<usize> = self.runbook.with_loops(index).collect();
        let mut target = |name: &str, path: Path| {
            let Some(target) = self.runbook.step_index(name) else {
                let text = format!("step {}: there is no step `{name}`", step.name);
                return found.error(&path, text);
            };
            let parent = self.runbook.steps.get(target).and_then(|target| target.parent);
            if parent.is_some_and(|parent| !loops.contains(&parent)) {
                let text = format!("step {}: `{name}` is inside another loop", step.name);
                found.error(&path, text);
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
        for (name, place) in branch_targets(step) {
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

    fn inputs(&self, step: &Step, found: &mut Diagnostics) {
        let path = step.path.key("inputs");
        let members = step.inputs.as_object().into_iter().flat_map(value::Map::iter);
        for (name, value) in members {
            // The steps of a loop are checked one by one.
            let is_body = step.action.name == actions::LOOP && &**name == "Steps";
            let is_script = step.is_verbatim(name) && step.action.name != actions::LOOP;
            if !is_body && !is_script {
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
fn branch_targets(step: &Step) -> Vec<(String, Path)> {
    if step.action.name != branch::ACTION.name {
        return Vec::new();
    }
    let path = step.path.key("inputs");
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
pub(super) fn followers(runbook: &Runbook, index: usize) -> Vec<usize> {
    let Some(step) = runbook.steps.get(index) else { return Vec::new() };
    let mut names: Vec<String> = branch_targets(step).into_iter().map(|(name, _)| name).collect();
    names.extend(step.next_step.iter().filter(|_| !step.is_end).cloned());
    match &step.on_failure {
        Some(OnFailure::Step(name)) if !step.is_end => names.push(name.clone()),
        Some(OnFailure::Step(_) | OnFailure::Abort | OnFailure::Continue) | None => {}
    }
    names.extend(step.on_cancel.iter().cloned());
    let mut indexes: Vec<usize> =
        names.iter().filter_map(|name| runbook.step_index(name)).collect();
    let is_branch = step.action.name == branch::ACTION.name;
    let has_default = is_branch && step.inputs.get("Default").is_some();
    if step.next_step.is_none() && !step.is_end && !has_default {
        indexes.extend(step.following);
    }
    // The way back from a loop's last step to the loop is no circle: loops are bounded.
    indexes.extend(runbook.first_of_body(index));
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
