//! Calls that leave: to AWS, or to whoever serves what Stepwell does not.
//!
//! The services served here answer in process unless they are sent elsewhere; every other service
//! needs a destination. A call that leaves has passed the same `authorize` as any other and is
//! signed with the credentials that the server was given, not as the role that it acts for.

mod authorization;
mod destinations;
mod doubt;
mod execute_api;
mod functions;
mod http_task;
mod objects;
mod passed_roles;
mod webhook;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use runtime::{Call as Asked, CallError};
use value::{Value, value};
use wire::client::{self, Answer, Client, Credentials};
use wire::model::{Operation, Protocol, Service};

pub(crate) use authorization::checks;
pub use destinations::{Destination, Destinations};
pub(crate) use execute_api::ApiCall;
pub(crate) use http_task::{
    HttpTask, Reveal, Traced, Unauthorized, check_url, connection_error, output as http_output,
    traced,
};

use crate::events::connections::{Connection, Token};
use crate::{Error, ids};

/// How long a call that leaves may take, in seconds.
const CALL_SECONDS_MAX: u64 = 120;
/// How long a Lambda function may take, in seconds: 15 minutes, and a little for the way.
const LAMBDA_SECONDS_MAX: u64 = 930;
/// How often a call that may be repeated is made when its answer does not arrive.
const TRIES_MAX: usize = 3;
/// What those sign with who have no credentials, at an endpoint that is not AWS: some tell
/// services apart by the signature.
const NOBODY: &str = "test";

/// The way out.
#[derive(Debug)]
pub struct Outward {
    destinations: Destinations,
    region: String,
    partition: String,
    credentials: Option<Credentials>,
    clients: Mutex<HashMap<String, Client>>,
    /// Whose the buckets are that are directories here.
    account: OnceLock<String>,
}

impl Outward {
    /// Returns the way out of a server in this region and partition.
    pub fn new(
        destinations: Destinations,
        region: &str,
        partition: &str,
        credentials: Option<Credentials>,
    ) -> Outward {
        Outward {
            destinations,
            region: region.to_owned(),
            partition: partition.to_owned(),
            credentials,
            clients: Mutex::default(),
            account: OnceLock::new(),
        }
    }

    /// Says whose the buckets are that are directories here.
    pub(crate) fn belongs_to(&self, account: &str) {
        // Said once, before anything is called.
        let _ = self.account.set(account.to_owned());
    }

    /// Returns where calls of a service go, by botocore's name.
    pub fn destination(&self, service: &str) -> Option<&Destination> {
        self.destinations.of(service)
    }

    /// Returns where an operation is called, by botocore's names.
    pub(crate) fn destination_of(&self, service: &str, operation: &str) -> Option<&Destination> {
        self.destinations.of_operation(service, operation)
    }

    /// Returns the command that a call of a Lambda function runs here.
    pub(crate) fn command(&self, service: &str, asked: &Asked) -> Option<&str> {
        let is_invoke = service == "lambda" && asked.operation == "Invoke";
        let name = asked.input.get("FunctionName").and_then(Value::as_str)?;
        is_invoke.then(|| self.destinations.command(functions::name_of(name)))?
    }

    /// Returns the client for an operation's service, where it has a destination outside.
    fn client(&self, operation: Operation, input: &Value) -> Result<Client, client::Error> {
        let service = operation.service();
        let (address, region) = match self.destination_of(service.name(), operation.name()) {
            Some(Destination::Endpoint(address)) => (address.clone(), self.region.clone()),
            Some(Destination::Aws | Destination::Embedded | Destination::Directory(_)) | None => {
                let (host, region) = self.aws_host(service);
                let prefix = host_prefix(operation, input).map_err(client::Error::Input)?;
                (format!("https://{prefix}{host}"), region)
            }
        };
        self.client_at(address, &region)
    }

