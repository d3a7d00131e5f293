//! Redrive of map runs: who ended badly goes on, who never began is started, who succeeded stays.

use execution::{
    Child, ChildEnd, ChildKind, Fact, ItemsWanted, MapRunFact, MapRunStatus, NotRedrivable, State,
    Status, TaskId, Unsuccessful, outstanding,
};
use value::{Value, value};

use crate::driver::Driver;

fn machine(kind: &str, fields: &str) -> String {
    format!(
        r#"{{"StartAt": "M", "States": {{"M": {{"Type": "Map", "Label": "all", {fields}
            "End": true, "ItemProcessor": {{
                "ProcessorConfig": {{"Mode": "DISTRIBUTED", "ExecutionType": "{kind}"}},
                "StartAt": "P", "States": {{"P": {{"Type": "Pass", "End": true}}}}}}}}}}}}"#
    )
}

impl Driver {
    /// Ends the oldest open child, and returns it.
    fn end_child(&mut self, status: Status) -> Child {
        let child = self.children.remove(0);
        let fact = MapRunFact::ChildEnded(Box::new(end(status, child.of.number)));
        self.take(Fact::MapRun { task: child.task, fact });
        child
    }

    /// Lets every child know that it was to be stopped.
    fn all_stopped(&mut self) -> Vec<Child> {
        let stopped = std::mem::take(&mut self.stopped);
        for child in &stopped {
            let fact = MapRunFact::ChildEnded(Box::new(end(Status::Aborted, child.of.number)));
            self.take(Fact::MapRun { task: child.task, fact });
        }
        stopped
    }

    /// Answers the question for children that ended badly.
    fn found(&mut self, children: &[(&Child, Status)], behind: Option<&str>) {
        let (task, wanted) = self.items.remove(0);
        let ItemsWanted::Children { kind, .. } = wanted else { panic!("{wanted:?}") };
        let children = children.iter().map(|(child, status)| unsuccessful(child, *status, kind));
        let (children, behind) = (children.collect(), behind.map(str::to_owned));
        self.take(Fact::MapRun { task, fact: MapRunFact::ChildrenFound { children, behind } });
    }

    fn counts(&self) -> [u64; 6] {
        let counts = self.reports.last().unwrap().executions;
        let [pending, waiting] = [counts.pending, counts.pending_redrive];
        let not = counts.failures_not_redrivable;
        [pending, waiting, counts.running, counts.succeeded, counts.failed + counts.aborted, not]
    }

    fn names(&self) -> Vec<String> {
        self.children.iter().map(|child| child.name.clone()).collect()
    }
}

/// How a child ends that hands its number on.
fn end(status: Status, number: Option<u64>) -> ChildEnd {
    let output = (status == Status::Succeeded).then(|| Value::from(number.unwrap_or(99)).into());
    let (error, cause) = (None, None);
    let (start_millis, stop_millis, is_redrivable) = (0, 0, true);
    let input = Value::Null.into();
    ChildEnd { status, input, output, error, cause, start_millis, stop_millis, is_redrivable }
}

fn unsuccessful(child: &Child, status: Status, kind: ChildKind) -> Unsuccessful {
    Unsuccessful {
        name: child.name.clone(),
        number: child.of.number,
        items: child.of.items,
        status,
        is_redrivable: true,
        start_millis: 7,
        input: (kind == ChildKind::Express).then(|| child.input.clone()).flatten(),
        map_item: child.of.map_item.clone(),
    }
}

