//! Boto3 signs and writes requests that the server reads, and reads what the server answers.

use std::io::{BufRead, BufReader, Write};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use value::{Value, value};
use wire::model::{self, Operation};
use wire::{Fault, Handler, Request, Response};

use crate::sample;

const SERVICES: [&str; 8] =
    ["iam", "sts", "ssm", "stepfunctions", "events", "cloudformation", "scheduler", "sns"];

/// Answers every operation with a sample and keeps the inputs.
#[derive(Default)]
struct Sampler {
    inputs: Mutex<Vec<Value>>,
}

impl Sampler {
    fn answer(&self, request: &Request) -> Result<Response, Fault> {
        let routed = wire::route(request)?;
        let operation = routed.operation;
        if let Some(signed) = wire::sigv4::parse(request, &routed.face)? {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            let now_millis = i64::try_from(now.as_millis()).unwrap();
            let scope = operation.service().signing_name();
            let now = (now_millis, wire::sigv4::SKEW_SECONDS);
            signed.check(request, scope, now, &routed.face)?;
            signed.verify(request, "secret", &routed.face)?;
        } else if !operation.is_unsigned() {
            return Err(routed.face.fault(403, "Unsigned", "the request is not signed"));
        }
        self.inputs.lock().unwrap().push(routed.input(request)?);
        wire::answer(operation, &output_of(operation), "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE")
    }
}

impl Handler for Sampler {
    fn handle(self: Arc<Self>, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            self.answer(&request).unwrap_or_else(|fault| fault.render("request-of-a-fault"))
        })
    }
}

fn output_of(operation: Operation) -> Value {
    let sample = operation.output().and_then(|shape| sample::value_of(&shape, 0));
    sample.unwrap_or_else(Value::object)
}

fn input_of(operation: Operation) -> Value {
    let sample = operation.input().and_then(|shape| sample::value_of(&shape, 0));
    let mut input = sample.unwrap_or_else(Value::object);
    if operation.name() == "PutEvents" {
        // Global endpoints are signed with SigV4a, which needs a C library.
        input.object_mut().remove("EndpointId");
    }
    input
}

fn has_botocore() -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import botocore"]).stderr(Stdio::null());
    let found = probe.status().is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: python3 with botocore is not installed");
    }
    found
}

#[test]
fn boto3_and_the_server_understand_each_other() {
    if !has_botocore() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sampler = Arc::new(Sampler::default());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = runtime.spawn(wire::serve(listener, sampler.clone(), std::future::pending()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../clients/wire_boto3.py");
    let mut python = Command::new("python3")
        .args([script, &endpoint])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut calls = python.stdin.take().unwrap();
    let mut answers = BufReader::new(python.stdout.take().unwrap()).lines();
    let mut wrong = Vec::new();
    let mut count = 0;
    for operation in
        SERVICES.into_iter().filter_map(model::service).flat_map(model::Service::operations)
    {
        count += 1;
        let (service, name) = (operation.service().name(), operation.name());
        let input = input_of(operation);
        let call = value!({"service": (service), "operation": (name), "input": (input.clone())});
        writeln!(calls, "{call}").unwrap();
        let answer = value::parse(&answers.next().unwrap().unwrap()).unwrap();
        let sent = sampler.inputs.lock().unwrap().pop().unwrap_or_default();
        let read = answer.get("output").cloned().unwrap_or_default();
        if let Some(error) = answer.get("error") {
            wrong.push(format!("{service}:{name}: {error}"));
        } else if read != output_of(operation) {
            wrong.push(format!("{service}:{name} read\n  {read}\n  {}", output_of(operation)));
        } else if sent != input {
            wrong.push(format!("{service}:{name} sent\n  {sent}\n  {input}"));
        }
    }
    drop(calls);
    python.wait().unwrap();
    server.abort();
    eprintln!("{count} operations called through boto3");
    assert!(count > 500, "{count} operations");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
