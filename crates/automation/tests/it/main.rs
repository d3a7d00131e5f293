//! The tests of `automation`, all through its public interface.
#![cfg(test)]

mod corpus;
mod delete_iam_user;
mod driver;
mod python;
