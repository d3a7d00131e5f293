//! Redrive: what has failed goes on, what has not does not.

use execution::{Fact, NotRedrivable, REDRIVE_EVENTS_MAX, Status};
use value::{Value, value};

use crate::driver::Driver;

const TASK: &str = r#""Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser""#;

impl Driver {
    fn history_from(&self, first: usize) -> Vec<String> {
        self.history().split_off(first - 1)
    }

    fn arguments(&self) -> Vec<Value> {
        self.calls.iter().map(|call| call.arguments.clone()).collect()
    }
}

fn chain(fields: &str) -> String {
    format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "P", "States": {{
            "P": {{"Type": "Pass", "Assign": {{"v": "kept"}}, "Next": "A"}},
            "A": {{{TASK}, {fields} "Arguments": {{"v": "{{% $v %}}"}},
                "Output": "{{% $states.context.Execution %}}", "End": true}}}}}}"#
    )
}

#[test]
fn a_failed_task_is_asked_again_with_its_input_and_variables() {
    let mut run = Driver::start(&chain(""), r#"{"n": 1}"#);
    let first = run.fail("E", "c");
    assert_eq!(run.state.redrivable(), Ok(()));
    run.millis = 5_000;
    run.redrive("t");
    assert_eq!(run.state.status(), Status::Running);
    assert_eq!(run.arguments(), [value!({ "v": "kept" })]);
    assert!(first < run.calls[0].task, "an answer to the first call is nobody's");
    run.succeed(value!("done"));
    assert_eq!(
        run.history(),
        [
            "1<0 ExecutionStarted",
            "2<0 PassStateEntered",
            "3<2 PassStateExited",
            "4<3 TaskStateEntered",
            "5<4 TaskScheduled",
            "6<5 TaskStarted",
            "7<6 TaskFailed",
            "8<7 ExecutionFailed",
            "9<8 ExecutionRedriven",
            "10<9 TaskScheduled",
            "11<10 TaskStarted",
            "12<11 TaskSucceeded",
            "13<12 TaskStateExited",
            "14<13 ExecutionSucceeded",
        ]
    );
    let shown = run.event(9);
    let count = shown.path(&["executionRedrivenEventDetails", "redriveCount"]);
    assert_eq!(count, Some(&value!(1)));
    let context = value::parse(&run.output()).unwrap();
    assert_eq!(context.get("RedriveCount"), Some(&value!(1)));
    assert_eq!(context.get("RedriveTime"), Some(&value!("1970-01-01T00:00:05.000Z")));
}

#[test]
fn retriers_count_anew() {
    let retry = r#""Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],"#;
    let mut run = Driver::start(&chain(retry), "{}");
    for token in ["a", "b"] {
        run.fail("E", "c");
        assert!(run.finish.is_none(), "it is retried");
        run.fire();
        run.fail("E", "c");
        assert!(run.finish.is_some());
        run.redrive(token);
    }
    run.succeed(value!(1));
    assert_eq!(run.state.status(), Status::Succeeded);
    assert_eq!(run.state.redrives().unwrap().count, 2);
}

#[test]
fn a_token_redrives_once() {
    let mut run = Driver::start(&chain(""), "{}");
    run.fail("E", "c");
    run.redrive("t");
    run.redrive("u");
    assert_eq!(run.history().len(), 11, "it runs");
    run.fail("E", "c");
    run.redrive("t");
    assert_eq!(run.state.status(), Status::Failed);
    assert_eq!(run.state.redrives().unwrap().of_token("t", 0), Some(0));
    run.millis = 15 * 60 * 1000;
    run.redrive("t");
    assert_eq!(run.state.status(), Status::Running, "a token is forgotten");
}

fn parallel(fields: &str) -> String {
    format!(
        r#"{{"StartAt": "P", "States": {{"P": {{"Type": "Parallel", {fields} "End": true,
            "Branches": [{{"StartAt": "A", "States": {{"A": {{{TASK}, "End": true}}}}}},
                {{"StartAt": "B", "States": {{"B": {{{TASK}, "Next": "C"}}, "C": {{{TASK},
                    "End": true}}}}}},
                {{"StartAt": "D", "States": {{"D": {{{TASK}, "End": true}}}}}}]}}}}}}"#
    )
}

