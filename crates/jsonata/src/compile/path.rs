//! Compiles paths: their steps, predicates and the bindings they carry along.

use std::sync::Arc;

use super::code::{Code, Filter, Layout, Path, Stage, Step, StepKind, Term};
use super::scopes::ScopeKind;
use super::{Compiler, Hanging, ancestor_name};
use crate::fault::Run;
use crate::syntax::tree::{self, Node, NodeKind};

impl Compiler {
    pub(super) fn filters(&mut self, stages: Vec<tree::Stage>) -> Run<Box<[Filter]>> {
        let mut filters = Vec::with_capacity(stages.len());
        for stage in stages {
            match stage {
                tree::Stage::Filter(node) => filters.push(self.filter(node)?),
                // Index bindings only occur within paths.
                tree::Stage::Index(_) => {}
            }
        }
        Ok(filters.into())
    }

    fn filter(&mut self, node: Node) -> Run<Filter> {
        if let NodeKind::Number(number) = *node.kind
            && node.marks.predicates.is_empty()
            && node.marks.group.is_none()
        {
            return Ok(Filter::At(number));
        }
        let code = self.inner(|compiler| compiler.code(node, None))?;
        Ok(Filter::Where(code))
    }

    pub(super) fn path(&mut self, mut node: Node, outer: Option<&Layout>) -> Run<Code> {
        let NodeKind::Path { steps, keep_singleton } = *node.kind else { return Ok(Code::Context) };
        let plain = !keep_singleton && node.marks.group.is_none() && !steps.iter().any(|s| s.tuple);
        if plain && let Some(code) = self.fields(&steps) {
            return Ok(code);
        }
        let first_is_variable =
            steps.first().is_some_and(|step| matches!(*step.kind, NodeKind::Variable(_)));
        let first_tuple = steps.iter().position(|step| step.tuple);
        let layout = first_tuple.map(|_| {
            if let Some(outer) = outer.filter(|_| node.tuple) {
                outer.clone()
            } else {
                let mut names = Vec::new();
                carried(&steps, &mut names);
                names.into()
            }
        });
        let trail = trailing_fields(&steps);
        let mut compiled = Vec::with_capacity(steps.len());
        for (at, step) in steps.into_iter().enumerate() {
            if Some(at) == first_tuple {
                let names = layout.as_ref().map(|names| names.to_vec()).unwrap_or_default();
                self.scopes.push(names, ScopeKind::Tuple);
            }
            let step = match (at, &*step.kind) {
                (0, NodeKind::Variable(name)) if !matches!(&**name, "" | "$") => {
                    let position = step.position.unwrap_or_default();
                    let variable = self.scopes.read(name, position, trail.clone());
                    self.step(step, layout.as_ref(), Some(Code::Variable(variable)))?
                }
                (0, _) => self.step(step, layout.as_ref(), None)?,
                _ => self.inner(|compiler| compiler.step(step, layout.as_ref(), None))?,
            };
            compiled.push(step);
        }
        let group = match node.marks.take().group {
            Some(group) => Some(self.inner(|compiler| compiler.group(group))?),
            None => None,
        };
        if first_tuple.is_some() {
            self.scopes.pop();
        }
        Ok(Code::Path(Box::new(Path {
            steps: compiled.into(),
            first_is_variable,
            keep_singleton,
            group,
            layout,
            gives_tuples: node.tuple,
        })))
    }

