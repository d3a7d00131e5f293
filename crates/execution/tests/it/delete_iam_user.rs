//! The workflow that Stepwell began with: delete an IAM user through a runbook, polling its status.

use execution::Status;
use value::value;

use crate::driver::Driver;

const MACHINE: &str = r#"{"QueryLanguage": "JSONata", "StartAt": "GetUserDetails", "States": {
    "GetUserDetails": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
        "Arguments": {"UserName": "{% $states.input.username %}"},
        "Assign": {"userId": "{% $states.result.User.UserId %}"},
        "Comment": "ユーザーIDを取得", "Next": "StartDeletionAutomation"},
    "StartDeletionAutomation": {"Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:startAutomationExecution",
        "Arguments": {"DocumentName": "AWSConfigRemediation-DeleteIAMUser",
            "Parameters": {"IAMUserId": ["{% $userId %}"]}},
        "Assign": {"automationExecutionId": "{% $states.result.AutomationExecutionId %}"},
        "Next": "WaitForAutomation"},
    "WaitForAutomation": {"Type": "Wait", "Seconds": 15, "Next": "CheckAutomationExecution"},
    "CheckAutomationExecution": {"Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getAutomationExecution",
        "Arguments": {"AutomationExecutionId": "{% $automationExecutionId %}"},
        "Assign": {"executionStatus":
            "{% $states.result.AutomationExecution.AutomationExecutionStatus %}"},
        "Next": "EvaluateExecutionStatus"},
    "EvaluateExecutionStatus": {"Type": "Choice", "Choices": [
        {"Condition": "{% $executionStatus = 'Success' %}", "Next": "DeletionCompleted"},
        {"Condition": "{% $executionStatus = 'Failed' %}", "Next": "DeletionFailed"},
        {"Condition": "{% $executionStatus in ['InProgress', 'Waiting'] %}",
            "Next": "WaitForAutomation"}], "Default": "DeletionFailed"},
    "DeletionCompleted": {"Type": "Succeed"},
    "DeletionFailed": {"Type": "Fail", "Error": "IAMUserDeletionFailed",
        "Cause": "SSM Automation実行が失敗しました。ログを確認してください。"}}}"#;

fn up_to_the_first_check() -> Driver {
    let mut run = Driver::start(MACHINE, r#"{"username": "テスト"}"#);
    assert_eq!(run.calls[0].arguments, value!({"UserName": "テスト"}));
    run.succeed(value!({"User": {"UserId": "AIDA1"}}));
    assert_eq!(run.calls[0].arguments.path(&["Parameters", "IAMUserId"]), Some(&value!(["AIDA1"])));
    run.succeed(value!({"AutomationExecutionId": "a-1"}));
    assert_eq!(run.timers[0].0, 15_000);
    run.fire();
    assert_eq!(run.calls[0].arguments, value!({"AutomationExecutionId": "a-1"}));
    run
}

fn status(status: &str) -> value::Value {
    value!({"AutomationExecution": {"AutomationExecutionStatus": status}})
}

#[test]
fn it_polls_until_the_runbook_succeeds() {
    let mut run = up_to_the_first_check();
    run.succeed(status("InProgress"));
    run.fire();
    assert_eq!(run.millis, 30_000);
    run.succeed(status("Success"));
    assert_eq!(run.state.status(), Status::Succeeded);
    let exited = run.event(6);
    assert_eq!(
        exited.path(&["stateExitedEventDetails", "assignedVariables"]),
        Some(&value!({"userId": "\"AIDA1\""}))
    );
    assert_eq!(
        run.history()[17..20],
        ["18<17 TaskStateExited", "19<18 ChoiceStateEntered", "20<19 ChoiceStateExited"]
    );
}

#[test]
fn it_fails_when_the_runbook_does() {
    let mut run = up_to_the_first_check();
    run.succeed(status("Failed"));
    let finish = run.finish.as_ref().unwrap();
    assert_eq!(finish.error.as_deref(), Some("IAMUserDeletionFailed"));
    assert_eq!(
        finish.cause.as_deref(),
        Some("SSM Automation実行が失敗しました。ログを確認してください。")
    );
}

#[test]
fn it_fails_with_the_expression_when_the_name_is_missing() {
    let run = Driver::start(MACHINE, r#"{"user": "x"}"#);
    assert_eq!(run.history()[2..], ["3<0 EvaluationFailed", "4<3 ExecutionFailed"]);
    assert_eq!(
        run.finish.as_ref().unwrap().cause.as_deref(),
        Some(
            "An error occurred while executing the state 'GetUserDetails' (entered at the event id \
             #2). The JSONata expression '$states.input.username' specified for the field \
             'Arguments/UserName' returned nothing (undefined)."
        )
    );
}
