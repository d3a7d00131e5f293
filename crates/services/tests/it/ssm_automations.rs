//! The Automation API, through the whole of the services on a virtual clock.

use policy::{Principal, PrincipalKind};
use runtime::ClockMode;
use services::{Error, Limits};
use store::{Scan, Table};
use value::{Value, value};

use super::outward::reaching;
use super::server::{ACCOUNT, text};
use super::states_express::{Whole, whole, whole_with};

/// Fails for the user `bad`.
const RUNBOOK: &str = "
schemaVersion: '0.3'
parameters:
  Name: {type: String, allowedPattern: '^[a-z0-9-]+$'}
  Other: {type: String, default: x}
mainSteps:
  - name: look
    action: aws:executeAwsApi
    inputs: {Service: iam, Api: GetUser, UserName: '{{ Name }}'}
    outputs: [{Name: Arn, Selector: $.User.Arn, Type: String}]
";

/// Waits for somebody.
const WAITS: &str = "
schemaVersion: '0.3'
parameters:
  Approver: {type: String, default: ann}
  Name: {type: String, default: a}
mainSteps:
  - name: halt
    action: aws:pause
    inputs: {}
  - name: ask
    action: aws:approve
    timeoutSeconds: 100000000
    inputs: {Approvers: ['{{ Approver }}'], MinRequiredApprovals: 1}
";

/// The answer of an operation of Systems Manager.
pub(crate) async fn ssm(whole: &Whole, name: &str, input: Value) -> Value {
    whole.ok("ssm", name, input).await
}

async fn refused(whole: &Whole, name: &str, input: Value) -> String {
    let answer: Result<Value, Error> = whole.run("ssm", name, input).await;
    answer.expect_err(name).to_string()
}

pub(crate) async fn keep(whole: &Whole, name: &str, content: &str) {
    let document = value!({
        "Name": name, "Content": content, "DocumentType": "Automation", "DocumentFormat": "YAML",
    });
    ssm(whole, "CreateDocument", document).await;
}

/// A server with the users `u1` to `u3` and the two runbooks.
pub(crate) async fn server() -> Whole {
    let whole = whole().await;
    for user in ["u1", "u2", "u3"] {
        whole.ok("iam", "CreateUser", value!({ "UserName": user })).await;
    }
    keep(&whole, "Look", RUNBOOK).await;
    keep(&whole, "Waits", WAITS).await;
    whole
}

pub(crate) async fn start(whole: &Whole, input: Value) -> String {
    text(&ssm(whole, "StartAutomationExecution", input).await, &["AutomationExecutionId"])
}

pub(crate) async fn got(whole: &Whole, id: &str) -> Value {
    let answer =
        ssm(whole, "GetAutomationExecution", value!({ "AutomationExecutionId": id })).await;
    answer.get("AutomationExecution").unwrap().clone()
}

