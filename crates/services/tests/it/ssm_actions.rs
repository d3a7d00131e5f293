//! Actions of runbooks that call what is not served here: without an endpoint they fail and say so.

use value::{Value, value};

use super::server::text;
use super::states_express::whole;

#[tokio::test]
async fn actions_without_an_endpoint_name_what_they_lack() {
    let whole = whole().await;
    let ec2 = "Stepwell does not serve ec2 and was given no endpoint for it";
    let lambda = "Stepwell does not serve lambda and was given no endpoint for it";
    for (action, inputs, told) in [
        ("executeAwsApi", value!({"Service": "ec2", "Api": "DescribeVpcs"}), ec2),
        ("runInstances", value!({"ImageId": "ami-1"}), ec2),
        ("changeInstanceState", value!({"InstanceIds": ["i"], "DesiredState": "running"}), ec2),
        ("createImage", value!({"InstanceId": "i", "ImageName": "n"}), ec2),
        (
            "copyImage",
            value!({"SourceImageId": "a", "SourceRegion": "us-east-1", "ImageName": "n"}),
            ec2,
        ),
        ("deleteImage", value!({"ImageId": "a"}), ec2),
        ("createTags", value!({"ResourceIds": ["i"], "Tags": []}), ec2),
        ("invokeLambdaFunction", value!({"FunctionName": "f"}), lambda),
        ("runCommand", value!({"DocumentName": "AWS-RunShellScript"}), "SendCommand"),
        ("invokeWebhook", value!({"IntegrationName": "chat"}), "GetParameter"),
    ] {
        let step = value!({"name": "step", "action": format!("aws:{action}"), "inputs": inputs});
        let content = value!({"schemaVersion": "0.3", "mainSteps": [step]}).to_string();
        let document = value!({"Name": action, "Content": content, "DocumentType": "Automation"});
        whole.ok("ssm", "CreateDocument", document).await;
        let started = value!({"DocumentName": action});
        let id = whole.ok("ssm", "StartAutomationExecution", started).await;
        let execution = loop {
            let answer = whole.ok("ssm", "GetAutomationExecution", id.clone()).await;
            let execution = answer.get("AutomationExecution").cloned().unwrap();
            if execution.get("ExecutionEndTime").is_some() {
                break execution;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(text(&execution, &["AutomationExecutionStatus"]), "Failed", "{action}");
        let message = execution.get("FailureMessage").and_then(Value::as_str).unwrap();
        assert!(message.contains(told), "{action}: {message}");
    }
}
