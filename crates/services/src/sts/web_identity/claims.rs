//! What a token says, checked: for whom it was issued, since when and until when it is good.
//!
//! IAM user guide, "Create a role for OpenID Connect federation", "Passing session tags using
//! AssumeRoleWithWebIdentity", "Available keys for AWS OIDC federation" (read 2026-11).

use std::collections::BTreeMap;

use value::Value;

use super::token::Token;
use crate::Error;
use crate::iam::OidcProvider;

/// How far ahead the clock of a provider may be, in seconds.
const AHEAD_SECONDS_MAX: i64 = 300;
/// The claims in which session tags and the source identity come.
const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

/// What a token says, as far as a session cares.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) audience: String,
    pub(super) issuer: String,
    /// As condition keys: `token.example.com:sub`.
    pub(super) keys: BTreeMap<String, Vec<String>>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) transitive_tag_keys: Vec<String>,
    pub(super) source_identity: Option<String>,
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new("InvalidIdentityToken", text)
}

fn missing(claim: &str) -> Error {
    invalid(format!("Missing a required claim: {claim}"))
}

/// Returns a text or a list of texts.
fn texts(claims: &Value, name: &str) -> Vec<String> {
    match claims.get(name) {
        Some(Value::String(text)) => vec![text.to_string()],
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Checks what a token says against its provider and the time.
///
/// # Errors
/// `InvalidIdentityToken` or `ExpiredTokenException` in AWS's words.
pub(super) fn check(
    token: &Token<'_>,
    provider: &OidcProvider,
    now_seconds: i64,
) -> Result<Claims, Error> {
    let claims = token.claims();
    check_time(claims, now_seconds)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let subject = text("sub").ok_or_else(|| missing("sub"))?;
    let (intended, azp) = (texts(claims, "aud"), text("azp"));
    // Where the party is named that the token was given to, that is the audience.
    let audiences = match &azp {
        Some(party) => vec![party.clone()],
        None => intended.clone(),
    };
    if audiences.is_empty() {
        return Err(missing("aud"));
    }
    let known = audiences.iter().find(|audience| provider.client_ids.contains(audience));
    let audience = known.cloned().ok_or_else(|| invalid("Incorrect token audience"))?;
    let mut keys = BTreeMap::new();
    let mut key = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            keys.insert(format!("{}:{name}", provider.url), values);
        }
    };
    key("sub", vec![subject.clone()]);
    key("aud", audiences);
    key("amr", texts(claims, "amr"));
    if azp.is_some() {
        key("oaud", intended);
    }
    let (tags, transitive_tag_keys) = tags(claims)?;
    Ok(Claims {
        subject,
        audience,
        issuer: token.issuer().unwrap_or_default().to_owned(),
        keys,
        tags,
        transitive_tag_keys,
        source_identity: text(SOURCE_IDENTITY),
    })
}

fn check_time(claims: &Value, now_seconds: i64) -> Result<(), Error> {
    let seconds = |name: &str| {
        #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
        claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64)
    };
    let expires = seconds("exp").ok_or_else(|| missing("exp"))?;
    if expires <= now_seconds {
        return Err(Error::new(
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {now_seconds} must be before the expiration \
                 date/time {expires}"
            ),
        ));
    }
    // UNVERIFIED: AWS's texts for tokens of the future.
    for claim in ["nbf", "iat"] {
        if let Some(from) = seconds(claim)
            && now_seconds + AHEAD_SECONDS_MAX < from
        {
            return Err(invalid(format!(
                "Token not yet valid: current date/time {now_seconds} is before its {claim} {from}"
            )));
        }
    }
    Ok(())
}

/// Session tags and the keys of those that pass on.
type Tags = (Vec<(String, String)>, Vec<String>);

/// Reads session tags, nested or flat.
fn tags(claims: &Value) -> Result<Tags, Error> {
    let malformed = || invalid(format!("The claim {TAGS} is malformed"));
    let mut tags = Vec::new();
    let mut add = |key: &str, value: &Value| {
        let value = match value {
            // The nested form has lists of one.
            Value::Array(items) => items.first().filter(|_| items.len() == 1),
            other => Some(other),
        };
        let value = value.and_then(Value::as_str).ok_or_else(malformed)?;
        tags.push((key.to_owned(), value.to_owned()));
        Ok::<(), Error>(())
    };
    let mut transitive = texts(claims, &format!("{TAGS}/transitive_tag_keys"));
    if let Some(nested) = claims.get(TAGS) {
        let principal_tags = nested.get("principal_tags").and_then(Value::as_object);
        for (key, value) in principal_tags.ok_or_else(malformed)?.iter() {
            add(key, value)?;
        }
        transitive.extend(texts(nested, "transitive_tag_keys"));
    }
    let prefix = format!("{TAGS}/principal_tags/");
    for (name, value) in claims.as_object().into_iter().flat_map(value::Map::iter) {
        if let Some(key) = name.strip_prefix(&prefix) {
            add(key, value)?;
        }
    }
    Ok((tags, transitive))
}
