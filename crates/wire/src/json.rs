//! JSON by the model: the bodies of the JSON and REST-JSON protocols.

use value::{Map, Value};

use crate::model::{Kind, Shape};
use crate::scalar::{self, TimeFormat};

/// How deeply inputs and answers may nest; models recurse.
const DEPTH_MAX: usize = 128;

/// Reads a JSON text by its shape. Members that the model does not know are ignored, as on AWS.
///
/// # Errors
/// AWS's sentence about the first member of a wrong type.
pub(crate) fn decode(shape: &Shape, body: &[u8]) -> Result<Value, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::object());
    }
    let parsed = value::parse_bytes(body).map_err(|err| format!("the body is not JSON: {err}"))?;
    read(shape, &parsed, 0)
}

// UNVERIFIED: these texts are Lambda's and DynamoDB's; other services may differ by an article.
fn mismatch(found: &Value, wanted: &str) -> String {
    let token = match found {
        Value::Array(_) => return "Start of list found where not expected".to_owned(),
        Value::Object(_) => {
            return "Start of structure or map found where not expected.".to_owned();
        }
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.as_i64().is_none() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
    };
    let article = if wanted == "Integer" { "an" } else { "a" };
    format!("{token} can not be converted to {article} {wanted}")
}

fn read(shape: &Shape, given: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("nested more than {DEPTH_MAX} levels deep"));
    }
    if shape.is_document() {
        return Ok(given.clone());
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(given)) => read_structure(shape, given, depth),
        (Kind::List, Value::Array(items)) => {
            match shape.element() {
                Some(element) => items
                    .iter()
                    .map(|item| {
                        if item.is_null() {
                            Ok(Value::Null)
                        } else {
                            read(&element, item, depth + 1)
                        }
                    })
                    .collect::<Result<Vec<_>, _>>()
                    .map(Value::from),
                None => Ok(given.clone()),
            }
        }
        (Kind::Map, Value::Object(entries)) => match shape.element() {
            Some(element) => entries
                .iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(key, item)| Ok((key.clone(), read(&element, item, depth + 1)?)))
                .collect::<Result<Map, String>>()
                .map(Value::from),
            None => Ok(given.clone()),
        },
        (Kind::String | Kind::Blob, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Float | Kind::Double | Kind::Timestamp, Value::Number(_)) => Ok(given.clone()),
        (Kind::Integer | Kind::Long, Value::Number(number)) if number.as_i64().is_some() => {
            Ok(given.clone())
        }
        (Kind::Float | Kind::Double, Value::String(text))
            if matches!(&**text, "NaN" | "Infinity" | "-Infinity") =>
        {
            Ok(given.clone())
        }
        (Kind::Timestamp, Value::String(text)) => {
            scalar::parse_time(text).map(Value::from).ok_or_else(|| mismatch(given, "Timestamp"))
        }
        (Kind::Structure | Kind::List | Kind::Map, _) => Err("Unexpected field type".to_owned()),
        (Kind::String, _) => Err(mismatch(given, "String")),
        (Kind::Blob, _) => Err(mismatch(given, "Blob")),
        (Kind::Boolean, _) => Err(mismatch(given, "Boolean")),
        (Kind::Integer, _) => Err(mismatch(given, "Integer")),
        (Kind::Long, _) => Err(mismatch(given, "Long")),
        (Kind::Float, _) => Err(mismatch(given, "Float")),
        (Kind::Double, _) => Err(mismatch(given, "Double")),
        (Kind::Timestamp, _) => Err(mismatch(given, "Timestamp")),
    }
}

fn read_structure(shape: &Shape, given: &Map, depth: usize) -> Result<Value, String> {
    let mut found = Map::new();
    for member in shape.members().filter(|member| member.location().is_none()) {
        match given.get(member.wire_name()) {
            None | Some(Value::Null) => {}
            Some(value) => {
                found.insert(member.name(), read(&member.shape(), value, depth + 1)?);
            }
        }
    }
    Ok(found.into())
}

/// Writes a value by its shape: members under their names on the wire, without nulls and without
/// what the model does not know, times in their own format.
pub(crate) fn encode(shape: &Shape, given: &Value) -> Value {
    write(shape, given, 0)
}

fn write(shape: &Shape, given: &Value, depth: usize) -> Value {
    if shape.is_document() || depth > DEPTH_MAX {
        return given.clone();
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(given)) => {
            let mut found = Map::new();
            for member in shape.members().filter(|member| member.location().is_none()) {
                match given.get(member.name()) {
                    None | Some(Value::Null) => {}
                    Some(value) => {
                        let value = write(&member.shape(), value, depth + 1);
                        found.insert(member.wire_name(), value);
                    }
                }
            }
            found.into()
        }
        (Kind::List, Value::Array(items)) => match shape.element() {
            Some(element) => items.iter().map(|item| write(&element, item, depth + 1)).collect(),
            None => given.clone(),
        },
        (Kind::Map, Value::Object(entries)) => match shape.element() {
            Some(element) => {
                let entries = entries.iter().filter(|(_, item)| !item.is_null());
                let entries =
                    entries.map(|(key, item)| (key.clone(), write(&element, item, depth + 1)));
                entries.collect::<Map>().into()
            }
            None => given.clone(),
        },
        (Kind::Timestamp, given) => write_time(shape, given),
        (_, given) => given.clone(),
    }
}

fn write_time(shape: &Shape, given: &Value) -> Value {
    match (scalar::seconds(given), TimeFormat::EpochSeconds.or_own(shape)) {
        (Some(_), TimeFormat::EpochSeconds) if given.as_f64().is_some() => given.clone(),
        (Some(seconds), TimeFormat::EpochSeconds) => seconds.into(),
        (Some(seconds), format) => scalar::print_time(seconds, format).into(),
        (None, _) => given.clone(),
    }
}
