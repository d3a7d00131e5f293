//! `stepwell doctor`: what it says of the place where a server would keep things.

use std::path::Path;

use value::value;

use super::server::{Server, program};

/// Returns whether all is well, and the line about data or store.
fn doctor(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = program();
    command.args(["doctor", "--listen", "127.0.0.1:0"]).args(arguments);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains(" data: ") || line.contains(" store: "));
    (output.status.success(), line.unwrap_or_else(|| panic!("{text}")).to_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_directory_is_well_only_with_the_key_that_it_is_sealed_with() {
    let folder = tempfile::tempdir().unwrap();
    let (data, moved) = (folder.path().join("data"), folder.path().join("elsewhere"));
    let place = [("STEPWELL_DATA", text(&data))];
    let (well, line) = doctor(&[], &place);
    assert!(well && line.starts_with("ok ") && line.contains("will be created"), "{line}");
    let server = Server::start(&["--data", text(&data)], &[]);
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    server.signal("TERM");
    server.ended();
    let (well, line) = doctor(&["--data", text(&data)], &[]);
    assert!(well && line.starts_with("ok "), "{line}");
    std::fs::rename(data.join("key"), &moved).unwrap();
    let (well, line) = doctor(&[], &place);
    assert!(!well && line.starts_with("BAD ") && line.contains("open with the key"), "{line}");
    let (well, line) = doctor(&["--key-file", text(&moved)], &place);
    assert!(well && line.starts_with("ok "), "{line}");
    let (well, line) = doctor(&[], &[place[0], ("STEPWELL_KEY_FILE", text(&moved))]);
    assert!(well && line.starts_with("ok "), "{line}");
    std::fs::write(&moved, "no key").unwrap();
    let (well, line) = doctor(&["--key-file", text(&moved)], &place);
    assert!(!well && line.starts_with("BAD ") && line.contains("elsewhere"), "{line}");
    // Where nothing is yet, a key file that cannot be used is a reason not to start, too.
    let fresh = folder.path().join("fresh");
    let (well, line) = doctor(&["--data", text(&fresh), "--key-file", text(&moved)], &[]);
    assert!(!well && line.starts_with("BAD ") && line.contains("elsewhere"), "{line}");
}
