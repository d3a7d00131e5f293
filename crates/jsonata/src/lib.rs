//! JSONata: parsed, compiled once, evaluated many times from many threads.
//!
//! What it is: the whole JSONata 2 language written for Stepwell. A text becomes a [`Program`]
//! (variables resolved to slots, constants and regular expressions compiled in, static facts about
//! what it reads in its [`Scope`]); a program is evaluated over shared [`Value`]s within
//! [`Limits`]. Two [`Dialect`]s: the reference language, and what Step Functions accepts.
//!
//! What it is not: it knows nothing of states, of `{% %}` or of how Step Functions words a failure
//! around an expression's error; that is the `asl` crate's. It has no clock and no randomness: both
//! come in with the [`Moment`].
//!
//! The most important types: [`Program`], [`Bindings`], [`Outcome`], [`Error`].
//!
//! ```
//! use jsonata::{Bindings, Dialect, Limits, Moment, Outcome, Program};
//! use value::value;
//!
//! let program = Program::compile("$states.input.n * 2", Dialect::Aws)?;
//! let bindings = Bindings::new().with("states", value!({"input": {"n": 21}}));
//! let mut moment = Moment::new(1_700_000_000_000, [7; 32]);
//! let outcome = program.evaluate(None, &bindings, &Limits::aws(), &mut moment)?;
//! assert_eq!(outcome, Outcome::Value(value!(42)));
//! # Ok::<(), jsonata::Error>(())
//! ```
//!
//! May depend on: `value`.

#![expect(clippy::float_cmp, reason = "JSONata compares numbers exactly")]

mod bindings;
mod compile;
mod datum;
mod dialect;
mod error;
mod evaluate;
mod fault;
mod functions;
mod json;
mod limits;
mod moment;
mod pattern;
mod picture;
mod program;
mod scope;
mod syntax;

pub use bindings::Bindings;
pub use dialect::Dialect;
pub use error::Error;
pub use limits::Limits;
pub use moment::Moment;
pub use program::{Outcome, Program};
pub use scope::{ContextReference, Scope, VariableReference};
pub use value::Value;
