//! Distributed Maps: windows, batches, tolerated failures, what becomes of children when their
//! parent ends.

use execution::{
    ChildKind, Fact, HISTORY_EVENTS_MAX, MapRunFact, MapRunStatus, MapRunUpdate, Payload, State,
    Status, TaskId, outstanding,
};
use value::value;

use crate::driver::Driver;

/// A machine whose only state is a distributed Map with these further fields.
fn machine(fields: &str, states: &str) -> String {
    format!(
        r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "Label": "all", {fields}
            "End": true, "ItemProcessor": {{
                "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                "StartAt": "P", "States": {{"P": {states}}}}}}}}}}}"#
    )
}

const PASS: &str = r#"{"Type": "Pass", "End": true}"#;
/// Fails on the items that say so.
const PICKY: &str = r#"{"Type": "Choice", "Default": "Good", "Choices": [
    {"Variable": "$", "IsString": true, "Next": "Bad"}]},
    "Good": {"Type": "Succeed"}, "Bad": {"Type": "Fail", "Error": "E", "Cause": "c"}"#;

#[test]
fn children_are_executions_of_the_item_processor() {
    let text = machine(r#""ItemSelector": {"n.$": "$$.Map.Item.Value"},"#, PASS);
    let mut run = Driver::start(&text, "[7]");
    let child = run.children.first().unwrap().clone();
    assert_eq!(child.of.kind, ChildKind::Standard);
    assert_eq!(child.of.items, 1);
    assert_eq!(child.input.as_ref().unwrap().text(), r#"{"n":7}"#);
    assert_eq!(child.of.map_item, Some(value!({"Index": 0, "Value": 7})));
    run.run_children();
    assert_eq!(run.output(), r#"[{"n":7}]"#);
    let report = run.reports.last().unwrap();
    assert_eq!(report.status, MapRunStatus::Succeeded);
    assert_eq!((report.items.succeeded, report.executions.succeeded), (1, 1));
}

#[test]
fn outputs_stand_in_the_order_of_the_items_whoever_ends_first() {
    let mut run = Driver::start(&machine("", PASS), "[1, 2, 3]");
    run.children.reverse();
    run.run_children();
    assert_eq!(run.output(), "[1,2,3]");
}

#[test]
fn max_concurrency_bounds_the_window_and_an_update_widens_it() {
    let mut run = Driver::start(&machine(r#""MaxConcurrency": 2,"#, PASS), "[1, 2, 3, 4, 5]");
    assert_eq!(run.children.len(), 2);
    let map_run_arn = run.children[0].of.map_run_arn.clone();
    let update = MapRunUpdate { concurrency_max: Some(4), ..MapRunUpdate::default() };
    run.take(Fact::MapRunUpdated { map_run_arn, update });
    assert_eq!(run.children.len(), 4);
    assert_eq!(run.reports.last().unwrap().concurrency_max, 4);
    run.run_children();
    assert_eq!(run.output(), "[1,2,3,4,5]");
}

#[test]
fn inputs_are_kept_only_until_children_have_begun() {
    let mut run = Driver::start(&machine("", PASS), r#"["one"]"#);
    let task = run.children[0].task;
    let kept = |state: &State| {
        let open = outstanding(state).into_iter().find_map(|effect| match effect {
            execution::Effect::Child(child) => Some(child.input.is_some()),
            _ => None,
        });
        open.unwrap()
    };
    assert!(kept(&run.state));
    run.take(Fact::MapRun { task, fact: MapRunFact::ChildStarted });
    assert!(!kept(&run.state));
    run.run_children();
    assert_eq!(run.output(), r#"["one"]"#);
}

#[test]
fn batches_are_as_large_as_they_may_be() {
    let fields = r#""ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k": "v"}},"#;
    let mut run = Driver::start(&machine(fields, PASS), "[1, 2, 3]");
    let inputs: Vec<String> =
        run.children.iter().map(|child| child.input.as_ref().map(Payload::text).unwrap()).collect();
    assert_eq!(
        inputs,
        [r#"{"BatchInput":{"k":"v"},"Items":[1,2]}"#, r#"{"BatchInput":{"k":"v"},"Items":[3]}"#]
    );
    run.run_children();
    let report = run.reports.last().unwrap();
    assert_eq!((report.items.succeeded, report.executions.succeeded), (3, 2));
    // `{"Items":["aaaa","bbbb"]}` has 25 bytes.
    for (bytes, children) in [(24, 3), (25, 2)] {
        let fields = format!(r#""ItemBatcher": {{"MaxInputBytesPerBatch": {bytes}}},"#);
        let run = Driver::start(&machine(&fields, PASS), r#"["aaaa", "bbbb", "cccc"]"#);
        assert_eq!(run.children.len(), children, "{bytes}");
    }
}

#[test]
fn failures_are_tolerated_up_to_the_lower_bound() {
    for (fields, status) in [
        ("", Status::Failed),
        (r#""ToleratedFailureCount": 1,"#, Status::Failed),
        (r#""ToleratedFailureCount": 2,"#, Status::Succeeded),
        (r#""ToleratedFailurePercentage": 50,"#, Status::Succeeded),
        (r#""ToleratedFailurePercentage": 49,"#, Status::Failed),
        (r#""ToleratedFailureCount": 2, "ToleratedFailurePercentage": 10,"#, Status::Failed),
    ] {
        let mut run = Driver::start(&machine(fields, PICKY), r#"["bad", 1, "bad", 2]"#);
        run.run_children();
        let finish = run.finish.as_ref().unwrap();
        assert_eq!(finish.status, status, "{fields}");
        if status == Status::Succeeded {
            assert_eq!(run.output(), "[1,2]");
        } else {
            let error = finish.error.as_deref();
            assert_eq!(error, Some("States.ExceedToleratedFailureThreshold"), "{fields}");
            assert_eq!(run.reports.last().unwrap().status, MapRunStatus::Failed);
        }
    }
}

#[test]
fn who_fails_stops_the_children_that_are_left_and_waits_until_they_know() {
    let mut run = Driver::start(&machine("", PICKY), r#"["bad", 1, 2]"#);
    run.run_child();
    assert_eq!(run.state.status(), Status::Failed);
    assert_eq!(run.stopped.len(), 2);
    assert!(!run.state.is_over());
    assert_eq!(outstanding(&run.state).len(), 2);
    let counts = run.reports.last().unwrap().executions;
    assert_eq!((counts.failed, counts.aborted, counts.running), (1, 2, 0));
    for child in std::mem::take(&mut run.stopped) {
        run.take(Fact::MapRun { task: child.task, fact: MapRunFact::ChildStopped });
    }
    assert!(run.state.is_over());
    assert!(outstanding(&run.state).is_empty());
}

#[test]
fn a_stopped_parent_aborts_its_map_run() {
    let mut run = Driver::start(&machine("", PASS), "[1, 2]");
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!(run.state.status(), Status::Aborted);
    assert_eq!(run.stopped.len(), 2);
    assert_eq!(run.reports.last().unwrap().status, MapRunStatus::Aborted);
    // What was on its way when it was stopped is heard and changes nothing.
    let unknown = TaskId(9_999);
    for task in [unknown, run.stopped[0].task] {
        run.take(Fact::MapRun { task, fact: MapRunFact::ChildStarted });
    }
    assert!(!run.state.is_over());
}

#[test]
fn a_caught_failure_goes_on_while_children_are_stopped() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}], "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P",
            "States": {"P": {"Type": "Fail", "Error": "E"}}}},
        "Rest": {"Type": "Wait", "Seconds": 5, "End": true}}}"#;
    let mut run = Driver::start(text, "[1, 2]");
    run.run_child();
    assert_eq!(run.state.status(), Status::Running);
    let task = run.stopped[0].task;
    run.take(Fact::MapRun { task, fact: MapRunFact::ChildStopped });
    run.fire();
    assert!(run.state.is_over());
}

#[test]
fn more_items_than_a_history_may_have_events_leave_a_short_history() {
    let items = i64::try_from(HISTORY_EVENTS_MAX).unwrap() + 1;
    let text = machine(r#""ItemBatcher": {"MaxItemsPerBatch": 100}, "ResultPath": null,"#, PASS);
    let input: value::Value = (0..items).map(|_| value!(1)).collect();
    let mut run = Driver::start(&text, &input.to_json());
    run.run_children();
    assert_eq!(run.state.status(), Status::Succeeded);
    assert_eq!(run.events.len(), 8);
}

#[test]
fn an_empty_map_run_succeeds_at_once() {
    let run = Driver::start(&machine("", PASS), "[]");
    assert_eq!(run.output(), "[]");
}
