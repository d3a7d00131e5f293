//! Distributed Maps: windows, batches, tolerated failures, what becomes of children when their
//! parent ends.

use execution::{
    ChildKind, Fact, HISTORY_EVENTS_MAX, ItemsWanted, MapRunFact, MapRunStatus, MapRunUpdate,
    Payload, State, Status, TaskId, outstanding,
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
    let item = value!({"Index": 0, "Value": 7, "Source": "STATE_DATA"});
    assert_eq!(child.of.map_item, Some(item));
    run.run_children();
    assert_eq!(run.output(), r#"[{"n":7}]"#);
    let report = run.reports.last().unwrap();
    assert_eq!(report.status, MapRunStatus::Succeeded);
    assert_eq!((report.items.succeeded, report.executions.succeeded), (1, 1));
}

#[test]
fn the_members_of_an_object_are_items_with_a_key() {
    let selector = r#""ItemSelector": {"i.$": "$$.Map.Item"},"#;
    let mut run = Driver::start(&machine(selector, PASS), r#"{"a": 1, "b": 2}"#);
    run.run_children();
    let item = |index, key, value| {
        format!(
            r#"{{"i":{{"Index":{index},"Key":"{key}","Value":{value},"Source":"STATE_DATA"}}}}"#
        )
    };
    assert_eq!(run.output(), format!("[{},{}]", item(0, "a", 1), item(1, "b", 2)));
    assert_eq!(run.event(3).path(&["mapStateStartedEventDetails", "length"]), Some(&value!(2)));
}

#[test]
fn items_tell_which_object_they_come_from() {
    let fields = r#""ItemSelector": {"s.$": "$$.Map.Item.Source", "i.$": "$$.Map.Item.Index"},"#;
    let mut run = Driver::start(&reading(fields), r#"{"bucket": "b", "most": 9}"#);
    items_read(&mut run, 3, 2);
    loaded(
        &mut run,
        value!({"Runs": [{"Source": "S3://b/1", "Items": [7]},
        {"Source": "S3://b/2", "Items": [8]}]}),
    );
    loaded(&mut run, value!({"Runs": [{"Source": "S3://b/2", "Items": [9]}]}));
    run.run_children();
    let wanted = r#"[{"s":"S3://b/1","i":0},{"s":"S3://b/2","i":1},{"s":"S3://b/2","i":2}]"#;
    assert_eq!(run.output(), wanted);
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

/// A machine whose Map reads its items.
fn reading(fields: &str) -> String {
    let reader = r#""ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.most"},
        "Parameters": {"Bucket.$": "$.bucket", "Key": "k"}},"#;
    machine(&format!("{reader} {fields}"), PASS)
}

fn items_read(run: &mut Driver, items: u64, pieces: u32) {
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsRead { items, pieces } });
}

fn loaded(run: &mut Driver, items: value::Value) {
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items } });
}