/// Three children of which the second fails, so that the third is stopped; the fourth never began.
fn failed(fields: &str) -> (Driver, Vec<Child>) {
    let fields = format!(r#""MaxConcurrency": 3, {fields}"#);
    let mut run = Driver::start(&machine("STANDARD", &fields), "[0, 1, 2, 3]");
    let children = run.children.clone();
    let started: Vec<TaskId> = children.iter().map(|child| child.task).collect();
    run.end_child(Status::Succeeded);
    // In its stead the fourth begins; it is taken back, as if there had been no place.
    assert_eq!(run.children.len(), 3);
    run.end_child(Status::Failed);
    assert_eq!(run.state.status(), Status::Failed);
    assert_eq!(started.len(), 3);
    (run, children)
}

#[test]
fn who_failed_or_was_stopped_is_redriven_and_who_succeeded_is_not() {
    let (mut run, children) = failed("");
    let fourth = run.stopped[1].clone();
    run.all_stopped();
    assert_eq!(run.state.redrivable(), Ok(()));
    assert!(run.state.is_over());
    let events = run.events.len();
    run.millis = 9;
    run.redrive("t");
    let tail = run.history().split_off(events);
    assert_eq!(tail.len(), 2);
    assert!(tail[0].ends_with("ExecutionRedriven") && tail[1].ends_with("MapRunRedriven"));
    let shown = run.event(events + 2);
    assert_eq!(
        shown.get("previousEventId"),
        shown.get("id").map(|id| value!(id.as_i64().unwrap() - 1)).as_ref()
    );
    let details = shown.get("mapRunRedrivenEventDetails").unwrap();
    assert_eq!(details.get("redriveCount"), Some(&value!(1)));
    let report = run.reports.last().unwrap().clone();
    assert_eq!(details.get("mapRunArn").and_then(Value::as_str), Some(&*report.arn));
    assert_eq!((report.status, report.stop_millis), (MapRunStatus::Running, None));
    assert_eq!((report.redrives, report.redrive_millis), (1, Some(9)));
    assert_eq!(run.counts(), [0, 3, 0, 1, 0, 0]);

    run.found(&[(&fourth, Status::Aborted), (&children[2], Status::Aborted)], Some("k"));
    assert_eq!(run.counts(), [0, 1, 2, 1, 0, 0]);
    run.found(&[(&children[1], Status::Failed)], None);
    assert_eq!(run.counts(), [0, 0, 3, 1, 0, 0]);
    let names = [&fourth.name, &children[2].name, &children[1].name];
    assert_eq!(run.names().iter().collect::<Vec<_>>(), names);
    assert!(run.children.iter().all(|child| child.redrive == Some(1) && child.input.is_none()));
    for _ in 0..3 {
        run.end_child(Status::Succeeded);
    }
    assert_eq!(run.output(), "[0,1,2,3]", "in the order of the items");
    assert_eq!(run.counts(), [0, 0, 0, 4, 0, 0]);
    let after: Vec<String> = run.history().split_off(events + 2);
    let types: Vec<&str> = after.iter().filter_map(|event| event.split(' ').nth(1)).collect();
    let ends = ["MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"];
    assert_eq!(types, ends, "the state is entered once");
}

#[test]
fn a_redrive_waits_until_children_know_that_they_were_stopped() {
    let (mut run, children) = failed("");
    run.redrive("t");
    assert!(run.items.is_empty() && run.children.is_empty());
    assert_eq!(run.counts(), [0, 3, 0, 1, 0, 0]);
    // One had succeeded before it heard, another had failed.
    let stopped = std::mem::take(&mut run.stopped);
    for (child, status) in stopped.iter().zip([Status::Succeeded, Status::Failed]) {
        let fact = MapRunFact::ChildEnded(Box::new(end(status, child.of.number)));
        run.take(Fact::MapRun { task: child.task, fact });
    }
    assert_eq!(run.items.len(), 1, "now they are looked for");
    run.found(&[(&stopped[1], Status::Failed), (&children[1], Status::Failed)], None);
    assert_eq!(run.counts(), [0, 0, 2, 2, 0, 0]);
    run.end_child(Status::Succeeded);
    run.end_child(Status::Succeeded);
    assert_eq!(run.output(), "[0,1,2,3]");
}

#[test]
fn who_ended_before_he_heard_is_known_when_the_redrive_comes() {
    let (mut run, children) = failed("");
    let stopped = std::mem::take(&mut run.stopped);
    for child in &stopped {
        let fact = MapRunFact::ChildEnded(Box::new(end(Status::Succeeded, child.of.number)));
        run.take(Fact::MapRun { task: child.task, fact });
    }
    assert!(run.state.is_over());
    run.redrive("t");
    assert_eq!(run.counts(), [0, 1, 0, 3, 0, 0]);
    run.found(&[(&children[1], Status::Failed)], None);
    run.end_child(Status::Succeeded);
    assert_eq!(run.output(), "[0,1,2,3]");
}

#[test]
fn children_that_never_began_begin_once_the_others_are_on_their_way() {
    let text = machine("STANDARD", r#""MaxConcurrency": 1,"#);
    let mut run = Driver::start(&text, "[0, 1, 2]");
    let first = run.end_child(Status::Failed);
    run.redrive("t");
    assert_eq!(run.counts(), [2, 1, 0, 0, 0, 0]);
    run.found(&[(&first, Status::Failed)], None);
    assert_eq!(run.names(), [first.name], "concurrency holds");
    assert_eq!(run.counts(), [2, 0, 1, 0, 0, 0]);
    for _ in 0..3 {
        assert_eq!(run.children.len(), 1);
        run.end_child(Status::Succeeded);
    }
    assert_eq!(run.output(), "[0,1,2]");
}

#[test]
fn who_cannot_be_redriven_counts_among_the_failures() {
    for (tolerated, ends) in [(0, Status::Failed), (1, Status::Succeeded)] {
        let fields = format!(r#""MaxConcurrency": 1, "ToleratedFailureCount": {tolerated},"#);
        let mut run = Driver::start(&machine("STANDARD", &fields), "[0, 1, 2]");
        let mut failed = Vec::new();
        for _ in 0..=tolerated {
            failed.push(run.end_child(Status::Failed));
        }
        assert_eq!(run.state.status(), Status::Failed);
        run.redrive("t");
        let (task, _) = run.items.remove(0);
        let first = unsuccessful(&failed[0], Status::Failed, ChildKind::Standard);
        let mut children = vec![Unsuccessful { is_redrivable: false, ..first }];
        let others = failed[1..].iter();
        children.extend(others.map(|it| unsuccessful(it, Status::Failed, ChildKind::Standard)));
        let fact = MapRunFact::ChildrenFound { children, behind: None };
        run.take(Fact::MapRun { task, fact });
        assert_eq!(run.counts()[5], 1);
        while !run.children.is_empty() {
            run.end_child(Status::Succeeded);
        }
        assert_eq!(run.state.status(), ends, "{tolerated} are tolerated");
        assert_eq!(run.reports.last().unwrap().executions.failures_not_redrivable, 1);
    }
}

#[test]
fn who_is_gone_is_not_waited_for() {
    let fields = r#""MaxConcurrency": 1, "ToleratedFailureCount": 1,"#;
    let mut run = Driver::start(&machine("STANDARD", fields), "[0, 1]");
    run.end_child(Status::Failed);
    let second = run.end_child(Status::Failed);
    run.redrive("t");
    run.found(&[(&second, Status::Failed)], None);
    assert_eq!(run.counts(), [0, 0, 1, 0, 1, 1]);
    run.end_child(Status::Succeeded);
    assert_eq!(run.output(), "[1]");
}

#[test]
fn express_children_that_failed_are_started_again() {
    let text = machine("EXPRESS", r#""MaxConcurrency": 1,"#);
    let mut run = Driver::start(&text, r#"["a", "b"]"#);
    let first = run.end_child(Status::TimedOut);
    run.redrive("t");
    run.found(&[(&first, Status::TimedOut)], None);
    let again = run.children[0].clone();
    assert_eq!((&again.name, again.redrive), (&first.name, None));
    assert_eq!(again.input.as_ref().unwrap().text(), "\"a\"");
    assert_eq!(again.of.map_item, first.of.map_item);
    assert_eq!(again.of.redrives, 1);
    run.end_child(Status::Succeeded);
    assert_eq!(run.records[1].1.start_millis, 7, "it keeps its place among the others");
    run.end_child(Status::Succeeded);
    assert_eq!(run.output(), "[0,1]");
}

#[test]
fn a_redrive_that_is_stopped_can_be_redriven() {
    let (mut run, children) = failed("");
    let fourth = run.stopped[1].clone();
    run.all_stopped();
    run.redrive("t");
    run.found(&[(&fourth, Status::Aborted)], Some("k"));
    let asked = run.items[0].0;
    run.take(Fact::StopRequested { error: None, cause: None });
    assert_eq!(run.counts(), [0, 0, 0, 1, 3, 0], "nobody waits when a map run is over");
    assert_eq!(run.stopped.len(), 1);
    assert_eq!(run.stopped[0].redrive, Some(1), "one who may not have been redriven yet");
    run.all_stopped();
    assert!(run.state.is_over());
    run.items.clear();
    run.redrive("u");
    assert_eq!(run.counts(), [0, 3, 0, 1, 0, 0]);
    let late = MapRunFact::ChildrenFound { children: Vec::new(), behind: None };
    run.take(Fact::MapRun { task: asked, fact: late });
    assert_eq!(run.counts(), [0, 3, 0, 1, 0, 0], "an answer of before is nobody's");
    let all = [(&fourth, Status::Aborted), (&children[1], Status::Failed)];
    run.found(&[all[0], all[1], (&children[2], Status::Aborted)], None);
    assert!(run.children.iter().all(|child| child.redrive == Some(2)));
    for _ in 0..3 {
        run.end_child(Status::Succeeded);
    }
    assert_eq!(run.output(), "[0,1,2,3]");
    assert_eq!(run.reports.last().unwrap().redrives, 2);
}

#[test]
fn what_is_asked_for_is_asked_again_after_a_crash() {
    let (mut run, children) = failed("");
    run.all_stopped();
    run.redrive("t");
    assert_eq!(outstanding(&run.state).len(), 1);
    run.found(&[(&children[1], Status::Failed)], Some("k"));
    let kinds = |state: &State| -> Vec<String> {
        let shown = |effect: &execution::Effect| match effect {
            execution::Effect::Child(child) => format!("child {:?}", child.redrive),
            execution::Effect::Items { wanted, .. } => format!("{wanted:?}"),
            other => format!("{other:?}"),
        };
        outstanding(state).iter().map(shown).collect()
    };
    let more = r#"Children { kind: Standard, behind: Some("k") }"#;
    assert_eq!(kinds(&run.state), ["child Some(1)", more]);
    let task = run.children[0].task;
    run.take(Fact::MapRun { task, fact: MapRunFact::ChildStarted });
    assert_eq!(kinds(&run.state), ["child None", more], "it is known to run");
}

#[test]
fn a_map_run_that_could_not_be_read_is_read_again() {
    let fields = r#""ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "k"}},"#;
    let mut run = Driver::start(&machine("STANDARD", fields), "{}");
    let arn = run.reports[0].arn.clone();
    let (task, _) = run.items.remove(0);
    let (error, cause) = ("States.ItemReaderFailed".to_owned(), "gone".to_owned());
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsFailed { error, cause } });
    run.redrive("t");
    let (task, wanted) = run.items.remove(0);
    assert!(matches!(wanted, ItemsWanted::Read(_)));
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsRead { items: 2, pieces: 1 } });
    // Stopped before the piece is there: it is brought once more.
    run.take(Fact::StopRequested { error: None, cause: None });
    run.items.clear();
    assert_eq!(run.items_gone, 0);
    run.redrive("u");
    let (task, wanted) = run.items.remove(0);
    assert!(matches!(wanted, ItemsWanted::Read(_)), "no child has begun: it is read again");
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsRead { items: 3, pieces: 2 } });
    let (task, _) = run.items.remove(0);
    let items = value!(["a"]);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items } });
    let (first, asked) = (run.children[0].clone(), run.items[0].clone());
    assert!(matches!(asked.1, ItemsWanted::Piece(1)));
    run.end_child(Status::Failed);
    run.items.clear();
    run.redrive("v");
    run.found(&[(&first, Status::Failed)], None);
    let (task, wanted) = run.items.remove(0);
    assert!(matches!(wanted, ItemsWanted::Piece(1)), "the same items: {wanted:?}");
    let items = value!(["b", "c"]);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items } });
    for _ in 0..3 {
        run.end_child(Status::Succeeded);
    }
    assert_eq!(run.output(), "[0,1,2]");
    assert!(run.reports.iter().all(|report| report.arn == arn));
}

