//! Integration tests of `execution`.
#![cfg(test)]

mod branches;
mod children;
mod conformance;
mod delete_iam_user;
mod driver;
mod limits;
mod map_run_redrive;
mod map_run_results;
mod map_runs;
mod redrive;
mod replay;
mod single_states;
mod tasks;
