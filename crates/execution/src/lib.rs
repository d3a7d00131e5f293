//! One state-machine execution as a pure state machine.
//!
//! What it is: [`apply`] takes a [`Fact`] into account, changes the [`State`] and returns
//! [`Effect`]s: history to append, calls to make, timers to set. The same facts give the same
//! effects, for ever. A run of states without a call (Pass, Choice, Succeed …) is one `apply`.
//!
//! What it is not: it waits for nothing, calls nothing, stores nothing, and knows neither clock nor
//! randomness; both come in with the [`Stamp`] of a fact.
//!
//! The most important types: [`State`], [`Fact`], [`Effect`], [`HistoryEvent`], [`Payload`].
//!
//! ```
//! use asl::{AnyResource, Definition, Options, StateMachineType};
//! use execution::{Effect, Fact, HistoryMode, Payload, Stamp, Started, State, Status, apply};
//!
//! let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
//! let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
//! let definition = Definition::parse(text, &options)?;
//! let started = Started {
//!     input: Payload::parse(r#"{"n": 1}"#)?,
//!     execution_arn: "arn:aws:states:us-east-1:111111111111:execution:m:e".into(),
//!     execution_name: "e".into(),
//!     role_arn: "arn:aws:iam::111111111111:role/r".into(),
//!     state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:m".into(),
//!     state_machine_name: "m".into(),
//!     state_machine_alias_arn: None,
//!     state_machine_version_arn: None,
//!     region: "us-east-1".into(),
//!     history: HistoryMode::Recorded,
//!     child: None,
//! };
//! let mut state = State::default();
//! let stamp = Stamp { millis: 0, entropy: [0; 32] };
//! let effects = apply(&definition, &mut state, &stamp, Fact::Started(Box::new(started)));
//! assert_eq!(state.status(), Status::Succeeded);
//! let Some(Effect::Finish(finish)) = effects.last() else { panic!() };
//! assert_eq!(finish.output.as_ref().map(Payload::text).as_deref(), Some(r#"{"n": 1}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! May depend on: `value`, `asl`, `jsonata`, `jsonpath`.

mod apply;
mod context;
mod effect;
mod fact;
mod history;
mod leave;
mod map_run;
mod payload;
mod redrive;
mod run;
mod state;
mod states;
mod test_iterations;
mod test_state;
mod token;

pub use apply::{apply, outstanding};
pub use effect::{Call, Effect, Finish, Job, Status};
pub use fact::{Fact, HistoryMode, Stamp, Started};
pub use history::{BadEnd, Details, HistoryEvent, IterationEvent, StateType, TaskEvent};
pub use map_run::{
    Child, ChildEnd, ChildKind, ChildOf, Counts, ItemsWanted, MapRunFact, MapRunReport,
    MapRunStatus, MapRunUpdate, ReadItems, Unsuccessful, WriteResults,
};
pub use payload::{PAYLOAD_BYTES_MAX, Payload};
pub use redrive::{
    NotRedrivable, OPEN_MILLIS_MAX, REDRIVABLE_MILLIS, REDRIVE_EVENTS_MAX, Redrives,
};
pub use run::{HISTORY_EVENTS_MAX, STEPS_MAX};
pub use state::{State, TaskId, TimerId};
pub use test_state::{Mock, Test, TestStatus, Tested, test_call, test_state};
pub use token::TaskToken;
