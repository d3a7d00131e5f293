//! What stands in a step, while it is checked, whose action nobody knows.

use super::{Action, Work};

pub(crate) static UNKNOWN: Action = Action {
    name: "",
    required: &[],
    timeout_seconds: None,
    may_follow_cancel: true,
    phrase: "",
    work: Work::Unknown,
};
