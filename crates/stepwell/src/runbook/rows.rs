//! The steps of an execution as lines: those of loops and of children under theirs.

use value::Value;

use super::look::{Seen, list, text};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// What it is the line of, among all.
    pub(super) id: String,
    /// How far in it stands.
    pub(super) depth: usize,
    /// The step's name, before it the iteration that it ran in.
    pub(super) name: String,
    pub(super) action: String,
    pub(super) status: String,
    /// When it began and ended, in epoch seconds.
    pub(super) began: Option<f64>,
    pub(super) ended: Option<f64>,
    pub(super) failure: Option<String>,
}

impl Row {
    /// Returns whether nothing of it will change.
    pub(super) fn is_over(&self) -> bool {
        !matches!(&*self.status, "Pending" | "InProgress" | "Waiting" | "Cancelling")
    }

    /// Returns how long it took, or has taken until `now`.
    pub(super) fn seconds(&self, now: f64) -> Option<f64> {
        Some((self.ended.unwrap_or(now) - self.began?).max(0.0))
    }
}

/// Returns the lines of an execution and of those that it started.
pub(super) fn rows(seen: &Seen) -> Vec<Row> {
    let mut all = Vec::new();
    push(seen, 0, &mut all);
    all
}

fn push(seen: &Seen, depth: usize, all: &mut Vec<Row>) {
    let steps = list(&seen.record, "StepExecutions");
    let mut shown = vec![false; seen.children.len()];
    for step in steps {
        let row = row(step, depth + nesting(steps, step));
        let below = row.depth + 1;
        all.push(row);
        for (child, shown) in seen.children.iter().zip(&mut shown) {
            if !*shown && is_of(child, step) {
                *shown = true;
                push(child, below, all);
            }
        }
    }
}

/// Whether a step has started an execution.
fn is_of(child: &Seen, step: &Value) -> bool {
    let id = text(&child.record, "AutomationExecutionId");
    let ids = step.path(&["Outputs", "ExecutionId"]).and_then(Value::as_array).unwrap_or_default();
    ids.iter().any(|known| known.as_str() == Some(id))
}

/// Returns how many loops a step runs in.
fn nesting(steps: &[Value], step: &Value) -> usize {
    let mut depth = 0;
    let mut inner = step;
    // Bounded by the steps, however they may refer to each other.
    while depth < steps.len() {
        let parent = inner.path(&["ParentStepDetails", "StepExecutionId"]);
        let is_it = |one: &&Value| one.get("StepExecutionId") == parent;
        let Some(found) = parent.and_then(|_| steps.iter().find(is_it)) else { break };
        (depth, inner) = (depth + 1, found);
    }
    depth
}

fn row(step: &Value, depth: usize) -> Row {
    let details = step.get("ParentStepDetails");
    let number = details.and_then(|it| it.get("Iteration")).and_then(Value::as_i64);
    let value = details.and_then(|it| it.get("IteratorValue")).and_then(Value::as_str);
    let name = text(step, "StepName");
    let name = match (number, value) {
        (Some(number), Some(value)) => format!("[{number}: {}] {name}", short(value)),
        (Some(number), None) => format!("[{number}] {name}"),
        (None, _) => name.to_owned(),
    };
    let seconds = |member: &str| step.get(member).and_then(Value::as_f64);
    Row {
        id: text(step, "StepExecutionId").to_owned(),
        depth,
        name,
        action: text(step, "Action").to_owned(),
        status: text(step, "StepStatus").to_owned(),
        began: seconds("ExecutionStartTime"),
        ended: seconds("ExecutionEndTime"),
        failure: step.get("FailureMessage").and_then(Value::as_str).map(str::to_owned),
    }
}

/// The most characters of a value that a line shows.
const VALUE_CHARACTERS_MAX: usize = 24;

/// Returns the beginning of a value, texts without their quotes.
pub(super) fn short(value: &str) -> String {
    let value = match value::parse(value) {
        Ok(Value::String(text)) => text.to_string(),
        Ok(_) | Err(_) => value.to_owned(),
    };
    shortened(&value, VALUE_CHARACTERS_MAX)
}

/// Returns the beginning of a text, on one line.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= characters_max {
        return text;
    }
    let beginning: String = text.chars().take(characters_max.saturating_sub(1)).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::value;

    #[test]
    fn iterations_and_children_stand_under_their_steps() {
        let step = |name: &str, id: &str| {
            value!({
                "StepName": name, "Action": "aws:sleep", "StepStatus": "Success",
                "StepExecutionId": id, "ExecutionStartTime": 10, "ExecutionEndTime": 12.5,
            })
        };
        let inner = step("inner", "2").with(
            "ParentStepDetails",
            value!({"StepExecutionId": "1", "Iteration": 2, "IteratorValue": "\"a\""}),
        );
        let run = step("run", "3").with("Outputs", value!({"ExecutionId": ["c"]}));
        let child = Seen {
            record: value!({"AutomationExecutionId": "c", "StepExecutions": [step("deep", "4")]}),
            children: Vec::new(),
        };
        let seen = Seen {
            record: value!({"StepExecutions": [step("each", "1"), inner, run]}),
            children: vec![child],
        };
        let rows = rows(&seen);
        let lines: Vec<_> = rows.iter().map(|row| (row.depth, &*row.name)).collect();
        assert_eq!(lines, [(0, "each"), (1, "[2: a] inner"), (0, "run"), (1, "deep")]);
        assert_eq!(rows[0].seconds(99.0), Some(2.5));
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(short("\"abc\""), "abc");
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
