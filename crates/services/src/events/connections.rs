//! Connections: how to authorize at an API outside AWS. HTTP tasks of state machines use them.
//!
//! Amazon EventBridge API reference, "CreateConnection" (read 2026-11).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::error;
use super::rules::page_of;
use crate::page::cut;
use crate::{Answer, Call, Check, Error, Input, Notice, Operation, Reading, Run, Writing, outward};

/// The states of a connection that stay; on AWS there are a few that pass.
pub(crate) const AUTHORIZED: &str = "AUTHORIZED";
pub(crate) const AUTHORIZING: &str = "AUTHORIZING";
pub(crate) const DEAUTHORIZED: &str = "DEAUTHORIZED";
const OAUTH: &str = "OAUTH_CLIENT_CREDENTIALS";
/// How many connections an account may have (EventBridge quotas).
const CONNECTIONS_MAX: usize = 3_000;
/// What lies in a connection's secret and is never shown, by its type and in its parameters.
const SECRETS: [&str; 3] = ["Password", "ApiKeyValue", "ClientSecret"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateConnection", checks: may_create, run: Run::Write(create) },
    Operation { name: "UpdateConnection", checks: may_update, run: Run::Write(update) },
    Operation { name: "DescribeConnection", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListConnections", checks: may_list, run: Run::Read(list) },
    Operation { name: "DeauthorizeConnection", checks: may_deauthorize, run: Run::Write(revoke) },
    Operation { name: "DeleteConnection", checks: may_delete, run: Run::Write(delete) },
];

/// A connection as it is stored, by name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) state: String,
    /// Why it is in this state.
    #[serde(default)]
    pub(crate) state_reason: Option<String>,
    /// `BASIC`, `API_KEY` or `OAUTH_CLIENT_CREDENTIALS`.
    pub(crate) authorization_type: String,
    /// With the secrets; the table is kept sealed.
    pub(crate) auth_parameters: Value,
    pub(crate) kms_key_identifier: Option<String>,
    /// AWS keeps the parameters there; policies name it.
    pub(crate) secret_arn: String,
    pub(crate) creation_millis: i64,
    pub(crate) modified_millis: i64,
    pub(crate) authorized_millis: Option<i64>,
    /// What the authorization endpoint gave last.
    #[serde(default)]
    pub(crate) token: Option<Token>,
}

/// An access token of OAuth; nothing shows it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Token {
    pub(crate) access_token: String,
    /// Until when it is good, by the machine's clock; without, until it is refused.
    pub(crate) until_millis: Option<i64>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("until_millis", &self.until_millis).finish_non_exhaustive()
    }
}

impl Connection {
    /// Returns whether requests can be authorized with it.
    pub(crate) fn is_authorized(&self) -> bool {
        self.state == AUTHORIZED
    }

    /// Returns whether tokens authorize requests, which an endpoint gives.
    pub(crate) fn is_oauth(&self) -> bool {
        self.authorization_type == OAUTH
    }

    /// Returns the connection as what adds nothing to a request.
    pub(crate) fn bare(&self) -> Connection {
        Connection { auth_parameters: Value::object(), token: None, ..self.clone() }
    }

    /// Returns the header that authorizes a request, as it is spelled, and its value.
    pub(crate) fn header(&self) -> Option<(String, String)> {
        let text = |path: [&str; 2]| self.auth_parameters.path(&path).and_then(Value::as_str);
        if self.authorization_type == "BASIC" {
            let user = text(["BasicAuthParameters", "Username"])?;
            let password = text(["BasicAuthParameters", "Password"])?;
            let joined = BASE64_STANDARD.encode(format!("{user}:{password}"));
            return Some(("Authorization".into(), format!("Basic {joined}")));
        }
        if self.is_oauth() {
            let token = &self.token.as_ref()?.access_token;
            return Some(("Authorization".into(), format!("Bearer {token}")));
        }
        let name = text(["ApiKeyAuthParameters", "ApiKeyName"])?;
        let key = text(["ApiKeyAuthParameters", "ApiKeyValue"])?;
        Some((name.to_owned(), key.to_owned()))
    }

    /// Returns what is added to each request: `HeaderParameters`, `QueryStringParameters` or
    /// `BodyParameters`.
    pub(crate) fn parameters(&self, kind: &str) -> Vec<(&str, &str)> {
        self.pairs(&["InvocationHttpParameters", kind])
    }

    /// Returns what is added to each request for a token.
    pub(crate) fn token_parameters(&self, kind: &str) -> Vec<(&str, &str)> {
        self.pairs(&["OAuthParameters", "OAuthHttpParameters", kind])
    }

    /// Returns what a request for a token is made of.
    pub(crate) fn oauth(&self, path: &[&str]) -> Option<&str> {
        self.auth_parameters.get("OAuthParameters")?.path(path)?.as_str()
    }

