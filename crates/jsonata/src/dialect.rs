//! Which JSONata is spoken.

/// The two languages that a text can be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The reference language, release 2.2.2.
    Full,
    /// What Step Functions documents: release 2.0.6 without `$eval`, without the operators `??` and
    /// `?:`, and with `$partition`, `$range`, `$hash`, `$random(seed)`, `$uuid` and `$parse`.
    Aws,
}
