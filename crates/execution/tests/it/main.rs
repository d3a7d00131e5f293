//! Integration tests of `execution`.
#![cfg(test)]

mod branches;
mod conformance;
mod driver;
mod replay;
mod tasks;
