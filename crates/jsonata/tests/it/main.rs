//! Runs the conformance corpora and our own tests through the public interface.

mod aws;
mod limits;
mod scope;
mod score;
mod suite;
