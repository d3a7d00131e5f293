//! State machines: the whole one, branches and item processors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use value::Value;

use super::fields::Fields;
use super::hints::did_you_mean;
use super::{SINGLE_STATE_NAME, STATE_NAME_CHARS_MAX, Subject, Top, Validator};
use crate::definition::{QueryLanguage, State, StateId, StateKind, Transition};
use crate::diagnostic::Code;
use crate::json::Node;

/// How deeply branches and item processors may nest.
const MACHINE_DEPTH_MAX: usize = 32;

/// The states that transitions of one machine can lead to.
pub(super) struct Targets {
    ids: BTreeMap<Arc<str>, StateId>,
    reached: BTreeSet<StateId>,
    /// The language of the whole state machine.
    pub(super) query_language: QueryLanguage,
    /// How many machines this one stands in.
    depth: usize,
}

impl Validator<'_> {
    /// Reads the machine at the top.
    pub(super) fn machine(
        &mut self,
        fields: &Fields<'_>,
        language: QueryLanguage,
    ) -> Option<StateId> {
        self.nested_machine(fields, language, 0)
    }

    /// Reads a state that stands alone.
    pub(super) fn single_state(&mut self, node: &Node) -> Option<Top> {
        let mut targets = Targets {
            ids: BTreeMap::new(),
            reached: BTreeSet::new(),
            query_language: QueryLanguage::JsonPath,
            depth: 0,
        };
        let start = StateId(0);
        self.states.push(None);
        let name = Arc::from(SINGLE_STATE_NAME);
        let state = self.state(&name, node, "", &mut targets)?;
        let query_language = state.query_language;
        if let Some(place) = self.states.first_mut() {
            *place = Some(state);
        }
        Some(Top { query_language, timeout_seconds: None, start })
    }

    /// Adds the state that a state which stands alone leads to.
    fn imagined(&mut self, name: &Arc<str>, targets: &mut Targets) -> StateId {
        let id = StateId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
        targets.ids.insert(name.clone(), id);
        self.states.push(Some(State {
            name: name.clone(),
            query_language: QueryLanguage::JsonPath,
            flow: Self::no_flow(QueryLanguage::JsonPath),
            assign: None,
            transition: Transition::End,
            kind: StateKind::Succeed,
            variable_references: Vec::new(),
            reads_context: false,
        }));
        id
    }

    /// Reads a branch or an item processor of a state among `targets`.
    pub(super) fn inner_machine(
        &mut self,
        fields: &Fields<'_>,
        targets: &Targets,
    ) -> Option<StateId> {
        if targets.depth >= MACHINE_DEPTH_MAX {
            // UNVERIFIED: AWS's wording for its TOO_DEEPLY_NESTED.
            self.schema("The states are too deeply nested", fields.here(), fields.span);
            return None;
        }
        self.nested_machine(fields, targets.query_language, targets.depth + 1)
    }

    fn nested_machine(
        &mut self,
        fields: &Fields<'_>,
        query_language: QueryLanguage,
        depth: usize,
    ) -> Option<StateId> {
        let problems = self.diagnostics.len();
        let complete = self.required(fields, &["States", "StartAt"]);
        let location = fields.at("States");
        let states = Fields::of(self, fields.get("States")?, &location)?;
        if states.members().is_empty() {
            // UNVERIFIED: AWS's wording for a machine without states.
            self.schema("States must not be empty", location.as_str(), states.span);
            return None;
        }
        let mut targets =
            Targets { ids: BTreeMap::new(), reached: BTreeSet::new(), query_language, depth };
        let ids = self.name_states(&states, &mut targets);
        let start = fields
            .get("StartAt")
            .and_then(|node| self.target(node, "StartAt", fields.at("StartAt"), &mut targets));
        for (member, id) in states.members().iter().zip(ids) {
            let location = states.at(&member.key);
            let state = self.state(&member.key, &member.node, &location, &mut targets);
            if let Some(place) = self.states.get_mut(id.0 as usize) {
                *place = state;
            }
        }
        if complete {
            self.unreached(&states, &targets);
        }
        // A state that goes wrong somewhere may have been meant to end.
        if self.diagnostics.len() == problems {
            self.endless(&states);
        }
        start
    }

    /// Gives every state of a machine its id, before any transition is read.
    fn name_states(&mut self, states: &Fields<'_>, targets: &mut Targets) -> Vec<StateId> {
        let mut ids = Vec::with_capacity(states.members().len());
        for member in states.members() {
            let id = StateId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
            ids.push(id);
            self.states.push(None);
            targets.ids.insert(member.key.clone(), id);
            let location = states.at(&member.key);
            let length = member.key.chars().count();
            if length == 0 || length > STATE_NAME_CHARS_MAX {
                // UNVERIFIED: AWS's wording.
                let message =
                    format!("State name must have 1 to {STATE_NAME_CHARS_MAX} characters");
                self.report(Code::InvalidStateName, message, location, member.key_span);
            } else if !self.names.insert(member.key.clone()) {
                // UNVERIFIED: AWS's wording.
                let message = format!("Duplicate State name: {}", member.key);
                self.report(Code::DuplicateStateName, message, location, member.key_span);
            }
        }
        ids
    }

    /// Resolves the name of a state in the field `what`.
    pub(super) fn target(
        &mut self,
        node: &Node,
        what: &str,
        location: String,
        targets: &mut Targets,
    ) -> Option<StateId> {
        let Some(name) = node.as_str() else {
            self.wrong_type("String", location, node.span);
            return None;
        };
        let mut id = targets.ids.get(name).copied();
        if id.is_none() && self.subject == Subject::State && targets.depth == 0 {
            id = Some(self.imagined(name, targets));
        }
        if let Some(id) = id {
            targets.reached.insert(id);
        } else {
            let message = format!("Missing '{what}' target: {name}");
            self.report(Code::MissingTransitionTarget, message, location, node.span);
            self.hint(did_you_mean(name, targets.ids.keys().map(|name| &**name)));
        }
        id
    }

    /// Reads `Next` or `End` of a state that has one of the two.
    pub(super) fn transition(
        &mut self,
        fields: &Fields<'_>,
        targets: &mut Targets,
    ) -> Option<Transition> {
        let ends = fields.get("End").and_then(|node| {
            let ends = node.to_value().as_bool();
            if ends.is_none() {
                self.wrong_type("Boolean", fields.at("End"), node.span);
            }
            ends
        });
        match (fields.get("Next"), ends) {
            (Some(node), None | Some(false)) => {
                self.target(node, "Next", fields.at("Next"), targets).map(Transition::Next)
            }
            (None, Some(true)) => Some(Transition::End),
            (Some(node), Some(true)) => {
                // UNVERIFIED: AWS's wording for a state with both.
                let message = "Only one of the fields [Next, End] is allowed";
                self.schema(message, fields.here(), node.span);
                None
            }
            (None, None | Some(false)) => {
                // A value of the wrong type was reported above.
                if !fields.has("End") || ends.is_some() {
                    // UNVERIFIED: AWS's wording for a state with neither.
                    let message = "One of the fields [Next, End] is required";
                    self.schema(message, fields.here(), fields.span);
                }
                None
            }
        }
    }

    /// Reports a machine that has no state it could end at.
    fn endless(&mut self, states: &Fields<'_>) {
        let terminal = |state: &Node| {
            let value = |name: &str| state.get(name).map(Node::to_value).unwrap_or_default();
            let ends = value("End") == Value::Bool(true);
            ends || matches!(value("Type").as_str(), Some("Succeed" | "Fail"))
        };
        if !states.members().iter().any(|state| terminal(&state.node)) {
            // UNVERIFIED: AWS's wording; the code and its meaning stand in its documentation.
            let message = "The workflow does not have a terminal state";
            self.report(Code::MissingEndState, message, states.here(), states.span);
        }
    }

    fn unreached(&mut self, states: &Fields<'_>, targets: &Targets) {
        for member in states.members() {
            let reached =
                targets.ids.get(&member.key).is_none_or(|id| targets.reached.contains(id));
            if !reached {
                let message = format!("State \"{}\" is not reachable.", member.key);
                let location = states.at(&member.key);
                self.report(Code::MissingTransitionTarget, message, location, member.key_span);
            }
        }
    }
}
