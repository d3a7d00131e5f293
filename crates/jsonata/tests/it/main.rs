//! Runs the conformance corpora and our own tests through the public interface.

mod score;
mod suite;
