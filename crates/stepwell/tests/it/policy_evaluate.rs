//! `stepwell policy evaluate` answers the conformance corpus as the crate itself does.

use std::collections::BTreeSet;

use value::Value;

use super::corpus::{corpus, failing, piped};
use super::server::program;

fn text<'v>(json: &'v Value, member: &str) -> &'v str {
    json.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn the_corpus_is_answered_as_the_crate_scores() {
    let Some(input) = corpus("policy/dev.jsonl") else { return };
    let cases: Vec<Value> = input.lines().map(|line| value::parse(line).unwrap()).collect();
    let output = piped(program().args(["policy", "evaluate", "--jsonl"]), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = printed.lines().map(|line| value::parse(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    let mut failed = BTreeSet::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(text(case, "id"), text(answer, "id"));
        if text(case, "expected") != text(answer, "decision") {
            failed.insert(text(case, "id").to_owned());
        }
    }
    assert_eq!(failed, failing("policy-decisions"));
}

#[test]
fn every_line_is_answered_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    let allowed = r#"{"id": 7, "request": {"principal": "states.amazonaws.com",
        "action": "sts:AssumeRole", "resource": "arn:aws:iam::123456789012:role/r"},
        "policies": {"resource": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "states.amazonaws.com"}}}}}"#;
    let lines =
        ["nonsense", "{\"id\": \"x\"}", "", &"[".repeat(100_000), &allowed.replace('\n', " ")];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let output = program().args(["policy", "evaluate", "--jsonl"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = printed.lines().map(|line| value::parse(line).unwrap()).collect();
    let decisions: Vec<&str> = answers.iter().map(|answer| text(answer, "decision")).collect();
    assert_eq!(decisions, ["", "", "", "Allowed"]);
    let message =
        |at: usize| answers[at].get("error").map(|error| text(error, "message").to_owned());
    assert_eq!(message(1).as_deref(), Some("`request` is missing"));
    assert!(message(0).is_some() && message(2).is_some() && message(3).is_none());
    assert_eq!(answers[3].get("id").and_then(Value::as_i64), Some(7));
}
