//! Fail: ends the line of control with an error. AWS page: "Fail workflow state".

use asl::{Computed, Fail, Failure, Field, Scalar};
use value::Value;

use crate::run::{Fault, FaultKind, Run};
use crate::state::ThreadId;

pub(crate) fn begin(run: &mut Run<'_>, id: ThreadId, fail: &Fail) -> Result<(), Failure> {
    let error = text(run, id, fail.error.as_ref(), "Error")?;
    let cause = text(run, id, fail.cause.as_ref(), "Cause")?;
    run.fail(id, Fault { error, cause, kind: FaultKind::State });
    Ok(())
}

fn text(
    run: &mut Run<'_>,
    id: ThreadId,
    scalar: Option<&Scalar<String>>,
    field: &str,
) -> Result<Option<String>, Failure> {
    let Some(scalar) = scalar else { return Ok(None) };
    let scope = run.scope(id);
    let found = run.evaluate(&scope, |evaluation| match scalar {
        // A missing path is worded as in a template here.
        Scalar::Path(path) => {
            let field = format!("{field}Path");
            path.evaluate_in_template(evaluation.scope(), Field::Top(&field)).map(Computed::Value)
        }
        Scalar::Constant(_) | Scalar::Jsonata(_) | Scalar::Intrinsic(_) => {
            scalar.value(evaluation, field)
        }
    })?;
    match found {
        Computed::Constant(text) => Ok(Some(text)),
        Computed::Value(Value::String(text)) => Ok(Some(text.to_string())),
        Computed::Value(other) => Err(scalar.wrong_type(Field::Top(field), "string", &other)),
    }
}
