//! Reshapes the grammar's tree: dots become paths, predicates become stages of their step.

use std::sync::Arc;

use value::Value;

use super::ancestry::{Ancestry, underivable, wanted};
use super::expr::{Expr, Kind, Pair, SortTerm};
use super::tree::{Group, Node, NodeKind, Stage, Term};
use crate::fault::{Fault, Run};

/// Shapes a whole program.
pub(super) fn shape(expr: Expr) -> Run<Node> {
    let mut shaper = Shaper { ancestry: Ancestry::default() };
    let mut root = shaper.node(expr)?;
    if matches!(root.kind, NodeKind::Parent(_)) || !root.seeking.is_empty() {
        return Err(underivable(&root));
    }
    label(&mut root, &shaper.ancestry);
    Ok(root)
}

struct Shaper {
    ancestry: Ancestry,
}

impl Shaper {
    fn node(&mut self, expr: Expr) -> Run<Node> {
        let keep_array = expr.keep_array;
        let mut node = self.unkept(expr)?;
        node.keep_array |= keep_array;
        Ok(node)
    }

    fn boxed(&mut self, expr: Expr) -> Run<Box<Node>> {
        self.node(expr).map(Box::new)
    }

    fn unkept(&mut self, expr: Expr) -> Run<Node> {
        let position = expr.position;
        let simple = match expr.kind {
            Kind::Name(name) => return Ok(name_path(name, position, expr.keep_array)),
            Kind::Word(word) => return Ok(name_path(Arc::from(word), position, expr.keep_array)),
            Kind::Dot(left, right) => return self.dot(*left, *right),
            Kind::Predicate(left, right) => return self.predicate(*left, *right, position),
            Kind::Group(left, pairs) => return self.group(*left, pairs, position),
            Kind::Sort(left, terms) => return self.sort(*left, terms, position),
            Kind::Focus(left, name) => {
                return self.focus(*left, name, position, expr.keep_array);
            }
            Kind::Index(left, name) => return self.index(*left, name),
            Kind::Negate(operand) => return self.negate(*operand, position),
            Kind::Placeholder => return Err(Fault::new("S0201").at(position).token("?")),
            Kind::Variable(name) => NodeKind::Variable(name),
            Kind::Text(text) => NodeKind::Text(text),
            Kind::Number(number) => NodeKind::Number(number),
            Kind::Constant(value) => NodeKind::Constant(value),
            Kind::Regex(pattern, flags) => NodeKind::Regex(pattern, flags),
            Kind::Wildcard => NodeKind::Wildcard,
            Kind::Descendant => NodeKind::Descendant,
            Kind::Parent => {
                // The reference forgets the position of a `%`.
                return Ok(Node::new(NodeKind::Parent(self.ancestry.open()), None));
            }
            compound => return self.compound(compound, position),
        };
        Ok(Node::new(simple, Some(position)))
    }

    /// Shapes what has parts but is no path; the parts' searches go on from here.
    fn compound(&mut self, kind: Kind, position: usize) -> Run<Node> {
        let mut seeking = Vec::new();
        let kind = match kind {
            Kind::Binary(symbol, left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                seeking = [&left, &right].map(|part| wanted(part)).concat();
                NodeKind::Binary(symbol, left, right)
            }
            Kind::Range(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                seeking = [&left, &right].map(|part| wanted(part)).concat();
                NodeKind::Range(left, right)
            }
            Kind::Condition(test, then, otherwise) => {
                let (test, then) = (self.boxed(*test)?, self.boxed(*then)?);
                let otherwise = otherwise.map(|part| self.boxed(*part)).transpose()?;
                let parts = [Some(&test), Some(&then), otherwise.as_ref()];
                seeking = parts.into_iter().flatten().flat_map(|p| wanted(p)).collect();
                NodeKind::Condition(test, then, otherwise)
            }
            Kind::Default(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                seeking = [&left, &right].map(|part| wanted(part)).concat();
                NodeKind::Default(left, right)
            }
            Kind::Coalesce(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                seeking = [&left, &right].map(|part| wanted(part)).concat();
                NodeKind::Coalesce(left, right)
            }
            Kind::Bind(name, value) => {
                let value = self.boxed(*value)?;
                seeking = wanted(&value);
                NodeKind::Bind(name, value)
            }
            Kind::Array(items) => {
                let items = self.list(items, &mut seeking)?;
                NodeKind::Array(items)
            }
            Kind::Object(pairs) => {
                let pairs = self.pairs(pairs)?;
                let parts = pairs.iter().flat_map(|(key, value)| [key, value]);
                seeking = parts.flat_map(wanted).collect();
                NodeKind::Object(Group { pairs, position })
            }
            Kind::Block(parts) => return self.block(parts, position),
            Kind::Call(procedure, arguments) => {
                let arguments = self.list(arguments, &mut seeking)?;
                NodeKind::Call(self.boxed(*procedure)?, arguments)
            }
            Kind::Partial(procedure, arguments) => {
                let arguments = self.arguments(arguments, &mut seeking)?;
                NodeKind::Partial(self.boxed(*procedure)?, arguments)
            }
            Kind::Lambda(parameters, signature, body) => {
                NodeKind::Lambda { parameters, signature, body: self.boxed(*body)? }
            }
            Kind::Apply(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                let keep_array = left.keep_array || right.keep_array;
                let mut node = Node::new(NodeKind::Apply(left, right), Some(position));
                node.keep_array = keep_array;
                return Ok(node);
            }
            Kind::Transform(pattern, update, delete) => {
                let (pattern, update) = (self.boxed(*pattern)?, self.boxed(*update)?);
                let delete = delete.map(|part| self.boxed(*part)).transpose()?;
                NodeKind::Transform(pattern, update, delete)
            }
            // Everything else was handled before.
            _ => return Err(Fault::new("S0206").at(position)),
        };
        let mut node = Node::new(kind, Some(position));
        node.seeking = seeking;
        Ok(node)
    }

