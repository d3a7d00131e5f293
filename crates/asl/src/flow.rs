//! Data flow: from a state's input to what it works on, and from its result to its output.

use std::sync::Arc;

use value::{Map, Value};

use crate::definition::{Flow, ResultPath, Selection, State};
use crate::expression::Scalar;
use crate::failure::{Failure, Field, error_name};
use crate::scope::{Evaluation, Scope};
use crate::template::Template;

/// The most that one Assign may set, in bytes of JSON (AWS's quota, also that of one variable).
const VARIABLES_BYTES_MAX: usize = 262_144;

impl Selection {
    /// Returns what InputPath or OutputPath selects of `whole`, which is `scope.input` or stands in
    /// for it.
    ///
    /// # Errors
    /// `States.Runtime` when the path finds nothing.
    pub fn select(&self, whole: &Value, scope: &Scope) -> Result<Value, Failure> {
        match self {
            Selection::Whole => Ok(whole.clone()),
            Selection::Nothing => Ok(Value::object()),
            Selection::Path(path) => path.select(&over(whole, scope)),
        }
    }
}

/// A scope whose `$` is `whole`.
fn over(whole: &Value, scope: &Scope) -> Scope {
    Scope { input: whole.clone(), ..scope.clone() }
}

impl ResultPath {
    /// Returns `input` with `result` placed in it.
    ///
    /// # Errors
    /// `States.ResultPathMatchFailure`.
    pub fn place(&self, input: &Value, result: Value) -> Result<Value, Failure> {
        match self {
            ResultPath::Replace => Ok(result),
            ResultPath::Discard => Ok(input.clone()),
            ResultPath::Place(place) => place.place(input, result),
        }
    }
}

impl State {
    /// Returns whether the state works on its input as it is.
    pub fn takes_whole_input(&self) -> bool {
        match &self.flow {
            Flow::Jsonata { arguments, .. } => arguments.is_none(),
            Flow::JsonPath(flow) => {
                matches!(flow.input_path, Selection::Whole) && flow.parameters.is_none()
            }
        }
    }

