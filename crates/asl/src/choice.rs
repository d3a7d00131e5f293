//! Choice rules.

use value::Value;

use crate::definition::StateId;
use crate::expression::Expression;
use crate::failure::{Failure, Field};
use crate::path::Path;
use crate::scope::{Evaluation, Scope};
use crate::template::Template;
use crate::timestamp::Timestamp;

/// One rule of a Choice.
#[derive(Debug)]
pub struct Rule {
    /// When it applies.
    pub condition: Condition,
    /// Where it leads.
    pub next: StateId,
    /// What it assigns.
    pub assign: Option<Template>,
    /// What it hands on (JSONata).
    pub output: Option<Template>,
}

/// When a rule applies.
#[derive(Debug)]
pub enum Condition {
    /// `true` or `false`, written down.
    Constant(bool),
    /// A JSONata expression.
    Jsonata(Expression),
    /// All of them.
    And(Vec<Condition>),
    /// One of them.
    Or(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// A test of a value.
    Test(Test),
}

/// A comparison or type test of the value at a path.
#[derive(Debug)]
pub struct Test {
    /// `Variable`.
    pub variable: Path,
    /// The operator.
    pub operator: Operator,
}

/// What a [`Test`] asks.
#[derive(Debug)]
pub enum Operator {
    /// `IsPresent` and its siblings, and what the answer should be.
    Is(IsA, bool),
    /// A comparison such as `NumericLessThan` with an operand.
    Compare(Kind, Comparison, Operand),
    /// `StringMatches` with its pattern.
    Matches(String),
}

/// A property of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsA {
    /// `IsPresent`.
    Present,
    /// `IsNull`.
    Null,
    /// `IsBoolean`.
    Boolean,
    /// `IsNumeric`.
    Numeric,
    /// `IsString`.
    String,
    /// `IsTimestamp`.
    Timestamp,
}

/// The type that both sides of a comparison must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Boolean…`.
    Boolean,
    /// `Numeric…`.
    Numeric,
    /// `String…`.
    String,
    /// `Timestamp…`.
    Timestamp,
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `…Equals`.
    Equals,
    /// `…LessThan`.
    LessThan,
    /// `…LessThanEquals`.
    LessThanEquals,
    /// `…GreaterThan`.
    GreaterThan,
    /// `…GreaterThanEquals`.
    GreaterThanEquals,
}

/// What a value is compared with.
#[derive(Debug)]
pub enum Operand {
    /// A literal.
    Literal(Value),
    /// What a path finds (`…Path`).
    Path(Path),
}

impl Operator {
    /// Returns the comparison that a field such as `NumericLessThanPath` names: what both sides
    /// must be, how they compare, and whether the operand is a path.
    pub(crate) fn comparison(name: &str) -> Option<(Kind, Comparison, bool)> {
        let (name, is_path) = match name.strip_suffix("Path") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let kinds = [
            ("Boolean", Kind::Boolean),
            ("Numeric", Kind::Numeric),
            ("String", Kind::String),
            ("Timestamp", Kind::Timestamp),
        ];
        let (kind, rest) =
            kinds.iter().find_map(|(prefix, kind)| Some((*kind, name.strip_prefix(prefix)?)))?;
        let comparison = match rest {
            "Equals" => Comparison::Equals,
            "LessThan" => Comparison::LessThan,
            "LessThanEquals" => Comparison::LessThanEquals,
            "GreaterThan" => Comparison::GreaterThan,
            "GreaterThanEquals" => Comparison::GreaterThanEquals,
            _ => return None,
        };
        let exists = kind != Kind::Boolean || comparison == Comparison::Equals;
        exists.then_some((kind, comparison, is_path))
    }

    /// Returns the type test that a field such as `IsNull` names.
    pub(crate) fn is_a(name: &str) -> Option<IsA> {
        Some(match name {
            "IsPresent" => IsA::Present,
            "IsNull" => IsA::Null,
            "IsBoolean" => IsA::Boolean,
            "IsNumeric" => IsA::Numeric,
            "IsString" => IsA::String,
            "IsTimestamp" => IsA::Timestamp,
            _ => return None,
        })
    }
}

