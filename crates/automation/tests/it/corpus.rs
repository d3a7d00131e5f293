//! Real runbooks: the verdict of the validation, and JSON to YAML and back.

use std::fs;
use std::path::{Path, PathBuf};

use automation::{Format, Runbook, document};
use value::Value;

/// Returns the folder of the corpus, or says loudly that there is none.
fn corpus() -> Option<PathBuf> {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let root = std::env::var("STEPWELL_CONFORMANCE").unwrap_or_else(|_| workspace.to_owned());
    let folder = PathBuf::from(root).join("runbooks");
    if folder.join("labels.json").exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: conformance data absent at {}", folder.display());
    None
}

/// Returns every document of the corpus with its name, format and label.
fn documents(folder: &Path) -> Vec<(String, Format, String, Value)> {
    let labels = value::parse(&fs::read_to_string(folder.join("labels.json")).unwrap()).unwrap();
    let labels = labels.as_object().unwrap().clone();
    labels
        .iter()
        .map(|(name, label)| {
            let format = label.get("format").and_then(Value::as_str).unwrap().parse().unwrap();
            let text = fs::read_to_string(folder.join("dev").join(&**name)).unwrap();
            (name.to_string(), format, text, label.clone())
        })
        .collect()
}

/// Returns what is wrong with our verdict on a document, if anything is.
fn fault(format: Format, text: &str, label: &Value) -> Option<String> {
    let problems = label.get("problems").and_then(Value::as_array).unwrap_or_default();
    match Runbook::parse(text, format) {
        Ok(runbook) if problems.is_empty() => {
            let steps = label.get("steps").and_then(Value::as_i64).unwrap();
            let ours = i64::try_from(runbook.steps.len()).unwrap();
            (steps != ours).then(|| format!("{ours} steps"))
        }
        Ok(_) => Some("accepted".to_owned()),
        Err(err) => {
            // The label says `unknown action X`, we say it with backticks.
            let told = err.to_string().replace('`', "");
            let missing = problems.iter().find(|one| !told.contains(one.as_str().unwrap()));
            let right = !problems.is_empty()
                && missing.is_none()
                && err.diagnostics.iter().all(|one| one.position.is_some());
            (!right).then_some(told)
        }
    }
}

#[test]
fn agrees_with_the_labels_of_real_runbooks() {
    let Some(folder) = corpus() else { return };
    let documents = documents(&folder);
    let mut failing: Vec<String> = Vec::new();
    for (name, format, text, label) in &documents {
        if let Some(fault) = fault(*format, text, label) {
            eprintln!("{name}: {fault}");
            failing.push(name.clone());
        }
    }
    failing.sort();
    let passed = documents.len() - failing.len();
    let score = format!("{passed}/{}\n{}", documents.len(), failing.join("\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/runbooks.score");
    if std::env::var_os("STEPWELL_BLESS").is_some() {
        fs::write(path, &score).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), score);
}

#[test]
fn json_and_yaml_hold_the_same_data_there_and_back() {
    let Some(folder) = corpus() else { return };
    for (name, format, text, _) in documents(&folder) {
        let data = document::read(&text, format).unwrap_or_else(|err| panic!("{name}: {err}"));
        let other = match format {
            Format::Json => Format::Yaml,
            Format::Yaml => Format::Json,
        };
        let there = document::write(&data, other);
        let read = document::read(&there, other).unwrap_or_else(|err| panic!("{name}: {err}"));
        assert_eq!(read.to_string(), data.to_string(), "{name}");
        let back = document::read(&document::write(&read, format), format).unwrap();
        assert_eq!(back.to_string(), data.to_string(), "{name}");
    }
}
