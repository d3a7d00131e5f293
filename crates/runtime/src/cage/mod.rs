//! Where scripts run: a process that can reach little, costs little, and cannot outlive its step.
//!
//! The server starts this program again (`stepwell script-cage SPECIFICATION`) with a pipe as
//! standard input, its *lifeline*. Two processes stand around the script:
//!
//! - the **keeper** enters fresh user, mount, process and IPC name spaces where the
//!   kernel lets it, and watches: when the lifeline ends (the step is over, was cancelled, or the
//!   server has died, by whatever signal), when time is up, or when the script takes more than its
//!   share, it kills everything that descends from it;
//! - the **warden**, which is process 1 of the name space, takes away what a script
//!   must not have (capabilities, other people's files and processes, more than its share) and
//!   starts the interpreter. The kernel kills it with the keeper, and with it the whole name space.
//!
//! Where there is Landlock alone, an interpreter that cannot do without its own `/proc/PID`, as
//! .NET cannot, is entered through a **door**: the process that becomes the interpreter, for only
//! it knows its number, and confines itself before.
//!
//! What is guaranteed depends on the kernel; [`Strength`] says what there is, `docs/scripts.md`
//! what follows from it. All of this is done by programs that do it to themselves, so none of it
//! needs unsafe code.

#[cfg(target_os = "linux")]
mod linux;
mod readable;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

pub(crate) use readable::SYSTEM as READABLE;

/// The first argument of a keeper.
pub(crate) const KEEPER: &str = "script-cage";
/// The first argument of a warden.
const WARDEN: &str = "script-cage-warden";
/// The first argument of a door.
const DOOR: &str = "script-cage-door";
/// The running program, even when its file was replaced meanwhile.
pub(crate) const THIS_PROGRAM: &str = "/proc/self/exe";

/// One script's cage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cage {
    /// The interpreter.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The script's own directory, the only one that it can write to.
    pub(crate) directory: PathBuf,
    /// What else it can read.
    pub(crate) readable: Vec<PathBuf>,
    /// What it cannot read, even where that lies inside something readable.
    pub(crate) hidden: Vec<PathBuf>,
    /// Whether it may run where neither name spaces nor Landlock protect anything from it.
    pub(crate) unprotected: bool,
    /// What it may use.
    pub(crate) share: Share,
    /// What its interpreter needs that others do not.
    pub(crate) nature: Nature,
}

/// What is peculiar to an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Nature {
    /// Nothing: no process reserves more memory than its share.
    Plain,
    /// .NET: it reserves far more memory than it ever uses, and bounds what it uses itself. So the
    /// kernel counts what a process may write to, up to twice its share. And it reads what the
    /// kernel says of it in `/proc`.
    DotNet,
}

/// What a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How long it may run, by the clock and by the processor, in seconds.
    pub seconds: u64,
    /// How much memory all its processes may use, and how much each may reserve, in bytes.
    pub memory_bytes: u64,
    /// How many processes it may have at once.
    pub processes: u64,
    /// How long a file may be that it writes, in bytes.
    pub file_bytes: u64,
    /// How much all files in its directory may hold, in bytes.
    pub directory_bytes: u64,
    /// How many files it may have open in one process.
    pub open_files: u64,
}

/// What the kernel offers to keep a script apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Strength {
    /// Name spaces of its own: it sees no process but its own, and none survives.
    pub(crate) name_spaces: bool,
    /// Landlock: it opens no file but those named.
    pub(crate) landlock: bool,
}

/// Does the work of a keeper, a warden or a door when this program was started as one.
///
/// A program that runs scripts calls this first of all, before it starts any thread.
pub fn entered() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let role = match arguments.next()?.as_str() {
        KEEPER => Role::Keeper,
        WARDEN => Role::Warden,
        DOOR => Role::Door,
        _ => return None,
    };
    let read = read(&mut arguments);
    let result = read.and_then(|(cage, strength)| play(role, &cage, strength));
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Standard error is where the server listens for the cage's own words.
            eprint!("{why}");
            ExitCode::FAILURE
        }
    })
}

/// Which of the processes around a script this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Keeper,
    Warden,
    Door,
}

#[cfg(target_os = "linux")]
fn play(role: Role, cage: &Cage, strength: Strength) -> Result<(), String> {
    match role {
        Role::Keeper => linux::keeper::keep(cage),
        Role::Warden => linux::warden::guard(cage, strength),
        Role::Door => linux::door::pass(cage),
    }
}

#[cfg(not(target_os = "linux"))]
fn play(_role: Role, _cage: &Cage, _strength: Strength) -> Result<(), String> {
    Err("Scripts are run on Linux only: nothing else keeps them apart.".to_owned())
}

/// Reads the specification and how strong the cage is, which a keeper finds out itself.
fn read(arguments: &mut impl Iterator<Item = String>) -> Result<(Cage, Strength), String> {
    let mut next = || {
        let text = arguments.next().unwrap_or_else(|| "{}".to_owned());
        value::parse(&text).map_err(|err| err.message)
    };
    let cage = value::from_value(next()?).map_err(|err| err.to_string())?;
    let strength = value::from_value(next()?).unwrap_or_default();
    Ok((cage, strength))
}

/// Returns a specification as the argument that [`entered`] reads.
pub(crate) fn argument<T: Serialize>(specification: &T) -> String {
    value::to_value(specification).map(|value| value.to_string()).unwrap_or_default()
}
