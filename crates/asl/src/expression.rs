//! JSONata expressions within a definition: `{% … %}`.

use std::sync::Arc;

use jsonata::{Dialect, Limits, Outcome, Program};
use value::Value;

use crate::failure::{Failure, Field};
use crate::scope::Evaluation;

/// A compiled JSONata expression with the text that failures quote.
#[derive(Clone, Debug)]
pub struct Expression {
    program: Program,
}

/// Returns the text inside `{% … %}`; `None` when `text` is no expression.
pub(crate) fn expression_text(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

/// Which members of `$states` exist where an expression stands, besides `input` and `context`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatesMembers {
    /// Before there is a result.
    Input,
    /// In the state's own Output and Assign.
    Result,
    /// In a Catch's Output and Assign.
    ErrorOutput,
}

impl Expression {
    /// Compiles the text inside `{% … %}`.
    pub(crate) fn compile(text: &str) -> Result<Expression, jsonata::Error> {
        Ok(Expression { program: Program::compile(text, Dialect::Aws)? })
    }

    /// Returns the text inside `{% … %}`, trimmed.
    pub fn text(&self) -> &str {
        self.program.text()
    }

    /// Returns AWS's texts for references that exist nowhere in a state, or not here.
    pub(crate) fn unsupported_references(&self, members: StatesMembers) -> Vec<String> {
        let scope = self.program.scope();
        let context = scope.context.iter().map(|reference| match &*reference.text {
            whole @ ("$" | "$$") => format!("Reference to '{whole}' is not supported."),
            name => format!("Reference to '{name}' at the top level is not supported."),
        });
        let states = scope.variables.iter().filter(|variable| variable.name() == "states");
        let missing = states.filter_map(|variable| {
            let member: &str = variable.path.get(1)?;
            let exists = match member {
                "input" | "context" => true,
                "result" => members == StatesMembers::Result,
                "errorOutput" => members == StatesMembers::ErrorOutput,
                _ => false,
            };
            (!exists).then(|| format!("Field '$states.{member}' does not exist."))
        });
        context.chain(missing).collect()
    }

    /// Returns the variables that the expression reads, `$states` aside.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let references = self.program.scope().variables.iter();
        references.map(jsonata::VariableReference::name).filter(|name| *name != "states")
    }

    /// Returns whether the expression may read `$states.context`; false is certain.
    ///
    /// Looks at the text: whatever is not plainly another member of `$states` counts, as does all
    /// that reaches values by other ways (`%`, an ancestor; `$eval`).
    pub(crate) fn may_read_context(&self) -> bool {
        let text = self.text();
        let mut reads = text.split("$states").skip(1);
        let other = |rest: &str| {
            [".input", ".result", ".errorOutput"].iter().any(|member| rest.starts_with(member))
        };
        text.contains('%') || text.contains("eval") || reads.any(|rest| !other(rest))
    }

    /// Evaluates to a JSON value; nothing and functions are failures.
    ///
    /// # Errors
    /// `States.QueryEvaluationError` with AWS's text.
    pub fn evaluate(
        &self,
        evaluation: &mut Evaluation<'_>,
        field: Field<'_>,
    ) -> Result<Value, Failure> {
        let Evaluation { scope, bindings, moment } = evaluation;
        let bindings = bindings.get_or_init(|| scope.bindings());
        let outcome = self.program.evaluate(None, bindings, &Limits::aws(), moment);
        match outcome {
            Ok(Outcome::Value(found)) => Ok(found),
            Ok(Outcome::Undefined) => Err(self.failure(field, "returned nothing (undefined).")),
            Ok(Outcome::Function) => {
                Err(self.failure(field, "returned an unsupported result type."))
            }
            Err(error) => Err(self.failure(field, &thrown(&error))),
        }
    }

    /// The failure for a value of the wrong type.
    pub(crate) fn wrong_type(&self, field: Field<'_>, wanted: &str, found: &Value) -> Failure {
        let text = format!(
            "returned an unexpected result type. Expected '{wanted}', but was '{}' for value: \
             {found}",
            found.type_name()
        );
        self.failure(field, &text)
    }

    fn failure(&self, field: Field<'_>, what: &str) -> Failure {
        let expression = self.text();
        let cause = format!(
            "The JSONata expression '{expression}' specified for the field '{field}' {what}"
        );
        Failure::query(cause, Some(field.to_string()))
    }
}

/// Coded errors follow a full stop, exhausted budgets a colon.
fn thrown(error: &jsonata::Error) -> String {
    match error.code {
        Some(code) => format!("threw an error during evaluation. {code}: {error}"),
        None => format!("threw an error during evaluation: {error}"),
    }
}

/// A scalar field that is either written down or computed.
#[derive(Clone, Debug)]
pub enum Scalar<T> {
    /// Written in the definition.
    Constant(T),
    /// A JSONata expression.
    Jsonata(Expression),
    /// A JSONPath, from a field whose name ends in `Path`.
    Path(crate::path::Path),
    /// An intrinsic function, where JSONPath fields allow one (`CausePath`, `ErrorPath`).
    Intrinsic(Arc<crate::intrinsic::Intrinsic>),
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn reads_of_the_context_are_not_overlooked() {
        for (text, may) in [
            ("$states.input.n + 1", false),
            ("$states.result.context & $states.errorOutput.Error & $n", false),
            ("1 + 1", false),
            ("$states.context.Execution.Id", true),
            ("$states.`context`", true),
            ("$states . context", true),
            ("$states/* */.context", true),
            ("$lookup($states, 'con' & 'text')", true),
            ("($s := $states; $s.context)", true),
            ("$states.*", true),
            ("$states.input.(%.context)", true),
            ("$states.input ~> function($i){ $states.context }", true),
            ("$states[context.x = 1].input", true),
        ] {
            let Ok(expression) = Expression::compile(text) else { continue };
            assert_eq!(expression.may_read_context(), may, "{text}");
        }
    }
}
