//! Every definition of the recorded cases: accepted where AWS accepted it, refused in the same words.

use std::path::{Path, PathBuf};

use asl::{AnyResource, Definition, Options, Severity, StateMachineType, check};
use value::{Value, value};

fn corpus() -> PathBuf {
    let root = std::env::var_os("STEPWELL_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    root.join("states/dev")
}

fn cases(folder: &Path) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json"));
    texts.map(|path| value::parse(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// Puts plausible names in for what only a running case knows.
fn substitute(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\u{27e6}') {
        let (reference, behind) = behind.split_once('\u{27e7}').unwrap();
        out.push_str(before);
        out.push_str(match reference.rsplit(['.', ':']).next() {
            Some("FunctionArn") => "arn:aws:lambda:us-east-1:111111111111:function:f",
            Some("activityArn") => "arn:aws:states:us-east-1:111111111111:activity:a",
            Some("account") => "111111111111",
            _ => "name",
        });
        rest = behind;
    }
    out + rest
}

/// Returns what AWS was recorded to say to step `index`, if the case looks at it.
fn recorded(case: &Value, index: usize) -> Option<&Value> {
    let steps = case.get("steps").and_then(Value::as_array).unwrap();
    let key = steps.iter().find_map(|step| {
        let key = step.get("match")?.as_str()?;
        let value = step.get("value")?;
        let members = value.get("$obj").and_then(Value::as_object);
        let mut parts = members.into_iter().flat_map(value::Map::values).chain([value]);
        let refers = parts.any(|part| {
            ["$call", "$exc", "$excstr"]
                .iter()
                .any(|name| part.get(name).and_then(Value::as_i64) == i64::try_from(index).ok())
        });
        refers.then_some(key)
    });
    case.get("expected").and_then(|expected| expected.get(key?))
}

/// How a refusal begins that was recorded on the emulator that the cases come from, not on AWS.
const EMULATORS_WORDS: &str = "Error=ValueError Args=";

/// Finds the text of a refusal in a recorded answer.
fn refusal(answer: &Value) -> Option<String> {
    let error = answer.get("Error");
    if error.and_then(|error| error.get("Code")) == Some(&value!("InvalidDefinition")) {
        return answer.path(&["Error", "Message"]).and_then(Value::as_str).map(str::to_owned);
    }
    let text = answer.get("exception_value").and_then(Value::as_str)?;
    let (_, text) = text.split_once("(InvalidDefinition) when calling the ")?;
    text.split_once("operation: ").map(|(_, text)| text.to_owned())
}

/// Returns how our answer to one step differs from the recording.
fn judge(case: &Value, index: usize, step: &Value) -> Option<String> {
    let operation = step.get("op")?.as_str()?;
    let params = step.get("params")?;
    let text = substitute(params.get("definition")?.as_str()?);
    let express = params.get("type") == Some(&value!("EXPRESS"));
    let machine_type = if express { StateMachineType::Express } else { StateMachineType::Standard };
    let options = Options { machine_type, resources: &AnyResource };
    match operation {
        "stepfunctions.ValidateStateMachineDefinition" => {
            let found = check(&text, &options);
            let warnings = params.get("severity") == Some(&value!("WARNING"));
            let diagnostics: Vec<Value> = found
                .diagnostics
                .iter()
                .filter(|one| warnings || one.severity == Severity::Error)
                .map(|one| {
                    value!({
                        "severity": (one.severity.as_str()), "code": (one.code.as_str()),
                        "message": (one.message.as_str()), "location": (one.location.as_str())
                    })
                })
                .collect();
            let wanted = recorded(case, index)?.get("diagnostics")?;
            let got = Value::from(diagnostics);
            (*wanted != got).then(|| format!("expected {wanted}\n    got      {got}"))
        }
        "stepfunctions.CreateStateMachine" | "stepfunctions.UpdateStateMachine" => {
            let wanted = recorded(case, index).and_then(refusal);
            let got = Definition::parse(&text, &options).err().map(|problems| problems.to_string());
            // What LocalStack raised counts where the recording does not show the answer.
            let raised = step.get("raises") == Some(&value!("InvalidDefinition"));
            let same = match (&wanted, &got) {
                (None, Some(_)) => raised,
                // An emulator's words; AWS's are not known, so only the verdict is compared.
                (Some(wanted), Some(_)) if wanted.starts_with(EMULATORS_WORDS) => true,
                (wanted, got) => wanted == got,
            };
            (!same).then(|| format!("expected {wanted:?}\n    got      {got:?}"))
        }
        _ => None,
    }
}

#[test]
fn recorded_definitions_are_judged_alike() {
    let folder = corpus();
    let cases = cases(&folder);
    if cases.is_empty() {
        eprintln!("SKIPPED: conformance data absent at {}", folder.display());
        return;
    }
    let show = std::env::var_os("STEPWELL_SHOW").is_some();
    let (mut total, mut failed) = (0, Vec::new());
    for case in &cases {
        let id = case.get("id").and_then(Value::as_str).unwrap();
        let steps = case.get("steps").and_then(Value::as_array).unwrap();
        for (index, step) in steps.iter().enumerate() {
            let judged = step.path(&["params", "definition"]).is_some()
                && step.get("op") != Some(&value!("stepfunctions.TestState"));
            if !judged {
                continue;
            }
            total += 1;
            if let Some(difference) = judge(case, index, step) {
                if show {
                    eprintln!("FAIL {id} #{index}\n    {difference}");
                }
                failed.push(format!("{id} #{index}"));
            }
        }
    }
    failed.sort();
    let mut score = format!("{}/{total}\n", total - failed.len());
    for id in failed {
        score.push_str(&id);
        score.push('\n');
    }
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/states-validation.score");
    if std::env::var_os("STEPWELL_BLESS").is_some() {
        std::fs::write(&path, score).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(score, committed, "{} differs; bless it if it got better", path.display());
}