    /// Returns the client for an address.
    fn client_at(&self, address: String, region: &str) -> Result<Client, client::Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&address) {
            return Ok(known.clone());
        }
        let credentials = self.credentials.clone().or_else(|| {
            address.starts_with("http://").then(|| Credentials {
                access_key_id: NOBODY.into(),
                secret_access_key: NOBODY.into(),
                session_token: None,
            })
        });
        let made = Client::new(&address, region, credentials)?;
        if CLIENTS_MAX <= clients.len() {
            clients.clear();
        }
        clients.insert(address, made.clone());
        Ok(made)
    }

    /// Returns the host of a service on AWS, and the region to sign for.
    fn aws_host(&self, service: &Service) -> (String, String) {
        // STS and S3 have a global host too, for history's sake.
        let global = service.global_endpoint().filter(|_| !matches!(service.name(), "sts" | "s3"));
        match global {
            Some(host) if self.partition == "aws" => (host.to_owned(), "us-east-1".into()),
            Some(_) | None => {
                let suffix = match &*self.partition {
                    "aws-cn" => "amazonaws.com.cn",
                    _ => "amazonaws.com",
                };
                let prefix = service.endpoint_prefix();
                (format!("{prefix}.{}.{suffix}", self.region), self.region.clone())
            }
        }
    }

    /// Calls an API of API Gateway, which is where that service is, or at its own host.
    ///
    /// # Errors
    /// What the API says, or what became of the request.
    pub(crate) async fn call_api(&self, api: ApiCall, in_doubt: bool) -> Result<Value, CallError> {
        if in_doubt && !api.only_reads() {
            return Err(doubt::refusal(API_GATEWAY, &api.request.method));
        }
        let address = match self.destination(API_GATEWAY) {
            Some(Destination::Endpoint(address)) => address.clone(),
            Some(Destination::Aws | Destination::Embedded | Destination::Directory(_))
                if api.is_of_aws() =>
            {
                format!("https://{}", api.host)
            }
            Some(Destination::Aws | Destination::Embedded | Destination::Directory(_)) => {
                return Err(without_answer(format!("`{}` is no API of API Gateway", api.host)));
            }
            None => {
                let err = nowhere(API_GATEWAY, "invoke");
                return Err(without_answer(err.message));
            }
        };
        let failed = |err: &client::Error| without_answer(err.to_string());
        let client = self.client_at(address, &self.region).map_err(|err| failed(&err))?;
        let mut request = api.request;
        request.headers.push(("host".into(), api.host));
        if api.is_signed {
            client.sign(&mut request, runtime::EXECUTE_API, runtime::wall_millis());
        }
        let answer = client.send(request, CALL_SECONDS_MAX).await.map_err(|err| failed(&err))?;
        execute_api::output(&answer)
    }

    /// Makes the request of an HTTP task.
    ///
    /// # Errors
    /// What became of the request; an answer that says no is none.
    pub(crate) async fn call_http(
        &self,
        task: &HttpTask,
        connection: &Connection,
        in_doubt: bool,
    ) -> Result<Answer, CallError> {
        if in_doubt && !task.only_reads() {
            return Err(doubt::refusal(runtime::HTTP_TASK, &task.method));
        }
        http_task::note_request(task, connection, &self.region);
        let (address, request) = task.clone().request(connection, &self.region)?;
        let failed = |err: &client::Error| http_task::unanswered(&err.to_string());
        let client = self.client_at(address.clone(), &self.region).map_err(|err| failed(&err))?;
        let asking = client.send(request, http_task::SECONDS_MAX).await;
        let answer = asking.map_err(|err| failed(&err))?;
        http_task::note_answer(&address, &answer);
        Ok(answer)
    }

    /// Asks the authorization endpoint of a connection for a token.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn token(&self, connection: &Connection) -> Result<Token, Unauthorized> {
        let Some((address, request)) = http_task::token_request(connection) else {
            return Err(Unauthorized::Refused("The connection has no OAuth parameters".into()));
        };
        let failed = |err: client::Error| {
            Unauthorized::Unasked(format!("The authorization endpoint did not answer: {err}"))
        };
        let client = self.client_at(address, &self.region).map_err(failed)?;
        let asking = client.send(request, http_task::TOKEN_SECONDS_MAX).await;
        http_task::read_token(&asking.map_err(failed)?, runtime::wall_millis())
    }

    /// Sends a message of `aws:invokeWebhook` to its URL.
    ///
    /// # Errors
    /// What became of the request.
    pub(crate) async fn call_webhook(&self, asked: &Asked) -> Result<Value, CallError> {
        if asked.in_doubt {
            return Err(doubt::refusal(&asked.service, &asked.operation));
        }
        let message = webhook::Message::read(&asked.input)?;
        let failed = |err: &client::Error| without_answer(err.to_string());
        let client = self.client_at(message.address, &self.region).map_err(|err| failed(&err))?;
        let answer = client.send(message.request, CALL_SECONDS_MAX).await;
        Ok(webhook::output(&answer.map_err(|err| failed(&err))?))
    }

    /// Makes a call over the network.
    ///
    /// # Errors
    /// What the service says, or what became of the request.
    pub(crate) async fn call(
        &self,
        operation: Operation,
        asked: &Asked,
    ) -> Result<Value, CallError> {
        let service = operation.service();
        let input = doubt::with_token(operation, &asked.input, asked.effect_id.as_deref());
        if let Some(problems) = wire::validate::problems_elsewhere(operation, &input) {
            return Err(invalid(service, problems));
        }
        let is_repeatable = doubt::is_repeatable(operation, &input);
        if asked.in_doubt && !is_repeatable {
            return Err(doubt::refusal(service.name(), operation.name()));
        }
        if let Some(command) = self.command(service.name(), asked) {
            let output = functions::invoke(command, &input).await?;
            return Ok(if asked.tells_http { functions::told(output) } else { output });
        }
        if let Some(Destination::Directory(root)) = self.destination(service.name()) {
            let (root, name) = (root.clone(), operation.name().to_owned());
            let account = self.account.get().cloned().unwrap_or_default();
            let mut answering = tokio::task::spawn_blocking(move || {
                objects::answer(&root, &account, &name, &input)
            });
            let answered = runtime::finished(&mut answering).await;
            return answered.map_err(|err| without_answer(err.to_string()))?;
        }
        let failed = |err: &client::Error| client_error(service, err);
        let client = self.client(operation, &input).map_err(|err| failed(&err))?;
        let seconds_max = match service.name() {
            "lambda" => LAMBDA_SECONDS_MAX,
            _ => CALL_SECONDS_MAX,
        };
        let tries = if is_repeatable { TRIES_MAX } else { 1 };
        let mut asking = Err(client::Error::Interrupted(String::new()));
        for _ in 0..tries {
            let now_millis = runtime::wall_millis();
            asking = client.ask(operation, &input, now_millis, seconds_max).await;
            if !matches!(asking, Err(client::Error::Interrupted(_))) {
                break;
            }
        }
        let answer = asking.map_err(|err| failed(&err))?;
        let output = client::output(operation, &answer).map_err(|err| failed(&err))?;
        Ok(if asked.tells_http { told(output, &answer) } else { output })
    }
}

