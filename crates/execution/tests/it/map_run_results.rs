//! Results of map runs that fail or are given up: written once every child has stopped, with what
//! never began.

use execution::{ChildEnd, Fact, ItemsWanted, MapRunFact, MapRunStatus, Status, outstanding};
use value::{Value, value};

use crate::driver::Driver;

fn machine(fields: &str) -> String {
    format!(
        r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "Label": "all", {fields}
            "ResultWriter": {{"Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {{"Bucket": "b"}}}}, "End": true, "ItemProcessor": {{
                "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                "StartAt": "P", "States": {{"P": {{"Type": "Pass", "End": true}}}}}}}}}}}}"#
    )
}

impl Driver {
    fn tell_end(&mut self, task: execution::TaskId, status: Status) {
        let end = ChildEnd {
            status,
            input: Value::Null.into(),
            output: (status == Status::Succeeded).then(|| Value::from(1).into()),
            error: None,
            cause: None,
            start_millis: 0,
            stop_millis: 0,
            is_redrivable: true,
        };
        self.take(Fact::MapRun { task, fact: MapRunFact::ChildEnded(Box::new(end)) });
    }

    fn end_next(&mut self, status: Status) {
        let task = self.children.remove(0).task;
        self.tell_end(task, status);
    }

    fn written(&mut self) {
        let (task, _) = self.results.remove(0);
        let (bucket, key) = ("b".to_owned(), "x/manifest.json".to_owned());
        self.take(Fact::MapRun { task, fact: MapRunFact::ResultsWritten { bucket, key } });
    }

    fn listed(&self) -> Vec<&str> {
        self.pending.values().flatten().map(String::as_str).collect()
    }
}

#[test]
fn a_map_run_that_fails_writes_before_its_state_fails() {
    let selector = r#""MaxConcurrency": 2, "ItemSelector": {"n.$": "$$.Map.Item.Value"},"#;
    let mut run = Driver::start(&machine(selector), "[1, 2, 3, 4]");
    run.end_next(Status::Failed);
    assert_eq!(run.state.status(), Status::Running);
    assert_eq!(run.reports.last().unwrap().status, MapRunStatus::Running);
    assert!(run.results.is_empty() && run.pending.is_empty(), "a child has not stopped");
    let task = run.stopped.remove(0).task;
    run.tell_end(task, Status::Aborted);
    assert_eq!(run.listed(), [r#"{"n":3}"#, r#"{"n":4}"#]);
    assert_eq!(outstanding(&run.state).len(), 1);
    run.written();
    let finish = run.finish.as_ref().unwrap();
    assert_eq!(finish.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    let report = run.reports.last().unwrap();
    assert_eq!((report.status, report.executions.results_written), (MapRunStatus::Failed, 2));
    assert!(run.pending.is_empty(), "what was listed is forgotten");
    let types: Vec<String> = run.history().split_off(4);
    assert!(types[0].ends_with("MapRunFailed"), "{types:?}");

    // What was listed is started by a redrive, and everything is written anew.
    run.redrive("t");
    let (task, wanted) = run.items.remove(0);
    assert!(matches!(wanted, ItemsWanted::Children { .. }));
    let found = MapRunFact::ChildrenFound { children: Vec::new(), behind: None };
    run.take(Fact::MapRun { task, fact: found });
    assert_eq!(run.state.status(), Status::Running);
    assert_eq!(run.results.len(), 1, "the two are gone for good, which is not tolerated");
    assert_eq!(run.listed(), [r#"{"n":3}"#, r#"{"n":4}"#]);
}

#[test]
fn a_stopped_execution_writes_behind_its_back_and_a_redrive_waits_for_that() {
    let mut run = Driver::start(&machine(r#""MaxConcurrency": 1,"#), "[1, 2, 3]");
    run.end_next(Status::Succeeded);
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!(run.state.status(), Status::Aborted);
    assert_eq!(run.reports.last().unwrap().status, MapRunStatus::Aborted);
    run.redrive("t");
    assert_eq!(run.state.status(), Status::Running);
    let task = run.stopped.remove(0).task;
    run.tell_end(task, Status::Aborted);
    assert_eq!(run.listed(), ["3"]);
    assert!(run.items.is_empty(), "the attempt before is not over");
    run.written();
    assert!(run.pending.is_empty());
    let (task, _) = run.items.remove(0);
    let found = MapRunFact::ChildrenFound { children: Vec::new(), behind: None };
    run.take(Fact::MapRun { task, fact: found });
    assert_eq!(run.results.len(), 1);
}

#[test]
fn attempts_that_were_given_up_write_one_after_the_other() {
    let mut run = Driver::start(&machine(r#""MaxConcurrency": 1,"#), "[1, 2]");
    run.end_next(Status::Succeeded);
    run.take(Fact::StopRequested { error: None, cause: None });
    let task = run.stopped.remove(0).task;
    run.tell_end(task, Status::Aborted);
    assert_eq!(run.results.len(), 1);
    run.redrive("t");
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!(run.results.len(), 1, "the second attempt waits for the first");
    run.written();
    assert_eq!(run.reports.last().unwrap().redrives, 1, "the first does not speak for it");
    assert_eq!(run.results.len(), 1);
    run.written();
    assert!(run.state.is_over());
    let report = run.reports.last().unwrap();
    assert_eq!((report.redrives, report.status), (1, MapRunStatus::Aborted));
}

#[test]
fn who_is_stopped_while_he_writes_goes_on_to_write() {
    let mut run = Driver::start(&machine(r#""MaxConcurrency": 1,"#), "[1, 2]");
    run.end_next(Status::Failed);
    assert_eq!(run.results.len(), 1);
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!(run.state.status(), Status::Aborted);
    assert!(!run.state.is_over());
    let late = run.results.remove(0).0;
    let fact = MapRunFact::ResultsFailed { cause: "cancelled".to_owned() };
    run.take(Fact::MapRun { task: late, fact });
    assert!(!run.state.is_over(), "nobody waits for that any more");
    assert_eq!(outstanding(&run.state).len(), 1);
    run.written();
    assert!(run.state.is_over() && outstanding(&run.state).is_empty());
}

#[test]
fn results_that_cannot_be_written_are_what_the_state_fails_with() {
    let mut run = Driver::start(&machine(r#""MaxConcurrency": 1,"#), "[1, 2]");
    run.end_next(Status::Failed);
    let (task, _) = run.results.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ResultsFailed { cause: "gone".to_owned() } });
    let finish = run.finish.unwrap();
    assert_eq!(finish.error.as_deref(), Some("States.ResultWriterFailed"));
}

#[test]
fn pieces_that_were_not_brought_are_brought_to_be_listed() {
    let reader = r#""ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "k"}},
        "MaxConcurrency": 1, "ItemBatcher": {"MaxItemsPerBatch": 2},"#;
    let mut run = Driver::start(&machine(reader), "{}");
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsRead { items: 6, pieces: 2 } });
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items: value!([1, 2, 3]) } });
    run.end_next(Status::Failed);
    let (task, wanted) = run.items.remove(0);
    assert!(matches!(wanted, ItemsWanted::Piece(1)));
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items: value!([4, 5, 6]) } });
    assert_eq!(run.listed(), [r#"{"Items":[3,4]}"#, r#"{"Items":[5,6]}"#]);
    run.written();
    assert_eq!(run.state.status(), Status::Failed);
    assert_eq!(run.items_gone, 0, "a redrive goes on with them");
}
