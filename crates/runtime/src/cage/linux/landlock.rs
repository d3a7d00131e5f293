//! Landlock: this process, and everything it will start, opens no file but those named.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest version of Landlock whose rights are used: those of Linux 6.12.
const VERSION: ABI = ABI::V6;

/// Devices that a script reads and writes.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Returns whether the kernel has Landlock and lets this process use it.
pub(super) fn is_there() -> bool {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let rules = rules.handle_access(AccessFs::from_all(ABI::V1));
    rules.and_then(Ruleset::create).is_ok()
}

/// Confines this process for good. What the kernel cannot confine yet it leaves open: before Linux
/// 6.12 signals to other processes of the same user.
pub(super) fn confine(directory: &PathBuf, readable: &[PathBuf]) -> Result<(), RulesetError> {
    let all = AccessFs::from_all(VERSION);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(VERSION))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(VERSION)))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::from_file(VERSION)))?
        .add_rules(path_beneath_rules([directory], writable(all)))?
        .restrict_self()?;
    debug_assert!(status.ruleset != RulesetStatus::NotEnforced, "Landlock was there before");
    Ok(())
}

/// A script makes files, directories and links in its own directory, but no devices.
fn writable(all: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    all & !(AccessFs::MakeChar | AccessFs::MakeBlock)
}
