//! What a cage is made of on Linux.

mod census;
pub(super) mod door;
pub(super) mod keeper;
mod landlock;
pub(super) mod warden;

use rustix::thread::UnshareFlags;

/// Leaves name spaces for new ones.
fn unshare(spaces: UnshareFlags) -> rustix::io::Result<()> {
    #[expect(deprecated, reason = "unsound only for FILES, which nobody unshares here")]
    rustix::thread::unshare(spaces)
}

/// Says what went wrong with a step of the preparation.
fn told<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |err| format!("The script's cage could not be made: {what}: {err}.")
}
