//! The claims of the `policy` crate, through its public boundary.
#![cfg(test)]

mod conformance;
mod decisions;
mod validation;
