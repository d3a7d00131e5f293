//! The Amazon States Language: definitions, validation, data flow.
//!
//! What it is: a text becomes a [`Definition`] (validated, its expressions compiled once,
//! immutable, `Send + Sync`) or a list of [`Diagnostic`]s that names every problem with
//! AWS's codes, wording and locations, and with the span in the text. A definition's
//! [`Template`]s, [`Path`]s and [`Condition`]s are evaluated over a [`Scope`].
//!
//! What it is not: it runs nothing. Which state comes next, what is retried and what is recorded is
//! the `execution` crate's.
//!
//! The most important types: [`Definition`], [`State`], [`Diagnostics`], [`Resource`], [`Failure`].
//!
//! ```
//! use asl::{AnyResource, Definition, Options, StateMachineType};
//!
//! let options =
//!     Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
//! let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}"#;
//! let problems = Definition::parse(text, &options).unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at \
//!      /States/A/Next'"
//! );
//! ```
//!
//! May depend on: `value`, `jsonata`, `jsonpath`.

mod choice;
mod definition;
mod diagnostic;
mod distributed;
mod expression;
mod failure;
mod flow;
mod intrinsic;
mod json;
mod path;
mod resource;
mod retry;
mod scope;
mod span;
mod template;
mod timestamp;
mod validate;

pub use choice::{Comparison, Condition, IsA, Kind, Operand, Operator, Rule, Test};
pub use definition::{
    Choice, Definition, Fail, Flow, Items, JsonPathFlow, Map, MapMode, Parallel, Pass,
    QueryLanguage, ResultPath, Selection, State, StateId, StateKind, StateMachineType, Task,
    Transition, Wait,
};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use distributed::{
    CsvHeaders, Distributed, InputType, ItemBatcher, ItemReader, ItemSource, OutputType,
    ResultWriter, Transformation,
};
pub use expression::{Expression, Scalar};
pub use failure::{Failure, Field, error_name};
pub use flow::{Computed, assigned};
pub use intrinsic::Intrinsic;
pub use json::{Member, Node, NodeKind};
pub use path::{Path, Placement};
pub use resource::{
    AnyResource, Integration, IntegrationPattern, IntegrationStyle, Resource, Resources,
};
pub use retry::{Catcher, FailedIn, JitterStrategy, Retrier, matches};
pub use scope::{Evaluation, Scope};
pub use span::{Position, Span, positions};
pub use template::Template;
pub use timestamp::{Timestamp, format_millis};
pub use validate::{Checked, DEFINITION_BYTES_MAX, Options, check, diagnose};
