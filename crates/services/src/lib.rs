//! The AWS APIs that Stepwell serves.
//!
//! What it is: one folder per service (`iam`, `sts`, `states`, `ssm`, `events`, `cloudformation`),
//! in it one file per kind of resource, in it one function per operation, all listed as data in
//! [`Operation`]s. The dispatcher validates, authorises and runs them; they are plain functions of a
//! call, a transaction and an input. What it is not: it speaks no protocol (`wire` does) and runs no
//! process (`runtime` does).
//!
//! May depend on: every crate of a lower floor.

mod call;
mod context;
mod error;
pub mod iam;
pub mod ids;
mod input;
mod operation;
pub mod page;
pub mod sts;

pub use call::{Call, Origin, SessionPolicy, Settings};
pub use context::{Notice, Reading, Writing};
pub use error::{Answer, Error};
pub use input::Input;
pub use operation::{Check, Operation, Pending, Run};

/// Everything that serves calls.
pub struct Services {}
