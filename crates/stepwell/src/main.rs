//! Stepwell: a durable Step Functions and SSM Automation engine in one binary.
//!
//! `cli/` has a file per command; `server.rs` is a whole server; `example/` runs a folder on one;
//! `definitions/` reads the files that hold state machines; `graph/` draws
//! them, `testing/` runs their cases; `runbook/` shows automation executions; `output.rs` prints.

// First, for its macros.
#[macro_use]
mod output;

mod cli;
mod credentials;
mod definitions;
mod example;
mod graph;
mod runbook;
mod server;
mod testing;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // First of all: what a script's cage is made of must not start a thread.
    runtime::cage::entered().unwrap_or_else(|| {
        use_small_pages();
        cli::run()
    })
}

/// Asks the kernel for pages of the usual size: where it hands out huge ones to everybody, an idle
/// server has three times the memory that it uses, and no figure of the bench is better for it.
fn use_small_pages() {
    // A kernel that cannot do that costs memory and nothing else.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
