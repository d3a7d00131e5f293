//! A running server, asked over HTTP.

use anyhow::{Context, Result};
use value::Value;
use wire::client::{Client, Credentials};
use wire::model;

use crate::credentials;

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
    answer.with_context(|| name.to_owned())
}