#[test]
fn only_branches_that_failed_or_were_aborted_go_on() {
    let mut run = Driver::start(&parallel(""), "{}");
    run.succeed(value!("a"));
    run.succeed(value!("b"));
    assert_eq!(run.calls[1].state_name, "C");
    run.calls.rotate_left(1);
    run.fail("E", "c");
    assert_eq!(run.state.status(), Status::Failed);
    let ended_at = run.events.len();
    run.redrive("t");
    let names: Vec<&str> = run.calls.iter().map(|call| &*call.state_name).collect();
    assert_eq!(names, ["C", "D"]);
    run.succeed(value!("c"));
    run.succeed(value!("d"));
    assert_eq!(run.output(), r#"["a","c","d"]"#);
    let history = run.history_from(ended_at + 1);
    assert!(history[0].ends_with("ExecutionRedriven"), "{history:?}");
    assert!(!history.iter().any(|event| event.ends_with("Entered")), "{history:?}");
    assert!(!history.iter().any(|event| event.ends_with("ParallelStateStarted")), "{history:?}");
}

#[test]
fn what_was_caught_does_not_come_back() {
    let text = format!(
        r#"{{"StartAt": "P", "States": {{
            "P": {{"Type": "Parallel", "Next": "Z", "Catch": [{{"ErrorEquals": ["States.ALL"],
                "Next": "Z"}}],
                "Branches": [{{"StartAt": "A", "States": {{"A": {{{TASK}, "End": true}}}}}},
                    {{"StartAt": "B", "States": {{"B": {{{TASK}, "End": true}}}}}}]}},
            "Z": {{{TASK}, "End": true}}}}}}"#
    );
    let mut run = Driver::start(&text, "{}");
    run.fail("E", "c");
    assert_eq!(run.calls[0].state_name, "Z");
    run.fail("E", "c");
    run.redrive("t");
    let names: Vec<&str> = run.calls.iter().map(|call| &*call.state_name).collect();
    assert_eq!(names, ["Z"]);
    run.succeed(value!(1));
    assert_eq!(run.output(), "1");
}

fn map(fields: &str) -> String {
    format!(
        r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", {fields} "End": true,
            "ItemProcessor": {{"StartAt": "A", "States": {{"A": {{{TASK}, "End": true}}}}}}}}}}}}"#
    )
}

#[test]
fn only_iterations_that_have_not_succeeded_run_again() {
    let mut run = Driver::start(&map(r#""MaxConcurrency": 2,"#), "[1, 2, 3, 4]");
    run.succeed(value!("one"));
    run.fail("E", "c");
    run.redrive("t");
    assert_eq!(run.arguments(), [value!(2), value!(3)]);
    for output in ["two", "three", "four"] {
        run.succeed(value!(output));
    }
    assert_eq!(run.output(), r#"["one","two","three","four"]"#);
}

#[test]
fn what_is_nested_goes_on_at_every_depth() {
    let text = format!(
        r#"{{"StartAt": "P", "States": {{"P": {{"Type": "Parallel", "End": true, "Branches": [
            {{"StartAt": "M", "States": {{"M": {{"Type": "Map", "End": true, "ItemsPath": "$.items",
                "ItemProcessor": {{"StartAt": "A", "States": {{"A": {{{TASK}, "End": true}}}}}}}}}}}},
            {{"StartAt": "B", "States": {{"B": {{{TASK}, "End": true}}}}}}]}}}}}}"#
    );
    let mut run = Driver::start(&text, r#"{"items": [1, 2, 3]}"#);
    let by_name = |run: &mut Driver| run.calls.sort_by(|a, b| a.state_name.cmp(&b.state_name));
    by_name(&mut run);
    run.succeed(value!("one"));
    run.fail("E", "c");
    assert_eq!(run.state.status(), Status::Failed);
    run.redrive("t");
    by_name(&mut run);
    assert_eq!(run.arguments(), [value!(2), value!(3), value!({ "items": [1, 2, 3] })]);
    run.succeed(value!("two"));
    // What fails again goes on from there again.
    run.fail("E", "c");
    run.redrive("u");
    by_name(&mut run);
    assert_eq!(run.arguments(), [value!(3), value!({ "items": [1, 2, 3] })]);
    run.succeed(value!("three"));
    run.succeed(value!("b"));
    assert_eq!(run.output(), r#"[["one","two","three"],"b"]"#);
}

#[test]
fn tolerated_failures_run_again_too() {
    let fields = r#""MaxConcurrency": 1, "ToleratedFailureCount": 2,"#;
    let mut run = Driver::start(&map(fields), "[1, 2, 3, 4]");
    run.fail("E", "c");
    run.fail("E", "c");
    run.fail("E", "c");
    assert_eq!(run.state.status(), Status::Failed);
    run.redrive("t");
    // The one that failed the Map goes on before the others are started once more.
    for item in [3, 1, 2, 4] {
        assert_eq!(run.arguments(), [value!(item)]);
        run.succeed(value!(item));
    }
    assert_eq!(run.output(), "[1,2,3,4]");
}

#[test]
fn what_was_stopped_or_took_too_long_goes_on_and_its_time_begins_anew() {
    let text = r#"{"StartAt": "W", "TimeoutSeconds": 5, "States": {
        "W": {"Type": "Wait", "Seconds": 4, "Next": "X"}, "X": {"Type": "Wait", "Seconds": 4,
        "End": true}}}"#;
    let mut run = Driver::start(text, "{}");
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!((run.state.status(), run.timers.len()), (Status::Aborted, 0));
    run.millis = 1_000;
    run.redrive("a");
    let times: Vec<i64> = run.timers.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [5_000, 6_000]);
    run.fire();
    run.fire();
    assert_eq!(run.state.status(), Status::TimedOut);
    run.redrive("b");
    run.fire();
    assert_eq!(run.state.status(), Status::Succeeded);
    let entered = run.history().iter().filter(|event| event.ends_with("Entered")).count();
    assert_eq!(entered, 2);
}

