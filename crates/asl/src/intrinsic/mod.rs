//! Intrinsic functions: `States.Format('{}', $.name)` and its seventeen siblings.
//! AWS page: "Intrinsic functions for JSONPath states", grouped as there.

mod array;
mod encoding;
mod generic;
mod json;
mod math;
mod parse;
mod string;

use jsonata::Moment;
use value::Value;

use crate::failure::{Failure, Field, error_name};
use crate::path::Path;
use crate::scope::{Evaluation, Scope};

/// How deeply calls may nest (AWS's quota).
pub(crate) const INTRINSIC_DEPTH_MAX: usize = 10;

/// A parsed call of an intrinsic function.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

/// One argument of a call.
#[derive(Clone, Debug)]
enum Argument {
    Literal(Value),
    Path(Path),
    Call(Intrinsic),
}

/// What a function is given besides its arguments: randomness.
type Function = fn(&[Value], &mut Moment) -> Result<Value, String>;

/// Every function: its name, how many arguments it takes, and what it does.
const FUNCTIONS: &[(&str, std::ops::RangeInclusive<usize>, Function)] = &[
    ("States.Array", 0..=usize::MAX, array::array),
    ("States.ArrayPartition", 2..=2, array::partition),
    ("States.ArrayContains", 2..=2, array::contains),
    ("States.ArrayRange", 3..=3, array::range),
    ("States.ArrayGetItem", 2..=2, array::get_item),
    ("States.ArrayLength", 1..=1, array::length),
    ("States.ArrayUnique", 1..=1, array::unique),
    ("States.Base64Encode", 1..=1, encoding::base64_encode),
    ("States.Base64Decode", 1..=1, encoding::base64_decode),
    ("States.Hash", 2..=2, encoding::hash),
    ("States.JsonMerge", 3..=3, json::merge),
    ("States.StringToJson", 1..=1, json::string_to_json),
    ("States.JsonToString", 1..=1, json::json_to_string),
    ("States.MathRandom", 2..=3, math::random),
    ("States.MathAdd", 2..=2, math::add),
    ("States.StringSplit", 2..=2, string::split),
    ("States.UUID", 0..=0, generic::uuid),
    ("States.Format", 1..=usize::MAX, generic::format),
];

impl Intrinsic {
    /// Reads a call; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Intrinsic> {
        parse::call(text)
    }

    /// Returns the variables that the call reads.
    pub(crate) fn variables(&self) -> Vec<String> {
        let of_argument = |argument: &Argument| match argument {
            Argument::Literal(_) => Vec::new(),
            Argument::Path(path) => path.variable().map(str::to_owned).into_iter().collect(),
            Argument::Call(call) => call.variables(),
        };
        self.arguments.iter().flat_map(of_argument).collect()
    }

    /// Returns whether the call reads the context object.
    pub(crate) fn reads_context(&self) -> bool {
        self.arguments.iter().any(|argument| match argument {
            Argument::Literal(_) => false,
            Argument::Path(path) => path.reads_context(),
            Argument::Call(call) => call.reads_context(),
        })
    }

    /// Calls the function.
    ///
    /// # Errors
    /// `States.IntrinsicFailure`; `States.Runtime` when a path finds nothing.
    pub fn evaluate(
        &self,
        evaluation: &mut Evaluation<'_>,
        field: Field<'_>,
    ) -> Result<Value, Failure> {
        self.call(evaluation.scope(), evaluation.moment, field)
    }

    fn call(&self, scope: &Scope, moment: &mut Moment, field: Field<'_>) -> Result<Value, Failure> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Literal(literal) => literal.clone(),
                Argument::Path(path) => path.evaluate_in_template(scope, field)?,
                Argument::Call(call) => call.call(scope, moment, field)?,
            });
        }
        // UNVERIFIED: AWS's wording.
        (self.function)(&values, moment).map_err(|what| {
            Failure::named(
                error_name::INTRINSIC_FAILURE,
                format!("The function '{}' had the following error: {what}", self.text),
            )
        })
    }
}

/// Returns an argument as an array.
fn array_of(arguments: &[Value], index: usize) -> Result<&[Value], String> {
    let found = arguments.get(index).and_then(Value::as_array);
    found.ok_or_else(|| format!("argument {} must be an array", index + 1))
}

/// Returns an argument as a string.
fn string_of(arguments: &[Value], index: usize) -> Result<&str, String> {
    let found = arguments.get(index).and_then(Value::as_str);
    found.ok_or_else(|| format!("argument {} must be a string", index + 1))
}

/// Returns an argument as a number, rounded as Java's `Math.round` does.
fn integer_of(arguments: &[Value], index: usize) -> Result<i64, String> {
    let found = arguments.get(index);
    if let Some(whole) = found.and_then(Value::as_i64) {
        return Ok(whole);
    }
    let float = found.and_then(Value::as_f64);
    let float = float.ok_or_else(|| format!("argument {} must be a number", index + 1))?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as Java's does")]
    let rounded = (float + 0.5).floor() as i64;
    Ok(rounded)
}

#[cfg(test)]
mod tests;
