//! Runs the conformance corpora and our own tests through the public interface.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod aws;
mod limits;
mod mutants;
mod race;
mod scope;
mod score;
mod shortcut;
mod soup;
mod suite;
