//! The public face: compile once, evaluate many times.

use std::rc::Rc;
use std::sync::Arc;

use value::{Map, Number, Value};

use crate::compile::{self, Compiled};
use crate::datum::{Datum, Form, Frame, List};
use crate::evaluate::{Evaluator, Shortcut};
use crate::{Bindings, Dialect, Error, Limits, Moment, Scope, syntax};

/// A compiled JSONata text; cloning shares it.
///
/// ```
/// use jsonata::{Bindings, Dialect, Limits, Moment, Outcome, Program};
/// use value::value;
///
/// let program = Program::compile("$sum(items.price)", Dialect::Full)?;
/// let input = value!({"items": [{"price": 2}, {"price": 3}]});
/// let mut moment = Moment::new(0, [0; 32]);
/// let outcome =
///     program.evaluate(Some(&input), &Bindings::new(), &Limits::wide(), &mut moment)?;
/// assert_eq!(outcome, Outcome::Value(value!(5)));
/// # Ok::<(), jsonata::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: Arc<str>,
    dialect: Dialect,
    compiled: Compiled,
}

/// What came out of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing.
    Undefined,
    /// A JSON value.
    Value(Value),
    /// A function, which is no JSON value.
    Function,
}

impl Program {
    /// Compiles `text`.
    ///
    /// ```
    /// use jsonata::{Dialect, Program};
    ///
    /// let error = Program::compile("[1, 2", Dialect::Aws).unwrap_err();
    /// assert_eq!(error.code, Some("S0203"));
    /// assert_eq!(error.to_string(), r#"Expected "]" before end of expression"#);
    /// ```
    ///
    /// # Errors
    /// The first syntax error, with the reference's code, position and token.
    pub fn compile(text: &str, dialect: Dialect) -> Result<Program, Error> {
        let compiled = syntax::parse(text, dialect)
            .and_then(|tree| compile::compile(tree, dialect))
            .map_err(crate::fault::Fault::finish)?;
        Ok(Program { inner: Arc::new(Inner { text: Arc::from(text), dialect, compiled }) })
    }

    /// Returns the text the program was compiled from.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// Returns what the program reads from outside.
    ///
    /// ```
    /// use jsonata::{Dialect, Program};
    ///
    /// let program = Program::compile("$states.result.n + phone", Dialect::Aws)?;
    /// let scope = program.scope();
    /// assert_eq!(scope.variables[0].path.join("."), "states.result.n");
    /// assert_eq!(&*scope.context[0].text, "phone");
    /// # Ok::<(), jsonata::Error>(())
    /// ```
    pub fn scope(&self) -> &Scope {
        &self.inner.compiled.scope
    }

    /// Evaluates the program over `input` (`None`: no context item) and `bindings`.
    ///
    /// # Errors
    /// The reference's dynamic errors, or an error without a code when a limit is exceeded.
    pub fn evaluate(
        &self,
        input: Option<&Value>,
        bindings: &Bindings,
        limits: &Limits,
        moment: &mut Moment,
    ) -> Result<Outcome, Error> {
        let Inner { dialect, compiled, .. } = &*self.inner;
        let shortcut = Shortcut { layout: &compiled.layout, bindings };
        if let Some(answer) = shortcut.answer(&compiled.code) {
            return Ok(outcome(answer));
        }
        let slots = compiled.layout.iter().zip(&compiled.natives).map(|(name, native)| {
            let bound = bindings.get(name).cloned().map(Datum::Value);
            bound.or_else(|| native.map(Datum::Native))
        });
        let frame = Frame::new(&compiled.layout, slots.collect(), None);
        let root = input.cloned().map_or(Datum::Undefined, Datum::Value);
        let context = wrapped(root.clone());
        let mut evaluator = Evaluator::new(*dialect, limits, moment, root);
        let result = evaluator.eval(&compiled.code, &context, &frame);
        let result = result.and_then(|datum| evaluator.finish(datum));
        let exact = !evaluator.lacks_numbers;
        let outcome = result.map(|datum| match outcome(datum) {
            Outcome::Value(value) if !exact => {
                Outcome::Value(tidied(value, *dialect, Nesting::Top))
            }
            other => other,
        });
        // The outermost frame may hold functions that hold the frame.
        drop(std::mem::take(&mut *frame.slots.borrow_mut()));
        outcome.map_err(crate::fault::Fault::finish)
    }
}

/// An array as the context of a whole program is wrapped, so that it counts as one item.
pub(crate) fn wrapped(input: Datum) -> Datum {
    if !input.is_array() || input.is_sequence() {
        return input;
    }
    let list = List { items: vec![input], form: Form::Wrapper };
    Datum::List(Rc::new(list))
}

fn outcome(datum: Datum) -> Outcome {
    match datum {
        Datum::Undefined => Outcome::Undefined,
        Datum::Native(_) | Datum::Function(_) => Outcome::Function,
        data if data.is_plain() => data.into_plain().map_or(Outcome::Undefined, Outcome::Value),
        data => data.to_json().map_or(Outcome::Undefined, Outcome::Value),
    }
}

/// Whether a number is the whole result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Top,
    Inside,
}

/// Replaces the numbers that JSON lacks by null, as the reference's own JSON does.
pub(crate) fn as_json(value: Value) -> Value {
    tidied(value, Dialect::Full, Nesting::Top)
}

/// Replaces the numbers that JSON lacks.
fn tidied(value: Value, dialect: Dialect, nesting: Nesting) -> Value {
    match value {
        Value::Number(Number::Float(float)) if !float.is_finite() => match (dialect, nesting) {
            // Step Functions makes such a number a text where it stands inside the result.
            (Dialect::Aws, Nesting::Inside) => {
                Value::from(value::JavaScriptNumber(float).to_string())
            }
            // UNVERIFIED: what Step Functions makes of one that is the whole result.
            (Dialect::Aws, Nesting::Top) | (Dialect::Full, _) => Value::Null,
        },
        Value::Array(items) => {
            items.iter().map(|item| tidied(item.clone(), dialect, Nesting::Inside)).collect()
        }
        Value::Object(map) => {
            let members = map.iter();
            let tidy =
                members.map(|(key, v)| (key.clone(), tidied(v.clone(), dialect, Nesting::Inside)));
            Value::from(tidy.collect::<Map>())
        }
        other => other,
    }
}