/// Waits until an execution has another status than these, at most a few seconds.
async fn beyond(whole: &Whole, id: &str, statuses: &[&str]) -> Value {
    for _ in 0..1_000 {
        let found = got(whole, id).await;
        if !statuses.contains(&&*text(&found, &["AutomationExecutionStatus"])) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{}", got(whole, id).await);
}

pub(crate) async fn ended(whole: &Whole, id: &str) -> Value {
    beyond(whole, id, &["Pending", "InProgress", "Waiting", "Cancelling"]).await
}

async fn waiting(whole: &Whole, id: &str) -> Value {
    beyond(whole, id, &["Pending", "InProgress"]).await
}

fn over(values: &[&str]) -> Value {
    value!({
        "DocumentName": "Look",
        "TargetParameterName": "Name",
        "Targets": [{"Key": "ParameterValues", "Values": values.to_vec()}],
    })
}

pub(crate) async fn listed(whole: &Whole, filters: Value) -> Vec<Value> {
    let answer = ssm(whole, "DescribeAutomationExecutions", value!({ "Filters": filters })).await;
    answer.get("AutomationExecutionMetadataList").and_then(Value::as_array).unwrap().to_vec()
}

pub(crate) fn names(list: &[Value], member: &str) -> Vec<String> {
    list.iter().map(|one| text(one, &[member])).collect()
}

fn user(name: &str, id: String) -> Principal {
    let kind = PrincipalKind::User { name: name.to_owned(), path: "/".to_owned(), id };
    Principal { kind, ..Principal::root(ACCOUNT) }
}

#[tokio::test]
async fn each_target_has_an_execution_of_its_own() {
    let whole = server().await;
    let request = over(&["u1", "u2", "u3", "u2"])
        .with("MaxConcurrency", "2")
        .with("Parameters", value!({"Other": ["o"]}));
    let id = start(&whole, request).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Success");
    let counters = parent.get("ProgressCounters").unwrap();
    assert_eq!(counters.get("TotalSteps"), Some(&value!(3)));
    assert_eq!(counters.get("SuccessSteps"), Some(&value!(3)));
    assert_eq!(
        parent.path(&["ResolvedTargets", "ParameterValues"]),
        Some(&value!(["u1", "u2", "u3"]))
    );
    let by_parent = value!([{"Key": "ParentExecutionId", "Values": [&*id]}]);
    let children = listed(&whole, by_parent).await;
    let mut targets = names(&children, "Target");
    targets.sort();
    assert_eq!(targets, ["u1", "u2", "u3"]);
    for child in &children {
        assert_eq!(text(child, &["ParentAutomationExecutionId"]), id);
        let child = got(&whole, &text(child, &["AutomationExecutionId"])).await;
        let target = text(&child, &["Target"]);
        assert_eq!(child.path(&["Parameters", "Name"]), Some(&value!([&*target])));
        assert_eq!(child.path(&["Parameters", "Other"]), Some(&value!(["o"])));
        assert_eq!(text(&child, &["AutomationExecutionStatus"]), "Success");
    }
    // The children show as the parent's steps.
    let steps = parent.get("StepExecutions").and_then(Value::as_array).unwrap();
    assert_eq!(names(steps, "StepName"), ["u1", "u2", "u3"]);
}

#[tokio::test]
async fn too_many_errors_are_a_failure_and_no_further_target_is_begun() {
    let whole = server().await;
    let id = start(&whole, over(&["u1", "bad", "u2", "u3"]).with("MaxConcurrency", "1")).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Failed");
    let steps = parent.get("StepExecutions").and_then(Value::as_array).unwrap();
    assert_eq!(names(steps, "StepStatus"), ["Success", "Failed"]);
    assert!(text(&parent, &["FailureMessage"]).contains("NoSuchEntity"), "{parent}");
    let id = start(&whole, over(&["bad", "u2"]).with("MaxErrors", "50%")).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Success");
}

#[tokio::test]
async fn target_maps_give_each_child_several_parameters() {
    let whole = server().await;
    let request = value!({
        "DocumentName": "Look",
        "TargetMaps": [{"Name": ["u1"], "Other": ["a"]}, {"Name": ["u2"], "Other": ["b"]}],
    });
    let id = start(&whole, request).await;
    ended(&whole, &id).await;
    let children = listed(&whole, value!([{"Key": "ParentExecutionId", "Values": [&*id]}])).await;
    assert_eq!(children.len(), 2);
    let child = got(&whole, &text(&children[0], &["AutomationExecutionId"])).await;
    assert_eq!(child.path(&["Parameters", "Other"]), Some(&value!(["b"])));
}

#[tokio::test]
async fn the_location_of_the_server_itself_has_an_execution_below_one_for_all() {
    let whole = server().await;
    let at = |account: &str, region: &str, role: &str| {
        value!({
            "DocumentName": "Look",
            "Parameters": {"Name": ["u1"]},
            "TargetLocations": [{
                "Accounts": [account], "Regions": [region], "ExecutionRoleName": role,
            }],
        })
    };
    let trust = super::server::trust(r#"{"Service": "ssm.amazonaws.com"}"#);
    let role = value!({"RoleName": "There", "AssumeRolePolicyDocument": trust});
    whole.ok("iam", "CreateRole", role).await;
    // The execution acts as the role of the location, which may do nothing yet.
    let id = start(&whole, at(ACCOUNT, "us-east-1", "There")).await;
    assert_eq!(text(&ended(&whole, &id).await, &["AutomationExecutionStatus"]), "Failed");
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}]}"#;
    let policy = value!({"RoleName": "There", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutRolePolicy", policy).await;
    let id = start(&whole, at(ACCOUNT, "us-east-1", "There")).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Success");
    assert!(parent.get("TargetLocations").is_some());
    let below = listed(&whole, value!([{"Key": "ParentExecutionId", "Values": [id]}])).await;
    assert_eq!(names(&below, "Target"), [format!("{ACCOUNT}:us-east-1")]);
    for (account, region, told) in [
        ("111122223333", "us-east-1", "111122223333 is elsewhere"),
        (ACCOUNT, "eu-west-1", "eu-west-1 is elsewhere"),
    ] {
        let err = refused(&whole, "StartAutomationExecution", at(account, region, "There")).await;
        assert!(err.starts_with("InvalidTarget") && err.contains(told), "{err}");
    }
}

#[tokio::test]
async fn targets_that_make_no_sense_are_refused() {
    let whole = server().await;
    let targets = |targets: Value| over(&[]).with("Targets", targets);
    let plain = value!({"Key": "ParameterValues", "Values": ["u1"]});
    for (request, expected) in [
        (
            over(&["u1"]).with("TargetMaps", value!([{"Name": ["u2"]}])),
            "InvalidTarget: Targets and TargetMaps cannot be specified together.",
        ),
        (
            value!({"DocumentName": "Look", "Targets": [plain]}),
            "InvalidAutomationExecutionParametersException: TargetParameterName is required when \
             Targets is specified.",
        ),
        (
            over(&["u1"]).with("TargetParameterName", "None"),
            "InvalidAutomationExecutionParametersException: The runbook has no parameter \
             \"None\" to take the targets.",
        ),
        (over(&[]), "InvalidTarget: The targets do not include any resource."),
        (
            targets(value!([{"Key": "Colour", "Values": ["red"]}])),
            "InvalidTarget: The target key Colour is not valid.",
        ),
        (
            targets(value!([
                {"Key": "tag:A", "Values": ["a"]}, {"Key": "ResourceGroup", "Values": ["g"]},
            ])),
            "InvalidTarget: Only one resource group or tag can be specified at a time",
        ),
        (
            over(&["u1"]).with("Mode", "Interactive"),
            "InvalidAutomationExecutionParametersException: An automation with targets cannot run \
             in Interactive mode.",
        ),
    ] {
        assert_eq!(refused(&whole, "StartAutomationExecution", request).await, expected);
    }
    // A value that the runbook does not take, before anything has begun.
    let answer = refused(&whole, "StartAutomationExecution", over(&["u1", "No!"])).await;
    assert!(answer.contains("No!"), "{answer}");
    let tagged = targets(value!([{"Key": "tag:A", "Values": ["a"]}]));
    let answer = refused(&whole, "StartAutomationExecution", tagged).await;
    assert!(
        answer.starts_with(
            "InvalidTarget: The targets cannot be looked up with \
             resourcegroupstaggingapi:GetResources: "
        ),
        "{answer}"
    );
    assert!(
        listed(&whole, value!([{"Key": "AutomationType", "Values": ["Local"]}])).await.is_empty()
    );
}

#[tokio::test]
async fn targets_by_tag_are_asked_of_the_service_that_knows() {
    let found = value!({
        "ResourceTagMappingList": [
            {"ResourceARN": "arn:aws:iam::1:user/u1"}, {"ResourceARN": "arn:aws:iam::1:user/u3"},
        ],
        "PaginationToken": "",
    });
    let (whole, elsewhere) =
        reaching(&["resourcegroupstaggingapi"], vec![("GetResources", found)]).await;
    for user in ["u1", "u3"] {
        whole.ok("iam", "CreateUser", value!({ "UserName": user })).await;
    }
    keep(&whole, "Look", RUNBOOK).await;
    let request = over(&[]).with("Targets", value!([{"Key": "tag:Team", "Values": ["a", "b"]}]));
    let id = start(&whole, request).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(parent.path(&["ResolvedTargets", "ParameterValues"]), Some(&value!(["u1", "u3"])));
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Success");
    let asked = elsewhere.asked.lock().unwrap()[0].1.clone();
    assert_eq!(
        asked.get("TagFilters"),
        Some(&value!([{"Key": "Team", "Values": ["a", "b"]}])),
        "{asked}"
    );
}

#[tokio::test]
async fn stopping_the_parent_stops_its_children() {
    let whole = server().await;
    let request = value!({
        "DocumentName": "Waits", "TargetParameterName": "Name",
        "Targets": [{"Key": "ParameterValues", "Values": ["a", "b"]}],
    });
    let id = start(&whole, request).await;
    let by_parent = value!([{"Key": "ParentExecutionId", "Values": [&*id]}]);
    while listed(&whole, by_parent.clone()).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let child = text(&listed(&whole, by_parent.clone()).await[0], &["AutomationExecutionId"]);
    waiting(&whole, &child).await;
    ssm(&whole, "StopAutomationExecution", value!({ "AutomationExecutionId": &*id })).await;
    let parent = ended(&whole, &id).await;
    assert_eq!(text(&parent, &["AutomationExecutionStatus"]), "Cancelled");
    let children = listed(&whole, by_parent).await;
    assert_eq!(names(&children, "AutomationExecutionStatus"), ["Cancelled"]);
    let again =
        refused(&whole, "StopAutomationExecution", value!({ "AutomationExecutionId": &*id })).await;
    assert!(again.starts_with("InvalidAutomationStatusUpdateException: "), "{again}");
}

#[tokio::test]
async fn a_client_token_names_one_execution() {
    let whole = server().await;
    let request = |token: &str| value!({"DocumentName": "Waits", "ClientToken": token, "Parameters": {"Name": ["n"]}});
    let token = "a1b2c3d4-0000-4000-8000-00000000abcd";
    let id = start(&whole, request(token)).await;
    assert_eq!(start(&whole, request(token)).await, id);
    assert_eq!(start(&whole, request(&token.to_uppercase())).await, id);
    let other = request(token).with("Parameters", value!({"Name": ["m"]}));
    let answer = refused(&whole, "StartAutomationExecution", other).await;
    assert!(answer.starts_with("IdempotentParameterMismatch: "), "{answer}");
}

#[tokio::test]
async fn a_further_automation_is_refused_until_one_has_ended() {
    let limits = Limits { open_automations: 1, ..Limits::default() };
    let whole = whole_with(ClockMode::Virtual, limits).await;
    keep(&whole, "Waits", WAITS).await;
    let token = "a1b2c3d4-0000-4000-8000-00000000abcd";
    let request = value!({"DocumentName": "Waits", "ClientToken": token});
    let id = start(&whole, request.clone()).await;
    let another = value!({"DocumentName": "Waits"});
    let answer = refused(&whole, "StartAutomationExecution", another.clone()).await;
    assert!(answer.starts_with("AutomationExecutionLimitExceededException: "), "{answer}");
    // The same request again opens nothing.
    assert_eq!(start(&whole, request).await, id);
    ssm(&whole, "StopAutomationExecution", value!({ "AutomationExecutionId": &*id })).await;
    start(&whole, another).await;
}

async fn signal(whole: &Whole, id: &str, kind: &str, payload: Value) -> Result<Value, String> {
    let input = value!({ "AutomationExecutionId": id, "SignalType": kind, "Payload": payload });
    whole.run("ssm", "SendAutomationSignal", input).await.map_err(|err| err.to_string())
}

#[tokio::test]
async fn a_signal_that_nobody_waits_for_is_refused() {
    let whole = server().await;
    let id = start(&whole, value!({"DocumentName": "Waits"})).await;
    waiting(&whole, &id).await;
    let name = |step: &str| value!({ "StepName": [step] });
    for (kind, payload, expected) in [
        ("Approve", value!({}), "no step waits for an approval"),
        ("Resume", name("ask"), "the step is not paused"),
        ("StartStep", name("ask"), "the step does not wait to be started"),
        ("StopStep", value!({}), "StopStep needs a StepExecutionId in its payload"),
        ("Revoke", value!({}), "only an access request can be revoked"),
    ] {
        let answer = signal(&whole, &id, kind, payload).await.unwrap_err();
        let whole_text = format!(
            "InvalidAutomationSignalException: The signal is not valid for the current Automation \
             execution: {expected}."
        );
        assert_eq!(answer, whole_text);
    }
    for (kind, payload) in
        [("Resume", name("none")), ("StopStep", value!({ "StepExecutionId": ["none"] }))]
    {
        let answer = signal(&whole, &id, kind, payload).await.unwrap_err();
        assert!(answer.starts_with("AutomationStepNotFoundException: "), "{kind}: {answer}");
    }
    signal(&whole, &id, "Resume", name("halt")).await.unwrap();
    // The root user is no approver.
    let answer = signal(&whole, &id, "Approve", value!({})).await.unwrap_err();
    assert!(answer.contains(":root is not among the approvers"), "{answer}");
    let none = "00000000-0000-4000-8000-000000000000";
    let answer = signal(&whole, none, "Resume", value!({})).await.unwrap_err();
    assert!(answer.starts_with("AutomationExecutionNotFoundException: "), "{answer}");
}

#[tokio::test]
async fn an_approver_approves() {
    let whole = server().await;
    let ann = whole.ok("iam", "CreateUser", value!({"UserName": "ann"})).await;
    let ann = user("ann", text(&ann, &["User", "UserId"]));
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}"#;
    let grant = value!({"UserName": "ann", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutUserPolicy", grant).await;
    let id = start(&whole, value!({"DocumentName": "Waits"})).await;
    waiting(&whole, &id).await;
    signal(&whole, &id, "Resume", value!({})).await.unwrap();
    let approve = value!({
        "AutomationExecutionId": &*id, "SignalType": "Approve", "Payload": {"Comment": ["fine"]},
    });
    whole.run_as(ann, "ssm", "SendAutomationSignal", approve).await.unwrap();
    let found = ended(&whole, &id).await;
    assert_eq!(text(&found, &["AutomationExecutionStatus"]), "Success");
    let steps = found.get("StepExecutions").and_then(Value::as_array).unwrap();
    assert_eq!(steps[1].path(&["Outputs", "ApprovalStatus"]), Some(&value!(["Approved"])));
    let answer = signal(&whole, &id, "Resume", value!({})).await.unwrap_err();
    assert!(answer.contains("it has ended"), "{answer}");
}

#[tokio::test]
async fn an_interactive_execution_waits_before_every_step() {
    let whole = server().await;
    let request = value!({
        "DocumentName": "Look", "Mode": "Interactive", "Parameters": {"Name": ["u1"]},
    });
    let id = start(&whole, request).await;
    let found = waiting(&whole, &id).await;
    assert_eq!(text(&found, &["AutomationExecutionStatus"]), "Waiting");
    assert_eq!(text(&found, &["CurrentStepName"]), "look");
    let started = signal(&whole, &id, "StartStep", value!({"StepName": ["look"]})).await;
    started.unwrap();
    let found = ended(&whole, &id).await;
    assert_eq!(text(&found, &["AutomationExecutionStatus"]), "Success");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let whole = server().await;
    let mut ids = Vec::new();
    for (document, name, tags) in [
        ("Look", "u1", value!([{"Key": "Team", "Value": "a"}])),
        ("Look", "bad", value!([])),
        ("Waits", "a", value!([])),
        ("Look", "u2", value!([])),
    ] {
        let request = value!({
            "DocumentName": document, "Parameters": {"Name": [name]}, "Tags": tags,
        });
        let id = start(&whole, request).await;
        beyond(&whole, &id, &["Pending", "InProgress"]).await;
        ids.push(id);
        // An hour later, the next.
        whole.runtime.clock().advance(3_600_000);
    }
    let found = async |key: &str, values: Value| {
        let list = listed(&whole, value!([{"Key": key, "Values": values}])).await;
        let place = |id: &String| ids.iter().position(|known| known == id).unwrap();
        names(&list, "AutomationExecutionId").iter().map(place).collect::<Vec<_>>()
    };
    let begun = |record: &Value| record.get("ExecutionStartTime").and_then(Value::as_f64).unwrap();
    let third = begun(&got(&whole, &ids[2]).await);
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
    let third = jiff::Timestamp::from_millisecond((third * 1000.0).round() as i64).unwrap();
    let third = third.to_string();
    assert_eq!(found("DocumentNamePrefix", value!(["Lo"])).await, [3, 1, 0]);
    assert_eq!(found("ExecutionStatus", value!(["Failed", "Waiting"])).await, [2, 1]);
    assert_eq!(found("ExecutionId", value!([&*ids[0], &*ids[3]])).await, [3, 0]);
    assert_eq!(found("CurrentAction", value!(["aws:pause"])).await, [2]);
    assert_eq!(found("StartTimeBefore", value!([&*third])).await, [2, 1, 0]);
    assert_eq!(found("StartTimeAfter", value!([&*third])).await, [3, 2]);
    assert_eq!(found("TagKey", value!(["Team"])).await, [0]);
    assert_eq!(found("AutomationType", value!(["CrossAccount"])).await, []);
    assert_eq!(found("AutomationSubtype", value!(["ChangeRequest"])).await, []);
    let wrong = |key: &str| value!({"Filters": [{"Key": key, "Values": ["no"]}]});
    for key in ["ExecutionStatus", "StartTimeBefore", "AutomationType"] {
        let answer = refused(&whole, "DescribeAutomationExecutions", wrong(key)).await;
        assert!(answer.starts_with("InvalidFilterValue: "), "{key}: {answer}");
    }
    let mut pages = Vec::new();
    let mut request =
        value!({"MaxResults": 1, "Filters": [{"Key": "DocumentNamePrefix", "Values": ["Look"]}]});
    loop {
        let answer = ssm(&whole, "DescribeAutomationExecutions", request.clone()).await;
        let list = answer.get("AutomationExecutionMetadataList").and_then(Value::as_array).unwrap();
        pages.extend(names(list, "AutomationExecutionId"));
        let Some(token) = answer.get("NextToken") else { break };
        request.set("NextToken", token.clone());
    }
    assert_eq!(pages, [&*ids[3], &*ids[1], &*ids[0]]);
    let answer = refused(&whole, "DescribeAutomationExecutions", value!({"NextToken": "x"})).await;
    assert!(answer.starts_with("InvalidNextToken: "), "{answer}");
}

const LOOPS: &str = "
schemaVersion: '0.3'
variables:
  Seen: {type: String, default: x}
mainSteps:
  - name: each
    action: aws:loop
    inputs:
      Iterators: [a, b]
      Steps:
        - {name: one, action: 'aws:updateVariable', inputs: {Name: 'variable:Seen', Value: '{{ Loop.CurrentIteratorValue }}'}}
        - {name: two, action: 'aws:sleep', inputs: {Duration: PT1S}, isEnd: true}
  - {name: last, action: 'aws:sleep', inputs: {Duration: PT1S}, isEnd: true}
  - {name: never, action: 'aws:sleep', inputs: {Duration: PT1S}}
";

#[tokio::test]
async fn steps_are_filtered_and_reversed() {
    let whole = server().await;
    keep(&whole, "Loops", LOOPS).await;
    let id = start(&whole, value!({"DocumentName": "Loops"})).await;
    let record = ended(&whole, &id).await;
    let all = record.get("StepExecutions").and_then(Value::as_array).unwrap();
    assert_eq!(names(all, "StepName"), ["each", "one", "two", "one", "two", "last", "never"]);
    let steps = async |input: Value| {
        let input = input.with("AutomationExecutionId", &*id);
        let answer = ssm(&whole, "DescribeAutomationStepExecutions", input).await;
        names(answer.get("StepExecutions").and_then(Value::as_array).unwrap(), "StepName")
    };
    let by = |key: &str, value: &str| value!({"Filters": [{"Key": key, "Values": [value]}]});
    assert_eq!(steps(value!({})).await, ["each", "one", "two", "one", "two", "last"]);
    assert_eq!(steps(value!({"ReverseOrder": true, "MaxResults": 2})).await, ["last", "two"]);
    assert_eq!(steps(by("StepName", "one")).await, ["one", "one"]);
    assert_eq!(steps(by("Action", "aws:loop")).await, ["each"]);
    assert_eq!(steps(by("StepExecutionStatus", "Failed")).await, [""; 0]);
    assert_eq!(steps(by("ParentStepIteration", "2")).await, ["one", "two"]);
    assert_eq!(steps(by("ParentStepIteratorValue", "a")).await, ["one", "two"]);
    let loop_id = text(&all[0], &["StepExecutionId"]);
    assert_eq!(steps(by("ParentStepExecutionId", &loop_id)).await.len(), 4);
    assert_eq!(steps(by("StepExecutionId", &loop_id)).await, ["each"]);
    assert_eq!(steps(by("StartTimeAfter", "2199-01-01T00:00:00Z")).await, [""; 0]);
    assert_eq!(steps(by("StartTimeBefore", "2199-01-01T00:00:00Z")).await.len(), 6);
    let wrong = by("ParentStepIteration", "x").with("AutomationExecutionId", &*id);
    let answer = refused(&whole, "DescribeAutomationStepExecutions", wrong).await;
    assert!(answer.starts_with("InvalidFilterValue: "), "{answer}");
}

#[tokio::test]
async fn a_start_that_is_not_kept_leaves_no_tags() {
    let whole = server().await;
    whole.runtime.stop().await;
    let tags = value!([{"Key": "Team", "Value": "a"}]);
    let request = value!({"DocumentName": "Waits", "Tags": tags});
    let answer = refused(&whole, "StartAutomationExecution", request).await;
    assert!(answer.starts_with("ServiceUnavailable: "), "{answer}");
    let of_executions = Scan::prefix("automation-execution/");
    let tags = whole.runtime.store().read(|tx| tx.scan(Table::Tags, of_executions)).unwrap();
    assert!(tags.is_empty(), "{tags:?}");
}

#[tokio::test]
async fn executions_have_tags() {
    let whole = server().await;
    let tags = value!([{"Key": "Team", "Value": "a"}]);
    let id = start(&whole, value!({"DocumentName": "Waits", "Tags": tags.clone()})).await;
    let of = value!({"ResourceType": "Automation", "ResourceId": &*id});
    let list = ssm(&whole, "ListTagsForResource", of.clone()).await;
    assert_eq!(list.get("TagList"), Some(&tags));
    let more = of.clone().with("Tags", value!([{"Key": "Cost", "Value": "1"}]));
    ssm(&whole, "AddTagsToResource", more).await;
    ssm(&whole, "RemoveTagsFromResource", of.clone().with("TagKeys", value!(["Team"]))).await;
    let list = ssm(&whole, "ListTagsForResource", of).await;
    assert_eq!(list.get("TagList"), Some(&value!([{"Key": "Cost", "Value": "1"}])));
    let six: Value = (0..6).map(|n| value!({"Key": format!("k{n}"), "Value": ""})).collect();
    let request = value!({"DocumentName": "Waits", "Tags": six});
    let answer = refused(&whole, "StartAutomationExecution", request).await;
    assert!(answer.starts_with("ValidationException: "), "{answer}");
}
