//! `stepwell run` of state machines, and what is said of what cannot be run.

use std::path::Path;
use std::process::{Output, Stdio};

use super::server::program;

const TEMPLATE: &str = "
Resources:
  One:
    Type: AWS::StepFunctions::StateMachine
    Properties: {Definition: {StartAt: A, States: {A: {Type: Pass, Result: one, End: true}}}}
  Other:
    Type: AWS::StepFunctions::StateMachine
    Properties: {Definition: {StartAt: A, States: {A: {Type: Pass, Result: other, End: true}}}}
";

fn run(path: &Path, more: &[&str]) -> Output {
    program().arg("run").arg(path).args(more).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns what is said of a path that cannot be run.
fn complaint(path: &Path) -> String {
    let output = run(path, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", path.display());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_machine_in_yaml_runs_and_nothing_is_said_of_checks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("注文.asl.yaml");
    std::fs::write(&file, "StartAt: 受付\nStates: {受付: {Type: Pass, End: true}}\n").unwrap();
    let output = run(&file, &["--input", r#"{"名前": "金"}"#]);
    let shown = out(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("-> 受付 Pass\n"), "{shown}");
    assert!(shown.contains("output: {\"名前\":\"金\"}\nSUCCEEDED, "), "{shown}");
    assert!(!shown.contains("checks"), "{shown}");
}

#[test]
fn a_machine_of_a_template_is_chosen_by_its_logical_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yaml");
    std::fs::write(&file, TEMPLATE).unwrap();
    let output = run(&file, &["--machine", "Other"]);
    assert!(out(&output).contains("output: \"other\"\n"), "{}", out(&output));
    let told = complaint(&file);
    assert!(told.contains("one of One, Other must be chosen\nhint: --machine"), "{told}");
}

#[test]
fn a_task_calls_the_command_that_stands_for_its_function() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greet.asl.yaml");
    let machine = "
QueryLanguage: JSONata
StartAt: Greet
States:
  Greet:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: greet, Payload: {name: '{% $states.input.name %}'}}
    Output: '{% $states.result.Payload %}'
    End: true
";
    std::fs::write(&file, machine).unwrap();
    let input = ["--input", r#"{"name": "金"}"#];
    let output = run(&file, &[&input[..], &["--lambda", "greet=cat"]].concat());
    assert!(out(&output).contains("output: {\"name\":\"金\"}\nSUCCEEDED, "), "{}", out(&output));
    let without = run(&file, &input);
    assert_eq!(without.status.code(), Some(1));
    assert!(out(&without).contains("--endpoint lambda=URL"), "{}", out(&without));
    let wrong = run(&file, &["--lambda", "greet"]);
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("hint: for example `--lambda greet="), "{told}");
}

#[test]
fn what_cannot_be_run_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.asl.json");
    let told = complaint(&none);
    assert!(told.starts_with(&format!("error: there is no {}\nhint: ", none.display())), "{told}");
    let told = complaint(folder.path());
    assert!(told.starts_with("error: there is no stepwell.yaml in "), "{told}");
    let file = folder.path().join("broken.asl.json");
    std::fs::write(&file, format!("{{\"StartAt\": nope}}\n{}", " ".repeat(400))).unwrap();
    let told = complaint(&file);
    let first = told.lines().next().unwrap();
    assert!(first.contains("broken.asl.json:1:"), "{told}");
    assert!(first.contains("Unrecognized token 'nope'"), "{told}");
    assert!(!told.contains("[Source"), "not the whole text: {told}");
    std::fs::write(&file, "{\"StartAt\": \"A\",\n\"States\": {\"A\": {\"Type\": \"Pass\"}}}")
        .unwrap();
    assert!(complaint(&file).contains("broken.asl.json:2:"));
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.asl.json");
    std::fs::write(&file, r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#).unwrap();
    let lines = folder.path().join("lines");
    std::fs::write(&lines, "{\"expr\": \"1\"}\n").unwrap();
    let (run, eval) = (["run", file.to_str().unwrap()], ["eval", "--jsonl"]);
    for arguments in [run, eval] {
        let input = std::fs::File::open(&lines).unwrap();
        let mut command = program();
        command.args(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(141), "{arguments:?}");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    }
}
