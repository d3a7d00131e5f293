//! The tree after shaping: paths are lists of steps, and every `%` knows the step it refers to.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use value::Value;

use super::signature::Signature;

/// A shaped expression; also a step of a path.
///
/// Small on purpose: the recursive passes keep many of them on the stack.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Box<NodeKind>,
    /// End of the node's own token in UTF-16 units; nodes made while shaping have none.
    pub(crate) position: Option<usize>,
    /// `[]`: a single result stays an array.
    pub(crate) keep_array: bool,
    /// An array constructor whose arrays stay whole within a path.
    pub(crate) cons: bool,
    /// Whether its evaluation carries bindings along (`@`, `#`, `%`).
    pub(crate) tuple: bool,
    pub(crate) marks: Hung,
}

/// The marks of a node; most have none, and these take no memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hung(Option<Box<Marks>>);

static NO_MARKS: Marks = Marks {
    predicates: Vec::new(),
    stages: Vec::new(),
    group: None,
    focus: None,
    index: None,
    ancestor: None,
    seeking: Vec::new(),
};

impl Hung {
    /// Returns the marks for editing, if there are any.
    pub(crate) fn if_any(&mut self) -> Option<&mut Marks> {
        self.0.as_deref_mut()
    }

    /// Takes the marks off.
    pub(crate) fn take(&mut self) -> Marks {
        self.0.take().map(|marks| *marks).unwrap_or_default()
    }
}

impl Deref for Hung {
    type Target = Marks;

    fn deref(&self) -> &Marks {
        self.0.as_deref().unwrap_or(&NO_MARKS)
    }
}

/// Makes room for marks; who only takes some away asks [`Hung::if_any`].
impl DerefMut for Hung {
    fn deref_mut(&mut self) -> &mut Marks {
        self.0.get_or_insert_default()
    }
}

/// What hangs on a node besides its own kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// Predicates outside a path.
    pub(crate) predicates: Vec<Stage>,
    /// Predicates and index bindings of a path's step.
    pub(crate) stages: Vec<Stage>,
    /// `{key: value}` behind the expression.
    pub(crate) group: Option<Group>,
    /// `@$name`
    pub(crate) focus: Option<Arc<str>>,
    /// `#$name`
    pub(crate) index: Option<Arc<str>>,
    /// The slot under which a later `%` finds this step's input.
    pub(crate) ancestor: Option<Slot>,
    /// Slots of the `%` below whose step is still to be found.
    pub(crate) seeking: Vec<Slot>,
}

/// Identifies one `%`; slots may share a label (see [`Node::ancestor`]).
pub(crate) type Slot = usize;

/// What follows a step.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Filter(Node),
    Index(Arc<str>),
}

/// The pairs of `{key: value}`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) pairs: Vec<(Node, Node)>,
    pub(crate) position: usize,
}

