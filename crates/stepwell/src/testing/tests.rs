//! What a file of cases can say.

use std::path::Path;

use super::{Report, report, run};

const MACHINE: &str = r#"{"QueryLanguage": "JSONata", "StartAt": "Charge", "States": {
  "Charge": {"Type": "Task", "Resource": "${ChargeFunction}", "Arguments": {"amount": "{% $sum([$states.input.amount]) %}"},
    "TimeoutSeconds": 600,
    "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 10, "MaxAttempts": 2}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Refund"}],
    "Next": "Large?"},
  "Large?": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.amount > 100 %}", "Next": "Approve"}],
    "Default": "Done"},
  "Approve": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"}, "Next": "Done"},
  "Refund": {"Type": "Fail", "Error": "Refunded", "Cause": "{% $states.input.Cause %}"},
  "Done": {"Type": "Succeed"}}}"#;

fn played(cases: &str, more: &[(&str, &str)]) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("machine.asl.json"), MACHINE).unwrap();
    for (name, text) in more {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let file = folder.path().join("cases.yaml");
    std::fs::write(&file, format!("machine: machine.asl.json\n{cases}")).unwrap();
    run(&file, None)
}

fn problems(cases: &str) -> Vec<String> {
    let report = played(cases, &[]).unwrap();
    report.cases.into_iter().flat_map(|case| case.problems).collect()
}

const GOOD: &str = r#"
mocks:
  Charge: {return: {amount: "{% $arguments.amount %}"}}
  Approve: {return: {ok: true}}
cases:
  - name: small
    input: {amount: 5}
    expect: {output: {amount: 5}, path: [Charge, "Large?", Done]}
  - name: large
    input: {amount: 500}
    expect:
      that: "{% $output.ok and $input.amount = 500 %}"
      history:
        - {type: TaskSubmitted}
        - {type: TaskSucceeded, taskSucceededEventDetails: {resourceType: sqs}}
  - name: busy twice
    input: {amount: 5}
    mocks:
      Charge:
        - {throw: {error: Busy}, times: 2}
        - return: {amount: 5}
    expect: {path: [Charge, "Large?", Done]}
  - name: too busy
    mocks: {Charge: {throw: {error: Busy, cause: later}}}
    expect: {error: Refunded, cause: later}
  - name: never answered
    mocks: {Charge: {hang: true}}
    expect: {status: FAILED, history: [{type: LambdaFunctionTimedOut}]}
"#;

#[test]
fn a_case_is_an_execution_on_a_virtual_clock() {
    let report = played(GOOD, &[]).unwrap();
    let found: Vec<(&str, i64, &[String])> = report
        .cases
        .iter()
        .map(|case| (&*case.name, case.virtual_millis, &*case.problems))
        .collect();
    let none: &[String] = &[];
    assert_eq!(
        found,
        [
            ("small", 0, none),
            ("large", 0, none),
            ("busy twice", 30_000, none),
            ("too busy", 30_000, none),
            ("never answered", 600_000, none),
        ]
    );
    assert_eq!(report.coverage.states(), (5, 5));
    assert_eq!(report.coverage.branches(), (2, 2));
}

#[test]
fn what_is_different_is_told() {
    let one =
        |case: &str| problems(&format!("cases:\n  - name: a\n    input: {{amount: 5}}\n{case}"));
    let mock = "    mocks: {Charge: {return: {amount: 7}}}\n";
    for (expect, problem) in [
        ("{status: FAILED}", "status: FAILED was expected, not SUCCEEDED"),
        ("{output: 1}", "output: 1 was expected, not {\"amount\":7}"),
        ("{path: [Charge]}", "path: Charge was expected, not Charge → Large? → Done"),
        ("{that: '{% $output.amount = 5 %}'}", "that: \"{% $output.amount = 5 %}\" is false"),
        (
            "{history: [{type: TaskFailed}]}",
            "history: no event like {\"type\":\"TaskFailed\"} where it was expected",
        ),
    ] {
        assert_eq!(one(&format!("{mock}    expect: {expect}\n")), [problem], "{expect}");
    }
    assert!(
        one("")[0].contains("`Charge` asks arn:aws:lambda") && one("")[0].contains("has no mock")
    );
    assert_eq!(
        one("    mocks: {Charge: [{throw: {error: Busy}}]}\n"),
        ["the mock of `Charge` has no answer for its call 2"]
    );
}

const CONFIG: &str = r#"{
  "StateMachines": {"Pay": {"TestCases": {
    "HappyPath": {"Charge": "Paid"}, "RetryPath": {"Charge": "BusyThenPaid"}, "Large": {"Charge": "Much", "Approve": "Yes"}}}},
  "MockedResponses": {
    "Paid": {"0": {"Return": {"amount": 1}}},
    "Much": {"0": {"Return": {"amount": 1000}}},
    "Yes": {"0": {"Return": "{% not an expression"}},
    "BusyThenPaid": {"0-1": {"Throw": {"Error": "Busy", "Cause": "c"}}, "2": {"Return": {"amount": 1}}}}}"#;

#[test]
fn the_mock_file_of_step_functions_local_is_read() {
    let more = [("MockConfigFile.json", CONFIG)];
    let report = played("mockConfig: MockConfigFile.json\n", &more).unwrap();
    let names: Vec<&str> = report.cases.iter().map(|case| &*case.name).collect();
    assert_eq!(names, ["HappyPath", "Large", "RetryPath"]);
    assert!(report.is_good());
    assert_eq!(report.cases[2].virtual_millis, 30_000);
    let cases = "mockConfig: MockConfigFile.json\nstateMachine: Pay\ncases:\n  \
                 - {testCase: Large, expect: {output: '{% not an expression'}}\n";
    assert!(played(cases, &more).unwrap().is_good());
}

