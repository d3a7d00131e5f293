//! Calls of AWS operations: as requests for the load generator, and one by one.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use value::{Value, value};
use wire::client::{Credentials, Error};
use wire::{Request, sigv4};

use crate::http::{Connection, Reply};
use crate::load::Make;

/// The region that requests are signed for.
const REGION: &str = "us-east-1";

/// A server's address, and who calls it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The stored key that signs; without one the local key `test` is named, unsigned.
    credentials: Option<Credentials>,
}

impl Site {
    /// Returns a server called by the account's root.
    pub(crate) fn as_root(address: SocketAddr) -> Site {
        Site { address, credentials: None }
    }

    /// Returns the same server, called with a stored key.
    pub(crate) fn signed_by(&self, credentials: Credentials) -> Site {
        Site { address: self.address, credentials: Some(credentials) }
    }

    /// Returns a request of Step Functions, as bytes.
    pub(crate) fn states_request(&self, operation: &str, input: &Value) -> Result<Vec<u8>> {
        let headers = vec![
            ("content-type".into(), "application/x-amz-json-1.0".into()),
            ("x-amz-target".into(), format!("AWSStepFunctions.{operation}")),
        ];
        let body = input.to_string().into_bytes();
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            headers,
            body,
            ..Request::default()
        };
        self.seal(request, "states")
    }

    /// Returns a maker of StartExecution requests whose names are `prefix-number`.
    pub(crate) fn start_executions(&self, machine_arn: &str, prefix: &str, input: &str) -> Make {
        let (site, machine_arn) = (self.clone(), machine_arn.to_owned());
        let (prefix, input) = (prefix.to_owned(), input.to_owned());
        std::sync::Arc::new(move |number| {
            let name = format!("{prefix}-{number}");
            let asked = value!({
                "stateMachineArn": &*machine_arn, "name": name, "input": &*input,
            });
            site.states_request("StartExecution", &asked)
        })
    }

    /// Returns a maker of StartSyncExecution requests.
    pub(crate) fn start_sync_executions(&self, machine_arn: &str, input: &str) -> Make {
        let (site, machine_arn) = (self.clone(), machine_arn.to_owned());
        let input = input.to_owned();
        std::sync::Arc::new(move |_| {
            let asked = value!({"stateMachineArn": &*machine_arn, "input": &*input});
            site.states_request("StartSyncExecution", &asked)
        })
    }

    /// Returns a request of a service, as bytes.
    pub(crate) fn request(&self, service: &str, name: &str, input: &Value) -> Result<Vec<u8>> {
        let found = wire::model::service(service).and_then(|service| service.operation(name));
        let operation = found.with_context(|| format!("there is no {service}:{name}"))?;
        let request = wire::client::request(operation, input)?;
        self.seal(request, operation.service().signing_name())
    }

    /// Adds host and signature, and writes the request as HTTP.
    fn seal(&self, mut request: Request, signing_name: &str) -> Result<Vec<u8>> {
        request.headers.push(("host".into(), self.address.to_string()));
        if let Some(credentials) = &self.credentials {
            sigv4::sign(
                &mut request,
                &credentials.access_key_id,
                &credentials.secret_access_key,
                None,
                (REGION, signing_name),
                now_millis()?,
            );
        } else {
            let scope = format!("test/20260101/{REGION}/{signing_name}/aws4_request");
            let text =
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
            request.headers.push(("x-amz-date".into(), "20260101T000000Z".into()));
            request.headers.push(("authorization".into(), text));
        }
        let length = request.body.len();
        let Request { method, path, .. } = &request;
        let mut text = format!("{method} {path} HTTP/1.1\r\ncontent-length: {length}\r\n");
        for (name, header) in &request.headers {
            for part in [name.as_str(), ": ", header, "\r\n"] {
                text.push_str(part);
            }
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&request.body);
        Ok(bytes)
    }
}

fn now_millis() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// The type of a state machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MachineType {
    /// Durable, with a history.
    Standard,
    /// Answered at once, not durable.
    Express,
}

/// Calls one operation after another on one connection.
pub(crate) struct Api {
    /// The server, and who calls it.
    pub(crate) site: Site,
    runtime: Runtime,
    connection: Connection,
}