    /// Compiles `$variable.name.name` and `name.name`, the paths that need no steps.
    fn fields(&mut self, steps: &[Node]) -> Option<Code> {
        let simple = |step: &Node| {
            step.marks.stages.is_empty()
                && step.marks.predicates.is_empty()
                && step.marks.group.is_none()
                && !step.keep_array
        };
        if !steps.iter().all(simple) {
            return None;
        }
        let (first, rest) = steps.split_first()?;
        let names = rest.iter().map(|step| match &*step.kind {
            NodeKind::Name(name) => Some(name.clone()),
            _ => None,
        });
        let mut names = names.collect::<Option<Vec<Arc<str>>>>()?;
        let position = first.position.unwrap_or_default();
        match &*first.kind {
            NodeKind::Variable(name) if !matches!(&**name, "" | "$") && !names.is_empty() => {
                let variable = self.scopes.read(name, position, names.clone());
                Some(Code::Fields(variable, names.into()))
            }
            NodeKind::Name(name) => {
                self.scopes.context_read(name, position);
                names.insert(0, name.clone());
                Some(Code::ContextFields(names.into()))
            }
            _ => None,
        }
    }

    /// Compiles one step; `known` is its code where the caller has it already.
    fn step(&mut self, mut node: Node, layout: Option<&Layout>, known: Option<Code>) -> Run<Step> {
        let slot = |name: &str| layout?.iter().position(|own| &**own == name);
        let focus = node.marks.focus.as_ref().and_then(|name| slot(name));
        let index = node.marks.index.as_ref().and_then(|name| slot(name));
        let ancestor = node.marks.ancestor.and_then(|label| slot(&ancestor_name(label)));
        let stages = node.marks.if_any().map(|marks| std::mem::take(&mut marks.stages));
        let stages = stages.unwrap_or_default();
        let (tuple, cons) = (node.tuple, node.cons);
        let position = node.position.unwrap_or_default();
        let kind = match (known, *node.kind) {
            (Some(code), kind) => {
                node.kind = Box::new(kind);
                let hanging = Hanging::take(&mut node);
                StepKind::Code(self.dress(code, hanging)?)
            }
            (None, NodeKind::Sort(terms)) => {
                let mut compiled = Vec::with_capacity(terms.len());
                for tree::Term { descending, node } in terms {
                    let code = self.inner(|compiler| compiler.code(node, None))?;
                    compiled.push(Term { descending, code });
                }
                StepKind::Sort(compiled.into(), position)
            }
            (None, kind) => {
                node.kind = Box::new(kind);
                StepKind::Code(self.code(node, layout)?)
            }
        };
        let mut compiled = Vec::with_capacity(stages.len());
        for stage in stages {
            compiled.push(match stage {
                tree::Stage::Filter(node) => Stage::Filter(self.filter(node)?),
                tree::Stage::Index(name) => Stage::Index(slot(&name).unwrap_or_default()),
            });
        }
        Ok(Step { kind, cons, tuple, stages: compiled.into(), focus, index, ancestor })
    }
}

/// Returns the field names that follow a path's first step directly.
fn trailing_fields(steps: &[Node]) -> Vec<Arc<str>> {
    let mut fields = Vec::new();
    let plain = |step: &Node| step.marks.stages.is_empty() && step.marks.predicates.is_empty();
    if !steps.first().is_some_and(plain) {
        return fields;
    }
    for step in steps.iter().skip(1) {
        let NodeKind::Name(name) = &*step.kind else { break };
        fields.push(name.clone());
        if !step.marks.stages.is_empty() {
            break;
        }
    }
    fields
}

/// Collects the names that steps bind, those of nested paths that hand theirs on included.
fn carried(steps: &[Node], names: &mut Vec<Arc<str>>) {
    for step in steps {
        let label = step.marks.ancestor.map(ancestor_name);
        let indices = step.marks.stages.iter().filter_map(|stage| match stage {
            tree::Stage::Index(name) => Some(name.clone()),
            tree::Stage::Filter(_) => None,
        });
        let own =
            step.marks.focus.iter().chain(&step.marks.index).cloned().chain(label).chain(indices);
        for name in own {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        nested(step, names);
    }
}

fn nested(node: &Node, names: &mut Vec<Arc<str>>) {
    match &*node.kind {
        NodeKind::Block(parts) => {
            if let Some(last) = parts.last() {
                nested(last, names);
            }
        }
        NodeKind::Path { steps, .. } if node.tuple => carried(steps, names),
        _ => {}
    }
}
