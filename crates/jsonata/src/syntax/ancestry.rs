//! Finds, for every `%`, the step whose input it means.

use super::tree::{Node, NodeKind, Slot};
use crate::fault::{Fault, Run};

/// The slots of one program.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    slots: Vec<Search>,
}

/// How far the search of one `%` has come.
#[derive(Debug)]
struct Search {
    /// Names the variable; two `%` that mean the same step share a label.
    label: Slot,
    /// Steps still to go back; zero when found.
    level: i32,
}

impl Ancestry {
    /// Opens the search of a new `%`.
    pub(super) fn open(&mut self) -> Slot {
        let label = self.slots.len();
        self.slots.push(Search { label, level: 1 });
        label
    }

    /// Returns the label of a slot.
    pub(super) fn label(&self, slot: Slot) -> Slot {
        self.slots.get(slot).map_or(slot, |search| search.label)
    }

    pub(super) fn level(&self, slot: Slot) -> i32 {
        self.slots.get(slot).map_or(0, |search| search.level)
    }

    pub(super) fn step_back(&mut self, slot: Slot, by: i32) {
        if let Some(search) = self.slots.get_mut(slot) {
            search.level -= by;
        }
    }

    /// Looks for the step of `slot` in `node`.
    pub(super) fn seek(&mut self, node: &mut Node, slot: Slot) -> Run<()> {
        match &mut *node.kind {
            NodeKind::Name(_) | NodeKind::Wildcard => {
                self.step_back(slot, 1);
                if self.level(slot) == 0 {
                    if let Some(known) = node.marks.ancestor {
                        let label = self.label(known);
                        if let Some(search) = self.slots.get_mut(slot) {
                            search.label = label;
                        }
                    }
                    node.marks.ancestor = Some(slot);
                    node.tuple = true;
                }
            }
            NodeKind::Parent(_) => self.step_back(slot, -1),
            NodeKind::Block(parts) => {
                if let Some(last) = parts.last_mut() {
                    self.seek(last, slot)?;
                    node.tuple = true;
                }
            }
            NodeKind::Path { steps, .. } => {
                node.tuple = true;
                let mut steps = steps.iter_mut().rev();
                if let Some(last) = steps.next() {
                    self.seek(last, slot)?;
                }
                for step in steps {
                    if self.level(slot) <= 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
            }
            NodeKind::Text(_)
            | NodeKind::Number(_)
            | NodeKind::Constant(_)
            | NodeKind::Variable(_)
            | NodeKind::Regex(..)
            | NodeKind::Descendant
            | NodeKind::Binary(..)
            | NodeKind::Range(..)
            | NodeKind::Negate(_)
            | NodeKind::Array(_)
            | NodeKind::Object(_)
            | NodeKind::Call(..)
            | NodeKind::Partial(..)
            | NodeKind::Lambda { .. }
            | NodeKind::Condition(..)
            | NodeKind::Default(..)
            | NodeKind::Coalesce(..)
            | NodeKind::Bind(..)
            | NodeKind::Apply(..)
            | NodeKind::Transform(..)
            | NodeKind::Sort(_) => return Err(underivable(node)),
        }
        Ok(())
    }

    /// Looks for the steps that the last step of a path seeks among those before it.
    pub(super) fn resolve(&mut self, path: &mut Node) -> Run<()> {
        let NodeKind::Path { steps, .. } = &mut *path.kind else { return Ok(()) };
        let Some((last, before)) = steps.split_last_mut() else { return Ok(()) };
        for slot in wanted(last) {
            let mut at = before.len();
            while self.level(slot) > 0 {
                if at == 0 {
                    path.marks.seeking.push(slot);
                    break;
                }
                at -= 1;
                // Steps that bind the focus one after another count as one.
                while at > 0 && focused(before, at) && focused(before, at - 1) {
                    at -= 1;
                }
                if let Some(step) = before.get_mut(at) {
                    self.seek(step, slot)?;
                }
            }
        }
        Ok(())
    }
}

fn focused(steps: &[Node], at: usize) -> bool {
    steps.get(at).is_some_and(|step| step.marks.focus.is_some())
}

/// Returns the slots that `node` itself or something below it seeks.
pub(super) fn wanted(node: &Node) -> Vec<Slot> {
    let mut slots = node.marks.seeking.clone();
    if let NodeKind::Parent(slot) = *node.kind {
        slots.push(slot);
    }
    slots
}

/// The error for a `%` that has no step.
pub(super) fn underivable(node: &Node) -> Fault {
    let fault = Fault::new("S0217").token(node.type_name());
    match node.position {
        Some(position) => fault.at(position),
        None => fault,
    }
}
