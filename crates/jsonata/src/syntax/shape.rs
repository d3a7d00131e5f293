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
    if matches!(*root.kind, NodeKind::Parent(_)) || !root.marks.seeking.is_empty() {
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
        let simple = match *expr.kind {
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
        let kind = match kind {
            Kind::Binary(symbol, left, right) => {
                let [left, right] = self.two(*left, *right)?;
                NodeKind::Binary(symbol, left, right)
            }
            Kind::Range(left, right) => self.paired(*left, *right, NodeKind::Range)?,
            Kind::Default(left, right) => self.paired(*left, *right, NodeKind::Default)?,
            Kind::Coalesce(left, right) => self.paired(*left, *right, NodeKind::Coalesce)?,
            Kind::Apply(left, right) => return self.apply(*left, *right, position),
            Kind::Bind(name, value) => NodeKind::Bind(name, self.boxed(*value)?),
            Kind::Array(items) => NodeKind::Array(self.list(items)?),
            Kind::Object(pairs) => NodeKind::Object(Group { pairs: self.pairs(pairs)?, position }),
            Kind::Block(parts) => return self.block(parts, position),
            Kind::Call(procedure, arguments) => {
                let arguments = self.list(arguments)?;
                NodeKind::Call(self.boxed(*procedure)?, arguments)
            }
            Kind::Partial(procedure, arguments) => {
                let arguments = self.arguments(arguments)?;
                NodeKind::Partial(self.boxed(*procedure)?, arguments)
            }
            Kind::Lambda(parameters, signature, body) => {
                NodeKind::Lambda { parameters, signature, body: self.boxed(*body)? }
            }
            Kind::Condition(test, then, otherwise) => {
                let (test, then, otherwise) = self.three(*test, *then, otherwise)?;
                NodeKind::Condition(test, then, otherwise)
            }
            Kind::Transform(pattern, update, delete) => {
                let (pattern, update, delete) = self.three(*pattern, *update, delete)?;
                NodeKind::Transform(pattern, update, delete)
            }
            // Everything else was handled before.
            _ => return Err(Fault::new("S0206").at(position)),
        };
        let seeking = sought(&kind);
        let mut node = Node::new(kind, Some(position));
        node.seek(seeking);
        Ok(node)
    }

    fn two(&mut self, left: Expr, right: Expr) -> Run<[Box<Node>; 2]> {
        Ok([self.boxed(left)?, self.boxed(right)?])
    }

    fn paired(
        &mut self,
        left: Expr,
        right: Expr,
        make: fn(Box<Node>, Box<Node>) -> NodeKind,
    ) -> Run<NodeKind> {
        let [left, right] = self.two(left, right)?;
        Ok(make(left, right))
    }

    #[expect(clippy::type_complexity, reason = "used in one place, twice")]
    fn three(
        &mut self,
        first: Expr,
        second: Expr,
        third: Option<Box<Expr>>,
    ) -> Run<(Box<Node>, Box<Node>, Option<Box<Node>>)> {
        let [first, second] = self.two(first, second)?;
        let third = third.map(|part| self.boxed(*part)).transpose()?;
        Ok((first, second, third))
    }

    fn apply(&mut self, left: Expr, right: Expr, position: usize) -> Run<Node> {
        let [left, right] = self.two(left, right)?;
        let keep_array = left.keep_array || right.keep_array;
        let mut node = Node::new(NodeKind::Apply(left, right), Some(position));
        node.keep_array = keep_array;
        Ok(node)
    }

    fn list(&mut self, items: Vec<Expr>) -> Run<Vec<Node>> {
        items.into_iter().map(|item| self.node(item)).collect()
    }

    fn arguments(&mut self, items: Vec<Expr>) -> Run<Vec<Option<Node>>> {
        let items = items.into_iter();
        items
            .map(|item| match *item.kind {
                Kind::Placeholder => Ok(None),
                _ => self.node(item).map(Some),
            })
            .collect()
    }

    fn pairs(&mut self, pairs: Vec<Pair>) -> Run<Vec<(Node, Node)>> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    fn block(&mut self, parts: Vec<Expr>, position: usize) -> Run<Node> {
        let parts = self.list(parts)?;
        let seeking = parts.iter().flat_map(wanted).collect();
        let cons = parts.iter().any(|part| part.cons || first_step(part).is_some_and(|s| s.cons));
        let mut node = Node::new(NodeKind::Block(parts), Some(position));
        node.seek(seeking);
        node.cons = cons;
        Ok(node)
    }

    fn negate(&mut self, operand: Expr, position: usize) -> Run<Node> {
        let mut operand = self.node(operand)?;
        if let NodeKind::Number(number) = &mut *operand.kind {
            *number = -*number;
            return Ok(operand);
        }
        let seeking = wanted(&operand);
        let mut node = Node::new(NodeKind::Negate(Box::new(operand)), Some(position));
        node.seek(seeking);
        Ok(node)
    }

    fn dot(&mut self, left: Expr, right: Expr) -> Run<Node> {
        let left = self.node(left)?;
        let mut path = match *left.kind {
            NodeKind::Path { .. } => left,
            NodeKind::Parent(slot) => {
                let mut path = Node::path(vec![left]);
                path.marks.seeking.push(slot);
                path
            }
            _ => Node::path(vec![left]),
        };
        let mut right = self.node(right)?;
        if let NodeKind::Path { steps, keep_singleton } = &mut *path.kind {
            if let NodeKind::Path { steps: more, .. } = &mut *right.kind {
                steps.append(more);
            } else {
                right.stage_predicates();
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
        let in_path = matches!(*node.kind, NodeKind::Path { .. });
        let predicate = {
            let step = last_step(&mut node);
            if step.marks.group.is_some() {
                return Err(Fault::new("S0209").at(position));
            }
            let predicate = self.node(right)?;
            for &slot in &predicate.marks.seeking {
                if self.ancestry.level(slot) == 1 {
                    self.ancestry.seek(step, slot)?;
                } else {
                    self.ancestry.step_back(slot, 1);
                }
            }
            step.seek(predicate.marks.seeking.clone());
            predicate
        };
        let stage = Stage::Filter(predicate);
        if in_path {
            last_step(&mut node).marks.stages.push(stage);
        } else {
            node.marks.predicates.push(stage);
        }
        Ok(node)
    }

    fn group(&mut self, left: Expr, pairs: Vec<Pair>, position: usize) -> Run<Node> {
        let mut node = self.node(left)?;
        if node.marks.group.is_some() {
            return Err(Fault::new("S0210").at(position));
        }
        node.marks.group = Some(Group { pairs: self.pairs(pairs)?, position });
        Ok(node)
    }

    fn sort(&mut self, left: Expr, terms: Vec<SortTerm>, position: usize) -> Run<Node> {
        let mut node = self.node(left)?;
        if !matches!(*node.kind, NodeKind::Path { .. }) {
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
        step.seek(seeking);
        if let NodeKind::Path { steps, .. } = &mut *node.kind {
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
        if !step.marks.stages.is_empty() || !step.marks.predicates.is_empty() {
            return Err(Fault::new("S0215").at(position));
        }
        if matches!(*step.kind, NodeKind::Sort(_)) {
            return Err(Fault::new("S0216").at(position));
        }
        step.keep_array |= keep_array;
        step.marks.focus = Some(name);
        step.tuple = true;
        Ok(node)
    }

    fn index(&mut self, left: Expr, name: Arc<str>) -> Run<Node> {
        let mut node = self.node(left)?;
        if !matches!(*node.kind, NodeKind::Path { .. }) {
            node.stage_predicates();
            node = Node::path(vec![node]);
        }
        let step = last_step(&mut node);
        if step.marks.stages.is_empty() {
            step.marks.index = Some(name);
        } else {
            step.marks.stages.push(Stage::Index(name));
        }
        step.tuple = true;
        Ok(node)
    }
}

/// Returns the slots that the parts of a node seek, as far as the reference hands them on.
fn sought(kind: &NodeKind) -> Vec<usize> {
    let boxes = |parts: &[&Node]| parts.iter().copied().flat_map(wanted).collect();
    match kind {
        NodeKind::Binary(_, left, right)
        | NodeKind::Range(left, right)
        | NodeKind::Default(left, right)
        | NodeKind::Coalesce(left, right) => boxes(&[left, right]),
        NodeKind::Condition(test, then, None) => boxes(&[test, then]),
        NodeKind::Condition(test, then, Some(otherwise)) => boxes(&[test, then, otherwise]),
        NodeKind::Bind(_, value) => wanted(value),
        NodeKind::Array(items) | NodeKind::Call(_, items) => {
            items.iter().flat_map(wanted).collect()
        }
        NodeKind::Partial(_, items) => items.iter().flatten().flat_map(wanted).collect(),
        NodeKind::Object(group) => {
            group.pairs.iter().flat_map(|(key, value)| [key, value]).flat_map(wanted).collect()
        }
        _ => Vec::new(),
    }
}

fn name_path(name: Arc<str>, position: usize, keep_array: bool) -> Node {
    let mut step = Node::new(NodeKind::Name(name), Some(position));
    step.keep_array = keep_array;
    Node::new(NodeKind::Path { steps: vec![step], keep_singleton: keep_array }, None)
}

/// Returns the last step of a path, or the node itself.
fn last_step(node: &mut Node) -> &mut Node {
    let has_steps = matches!(&*node.kind, NodeKind::Path { steps, .. } if !steps.is_empty());
    if !has_steps {
        return node;
    }
    match &mut *node.kind {
        NodeKind::Path { steps, .. } => match steps.last_mut() {
            Some(step) => step,
            None => unreachable!("a path has a step"),
        },
        _ => unreachable!("it was a path a line ago"),
    }
}

fn first_step(node: &Node) -> Option<&Node> {
    match &*node.kind {
        NodeKind::Path { steps, .. } => steps.first(),
        _ => None,
    }
}

/// A string as a step is a field name; any other literal is an error.
fn literal_step(step: &mut Node) -> Run<()> {
    let value = match &*step.kind {
        NodeKind::Text(text) => {
            *step.kind = NodeKind::Name(text.clone());
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
    if let Some(slot) = node.marks.ancestor {
        node.marks.ancestor = Some(ancestry.label(slot));
    }
    if let NodeKind::Parent(slot) = &mut *node.kind {
        *slot = ancestry.label(*slot);
    }
    node.children_mut(&mut |child| label(child, ancestry));
}
