//! Tokens of OAuth: asked for with a client's id and secret (RFC 6749, 4.4).
//!
//! Nothing that an authorization endpoint says is repeated but its status: it may hold secrets.

use std::fmt;

use value::{Value, value};
use wire::Request;
use wire::client::Answer;

use super::url::Url;
use super::{overwrite, owned, written};
use crate::events::connections::{Connection, Token};

/// How long a request for a token may take, in seconds.
// UNVERIFIED: that AWS waits as long.
pub(in crate::outward) const SECONDS_MAX: u64 = 30;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unauthorized {
    /// The endpoint gave none.
    Refused(String),
    /// The endpoint could not be asked, or our own store.
    Unasked(String),
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unauthorized::Refused(why) | Unauthorized::Unasked(why) => f.write_str(why),
        }
    }
}

/// Returns where a connection's tokens are, and the request for one.
// UNVERIFIED: that AWS has the client's id and secret in the body, as a form (in the query of a
// GET), with the grant type `client_credentials` unless the parameters say another.
pub(in crate::outward) fn request(connection: &Connection) -> Option<(String, Request)> {
    let endpoint = connection.oauth(&["AuthorizationEndpoint"])?;
    let Url { address, path, query } = Url::read(endpoint).ok()?;
    let method = connection.oauth(&["HttpMethod"])?;
    let mut asked = owned(vec![
        ("grant_type", "client_credentials"),
        ("client_id", connection.oauth(&["ClientParameters", "ClientID"])?),
        ("client_secret", connection.oauth(&["ClientParameters", "ClientSecret"])?),
    ]);
    overwrite(&mut asked, owned(connection.token_parameters("BodyParameters")));
    let mut query = wire::query_pairs(query).ok()?;
    overwrite(&mut query, owned(connection.token_parameters("QueryStringParameters")));
    let given = connection.token_parameters("HeaderParameters").into_iter();
    let mut headers: Vec<(String, String)> =
        given.map(|(name, text)| (name.to_ascii_lowercase(), text.to_owned())).collect();
    let mut add = |name: &str, text: &str| {
        if headers.iter().all(|(known, _)| known != name) {
            headers.push((name.into(), text.into()));
        }
    };
    add("accept", "application/json");
    let body = if method == "GET" {
        overwrite(&mut query, asked);
        Vec::new()
    } else {
        add("content-type", "application/x-www-form-urlencoded");
        let is_json = headers.iter().any(|(name, text)| {
            name == "content-type" && text.to_ascii_lowercase().contains("json")
        });
        if is_json { json(&asked).to_json() } else { written(&asked) }.into_bytes()
    };
    let host = address.split_once("://").map_or(&*address, |(_, host)| host).to_owned();
    headers.retain(|(name, _)| name != "host");
    headers.push(("host".into(), host));
    let request = Request {
        method: method.to_owned(),
        path,
        query: written(&query),
        headers,
        body,
        ..Request::default()
    };
    Some((address, request))
}

fn json(pairs: &[(String, String)]) -> Value {
    pairs.iter().fold(value!({}), |all, (name, text)| all.with(&**name, &**text))
}

/// Returns the token of an answer.
///
/// # Errors
/// That there is none.
pub(in crate::outward) fn read(answer: &Answer, now_millis: i64) -> Result<Token, Unauthorized> {
    let status = answer.status;
    if !(200..300).contains(&status) {
        let what = format!("The authorization endpoint answered with the status {status}");
        return Err(Unauthorized::Refused(what));
    }
    let told = value::parse_bytes(&answer.body).unwrap_or_default();
    let token = told.get("access_token").and_then(Value::as_str);
    // It becomes a header.
    let token = token.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte > b' '));
    let token = token.filter(|text| text.is_ascii()).ok_or_else(|| {
        Unauthorized::Refused("The authorization endpoint answered without an access_token".into())
    })?;
    // Some write the number as text.
    let seconds = told.get("expires_in").and_then(|found| match found {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    let until_millis =
        seconds.map(|seconds: i64| now_millis.saturating_add(seconds.saturating_mul(1_000)));
    Ok(Token { access_token: token.to_owned(), until_millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Result<Token, Unauthorized> {
        read(&Answer { status, headers: Vec::new(), body: body.into() }, 1_000)
    }

    #[test]
    fn a_token_is_good_as_long_as_it_says() {
        let token = |until_millis| Ok(Token { access_token: "t".into(), until_millis });
        assert_eq!(told(200, r#"{"access_token": "t", "expires_in": 2}"#), token(Some(3_000)));
        assert_eq!(told(200, r#"{"access_token": "t", "expires_in": "2"}"#), token(Some(3_000)));
        assert_eq!(told(201, r#"{"access_token": "t"}"#), token(None));
    }

    #[test]
    fn what_is_no_token_is_not_repeated() {
        for (status, body) in [
            (401, r#"{"error": "hush"}"#),
            (200, "hush"),
            (200, r#"{"token": "hush"}"#),
            (200, r#"{"access_token": "hush\nx: y"}"#),
        ] {
            let err = told(status, body).unwrap_err();
            assert!(matches!(err, Unauthorized::Refused(_)) && !err.to_string().contains("hush"));
        }
    }
}
