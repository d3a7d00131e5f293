//! The tree as the grammar gives it.

use std::sync::Arc;

use value::Value;

use super::signature::Signature;

/// A parsed expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: Box<Kind>,
    /// End of the expression's own token in UTF-16 units.
    pub(crate) position: usize,
    /// Whether `[]` follows: a single result stays an array.
    pub(crate) keep_array: bool,
    /// Nesting below, for the limit.
    pub(crate) height: u32,
}

/// A key and a value in `{key: value}`.
pub(crate) type Pair = (Expr, Expr);

/// What an expression is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Name(Arc<str>),
    Variable(Arc<str>),
    Text(Arc<str>),
    Number(f64),
    Constant(Value),
    Regex(Arc<str>, Arc<str>),
    Wildcard,
    Descendant,
    Parent,
    /// `and`, `or` or `in` where an operand stands: a field name.
    Word(&'static str),
    /// `?` as an argument.
    Placeholder,
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Dot(Box<Expr>, Box<Expr>),
    Predicate(Box<Expr>, Box<Expr>),
    Group(Box<Expr>, Vec<Pair>),
    Sort(Box<Expr>, Vec<SortTerm>),
    Bind(Arc<str>, Box<Expr>),
    Focus(Box<Expr>, Arc<str>),
    Index(Box<Expr>, Arc<str>),
    Apply(Box<Expr>, Box<Expr>),
    Range(Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Array(Vec<Expr>),
    Object(Vec<Pair>),
    Block(Vec<Expr>),
    Call(Box<Expr>, Vec<Expr>),
    Partial(Box<Expr>, Vec<Expr>),
    Lambda(Vec<Arc<str>>, Option<Signature>, Box<Expr>),
    Condition(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// `left ?: right`
    Default(Box<Expr>, Box<Expr>),
    /// `left ?? right`
    Coalesce(Box<Expr>, Box<Expr>),
    Transform(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
}

/// One term of `^(…)`.
#[derive(Clone, Debug)]
pub(crate) struct SortTerm {
    pub(crate) descending: bool,
    pub(crate) expr: Expr,
}

impl Expr {
    /// Returns the token that errors quote for this expression.
    pub(crate) fn token(&self) -> Value {
        Value::from(match &*self.kind {
            Kind::Name(text) | Kind::Variable(text) | Kind::Text(text) => {
                return Value::String(text.clone());
            }
            Kind::Number(number) => return Value::from(*number),
            Kind::Constant(value) => return value.clone(),
            Kind::Regex(..) => return Value::object(),
            Kind::Wildcard => "*",
            Kind::Descendant => "**",
            Kind::Parent => "%",
            Kind::Word(word) => word,
            Kind::Binary(symbol, ..) => symbol,
            Kind::Dot(..) => ".",
            Kind::Predicate(..) | Kind::Array(_) => "[",
            Kind::Group(..) | Kind::Object(_) => "{",
            Kind::Sort(..) => "^",
            Kind::Bind(..) => ":=",
            Kind::Focus(..) => "@",
            Kind::Index(..) => "#",
            Kind::Apply(..) => "~>",
            Kind::Range(..) => "..",
            Kind::Negate(_) => "-",
            Kind::Block(_) | Kind::Call(..) | Kind::Partial(..) | Kind::Lambda(..) => "(",
            Kind::Placeholder | Kind::Condition(..) => "?",
            Kind::Default(..) => "?:",
            Kind::Coalesce(..) => "??",
            Kind::Transform(..) => "|",
        })
    }
}
