//! Principals by name.

use policy::{Arn, Principal};
use value::Value;

/// The unique ids of who is known by name only.
const USER_ID: &str = "AIDAEXAMPLE";
const ROLE_ID: &str = "AROAEXAMPLE";
/// The session of a role that is named without one.
const SESSION: &str = "session";

/// Reads an ARN, a service principal, or `{"type": "Anonymous"}`.
///
/// # Errors
/// What it is instead, in words.
pub(super) fn read(json: &Value) -> Result<Principal, String> {
    let Some(text) = json.as_str() else {
        return match json.get("type").and_then(Value::as_str) {
            Some("Anonymous") => Ok(Principal::anonymous()),
            Some(_) | None => Err("`request.principal` is no text, nor anonymous".to_owned()),
        };
    };
    if text.starts_with("arn:") {
        let arn: Arn = text.parse().map_err(|err| format!("{err}"))?;
        return Ok(of_arn(&arn)?.in_partition(arn.partition()));
    }
    match text {
        "" => Err("`request.principal` is empty".to_owned()),
        "*" => Ok(Principal::anonymous()),
        service => Ok(Principal::service(service)),
    }
}

fn of_arn(arn: &Arn) -> Result<Principal, String> {
    let account = arn.account();
    let (kind, rest) = arn.resource_type_and_id();
    match kind {
        "root" => Ok(Principal::root(account)),
        "user" => {
            let (path, name) = path_and_name(rest);
            Ok(Principal::user(account, &path, name, USER_ID))
        }
        "role" => {
            let (path, name) = path_and_name(rest);
            Ok(Principal::assumed_role(account, &path, name, ROLE_ID, SESSION))
        }
        "assumed-role" => {
            let (role, session) = rest
                .split_once('/')
                .ok_or_else(|| format!("`{arn}` lacks the name of the session"))?;
            Ok(Principal::assumed_role(account, "/", role, ROLE_ID, session))
        }
        "federated-user" => Ok(Principal::federated_user(account, rest)),
        other => Err(format!("`{other}` is no kind of principal")),
    }
}

fn path_and_name(rest: &str) -> (String, &str) {
    match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    }
}
