//! Sample values made from a model.

use value::{Map, Value};
use wire::model::{Kind, Shape};

/// Recursive shapes end here.
const DEPTH_MAX: usize = 6;

/// Returns a value for the shape, or nothing where protocols can not carry one (a structure without
/// members, a stream).
pub(crate) fn value_of(shape: &Shape, depth: usize) -> Option<Value> {
    if shape.is_document() {
        return Some(value::value!({"any": [1, null, "日本"]}));
    }
    match shape.kind() {
        Kind::Structure => {
            let members = shape.members().filter(|_| depth < DEPTH_MAX);
            let members: Map = members
                .filter(|member| member.location() != Some("statusCode"))
                .filter_map(|member| Some((member.name(), value_of(&member.shape(), depth + 1)?)))
                .collect();
            (!members.is_empty()).then(|| members.into())
        }
        Kind::List => {
            let item = value_of(&shape.element()?, depth + 1)?;
            Some(Value::from(vec![item.clone(), item]))
        }
        Kind::Map => {
            let item = value_of(&shape.element()?, depth + 1)?;
            let key = shape.key()?.values().first().map_or("key", String::as_str);
            Some(Value::object().with(key, item))
        }
        Kind::String => Some(match shape.values().first() {
            Some(known) => known.as_str().into(),
            None => "a <b> & \"ü\" 日本 +%/=".into(),
        }),
        Kind::Integer => Some(42.into()),
        Kind::Long => Some(9_007_199_254_740_993_i64.into()),
        Kind::Float | Kind::Double => Some(1.5.into()),
        Kind::Boolean => Some(true.into()),
        Kind::Blob => Some("AAEC/w==".into()),
        // REST headers carry whole seconds.
        Kind::Timestamp => Some(1_448_280_000.into()),
    }
}
