//! How steps follow each other, and what the run becomes in the end.

use automation::{Effect, Fact, Mode, Signal, Status, StopType, harness};
use value::{Value, value};

use crate::driver::{Driver, START_MILLIS, document, error, nothing, started};

/// Two calls; `first` goes on as its properties say.
fn two_steps(properties: &str) -> String {
    document(&format!(
        "  - {{name: first, action: 'aws:executeAwsApi', {properties}
       inputs: {{Service: IAM, Api: get_user, UserName: '{{{{ Name }}}}'}}}}
  - {{name: second, action: 'aws:executeAwsApi', inputs: {{Service: iam, Api: ListUsers}}}}
  - {{name: third, action: 'aws:updateVariable', inputs: {{Name: 'variable:Seen', Value: x}}}}
"
    ))
}

/// What becomes of a run whose first step fails and whose other steps succeed.
#[test]
fn a_failed_step_leads_where_its_properties_say() {
    for (properties, statuses, status) in [
        ("", ["Failed", "Pending", "Pending"], Status::Failed),
        ("onFailure: Abort,", ["Failed", "Pending", "Pending"], Status::Failed),
        ("onFailure: Continue,", ["Failed", "Success", "Success"], Status::Success),
        (
            "onFailure: Continue, isCritical: 'true',",
            ["Failed", "Success", "Success"],
            Status::Failed,
        ),
        ("onFailure: 'step:third',", ["Failed", "Pending", "Success"], Status::Failed),
        (
            "onFailure: 'step:third', isCritical: false,",
            ["Failed", "Pending", "Success"],
            Status::Success,
        ),
        (
            "onFailure: Continue, nextStep: third,",
            ["Failed", "Pending", "Success"],
            Status::Success,
        ),
        ("onFailure: Continue, isEnd: true,", ["Failed", "Pending", "Pending"], Status::Success),
        (
            "onFailure: 'step:second', isEnd: true,",
            ["Failed", "Pending", "Pending"],
            Status::Failed,
        ),
        ("isCritical: false,", ["Failed", "Pending", "Pending"], Status::Success),
    ] {
        let mut driver = Driver::started(&two_steps(properties), nothing());
        driver.answer_all(|operation, _| match operation {
            "get_user" => Err(error("NoSuchEntity", "gone")),
            _ => Ok(nothing()),
        });
        assert_eq!(driver.step_statuses(), statuses, "{properties}");
        assert_eq!(driver.status(), status, "{properties}");
        let message = driver.record().get("FailureMessage").is_some();
        assert_eq!(message, status == Status::Failed, "{properties}");
    }
}

#[test]
fn a_successful_step_leads_where_its_properties_say() {
    for (properties, statuses) in [
        ("", ["Success", "Success", "Success"]),
        ("nextStep: third,", ["Success", "Pending", "Success"]),
        ("isEnd: true,", ["Success", "Pending", "Pending"]),
        ("isEnd: 'true', nextStep: third,", ["Success", "Pending", "Pending"]),
    ] {
        let mut driver = Driver::started(&two_steps(properties), nothing());
        driver.answer_all(|_, _| Ok(nothing()));
        assert_eq!(driver.step_statuses(), statuses, "{properties}");
        assert_eq!(driver.status(), Status::Success, "{properties}");
    }
}

#[test]
fn attempts_are_made_up_to_max_attempts() {
    let mut driver = Driver::started(&two_steps("maxAttempts: 3,"), nothing());
    for _attempt in 0..2 {
        let effects = driver.answer(Err(error("Throttling", "slow down")));
        assert!(effects.iter().any(|it| matches!(it, Effect::Call(_))), "{effects:?}");
        assert_eq!(driver.step_statuses(), ["InProgress", "Pending", "Pending"]);
    }
    driver.answer(Err(error("Throttling", "slow down")));
    assert_eq!(driver.status(), Status::Failed);
    let step = driver.step("first");
    assert_eq!(
        step.get("FailureMessage").and_then(Value::as_str),
        Some(
            "Step fails when it is Execute/Cancelling action. An error occurred (Throttling) when \
             calling the GetUser operation: slow down. Please refer to Automation Service \
             Troubleshooting Guide for more diagnosis details."
        )
    );
    assert_eq!(step.path(&["FailureDetails", "FailureType"]), Some(&value!("Throttling")));
    assert_eq!(driver.record().get("FailureMessage"), step.get("FailureMessage"));
}

