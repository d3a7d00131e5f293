//! The keeper: enters name spaces, starts the warden, and ends everything when it is time.

use std::fs;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, getgid, getpid, getuid, pidfd_open, set_child_subreaper, setsid,
};
use rustix::thread::UnshareFlags;

use super::{census, landlock, told, unshare};
use crate::cage::{Cage, Strength, THIS_PROGRAM, WARDEN, argument};

/// How often the script's processes, memory and files are counted, in milliseconds.
const CENSUS_MILLIS: u64 = 100;
/// How many bytes are a mebibyte.
const MEBIBYTE: u64 = 1024 * 1024;

/// Why a script's time is over.
enum End {
    /// It has ended by itself.
    Ended,
    /// Nobody waits for it any more.
    Abandoned,
    /// It was ended; this is said about it.
    Stopped(String),
}

/// Keeps a script until its end.
pub(in crate::cage) fn keep(cage: &Cage) -> Result<(), String> {
    // Keys that end the server's terminal session are not for the script: the lifeline is.
    let _ = setsid();
    let me = getpid();
    set_child_subreaper(Some(me)).map_err(told("adopting orphans"))?;
    let strength = Strength { name_spaces: enter_name_spaces(), landlock: landlock::is_there() };
    admit(cage, strength)?;
    let mut warden = start(cage, strength).map_err(told("starting the warden"))?;
    let end = watch(cage, me, &warden);
    // With the warden the kernel kills its whole name space; without one, everybody is sought.
    let _ = warden.kill();
    census::kill_descendants(me);
    let _ = warden.wait();
    match end {
        Ok(End::Ended) => Ok(()),
        // Whoever would have removed the directory may be dead.
        Ok(End::Abandoned) => fs::remove_dir_all(&cage.directory).map_err(|err| err.to_string()),
        Ok(End::Stopped(why)) => Err(why),
        Err(err) => Err(told("watching")(err)),
    }
}

/// Refuses a script from which nothing would be safe, unless that was asked for.
fn admit(cage: &Cage, strength: Strength) -> Result<(), String> {
    if strength != Strength::default() || cage.unprotected {
        return Ok(());
    }
    Err("Scripts are not run here: this kernel offers neither user name spaces nor Landlock to \
         keep them away from the server's data. `stepwell up --scripts open` runs them all the \
         same."
        .to_owned())
}

/// Enters name spaces of its own, if the kernel lets everybody do so; the next process that this
/// one starts is the first of them.
fn enter_name_spaces() -> bool {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let entered = unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWPID | UnshareFlags::NEWIPC);
    // Root inside, to mount; the warden gives all of it up before it starts the script.
    let map = |file: &str, id: u32| fs::write(format!("/proc/self/{file}"), format!("0 {id} 1"));
    entered.is_ok()
        && fs::write("/proc/self/setgroups", "deny").is_ok()
        && map("uid_map", uid).is_ok()
        && map("gid_map", gid).is_ok()
}

fn start(cage: &Cage, strength: Strength) -> io::Result<Child> {
    Command::new(THIS_PROGRAM)
        .args([WARDEN, &argument(cage), &argument(&strength)])
        // Its end tells the warden that the keeper is gone.
        .stdin(Stdio::piped())
        .spawn()
}

/// Waits until the script has ended or must end.
fn watch(cage: &Cage, me: Pid, warden: &Child) -> io::Result<End> {
    let began = Instant::now();
    let pid = Pid::from_raw(warden.id().cast_signed());
    let ended = pidfd_open(pid.ok_or(io::ErrorKind::NotFound)?, PidfdFlags::empty())?;
    let lifeline = io::stdin();
    let tick = Duration::from_millis(CENSUS_MILLIS);
    let tick = Timespec::try_from(tick).map_err(|_err| io::ErrorKind::InvalidInput)?;
    loop {
        let mut seen = [
            PollFd::new(&ended, PollFlags::IN),
            // Asked for nothing, poll tells only of its end.
            PollFd::new(&lifeline, PollFlags::empty()),
        ];
        match poll(&mut seen, Some(&tick)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(err.into()),
        }
        let [ended, lifeline] = &seen;
        if !ended.revents().is_empty() {
            return Ok(End::Ended);
        }
        if !lifeline.revents().is_empty() {
            return Ok(End::Abandoned);
        }
        if let Some(why) = excess(cage, me, pid, began.elapsed()) {
            return Ok(End::Stopped(why));
        }
    }
}

/// Returns what the script takes too much of.
fn excess(cage: &Cage, me: Pid, warden: Option<Pid>, elapsed: Duration) -> Option<String> {
    let share = cage.share;
    if share.seconds < elapsed.as_secs() {
        return Some(format!("The script was stopped after {} seconds.", share.seconds));
    }
    let census = census::census(me, warden);
    if share.processes < census.processes {
        return Some(format!("The script had more than {} processes at once.", share.processes));
    }
    if share.memory_bytes < census.memory_bytes {
        let mebibytes = share.memory_bytes / MEBIBYTE;
        return Some(format!("The script used more than {mebibytes} MiB of memory."));
    }
    let held = census::bytes_in(&cage.directory);
    if held.is_none_or(|bytes| share.directory_bytes < bytes) {
        let mebibytes = share.directory_bytes / MEBIBYTE;
        return Some(format!(
            "The script's files hold more than {mebibytes} MiB, or are too many."
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scripts;
    use crate::cage::Nature;

    #[test]
    fn nothing_runs_unprotected_unless_asked_for() {
        let mut cage = Cage {
            program: "python3".into(),
            arguments: Vec::new(),
            directory: "/nowhere".into(),
            readable: Vec::new(),
            hidden: Vec::new(),
            unprotected: false,
            share: Scripts::default().share,
            nature: Nature::Plain,
        };
        let nothing = Strength::default();
        assert!(admit(&cage, nothing).unwrap_err().contains("--scripts open"));
        for enough in
            [Strength { landlock: true, ..nothing }, Strength { name_spaces: true, ..nothing }]
        {
            assert_eq!(admit(&cage, enough), Ok(()));
        }
        cage.unprotected = true;
        assert_eq!(admit(&cage, nothing), Ok(()));
    }
}