#[test]
fn what_a_reader_reads_is_brought_piece_by_piece() {
    let mut run = Driver::start(&reading(""), r#"{"bucket": "b", "most": 3}"#);
    let ItemsWanted::Read(read) = &run.items[0].1 else { panic!("it reads first") };
    assert_eq!(read.arguments, value!({"Bucket": "b", "Key": "k"}));
    assert_eq!(read.items_max, Some(3));
    assert!(run.state.has_children(), "it waits");
    items_read(&mut run, 3, 2);
    assert!(matches!(run.items[0].1, ItemsWanted::Piece(0)));
    assert_eq!(outstanding(&run.state).len(), 1);
    loaded(&mut run, value!([1, 2]));
    assert!(matches!(run.items[0].1, ItemsWanted::Piece(1)));
    run.run_children();
    assert!(run.finish.is_none(), "there is more to come");
    loaded(&mut run, value!([3]));
    run.run_children();
    assert_eq!(run.output(), "[1,2,3]");
    assert_eq!(run.event(3).path(&["mapStateStartedEventDetails", "length"]), Some(&value!(0)));
}

#[test]
fn batches_go_on_from_one_piece_to_the_next() {
    let fields = r#""ItemBatcher": {"MaxItemsPerBatch": 3},"#;
    let mut run = Driver::start(&reading(fields), r#"{"bucket": "b", "most": 0}"#);
    items_read(&mut run, 5, 3);
    for items in [value!([1, 2]), value!([3, 4]), value!([5])] {
        loaded(&mut run, items);
    }
    run.run_children();
    assert_eq!(run.output(), r#"[{"Items":[1,2,3]},{"Items":[4,5]}]"#);
}

#[test]
fn what_cannot_be_read_fails_the_map_run() {
    let mut run = Driver::start(&reading(""), r#"{"bucket": "b", "most": -1}"#);
    let failed = ["MapRunFailed", "MapStateFailed", "ExecutionFailed"];
    let types = |run: &Driver| -> Vec<String> {
        run.events[4..].iter().map(|event| event.details.event_type().to_owned()).collect()
    };
    assert_eq!(types(&run), failed);
    assert_eq!(run.finish.as_ref().unwrap().error.as_deref(), Some("States.ItemReaderFailed"));
    run = Driver::start(&reading(""), r#"{"bucket": "b", "most": 0}"#);
    let (task, _) = run.items.remove(0);
    let (error, cause) = ("States.ItemReaderFailed".to_owned(), "gone".to_owned());
    let fact = Fact::MapRun { task, fact: MapRunFact::ItemsFailed { error, cause } };
    run.take(fact.clone());
    assert_eq!(types(&run), failed);
    run.take(fact);
    assert_eq!(types(&run), failed, "a second time changes nothing");
}

#[test]
fn a_map_run_that_is_stopped_reads_no_further() {
    let mut run = Driver::start(&reading(""), r#"{"bucket": "b", "most": 0}"#);
    run.take(Fact::StopRequested { error: None, cause: None });
    assert!(run.state.is_over());
    assert!(outstanding(&run.state).is_empty());
}

/// A machine whose Map writes its results.
fn writing(writer: &str) -> String {
    machine(&format!(r#""ResultWriter": {{{writer}}},"#), PASS)
}

const INTO: &str = r#""Resource": "arn:aws:states:::s3:putObject",
    "Parameters": {"Bucket": "b", "Prefix": "p"}"#;

#[test]
fn results_are_written_once_every_child_has_ended() {
    let mut run = Driver::start(&writing(INTO), "[1, 2]");
    run.run_child();
    assert!(run.results.is_empty());
    run.run_child();
    let (task, wanted) = run.results.remove(0);
    assert_eq!(wanted.arguments, value!({"Bucket": "b", "Prefix": "p"}));
    assert_eq!(outstanding(&run.state).len(), 1, "it is asked for again after a crash");
    let map_run_arn = run.reports.last().unwrap().arn.clone();
    let update = MapRunUpdate { concurrency_max: Some(1), ..MapRunUpdate::default() };
    run.take(Fact::MapRunUpdated { map_run_arn: map_run_arn.clone(), update });
    assert!(run.results.is_empty(), "it is asked for once");
    let (bucket, key) = ("b".to_owned(), "p/x/manifest.json".to_owned());
    run.take(Fact::MapRun { task, fact: MapRunFact::ResultsWritten { bucket, key } });
    let details = r#"{"Bucket":"b","Key":"p/x/manifest.json"}"#;
    let wanted = format!(r#"{{"MapRunArn":"{map_run_arn}","ResultWriterDetails":{details}}}"#);
    assert_eq!(run.output(), wanted);
    assert_eq!(run.reports.last().unwrap().items.results_written, 2);
}

#[test]
fn results_that_cannot_be_written_fail_the_map_run() {
    let mut run = Driver::start(&writing(INTO), "[1]");
    run.run_child();
    let (task, _) = run.results.remove(0);
    let fact = MapRunFact::ResultsFailed { cause: "gone".to_owned() };
    run.take(Fact::MapRun { task, fact });
    let finish = run.finish.unwrap();
    assert_eq!(finish.error.as_deref(), Some("States.ResultWriterFailed"));
    assert_eq!(run.reports.last().unwrap().status, MapRunStatus::Failed);
}

#[test]
fn outputs_can_be_flattened_without_an_export() {
    let writer = r#""WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}"#;
    let mut run = Driver::start(&writing(writer), "[[1, 2], 3]");
    run.run_children();
    assert_eq!(run.output(), "[1,2,3]");
}
