//! "Intrinsics for JSON data manipulation".

use jsonata::Moment;
use value::Value;

use super::string_of;

pub(super) fn merge(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let [Value::Object(first), Value::Object(second), deep] = arguments else {
        return Err("arguments 1 and 2 must be objects".to_owned());
    };
    // AWS merges shallowly only and wants that said.
    if deep.as_bool() != Some(false) {
        return Err("argument 3 must be false: deep merging is not supported".to_owned());
    }
    let mut merged = Value::Object(first.clone());
    for (key, member) in second.iter() {
        merged.set(key.clone(), member.clone());
    }
    Ok(merged)
}

pub(super) fn string_to_json(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    value::parse(string_of(arguments, 0)?).map_err(|err| err.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "every function of the table has one signature")]
pub(super) fn json_to_string(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    Ok(arguments.first().map(Value::to_string).unwrap_or_default().into())
}