    /// Returns what the state works on: `Arguments`, or InputPath and Parameters; its input when
    /// there are none.
    ///
    /// # Errors
    /// What filling in fails with.
    pub fn effective_input(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, Failure> {
        let scope = evaluation.scope();
        match &self.flow {
            Flow::Jsonata { arguments: Some(arguments), .. } => {
                arguments.evaluate(evaluation, Field::Top("Arguments"))
            }
            Flow::Jsonata { arguments: None, .. } => Ok(scope.input.clone()),
            Flow::JsonPath(flow) => {
                let selected = flow.input_path.select(&scope.input, scope)?;
                match &flow.parameters {
                    None => Ok(selected),
                    Some(parameters) => {
                        let scope = over(&selected, scope);
                        let evaluation = &mut Evaluation::new(&scope, evaluation.moment);
                        parameters.evaluate(evaluation, Field::Top("Parameters"))
                    }
                }
            }
        }
    }

    /// Returns the state's output for a result: `Output`, or ResultSelector, ResultPath and
    /// OutputPath. The scope holds the result already.
    ///
    /// # Errors
    /// What filling in fails with.
    pub fn output(&self, evaluation: &mut Evaluation<'_>, result: Value) -> Result<Value, Failure> {
        let scope = evaluation.scope();
        match &self.flow {
            Flow::Jsonata { output: Some(output), .. } => {
                output.evaluate(evaluation, Field::Top("Output"))
            }
            Flow::Jsonata { output: None, .. } => Ok(result),
            Flow::JsonPath(flow) => {
                let placed = flow.result_path.place(&scope.input, result)?;
                flow.output_path.select(&placed, scope)
            }
        }
    }

    /// Returns a raw result after ResultSelector.
    ///
    /// # Errors
    /// What filling in fails with.
    pub fn effective_result(
        &self,
        evaluation: &mut Evaluation<'_>,
        result: Value,
    ) -> Result<Value, Failure> {
        let Flow::JsonPath(flow) = &self.flow else { return Ok(result) };
        let Some(selector) = &flow.result_selector else { return Ok(result) };
        let scope = over(&result, evaluation.scope());
        let evaluation = &mut Evaluation::new(&scope, evaluation.moment);
        selector.evaluate(evaluation, Field::Top("ResultSelector"))
    }

    /// Returns the variables that `assign` (the state's own, or a catcher's) sets; in JSONPath its
    /// `$` is `whole`, the result or the error output.
    ///
    /// # Errors
    /// What filling in fails with.
    pub fn assigned(
        &self,
        evaluation: &mut Evaluation<'_>,
        assign: Option<&Template>,
        whole: &Value,
        field: &str,
    ) -> Result<Option<Arc<Map>>, Failure> {
        if assign.is_none() {
            return Ok(None);
        }
        match &self.flow {
            Flow::Jsonata { .. } => assigned(assign, evaluation, field),
            Flow::JsonPath(_) => {
                let scope = over(whole, evaluation.scope());
                assigned(assign, &mut Evaluation::new(&scope, evaluation.moment), field)
            }
        }
    }
}

/// Returns the variables that `assign` sets.
///
/// # Errors
/// What filling in fails with.
pub fn assigned(
    assign: Option<&Template>,
    evaluation: &mut Evaluation<'_>,
    field: &str,
) -> Result<Option<Arc<Map>>, Failure> {
    let Some(assign) = assign else { return Ok(None) };
    match assign.evaluate(evaluation, Field::Top(field))? {
        Value::Object(map) => {
            let bytes: usize = map.values().map(Value::json_bytes).sum();
            if bytes > VARIABLES_BYTES_MAX {
                // UNVERIFIED: AWS's error and wording for an Assign beyond its quota.
                return Err(Failure::named(
                    error_name::DATA_LIMIT_EXCEEDED,
                    format!(
                        "The variables assigned in the field '{field}' exceed the maximum size of \
                         {VARIABLES_BYTES_MAX} bytes."
                    ),
                ));
            }
            Ok(Some(map))
        }
        // INVARIANT: validation only lets objects through.
        other => Err(Failure::runtime(format!("Assign must be an object but was: {other}"))),
    }
}

impl Template {
    /// The failure for a value of the wrong type, worded by what computed it.
    pub fn wrong_type(&self, field: Field<'_>, wanted: &str, found: &Value) -> Failure {
        match self {
            Template::Jsonata(expression) => expression.wrong_type(field, wanted, found),
            Template::Constant(_)
            | Template::Path(_)
            | Template::Intrinsic(_)
            | Template::Array(_)
            | Template::Object(_) => wrong_type(field, wanted, found),
        }
    }
}

// UNVERIFIED: AWS's wording where no expression is to blame.
fn wrong_type(field: Field<'_>, wanted: &str, found: &Value) -> Failure {
    Failure::runtime(format!("The field '{field}' must be of type {wanted} but was: {found}"))
}

impl<T: Clone> Scalar<T> {
    /// The failure for a value of the wrong type, worded by what computed it.
    pub fn wrong_type(&self, field: Field<'_>, wanted: &str, found: &Value) -> Failure {
        match self {
            Scalar::Jsonata(expression) => expression.wrong_type(field, wanted, found),
            Scalar::Constant(_) | Scalar::Path(_) | Scalar::Intrinsic(_) => {
                wrong_type(field, wanted, found)
            }
        }
    }

    /// Returns the value written down, or `Err` with the one computed.
    ///
    /// # Errors
    /// What the computation fails with.
    pub fn value(
        &self,
        evaluation: &mut Evaluation<'_>,
        field: &str,
    ) -> Result<Computed<T>, Failure> {
        match self {
            Scalar::Constant(constant) => Ok(Computed::Constant(constant.clone())),
            Scalar::Jsonata(expression) => {
                expression.evaluate(evaluation, Field::Top(field)).map(Computed::Value)
            }
            Scalar::Path(path) => path.select(evaluation.scope()).map(Computed::Value),
            Scalar::Intrinsic(intrinsic) => {
                intrinsic.evaluate(evaluation, Field::Top(field)).map(Computed::Value)
            }
        }
    }
}

/// A scalar field's value.
#[derive(Clone, Debug)]
pub enum Computed<T> {
    /// Written in the definition, of the right type.
    Constant(T),
    /// Computed, of whatever type.
    Value(Value),
}
