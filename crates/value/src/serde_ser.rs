//! `serde` into values: any `Serialize` type becomes a [`Value`], and a `Value` inside it is
//! shared, not rebuilt.

use std::cell::RefCell;
use std::sync::Arc;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::{Map, Number, Value};

/// Marks a `Value` on its way through `serde`, so that our own ends can hand it over whole.
pub(crate) const MARK: &str = "$stepwell::value::Value";

/// Where a handover stands.
#[derive(Default)]
pub(crate) enum Handover {
    /// Nobody hands anything over.
    #[default]
    Idle,
    /// Our own serializer is ready to take a value whole.
    Asked,
    /// The value, on its way.
    Given(Value),
}

impl Handover {
    /// Ends the handover and returns what was given.
    pub(crate) fn take() -> Option<Value> {
        match HANDOVER.take() {
            Handover::Given(value) => Some(value),
            Handover::Idle | Handover::Asked => None,
        }
    }
}

thread_local! {
    pub(crate) static HANDOVER: RefCell<Handover> = const { RefCell::new(Handover::Idle) };
}

/// Why a type could not be turned into or made from a [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SerdeError(pub(crate) String);

impl serde::ser::Error for SerdeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        SerdeError(message.to_string())
    }
}

impl serde::de::Error for SerdeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        SerdeError(message.to_string())
    }
}

/// Turns anything `Serialize` into a [`Value`].
///
/// # Errors
/// When a map key is no string or number, or the type's own implementation fails.
pub fn to_value<T: Serialize + ?Sized>(source: &T) -> Result<Value, SerdeError> {
    source.serialize(ToValue)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(MARK, &Carried(self))
    }
}

struct Carried<'v>(&'v Value);

impl Serialize for Carried<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wanted = HANDOVER.with_borrow_mut(|slot| {
            let asked = matches!(slot, Handover::Asked);
            if asked {
                *slot = Handover::Given(self.0.clone());
            }
            asked
        });
        if wanted {
            return serializer.serialize_unit();
        }
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(Number::Int(int)) => serializer.serialize_i64(*int),
            Value::Number(number) => serializer.serialize_f64(number.as_f64()),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items.iter()),
            Value::Object(map) => {
                serializer.collect_map(map.iter().map(|(key, value)| (&**key, value)))
            }
        }
    }
}

struct ToValue;

/// Collects the elements of a sequence, or of a tuple variant named `variant`.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

/// Collects the members of a map or struct, or of a struct variant named `variant`.
struct Members {
    variant: Option<&'static str>,
    map: Map,
    key: Option<String>,
}

fn tagged(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::object().with(name, value),
        None => value,
    }
}

macro_rules! serialize_numbers {
    ($($method:ident: $kind:ty),*) => {$(
        fn $method(self, number: $kind) -> Result<Value, SerdeError> {
            Ok(Value::from(number))
        }
    )*};
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = SerdeError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    serialize_numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_f64: f64, serialize_bool: bool, serialize_str: &str);

    fn serialize_f32(self, number: f32) -> Result<Value, SerdeError> {
        Ok(Value::from(f64::from(number)))
    }

    fn serialize_char(self, letter: char) -> Result<Value, SerdeError> {
        Ok(Value::from(letter.to_string()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, SerdeError> {
        Ok(bytes.iter().copied().collect())
    }

    fn serialize_none(self) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<Value, SerdeError> {
        inner.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, SerdeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, SerdeError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        inner: &T,
    ) -> Result<Value, SerdeError> {
        if name != MARK {
            return inner.serialize(self);
        }
        HANDOVER.set(Handover::Asked);
        let outcome = inner.serialize(ToValue);
        let given = Handover::take();
        outcome.map(|rebuilt| given.unwrap_or(rebuilt))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        inner: &T,
    ) -> Result<Value, SerdeError> {
        Ok(tagged(Some(variant), inner.serialize(ToValue)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, SerdeError> {
        Ok(Items { variant: None, items: Vec::with_capacity(length.unwrap_or(0)) })
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, SerdeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, SerdeError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items, SerdeError> {
        Ok(Items { variant: Some(variant), items: Vec::with_capacity(length) })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Members, SerdeError> {
        let map = Map::with_capacity(length.unwrap_or(0));
        Ok(Members { variant: None, map, key: None })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Members, SerdeError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Members, SerdeError> {
        Ok(Members { variant: Some(variant), map: Map::with_capacity(length), key: None })
    }
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), SerdeError> {
        self.items.push(item.serialize(ToValue)?);
        Ok(())
    }

    fn finish(self) -> Value {
        tagged(self.variant, Value::Array(Arc::new(self.items)))
    }
}

macro_rules! collect_items {
    ($($interface:ident: $method:ident),*) => {$(
        impl $interface for Items {
            type Ok = Value;
            type Error = SerdeError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), SerdeError> {
                self.push(item)
            }

            fn end(self) -> Result<Value, SerdeError> {
                Ok(self.finish())
            }
        }
    )*};
}
collect_items!(SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

impl SerializeMap for Members {
    type Ok = Value;
    type Error = SerdeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerdeError> {
        self.key = Some(match key.serialize(ToValue)? {
            Value::String(text) => text.to_string(),
            Value::Number(number) => number.to_string(),
            other => {
                return Err(SerdeError(format!("a map key must be a string, not `{other}`")));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerdeError> {
        let key = self.key.take().ok_or_else(|| SerdeError("a map value without key".into()))?;
        self.map.insert(key, value.serialize(ToValue)?);
        Ok(())
    }

    fn end(self) -> Result<Value, SerdeError> {
        Ok(tagged(self.variant, self.map.into()))
    }
}

macro_rules! collect_fields {
    ($($interface:ident),*) => {$(
        impl $interface for Members {
            type Ok = Value;
            type Error = SerdeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), SerdeError> {
                self.map.insert(key, value.serialize(ToValue)?);
                Ok(())
            }

            fn end(self) -> Result<Value, SerdeError> {
                Ok(tagged(self.variant, self.map.into()))
            }
        }
    )*};
}
collect_fields!(SerializeStruct, SerializeStructVariant);
