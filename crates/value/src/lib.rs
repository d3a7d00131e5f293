//! The one JSON value of Stepwell.
//!
//! What it is: [`Value`], a JSON value that is `Send + Sync`, cheap to clone (strings, arrays and
//! objects are shared, never copied), keeps the order of object keys, and keeps numbers exactly as
//! they were written. It is parsed once at the edge, flows through every crate unchanged and is
//! printed once. What it is not: a document model with comments or positions (definitions that need
//! spans have parsers of their own).
//!
//! ```
//! use value::{value, Value};
//!
//! let parsed = value::parse(r#"{"name": "日本", "n": 1.0, "list": [1, 2]}"#).unwrap();
//! assert_eq!(parsed.get("name").and_then(Value::as_str), Some("日本"));
//! assert_eq!(parsed.to_string(), r#"{"name":"日本","n":1.0,"list":[1,2]}"#);
//! assert_eq!(value!({"a": [1, true, null]}).to_string(), r#"{"a":[1,true,null]}"#);
//! ```
//!
//! May depend on: nothing of ours. Every crate above may use it.

mod convert;
mod macros;
mod map;
mod number;
mod parse;
mod print;
mod serde_de;
mod serde_ser;

use std::sync::Arc;

pub use map::{Key, Map};
pub use number::{JavaScriptNumber, Number};
pub use parse::{DEPTH_MAX, ParseError, parse, parse_bytes, parse_without};
pub use print::{escape_into, integer_into, quote};
pub use serde_de::from_value;
pub use serde_ser::{SerdeError, to_value};

/// A JSON value. Cloning never copies text, arrays or objects.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with its exact text where that matters.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// An array.
    Array(Arc<Vec<Value>>),
    /// An object; keys keep their order of insertion.
    Object(Arc<Map>),
}

impl Value {
    /// Returns an empty object.
    pub fn object() -> Value {
        Value::Object(Arc::new(Map::new()))
    }

    /// Returns the member `key` of an object; `None` for a missing key and for every non-object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(map) => map.get(key),
            _ => None,
        }
    }

    /// Returns the element at `index` of an array.
    pub fn at(&self, index: usize) -> Option<&Value> {
        match self {
            Value::Array(items) => items.get(index),
            _ => None,
        }
    }

    /// Follows object keys, e.g. `value.path(&["User", "UserId"])`.
    pub fn path(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns a number as `f64` (the nearest one when the text has more digits).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    /// Returns a number that is a whole number within `i64`; `2.0` counts.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Returns the elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members of an object.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Returns whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the JSON type: `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// Returns the object for editing, copying it first when it is shared; makes any other value an
    /// empty object.
    pub fn object_mut(&mut self) -> &mut Map {
        if !matches!(self, Value::Object(_)) {
            *self = Value::object();
        }
        match self {
            Value::Object(map) => Arc::make_mut(map),
            _ => unreachable!("the line above made it an object"),
        }
    }

    /// Returns the array for editing, copying it first when it is shared; makes any other value an
    /// empty array.
    pub fn array_mut(&mut self) -> &mut Vec<Value> {
        if !matches!(self, Value::Array(_)) {
            *self = Value::Array(Arc::new(Vec::new()));
        }
        match self {
            Value::Array(items) => Arc::make_mut(items),
            _ => unreachable!("the line above made it an array"),
        }
    }

    /// Sets the member `key`, making this an object if it is none; returns what stood there.
    pub fn set(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        self.object_mut().insert(key, value)
    }

    /// Returns this object with the member `key` set; for building answers in one expression.
    #[must_use]
    pub fn with(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Value {
        self.set(key, value);
        self
    }

    /// Like [`Value::with`], but leaves the key out when there is no value.
    #[must_use]
    pub fn with_some(self, key: impl Into<Key>, value: Option<impl Into<Value>>) -> Value {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Returns the value as JSON with two-space indentation.
    pub fn to_pretty(&self) -> String {
        print::pretty(self)
    }

    /// Returns the length of the compact JSON text in bytes, without building it twice.
    pub fn json_bytes(&self) -> usize {
        print::compact_length(self)
    }
}

/// Numbers compare by value, objects without regard to key order.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}
