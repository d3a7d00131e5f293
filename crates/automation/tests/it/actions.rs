//! Every action: what it asks for, what it makes of the answer.

use automation::actions::ACTIONS;
use automation::{Effect, Fact, Signal, Status};
use value::{Value, value};

use crate::driver::{Driver, START_MILLIS, document, error, nothing};

const SUFFIX: &str =
    " Please refer to Automation Service Troubleshooting Guide for more diagnosis details.";

/// Starts a run of one step and of one that says that it was reached.
fn started(step: &str) -> Driver {
    let after = "\n  - {name: after, action: 'aws:sleep', inputs: {Duration: PT0S}}\n";
    Driver::started(&document(&format!("  - {step}{after}")), nothing())
}

fn failure(driver: &Driver, name: &str) -> String {
    assert_eq!(driver.status(), Status::Failed);
    let step = driver.step(name);
    step.get("FailureMessage").and_then(Value::as_str).unwrap().to_owned()
}

fn outputs(driver: &Driver, name: &str) -> String {
    driver.step(name).get("Outputs").unwrap().to_string()
}

const API: &str = "{name: api, action: 'aws:executeAwsApi', \
    inputs: {Service: iam, Api: get_user, UserName: '{{ Name }}', Max: '{{Count}}', \
             Tags: [{Key: 'x-{{ List }}', Value: '{{ Flag }}'}]}, \
    outputs: [{Name: Id, Selector: $.User.UserId, Type: String}, \
              {Name: All, Selector: $, Type: StringMap}, \
              {Name: Names, Selector: '$..Name', Type: StringList}, \
              {Name: Maps, Selector: User.Groups, Type: MapList}, \
              {Name: No, Selector: $.User.No, Type: String}]}";

#[test]
fn execute_aws_api_calls_with_types_and_selects_outputs() {
    let mut driver = started(API);
    let call = driver.call().unwrap();
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("iam", "get_user"));
    assert_eq!(
        call.input.to_string(),
        r#"{"UserName":"bob","Max":3,"Tags":[{"Key":"x-[\"a\",\"b\"]","Value":true}]}"#
    );
    driver.answer(Ok(value!({
        "User": {"UserId": "AIDA=1", "Groups": [{"Name": "日本"}, {"Name": "b"}]},
    })));
    let metadata = r#"{\"RequestId\":\"c45a9839\",\"HTTPStatusCode\":200,\"HTTPHeaders\":{\"x-amzn-requestid\":\"c45a9839\"},\"RetryAttempts\":0}"#;
    let all = r#"{\"User\":{\"UserId\":\"AIDA\\u003d1\",\"Groups\":[{\"Name\":\"日本\"},{\"Name\":\"b\"}]},\"ResponseMetadata\":"#;
    assert_eq!(
        outputs(&driver, "api"),
        format!(
            r#"{{"Id":["AIDA=1"],"All":["{all}{metadata}}}"],"Names":["日本","b"],"Maps":["{{\"Name\":\"日本\"}}","{{\"Name\":\"b\"}}"]}}"#
        )
    );
    assert_eq!(driver.status(), Status::Success);
}