/// The service whose destination is that of the APIs it serves.
const API_GATEWAY: &str = "apigateway";
/// How many endpoints are connected to at once; beyond that all are connected to anew.
const CLIENTS_MAX: usize = 512;

/// How long one label of a host may be, in characters (RFC 1035).
const LABEL_CHARACTERS_MAX: usize = 63;

/// Returns what an operation puts before its host: `sync-`, or `{AccountId}.` filled in. What the
/// caller says is one label there and leads to no other host.
///
/// # Errors
/// The member that cannot be a label.
fn host_prefix(operation: Operation, input: &Value) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = operation.host_prefix().unwrap_or_default();
    while let Some((before, behind)) = rest.split_once('{') {
        let (label, behind) = behind.split_once('}').unwrap_or((behind, ""));
        filled.push_str(before);
        let given = input.get(label).and_then(Value::as_str).unwrap_or_default();
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !(1..=LABEL_CHARACTERS_MAX).contains(&given.len()) || !given.chars().all(is_label) {
            return Err(format!(
                "`{label}` is part of the host and must be 1 to {LABEL_CHARACTERS_MAX} letters, \
                 digits and hyphens"
            ));
        }
        filled.push_str(given);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Returns an output with what tells how it came.
fn told(output: Value, answer: &Answer) -> Value {
    let headers = answer.headers.iter();
    let headers =
        headers.fold(Value::object(), |headers, (name, text)| headers.with(&**name, &**text));
    output.with(
        "ResponseMetadata",
        value!({
            "RequestId": answer.request_id().unwrap_or_default(),
            "HTTPStatusCode": answer.status,
            "HTTPHeaders": headers,
        }),
    )
}

/// Returns why a call without a destination fails, and what to do about it.
pub(crate) fn nowhere(service: &str, operation: &str) -> Error {
    Error::new(
        runtime::NO_ANSWER,
        format!(
            "Stepwell does not serve {service} and was given no endpoint for it, so that \
             {service}:{operation} cannot be called: start it with --endpoint {service}=URL or \
             with --target aws"
        ),
    )
}

/// Returns why an input that does not fit the model is not sent.
// DIFFERS: on AWS every service has its own code and words for that.
fn invalid(service: &'static Service, problems: String) -> CallError {
    let is_query = matches!(service.protocol(), Protocol::Query | Protocol::Ec2);
    let code = if is_query { "ValidationError" } else { "ValidationException" };
    let exception = service.error(code).map(|shape| shape.class().to_owned());
    CallError { code: code.into(), exception, status: 400, ..without_answer(problems) }
}

/// Returns a failure in the form that Step Functions and Automation want.
fn client_error(service: &'static Service, err: &client::Error) -> CallError {
    let without_answer =
        |what: String| without_answer(format!("Unable to execute HTTP request: {what}"));
    match err {
        client::Error::Service { code, message, status, request_id, extended_request_id } => {
            let shape = service.error(code);
            CallError {
                exception: shape.map(|shape| shape.class().to_owned()),
                code: code.clone(),
                message: message.clone(),
                status: *status,
                request_id: request_id.clone().unwrap_or_else(ids::uuid),
                extended_request_id: extended_request_id.as_deref().map(Box::from),
                is_passing: false,
            }
        }
        client::Error::Unreachable(what) => without_answer(what.clone()),
        client::Error::Interrupted(what) => {
            without_answer(format!("{what}; the request may have arrived"))
        }
        client::Error::Input(_) | client::Error::Endpoint { .. } | client::Error::Answer { .. } => {
            without_answer(err.to_string())
        }
    }
}

/// Returns an error of our own side as a call's.
pub(crate) fn passing(err: &Error) -> CallError {
    CallError {
        code: err.code.to_string(),
        is_passing: err.code == "ServiceUnavailable",
        ..without_answer(err.message.clone())
    }
}

/// Returns the failure of a call that nobody has answered.
fn without_answer(message: String) -> CallError {
    CallError {
        code: runtime::NO_ANSWER.into(),
        exception: Some(runtime::NO_ANSWER.into()),
        message,
        status: 0,
        request_id: String::new(),
        extended_request_id: None,
        is_passing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_says_is_one_label_of_a_host() {
        let operation = wire::model::service("s3control").unwrap().operation("ListJobs").unwrap();
        let prefix = |account: &str| host_prefix(operation, &value!({ "AccountId": account }));
        assert_eq!(prefix("123456789012"), Ok("123456789012.".into()));
        let long = "1".repeat(LABEL_CHARACTERS_MAX + 1);
        for wrong in ["", "evil.example/", "evil.example#", "a.b", "a@b", "a b", "ö", &*long] {
            let refused = prefix(wrong).unwrap_err();
            assert!(refused.starts_with("`AccountId` is part of the host"), "{wrong}: {refused}");
        }
    }
}