#[test]
fn what_the_definition_cannot_be_filled_in_with_begins_a_new_map_run() {
    let fields = r#""ItemSelector": {"n.$": "$$.Map.Item.Value.missing"},"#;
    let mut run = Driver::start(&machine("STANDARD", fields), "[1]");
    assert_eq!(run.state.status(), Status::Failed);
    let first = run.reports.last().unwrap().arn.clone();
    run.millis = 5;
    run.redrive("t");
    let started = run.history().iter().filter(|event| event.ends_with("MapRunStarted")).count();
    assert_eq!(started, 2);
    assert!(!run.history().iter().any(|event| event.ends_with("MapRunRedriven")));
    assert_eq!(run.state.redrivable(), Ok(()));
    assert_eq!(first, run.reports[0].arn);
}

#[test]
fn a_failure_that_is_caught_gives_the_items_up() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "k"}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}], "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}},
        "Rest": {"Type": "Fail"}}}"#;
    let mut run = Driver::start(text, "{}");
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsRead { items: 2, pieces: 2 } });
    let (task, _) = run.items.remove(0);
    run.take(Fact::MapRun { task, fact: MapRunFact::ItemsLoaded { items: value!(["a"]) } });
    run.end_child(Status::Failed);
    assert_eq!(run.items_gone, 2);
    assert_eq!(run.state.status(), Status::Failed);
    run.redrive("t");
    assert!(run.children.is_empty() && run.items.len() <= 1, "only what failed last goes on");
}

#[test]
fn a_child_is_redriven_once_by_each_redrive_of_its_map_run() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:iam:getUser"}}}}}}"#;
    let parent = Driver::start(text, "[1]");
    let of = parent.children[0].of.clone();
    let mut child = Driver::start_child(text, "1", of);
    child.fail("E", "c");
    assert_eq!(child.state.redrivable(), Ok(()));
    let events = child.events.len();
    child.take(Fact::Redriven { token: "t".to_owned() });
    assert_eq!(child.events.len(), events, "only its map run does");
    for _ in 0..2 {
        child.take(Fact::RedrivenByMapRun { redrive: 3 });
        assert_eq!(child.state.redrives().unwrap().count, 1);
    }
    child.fail("E", "c");
    child.take(Fact::RedrivenByMapRun { redrive: 3 });
    assert_eq!(child.state.status(), Status::Failed, "a second time changes nothing");
    child.take(Fact::RedrivenByMapRun { redrive: 4 });
    child.succeed(value!(1));
    assert_eq!(child.state.status(), Status::Succeeded);
    assert_eq!(child.state.redrivable(), Err(NotRedrivable::Is(Status::Succeeded)));
}
