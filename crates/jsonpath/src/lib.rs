//! The JSONPath dialect of Step Functions and Systems Manager.
//!
//! What it is: [`Path`], parsed once and read many times, with the semantics of the Java library
//! (Jayway json-path) whose texts AWS shows: a definite path gives the value or a [`Miss`], an
//! indefinite one always gives a list; and [`ReferencePath`], the subset that names exactly one
//! node and can therefore be written to (`ResultPath`). What it is not: RFC 9535 (the two differ
//! in filters, slices and misses), and no functions (`length()`), which AWS does not offer either.
//! Where `$` comes from (input, context object, variable) is the caller's business.
//!
//! ```
//! use jsonpath::{Path, ReferencePath};
//! use value::value;
//!
//! let input = value!({"users": [{"name": "日本", "keep": true}, {"name": "b", "keep": false}]});
//! let first = Path::parse("$.users[0].name").unwrap();
//! assert_eq!(first.read(&input).unwrap(), value!("日本"));
//!
//! let kept = Path::parse("$.users[?(@.keep == true)].name").unwrap();
//! assert!(!kept.is_definite());
//! assert_eq!(kept.read(&input).unwrap(), value!(["日本"]));
//!
//! let miss = Path::parse("$.no.such").unwrap().read(&input).unwrap_err();
//! assert_eq!(miss.to_string(), "Missing property in path $['no']");
//!
//! let mut state = value!({"a": 1});
//! ReferencePath::parse("$.b.c").unwrap().write(&mut state, value!(2)).unwrap();
//! assert_eq!(state.to_string(), r#"{"a":1,"b":{"c":2}}"#);
//! ```
//!
//! May depend on: `value`.

mod cursor;
mod error;
mod filter;
mod path;
mod read;
mod reference;
mod token;

pub use error::{Error, Miss};
pub use path::Path;
pub use reference::{ReferencePath, Step};

/// The longest path text, in bytes; longer texts are refused.
pub const PATH_BYTES_MAX: usize = 10_240;

/// How deep filters may nest (parentheses, negations, filters inside filters).
pub const FILTER_DEPTH_MAX: usize = 32;

/// How many nodes one read may visit before it gives up with [`Miss::TooManySteps`].
pub const READ_STEPS_MAX: usize = 2_000_000;

/// How deep a deep scan follows nested values.
pub const SCAN_DEPTH_MAX: usize = 1_000;
