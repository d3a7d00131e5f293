//! `stepwell test` as build servers call it.

use std::path::Path;

use value::Value;

use super::server::program;

#[test]
fn the_example_passes_and_reaches_everything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = program();
    command.current_dir(root).args(["test", "examples/test-with-mocks/cases.yaml", "--json"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let told = value::parse_bytes(output.stdout.trim_ascii()).unwrap();
    let coverage = told.get("files").and_then(|files| files.at(0)?.get("coverage")).unwrap();
    for list in ["states", "choiceBranches"] {
        for one in coverage.get(list).and_then(Value::as_array).unwrap() {
            assert!(0 < one.get("times").and_then(Value::as_i64).unwrap(), "{one}");
        }
    }
}

#[test]
fn a_case_that_fails_is_told_in_the_status_and_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "m.asl.json",
        r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}}}"#,
    );
    write(
        "cases.yaml",
        "machine: m.asl.json\ncases:\n  - {name: one, input: {a: 1}, expect: {output: {a: 1}}}\n  \
         - {name: other, expect: {output: 2}}\n",
    );
    let run = |options: &[&str]| {
        let mut command = program();
        command.current_dir(folder.path()).args(["test", "cases.yaml"]).args(options);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, printed) = run(&["--junit", "report.xml"]);
    assert_eq!(status, 1);
    for text in ["1 passed, 1 failed", "3600 s", "output: 2 was expected, not {}", "reached 1 of 1"]
    {
        assert!(printed.contains(text), "{text}: {printed}");
    }
    let xml = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(
        xml.contains("tests=\"2\" failures=\"1\"") && xml.contains("time=\"3600.000\""),
        "{xml}"
    );
    assert_eq!(run(&["--only", "one"]).0, 0);
    assert_eq!(run(&["--only", "none of them"]).0, 1);
}
