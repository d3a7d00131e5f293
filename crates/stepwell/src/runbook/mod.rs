//! Automation executions as a person sees them.
//!
//! `look` reads an execution and those that it started, `rows` makes lines of their steps, `live`
//! shows them while they run, `report` afterwards; `play` runs a file on a server of its own.

mod live;
mod look;
mod play;
mod report;
mod rows;

pub(crate) use live::meaning;
pub(crate) use look::{Ask, look};
pub(crate) use play::{Play, is_runbook, parameters, play};
pub(crate) use report::{moment, report};
