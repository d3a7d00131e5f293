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

/// Lines by chance, the same on every run: requests of the corpus with pieces taken out, doubled or
/// put elsewhere.
fn damaged(lines: &[&str], count: usize) -> Vec<String> {
    let mut seed = 20_261_125_u64;
    let mut roll = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let mut made = Vec::new();
    for _ in 0..count {
        let mut text: Vec<char> = lines[roll(lines.len())].chars().collect();
        for _ in 0..=roll(3) {
            let at = roll(text.len() + 1);
            let end = (at + roll(12)).min(text.len());
            match roll(3) {
                0 => drop(text.drain(at..end)),
                1 => {
                    let piece = text[at..end].to_vec();
                    let to = roll(text.len() + 1);
                    text.splice(to..to, piece);
                }
                _ => drop(text.splice(at..end, "\"*${}[]:,".chars().skip(roll(9)).take(2))),
            }
        }
        made.push(text.into_iter().collect::<String>());
    }
    made
}

#[test]
fn damaged_requests_are_errors_or_decided_and_nothing_panics() {
    let Some(input) = corpus("policy/dev.jsonl") else { return };
    let lines: Vec<&str> = input.lines().collect();
    let damaged = damaged(&lines, 3_000);
    let output = piped(program().args(["policy", "evaluate", "--jsonl"]), damaged.join("\n"));
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    assert!(!complaints.contains("panicked"), "{complaints}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = printed.lines().map(|line| value::parse(line).unwrap()).collect();
    let asked = damaged.iter().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(answers.len(), asked);
    // An error is never a decision, and there is always one of the two.
    let decided = |answer: &Value| answer.get("decision").is_some();
    let wrong = |answer: &Value| answer.get("error").is_some();
    assert!(answers.iter().all(|answer| decided(answer) != wrong(answer)));
    assert!(answers.iter().filter(|answer| decided(answer)).count() > 100);
}
