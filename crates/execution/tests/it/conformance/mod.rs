//! The recorded cases that need nothing but the engine, replayed on it with a hand-moved clock.

mod matching;
mod normalise;
mod recorded;
mod replay;
mod test_states;

use std::path::{Path, PathBuf};

use value::Value;

fn corpus() -> PathBuf {
    let root = std::env::var_os("STEPWELL_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    root.join("states/dev")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases(folder: &Path) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json"));
    texts.map(|path| value::parse(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// Compares the score with the committed one, or writes it with `STEPWELL_BLESS=1`.
fn check_score(area: &str, total: usize, mut failed: Vec<String>) {
    failed.sort();
    let mut score = format!("{}/{total}\n", total - failed.len());
    for id in failed {
        score.push_str(&id);
        score.push('\n');
    }
    let path = workspace().join(format!("conformance/{area}.score"));
    if std::env::var_os("STEPWELL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, score).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(score, committed, "{} differs; bless it if it got better", path.display());
}

#[test]
fn recorded_executions_are_repeated() {
    check_cases("states-engine", replay::replayable, replay::run);
}

#[test]
fn recorded_tasks_are_recorded_again() {
    check_cases("states-tasks", replay::has_tasks, replay::run_with_recorded_answers);
}

#[test]
fn recorded_tests_of_states_come_out_alike() {
    check_cases("states-test-state", test_states::answerable, test_states::run);
}

fn check_cases(area: &str, wanted: fn(&Value) -> bool, run: fn(&Value) -> Vec<String>) {
    let folder = corpus();
    let cases = cases(&folder);
    if cases.is_empty() {
        eprintln!("SKIPPED: conformance data absent at {}", folder.display());
        return;
    }
    let verbose = std::env::var("STEPWELL_SHOW").unwrap_or_default();
    let (mut total, mut failed) = (0, Vec::new());
    for case in cases.iter().filter(|case| wanted(case)) {
        total += 1;
        let id = case.get("id").and_then(Value::as_str).unwrap();
        let differences = run(case);
        if differences.is_empty() {
            continue;
        }
        if verbose.split(',').any(|wanted| !wanted.is_empty() && id.contains(wanted)) {
            eprintln!("FAIL {id}");
            for difference in differences.iter().take(2) {
                eprintln!("    {difference}");
            }
        }
        failed.push(id.to_owned());
    }
    check_score(area, total, failed);
}
