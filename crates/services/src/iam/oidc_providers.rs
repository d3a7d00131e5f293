//! OpenID Connect identity providers: whose tokens AssumeRoleWithWebIdentity may accept.
//!
//! IAM API reference, "CreateOpenIDConnectProvider"; user guide, "Create an OpenID Connect (OIDC)
//! identity provider in IAM" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::Read;
use value::Value;

use super::entity::seconds;
use super::error;
use super::providers::{self, Provider, by_name, get_named, save};
use super::tags::{self, Tag};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing};

/// What every URL begins with, and neither ARNs nor answers show.
const SCHEME: &str = "https://";
/// How many audiences and thumbprints a provider can have.
const CLIENT_IDS_MAX: usize = 100;
const THUMBPRINTS_MAX: usize = 5;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateOpenIDConnectProvider", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "GetOpenIDConnectProvider",
        checks: |on, input| Ok(vec![check(on, "GetOpenIDConnectProvider", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListOpenIDConnectProviders",
        checks: |on, _| {
            let display = on.call.global_arn("iam", "oidc-provider/");
            Ok(vec![Check::any("iam:ListOpenIDConnectProviders").shown_as(display)])
        },
        run: Run::Read(list),
    },
    Operation {
        name: "DeleteOpenIDConnectProvider",
        checks: |on, input| Ok(vec![check(on, "DeleteOpenIDConnectProvider", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "UpdateOpenIDConnectProviderThumbprint",
        checks: |on, input| Ok(vec![check(on, "UpdateOpenIDConnectProviderThumbprint", input)?]),
        run: Run::Write(update_thumbprint),
    },
    Operation {
        name: "AddClientIDToOpenIDConnectProvider",
        checks: |on, input| Ok(vec![check(on, "AddClientIDToOpenIDConnectProvider", input)?]),
        run: Run::Write(add_client_id),
    },
    Operation {
        name: "RemoveClientIDFromOpenIDConnectProvider",
        checks: |on, input| Ok(vec![check(on, "RemoveClientIDFromOpenIDConnectProvider", input)?]),
        run: Run::Write(remove_client_id),
    },
    Operation {
        name: "TagOpenIDConnectProvider",
        checks: |on, input| {
            let check = check(on, "TagOpenIDConnectProvider", input)?;
            Ok(vec![tags::with_request_tags(check, input)])
        },
        run: Run::Write(providers::tag::<OidcProvider>),
    },
    Operation {
        name: "UntagOpenIDConnectProvider",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagOpenIDConnectProvider", input)?, input)])
        },
        run: Run::Write(providers::untag::<OidcProvider>),
    },
    Operation {
        name: "ListOpenIDConnectProviderTags",
        checks: |on, input| Ok(vec![check(on, "ListOpenIDConnectProviderTags", input)?]),
        run: Run::Read(providers::list_tags::<OidcProvider>),
    },
];

/// A provider, stored by `oidc-provider/account/URL without its scheme`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OidcProvider {
    /// The URL without `https://`: what stands in the ARN, and in the names of condition keys.
    pub url: String,
    /// Audiences: a token's `aud` (or `azp`) must be one of them.
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, in hexadecimal, as they were given.
    pub thumbprints: Vec<String>,
    created_millis: i64,
    tags: Vec<Tag>,
}

impl OidcProvider {
    /// Returns the ARN.
    pub fn arn(&self, call: &Call) -> String {
        providers::arn::<OidcProvider>(call, &self.url)
    }
}

impl Provider for OidcProvider {
    const KIND: &'static str = "oidc-provider";
    const ARN: &'static str = "OpenIDConnectProviderArn";
    const NOT_FOUND: &'static str = "OpenIDConnect Provider";
    const QUOTA: &'static str = "OpenIdConnectProvidersPerAccount";

    fn name(&self) -> &str {
        &self.url
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

/// Returns the provider of an account that issues tokens as `issuer`, a URL with or without its
/// scheme, whatever slash it ends with; `None` when there is none.
///
/// # Errors
/// When the store fails.
pub fn find_oidc_provider(
    store: &(impl Read + ?Sized),
    account: &str,
    issuer: &str,
) -> Result<Option<OidcProvider>, Error> {
    let url = issuer.strip_prefix(SCHEME).unwrap_or(issuer);
    let found = by_name(store, account, url)?;
    if found.is_some() {
        return Ok(found);
    }
    match url.strip_suffix('/') {
        Some(bare) => by_name(store, account, bare),
        None => by_name(store, account, &format!("{url}/")),
    }
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    providers::check::<OidcProvider>(on, action, input)
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let url = input.text("Url")?;
    let arn = providers::arn::<OidcProvider>(on.call, url.strip_prefix(SCHEME).unwrap_or(url));
    let check = Check::new("iam:CreateOpenIDConnectProvider", arn);
    Ok(vec![tags::with_request_tags(check, input)])
}

/// Returns a URL without its scheme.
///
/// UNVERIFIED: that AWS takes a port, which its documentation discourages.
fn checked_url(url: &str) -> Result<&str, Error> {
    let rest = url.strip_prefix(SCHEME).filter(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"\\".contains(&byte));
        plain
            && host.starts_with(|first: char| first.is_ascii_alphanumeric())
            && !host.contains('@')
    });
    rest.ok_or_else(|| Error::validation("Invalid Open ID Connect Provider URL"))
}

/// Returns the texts of a list, each once.
fn texts(input: &Value, member: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for text in input.list(member).iter().filter_map(Value::as_str) {
        if !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }
    texts
}

fn checked_thumbprints(input: &Value) -> Result<Vec<String>, Error> {
    let thumbprints = texts(input, "ThumbprintList");
    if thumbprints.len() > THUMBPRINTS_MAX {
        // AWS says "fewer than" and takes five.
        return Err(error::invalid_input("Thumbprint list must contain fewer than 5 entries."));
    }
    Ok(thumbprints)
}

fn check_client_ids(client_ids: &[String]) -> Result<(), Error> {
    if client_ids.len() > CLIENT_IDS_MAX {
        return Err(error::quota("ClientIdsPerOpenIdConnectProvider", CLIENT_IDS_MAX));
    }
    Ok(())
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let given = input.text("Url")?;
    let url = checked_url(given)?;
    let client_ids = texts(input, "ClientIDList");
    check_client_ids(&client_ids)?;
    // DIFFERS: without thumbprints AWS fetches the certificate of the provider and notes that of
    // its authority; here the list stays empty, for an operation in a transaction calls nobody.
    let provider = OidcProvider {
        url: url.to_owned(),
        client_ids,
        thumbprints: checked_thumbprints(input)?,
        created_millis: w.call.now_millis,
        tags: tags::in_input(input)?,
    };
    if by_name::<OidcProvider>(&*w.store, w.call.account(), url)?.is_some() {
        return Err(error::already_exists(format!("Provider with url {given} already exists.")));
    }
    providers::add(w, &provider)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let provider: OidcProvider = get_named(on, input)?;
    Ok(Value::object()
        .with("Url", provider.url)
        .with("ClientIDList", provider.client_ids)
        .with("ThumbprintList", provider.thumbprints)
        .with("CreateDate", seconds(provider.created_millis))
        .with_some("Tags", tags::shown_if_any(&provider.tags)))
}

fn list(on: &Reading<'_>, _: &Value) -> Answer {
    let providers: Vec<OidcProvider> = providers::all(on)?;
    let shown = providers.iter().map(|provider| Value::object().with("Arn", provider.arn(on.call)));
    Ok(Value::object().with("OpenIDConnectProviderList", shown.collect::<Vec<Value>>()))
}

/// Deletes a provider; one that is not there is no error, as on AWS.
fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    if let Some(provider) = providers::find_named::<OidcProvider>(&w.reading(), input)? {
        providers::remove(w, &provider)?;
    }
    Ok(Value::object())
}

fn update_thumbprint(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: OidcProvider = get_named(&w.reading(), input)?;
    let thumbprints = checked_thumbprints(input)?;
    if thumbprints.is_empty() {
        return Err(error::invalid_input("Thumbprint list must contain at least one entry."));
    }
    provider.thumbprints = thumbprints;
    save(w, &provider)?;
    Ok(Value::object())
}

/// Adds an audience; one that is known is no error, as on AWS.
fn add_client_id(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: OidcProvider = get_named(&w.reading(), input)?;
    let client_id = input.text("ClientID")?;
    if !provider.client_ids.iter().any(|known| known == client_id) {
        provider.client_ids.push(client_id.to_owned());
        check_client_ids(&provider.client_ids)?;
        save(w, &provider)?;
    }
    Ok(Value::object())
}

/// Removes an audience; one that is not there is no error, as on AWS.
fn remove_client_id(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: OidcProvider = get_named(&w.reading(), input)?;
    let client_id = input.text("ClientID")?;
    provider.client_ids.retain(|known| known != client_id);
    save(w, &provider)?;
    Ok(Value::object())
}
