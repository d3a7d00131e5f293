//! A running server, asked over HTTP.

use anyhow::{Context, Result};
use clap::Args;
use value::Value;
use wire::client::{Client, Credentials, Error};
use wire::model;

use super::hint;
use crate::credentials;

/// What to do when nobody answers.
pub(super) const NO_SERVER: &str = "start one with `stepwell up`, or name another with --endpoint";
/// Where a server listens unless it is told otherwise.
const ENDPOINT: &str = "http://127.0.0.1:4566";

/// The running server that a command asks: the one that AWS clients of the same shell go to.
#[derive(Args)]
pub(super) struct Running {
    /// Where the server listens [default: http://127.0.0.1:4566]
    #[arg(
        long,
        alias = "endpoint-url",
        global = true,
        value_name = "URL",
        env = "AWS_ENDPOINT_URL"
    )]
    endpoint: Option<String>,
}

impl Running {
    /// Returns its address.
    pub(super) fn endpoint(&self) -> &str {
        // As to AWS clients, an empty variable says nothing.
        self.endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()).unwrap_or(ENDPOINT)
    }
}

/// Returns a client of the server at an address, with the credentials of the environment or those
/// that a server on this machine takes.
pub(super) fn client(endpoint: &str, region: &str) -> Result<Client> {
    let test = || Credentials {
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
        session_token: None,
    };
    let credentials = credentials::find()?.unwrap_or_else(test);
    Ok(Client::new(endpoint, region, Some(credentials))?)
}

/// Returns the region that is said, else the environment's.
pub(super) fn region(said: Option<&str>) -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let region = said.map(str::to_owned).or_else(|| variable("AWS_REGION"));
    region.or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".to_owned())
}

/// Calls an operation.
pub(super) async fn call(
    client: &Client,
    service: &str,
    name: &str,
    input: &Value,
) -> Result<Value> {
    let operation = model::service(service).and_then(|service| service.operation(name));
    let operation = operation.with_context(|| format!("there is no operation {name}"))?;
    let answer = client.call(operation, input, runtime::wall_millis()).await;
    answer.map_err(|err| {
        let is_refusal = matches!(err, Error::Service { .. } | Error::Input(_));
        let err = anyhow::Error::new(err).context(name.to_owned());
        if is_refusal { err } else { hint(err, NO_SERVER) }
    })
}
