//! The `value!` macro.

/// Builds a [`Value`](crate::Value) from JSON-like syntax; any Rust expression that converts into a
/// `Value` may stand where a value is expected, and `(expression)` where a key is.
///
/// ```
/// use value::value; let name = "x"; assert_eq!(value!({"a": [name, 1.5, null], (name):
/// {}}).to_string(), r#"{"a":["x",1.5,null],"x":{}}"#);
/// ```
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ([]) => { $crate::Value::Array(::std::sync::Arc::new(::std::vec::Vec::new())) };
    ({}) => { $crate::Value::object() };
    ([ $($inner:tt)+ ]) => {{
        let mut items: ::std::vec::Vec<$crate::Value> = ::std::vec::Vec::new();
        $crate::value_items!(items; $($inner)+);
        $crate::Value::Array(::std::sync::Arc::new(items))
    }};
    ({ $($inner:tt)+ }) => {{
        let mut map = $crate::Map::new();
        $crate::value_members!(map; $($inner)+);
        $crate::Value::from(map)
    }};
    ($other:expr) => { $crate::Value::from($other) };
}

/// Elements of an array literal; not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! value_items {
    ($items:ident;) => {};
    ($items:ident; null $(, $($rest:tt)*)?) => {
        $items.push($crate::Value::Null); $($crate::value_items!($items; $($rest)*);)?
    };
    ($items:ident; [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $items.push($crate::value!([$($inner)*])); $($crate::value_items!($items; $($rest)*);)?
    };
    ($items:ident; {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $items.push($crate::value!({$($inner)*})); $($crate::value_items!($items; $($rest)*);)?
    };
    ($items:ident; $item:expr $(, $($rest:tt)*)?) => {
        $items.push($crate::Value::from($item)); $($crate::value_items!($items; $($rest)*);)?
    };
}

/// Members of an object literal; not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! value_members {
    ($map:ident;) => {};
    ($map:ident; ($key:expr) : $($rest:tt)+) => {
        $crate::value_members!(@value $map; ($key); $($rest)+)
    };
    ($map:ident; $key:literal : $($rest:tt)+) => {
        $crate::value_members!(@value $map; ($key); $($rest)+)
    };
    (@value $map:ident; ($key:expr); null $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::Value::Null); $($crate::value_members!($map; $($rest)*);)?
    };
    (@value $map:ident; ($key:expr); [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::value!([$($inner)*]));
        $($crate::value_members!($map; $($rest)*);)?
    };
    (@value $map:ident; ($key:expr); {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::value!({$($inner)*}));
        $($crate::value_members!($map; $($rest)*);)?
    };
    (@value $map:ident; ($key:expr); $item:expr $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::Value::from($item)); $($crate::value_members!($map; $($rest)*);)?
    };
}
