//! The tour of `../README.md` with the AWS SDK for Rust. Usage: `stepwell-client-tour NAME ROLE_ARN`

use std::error::Error;
use std::time::Duration;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sfn::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
};
use aws_sdk_sfn::error::BoxError;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionStatus, StateMachineType};
use serde_json::json;

const DEFINITION: &str = include_str!("../../machine.asl.json");

/// Takes `sync-` off the host again, which this SDK puts before it for StartSyncExecution and has
/// no switch for: `sync-127.0.0.1` is no host.
#[derive(Debug)]
struct PlainHost {
    endpoint: String,
}

impl Intercept for PlainHost {
    fn name(&self) -> &'static str {
        "PlainHost"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(context.request_mut().set_uri(format!("{}/", self.endpoint))?)
    }
}

fn client() -> Result<Client, Box<dyn Error>> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")?;
    let credentials = Credentials::new(
        std::env::var("AWS_ACCESS_KEY_ID")?,
        std::env::var("AWS_SECRET_ACCESS_KEY")?,
        None,
        None,
        "environment",
    );
    let config = aws_sdk_sfn::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(std::env::var("AWS_DEFAULT_REGION")?))
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(&endpoint)
        .interceptor(PlainHost { endpoint });
    Ok(Client::from_conf(config.build()))
}

async fn create(
    client: &Client,
    name: &str,
    role_arn: &str,
    kind: StateMachineType,
) -> Result<String, Box<dyn Error>> {
    let machine = client.create_state_machine().name(format!("{name}-{kind}")).r#type(kind);
    let made = machine.definition(DEFINITION).role_arn(role_arn).send().await?;
    Ok(made.state_machine_arn)
}

async fn ended(client: &Client, arn: &str) -> Result<DescribeExecutionOutput, Box<dyn Error>> {
    loop {
        let execution = client.describe_execution().execution_arn(arn).send().await?;
        if execution.status != ExecutionStatus::Running {
            return Ok(execution);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn events(client: &Client, arn: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let request = client.get_execution_history().execution_arn(arn).max_results(4);
    let mut pages = request.into_paginator().items().send();
    let mut events = Vec::new();
    while let Some(event) = pages.try_next().await? {
        events.push(event.r#type.as_str().to_owned());
    }
    Ok(events)
}

async fn listed(client: &Client) -> Result<Vec<String>, Box<dyn Error>> {
    let mut pages = client.list_state_machines().into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(machine) = pages.try_next().await? {
        listed.push(machine.state_machine_arn);
    }
    Ok(listed)
}

async fn is_gone(client: &Client, arn: &str) -> bool {
    match client.describe_state_machine().state_machine_arn(arn).send().await {
        Ok(_) => false,
        Err(err) => err.into_service_error().is_state_machine_does_not_exist(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, role_arn] = arguments.as_slice() else { return Err("NAME ROLE_ARN".into()) };
    let input = json!({"userName": "ada", "言葉": "こんにちは"}).to_string();
    let client = client()?;
    let standard = create(&client, name, role_arn, StateMachineType::Standard).await?;
    let express = create(&client, name, role_arn, StateMachineType::Express).await?;
    let start = client.start_execution().state_machine_arn(&standard).name("first").input(&input);
    let execution = ended(&client, &start.send().await?.execution_arn).await?;
    let events = events(&client, &execution.execution_arn).await?;
    let sync = client.start_sync_execution().state_machine_arn(&express).input(&input);
    let sync = sync.send().await?;
    let listed = listed(&client).await?;
    for arn in [&standard, &express] {
        client.delete_state_machine().state_machine_arn(arn).send().await?;
    }
    let stop = execution.stop_date.ok_or("it has no stopDate")?;
    let saw = json!({
        "status": execution.status.as_str(),
        "output": execution.output,
        "waitedSeconds": (stop.as_secs_f64() - execution.start_date.as_secs_f64()) as i64,
        "events": events,
        "syncStatus": sync.status.as_str(),
        "syncOutput": sync.output,
        "listed": listed.contains(&standard) && listed.contains(&express),
        "gone": is_gone(&client, &standard).await && is_gone(&client, &express).await,
    });
    println!("{saw}");
    Ok(())
}
