//! `stepwell run` of a runbook, and `stepwell automation` against a server.

use std::process::Output;

use value::{Value, value};

use super::server::{Server, program, text};

const RUNBOOK: &str = "
schemaVersion: '0.3'
parameters: {Names: {type: StringList}}
mainSteps:
  - name: each
    action: aws:loop
    inputs:
      Iterators: '{{ Names }}'
      Steps:
        - {name: create, action: 'aws:executeAwsApi', inputs: {Service: iam, Api: CreateUser, UserName: '{{ Loop.CurrentIteratorValue }}'}}
  - {name: rest, action: 'aws:sleep', inputs: {Duration: PT1H}}
  - {name: count, action: 'aws:executeAutomation', inputs: {DocumentName: count}}
outputs: [count.Output]
";
const COUNT: &str = "
schemaVersion: '0.3'
mainSteps:
  - name: users
    action: aws:executeAwsApi
    inputs: {Service: iam, Api: ListUsers}
    outputs: [{Name: Names, Selector: '$.Users..UserName', Type: StringList}]
outputs: [users.Names]
";

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_runbook_runs_on_a_server_of_its_own_with_its_loops_and_children() {
    let folder = tempfile::tempdir().unwrap();
    let (file, count) = (folder.path().join("many.yaml"), folder.path().join("count.yaml"));
    std::fs::write(&file, RUNBOOK).unwrap();
    std::fs::write(&count, COUNT).unwrap();
    let run = |more: &[&str]| {
        let mut command = program();
        command.arg("run").arg(&file).arg("--with").arg(&count);
        command.args(["--param", "Names=kim", "--param", "Names=lee"]).args(more);
        command.output().unwrap()
    };
    let plain = run(&[]);
    let shown = out(&plain);
    assert!(plain.status.success(), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    // Nobody watches: one line for each step that is over, and no colours.
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert_eq!(lines.iter().filter(|line| line.contains("[2: lee] create")).count(), 2, "{shown}");
    assert!(lines.iter().any(|line| line.starts_with("  users ") && line.contains("Success")));
    assert!(shown.contains("\n  count.Output = kim, lee\n"), "{shown}");
    let found = value::parse(&out(&run(&["--json"]))).unwrap();
    assert_eq!(text(&found, &["AutomationExecution", "AutomationExecutionStatus"]), "Success");
    let children = found.get("Children").and_then(Value::as_array).unwrap();
    assert_eq!(text(&children[0], &["AutomationExecution", "DocumentName"]), "count");
}

#[test]
fn a_runbook_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.yaml");
    std::fs::write(&file, RUNBOOK).unwrap();
    let run = |more: &[&str]| program().arg("run").arg(&file).args(more).output().unwrap();
    let failed = run(&["--param", "Names=kim"]);
    assert_eq!(failed.status.code(), Some(1));
    let shown = out(&failed);
    assert!(shown.contains("\ncount: Failed\n"), "{shown}");
    assert!(shown.contains("1 of 1 attempts, failed at Invocation (Action)"), "{shown}");
    assert!(shown.contains("(onFailure: Abort)"), "{shown}");
    let refused = run(&[]);
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(complaint.contains("Names"), "{complaint}");
    std::fs::write(&file, "schemaVersion: '0.3'\nmainSteps:\n  - {name: a, action: 'aws:none'}\n")
        .unwrap();
    let complaint = String::from_utf8(run(&[]).stderr).unwrap();
    assert!(complaint.contains("many.yaml:3:"), "{complaint}");
}

#[test]
fn an_execution_of_a_running_server_is_described_and_listed() {
    let server = Server::start(&["--memory"], &[]);
    let waits = "
schemaVersion: '0.3'
parameters: {Name: {type: String}}
mainSteps:
  - {name: halt, action: 'aws:pause', inputs: {}}
";
    let document = value!({
        "Name": "Waits", "Content": waits, "DocumentType": "Automation", "DocumentFormat": "YAML",
    });
    server.ok("ssm", "CreateDocument", document);
    let start = value!({
        "DocumentName": "Waits", "TargetParameterName": "Name",
        "Targets": [{"Key": "ParameterValues", "Values": ["a", "b"]}],
    });
    let parent =
        text(&server.ok("ssm", "StartAutomationExecution", start), &["AutomationExecutionId"]);
    let ask = |arguments: &[&str]| {
        let mut command = program();
        command.arg("automation").args(arguments).args(["--endpoint", &server.endpoint]);
        command.output().unwrap()
    };
    let began = std::time::Instant::now();
    let child = loop {
        let list = value::parse(&out(&ask(&["list", "--parent", &parent, "--json"]))).unwrap();
        let list = list.get("AutomationExecutionMetadataList").and_then(Value::as_array).unwrap();
        if let Some(one) = list.first() {
            break text(one, &["AutomationExecutionId"]);
        }
        assert!(began.elapsed().as_secs() < 30, "no child");
    };
    let report = out(&ask(&["describe", &child]));
    assert!(report.contains(&format!("child of {parent}\n")), "{report}");
    assert!(report.contains("for the target a\n"), "{report}");
    let command = format!(
        "waits to be resumed: aws ssm send-automation-signal --automation-execution-id {child} \
         --signal-type Resume --payload StepName=halt"
    );
    assert!(report.contains(&command), "{report}");
    let report = out(&ask(&["describe", &parent]));
    assert!(report.contains("2 targets: 0 succeeded, 0 failed"), "{report}");
    let list = out(&ask(&["list", "--status", "Waiting"]));
    assert!(list.contains(&child) && !list.contains(&parent), "{list}");
    // Without --endpoint: where AWS clients of the same shell go.
    let environment =
        [("AWS_ENDPOINT_URL", &*server.endpoint), ("AWS_DEFAULT_REGION", "us-east-1")];
    let bare = program().args(["automation", "list"]).envs(environment).output().unwrap();
    assert!(out(&bare).contains(&child), "{}", out(&bare));
    let unknown = ask(&["describe", "00000000-0000-4000-8000-000000000000"]);
    let complaint = String::from_utf8(unknown.stderr).unwrap();
    assert!(complaint.contains("AutomationExecutionNotFoundException"), "{complaint}");
}

#[test]
fn a_list_goes_on_beyond_a_page_up_to_its_limit() {
    const STARTED: usize = 53;
    let server = Server::start(&["--memory"], &[]);
    let document = value!({
        "Name": "Rests", "DocumentType": "Automation", "DocumentFormat": "YAML",
        "Content": "{schemaVersion: '0.3', mainSteps: [{name: halt, action: 'aws:pause', inputs: {}}]}",
    });
    server.ok("ssm", "CreateDocument", document);
    for _ in 0..STARTED {
        server.ok("ssm", "StartAutomationExecution", value!({ "DocumentName": "Rests" }));
    }
    let list = |more: &[&str]| {
        let mut command = program();
        command.args(["automation", "list", "--json", "--endpoint-url", &server.endpoint]);
        let output = command.args(more).output().unwrap();
        let list = value::parse(&out(&output)).unwrap();
        let found = list.get("AutomationExecutionMetadataList").and_then(Value::as_array).unwrap();
        (found.len(), list.get("NextToken").is_some(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(list(&[]), (STARTED, false, String::new()));
    assert_eq!(list(&["--limit", "53"]), (STARTED, false, String::new()));
    let (found, is_cut, said) = list(&["--limit", "52"]);
    assert!(found == 52 && is_cut && said.contains("--limit"), "{found} {is_cut} {said}");
}