#[test]
fn execute_aws_api_fails_with_the_words_of_boto3() {
    let mut driver = started(API);
    driver.answer(Err(error("AccessDenied", "User: x is not authorized")));
    assert_eq!(
        failure(&driver, "api"),
        format!(
            "Step fails when it is Execute/Cancelling action. An error occurred (AccessDenied) when \
             calling the GetUser operation: User: x is not authorized.{SUFFIX}"
        )
    );
    let details = driver.step("api").get("FailureDetails").unwrap().to_string();
    assert_eq!(details, r#"{"FailureStage":"Invocation","FailureType":"Permission","Details":{}}"#);
}

#[test]
fn execute_aws_api_fails_when_an_output_is_of_another_type() {
    let mut driver = started(API);
    driver.answer(Ok(value!({"User": {"UserId": ["AIDA"]}})));
    assert!(failure(&driver, "api").contains("output `Id` is declared as String"));
}

const ASSERT: &str = "{name: check, action: 'aws:assertAwsResourceProperty', \
    inputs: {Service: ec2, Api: GetEbsEncryptionByDefault, \
             PropertySelector: $.On, DesiredValues: ['True']}}";

#[test]
fn assert_compares_one_property() {
    for (answer, told) in [
        (value!({"On": true}), None),
        (value!({"On": "True"}), None),
        (value!({"On": false}), Some("False")),
        (value!({}), Some("None")),
        (value!({"On": "true"}), Some("true")),
        (value!({"On": 1}), Some("1")),
    ] {
        let mut driver = started(ASSERT);
        driver.answer(Ok(answer));
        match told {
            None => assert_eq!(driver.status(), Status::Success),
            Some(told) => assert_eq!(
                failure(&driver, "check"),
                format!(
                    "Step fails when it is Execute/Cancelling action. Property value '{told}' from \
                     the API output is not in the desired values. Desired values: ['True']..{SUFFIX}"
                )
            ),
        }
    }
}

#[test]
fn wait_polls_until_the_property_is_as_desired() {
    let step = "{name: wait, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 60, \
                 inputs: {Service: ec2, Api: DescribeInstanceStatus, \
                          PropertySelector: '$.S..Name', DesiredValues: [running]}}";
    let mut driver = started(step);
    let effects = driver.answer(Ok(value!({"S": [{"Name": "running"}, {"Name": "pending"}]})));
    let due = START_MILLIS + 100 + 10_000;
    assert!(
        matches!(effects.as_slice(), [Effect::Timer { at_millis, .. }] if *at_millis == due),
        "{effects:?}"
    );
    driver.next_timer();
    driver.answer(Err(error("InvalidInstanceID.NotFound", "not yet")));
    driver.next_timer();
    driver.answer(Ok(value!({"S": [{"Name": "running"}]})));
    assert_eq!(driver.status(), Status::Success);

    let mut driver = started(step);
    while !driver.status().is_terminal() {
        match driver.call() {
            Some(_) => driver.answer(Ok(value!({"S": []}))),
            None => driver.next_timer(),
        };
    }
    assert_eq!(driver.now_millis, START_MILLIS + 60_000);
    assert_eq!(driver.status(), Status::TimedOut);
}

#[test]
fn branch_takes_the_first_choice_that_holds() {
    for (choice, holds) in [
        ("{Variable: '{{ Name }}', StringEquals: bob}", true),
        ("{Variable: '{{ Name }}', StringEquals: '{{ Name }}'}", true),
        ("{Variable: '{{ Name }}', StringEquals: Bob}", false),
        ("{Variable: '{{ Name }}', EqualsIgnoreCase: BOB}", true),
        ("{Variable: '{{ Name }}', StartsWith: bo}", true),
        ("{Variable: '{{ Name }}', EndsWith: bo}", false),
        ("{Variable: '{{ Name }}', Contains: o}", true),
        ("{Variable: '{{ List }}', Contains: a}", true),
        ("{Variable: '{{ List }}', Contains: c}", false),
        ("{Variable: '{{ Count }}', NumericEquals: 3}", true),
        ("{Variable: '{{ Count }}', NumericGreater: 3}", false),
        ("{Variable: '{{ Count }}', NumericGreaterOrEquals: '3'}", true),
        ("{Variable: '{{ Count }}', NumericLesser: 3.5}", true),
        ("{Variable: '{{ Count }}', NumericLesserOrEquals: 2}", false),
        ("{Variable: '{{ Flag }}', BooleanEquals: true}", true),
        ("{Variable: '{{ Flag }}', BooleanEquals: 'False'}", false),
        ("{Not: {Variable: '{{ Flag }}', BooleanEquals: true}}", false),
        ("{Not: [{Variable: '{{ Name }}', StringEquals: eve}]}", true),
        (
            "{And: [{Variable: '{{ Count }}', NumericEquals: 3}, \
             {Or: [{Variable: x, StringEquals: y}, {Variable: x, StringEquals: x}]}]}",
            true,
        ),
        ("{And: [{Variable: x, StringEquals: x}, {Variable: x, StringEquals: y}]}", false),
    ] {
        let choice = choice.strip_suffix('}').unwrap();
        let yaml = document(&format!(
            "  - {{name: choose, action: 'aws:branch', inputs: {{Choices: [{choice}, NextStep: yes_}}], Default: no_}}}}
  - {{name: yes_, action: 'aws:sleep', isEnd: true, inputs: {{Duration: PT0S}}}}
  - {{name: no_, action: 'aws:sleep', inputs: {{Duration: PT0S}}}}
"
        ));
        let driver = Driver::started(&yaml, nothing());
        let expected = if holds {
            ["Success", "Success", "Pending"]
        } else {
            ["Success", "Pending", "Success"]
        };
        assert_eq!(driver.step_statuses(), expected, "{choice}");
    }
}

#[test]
fn branch_without_default_goes_on_or_ends() {
    for (properties, after) in [("", "Success"), ("isEnd: true,", "Pending")] {
        let driver = started(&format!(
            "{{name: choose, action: 'aws:branch', {properties} \
             inputs: {{Choices: [{{Variable: x, StringEquals: y, NextStep: after}}]}}}}"
        ));
        assert_eq!(driver.step_statuses(), ["Success", after]);
        assert_eq!(driver.status(), Status::Success);
    }
}

#[test]
fn branch_fails_on_what_is_no_number() {
    let driver = started(
        "{name: choose, action: 'aws:branch', \
         inputs: {Choices: [{Variable: '{{ Name }}', NumericEquals: 1, NextStep: after}]}}",
    );
    assert!(failure(&driver, "choose").contains("`bob` is not a number"));
}

#[test]
fn sleep_waits_on_a_timer() {
    for (inputs, millis) in [
        ("Duration: PT10M", 600_000),
        ("Duration: P1DT1S", 86_401_000),
        ("Timestamp: '2020-03-09T07:00:34Z'", 252),
        ("Timestamp: '2020-03-09T07:00:34'", 252),
    ] {
        let mut driver =
            started(&format!("{{name: s, action: 'aws:sleep', inputs: {{{inputs}}}}}"));
        assert_eq!(driver.step_statuses(), ["InProgress", "Pending"], "{inputs}");
        driver.next_timer();
        assert_eq!(driver.now_millis, START_MILLIS + millis, "{inputs}");
        assert_eq!(driver.status(), Status::Success);
    }
    let driver =
        started("{name: s, action: 'aws:sleep', inputs: {Timestamp: '2019-01-01T00:00:00Z'}}");
    assert_eq!(driver.status(), Status::Success);
}

#[test]
fn sleep_refuses_what_it_cannot_wait_for() {
    for inputs in
        ["Duration: PT604800S", "Duration: -PT1S", "Duration: soon", "Timestamp: soon", ""]
    {
        let driver = started(&format!("{{name: s, action: 'aws:sleep', inputs: {{{inputs}}}}}"));
        assert!(!failure(&driver, "s").is_empty(), "{inputs}");
    }
}

#[test]
fn pause_waits_for_resume() {
    let mut driver = started("{name: halt, action: 'aws:pause', inputs: {}}");
    assert_eq!(driver.status(), Status::Waiting);
    assert_eq!(driver.step_statuses(), ["Waiting", "Pending"]);
    let resume = |name: &str| Fact::Signal(Signal::Resume { step_name: Some(name.to_owned()) });
    assert!(driver.fact(resume("other")).is_empty());
    driver.fact(resume("halt"));
    assert_eq!(driver.status(), Status::Success);
    assert!(driver.fact(resume("halt")).is_empty());
}

#[test]
fn update_variable_keeps_the_type() {
    let update = |name: &str, value: &str| {
        started(&format!(
            "{{name: set, action: 'aws:updateVariable', inputs: {{Name: 'variable:{name}', Value: {value}}}}}"
        ))
    };
    let driver = update("Seen", "'{{ Name }}'");
    assert_eq!(
        driver.record().get("Variables").unwrap().to_string(),
        r#"{"Seen":["bob"],"Total":["0"]}"#
    );
    assert!(failure(&update("Total", "'3'"), "set").contains("is of type Integer"));
    assert!(failure(&update("None", "3"), "set").contains("is not defined"));
}

fn approval(properties: &str) -> Driver {
    started(&format!(
        "{{name: ask, action: 'aws:approve', {properties} inputs: {{MinRequiredApprovals: 2, \
         Approvers: [ann, 'arn:aws:iam::111122223333:user/bob', 'arn:aws:iam::111122223333:role/boss']}}}}"
    ))
}

fn approve(arn: &str) -> Fact {
    Fact::Signal(Signal::Approve { approver: format!("arn:aws:{arn}"), comment: None })
}

#[test]
fn approve_waits_for_enough_approvers() {
    let mut driver = approval("");
    assert_eq!(driver.status(), Status::Waiting);
    assert_eq!(outputs(&driver, "ask"), r#"{"ApprovalStatus":["Waiting"],"ApproverDecisions":[]}"#);
    driver.fact(approve("iam::111122223333:user/eve"));
    driver.fact(approve("iam::111122223333:user/ann"));
    driver.fact(approve("iam::111122223333:user/ann"));
    assert_eq!(driver.status(), Status::Waiting);
    driver.fact(approve("sts::111122223333:assumed-role/boss/session"));
    assert_eq!(driver.status(), Status::Success);
    assert!(outputs(&driver, "ask").starts_with(r#"{"ApprovalStatus":["Approved"]"#));
}

#[test]
fn approve_fails_on_the_first_refusal() {
    let mut driver = approval("");
    driver.fact(approve("iam::111122223333:user/ann"));
    let approver = "arn:aws:iam::111122223333:user/bob".to_owned();
    driver.fact(Fact::Signal(Signal::Reject { approver, comment: None }));
    assert!(failure(&driver, "ask").contains("rejected"));
    assert!(outputs(&driver, "ask").starts_with(r#"{"ApprovalStatus":["Rejected"]"#));
}

#[test]
fn approve_times_out_after_a_week() {
    let mut driver = approval("");
    driver.next_timer();
    assert_eq!(driver.now_millis, START_MILLIS + 604_800_000);
    assert_eq!(driver.status(), Status::TimedOut);
}

const SCRIPT: &str = "{name: run, action: 'aws:executeScript', maxAttempts: 2, \
    inputs: {Runtime: python3.11, Handler: f, InputPayload: {name: '{{ Name }}'}, \
             Script: 'def f(e, c): return \"{{ Name }}\"'}, \
    outputs: [{Name: Who, Selector: $.Payload.who, Type: String}]}";

#[test]
fn execute_script_asks_for_a_script_run() {
    let mut driver = started(SCRIPT);
    let script = driver.script().unwrap();
    assert_eq!(script.text, "def f(e, c): return \"{{ Name }}\"");
    assert_eq!(script.payload, value!({"name": "bob"}));
    assert_eq!(script.timeout_seconds, 630);
    assert_eq!(script.context.get("global:DATE_TIME"), Some(&value!("2020-03-09_07.00.33")));
    assert!(script.file.ends_with("-2020-03-09-07-00-33/customer_script.py"), "{}", script.file);
    let payload = value!({"who": "bob", "n": 1});
    driver.fact(Fact::ScriptSucceeded { id: script.id, payload, log: "seen\n".to_owned() });
    assert_eq!(
        outputs(&driver, "run"),
        r#"{"Who":["bob"],"Payload":["{\"who\":\"bob\",\"n\":1}"],"OutputPayload":["{\"Payload\":{\"who\":\"bob\",\"n\":1},\"ExecutionLog\":\"seen\\n\"}"]}"#
    );
}

#[test]
fn execute_script_succeeds_when_a_selector_finds_nothing() {
    let mut driver = started(SCRIPT);
    let id = driver.script().unwrap().id;
    driver.fact(Fact::ScriptSucceeded { id, payload: value!("plain"), log: String::new() });
    assert_eq!(driver.status(), Status::Success);
    assert!(!outputs(&driver, "run").contains("Who"));
}

#[test]
fn execute_script_repeats_and_then_tells_the_traceback() {
    let mut driver = started(SCRIPT);
    for _attempt in 0..2 {
        let id = driver.script().unwrap().id;
        driver.fact(Fact::ScriptFailed { id, text: "Traceback\n\nKeyError - 'x'".to_owned() });
    }
    assert_eq!(
        failure(&driver, "run"),
        format!(
            "Step fails when it is Poll action status for completion. Traceback\n\n\
             KeyError - 'x'.{SUFFIX}"
        )
    );
}

#[test]
fn execute_script_refuses_a_result_beyond_the_limit() {
    let mut driver = started(SCRIPT);
    let id = driver.script().unwrap().id;
    let payload = Value::from("x".repeat(102_400));
    driver.fact(Fact::ScriptSucceeded { id, payload, log: String::new() });
    assert_eq!(driver.status(), Status::InProgress, "the second attempt");
}

/// Answers calls by operation, each with the next of its answers, and fires timers in between.
fn play(driver: &mut Driver, answers: &[(&str, Value)]) -> Vec<String> {
    let mut requests = Vec::new();
    for (operation, answer) in answers {
        if driver.call().is_none() {
            driver.next_timer();
        }
        let call = driver.call().unwrap();
        assert_eq!(call.operation, *operation);
        requests.push(call.input.to_string());
        driver.answer(Ok(answer.clone()));
    }
    requests
}

const MACHINE: &str = "{name: sfn, action: 'aws:executeStateMachine', \
    inputs: {stateMachineArn: m, input: '{\"a\":1}'}}";

#[test]
fn execute_state_machine_waits_for_the_end() {
    let mut driver = started(MACHINE);
    let requests = play(
        &mut driver,
        &[
            ("StartExecution", value!({"executionArn": "e"})),
            ("DescribeExecution", value!({"status": "RUNNING"})),
            ("DescribeExecution", value!({"status": "SUCCEEDED", "output": "{}"})),
        ],
    );
    assert_eq!(
        requests,
        [
            r#"{"stateMachineArn":"m","input":"{\"a\":1}"}"#,
            r#"{"executionArn":"e"}"#,
            r#"{"executionArn":"e"}"#
        ]
    );
    assert_eq!(outputs(&driver, "sfn"), r#"{"status":["SUCCEEDED"],"output":["{}"]}"#);
    assert_eq!(driver.status(), Status::Success);

    let mut driver = started(MACHINE);
    let failed = value!({"status": "ABORTED"});
    let answers =
        [("StartExecution", value!({"executionArn": "e"})), ("DescribeExecution", failed)];
    play(&mut driver, &answers);
    assert!(failure(&driver, "sfn").contains("The execution e ended with status ABORTED"));
}

#[test]
fn cancelling_stops_what_was_started_elsewhere() {
    let mut driver = started(MACHINE);
    play(&mut driver, &[("StartExecution", value!({"executionArn": "e"}))]);
    let effects = driver.fact(Fact::StopRequested(automation::StopType::Cancel));
    let stop = effects.iter().find_map(|effect| match effect {
        Effect::Call(call) => Some((call.operation.as_str(), call.input.to_string())),
        _ => None,
    });
    assert_eq!(stop, Some(("StopExecution", r#"{"executionArn":"e"}"#.to_owned())));
    assert_eq!(driver.status(), Status::Cancelled);
    assert!(driver.state.outstanding().is_empty());
}

const CHILD: &str = "{name: child, action: 'aws:executeAutomation', \
    inputs: {DocumentName: Other, RuntimeParameters: {Name: '{{ Name }}', List: '{{ List }}'}}}";

#[test]
fn execute_automation_waits_for_the_child() {
    let execution = |status: &str| {
        value!({"AutomationExecution": {
            "AutomationExecutionStatus": status,
            "Outputs": {"a.B": ["1", "2"], "a.C": ["3"]},
        }})
    };
    let play_to = |status: &str| {
        let mut driver = started(CHILD);
        let requests = play(
            &mut driver,
            &[
                ("StartAutomationExecution", value!({"AutomationExecutionId": "id"})),
                ("GetAutomationExecution", execution("InProgress")),
                ("GetAutomationExecution", execution(status)),
            ],
        );
        assert_eq!(
            requests.first().unwrap(),
            r#"{"DocumentName":"Other","Parameters":{"Name":["bob"],"List":["a","b"]}}"#
        );
        driver
    };
    assert_eq!(
        outputs(&play_to("Success"), "child"),
        r#"{"Output":["1","2","3"],"ExecutionId":["id"],"Status":["Success"]}"#
    );
    assert_eq!(
        failure(&play_to("Failed"), "child"),
        format!(
            "Step fails when it is Execution complete: verified. Failed to run automation with \
             executionId: id Failed : {{Status=[Failed], Output=[1, 2, 3], ExecutionId=[id]}}.{SUFFIX}"
        )
    );
}

#[test]
fn stacks_are_created_and_deleted() {
    let stack = |status: &str| value!({"Stacks": [{"StackId": "s", "StackStatus": status}]});
    let create =
        "{name: stack, action: 'aws:createStack', inputs: {StackName: n, TemplateBody: t}}";
    for (status, expected) in
        [("CREATE_COMPLETE", Status::Success), ("ROLLBACK_COMPLETE", Status::Failed)]
    {
        let mut driver = started(create);
        let id = value!({"StackId": "s"});
        let wait = ("DescribeStacks", stack("CREATE_IN_PROGRESS"));
        play(&mut driver, &[("CreateStack", id), wait, ("DescribeStacks", stack(status))]);
        assert_eq!(driver.status(), expected);
    }
    let delete = "{name: stack, action: 'aws:deleteStack', inputs: {StackName: n}}";
    let mut driver = started(delete);
    let wait = ("DescribeStacks", stack("DELETE_IN_PROGRESS"));
    play(&mut driver, &[("DeleteStack", nothing()), wait]);
    driver.next_timer();
    driver.answer(Err(error("ValidationError", "Stack with id n does not exist")));
    assert_eq!(driver.status(), Status::Success);
    let mut driver = started(delete);
    play(&mut driver, &[("DeleteStack", nothing()), ("DescribeStacks", stack("DELETE_FAILED"))]);
    assert!(failure(&driver, "stack").contains("unexpected state: DELETE_FAILED."));
}

#[test]
fn invoke_lambda_function_decodes_the_payload() {
    let step = "{name: call, action: 'aws:invokeLambdaFunction', \
        inputs: {FunctionName: f, InputPayload: {a: '{{ Count }}'}}, \
        outputs: [{Name: Got, Selector: $.Payload.b, Type: Integer}]}";
    let mut driver = started(step);
    assert_eq!(
        driver.call().unwrap().input.to_string(),
        r#"{"FunctionName":"f","Payload":"eyJhIjozfQ=="}"#
    );
    driver.answer(Ok(value!({"StatusCode": 200, "Payload": "eyJiIjo0fQ=="})));
    assert_eq!(
        outputs(&driver, "call"),
        r#"{"Got":["4"],"StatusCode":["200"],"Payload":["{\"b\":4}"]}"#
    );
    let mut driver = started(step);
    driver.answer(Ok(value!({"FunctionError": "Unhandled", "Payload": "e30="})));
    assert!(failure(&driver, "call").contains("Unhandled: {}"));
}

fn change(state: &str, more: &str) -> Driver {
    started(&format!(
        "{{name: vm, action: 'aws:changeInstanceState', \
         inputs: {{InstanceIds: [i-1], DesiredState: {state}{more}}}}}"
    ))
}

#[test]
fn change_instance_state_waits_for_state_and_checks() {
    let status = |state: &str, check: &str| {
        value!({"InstanceStatuses": [{
            "InstanceId": "i-1",
            "InstanceState": {"Name": state},
            "SystemStatus": {"Status": check},
            "InstanceStatus": {"Status": "ok"},
        }]})
    };
    let mut driver = change("running", "");
    let requests = play(
        &mut driver,
        &[
            ("StartInstances", nothing()),
            ("DescribeInstanceStatus", status("pending", "initializing")),
            ("DescribeInstanceStatus", status("running", "initializing")),
            ("DescribeInstanceStatus", status("running", "ok")),
        ],
    );
    assert_eq!(requests.first().unwrap(), r#"{"InstanceIds":["i-1"]}"#);
    assert_eq!(outputs(&driver, "vm"), r#"{"InstanceStates":["running"]}"#);

    let state = |state: &str| {
        let instance = value!({"InstanceId": "i-1", "State": {"Name": state}});
        value!({"Reservations": [{"Instances": [instance]}]})
    };
    let mut driver = change("stopped", ", CheckStateOnly: true");
    let look = |name: &str| ("DescribeInstances", state(name));
    play(&mut driver, &[look("stopping"), look("stopping"), look("stopped")]);
    assert_eq!(driver.status(), Status::Success);
    let mut driver = change("stopped", ", Force: true");
    play(&mut driver, &[("StopInstances", nothing()), look("shutting-down")]);
    assert!(
        failure(&driver, "vm").contains("Instance i-1 entered unexpected state: shutting-down.")
    );
    assert!(failure(&change("asleep", ""), "vm").contains("`asleep` is not running"));
}

#[test]
fn create_tags_tags_all_at_once_or_one_by_one() {
    let tags = "Tags: [{Key: k, Value: v}], ResourceIds: [a, b]";
    let step =
        |more: &str| format!("{{name: tag, action: 'aws:createTags', inputs: {{{tags}{more}}}}}");
    let mut driver = started(&step(""));
    let requests = play(&mut driver, &[("CreateTags", nothing())]);
    assert_eq!(requests, [r#"{"Resources":["a","b"],"Tags":[{"Key":"k","Value":"v"}]}"#]);
    assert_eq!(driver.status(), Status::Success);
    let mut driver = started(&step(", ResourceType: Parameter"));
    let call = ("AddTagsToResource", nothing());
    let requests = play(&mut driver, &[call.clone(), call]);
    assert_eq!(
        requests.last().unwrap(),
        r#"{"ResourceType":"Parameter","ResourceId":"b","Tags":[{"Key":"k","Value":"v"}]}"#
    );
    assert_eq!(driver.status(), Status::Success);
}

#[test]
fn run_command_waits_for_every_node() {
    let sent = ("SendCommand", value!({"Command": {"CommandId": "c"}}));
    let look = |statuses: &[&str]| {
        let one = |status: &&str| {
            let code = i64::from(*status == "Failed");
            let plugin = value!({"ResponseCode": code, "Output": format!("<{status}>")});
            value!({"Status": *status, "CommandPlugins": [plugin]})
        };
        let all: Vec<Value> = statuses.iter().map(one).collect();
        ("ListCommandInvocations", value!({"CommandInvocations": all}))
    };
    let run = "{name: run, action: 'aws:runCommand', inputs: {DocumentName: d, InstanceIds: [i]}}";
    let mut driver = started(run);
    let answers =
        [sent.clone(), look(&[]), look(&["Success", "InProgress"]), look(&["Success"; 2])];
    let requests = play(&mut driver, &answers);
    assert_eq!(requests.first().unwrap(), r#"{"DocumentName":"d","InstanceIds":["i"]}"#);
    let shown = outputs(&driver, "run");
    assert!(
        shown.starts_with(
            r#"{"Status":["Success"],"ResponseCode":["0"],"Output":["<Success>\n<Success>"],"CommandId":["c"]"#
        ),
        "{shown}"
    );
    let mut driver = started(run);
    play(&mut driver, &[sent, look(&["Success", "Failed"])]);
    assert_eq!(
        failure(&driver, "run"),
        format!(
            "Step fails when it is verifying the command has completed. Command c returns unexpected \
             invocation result: \n{{Status=[Failed], ResponseCode=[1], Output=[<Failed>], \
             OutputPayload=[{{\"Status\":\"Failed\",\"ResponseCode\":1,\"Output\":\
             \"\\u003cFailed\\u003e\",\"CommandId\":\"c\"}}], CommandId=[c]}}.{SUFFIX}"
        )
    );
}

#[test]
fn action_names_are_unique_and_in_order() {
    let names: Vec<String> = ACTIONS.iter().map(|action| action.name.to_lowercase()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn a_reference_to_a_list_within_a_list_stands_for_its_elements() {
    let driver = started(
        "{name: api, action: 'aws:executeAwsApi', \
          inputs: {Service: ec2, Api: StopInstances, InstanceIds: ['i-1', '{{ List }}'], \
                   Filters: [{Values: ['{{ List }}']}], Names: ['x-{{ List }}']}}",
    );
    assert_eq!(
        driver.call().unwrap().input.to_string(),
        r#"{"InstanceIds":["i-1","a","b"],"Filters":[{"Values":["a","b"]}],"Names":["x-[\"a\",\"b\"]"]}"#
    );
}

/// So that after a crash nobody starts again what had started, and what had not is started.
#[test]
fn a_script_that_has_begun_is_marked_as_begun() {
    let inputs = "{Runtime: python3.11, Handler: f, Script: 'def f(e, c): pass'}";
    let mut driver =
        started(&format!("{{name: run, action: 'aws:executeScript', inputs: {inputs}}}"));
    let script = driver.script().unwrap();
    assert!(!script.begun);
    assert!(driver.fact(Fact::ScriptBegun { id: script.id + 1 }).is_empty());
    assert!(!driver.script().unwrap().begun);
    assert!(driver.fact(Fact::ScriptBegun { id: script.id }).is_empty());
    assert!(driver.script().unwrap().begun);
}
