//! The door: confines its own process and becomes the interpreter.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{landlock, told};
use crate::cage::{Cage, readable};

/// What the kernel says of this process. Not what others can be seen in.
const OWN_PROCESS: &str = "/proc/self";

/// Becomes the interpreter of a cage; returns only when it cannot.
pub(in crate::cage) fn pass(cage: &Cage) -> Result<(), String> {
    let own = Path::new(OWN_PROCESS).canonicalize().map_err(told("finding its process"))?;
    let mut seen = readable::without(&cage.readable, &cage.hidden);
    seen.push(own);
    landlock::confine(&cage.directory, &seen).map_err(told("confining it"))?;
    let failed = Command::new(&cage.program).args(&cage.arguments).stderr(Stdio::null()).exec();
    Err(told("starting the interpreter")(failed))
}
