//! Integration tests of `execution`.
#![cfg(test)]

mod conformance;
