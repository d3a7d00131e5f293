//! Tasks: what is recorded, retried, caught, timed out.

use execution::{Fact, Status, outstanding};
use value::value;

use crate::driver::Driver;

/// A machine of one task with these further fields, and a state that they may catch with.
fn one_task(fields: &str) -> String {
    let rescue = if fields.contains("Rescue") {
        r#", "Rescue": {"Type": "Pass", "Next": "Done"}"#
    } else {
        ""
    };
    format!(
        r#"{{"StartAt": "Get", "States": {{
            "Get": {{"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
                "Parameters": {{"UserName.$": "$.name"}}, {fields} "Next": "Done"}},
            "Done": {{"Type": "Succeed"}}{rescue}}}}}"#
    )
}

const CATCH: &str = r#""Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error",
    "Next": "Rescue"}],"#;

#[test]
fn a_call_is_scheduled_started_and_answered() {
    let mut run = Driver::start(&one_task(CATCH), r#"{"name": "ann"}"#);
    assert_eq!(run.calls[0].resource, "arn:aws:states:::aws-sdk:iam:getUser");
    assert_eq!(run.calls[0].arguments, value!({"UserName": "ann"}));
    run.succeed(value!({"User": {"UserId": "AIDA"}}));
    assert_eq!(
        run.history(),
        [
            "1<0 ExecutionStarted",
            "2<0 TaskStateEntered",
            "3<2 TaskScheduled",
            "4<3 TaskStarted",
            "5<4 TaskSucceeded",
            "6<5 TaskStateExited",
            "7<6 SucceedStateEntered",
            "8<7 SucceedStateExited",
            "9<8 ExecutionSucceeded",
        ]
    );
    assert_eq!(
        run.event(3).get("taskScheduledEventDetails").unwrap(),
        &value!({
            "resourceType": "aws-sdk:iam", "resource": "getUser", "region": "us-east-1",
            "parameters": "{\"UserName\":\"ann\"}"
        })
    );
    assert_eq!(
        run.event(5).get("taskSucceededEventDetails").unwrap(),
        &value!({
            "resourceType": "aws-sdk:iam", "resource": "getUser",
            "output": "{\"User\":{\"UserId\":\"AIDA\"}}", "outputDetails": {"truncated": false}
        })
    );
    assert_eq!(run.output(), r#"{"User":{"UserId":"AIDA"}}"#);
}

#[test]
fn a_caught_failure_goes_on_with_the_error_in_the_input() {
    let mut run = Driver::start(&one_task(CATCH), r#"{"name": "ann"}"#);
    run.fail("Iam.NoSuchEntityException", "no ann");
    assert_eq!(
        run.output(),
        r#"{"name":"ann","error":{"Error":"Iam.NoSuchEntityException","Cause":"no ann"}}"#
    );
    assert_eq!(
        run.history()[4..7],
        ["5<4 TaskFailed", "6<5 TaskStateExited", "7<6 PassStateEntered"]
    );
}

#[test]
fn retries_wait_longer_each_time_and_then_fail() {
    let retry = r#""Retry": [{"ErrorEquals": ["Other"]},
        {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "MaxAttempts": 2}],"#;
    let mut run = Driver::start(&one_task(&format!("{retry}{CATCH}")), r#"{"name": "x"}"#);
    for due_millis in [2_000, 6_000] {
        run.fail("Iam.ServiceFailure", "busy");
        assert!(run.calls.is_empty());
        run.fire();
        assert_eq!(run.millis, due_millis);
    }
    run.fail("Iam.ServiceFailure", "busy");
    assert_eq!(
        run.history()[3..12],
        [
            "4<3 TaskStarted",
            "5<4 TaskFailed",
            "6<5 TaskScheduled",
            "7<6 TaskStarted",
            "8<7 TaskFailed",
            "9<8 TaskScheduled",
            "10<9 TaskStarted",
            "11<10 TaskFailed",
            "12<11 TaskStateExited",
        ]
    );
}

#[test]
fn a_task_that_takes_too_long_is_given_up() {
    let mut run = Driver::start(&one_task(r#""TimeoutSeconds": 5,"#), r#"{"name": "x"}"#);
    let task = run.calls[0].task;
    run.fire();
    assert!(run.calls.is_empty(), "the call is taken back");
    assert_eq!(run.history()[4..], ["5<4 TaskTimedOut", "6<5 ExecutionFailed"]);
    assert_eq!(run.finish.as_ref().unwrap().error.as_deref(), Some("States.Timeout"));
    let before = run.history();
    run.take(Fact::TaskSucceeded { task, output: value!(1) });
    assert_eq!(run.history(), before, "a late answer changes nothing");
}

#[test]
fn heartbeats_put_the_timeout_off() {
    let text = one_task(r#""HeartbeatSeconds": 5, "TimeoutSeconds": 60,"#);
    let mut run = Driver::start(&text, r#"{"name": "x"}"#);
    let task = run.calls[0].task;
    run.millis = 4_000;
    run.take(Fact::TaskHeartbeat { task });
    assert_eq!(run.timers[0].0, 9_000);
    run.fire();
    assert_eq!(run.finish.as_ref().unwrap().error.as_deref(), Some("States.Timeout"));
}

#[test]
fn missed_heartbeats_can_be_told_from_timeouts() {
    let text = one_task(
        r#""HeartbeatSeconds": 5, "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"],
            "Next": "Rescue"}],"#,
    );
    let mut run = Driver::start(&text, r#"{"name": "x"}"#);
    run.fire();
    assert_eq!(run.output(), r#"{"Error":"States.Timeout"}"#);
}

#[test]
fn callbacks_are_submitted_then_answered_by_token() {
    let text = r#"{"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"MessageBody.$": "$$.Task.Token"}}}}"#;
    let mut run = Driver::start(text, "{}");
    let token = run.calls[0].task_token.clone().unwrap();
    assert_eq!(run.calls[0].arguments, value!({"MessageBody": (token.as_str())}));
    let task = run.state.task_of_token(&token).unwrap();
    run.take(Fact::TaskSubmitted { task, output: value!({"MessageId": "m"}) });
    run.take(Fact::TaskSucceeded { task, output: value!("yes") });
    assert_eq!(run.history()[4..6], ["5<4 TaskSubmitted", "6<5 TaskSucceeded"]);
    assert_eq!(run.output(), r#""yes""#);
    assert_eq!(run.state.task_of_token(&token), None);
}

#[test]
fn activities_start_when_a_worker_takes_them() {
    let text = r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:us-east-1:111111111111:activity:a"}}}"#;
    let mut run = Driver::start(text, r#"{"n": 1}"#);
    let task = run.calls[0].task;
    for _ in 0..2 {
        run.take(Fact::ActivityScheduled { task });
    }
    assert_eq!(outstanding(&run.state).len(), 0, "a task in a queue asks for nothing");
    for _ in 0..2 {
        run.take(Fact::ActivityStarted { task, worker: Some("w".into()) });
    }
    run.succeed(value!(2));
    assert_eq!(
        run.history()[2..5],
        ["3<2 ActivityScheduled", "4<3 ActivityStarted", "5<4 ActivitySucceeded"]
    );
}

#[test]
fn a_worker_may_be_quicker_than_the_word_that_the_task_waits() {
    let mut run = Driver::start(ACTIVITY, "{}");
    let task = run.calls[0].task;
    run.take(Fact::ActivityStarted { task, worker: None });
    run.take(Fact::ActivityScheduled { task });
    assert_eq!(run.history()[2..], ["3<2 ActivityScheduled", "4<3 ActivityStarted"]);
}

#[test]
fn the_clocks_of_an_activity_start_when_a_worker_takes_its_task() {
    let mut run = Driver::start(ACTIVITY, "{}");
    let task = run.calls[0].task;
    run.take(Fact::ActivityScheduled { task });
    assert!(run.timers.is_empty(), "it may wait in the queue for ever");
    run.millis = 7_000;
    run.take(Fact::ActivityStarted { task, worker: None });
    run.millis = 11_000;
    run.take(Fact::TaskHeartbeat { task });
    run.fire();
    assert_eq!((run.millis, &*run.history()[4]), (16_000, "5<4 ActivityTimedOut"));
    assert_eq!(run.withdrawn.len(), 1, "it leaves the queue, if it is still there");
}

#[test]
fn an_activity_that_is_not_there_ends_the_execution() {
    let mut run = Driver::start(ACTIVITY, "{}");
    let task = run.calls[0].task;
    run.take(Fact::TaskImpossible { task, cause: "The activity a does not exist.".into() });
    let finish = run.finish.as_ref().unwrap();
    assert_eq!(finish.error.as_deref(), Some("States.Runtime"));
    assert_eq!(
        finish.cause.as_deref(),
        Some(
            "An error occurred while executing the state 'Do' (entered at the event id #2). The \
             activity a does not exist."
        )
    );
}

const ACTIVITY: &str = r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": true,
    "TimeoutSeconds": 60, "HeartbeatSeconds": 5,
    "Resource": "arn:aws:states:us-east-1:111111111111:activity:a"}}}"#;

const JOB: &str = r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": true,
    "TimeoutSeconds": 60, "Resource": "arn:aws:states:::states:startExecution.sync"}}}"#;

#[test]
fn a_job_is_looked_at_until_it_has_ended() {
    let mut run = Driver::start(JOB, "{}");
    let task = run.calls.remove(0).task;
    // Nobody knows yet what it is.
    run.take(Fact::JobStirred { task });
    run.take(Fact::TaskSubmitted { task, output: value!({"Id": "j"}) });
    let job = run.looks.remove(0);
    assert_eq!((job.call.task, job.submitted), (task, Some(value!({"Id": "j"}))));
    run.take(Fact::JobRuns { task, again_seconds: Some(5) });
    assert!(run.state.job(job.number).is_none(), "that look is over");
    run.fire();
    assert_eq!((run.millis, run.looks.len()), (5_000, 1));
    run.take(Fact::TaskSucceeded { task, output: value!(1) });
    assert_eq!(run.history()[4..6], ["5<4 TaskSubmitted", "6<5 TaskSucceeded"]);
}

#[test]
fn a_look_that_fails_in_passing_is_repeated_later_and_later_but_not_for_ever() {
    let mut run = Driver::start(&JOB.replace(r#""TimeoutSeconds": 60, "#, ""), "{}");
    let task = run.calls.remove(0).task;
    let unseen = |run: &mut Driver| {
        let (error, cause) = (Some("Glue.ThrottlingException".into()), Some("slowly".into()));
        run.take(Fact::JobUnseen { task, again_seconds: 5, error, cause });
    };
    run.take(Fact::TaskSubmitted { task, output: value!({}) });
    let mut seconds = Vec::new();
    for _ in 0..10 {
        let before = run.millis;
        unseen(&mut run);
        run.fire();
        seconds.push((run.millis - before) / 1_000);
    }
    assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
    // One that was answered in between forgives those before it.
    run.take(Fact::JobRuns { task, again_seconds: Some(5) });
    run.fire();
    for _ in 0..10 {
        unseen(&mut run);
        assert!(run.finish.is_none());
        run.fire();
    }
    unseen(&mut run);
    let finish = run.finish.as_ref().unwrap();
    assert_eq!(finish.error.as_deref(), Some("Glue.ThrottlingException"));
    assert!(outstanding(&run.state).is_empty(), "nothing is left of it");
}

#[test]
fn a_job_that_stirs_while_it_is_looked_at_is_looked_at_once_more() {
    let mut run = Driver::start(JOB, "{}");
    let task = run.calls.remove(0).task;
    run.take(Fact::TaskSubmitted { task, output: value!({}) });
    run.take(Fact::JobStirred { task });
    assert_eq!(run.looks.len(), 1);
    run.take(Fact::JobRuns { task, again_seconds: None });
    assert_eq!(run.looks.len(), 2);
    run.take(Fact::JobRuns { task, again_seconds: None });
    assert_eq!(outstanding(&run.state).len(), 1, "nothing but its timeout");
    run.take(Fact::JobStirred { task });
    assert_eq!(run.looks.len(), 3);
}

#[test]
fn a_job_is_withdrawn_when_its_task_is_over_before_it() {
    for submitted in [None, Some(value!({"Id": "j"}))] {
        let mut run = Driver::start(JOB, "{}");
        let task = run.calls[0].task;
        if let Some(output) = submitted.clone() {
            run.take(Fact::TaskSubmitted { task, output });
        }
        run.take(Fact::StopRequested { error: None, cause: None });
        assert_eq!(run.withdrawn.len(), 1);
        assert_eq!(run.withdrawn[0].submitted, submitted);
    }
}

#[test]
fn results_beyond_the_quota_fail_the_task() {
    let mut run = Driver::start(&one_task(""), r#"{"name": "x"}"#);
    run.succeed("a".repeat(262_145).into());
    let finish = run.finish.as_ref().unwrap();
    assert_eq!(finish.error.as_deref(), Some("States.DataLimitExceeded"));
    assert_eq!(
        finish.cause.as_deref(),
        Some(
            "The state/task 'aws-sdk:iam' returned a result with a size exceeding the maximum \
             number of bytes service limit."
        )
    );
}

#[test]
fn stopping_takes_everything_back() {
    let text = one_task(r#""TimeoutSeconds": 5,"#);
    let mut run = Driver::start(&text, r#"{"name": "x"}"#);
    run.take(Fact::StopRequested { error: Some("E".into()), cause: None });
    assert_eq!(run.state.status(), Status::Aborted);
    assert!(run.calls.is_empty() && run.timers.is_empty());
    assert_eq!(run.history()[4..], ["5<0 ExecutionAborted"]);
}

#[test]
fn an_execution_that_takes_too_long_times_out() {
    let text = r#"{"StartAt": "W", "TimeoutSeconds": 5,
        "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}}"#;
    let mut run = Driver::start(text, "{}");
    run.fire();
    assert_eq!((run.millis, run.state.status()), (5_000, Status::TimedOut));
    assert!(run.timers.is_empty());
    assert_eq!(run.history()[2..], ["3<0 ExecutionTimedOut"]);
}

#[test]
fn paths_are_filled_in_however_deep_they_stand() {
    let text = r#"{"StartAt": "Run", "States": {"Run": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::aws-sdk:ecs:runTask",
        "Parameters": {"Overrides": [{"Environment": [{"Name": "N", "Value.$": "$.n"}]}, 1]}}}}"#;
    let run = Driver::start(text, r#"{"n": "v"}"#);
    assert_eq!(
        run.calls[0].arguments,
        value!({"Overrides": [{"Environment": [{"Name": "N", "Value": "v"}]}, 1]})
    );
}