#[test]
fn an_attempt_that_takes_too_long_times_out() {
    let mut driver = Driver::started(&two_steps("timeoutSeconds: '5', maxAttempts: 2,"), nothing());
    let first = driver.call().unwrap().id;
    let effects = driver.next_timer();
    assert_eq!(driver.now_millis, START_MILLIS + 5000);
    assert!(effects.contains(&Effect::Cancel { id: first }), "{effects:?}");
    assert_eq!(driver.step_statuses(), ["InProgress", "Pending", "Pending"]);
    driver.next_timer();
    assert_eq!(driver.step_statuses(), ["TimedOut", "Pending", "Pending"]);
    assert_eq!(driver.status(), Status::TimedOut);
    assert!(driver.state.outstanding().is_empty());
}

#[test]
fn a_late_answer_changes_nothing() {
    let mut driver = Driver::started(&two_steps("timeoutSeconds: 5,"), nothing());
    let id = driver.call().unwrap().id;
    driver.next_timer();
    let before = driver.state.clone();
    let output = nothing();
    assert!(driver.fact(Fact::CallSucceeded { id, output, request_id: None }).is_empty());
    assert_eq!(driver.state, before);
}

#[test]
fn cancelling_withdraws_what_is_under_way() {
    let mut driver = Driver::started(&two_steps(""), nothing());
    let id = driver.call().unwrap().id;
    let effects = driver.fact(Fact::StopRequested(StopType::Cancel));
    assert!(effects.contains(&Effect::Cancel { id }), "{effects:?}");
    assert_eq!(driver.step_statuses(), ["Cancelled", "Pending", "Pending"]);
    assert_eq!(driver.status(), Status::Cancelled);
    assert!(driver.record().get("FailureMessage").is_none());
}

#[test]
fn cancelling_goes_on_where_on_cancel_says() {
    let mut driver = Driver::started(&two_steps("onCancel: 'step:second',"), nothing());
    driver.fact(Fact::StopRequested(StopType::Cancel));
    assert_eq!(driver.status(), Status::Cancelling);
    assert_eq!(driver.step_statuses(), ["Cancelled", "InProgress", "Pending"]);
    // Another request changes nothing.
    assert!(driver.fact(Fact::StopRequested(StopType::Cancel)).is_empty());
    driver.answer_all(|_, _| Ok(nothing()));
    assert_eq!(driver.step_statuses(), ["Cancelled", "Success", "Success"]);
    assert_eq!(driver.status(), Status::Cancelled);
    assert!(driver.state.outstanding().is_empty());
}

#[test]
fn steps_behind_on_cancel_have_two_minutes() {
    let steps = two_steps("onCancel: 'step:second',")
        .replace("Api: ListUsers}", "Api: ListUsers}, timeoutSeconds: 600");
    let mut driver = Driver::started(&steps, nothing());
    driver.fact(Fact::StopRequested(StopType::Cancel));
    driver.next_timer();
    assert_eq!(driver.now_millis, START_MILLIS + 120_000);
    assert_eq!(driver.step_statuses(), ["Cancelled", "Cancelled", "Pending"]);
    assert_eq!(driver.status(), Status::Cancelled);
}

#[test]
fn completing_lets_the_current_step_finish() {
    let mut driver = Driver::started(&two_steps(""), nothing());
    assert!(driver.fact(Fact::StopRequested(StopType::Complete)).is_empty());
    driver.answer(Ok(nothing()));
    assert_eq!(driver.step_statuses(), ["Success", "Pending", "Pending"]);
    assert_eq!(driver.status(), Status::Cancelled);
}

#[test]
fn an_interactive_run_waits_before_every_step() {
    let mut driver = Driver::new(&two_steps(""));
    let interactive = automation::Started { mode: Mode::Interactive, ..started(nothing()) };
    assert!(driver.fact(Fact::Started(Box::new(interactive))).is_empty());
    assert_eq!(driver.status(), Status::Waiting);
    let step = |name: &str| Fact::Signal(Signal::StartStep { step_name: Some(name.to_owned()) });
    assert!(driver.fact(step("second")).is_empty());
    driver.fact(step("first"));
    driver.answer(Ok(nothing()));
    assert_eq!(driver.step_statuses(), ["Success", "Pending", "Pending"]);
    assert_eq!(driver.status(), Status::Waiting);
    driver.fact(Fact::StopRequested(StopType::Cancel));
    assert_eq!(driver.status(), Status::Cancelled);
}