/// One term of `^(…)`.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) descending: bool,
    pub(crate) node: Node,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Path {
        steps: Vec<Node>,
        keep_singleton: bool,
    },
    Name(Arc<str>),
    Text(Arc<str>),
    Number(f64),
    Constant(Value),
    Variable(Arc<str>),
    Regex(Arc<str>, Arc<str>),
    Wildcard,
    Descendant,
    /// `%`; the slot's label names the variable that holds the ancestor.
    Parent(Slot),
    Binary(&'static str, Box<Node>, Box<Node>),
    Range(Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Array(Vec<Node>),
    Object(Group),
    Block(Vec<Node>),
    Call(Box<Node>, Vec<Node>),
    /// A call with placeholders (`None`).
    Partial(Box<Node>, Vec<Option<Node>>),
    Lambda {
        parameters: Vec<Arc<str>>,
        signature: Option<Signature>,
        body: Box<Node>,
    },
    Condition(Box<Node>, Box<Node>, Option<Box<Node>>),
    Default(Box<Node>, Box<Node>),
    Coalesce(Box<Node>, Box<Node>),
    Bind(Arc<str>, Box<Node>),
    Apply(Box<Node>, Box<Node>),
    Transform(Box<Node>, Box<Node>, Option<Box<Node>>),
    Sort(Vec<Term>),
}

impl Node {
    pub(crate) fn new(kind: NodeKind, position: Option<usize>) -> Node {
        Node {
            kind: Box::new(kind),
            position,
            keep_array: false,
            cons: false,
            tuple: false,
            marks: Hung::default(),
        }
    }

    /// Returns a path over `steps`.
    pub(crate) fn path(steps: Vec<Node>) -> Node {
        Node::new(NodeKind::Path { steps, keep_singleton: false }, None)
    }

    /// Notes slots whose steps are still to be found.
    pub(crate) fn seek(&mut self, slots: Vec<Slot>) {
        if !slots.is_empty() {
            self.marks.seeking.extend(slots);
        }
    }

    /// Makes the predicates those of a path's step.
    pub(crate) fn stage_predicates(&mut self) {
        if let Some(marks) = self.marks.if_any() {
            marks.stages.append(&mut marks.predicates);
        }
    }

    /// Returns whether the node is an array constructor.
    pub(crate) fn is_array(&self) -> bool {
        matches!(*self.kind, NodeKind::Array(_))
    }

    /// Returns the reference's name for the kind of node.
    pub(crate) fn type_name(&self) -> &'static str {
        match &*self.kind {
            NodeKind::Path { .. } => "path",
            NodeKind::Name(_) => "name",
            NodeKind::Text(_) => "string",
            NodeKind::Number(_) => "number",
            NodeKind::Constant(_) => "value",
            NodeKind::Variable(_) => "variable",
            NodeKind::Regex(..) => "regex",
            NodeKind::Wildcard => "wildcard",
            NodeKind::Descendant => "descendant",
            NodeKind::Parent(_) => "parent",
            NodeKind::Binary(..) | NodeKind::Range(..) => "binary",
            NodeKind::Negate(_) | NodeKind::Array(_) | NodeKind::Object(_) => "unary",
            NodeKind::Block(_) => "block",
            NodeKind::Call(..) => "function",
            NodeKind::Partial(..) => "partial",
            NodeKind::Lambda { .. } => "lambda",
            NodeKind::Condition(..) | NodeKind::Default(..) | NodeKind::Coalesce(..) => "condition",
            NodeKind::Bind(..) => "bind",
            NodeKind::Apply(..) => "apply",
            NodeKind::Transform(..) => "transform",
            NodeKind::Sort(_) => "sort",
        }
    }
}

impl Marks {
    fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        for stage in self.predicates.iter_mut().chain(&mut self.stages) {
            match stage {
                Stage::Filter(node) => visit(node),
                Stage::Index(_) => {}
            }
        }
        if let Some(group) = &mut self.group {
            group.children_mut(visit);
        }
    }
}

impl Group {
    fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        for (key, value) in &mut self.pairs {
            visit(key);
            visit(value);
        }
    }
}

impl Node {
    /// Calls `visit` for every node directly below.
    pub(crate) fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        if let Some(marks) = self.marks.if_any() {
            marks.children_mut(visit);
        }
        match &mut *self.kind {
            NodeKind::Path { steps: nodes, .. }
            | NodeKind::Array(nodes)
            | NodeKind::Block(nodes) => {
                nodes.iter_mut().for_each(visit);
            }
            NodeKind::Binary(_, a, b)
            | NodeKind::Range(a, b)
            | NodeKind::Default(a, b)
            | NodeKind::Coalesce(a, b)
            | NodeKind::Apply(a, b) => {
                visit(a);
                visit(b);
            }
            NodeKind::Negate(a) | NodeKind::Bind(_, a) | NodeKind::Lambda { body: a, .. } => {
                visit(a);
            }
            NodeKind::Object(group) => group.children_mut(visit),
            NodeKind::Call(procedure, arguments) => {
                visit(procedure);
                arguments.iter_mut().for_each(visit);
            }
            NodeKind::Partial(procedure, arguments) => {
                visit(procedure);
                arguments.iter_mut().flatten().for_each(visit);
            }
            NodeKind::Condition(a, b, c) | NodeKind::Transform(a, b, c) => {
                visit(a);
                visit(b);
                if let Some(c) = c {
                    visit(c);
                }
            }
            NodeKind::Sort(terms) => terms.iter_mut().for_each(|term| visit(&mut term.node)),
            NodeKind::Name(_)
            | NodeKind::Text(_)
            | NodeKind::Number(_)
            | NodeKind::Constant(_)
            | NodeKind::Variable(_)
            | NodeKind::Regex(..)
            | NodeKind::Wildcard
            | NodeKind::Descendant
            | NodeKind::Parent(_) => {}
        }
    }
}