impl Api {
    /// Returns a caller of this server.
    pub(crate) fn new(site: Site) -> Result<Api> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = Connection::to(site.address);
        Ok(Api { site, runtime, connection })
    }

    /// Calls an operation, and returns its output.
    ///
    /// # Errors
    /// A refusal is a [`wire::client::Error`].
    pub(crate) fn call(&mut self, service: &str, name: &str, input: &Value) -> Result<Value> {
        let found = wire::model::service(service).and_then(|service| service.operation(name));
        let operation = found.with_context(|| format!("there is no {service}:{name}"))?;
        let request = self.site.request(service, name, input)?;
        let reply = self.exchange(&request)?;
        let output = wire::client::output(operation, &reply.into_answer());
        Ok(output?)
    }

    /// Calls an operation of Step Functions.
    ///
    /// # Errors
    /// See [`Api::call`].
    pub(crate) fn states(&mut self, name: &str, input: &Value) -> Result<Value> {
        self.call("stepfunctions", name, input).with_context(|| name.to_owned())
    }

    /// Gets a page.
    pub(crate) fn page(&mut self, path: &str) -> Result<Reply> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.site.address);
        self.exchange(request.as_bytes())
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Reply> {
        self.runtime.block_on(self.connection.exchange(request))
    }

    /// Makes a role that Step Functions may take on, and returns its ARN.
    pub(crate) fn create_role(&mut self) -> Result<String> {
        let trust = value!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }]});
        let asked = value!({"RoleName": "bench", "AssumeRolePolicyDocument": trust.to_string()});
        let made = match self.call("iam", "CreateRole", &asked) {
            // The store outlived another run.
            Err(err) if is_refusal(&err, |code, _| code == "EntityAlreadyExists") => {
                self.call("iam", "GetRole", &value!({"RoleName": "bench"}))
            }
            made => made,
        };
        text(&made.context("CreateRole")?, &["Role", "Arn"])
    }

    /// Makes a state machine, and returns its ARN.
    pub(crate) fn create_machine(
        &mut self,
        name: &str,
        machine_type: MachineType,
        definition: &Value,
        role_arn: &str,
    ) -> Result<String> {
        let made = self.states(
            "CreateStateMachine",
            &value!({
                "name": name,
                "type": match machine_type {
                    MachineType::Standard => "STANDARD",
                    MachineType::Express => "EXPRESS",
                },
                "definition": definition.to_string(),
                "roleArn": role_arn,
            }),
        )?;
        text(&made, &["stateMachineArn"])
    }

    /// Makes a user who may only start this machine, with a key, and returns the server as called
    /// with that key.
    pub(crate) fn create_starter(&mut self, machine_arn: &str) -> Result<Site> {
        let policy = value!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "states:StartExecution", "Resource": machine_arn,
        }]});
        let user = value!({"UserName": "starter"});
        self.call("iam", "CreateUser", &user).context("CreateUser")?;
        let asked = user.clone().with("PolicyName", "start");
        let asked = asked.with("PolicyDocument", policy.to_string());
        self.call("iam", "PutUserPolicy", &asked).context("PutUserPolicy")?;
        let made = self.call("iam", "CreateAccessKey", &user).context("CreateAccessKey")?;
        Ok(self.site.signed_by(Credentials {
            access_key_id: text(&made, &["AccessKey", "AccessKeyId"])?,
            secret_access_key: text(&made, &["AccessKey", "SecretAccessKey"])?,
            session_token: None,
        }))
    }
}

/// Returns a text of an answer.
pub(crate) fn text(answer: &Value, path: &[&str]) -> Result<String> {
    let found = answer.path(path).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("the answer has no {}: {answer}", path.join(".")))
}

/// Returns whether the server said that it does not do this (yet).
pub(crate) fn is_not_served(err: &anyhow::Error) -> bool {
    is_refusal(err, |code, message| {
        code == "NotImplemented" || message.contains("does not run EXPRESS")
    })
}

/// Returns whether a service refused with a code and a message like these.
fn is_refusal(err: &anyhow::Error, is_like: impl Fn(&str, &str) -> bool) -> bool {
    err.chain().filter_map(|cause| cause.downcast_ref::<Error>()).any(|cause| match cause {
        Error::Service { code, message, .. } => is_like(code, message),
        Error::Input(_)
        | Error::Endpoint { .. }
        | Error::Unreachable(_)
        | Error::Interrupted(_)
        | Error::Answer { .. } => false,
    })
}

/// Returns the ARN of an execution.
pub(crate) fn execution_arn(machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}