    fn list(&mut self, items: Vec<Expr>, seeking: &mut Vec<usize>) -> Run<Vec<Node>> {
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            let node = self.node(item)?;
            seeking.extend(wanted(&node));
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn arguments(&mut self, items: Vec<Expr>, seeking: &mut Vec<usize>) -> Run<Vec<Option<Node>>> {
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            if matches!(item.kind, Kind::Placeholder) {
                nodes.push(None);
                continue;
            }
            let node = self.node(item)?;
            seeking.extend(wanted(&node));
            nodes.push(Some(node));
        }
        Ok(nodes)
    }

    fn pairs(&mut self, pairs: Vec<Pair>) -> Run<Vec<(Node, Node)>> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    fn block(&mut self, parts: Vec<Expr>, position: usize) -> Run<Node> {
        let mut seeking = Vec::new();
        let parts = self.list(parts, &mut seeking)?;
        let cons = parts.iter().any(|part| part.cons || first_step(part).is_some_and(|s| s.cons));
        let mut node = Node::new(NodeKind::Block(parts), Some(position));
        node.seeking = seeking;
        node.cons = cons;
        Ok(node)
    }

    fn negate(&mut self, operand: Expr, position: usize) -> Run<Node> {
        let mut operand = self.node(operand)?;
        if let NodeKind::Number(number) = &mut operand.kind {
            *number = -*number;
            return Ok(operand);
        }
        let seeking = wanted(&operand);
        let mut node = Node::new(NodeKind::Negate(Box::new(operand)), Some(position));
        node.seeking = seeking;
        Ok(node)
    }

    fn dot(&mut self, left: Expr, right: Expr) -> Run<Node> {
        let left = self.node(left)?;
        let mut path = match left.kind {
            NodeKind::Path { .. } => left,
            NodeKind::Parent(slot) => {
                let mut path = Node::path(vec![left]);
                path.seeking.push(slot);
                path
            }
            _ => Node::path(vec![left]),
        };
        let mut right = self.node(right)?;
        if let NodeKind::Path { steps, keep_singleton } = &mut path.kind {
            if let NodeKind::Path { steps: more, .. } = right.kind {
                steps.extend(more);
            } else {
                right.stages.append(&mut right.predicates);
                steps.push(right);
            }
            for step in steps.iter_mut() {
                literal_step(step)?;
                *keep_singleton |= step.keep_array;
            }
            for end in [0, steps.len().saturating_sub(1)] {
                if let Some(step) = steps.get_mut(end) {
                    step.cons |= step.is_array();
                }
            }
        }
        self.ancestry.resolve(&mut path)?;
        Ok(path)
    }

    fn predicate(&mut self, left: Expr, right: Expr, position: usize) -> Run<Node> {
        let mut node = self.node(left)?;
        let in_path = matches!(node.kind, NodeKind::Path { .. });
        let predicate = {
            let step = last_step(&mut node);
            if step.group.is_some() {
                return Err(Fault::new("S0209").at(position));
            }
            let predicate = self.node(right)?;
            for &slot in &predicate.seeking {
                if self.ancestry.level(slot) == 1 {
                    self.ancestry.seek(step, slot)?;
                } else {
                    self.ancestry.step_back(slot, 1);
                }
            }
            step.seeking.extend(&predicate.seeking);
            predicate
        };
        let stage = Stage::Filter(predicate);
        match in_path {
            true => last_step(&mut node).stages.push(stage),
            false => node.predicates.push(stage),
        }
        Ok(node)
    }

