//! `stepwell check`, beside a server and after it.

use std::os::unix::fs::FileExt;
use std::process::Output;

use value::{Value, value};

use super::server::{Server, program, text};

fn check(directory: &str, more: &[&str]) -> Output {
    program().args(["check", directory]).args(more).output().unwrap()
}

#[test]
fn a_directory_is_checked_while_a_server_works_on_it_and_damage_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let place = data.to_str().unwrap();
    let server = Server::start(&["--data", place], &[]);
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    let sound = check(place, &["--json"]);
    assert!(sound.status.success(), "{sound:?}");
    let found = value::parse_bytes(&sound.stdout).unwrap();
    assert_eq!(found.get("findings"), Some(&value!([])));
    assert_eq!(text(&found, &["directory"]), place);
    server.signal("TERM");
    server.ended();

    let sound = check(place, &[]);
    let said = String::from_utf8(sound.stdout).unwrap();
    assert!(sound.status.success() && said.contains("nothing is damaged"), "{said}");
    // What was brought back is in the tables, and nowhere else.
    let (backup, again) = (folder.path().join("backup"), folder.path().join("again"));
    let (backup, place) = (backup.to_str().unwrap(), again.to_str().unwrap());
    let key = data.join("key").display().to_string();
    for arguments in [
        vec!["backup", "--data", data.to_str().unwrap(), "--to", backup],
        vec!["restore", backup, "--data", place, "--key-file", &key],
    ] {
        let output = program().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let file = again.join("stepwell.sqlite");
    let bytes = std::fs::read(&file).unwrap();
    let row = b"kim".as_slice();
    let at = bytes.windows(row.len()).position(|found| found == row).unwrap();
    let file = std::fs::File::options().write(true).open(&file).unwrap();
    file.write_all_at(b"tim", at as u64).unwrap();
    let damaged = check(place, &["--json"]);
    assert_eq!(damaged.status.code(), Some(1), "{damaged:?}");
    let found = value::parse_bytes(&damaged.stdout).unwrap();
    let findings = found.get("findings").and_then(Value::as_array).unwrap();
    assert!(findings.iter().any(|finding| text(finding, &["place"]).contains("tim")), "{found}");
    let told = check(place, &[]);
    assert!(String::from_utf8(told.stderr).unwrap().contains("stepwell restore"));
    assert!(!check(folder.path().join("no").to_str().unwrap(), &[]).status.success());
}
