//! The claims of the `policy` crate, through its public boundary.
#![cfg(test)]

mod conformance;
mod decisions;
mod denial;
mod documents;
mod layers;
mod lint;
mod properties;
mod reasons;
mod remedies;
mod shorthand;
mod validation;
