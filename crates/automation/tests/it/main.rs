//! The tests of `automation`, all through its public interface.
#![cfg(test)]

mod actions;
mod cases;
mod corpus;
mod delete_iam_user;
mod documents;
mod driver;
mod flow;
mod forms;
mod loops;
mod parameters;
mod python;
mod rate;
mod replay;
