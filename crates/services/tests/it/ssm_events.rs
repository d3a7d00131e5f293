//! Runbooks among others: what they tell EventBridge, who starts them, and what they start.

use services::Retention;
use value::{Value, value};

use super::server::{ACCOUNT, text, trust};
use super::ssm_automations::{ended, got, keep, listed, names, server, start};
use super::states_express::{Whole, machine_arn};

/// How often a test looks again before it gives up.
const LOOKS_MAX: usize = 2_000;
const PASSES: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;

async fn moment() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

/// Makes a role that a service may assume and that may do everything.
async fn role(whole: &Whole, name: &str, service: &str) -> String {
    let trust = trust(&format!(r#"{{"Service": "{service}"}}"#));
    let role = value!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
    whole.ok("iam", "CreateRole", role).await;
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let grant = value!({ "RoleName": name, "PolicyName": "p", "PolicyDocument": policy });
    whole.ok("iam", "PutRolePolicy", grant).await;
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Makes a rule that hands what fits the pattern to a target.
async fn rule(whole: &Whole, pattern: Value, target: Value) {
    let role = role(whole, "e", "events.amazonaws.com").await;
    let rule = value!({ "Name": "r", "EventPattern": pattern.to_string() });
    whole.ok("events", "PutRule", rule).await;
    let target = target.with("Id", "t").with("RoleArn", role);
    whole.ok("events", "PutTargets", value!({ "Rule": "r", "Targets": [target] })).await;
    whole.services.start(Retention::default());
}

/// Returns what the machine `passes` was given, the oldest first, once it was started so often.
async fn given(whole: &Whole, count: usize) -> Vec<Value> {
    let of = value!({ "stateMachineArn": machine_arn("passes") });
    for _ in 0..LOOKS_MAX {
        let found = whole.ok("stepfunctions", "ListExecutions", of.clone()).await;
        let found = found.get("executions").and_then(Value::as_array).unwrap().to_vec();
        if found.len() < count {
            moment().await;
            continue;
        }
        let mut events = Vec::new();
        for one in found {
            let asked = value!({ "executionArn": text(&one, &["executionArn"]) });
            let one = whole.ok("stepfunctions", "DescribeExecution", asked).await;
            events.push(value::parse(&text(&one, &["input"])).unwrap());
        }
        return events;
    }
    panic!("fewer than {count} events have come");
}

#[tokio::test]
async fn every_change_of_status_is_told_once() {
    let whole = server().await;
    whole.create("passes", "STANDARD", PASSES).await.unwrap();
    let target = value!({ "Arn": machine_arn("passes") });
    rule(&whole, value!({ "source": ["aws.ssm"] }), target).await;
    let id = start(&whole, value!({"DocumentName": "Look", "Parameters": {"Name": ["u1"]}})).await;
    ended(&whole, &id).await;
    given(&whole, 4).await;
    // If there were more, they would be here soon.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let events = given(&whole, 4).await;
    let mut changes: Vec<(String, String)> = events
        .iter()
        .map(|event| (text(event, &["detail-type"]), text(event, &["detail", "Status"])))
        .collect();
    changes.sort();
    let execution = "EC2 Automation Execution Status-change Notification";
    let step = "EC2 Automation Step Status-change Notification";
    let pair = |kind: &str, status: &str| (kind.to_owned(), status.to_owned());
    assert_eq!(
        changes,
        [
            pair(execution, "InProgress"),
            pair(execution, "Success"),
            pair(step, "InProgress"),
            pair(step, "Success"),
        ]
    );
    let resources = value!([
        format!("arn:aws:ssm:us-east-1:{ACCOUNT}:automation-execution/{id}"),
        format!("arn:aws:ssm:us-east-1:{ACCOUNT}:automation-definition/Look:1"),
    ]);
    for event in &events {
        let detail = event.get("detail").unwrap();
        assert_eq!(event.get("resources"), Some(&resources));
        assert_eq!(text(detail, &["ExecutionId"]), id);
        assert_eq!(text(detail, &["Definition"]), "Look");
        assert_eq!(detail.get("DefinitionVersion").unwrap().to_string(), "1.0");
        let is_over = text(detail, &["Status"]) == "Success";
        assert_eq!(detail.get("EndTime").is_some(), is_over);
        assert_eq!(detail.get("Time").is_some_and(|time| time.as_f64().is_some()), is_over);
        let is_step = text(event, &["detail-type"]) == step;
        assert_eq!(detail.get("ExecutedBy").is_some(), !is_step);
        let names = (detail.get("StepName").cloned(), detail.get("Action").cloned());
        let expected = (Some(value!("look")), Some(value!("aws:executeAwsApi")));
        assert_eq!(names == expected, is_step, "{detail}");
    }
}

#[tokio::test]
async fn a_rule_starts_a_runbook_with_lists() {
    let whole = server().await;
    let arn = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:automation-definition/Look:$DEFAULT");
    let target = value!({ "Arn": arn, "Input": r#"{"Name": ["u2"]}"# });
    rule(&whole, value!({ "source": ["my.app"] }), target).await;
    let entry = value!({"Source": "my.app", "DetailType": "d", "Detail": "{}"});
    whole.ok("events", "PutEvents", value!({ "Entries": [entry] })).await;
    let of = value!([{"Key": "DocumentNamePrefix", "Values": ["Look"]}]);
    let id = loop {
        if let Some(found) = listed(&whole, of.clone()).await.first() {
            break text(found, &["AutomationExecutionId"]);
        }
        moment().await;
    };
    let found = ended(&whole, &id).await;
    assert_eq!(text(&found, &["AutomationExecutionStatus"]), "Success");
    assert_eq!(found.path(&["Parameters", "Name"]), Some(&value!(["u2"])));
    let by = text(&found, &["ExecutedBy"]);
    assert!(by.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/e/")), "{by}");
}

#[tokio::test]
async fn a_state_machine_starts_a_runbook_and_waits_for_it() {
    let whole = server().await;
    whole.allow(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#).await;
    let definition = value!({
        "StartAt": "Start",
        "States": {
            "Start": {
                "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ssm:startAutomationExecution",
                "Parameters": {"DocumentName": "Look", "Parameters": {"Name": ["u3"]}},
                "Next": "Wait",
            },
            "Wait": {"Type": "Wait", "Seconds": 15, "Next": "Get"},
            "Get": {
                "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ssm:getAutomationExecution",
                "Parameters": {"AutomationExecutionId.$": "$.AutomationExecutionId"},
                "ResultSelector": {
                    "AutomationExecutionId.$": "$.AutomationExecution.AutomationExecutionId",
                    "Status.$": "$.AutomationExecution.AutomationExecutionStatus",
                },
                "Next": "Ended",
            },
            "Ended": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.Status", "StringEquals": "InProgress", "Next": "Wait"}],
                "Default": "Done",
            },
            "Done": {"Type": "Pass", "End": true},
        },
    });
    whole.create("waits", "STANDARD", &definition.to_string()).await.unwrap();
    let started = whole.start("StartExecution", "waits", "{}").await;
    let found = super::states_callbacks::ended(&whole, &text(&started, &["executionArn"])).await;
    let output = value::parse(&text(&found, &["output"])).unwrap();
    assert_eq!(text(&output, &["Status"]), "Success");
    let record = got(&whole, &text(&output, &["AutomationExecutionId"])).await;
    let by = text(&record, &["ExecutedBy"]);
    assert!(by.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/")), "{by}");
}

/// Runs `Look` as a role that may do nothing else but look.
const PARENT: &str = "
schemaVersion: '0.3'
assumeRole: arn:aws:iam::123456789012:role/nobody
mainSteps:
  - name: run
    action: aws:executeAutomation
    inputs: {DocumentName: Look, RuntimeParameters: {Name: [u1]}}
outputs: [run.Output]
";

const ENDLESS: &str = "
schemaVersion: '0.3'
mainSteps:
  - {name: run, action: 'aws:executeAutomation', inputs: {DocumentName: Endless}}
";

#[tokio::test]
async fn a_child_is_started_by_whoever_started_its_parent() {
    let whole = server().await;
    let trust = trust(r#"{"Service": "ssm.amazonaws.com"}"#);
    let nobody = value!({ "RoleName": "nobody", "AssumeRolePolicyDocument": trust });
    whole.ok("iam", "CreateRole", nobody).await;
    keep(&whole, "Parent", PARENT).await;
    let id = start(&whole, value!({"DocumentName": "Parent"})).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Success", "{parent}");
    let steps = parent.get("StepExecutions").and_then(Value::as_array).unwrap();
    let outputs = steps[0].get("Outputs").unwrap();
    let child = text(&outputs.get("ExecutionId").unwrap().at(0).unwrap().clone(), &[]);
    let child = got(&whole, &child).await;
    assert_eq!(text(&child, &["ParentAutomationExecutionId"]), id);
    assert_eq!(text(&child, &["ExecutedBy"]), format!("arn:aws:iam::{ACCOUNT}:root"));
    assert_eq!(outputs.get("Status"), Some(&value!(["Success"])));
}

#[tokio::test]
async fn runbooks_are_nested_five_levels_deep() {
    let whole = server().await;
    keep(&whole, "Endless", ENDLESS).await;
    let id = start(&whole, value!({"DocumentName": "Endless"})).await;
    let first = ended(&whole, &id).await;
    assert_eq!(text(&first, &["AutomationExecutionStatus"]), "Failed");
    let all = listed(&whole, value!([{"Key": "DocumentNamePrefix", "Values": ["Endless"]}])).await;
    assert_eq!(names(&all, "AutomationExecutionStatus"), ["Failed"; 5]);
    let deepest = text(&all[0], &["AutomationExecutionId"]);
    let message = text(&got(&whole, &deepest).await, &["FailureMessage"]);
    assert!(message.contains("AutomationExecutionLimitExceededException"), "{message}");
}
