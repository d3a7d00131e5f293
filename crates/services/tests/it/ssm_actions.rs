//! Actions of runbooks that call what is not served here: without an endpoint they fail and say so.
//! A webhook needs none.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use value::{Value, value};
use wire::{Handler, Request, Response};

use super::outward::reaching;
use super::server::text;
use super::states_express::{Whole, whole};

/// Runs a runbook of one step to its end.
async fn run(whole: &Whole, action: &str, inputs: Value) -> Value {
    let step = value!({"name": "step", "action": format!("aws:{action}"), "inputs": inputs});
    let content = value!({"schemaVersion": "0.3", "mainSteps": [step]}).to_string();
    let document = value!({"Name": action, "Content": content, "DocumentType": "Automation"});
    whole.ok("ssm", "CreateDocument", document).await;
    let started = value!({"DocumentName": action});
    let id = whole.ok("ssm", "StartAutomationExecution", started).await;
    loop {
        let answer = whole.ok("ssm", "GetAutomationExecution", id.clone()).await;
        let execution = answer.get("AutomationExecution").cloned().unwrap();
        if execution.get("ExecutionEndTime").is_some() {
            return execution;
        }
        tokio::task::yield_now().await;
    }
}

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
        let execution = run(&whole, action, inputs).await;
        assert_eq!(text(&execution, &["AutomationExecutionStatus"]), "Failed", "{action}");
        let message = execution.get("FailureMessage").and_then(Value::as_str).unwrap();
        assert!(message.contains(told), "{action}: {message}");
    }
}

/// Whoever listens at the end of a webhook.
#[derive(Default)]
struct Listener {
    heard: Mutex<Vec<Request>>,
}

impl Handler for Listener {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        self.heard.lock().unwrap().push(request);
        Box::pin(async { Response::json(202, &value!({"ok": "日本"})) })
    }
}

#[tokio::test]
async fn a_webhook_is_sent_to_where_a_secure_string_says() {
    let listener = Arc::new(Listener::default());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/services/a%20b?x=1", socket.local_addr().unwrap());
    tokio::spawn(wire::serve(socket, listener.clone(), std::future::pending()));
    let (whole, _elsewhere) = reaching(&[], Vec::new()).await;
    let integration =
        value!({"url": url, "headers": {"X-Token": "hook-Horse5"}, "payload": "preset"});
    let parameter = value!({
        "Name": "/d9d01087-4a3f-49e0-b0b4-d568d7826553/ssm/integrations/webhook/chat",
        "Type": "SecureString", "DataType": "aws:ssm:integration",
        "Value": integration.to_json(),
    });
    whole.ok("ssm", "PutParameter", parameter).await;
    let inputs = value!({"IntegrationName": "chat", "Body": "{\"text\": \"日本\"}"});
    let execution = run(&whole, "invokeWebhook", inputs).await;
    assert_eq!(text(&execution, &["AutomationExecutionStatus"]), "Success", "{execution}");
    let outputs = execution.get("StepExecutions").unwrap().at(0).unwrap().get("Outputs").unwrap();
    assert_eq!(outputs.get("ResponseCode"), Some(&value!(["202"])));
    assert_eq!(outputs.get("Response"), Some(&value!(["{\"ok\":\"日本\"}"])));
    let heard = listener.heard.lock().unwrap();
    let [request] = &heard[..] else { panic!("{} messages", heard.len()) };
    assert_eq!((&*request.method, &*request.path), ("POST", "/services/a%20b"));
    assert_eq!(request.query, "x=1");
    assert_eq!(request.header("x-token"), Some("hook-Horse5"));
    assert_eq!(request.body, "{\"text\": \"日本\"}".as_bytes());
    // The record tells nothing of where it went.
    assert!(!execution.to_json().contains("hook-Horse5"), "{execution}");
}