    fn pairs(&self, path: &[&str]) -> Vec<(&str, &str)> {
        let given = self.auth_parameters.path(path);
        let pairs = given.and_then(Value::as_array).unwrap_or_default().iter();
        pairs
            .filter_map(|pair| Some((pair.maybe_text("Key")?, pair.maybe_text("Value")?)))
            .collect()
    }

    fn answer(&self) -> Value {
        value!({
            "ConnectionArn": &self.arn,
            "ConnectionState": &self.state,
            "CreationTime": self.creation_millis as f64 / 1000.0,
            "LastModifiedTime": self.modified_millis as f64 / 1000.0,
        })
    }

    fn answer_with_time(&self) -> Value {
        let authorized = self.authorized_millis.map(|millis| millis as f64 / 1000.0);
        self.answer().with_some("LastAuthorizedTime", authorized)
    }
}

/// Returns the connection of a name.
pub(crate) fn find(store: &dyn Read, name: &str) -> Result<Connection, Error> {
    let found = store.load(Table::Connections, name)?;
    found.ok_or_else(|| error::connection_not_found(name))
}

/// Returns the connection of an ARN; one that was made anew has another.
pub(crate) fn find_by_arn(store: &dyn Read, arn: &str) -> Result<Option<Connection>, Error> {
    let name = arn.split_once(":connection/").and_then(|(_, rest)| rest.split('/').next());
    let found: Option<Connection> = store.load(Table::Connections, name.unwrap_or_default())?;
    Ok(found.filter(|found| found.arn == arn))
}

/// Refuses what cannot be used here, and parameters that do not go with the type.
fn check(authorization_type: &str, parameters: &Value) -> Result<(), Error> {
    if parameters.get("ConnectivityParameters").is_some() {
        return Err(Error::new(
            "NotImplemented",
            "Stepwell has no VPC Lattice: a connection's ConnectivityParameters are not served",
        ));
    }
    let (member, wanted) = match authorization_type {
        "BASIC" => ("BasicAuthParameters", ["Username", "Password"]),
        OAUTH => ("OAuthParameters", ["AuthorizationEndpoint", "ClientParameters"]),
        _ => ("ApiKeyAuthParameters", ["ApiKeyName", "ApiKeyValue"]),
    };
    let given = parameters.get(member);
    let lacks = |name: &&&str| given.and_then(|given| given.get(name)).is_none();
    if given.is_none() || wanted.iter().find(lacks).is_some() {
        // UNVERIFIED: AWS's wording.
        let text = format!("{member} must be specified for the type {authorization_type}");
        return Err(error::invalid_parameter(text));
    }
    let endpoint = given.and_then(|given| given.maybe_text("AuthorizationEndpoint"));
    if let (OAUTH, Some(endpoint)) = (authorization_type, endpoint) {
        // UNVERIFIED: AWS's wording.
        outward::check_url(endpoint).map_err(|why| {
            error::invalid_parameter(format!("AuthorizationEndpoint cannot be called: {why}"))
        })?;
    }
    Ok(())
}

fn refuse_private(input: &Value) -> Result<(), Error> {
    match input.get("InvocationConnectivityParameters") {
        None => Ok(()),
        Some(_) => Err(Error::new(
            "NotImplemented",
            "Stepwell has no VPC Lattice: InvocationConnectivityParameters are not served",
        )),
    }
}

fn asked(call: &Call, action: &str, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = call.regional_arn("events", &format!("connection/{}", input.text("Name")?));
    Ok(vec![Check::new(format!("events:{action}"), arn)])
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    asked(on.call, "CreateConnection", input)
}

// DIFFERS: on AWS the caller also needs secretsmanager permissions, for the secret is kept there.
fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("Name")?;
    let authorization_type = input.text("AuthorizationType")?;
    let parameters = input.get("AuthParameters").cloned().unwrap_or_default();
    check(authorization_type, &parameters)?;
    refuse_private(input)?;
    if on.store.get(Table::Connections, name)?.is_some() {
        return Err(error::connection_exists(name));
    }
    if CONNECTIONS_MAX <= on.store.scan(Table::Connections, Scan::prefix(""))?.len() {
        return Err(error::limit_exceeded());
    }
    let id = on.call.stable_uuid_at("connection");
    let secret = format!("secret:events!connection/{name}/{id}");
    let now = on.call.now_millis;
    let is_oauth = authorization_type == OAUTH;
    let connection = Connection {
        name: name.to_owned(),
        arn: on.call.regional_arn("events", &format!("connection/{name}/{id}")),
        description: input.maybe_text("Description").map(str::to_owned),
        state: if is_oauth { AUTHORIZING } else { AUTHORIZED }.into(),
        state_reason: None,
        authorization_type: authorization_type.to_owned(),
        auth_parameters: parameters,
        kms_key_identifier: input.maybe_text("KmsKeyIdentifier").map(str::to_owned),
        secret_arn: on.call.regional_arn("secretsmanager", &secret),
        creation_millis: now,
        modified_millis: now,
        authorized_millis: (!is_oauth).then_some(now),
        token: None,
    };
    on.store.save(Table::Connections, name, &connection)?;
    if is_oauth {
        on.notify(Notice::Connections);
    }
    Ok(connection.answer())
}

