//! Integration tests of `asl`.
#![cfg(test)]

mod validation;
