//! The claims of the `policy` crate, through its public boundary.
#![cfg(test)]

mod actions;
mod claims;
mod conformance;
mod decisions;
mod denial;
mod documents;
mod layers;
mod lint;
mod mutants;
mod properties;
mod reasons;
mod remedies;
mod shorthand;
mod validation;
