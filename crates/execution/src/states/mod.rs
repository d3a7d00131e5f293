//! The state types, a file each. `begin` starts a state's work on entry and on every retry; an
//! error is a failure to evaluate the definition over the data at hand.

pub(crate) mod choice;
pub(crate) mod fail;
pub(crate) mod job;
pub(crate) mod map;
pub(crate) mod map_run;
pub(crate) mod parallel;
pub(crate) mod pass;
pub(crate) mod succeed;
pub(crate) mod task;
pub(crate) mod wait;
