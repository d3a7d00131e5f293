//! Parallel and Map around tasks.

use value::value;

use crate::driver::Driver;

const TASK: &str = r#"{"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
    "End": true}"#;

fn parallel(fields: &str) -> String {
    format!(
        r#"{{"StartAt": "P", "States": {{"P": {{"Type": "Parallel", {fields} "End": true,
            "Branches": [{{"StartAt": "A", "States": {{"A": {TASK}}}}},
                {{"StartAt": "B", "States": {{"B": {TASK}}}}}]}},
            "R": {{"Type": "Pass", "End": true}}}}}}"#
    )
}

/// `R` is only reached where something is caught.
fn caught() -> String {
    parallel(r#""Catch": [{"ErrorEquals": ["States.ALL"], "Next": "R"}],"#)
}

#[test]
fn outputs_stand_in_the_order_of_branches() {
    let mut run = Driver::start(&caught(), "{}");
    assert_eq!(run.calls.len(), 2);
    let (first, second) = (run.calls.remove(0), run.calls.remove(0));
    run.calls = vec![second, first];
    run.succeed(value!("b"));
    assert!(run.finish.is_none());
    run.succeed(value!("a"));
    assert_eq!(run.output(), r#"["a","b"]"#);
}

#[test]
fn one_failed_branch_ends_the_others() {
    let mut run = Driver::start(&caught(), "{}");
    run.fail("E", "c");
    assert!(run.calls.is_empty(), "the other call is taken back");
    assert_eq!(
        run.history()[9..],
        [
            "10<6 TaskFailed",
            "11<10 TaskStateAborted",
            "12<9 TaskStateAborted",
            "13<11 ParallelStateFailed",
            "14<13 ParallelStateExited",
            "15<14 PassStateEntered",
            "16<15 PassStateExited",
            "17<16 ExecutionSucceeded",
        ]
    );
    assert_eq!(run.output(), r#"{"Error":"E","Cause":"c"}"#);
}

fn map(fields: &str) -> String {
    format!(
        r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", {fields} "End": true,
            "ItemProcessor": {{"StartAt": "A", "States": {{"A": {TASK}}}}}}}}}}}"#
    )
}

#[test]
fn no_more_iterations_run_than_may() {
    let mut run = Driver::start(&map(r#""MaxConcurrency": 2,"#), "[1, 2, 3]");
    let arguments =
        |run: &Driver| run.calls.iter().map(|c| c.arguments.clone()).collect::<Vec<_>>();
    assert_eq!(arguments(&run), [value!(1), value!(2)]);
    run.succeed(value!("one"));
    assert_eq!(arguments(&run), [value!(2), value!(3)]);
    run.succeed(value!("two"));
    run.succeed(value!("three"));
    assert_eq!(run.output(), r#"["one","two","three"]"#);
}

#[test]
fn tolerated_failures_do_not_fail_the_map() {
    let fields = r#""MaxConcurrency": 1, "ToleratedFailureCount": 1,"#;
    let mut run = Driver::start(&map(fields), "[1, 2, 3]");
    run.fail("E", "c");
    run.succeed(value!(2));
    run.fail("E", "c");
    assert_eq!(
        run.finish.as_ref().unwrap().error.as_deref(),
        Some("States.ExceedToleratedFailureThreshold")
    );
}

#[test]
fn a_map_is_retried_as_a_whole() {
    let fields = r#""Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],"#;
    let mut run = Driver::start(&map(fields), "[1]");
    run.fail("E", "c");
    run.fire();
    run.succeed(value!("again"));
    assert_eq!(run.output(), r#"["again"]"#);
}