    fn group(&mut self, left: Expr, pairs: Vec<Pair>, position: usize) -> Run<Node> {
        let mut node = self.node(left)?;
        if node.group.is_some() {
            return Err(Fault::new("S0210").at(position));
        }
        node.group = Some(Group { pairs: self.pairs(pairs)?, position });
        Ok(node)
    }

    fn sort(&mut self, left: Expr, terms: Vec<SortTerm>, position: usize) -> Run<Node> {
        let mut node = self.node(left)?;
        if !matches!(node.kind, NodeKind::Path { .. }) {
            node = Node::path(vec![node]);
        }
        let mut shaped = Vec::with_capacity(terms.len());
        let mut seeking = Vec::new();
        for SortTerm { descending, expr } in terms {
            let term = self.node(expr)?;
            seeking.extend(wanted(&term));
            shaped.push(Term { descending, node: term });
        }
        let mut step = Node::new(NodeKind::Sort(shaped), Some(position));
        step.seeking = seeking;
        if let NodeKind::Path { steps, .. } = &mut node.kind {
            steps.push(step);
        }
        self.ancestry.resolve(&mut node)?;
        Ok(node)
    }

    fn focus(
        &mut self,
        left: Expr,
        name: Arc<str>,
        position: usize,
        keep_array: bool,
    ) -> Run<Node> {
        let mut node = self.node(left)?;
        let step = last_step(&mut node);
        if !step.stages.is_empty() || !step.predicates.is_empty() {
            return Err(Fault::new("S0215").at(position));
        }
        if matches!(step.kind, NodeKind::Sort(_)) {
            return Err(Fault::new("S0216").at(position));
        }
        step.keep_array |= keep_array;
        step.focus = Some(name);
        step.tuple = true;
        Ok(node)
    }

    fn index(&mut self, left: Expr, name: Arc<str>) -> Run<Node> {
        let mut node = self.node(left)?;
        if !matches!(node.kind, NodeKind::Path { .. }) {
            node.stages.append(&mut node.predicates);
            node = Node::path(vec![node]);
        }
        let step = last_step(&mut node);
        match step.stages.is_empty() {
            true => step.index = Some(name),
            false => step.stages.push(Stage::Index(name)),
        }
        step.tuple = true;
        Ok(node)
    }
}

fn name_path(name: Arc<str>, position: usize, keep_array: bool) -> Node {
    let mut step = Node::new(NodeKind::Name(name), Some(position));
    step.keep_array = keep_array;
    Node::new(NodeKind::Path { steps: vec![step], keep_singleton: keep_array }, None)
}

/// Returns the last step of a path, or the node itself.
fn last_step(node: &mut Node) -> &mut Node {
    let has_steps = matches!(&node.kind, NodeKind::Path { steps, .. } if !steps.is_empty());
    if !has_steps {
        return node;
    }
    match &mut node.kind {
        NodeKind::Path { steps, .. } => match steps.last_mut() {
            Some(step) => step,
            None => unreachable!("a path has a step"),
        },
        _ => unreachable!("it was a path a line ago"),
    }
}

fn first_step(node: &Node) -> Option<&Node> {
    match &node.kind {
        NodeKind::Path { steps, .. } => steps.first(),
        _ => None,
    }
}

/// A string as a step is a field name; any other literal is an error.
fn literal_step(step: &mut Node) -> Run<()> {
    let value = match &step.kind {
        NodeKind::Text(text) => {
            step.kind = NodeKind::Name(text.clone());
            return Ok(());
        }
        NodeKind::Number(number) => Value::from(*number),
        NodeKind::Constant(value) => value.clone(),
        _ => return Ok(()),
    };
    Err(Fault::new("S0213").at(step.position.unwrap_or_default()).value(value))
}

/// Replaces every slot by its label, now that all searches have ended.
fn label(node: &mut Node, ancestry: &Ancestry) {
    node.ancestor = node.ancestor.map(|slot| ancestry.label(slot));
    if let NodeKind::Parent(slot) = &mut node.kind {
        *slot = ancestry.label(*slot);
    }
    node.children_mut(&mut |child| label(child, ancestry));
}
