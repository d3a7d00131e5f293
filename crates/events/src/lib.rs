//! EventBridge patterns, input transformers, schedules and the event envelope.
//!
//! What it is: the languages of EventBridge. An [`EventPattern`] is compiled once and matches many
//! events; an [`InputTransformer`] turns an event into a target's input; a [`ScheduleExpression`]
//! says when it fires next; an [`Event`] becomes the envelope that targets see. What it is not:
//! buses, rules and delivery, which are services with state; and no clock: the caller says what
//! time it is.
//!
//! ```
//! use events::EventPattern;
//! use value::value;
//!
//! let pattern = EventPattern::parse(r#"{
//!     "source": ["aws.states"],
//!     "detail": {"status": [{"anything-but": ["SUCCEEDED"]}], "name": [{"prefix": "部署"}]}
//! }"#).unwrap();
//! assert!(pattern.matches(&value!({
//!     "source": "aws.states", "detail": {"status": "FAILED", "name": "部署-1"}
//! })));
//!
//! let err = EventPattern::parse(r#"{"source": "aws.states"}"#).unwrap_err();
//! assert!(err.to_string().starts_with(
//!     r#"Event pattern is not valid. Reason: "source" must be an object or an array"#));
//! ```
//!
//! May depend on: `value`, `jsonpath`.

mod envelope;
pub mod pattern;
pub mod schedule;
pub mod transform;

pub use envelope::Event;
pub use pattern::EventPattern;
pub use schedule::ScheduleExpression;
pub use transform::{InputPath, InputTransformer};
