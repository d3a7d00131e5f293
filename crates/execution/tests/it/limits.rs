//! Bounds: steps of one `apply`, events of one history, sizes of payloads and variables.

use execution::{HISTORY_EVENTS_MAX, STEPS_MAX, Status};

use crate::driver::Driver;

/// Counts down from the input and ends at zero.
const COUNTDOWN: &str = r#"{"StartAt": "Again", "States": {
    "Again": {"Type": "Choice", "Choices": [
        {"Variable": "$.n", "NumericEquals": 0, "Next": "Done"}], "Default": "Less"},
    "Less": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, -1)"}, "Next": "Again"},
    "Done": {"Type": "Succeed"}}}"#;

#[test]
fn long_runs_let_others_run_in_between() {
    let mut run = Driver::start(COUNTDOWN, r#"{"n": 1200}"#);
    let mut applies = 1;
    while run.finish.is_none() {
        assert_eq!(run.timers.len(), 1, "it asks to go on at once");
        run.fire();
        assert_eq!(run.millis, 0);
        applies += 1;
    }
    // 1,201 visits of Again, 1,200 of Less, one of Done.
    assert_eq!(applies, 2_402_usize.div_ceil(STEPS_MAX));
    assert_eq!(run.state.status(), Status::Succeeded);
    let ids: Vec<u64> = run.events.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=run.state.history_events()).collect::<Vec<_>>());
}

#[test]
fn a_full_history_ends_the_execution() {
    let mut run = Driver::start(COUNTDOWN, r#"{"n": -1}"#);
    while run.finish.is_none() {
        run.fire();
    }
    assert_eq!(run.state.status(), Status::Failed);
    assert_eq!(run.state.history_events(), HISTORY_EVENTS_MAX);
    assert_eq!(run.events.last().unwrap().details.event_type(), "ExecutionFailed");
    assert_eq!(run.finish.unwrap().error.as_deref(), Some("States.Runtime"));
}

#[test]
fn outputs_beyond_the_quota_fail_the_state() {
    let text = r#"{"StartAt": "Twice", "QueryLanguage": "JSONata", "States": {"Twice": {
        "Type": "Pass", "Output": "{% $states.input.a & $states.input.a %}", "End": true}}}"#;
    let run = Driver::start(text, &format!(r#"{{"a": "{}"}}"#, "x".repeat(140_000)));
    assert_eq!(run.history()[2..], ["3<2 ExecutionFailed"]);
    assert_eq!(
        run.finish.unwrap().cause.as_deref(),
        Some(
            "The state/task 'Twice' returned a result with a size exceeding the maximum number of \
             bytes service limit."
        )
    );
}

#[test]
fn wide_map_runs_start_a_window_of_children_at_a_time() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": true}}}}}}"#;
    let items: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    let input = format!("[{}]", items.join(","));
    let mut run = Driver::start(text, &input);
    let mut most = 0;
    while run.finish.is_none() {
        most = run.children.len().max(most);
        run.run_child();
    }
    assert_eq!(most, 256);
    assert_eq!(run.output(), input);
}
