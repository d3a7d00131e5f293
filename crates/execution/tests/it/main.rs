//! Integration tests of `execution`.
#![cfg(test)]

mod branches;
mod conformance;
mod delete_iam_user;
mod driver;
mod limits;
mod replay;
mod single_states;
mod tasks;
