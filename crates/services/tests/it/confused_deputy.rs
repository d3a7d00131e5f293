//! Trust policies that let a service in only on behalf of one resource, as CDK writes them and as
//! AWS recommends against the confused deputy: `aws:SourceArn` and `aws:SourceAccount`.

use services::Error;
use value::{Value, value};

use super::server::{ACCOUNT, text};
use super::states_express::{Whole, machine_arn, whole};

const PASS: &str = r#"{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}"#;
const SLEEPS: &str = "
schemaVersion: '0.3'
assumeRole: arn:aws:iam::123456789012:role/deputy
mainSteps:
  - {name: look, action: 'aws:executeAwsApi', inputs: {Service: sts, Api: GetCallerIdentity}}
";
const GROUP: &str = "Resources: {G: {Type: AWS::IAM::Group}}";

/// Makes the role `deputy`, which a service may assume on behalf of resources of this kind.
async fn deputy(service: &str, source: &str) -> (Whole, String) {
    let whole = whole().await;
    let statement = value!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": { "aws:SourceArn": source },
            "StringEquals": { "aws:SourceAccount": ACCOUNT },
        },
    });
    let trust = value!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let role = value!({ "RoleName": "deputy", "AssumeRolePolicyDocument": trust });
    let role = whole.ok("iam", "CreateRole", role).await;
    (whole, text(&role, &["Role", "Arn"]))
}

async fn create(whole: &Whole, name: &str, role: &str) -> Result<Value, Error> {
    let input = value!({ "name": name, "definition": PASS, "roleArn": role });
    whole.run("stepfunctions", "CreateStateMachine", input).await
}

#[tokio::test]
async fn a_state_machine_is_the_source_when_it_is_created_and_updated() {
    let (whole, role) = deputy("states.amazonaws.com", &machine_arn("mine-*")).await;
    create(&whole, "mine-1", &role).await.unwrap();
    let update = value!({ "stateMachineArn": machine_arn("mine-1"), "roleArn": &role });
    whole.ok("stepfunctions", "UpdateStateMachine", update).await;
    let err = create(&whole, "other", &role).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "AccessDeniedException: Neither the global service principal states.amazonaws.com, nor \
         the regional one is authorized to assume the provided role."
    );
}

#[tokio::test]
async fn a_role_of_a_state_machine_is_an_arn() {
    let err = create(&whole().await, "m", "r").await.unwrap_err();
    assert_eq!(err.to_string(), "InvalidArn: Invalid Role Arn: 'r'");
}

#[tokio::test]
async fn a_runbook_execution_is_the_source_when_it_starts() {
    let source = format!("arn:aws:ssm:*:{ACCOUNT}:automation-execution/*");
    let (whole, _) = deputy("ssm.amazonaws.com", &source).await;
    let document = value!({
        "Name": "Sleeps", "Content": SLEEPS, "DocumentType": "Automation",
        "DocumentFormat": "YAML",
    });
    whole.ok("ssm", "CreateDocument", document).await;
    whole.ok("ssm", "StartAutomationExecution", value!({ "DocumentName": "Sleeps" })).await;
}

#[tokio::test]
async fn a_stack_is_the_source_when_it_is_created() {
    let source = format!("arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/mine/*");
    let (whole, role) = deputy("cloudformation.amazonaws.com", &source).await;
    let asked = |name: &str| {
        value!({
            "StackName": name, "TemplateBody": GROUP, "RoleARN": &role,
            "Capabilities": ["CAPABILITY_IAM"],
        })
    };
    whole.ok("cloudformation", "CreateStack", asked("mine")).await;
    let err = whole.run("cloudformation", "CreateStack", asked("other")).await.unwrap_err();
    let text = format!("ValidationError: Role {role} is invalid or cannot be assumed");
    assert_eq!(err.to_string(), text);
}
