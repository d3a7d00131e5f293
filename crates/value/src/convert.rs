//! Conversions into [`Value`] from what Rust code has at hand.

use std::sync::Arc;

use crate::{Map, Number, Value};

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<f64> for Value {
    fn from(float: f64) -> Value {
        Value::Number(Number::from(float))
    }
}

macro_rules! from_small_integers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(int: $kind) -> Value {
                Value::Number(Number::Int(i64::from(int)))
            }
        }
    )*};
}
from_small_integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! from_large_integers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(int: $kind) -> Value {
                Value::Number(match i64::try_from(int) {
                    Ok(int) => Number::Int(int),
                    Err(_) => Number::Raw(Arc::from(int.to_string())),
                })
            }
        }
    )*};
}
from_large_integers!(u64, usize, i128);

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::String(Arc::from(text.as_str()))
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::String(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Object(Arc::new(map))
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        items.into_iter().collect()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` becomes `null`.
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Value {
        Value::Array(Arc::new(items.into_iter().map(Into::into).collect()))
    }
}
