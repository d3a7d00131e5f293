//! The warden: takes away what a script must not have, starts it, and buries its dead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, prlimit, set_parent_process_death_signal,
    setrlimit, wait,
};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, UnshareFlags, set_capabilities,
    set_capabilities_secure_bits, set_no_new_privs,
};

use super::{landlock, told, unshare};
use crate::cage::{Cage, DOOR, Nature, Share, Strength, THIS_PROGRAM, argument, readable};

/// Where a script finds its own directory when it has a mount name space.
const OWN_DIRECTORY: &str = "/tmp";
/// The least that the kernel takes as the number of processes of a name space.
const PID_MAX_MIN: u64 = 301;
/// How much longer the processor may be used than the step lasts, in seconds.
const PROCESSOR_GRACE_SECONDS: u64 = 5;

/// Runs the script of a cage to its end.
pub(in crate::cage) fn guard(cage: &Cage, strength: Strength) -> Result<(), String> {
    die_with_the_keeper()?;
    let mut directory = cage.directory.clone();
    if strength.name_spaces {
        directory = own_mounts(cage).map_err(told("mounting"))?;
        lower_ceilings(cage.share);
    }
    std::env::set_current_dir(&directory).map_err(told("entering the directory"))?;
    limit(cage.share, strength).map_err(told("limiting it"))?;
    give_up_privileges().map_err(told("giving up privileges"))?;
    if is_entered_through_a_door(cage, strength) {
        return run(door(cage), cage, &directory);
    }
    if strength.landlock {
        let mut seen = readable::without(&cage.readable, &cage.hidden);
        if strength.name_spaces {
            // Its own processes only; without a name space it would show everybody's.
            seen.push(PathBuf::from("/proc"));
        }
        landlock::confine(&directory, &seen).map_err(told("confining it"))?;
    }
    let mut script = Command::new(&cage.program);
    script.args(&cage.arguments).stderr(Stdio::null());
    run(script, cage, &directory)
}

/// Returns whether the script's process is to confine itself, for what it may read is not known
/// before there is one.
fn is_entered_through_a_door(cage: &Cage, strength: Strength) -> bool {
    cage.nature == Nature::DotNet && strength.landlock && !strength.name_spaces
}

/// Returns how a door is started; it still has words to say.
fn door(cage: &Cage) -> Command {
    let mut door = Command::new(THIS_PROGRAM);
    door.args([DOOR, &argument(cage)]);
    door
}

/// Ends with the keeper, whatever ends it, and at once if it has ended already.
fn die_with_the_keeper() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(told("binding its life"))?;
    let lifeline = io::stdin();
    let mut seen = [PollFd::new(&lifeline, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut seen, Some(&now)) {
        Ok(0) => Ok(()),
        Ok(_) | Err(_) => Err("The script's keeper is gone.".to_owned()),
    }
}

/// Shows the script its own processes, its own directory as `/tmp`, and nothing of what is hidden.
/// Returns where its directory is now.
fn own_mounts(cage: &Cage) -> io::Result<PathBuf> {
    // Not the keeper's: it counts processes in the /proc that it has.
    unshare(UnshareFlags::NEWNS)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let nothing = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let none = None::<&std::ffi::CStr>;
    if mount("proc", "/proc", "proc", nothing, none).is_err() {
        // A container that hides parts of its own /proc lets nobody mount another.
        mount("tmpfs", "/proc", "tmpfs", nothing | MountFlags::RDONLY, none)?;
    }
    for hidden in &cage.hidden {
        if hidden.is_dir() {
            mount("tmpfs", hidden, "tmpfs", nothing | MountFlags::RDONLY, none)?;
        } else if hidden.is_file() {
            mount_bind("/dev/null", hidden)?;
        }
    }
    let own = Path::new(OWN_DIRECTORY);
    // An interpreter that lies there itself must stay visible.
    let is_needed = cage.readable.iter().any(|path| path.starts_with(own));
    if is_needed || !own.is_dir() {
        return Ok(cage.directory.clone());
    }
    mount_bind(&cage.directory, own)?;
    Ok(own.to_owned())
}

/// Lowers what the kernel allows in the name spaces: a second fence behind the keeper's census.
fn lower_ceilings(share: Share) {
    // Not every kernel knows them for one name space alone: Linux has the first since 6.14.
    let _ = fs::write("/proc/sys/kernel/pid_max", share.processes.max(PID_MAX_MIN).to_string());
    let _ = fs::write("/proc/sys/user/max_user_namespaces", "0");
}

fn limit(share: Share, strength: Strength) -> rustix::io::Result<()> {
    let set = |resource, most: u64| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
    };
    set(Resource::Core, 0)?;
    set(Resource::Cpu, share.seconds.saturating_add(PROCESSOR_GRACE_SECONDS))?;
    set(Resource::Fsize, share.file_bytes)?;
    set(Resource::Nofile, share.open_files)?;
    if strength.name_spaces {
        // Elsewhere it would count every process of the user. One more is the warden.
        set(Resource::Nproc, share.processes.saturating_add(1))?;
    }
    Ok(())
}

/// Gives up every capability for good, for this process and for all that it starts.
fn give_up_privileges() -> rustix::io::Result<()> {
    set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    // Refused to those who have no capability to give up; they have nothing to lose either.
    let _ = set_capabilities_secure_bits(
        CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_SETUID_FIXUP
            | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
            | CapabilitiesSecureBits::KEEP_CAPS_LOCKED,
    );
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

/// Starts the interpreter and waits for it; orphans of its name space are reaped on the way.
fn run(mut script: Command, cage: &Cage, directory: &Path) -> Result<(), String> {
    let mut script = script
        .env("HOME", directory)
        .env("TMPDIR", directory)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(told("starting the interpreter"))?;
    let start = script.stdin.take();
    let script = Pid::from_raw(script.id().cast_signed());
    // Not before: this program's own allocator reserves more than a script may have. The harness
    // waits for the end of its standard input before it lets the script begin.
    let bytes = cage.share.memory_bytes;
    let (resource, most) = match cage.nature {
        Nature::Plain => (Resource::As, Some(bytes)),
        Nature::DotNet => (Resource::Data, Some(bytes.saturating_mul(2))),
    };
    prlimit(script, resource, Rlimit { current: most, maximum: most })
        .map_err(told("limiting its memory"))?;
    drop(start);
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if Some(pid) == script => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(told("waiting")(err)),
        }
    }
}
