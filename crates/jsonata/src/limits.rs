//! What one evaluation may use up.

/// Nesting of evaluations that Step Functions allows (recorded: a sum of 200 terms fails).
pub(crate) const AWS_DEPTH_MAX: usize = 100;
/// Memory that Step Functions allows one evaluation, in bytes.
pub(crate) const AWS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Nesting of evaluations outside Step Functions: what a thread's stack of 2 MiB surely holds.
pub(crate) const DEPTH_MAX: usize = 420;
/// Memory outside Step Functions, in bytes.
pub(crate) const BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Evaluated nodes and native loop rounds of one evaluation.
pub(crate) const STEPS_MAX: u64 = 50_000_000;

/// Budgets of one evaluation; running out of one is an error without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deeply evaluations may nest.
    pub depth_max: usize,
    /// How many bytes the values made by the evaluation may take, as metered by Step Functions:
    /// 12 for an array slot, 1 for a character.
    pub bytes_max: usize,
    /// How many nodes may be evaluated; stands in for a time limit without needing a clock.
    pub steps_max: u64,
}

impl Limits {
    /// Returns the limits of Step Functions.
    pub fn aws() -> Limits {
        Limits { depth_max: AWS_DEPTH_MAX, bytes_max: AWS_BYTES_MAX, steps_max: STEPS_MAX }
    }

    /// Returns the widest limits that are safe on any thread.
    pub fn wide() -> Limits {
        Limits { depth_max: DEPTH_MAX, bytes_max: BYTES_MAX, steps_max: STEPS_MAX }
    }
}
