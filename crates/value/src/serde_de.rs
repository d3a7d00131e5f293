//! Values into any `Deserialize` type; a [`Value`] inside it is shared, not rebuilt.

use std::fmt;
use std::sync::Arc;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use crate::serde_ser::{HANDOVER, Handover, MARK};
use crate::{Key, Map, Number, SerdeError, Value};

/// Makes a `T` from a value.
///
/// # Errors
/// When the value does not have the shape of `T`; the text names the member.
pub fn from_value<T: DeserializeOwned>(source: Value) -> Result<T, SerdeError> {
    T::deserialize(FromValue(source))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_newtype_struct(MARK, ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Handover::take().unwrap_or(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(ValueVisitor)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(int.into())
    }

    fn visit_u64<E>(self, int: u64) -> Result<Value, E> {
        Ok(int.into())
    }

    fn visit_f64<E>(self, float: f64) -> Result<Value, E> {
        Ok(float.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items: Vec<Value> = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = members.next_entry::<String, Value>()? {
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

struct FromValue(Value);

impl FromValue {
    fn mismatch(&self, wanted: &str) -> SerdeError {
        SerdeError(format!("expected {wanted}, found {}", self.0.type_name()))
    }

    /// The error of a visitor that was offered this value and does not take its kind.
    fn unexpected(&self, wanted: &dyn Expected) -> SerdeError {
        let found = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(Number::Int(int)) => Unexpected::Signed(*int),
            Value::Number(number) => Unexpected::Float(number.as_f64()),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        SerdeError::invalid_type(found, wanted)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match &self.0 {
            Value::Number(Number::Int(int)) => visitor.visit_i64(*int),
            Value::Number(number) => match number.to_string().parse::<u64>() {
                Ok(int) => visitor.visit_u64(int),
                Err(_) => visitor.visit_f64(number.as_f64()),
            },
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match &self.0 {
            Value::String(text) => visitor.visit_str(text),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn items<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0 {
            Value::Array(items) => {
                visitor.visit_seq(Items { items: Arc::unwrap_or_clone(items).into_iter() })
            }
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn members<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0 {
            Value::Object(map) => visitor.visit_map(Members::new(Arc::unwrap_or_clone(map))),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn nothing<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        if self.0.is_null() { visitor.visit_unit() } else { Err(self.unexpected(&visitor)) }
    }

    fn flag<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0 {
            Value::Bool(flag) => visitor.visit_bool(flag),
            _ => Err(self.unexpected(&visitor)),
        }
    }
}

/// Which kind of value each method offers the visitor. Were all of them forwarded to
/// `deserialize_any`, each stored type would be compiled once for every kind of JSON value, and
/// a megabyte of the program be code that never runs.
macro_rules! kinds {
    ($($method:ident($($argument:ty),*) => $kind:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $(_: $argument,)*
            visitor: V,
        ) -> Result<V::Value, SerdeError> {
            self.$kind(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for FromValue {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match &self.0 {
            Value::Null => self.nothing(visitor),
            Value::Bool(_) => self.flag(visitor),
            Value::Number(_) => self.number(visitor),
            Value::String(_) => self.text(visitor),
            Value::Array(_) => self.items(visitor),
            Value::Object(_) => self.members(visitor),
        }
    }

    kinds! {
        deserialize_bool() => flag,
        deserialize_i8() => number, deserialize_i16() => number, deserialize_i32() => number,
        deserialize_i64() => number, deserialize_u8() => number, deserialize_u16() => number,
        deserialize_u32() => number, deserialize_u64() => number,
        deserialize_char() => text, deserialize_str() => text, deserialize_string() => text,
        deserialize_identifier() => text,
        deserialize_unit() => nothing, deserialize_unit_struct(&'static str) => nothing,
        deserialize_seq() => items, deserialize_tuple(usize) => items,
        deserialize_tuple_struct(&'static str, usize) => items,
        deserialize_map() => members,
        deserialize_struct(&'static str, &'static [&'static str]) => members,
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        if name != MARK {
            return visitor.visit_newtype_struct(self);
        }
        HANDOVER.set(Handover::Given(self.0));
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match &self.0 {
            Value::String(name) => visitor.visit_enum(name.to_string().into_deserializer()),
            Value::Object(map) if map.len() == 1 => {
                let (key, value) = map.iter().next().ok_or_else(|| self.mismatch("a variant"))?;
                visitor.visit_enum(Variant { name: key.clone(), value: value.clone() })
            }
            _ => Err(self.mismatch("a variant (a string or an object with one member)")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.0.as_f64() {
            Some(float) => visitor.visit_f64(float),
            None => Err(self.mismatch("a number")),
        }
    }

    serde::forward_to_deserialize_any! { i128 u128 f32 bytes byte_buf }
}

struct Items {
    items: std::vec::IntoIter<Value>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = SerdeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, SerdeError> {
        self.items.next().map(|item| seed.deserialize(FromValue(item))).transpose()
    }
}

struct Members {
    members: std::vec::IntoIter<(Key, Value)>,
    current: Option<(Key, Value)>,
}

impl Members {
    fn new(map: Map) -> Members {
        Members { members: map.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = SerdeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, SerdeError> {
        self.current = self.members.next();
        match &self.current {
            Some((key, _)) => seed.deserialize(FromKey(key.clone())).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, SerdeError> {
        let (key, value) =
            self.current.take().ok_or_else(|| SerdeError("a map value without key".into()))?;
        seed.deserialize(FromValue(value)).map_err(|err| SerdeError(format!("{key}: {err}")))
    }
}

/// A map key: a string, or a number for maps keyed by numbers.
struct FromKey(Key);

macro_rules! numeric_keys {
    ($($method:ident => $visit:ident: $kind:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
            match self.0.parse::<$kind>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(SerdeError::custom(format!("the key `{}` is no number", self.0))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for FromKey {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_str(&self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_enum(self.0.to_string().into_deserializer())
    }

    numeric_keys!(deserialize_i8 => visit_i8: i8, deserialize_i16 => visit_i16: i16,
        deserialize_i32 => visit_i32: i32, deserialize_i64 => visit_i64: i64,
        deserialize_u8 => visit_u8: u8, deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32, deserialize_u64 => visit_u64: u64);

    serde::forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Variant {
    name: Key,
    value: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = SerdeError;
    type Variant = Content;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Content), SerdeError> {
        Ok((seed.deserialize(FromKey(self.name))?, Content(self.value)))
    }
}

struct Content(Value);

impl<'de> VariantAccess<'de> for Content {
    type Error = SerdeError;

    fn unit_variant(self) -> Result<(), SerdeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, SerdeError> {
        seed.deserialize(FromValue(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, SerdeError> {
        FromValue(self.0).items(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        FromValue(self.0).members(visitor)
    }
}
