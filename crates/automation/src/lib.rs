//! One Systems Manager Automation execution as a pure state machine.
//!
//! What it is: [`Runbook`], a parsed and checked Automation document (schema version 0.3, JSON or
//! YAML); [`apply`], which brings the [`State`] of one execution up to date with a [`Fact`] and
//! returns [`Effect`]s for the runtime; [`record`], the answer of `GetAutomationExecution`;
//! [`catalogue`], the runbooks of Amazon's that Stepwell brings along, and [`native`], their
//! scripts compiled in. What it is not: it calls nothing, runs no script, reads no clock, and
//! knows neither permissions nor other executions.
//!
//! ```
//! use automation::{Effect, Fact, Format, Runbook, Stamp, Started, State, apply};
//! use value::value;
//!
//! let text = r#"
//! schemaVersion: "0.3"
//! parameters:
//!   Name: {type: String}
//! mainSteps:
//!   - name: look
//!     action: aws:executeAwsApi
//!     inputs: {Service: iam, Api: GetUser, UserName: "{{ Name }}"}
//! "#;
//! let runbook = Runbook::parse(text, Format::Yaml).unwrap();
//! let mut state = State::default();
//! let stamp = Stamp { millis: 0, entropy: [7; 32] };
//! let started = Started { parameters: value!({"Name": ["bob"]}), ..Started::default() };
//! let effects = apply(&runbook, &mut state, &stamp, Fact::Started(Box::new(started)));
//! let call = effects.iter().find_map(|effect| match effect {
//!     Effect::Call(call) => Some(call),
//!     _ => None,
//! });
//! assert_eq!(call.unwrap().input, value!({"UserName": "bob"}));
//! ```
//!
//! May depend on: `value` and `jsonpath`.

pub mod actions;
pub mod catalogue;
mod clock;
pub mod diagnostic;
pub mod document;
mod effect;
mod engine;
mod fact;
pub mod failure;
pub mod harness;
mod interpolate;
pub mod native;
mod notification;
mod output;
pub mod parameter;
mod pattern;
pub mod rate;
mod record;
mod reference;
mod runbook;
mod selector;
mod state;

pub use diagnostic::{Diagnostic, Position, Severity};
pub use document::Format;
pub use effect::{Call, Child, ChildWish, Effect, Identity, Script, StatusChange};
pub use engine::apply;
pub use fact::{CallError, ChildEnd, Fact, Mode, Signal, Stamp, Started, StopType};
pub use failure::Failure;
pub use output::OutputDeclaration;
pub use pattern::pattern_matches;
pub use record::record;
pub use runbook::{File, Invalid, InvalidCode, OnFailure, Runbook, Step};
pub use state::{State, Status};
