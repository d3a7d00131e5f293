//! Integration tests of `asl`.
#![cfg(test)]

mod conformance;
mod mutants;
mod validation;