#[test]
fn a_fail_state_is_entered_again_and_fails_again() {
    let text = r#"{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}"#;
    let mut run = Driver::start(text, "{}");
    run.redrive("a");
    assert_eq!(
        run.history(),
        [
            "1<0 ExecutionStarted",
            "2<0 FailStateEntered",
            "3<2 ExecutionFailed",
            "4<3 ExecutionRedriven",
            "5<4 FailStateEntered",
            "6<5 ExecutionFailed",
        ]
    );
    assert_eq!(run.state.redrivable(), Ok(()));
}

#[test]
fn a_full_history_has_no_room_for_a_redrive() {
    let text = r#"{"StartAt": "F", "States": {"F": {"Type": "Fail"}}}"#;
    let mut run = Driver::start(text, "{}");
    for round in 0.. {
        let events = run.state.history_events();
        if REDRIVE_EVENTS_MAX <= events {
            break;
        }
        run.millis += 1;
        run.redrive(&round.to_string());
        assert!(events < run.state.history_events());
    }
    assert_eq!(run.state.redrivable(), Err(NotRedrivable::HistoryFull));
    assert_eq!(run.events.len() as u64, run.state.history_events());
    let tokens = run.state.redrives().unwrap().tokens.len();
    assert_eq!(tokens, 10);
}

#[test]
fn a_redrive_that_fills_the_history_ends_the_execution() {
    let text = r#"{"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "F"},
        "F": {"Type": "Fail"}}}"#;
    let mut run = Driver::start(text, "{}");
    while run.state.history_events() + 1 < REDRIVE_EVENTS_MAX {
        assert_eq!(run.state.redrivable(), Ok(()));
        run.millis += 1;
        run.redrive(&run.millis.to_string());
    }
    run.redrive("last");
    let last = run.history().split_off(24_998);
    assert_eq!(last, ["24999<24998 ExecutionRedriven", "25000<0 ExecutionFailed"]);
    assert!(run.finish.is_some() && execution::outstanding(&run.state).is_empty());
    assert_eq!(run.state.redrivable(), Err(NotRedrivable::HistoryFull));
}

#[test]
fn what_runs_or_has_succeeded_is_not_redriven() {
    let mut run = Driver::start(&chain(""), "{}");
    assert_eq!(run.state.redrivable(), Err(NotRedrivable::Is(Status::Running)));
    run.succeed(value!(1));
    let refused = run.state.redrivable().unwrap_err();
    assert_eq!(refused.to_string(), "Execution is SUCCEEDED and cannot be redriven");
    run.redrive("t");
    assert_eq!(run.state.status(), Status::Succeeded);
}
