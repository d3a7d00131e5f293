//! The program as a whole: started as a process, called over HTTP, told to stop by signals.
#![cfg(test)]

mod backup;
mod check;
mod corpus;
mod doctor;
mod eval;
mod graph;
mod lint;
mod log;
mod policy_check;
mod policy_evaluate;
mod retention;
mod run;
mod runbook;
mod server;
mod shutdown;
mod test_command;
mod traces;
mod up;
