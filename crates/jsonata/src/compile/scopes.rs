//! Which variables are visible where, and what a program reads from outside.

use std::sync::Arc;

use super::code::{Layout, Place, Variable};
use crate::scope::{ContextReference, Scope, VariableReference};
use crate::syntax::tree::{Node, NodeKind};
use crate::{Dialect, functions};

/// What a scope's variables belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// A block, a function or the program: `:=` assigns here.
    Frame,
    /// The bindings that a path carries along.
    Tuple,
}

#[derive(Debug)]
struct Visible {
    names: Vec<Arc<str>>,
    kind: ScopeKind,
}

/// The scopes around the node that is being compiled, outermost first.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    stack: Vec<Visible>,
    facts: Scope,
    /// How many paths, predicates and the like set a context item around here.
    contexts: usize,
    dialect: Option<Dialect>,
}

impl Scopes {
    pub(super) fn new(own: Vec<Arc<str>>, dialect: Dialect) -> Scopes {
        let root = Visible { names: own, kind: ScopeKind::Frame };
        Scopes { stack: vec![root], dialect: Some(dialect), ..Scopes::default() }
    }

    pub(super) fn finish(mut self) -> (Layout, Scope) {
        (self.pop(), self.facts)
    }

    pub(super) fn push(&mut self, names: Vec<Arc<str>>, kind: ScopeKind) {
        self.stack.push(Visible { names, kind });
    }

    pub(super) fn pop(&mut self) -> Layout {
        self.stack.pop().map(|scope| scope.names).unwrap_or_default().into()
    }

    /// Says that what follows is evaluated with a context item of its own.
    pub(super) fn enter_context(&mut self) {
        self.contexts += 1;
    }

    pub(super) fn leave_context(&mut self) {
        self.contexts -= 1;
    }

    /// Notes a read of the context item as `text`.
    pub(super) fn context_read(&mut self, text: &str, position: usize) {
        if self.contexts == 0 {
            self.facts.context.push(ContextReference { text: Arc::from(text), position });
        }
    }

    /// Notes a read of the program's input, which no path hides.
    pub(super) fn root_read(&mut self, position: usize) {
        self.facts.context.push(ContextReference { text: Arc::from("$$"), position });
    }

    /// Finds where `name` may be bound; an unknown name becomes one read from outside.
    pub(super) fn find(&mut self, name: &Arc<str>) -> Variable {
        let mut places = self.places(name);
        if places.last().is_none_or(|place| place.hops + 1 < self.stack.len()) {
            let hops = self.stack.len().saturating_sub(1);
            if let Some(root) = self.stack.first_mut() {
                places.push(Place { hops, slot: root.names.len() });
                root.names.push(name.clone());
            }
        }
        Variable { places: places.into() }
    }

    fn places(&self, name: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for (hops, scope) in self.stack.iter().rev().enumerate() {
            if let Some(slot) = scope.names.iter().position(|own| &**own == name) {
                places.push(Place { hops, slot });
            }
        }
        places
    }

    /// Finds `name` for a read at `position`, and notes it if it is free; `fields` follow it.
    pub(super) fn read(
        &mut self,
        name: &Arc<str>,
        position: usize,
        fields: Vec<Arc<str>>,
    ) -> Variable {
        let free = {
            let known = self.facts.variables.iter().any(|reference| reference.name() == &**name);
            known || self.places(name).is_empty()
        };
        let local = self.stack.iter().skip(1).any(|scope| scope.names.contains(name));
        let native = self.dialect.and_then(|dialect| functions::find(name, dialect)).is_some();
        if free && !local && !native {
            let mut path = vec![name.clone()];
            path.extend(fields);
            self.facts.variables.push(VariableReference { path, position });
        }
        self.find(name)
    }

    /// Finds where `:=` stores `name`.
    pub(super) fn target(&self, name: &str) -> Place {
        let frames = self.stack.iter().rev().enumerate();
        let mut frames = frames.filter(|(_, scope)| scope.kind == ScopeKind::Frame);
        let found = frames.find_map(|(hops, scope)| {
            let slot = scope.names.iter().position(|own| &**own == name)?;
            Some(Place { hops, slot })
        });
        found.unwrap_or(Place { hops: 0, slot: 0 })
    }
}

/// Collects the names that `node` assigns in the frame around it.
pub(super) fn assigned(node: &mut Node, names: &mut Vec<Arc<str>>) {
    match &*node.kind {
        NodeKind::Bind(name, _) if !names.contains(name) => names.push(name.clone()),
        _ => {}
    }
    let own_frame = matches!(*node.kind, NodeKind::Block(_) | NodeKind::Lambda { .. });
    if !own_frame {
        node.children_mut(&mut |child| assigned(child, names));
        return;
    }
    // What hangs on a block or a function still belongs to the frame around it.
    let kind = std::mem::replace(&mut *node.kind, NodeKind::Wildcard);
    node.children_mut(&mut |child| assigned(child, names));
    *node.kind = kind;
}
