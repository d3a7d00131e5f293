//! Backups of a server at work, and what comes back of them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use value::{Value, value};

use super::server::{Server, call, program, text};

fn stepwell(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = stepwell(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn executions(server: &Server, machine: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut next = Value::Null;
    loop {
        let mut input = value!({"stateMachineArn": machine, "maxResults": 1000});
        if next != Value::Null {
            input.set("nextToken", next);
        }
        let answer = server.ok("stepfunctions", "ListExecutions", input);
        for execution in answer.get("executions").and_then(Value::as_array).unwrap() {
            found.insert((text(execution, &["executionArn"]), text(execution, &["status"])));
        }
        match answer.get("nextToken") {
            Some(token) => next = token.clone(),
            None => return found,
        }
    }
}

const WAITS: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"Next":"P"},
    "P":{"Type":"Pass","End":true}}}"#;
const PASSES: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;

#[test]
fn a_backup_under_load_holds_everything_that_was_acknowledged_before() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    let server = Server::start(&["--data", path(&data)], &[]);
    let waits = server.machine("waits", "STANDARD", WAITS);
    let passes = server.machine("passes", "STANDARD", PASSES);
    let start = |client: &_, machine: &str| {
        call(client, "stepfunctions", "StartExecution", value!({"stateMachineArn": machine}))
    };
    let mut before = BTreeSet::new();
    for _ in 0..30 {
        for machine in [&waits, &passes] {
            let started = start(&server.client(), machine).unwrap();
            before.insert(text(&started, &["executionArn"]));
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let started = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..2)
        .map(|_| {
            let (stop, client, passes) = (stop.clone(), server.client(), passes.clone());
            let started = started.clone();
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    call(
                        &client,
                        "stepfunctions",
                        "StartExecution",
                        value!({"stateMachineArn": &passes}),
                    )
                    .unwrap();
                    started.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    while started.load(Ordering::SeqCst) < 10 {
        std::thread::yield_now();
    }
    let output = stepwell(&["backup", "--data", path(&data), "--to", path(&file), "--json"]);
    stop.store(true, Ordering::SeqCst);
    for thread in load {
        thread.join().unwrap();
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = value::parse_bytes(output.stdout.trim_ascii()).unwrap();
    assert!(60 * 3 < told.get("rows").and_then(Value::as_i64).unwrap(), "{told}");
    let key = text(&told, &["key"]);
    server.signal("KILL");
    server.ended();

    let back = folder.path().join("back");
    let output = stepwell(&["restore", path(&file), "--data", path(&back)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = folder.path().join("again");
    let output_again = stepwell(&["restore", path(&file), "--data", path(&again), "--json"]);
    let told = value::parse_bytes(output_again.stdout.trim_ascii()).unwrap();
    assert_eq!(text(&told, &["key"]), key);
    // The key is not in the backup; whoever brings it back is told.
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!key.is_empty() && said.contains(&format!("the key {key} only")), "{said}");
    let mode = std::fs::metadata(data.join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::copy(data.join("key"), back.join("key")).unwrap();
    let server = Server::start(&["--data", path(&back), "--clock", "virtual"], &[]);
    let known: BTreeSet<(String, String)> =
        [&waits, &passes].into_iter().flat_map(|machine| executions(&server, machine)).collect();
    let arns: BTreeSet<String> = known.iter().map(|(arn, _)| arn.clone()).collect();
    let lost: Vec<_> = before.difference(&arns).collect();
    assert_eq!(lost, [""; 0], "lost");
    // The virtual clock jumps over the waits: all go on to their end.
    for _ in 0..500 {
        if executions(&server, &waits).iter().all(|(_, status)| status == "SUCCEEDED") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("some do not go on: {:?}", executions(&server, &waits));
}

#[test]
fn what_cannot_be_brought_back_safely_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    let server = Server::start(&["--data", path(&data)], &[]);
    server.ok("iam", "CreateUser", value!({"UserName": "kim"}));
    let backup = ["backup", "--data", path(&data), "--to", path(&file)];
    assert!(stepwell(&backup).status.success());
    assert!(refused(&backup).contains("is there already"));
    let none = folder.path().join("none");
    let nothing =
        refused(&["backup", "--data", path(&none), "--to", path(&folder.path().join("b"))]);
    assert!(nothing.contains("no store"), "{nothing}");
    assert!(!none.exists());
    // Into the directory of a server that runs, and into a used one.
    let restore = ["restore", path(&file), "--data", path(&data)];
    assert!(refused(&restore).contains("in use"));
    server.signal("TERM");
    server.ended();
    let text = refused(&restore);
    assert!(text.contains("not empty") && text.contains("hint:"), "{text}");
    // Damage: the place is named, and nothing is made.
    let mut bytes = std::fs::read(&file).unwrap();
    let needle = b"000000000000/kim";
    for at in 0..bytes.len() - needle.len() {
        if &bytes[at..at + needle.len()] == needle {
            bytes[at + needle.len() + 3] ^= 1;
        }
    }
    let damaged = folder.path().join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    let text = refused(&["restore", path(&damaged), "--data", path(&none)]);
    assert!(text.contains("iam_users/000000000000/kim"), "{text}");
    assert!(!none.exists());
}
