//! Picture strings: numbers, integers and points in time as texts, and back.

pub(crate) mod datetime;
pub(crate) mod integer;
mod letters;
pub(crate) mod number;
mod roman;
mod words;
