//! Which states were entered, and which branches of Choice states were taken.

use std::collections::{BTreeMap, HashMap};

use asl::{Definition, StateKind};
use value::{Value, value};

/// What there is, and what was reached.
pub(crate) struct Coverage {
    /// The states, in the definition's order, with how often each was entered.
    states: Vec<(String, usize)>,
    /// From a Choice state to a state that it can lead to.
    branches: BTreeMap<(String, String), usize>,
}

impl Coverage {
    /// Returns what a definition has, nothing of which was reached.
    pub(super) fn of(definition: &Definition) -> Coverage {
        let states = definition.states();
        let mut branches = BTreeMap::new();
        for state in states {
            let StateKind::Choice(choice) = &state.kind else { continue };
            let targets = choice.rules.iter().map(|rule| rule.next).chain(choice.default);
            for target in targets.filter_map(|id| definition.state(id)) {
                branches.insert((state.name.to_string(), target.name.to_string()), 0);
            }
        }
        let states = states.iter().map(|state| (state.name.to_string(), 0)).collect();
        Coverage { states, branches }
    }

    /// Adds what an execution reached.
    pub(super) fn add(&mut self, history: &[Value]) {
        let mut left: HashMap<i64, &str> = HashMap::new();
        for event in history {
            let id = |name: &str| event.get(name).and_then(Value::as_i64).unwrap_or_default();
            if let Some(name) = name_of(event, "stateExitedEventDetails") {
                left.insert(id("id"), name);
            }
            let Some(name) = name_of(event, "stateEnteredEventDetails") else { continue };
            if let Some((_, times)) = self.states.iter_mut().find(|(state, _)| state == name) {
                *times += 1;
            }
            if let Some(from) = left.get(&id("previousEventId"))
                && let Some(times) = self.branches.get_mut(&((*from).to_owned(), name.to_owned()))
            {
                *times += 1;
            }
        }
    }

    /// Returns how many states there are and how many were entered.
    pub(crate) fn states(&self) -> (usize, usize) {
        (self.states.len(), self.states.iter().filter(|(_, times)| 0 < *times).count())
    }

    /// Returns how many branches there are and how many were taken.
    pub(crate) fn branches(&self) -> (usize, usize) {
        (self.branches.len(), self.branches.values().filter(|times| 0 < **times).count())
    }

    /// Returns the states that were not entered, and the branches that were not taken.
    pub(crate) fn missing(&self) -> (Vec<String>, Vec<String>) {
        let states = self.states.iter().filter(|(_, times)| *times == 0);
        let branches = self.branches.iter().filter(|(_, times)| **times == 0);
        (
            states.map(|(state, _)| state.clone()).collect(),
            branches.map(|((from, to), _)| format!("{from} → {to}")).collect(),
        )
    }

    /// Returns the coverage for machines.
    pub(super) fn to_value(&self) -> Value {
        let states =
            self.states.iter().map(|(name, times)| value!({"name": &**name, "times": *times}));
        let branches = self
            .branches
            .iter()
            .map(|((from, to), times)| value!({"choice": &**from, "next": &**to, "times": *times}));
        value!({
            "states": states.collect::<Vec<Value>>(),
            "choiceBranches": branches.collect::<Vec<Value>>(),
        })
    }
}

fn name_of<'e>(event: &'e Value, details: &str) -> Option<&'e str> {
    event.get(details)?.get("name")?.as_str()
}

/// Returns the states that an execution entered, in order.
pub(super) fn path(history: &[Value]) -> Vec<String> {
    let entered = history.iter().filter_map(|event| name_of(event, "stateEnteredEventDetails"));
    entered.map(str::to_owned).collect()
}
