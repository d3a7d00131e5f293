//! Picture strings: numbers, integers and points in time as texts, and back.

pub(crate) mod datetime;
pub(crate) mod integer;
pub(crate) mod number;
