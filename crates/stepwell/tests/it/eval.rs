//! `stepwell eval` answers the conformance corpus as the crate itself does.

use std::collections::BTreeSet;

use value::{Value, value};

use super::corpus::{corpus, failing, piped};
use super::server::program;

/// The suite imposes these on a few cases; a line of `--jsonl` cannot.
const IMPOSED: [&str; 2] = ["timelimit", "depth"];
/// The suite names budgets by these codes where we have none.
const BUDGET_CODES: [&str; 3] = ["U1001", "D1011", "D1012"];

fn answers(dialect: &str, requests: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = requests.iter().map(Value::to_json).collect();
    let output = piped(program().args(["eval", "--jsonl", "--dialect", dialect]), lines.join("\n"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| value::parse(line).unwrap()).collect();
    assert_eq!(answers.len(), requests.len());
    answers
}

fn request(case: &Value, datasets: &Value) -> Value {
    let dataset = case.get("dataset").and_then(Value::as_str).and_then(|name| datasets.get(name));
    value!({"expr": case.get("expr").cloned()})
        .with_some("data", case.get("data").or(dataset).cloned())
        .with_some("bindings", case.get("bindings").cloned())
}

fn has_code(error: &Value, code: &Value) -> bool {
    let budget = code.as_str().is_some_and(|code| BUDGET_CODES.contains(&code));
    error.get("code").is_some_and(|found| if budget { found.is_null() } else { found == code })
}

fn same_items(left: &Value, right: &Value) -> bool {
    let sorted = |value: &Value| {
        let items = value.as_array().unwrap_or_default();
        let mut items: Vec<String> = items.iter().map(ToString::to_string).collect();
        items.sort();
        items
    };
    sorted(left) == sorted(right)
}

/// Returns whether the suite takes an answer for right.
fn passes(case: &Value, answer: &Value) -> bool {
    let undefined = answer.get("undefined").is_some();
    if let Some(expected) = case.get("result") {
        // The suite compares functions, which are no JSON, as null.
        return match answer.get("result") {
            Some(found) if case.get("unordered").is_some() => same_items(found, expected),
            Some(found) => found == expected,
            None => undefined && expected.is_null(),
        };
    }
    if case.get("undefinedResult").is_some() {
        return undefined;
    }
    let Some(error) = answer.get("error") else { return false };
    if let Some(code) = case.get("code") {
        return has_code(error, code);
    }
    let Some(facts) = case.get("error").and_then(Value::as_object) else { return false };
    facts.iter().all(|(name, fact)| match &**name {
        "code" => has_code(error, fact),
        "message" | "position" | "token" => error.get(name) == Some(fact),
        _ => true,
    })
}

fn id(case: &Value) -> String {
    case.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[test]
fn the_suite_is_answered_as_the_crate_scores() {
    let (Some(cases), Some(datasets)) =
        (corpus("jsonata/dev.jsonl"), corpus("jsonata/datasets.json"))
    else {
        return;
    };
    let datasets = value::parse(&datasets).unwrap();
    // Lone surrogates cannot be in a text.
    let cases = cases.lines().filter_map(|line| value::parse(line).ok());
    let cases: Vec<Value> =
        cases.filter(|case| IMPOSED.iter().all(|name| case.get(name).is_none())).collect();
    assert!(1_300 < cases.len(), "{} cases", cases.len());
    let requests: Vec<Value> = cases.iter().map(|case| request(case, &datasets)).collect();
    let answers = answers("full", &requests);
    let judged = cases.iter().zip(&answers).filter(|(case, answer)| !passes(case, answer));
    let failed: BTreeSet<String> = judged.map(|(case, _)| id(case)).collect();
    let known = failing("jsonata-suite");
    let known = known.into_iter().filter(|known| cases.iter().any(|case| id(case) == *known));
    assert_eq!(failed, known.collect());
}

#[test]
fn generated_expressions_are_answered_as_the_crate_scores() {
    let Some(text) = corpus("jsonata/diff.jsonl") else { return };
    let lines: Vec<Value> = text.lines().map(|line| value::parse(line).unwrap()).collect();
    let (first, cases) = lines.split_first().unwrap();
    let request = |case: &Value| {
        let expression = case.get("expr").cloned();
        value!({"expr": expression, "bindings": first.get("bindings").cloned()})
    };
    let answers = answers("full", &cases.iter().map(request).collect::<Vec<_>>());
    let right = |case: &Value, answer: &Value| {
        let js = case.get("js").unwrap();
        match js.get("kind").and_then(Value::as_str) {
            Some("value") => {
                let json = js.get("json").and_then(Value::as_str).unwrap_or_default();
                value::parse(json).ok().as_ref() == answer.get("result")
            }
            Some("undefined" | "function") => answer.get("undefined").is_some(),
            _ => {
                let error = answer.get("error");
                error.is_some_and(|error| has_code(error, js.get("code").unwrap_or(&Value::Null)))
            }
        }
    };
    let judged = cases.iter().zip(&answers).filter(|(case, answer)| !right(case, answer));
    let failed: BTreeSet<String> = judged.map(|(case, _)| id(case)).collect();
    assert_eq!(failed, failing("jsonata-generated"));
}

#[test]
fn one_expression_is_answered_for_machines_when_nobody_watches() {
    let eval = |arguments: &[&str], input: &str| {
        let output = piped(program().arg("eval").args(arguments), input.to_owned());
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), told.trim_end().to_owned())
    };
    let states = r#"states={"input":{"name":"営業"}}"#;
    for (arguments, input, code, told) in [
        (
            &["{% $states.input.name & '部' %}", "--bind", states][..],
            "",
            0,
            r#"{"result":"営業部"}"#,
        ),
        (&["a.b", "-"], r#"{"a":{"b":[1,2]}}"#, 0, r#"{"result":[1,2]}"#),
        (&["a.b"], "", 0, r#"{"undefined":true}"#),
        (&["a ?? 1", "--dialect", "full"], "", 0, r#"{"result":1}"#),
    ] {
        assert_eq!(eval(arguments, input), (code, told.to_owned()), "{arguments:?}");
    }
    let (code, told) = eval(&["1 +"], "");
    assert!(code == 1 && told.starts_with(r#"{"error":{"code":"S0207","position":3,"#), "{told}");
    let (code, told) = eval(&["a", "{"], "");
    assert!(code == 1 && told.is_empty(), "{told}");
}
