//! `{% … %}` in a manifest: JSONata, as in state machines.

use anyhow::{Result, anyhow, bail};
use jsonata::{Bindings, Dialect, Limits, Moment, Outcome, Program};
use value::{Map, Value};

/// Replaces every text that is an expression, at every depth.
///
/// # Errors
/// When an expression is wrong or gives nothing; the error quotes it.
pub(crate) fn fill(template: &Value, known: &Bindings) -> Result<Value> {
    match template {
        Value::String(text) => match inside(text) {
            Some(expression) => evaluate(expression, known),
            None => Ok(template.clone()),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(members) => {
            let filled = members.iter().map(|(key, item)| Ok((key.clone(), fill(item, known)?)));
            Ok(Value::from(filled.collect::<Result<Map>>()?))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(template.clone()),
    }
}

/// Returns the expression of a text that is one.
fn inside(text: &str) -> Option<&str> {
    text.trim().strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

fn evaluate(expression: &str, known: &Bindings) -> Result<Value> {
    let wrong = |err: jsonata::Error| anyhow!("the expression `{expression}`: {err}");
    let program = Program::compile(expression, Dialect::Aws).map_err(wrong)?;
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)?;
    let mut moment = Moment::new(runtime::wall_millis(), entropy);
    match program.evaluate(None, known, &Limits::aws(), &mut moment).map_err(wrong)? {
        Outcome::Value(value) => Ok(value),
        Outcome::Undefined => bail!("the expression `{expression}` gives nothing"),
        Outcome::Function => bail!("the expression `{expression}` gives a function"),
    }
}

#[cfg(test)]
mod tests {
    use value::value;

    use super::*;

    #[test]
    fn expressions_are_replaced_at_every_depth() {
        let known = Bindings::new().with("input", value!({"name": "営業"}));
        let filled = fill(&value!({"a": ["{% $input.name %}", "plain", 1]}), &known).unwrap();
        assert_eq!(filled.to_string(), r#"{"a":["営業","plain",1]}"#);
    }

    #[test]
    fn an_expression_that_gives_nothing_is_named() {
        let err = fill(&value!("{% $input.oops %}"), &Bindings::new()).unwrap_err();
        assert_eq!(err.to_string(), "the expression `$input.oops` gives nothing");
    }
}
