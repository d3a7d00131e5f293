//! The functions that Step Functions adds (developer guide, "Transforming data with JSONata in
//! Step Functions", read through the project's reference page on 2026-11-24).

pub(super) mod hash;
pub(super) mod parse;
pub(super) mod partition;
pub(super) mod random;
pub(super) mod range;
pub(super) mod uuid;
