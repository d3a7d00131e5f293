//! The compiled form: variables are slots, constants and regular expressions are ready to use.

use std::cmp::Ordering;
use std::sync::Arc;

use value::{Key, Value};

use crate::pattern::Pattern;
use crate::syntax::signature::Signature;

/// Names of a frame by slot.
pub(crate) type Layout = Arc<[Arc<str>]>;

/// A compiled expression.
#[derive(Debug)]
pub(crate) enum Code {
    Constant(Value),
    /// `$`
    Context,
    /// `$$`
    Root,
    Variable(Variable),
    Name(Key),
    /// A variable and plain field names: the most common path.
    Fields(Variable, Box<[Key]>),
    /// Plain field names read from the context item.
    ContextFields(Box<[Key]>),
    Wildcard,
    Descendant,
    Path(Box<Path>),
    Arithmetic(Arithmetic, Box<Operands>),
    Compare(Compare, Box<Operands>),
    Equal(Box<Operands>),
    Unequal(Box<Operands>),
    And(Box<Operands>),
    Or(Box<Operands>),
    In(Box<Operands>),
    Concat(Box<Operands>),
    Range(Box<Operands>),
    Negate(Box<Code>, usize),
    Array(Box<[Item]>, Whole),
    Object(Box<Group>),
    Block(Box<Block>),
    Call(Box<Call>),
    /// A call in tail position of a function's body.
    TailCall(Arc<Call>),
    Partial(Box<Call>, Box<[bool]>),
    Lambda(Arc<LambdaCode>),
    Condition(Box<[Code; 2]>, Option<Box<Code>>),
    Default(Box<[Code; 2]>),
    Coalesce(Box<[Code; 2]>),
    Bind(usize, usize, Box<Code>),
    /// `left ~> right(…)`
    ApplyCall(Box<Code>, Box<Call>),
    /// `left ~> right`
    Apply(Box<Operands>),
    Transform(Arc<TransformCode>),
    Regex(Arc<Pattern>),
    Filtered(Box<Code>, Box<[Filter]>),
    Grouped(Box<Code>, Box<Group>),
    /// `[]`
    Keep(Box<Code>),
}

/// Whether an array constructor's result stays whole in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Yes,
    No,
}

/// Where to look for a variable, from the innermost frame outwards; the first bound one counts.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) places: Box<[Place]>,
}

/// A slot, `hops` frames outwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) hops: usize,
    pub(crate) slot: usize,
}

/// Two operands and where the operator stands.
#[derive(Debug)]
pub(crate) struct Operands {
    pub(crate) left: Code,
    pub(crate) right: Code,
    pub(crate) position: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        }
    }

    /// Returns whether the operator is true of two values in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Compare::Less => order == Ordering::Less,
            Compare::LessOrEqual => order != Ordering::Greater,
            Compare::Greater => order == Ordering::Greater,
            Compare::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

/// An item of an array constructor.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) code: Code,
    /// An array constructor itself: added whole, not item by item.
    pub(crate) nested: bool,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) pairs: Box<[(Code, Code)]>,
    /// The keys, where all of them are constant and differ.
    pub(crate) fixed: Option<Box<[Key]>>,
    pub(crate) position: usize,
}

#[derive(Debug)]
pub(crate) struct Block {
    /// The block's own variables; none: no frame is made.
    pub(crate) layout: Option<Layout>,
    pub(crate) parts: Box<[Code]>,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) procedure: Code,
    pub(crate) arguments: Box<[Code]>,
    /// End of the opening bracket.
    pub(crate) position: usize,
    /// End of the procedure's own token; counts for tail calls.
    pub(crate) procedure_position: Option<usize>,
    /// The procedure's name in errors.
    pub(crate) token: Option<Value>,
    /// For a bare name: the variable of that name, which was perhaps meant.
    pub(crate) meant: Option<Variable>,
}

#[derive(Debug)]
pub(crate) struct LambdaCode {
    /// Parameters first, then the variables of the body.
    pub(crate) layout: Layout,
    pub(crate) parameters: usize,
    pub(crate) signature: Option<Signature>,
    pub(crate) body: Code,
}

#[derive(Debug)]
pub(crate) struct TransformCode {
    pub(crate) pattern: Code,
    pub(crate) update: Code,
    pub(crate) update_position: Option<usize>,
    pub(crate) delete: Option<Code>,
    pub(crate) delete_position: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) steps: Box<[Step]>,
    pub(crate) first_is_variable: bool,
    pub(crate) keep_singleton: bool,
    pub(crate) group: Option<Group>,
    /// Variables that the steps carry along; none for a plain path.
    pub(crate) layout: Option<Layout>,
    /// Whether the bindings are handed on to an outer path.
    pub(crate) gives_tuples: bool,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) cons: bool,
    /// Whether bindings are carried from this step on.
    pub(crate) tuple: bool,
    pub(crate) stages: Box<[Stage]>,
    pub(crate) focus: Option<usize>,
    pub(crate) index: Option<usize>,
    pub(crate) ancestor: Option<usize>,
}

#[derive(Debug)]
pub(crate) enum StepKind {
    Code(Code),
    Sort(Box<[Term]>, usize),
}

#[derive(Debug)]
pub(crate) enum Stage {
    Filter(Filter),
    Index(usize),
}

/// A predicate.
#[derive(Debug)]
pub(crate) enum Filter {
    /// A literal index, counted from the end if negative.
    At(f64),
    Where(Code),
}

#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) descending: bool,
    pub(crate) code: Code,
}
