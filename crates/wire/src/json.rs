//! The JSON protocols: 1.0 and 1.1.

use value::{Map, Value};

use crate::fault::{Face, Fault};
use crate::message::Response;
use crate::model::{Kind, Operation, Shape};

/// How deeply inputs may nest; models recurse.
const DEPTH_MAX: usize = 128;

/// Reads a body. Members that the model does not know are ignored, as on AWS.
pub(crate) fn decode(operation: Operation, body: &[u8], face: &Face) -> Result<Value, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::object());
    }
    let parsed = value::parse_bytes(body).map_err(|err| {
        face.fault(400, "SerializationException", format!("the body is not JSON: {err}"))
    })?;
    match operation.input() {
        Some(shape) => {
            read(&shape, &parsed, 0).map_err(|what| face.fault(400, "SerializationException", what))
        }
        None => Ok(Value::object()),
    }
}

// UNVERIFIED: the texts of type mismatches; AWS's differ by service.
fn mismatch(found: &Value, wanted: &str) -> String {
    match found {
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("{}_VALUE can not be converted to a {wanted}", found.type_name().to_uppercase())
        }
    }
}

fn read(shape: &Shape, given: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("nested more than {DEPTH_MAX} levels deep"));
    }
    match (shape.kind(), given) {
        (Kind::Structure, Value::Object(given)) => {
            let mut read_members = Map::new();
            for member in shape.members() {
                match given.get(member.wire_name()) {
                    None | Some(Value::Null) => {}
                    Some(value) => {
                        read_members
                            .insert(member.name(), read(&member.shape(), value, depth + 1)?);
                    }
                }
            }
            // A structure without members is a document: anything goes.
            if shape.members().next().is_none() {
                return Ok(Value::from((**given).clone()));
            }
            Ok(read_members.into())
        }
        (Kind::List, Value::Array(items)) => match shape.element() {
            Some(element) => items
                .iter()
                .map(|item| read(&element, item, depth + 1))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from),
            None => Ok(given.clone()),
        },
        (Kind::Map, Value::Object(entries)) => match shape.element() {
            Some(element) => entries
                .iter()
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
        (Kind::Timestamp, Value::String(text)) => crate::time::parse_iso(text)
            .map(Value::from)
            .ok_or_else(|| mismatch(given, "Timestamp")),
        (Kind::Structure, _) => Err(mismatch(given, "Structure")),
        (Kind::List, _) => Err(mismatch(given, "List")),
        (Kind::Map, _) => Err(mismatch(given, "Map")),
        (Kind::String, _) => Err(mismatch(given, "String")),
        (Kind::Blob, _) => Err(mismatch(given, "Blob")),
        (Kind::Boolean, _) => Err(mismatch(given, "Boolean")),
        (Kind::Integer, _) => Err(mismatch(given, "Integer")),
        (Kind::Long, _) => Err(mismatch(given, "Long")),
        (Kind::Float | Kind::Double, _) => Err(mismatch(given, "Double")),
        (Kind::Timestamp, _) => Err(mismatch(given, "Timestamp")),
    }
}

/// Writes an answer.
pub(crate) fn encode(operation: Operation, output: &Value, request_id: &str) -> Response {
    let content_type = match operation.service().json_version() {
        "1.0" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    // An operation without output answers an empty body in JSON 1.1 and `{}` in 1.0; every client
    // reads `{}`.
    let body = if output.is_null() { "{}".to_owned() } else { output.to_string() };
    Response {
        status: operation.status(),
        headers: vec![
            ("content-type", content_type.to_owned()),
            ("x-amzn-requestid", request_id.to_owned()),
        ],
        body: body.into_bytes(),
    }
}