#[test]
fn events_tell_every_change_of_status() {
    let steps = document(
        "  - {name: only, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: ListUsers}}\n",
    );
    let mut driver = Driver::started(&steps, nothing());
    driver.answer(Ok(nothing()));
    let events: Vec<String> = driver
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Event(event) => Some(event.detail.to_string()),
            _ => None,
        })
        .collect();
    let id = r#""ExecutionId":"73c8eef8-f4ee-4a05-820c-e354f0000000","Definition":"Example","DefinitionVersion":1.0"#;
    let by = r#""ExecutedBy":"arn:aws:sts::111122223333:assumed-role/starter/session""#;
    let step = r#""StepName":"only","Action":"aws:executeAwsApi""#;
    let start = r#""StartTime":"Mar 9, 2020 7:00:33 AM""#;
    let end = r#""EndTime":"Mar 9, 2020 7:00:33 AM","Time":100.0"#;
    assert_eq!(
        events,
        [
            format!(r#"{{{id},"Status":"InProgress",{start},{by}}}"#),
            format!(r#"{{{id},"Status":"InProgress",{start},{step}}}"#),
            format!(r#"{{{id},"Status":"Success",{start},{end},{step}}}"#),
            format!(r#"{{{id},"Status":"Success",{start},{end},{by}}}"#),
        ]
    );
    let Some(Effect::Event(event)) =
        driver.effects.iter().find(|it| matches!(it, Effect::Event(_)))
    else {
        panic!("no event")
    };
    assert_eq!(
        event.resources,
        [
            "arn:aws:ssm:eu-central-1:111122223333:automation-execution/73c8eef8-f4ee-4a05-820c-e354f0000000",
            "arn:aws:ssm:eu-central-1:111122223333:automation-definition/Example:1",
        ]
    );
}

/// The answer of the captured example, member for member.
#[test]
fn the_record_looks_like_the_captured_one() {
    let steps = document(
        "  - {name: startInstances, action: 'aws:executeAwsApi', inputs: {Service: ec2, Api: StartInstances, InstanceIds: ['{{ Name }}']}}\n",
    )
    .replace("variables:\n  Seen: {type: String, default: \"\"}\n  Total: {type: Integer, default: 0}\n", "");
    let mut driver = Driver::started(&steps, value!({"Name": ["i-0cb9=<x>"]}));
    driver.answer(Ok(nothing()));
    let step_id = driver.step("startInstances").get("StepExecutionId").unwrap().clone();
    assert_eq!(step_id.as_str().unwrap().len(), 36);
    let expected = value!({
        "AutomationExecutionId": "73c8eef8-f4ee-4a05-820c-e354f0000000",
        "DocumentName": "Example",
        "DocumentVersion": "1",
        "ExecutionStartTime": 1_583_737_233.748,
        "ExecutionEndTime": 1_583_737_233.848,
        "AutomationExecutionStatus": "Success",
        "StepExecutions": [{
            "StepName": "startInstances",
            "Action": "aws:executeAwsApi",
            "ExecutionStartTime": 1_583_737_233.748,
            "ExecutionEndTime": 1_583_737_233.848,
            "StepStatus": "Success",
            "Inputs": {
                "Service": "\"ec2\"",
                "Api": "\"StartInstances\"",
                "InstanceIds": "[\"i-0cb9\\u003d\\u003cx\\u003e\"]",
            },
            "Outputs": {},
            "StepExecutionId": step_id,
            "OverriddenParameters": {},
        }],
        "StepExecutionsTruncated": false,
        "Parameters": {
            "Name": ["i-0cb9=<x>"],
            "Count": ["3"],
            "Flag": ["true"],
            "List": ["a", "b"],
        },
        "Outputs": {},
        "Mode": "Auto",
        "ExecutedBy": "arn:aws:sts::111122223333:assumed-role/starter/session",
        "Targets": [],
        "ResolvedTargets": {"ParameterValues": [], "Truncated": false},
    });
    assert_eq!(driver.record().to_string(), expected.to_string());
}

#[test]
fn parameters_that_do_not_fit_fail_the_run() {
    let driver = Driver::started(&two_steps(""), value!({"Count": ["many"]}));
    assert_eq!(driver.status(), Status::Failed);
    assert_eq!(driver.step_statuses(), ["Pending"; 3]);
}

#[test]
fn every_fact_can_be_the_last_before_a_crash() {
    let mut driver = Driver::started(&two_steps(""), nothing());
    let outstanding = driver.state.outstanding();
    let stored = value::to_value(&driver.state).unwrap();
    let stored = value::parse(&stored.to_string()).unwrap();
    driver.state = value::from_value(stored).unwrap();
    assert_eq!(driver.state.outstanding(), outstanding);
    assert!(outstanding.iter().any(|it| matches!(it, Effect::Call(_))));
    driver.answer_all(|_, _| Ok(nothing()));
    assert_eq!(driver.status(), Status::Success);
    assert!(!harness::PROGRAM.is_empty());
}
