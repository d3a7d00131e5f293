//! A program that is nothing but a script's cage, for tests of the runtime; a server is its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::cage::entered().unwrap_or(ExitCode::FAILURE)
}