#[test]
fn a_file_that_says_something_else_is_refused() {
    let wrong = |cases: &str| format!("{:#}", played(cases, &[]).map(|_| ()).unwrap_err());
    for (cases, text) in [
        ("cases: []", "there are no cases"),
        ("cases: [{name: a, expects: 1}]", "a case has no `expects`"),
        ("cases: [{name: a, mocks: {Nope: {hang: true}}}]", "`Nope`, which is no state"),
        ("cases: [{name: a, mocks: {Charge: {returns: 1}}}]", "an answer has no `returns`"),
        ("cases: [{name: a, expect: {status: DONE}}]", "`status` is one of"),
        ("mockConfig: none.json", "none.json"),
    ] {
        let found = wrong(cases);
        assert!(found.contains(text), "{cases}: {found}");
    }
    assert!(run(Path::new("/nowhere/cases.yaml"), None).is_err());
}

#[test]
fn a_report_for_build_servers_names_what_failed() {
    let cases = "mocks: {Charge: {return: {amount: 1}}}\ncases:\n  - name: 'a <b>'\n    expect: {output: 2}\n";
    let xml = report(&[played(cases, &[]).unwrap()]);
    assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    assert!(
        xml.contains("<testcase name=\"a &lt;b&gt;\"")
            && xml.contains("<failure message=\"output: 2 was"),
        "{xml}"
    );
}

#[test]
fn child_executions_of_a_distributed_map_run_too() {
    let machine = r#"{"StartAt": "All", "States": {"All": {"Type": "Map", "End": true, "ItemProcessor": {
      "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "One", "States": {
        "One": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"n.$": "$"},
          "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60}], "End": true}}}}}}"#;
    let cases = "machine: m.json\ncases:\n  - name: a\n    input: [1, 2, 3]\n    mocks: {One: [{throw: {error: Busy}}, \
                 {return: '{% $arguments.n * 2 %}', times: 3}]}\n    expect: {output: [2, 4, 6], path: [All]}\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.json"), machine).unwrap();
    let file = folder.path().join("cases.yaml");
    std::fs::write(&file, cases).unwrap();
    let report = run(&file, None).unwrap();
    assert_eq!(report.cases[0].problems, [""; 0]);
    assert_eq!((report.cases[0].virtual_millis, report.coverage.states()), (60_000, (2, 2)));
}

const FILE_MACHINE: &str = r#"{"StartAt": "All", "States": {"All": {"Type": "Map", "Next": "Both",
  "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", "MaxItems": 3},
    "Parameters": {"Bucket.$": "$.bucket", "Key": "items.json"}},
  "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out", "Prefix": "p/"}},
  "Retry": [{"ErrorEquals": ["States.ItemReaderFailed"]}],
  "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "One",
    "States": {"One": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
      "Parameters": {"n.$": "$.n"}, "End": true}}}},
  "Both": {"Type": "Parallel", "End": true, "Branches": [
    {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}}]}}}"#;

fn with_files(mocks: &str, expect: &str) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.json"), FILE_MACHINE).unwrap();
    let file = folder.path().join("cases.yaml");
    let case =
        format!("name: a\n    input: {{bucket: in}}\n    mocks: {mocks}\n    expect: {expect}");
    std::fs::write(&file, format!("machine: m.json\ncases:\n  - {case}\n")).unwrap();
    run(&file, None)
}

#[test]
fn what_an_item_reader_reads_is_mocked() {
    let items = "[{throw: {cause: not there}}, \
                 {items: [{n: 1}, {n: 2, of: '{% $arguments.Bucket %}'}, {n: 3}, {n: 4}]}]";
    let one = "[{return: 1, times: 3}]";
    let that = "{that: '{% $count($output) = 1 and $output[0].ResultWriterDetails.Bucket = \"out\" %}', \
                path: [All, Both, Left], history: [{type: MapRunFailed}, {type: MapRunSucceeded}]}";
    let report = with_files(&format!("{{All: {items}, One: {one}}}"), that).unwrap();
    assert_eq!(report.cases[0].problems, [""; 0]);
    let report = with_files("{All: {items: []}}", "{path: [All, Both, Left]}").unwrap();
    assert_eq!(report.cases[0].problems, [""; 0]);
    let report = with_files("{All: {items: 5}}", "{}").unwrap();
    assert_eq!(report.cases[0].problems, ["the mock of `All`: `items` is no list"]);
    let report = with_files("{}", "{}").unwrap();
    assert_eq!(report.cases[0].problems, ["`All` asks for its items and has no mock"]);
}

#[test]
fn states_that_call_nothing_cannot_be_mocked() {
    for (mocks, refusal) in [
        ("{Both: {return: 1}}", "which is run, not mocked"),
        ("{Left: {return: 1}}", "which calls nothing"),
        ("{All: {return: [1]}}", "whose mock has `items` or `throw`"),
        ("{One: {items: [1]}}", "`items` are for Maps"),
    ] {
        let err = format!("{:#}", with_files(mocks, "{}").err().unwrap());
        assert!(err.contains(refusal), "{mocks}: {err}");
    }
}