impl Condition {
    /// Returns whether the rule applies.
    ///
    /// # Errors
    /// What the expression fails with, that it gives no boolean, or that a path finds nothing.
    pub fn holds(
        &self,
        evaluation: &mut Evaluation<'_>,
        field: Field<'_>,
    ) -> Result<bool, Failure> {
        match self {
            Condition::Constant(holds) => Ok(*holds),
            Condition::Jsonata(expression) => match expression.evaluate(evaluation, field)? {
                Value::Bool(holds) => Ok(holds),
                other => Err(expression.wrong_type(field, "boolean", &other)),
            },
            Condition::And(conditions) => {
                for condition in conditions {
                    if !condition.holds(evaluation, field)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(conditions) => {
                for condition in conditions {
                    if condition.holds(evaluation, field)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(condition) => Ok(!condition.holds(evaluation, field)?),
            Condition::Test(test) => test.holds(evaluation.scope()),
        }
    }
}

impl Test {
    fn holds(&self, scope: &Scope) -> Result<bool, Failure> {
        let found = self.variable.find(scope);
        if let Operator::Is(IsA::Present, wanted) = &self.operator {
            return Ok(found.is_ok() == *wanted);
        }
        let found = found.map_err(|miss| invalid_path(self.variable.text(), &miss))?;
        match &self.operator {
            Operator::Is(property, wanted) => Ok(has_property(&found, *property) == *wanted),
            Operator::Matches(pattern) => {
                Ok(found.as_str().is_some_and(|text| string_matches(pattern, text)))
            }
            Operator::Compare(kind, comparison, operand) => {
                let operand = match operand {
                    Operand::Literal(literal) => literal.clone(),
                    Operand::Path(path) => {
                        path.find(scope).map_err(|miss| invalid_path(path.text(), &miss))?
                    }
                };
                Ok(compare(*kind, *comparison, &found, &operand))
            }
        }
    }
}

fn invalid_path(path: &str, miss: &str) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{path}': The choice state's condition path references an invalid value. \
         {miss}"
    ))
}

fn has_property(found: &Value, property: IsA) -> bool {
    match property {
        IsA::Present => true,
        IsA::Null => found.is_null(),
        IsA::Boolean => found.as_bool().is_some(),
        IsA::Numeric => found.as_f64().is_some(),
        IsA::String => found.as_str().is_some(),
        IsA::Timestamp => found.as_str().is_some_and(|text| Timestamp::parse(text).is_some()),
    }
}

/// Values of another type than the operator's never compare as true.
fn compare(kind: Kind, comparison: Comparison, left: &Value, right: &Value) -> bool {
    let order = match kind {
        Kind::Boolean => left.as_bool().zip(right.as_bool()).map(|(l, r)| l.cmp(&r)),
        Kind::Numeric => left.as_f64().zip(right.as_f64()).and_then(|(l, r)| l.partial_cmp(&r)),
        Kind::String => left.as_str().zip(right.as_str()).map(|(l, r)| utf16_order(l, r)),
        Kind::Timestamp => {
            let moment = |side: &Value| side.as_str().and_then(Timestamp::parse);
            moment(left).zip(moment(right)).map(|(l, r)| l.cmp(&r))
        }
    };
    order.is_some_and(|order| match comparison {
        Comparison::Equals => order.is_eq(),
        Comparison::LessThan => order.is_lt(),
        Comparison::LessThanEquals => order.is_le(),
        Comparison::GreaterThan => order.is_gt(),
        Comparison::GreaterThanEquals => order.is_ge(),
    })
}

/// Strings compare by UTF-16 units, as Java's do.
fn utf16_order(left: &str, right: &str) -> std::cmp::Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// `*` stands for any text, `\*` for a star, `\\` for a backslash.
fn string_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(next) = chars.next() {
        match next {
            '*' => pieces.push(String::new()),
            '\\' => {
                let escaped = chars.next().unwrap_or('\\');
                pieces.last_mut().into_iter().for_each(|piece| piece.push(escaped));
            }
            plain => pieces.last_mut().into_iter().for_each(|piece| piece.push(plain)),
        }
    }
    let Some((first, rest)) = pieces.split_first() else { return false };
    let Some((last, middle)) = rest.split_last() else { return first == text };
    let Some(mut left) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        match left.find(piece.as_str()).and_then(|at| left.get(at + piece.len()..)) {
            Some(behind) => left = behind,
            None => return false,
        }
    }
    left.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::string_matches;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("log-*.txt", "log-1.txt", true),
            ("log-*.txt", "log-.txt", true),
            ("log-*.txt", "log.txt", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ab-", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(string_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
