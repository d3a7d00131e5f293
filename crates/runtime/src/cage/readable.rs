//! What a script can read, and how something inside is left out.

use std::fs;
use std::path::{Path, PathBuf};

/// What interpreters and their libraries need of the system. Not all of `/etc`, for it holds
/// secrets, which a server that runs as root could read.
pub(crate) const SYSTEM: [&str; 32] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/nix/store",
    "/sys/devices/system/cpu",
    "/dev/random",
    "/dev/urandom",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/tls",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// How many directories are looked into to leave one out.
const CARVED_MAX: usize = 64;

/// Returns what is readable without what is hidden: a directory that holds something hidden is
/// replaced by what else it holds.
pub(super) fn without(readable: &[PathBuf], hidden: &[PathBuf]) -> Vec<PathBuf> {
    let real = |path: &PathBuf| path.canonicalize().ok();
    let hidden: Vec<PathBuf> = hidden.iter().filter_map(real).collect();
    let mut open: Vec<PathBuf> = readable.iter().filter_map(real).collect();
    let mut kept = Vec::new();
    let mut carved = 0;
    while let Some(path) = open.pop() {
        if hidden.iter().any(|hidden| path.starts_with(hidden)) {
            continue;
        }
        if !hidden.iter().any(|hidden| hidden.starts_with(&path)) {
            kept.push(path);
            continue;
        }
        carved += 1;
        // What is nested deeper than that is left out altogether.
        if carved <= CARVED_MAX {
            open.extend(entries(&path));
        }
    }
    kept
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.path().canonicalize().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_is_hidden_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for inner in ["a/data", "a/lib", "b"] {
            fs::create_dir_all(root.join(inner)).unwrap();
        }
        std::os::unix::fs::symlink(root.join("a/data"), root.join("a/link")).unwrap();
        let mut kept = without(std::slice::from_ref(&root), &[root.join("a/data")]);
        kept.sort();
        assert_eq!(kept, [root.join("a/lib"), root.join("b")]);
        assert!(without(&[root.join("a/data/x")], &[root.join("a")]).is_empty());
    }
}
