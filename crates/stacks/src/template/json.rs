//! Templates written in JSON.

use value::Value;

use super::TEMPLATE_DEPTH_MAX;
use crate::Error;

pub(super) fn parse(text: &str) -> Result<Value, Error> {
    let value = value::parse(text).map_err(|err| {
        Error::format(format!("JSON not well-formed. (line {}, column {})", err.line, err.column))
    })?;
    check_depth(&value, 0)?;
    Ok(value)
}

fn check_depth(value: &Value, depth: usize) -> Result<(), Error> {
    if TEMPLATE_DEPTH_MAX < depth {
        return Err(Error::format("template nested too deeply"));
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| check_depth(item, depth + 1)),
        Value::Object(map) => map.values().try_for_each(|item| check_depth(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}