fn may_update(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    asked(on.call, "UpdateConnection", input)
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut connection = find(on.store.as_read(), input.text("Name")?)?;
    refuse_private(input)?;
    if let Some(given) = input.maybe_text("AuthorizationType") {
        given.clone_into(&mut connection.authorization_type);
    }
    if let Some(given) = input.get("AuthParameters") {
        connection.auth_parameters = merged(&connection.auth_parameters, given);
    }
    check(&connection.authorization_type, &connection.auth_parameters)?;
    if let Some(given) = input.maybe_text("Description") {
        connection.description = Some(given.to_owned());
    }
    if let Some(given) = input.maybe_text("KmsKeyIdentifier") {
        connection.kms_key_identifier = Some(given.to_owned()).filter(|key| !key.is_empty());
    }
    connection.state_reason = None;
    connection.modified_millis = on.call.now_millis;
    connection.token = None;
    if connection.is_oauth() {
        connection.state = AUTHORIZING.into();
        on.notify(Notice::Connections);
    } else {
        connection.state = AUTHORIZED.into();
        connection.authorized_millis = Some(on.call.now_millis);
    }
    on.store.save(Table::Connections, &connection.name, &connection)?;
    Ok(connection.answer_with_time())
}

/// Returns parameters with those that are given anew; lists are replaced as a whole.
fn merged(kept: &Value, given: &Value) -> Value {
    let (Value::Object(kept), Value::Object(given)) = (kept, given) else { return given.clone() };
    let mut all = Value::Object(kept.clone());
    for (name, value) in given.iter() {
        let before = kept.get(name).cloned().unwrap_or_default();
        all.set(name.clone(), merged(&before, value));
    }
    all
}

fn may_describe(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    asked(on.call, "DescribeConnection", input)
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let connection = find(on.store, input.text("Name")?)?;
    Ok(connection
        .answer_with_time()
        .with("Name", &connection.name)
        .with("AuthorizationType", &connection.authorization_type)
        .with("SecretArn", &connection.secret_arn)
        .with("AuthParameters", without_secrets(&connection.auth_parameters))
        .with_some("StateReason", connection.state_reason.as_ref())
        .with_some("Description", connection.description.as_ref())
        .with_some("KmsKeyIdentifier", connection.kms_key_identifier.as_ref()))
}

/// Returns parameters as they are shown: no password, no key, no value that was called a secret.
fn without_secrets(parameters: &Value) -> Value {
    match parameters {
        Value::Object(members) => {
            let is_secret = members.get("IsValueSecret").and_then(Value::as_bool) == Some(true);
            let hidden = |name: &str| SECRETS.contains(&name) || (is_secret && name == "Value");
            let members = members.iter().filter(|(name, _)| !hidden(name));
            members.fold(Value::object(), |all, (name, value)| {
                all.with(name.clone(), without_secrets(value))
            })
        }
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => parameters.clone(),
    }
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("events:ListConnections")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let prefix = input.maybe_text("NamePrefix").unwrap_or_default();
    let wanted = input.maybe_text("ConnectionState");
    let (after, limit) = page_of(input)?;
    let rows: Vec<(String, Connection)> =
        on.store.load_all(Table::Connections, Scan::prefix(prefix).after(after.as_deref()))?;
    let rows = rows.into_iter().filter(|(_, found)| wanted.is_none_or(|it| found.state == it));
    let page = cut(rows, after.as_deref(), limit);
    let shown = |found: &Connection| {
        found
            .answer_with_time()
            .with("Name", &found.name)
            .with("AuthorizationType", &found.authorization_type)
            .with_some("StateReason", found.state_reason.as_ref())
    };
    let found = page.items.iter().map(shown).collect::<Value>();
    Ok(value!({ "Connections": found }).with_some("NextToken", page.next))
}

fn may_deauthorize(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    asked(on.call, "DeauthorizeConnection", input)
}

/// Forgets what authorizes; what is added to requests besides goes too, as on AWS.
fn revoke(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut connection = find(on.store.as_read(), input.text("Name")?)?;
    connection.state = DEAUTHORIZED.into();
    connection.state_reason = None;
    connection.auth_parameters = Value::object();
    connection.token = None;
    connection.modified_millis = on.call.now_millis;
    on.store.save(Table::Connections, &connection.name, &connection)?;
    Ok(connection.answer_with_time())
}

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    asked(on.call, "DeleteConnection", input)
}

fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let connection = find(on.store.as_read(), input.text("Name")?)?;
    on.store.delete(Table::Connections, &connection.name)?;
    Ok(Connection { state: "DELETING".into(), ..connection }.answer_with_time())
}
