//! OpenID Connect identity providers: whose tokens AssumeRoleWithWebIdentity may accept.
//!
//! IAM API reference, "CreateOpenIDConnectProvider"; user guide, "Create an OpenID Connect (OIDC)
//! identity provider in IAM" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::entity::seconds;
use super::tags::{self, Tag};
use super::{error, provider_arn};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing};

/// The word in ARNs.
const KIND: &str = "oidc-provider";
/// What every URL begins with, and neither ARNs nor answers show.
const SCHEME: &str = "https://";
/// How many providers an account can have.
const PROVIDERS_MAX: usize = 100;
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
        run: Run::Write(tag),
    },
    Operation {
        name: "UntagOpenIDConnectProvider",
        checks: |on, input| {
            Ok(vec![tags::with_keys(check(on, "UntagOpenIDConnectProvider", input)?, input)])
        },
        run: Run::Write(untag),
    },
    Operation {
        name: "ListOpenIDConnectProviderTags",
        checks: |on, input| Ok(vec![check(on, "ListOpenIDConnectProviderTags", input)?]),
        run: Run::Read(|on, input| tags::page(input, &get_named(on, input)?.tags)),
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
        arn(call, &self.url)
    }
}

fn arn(call: &Call, url: &str) -> String {
    call.global_arn("iam", &format!("{KIND}/{url}"))
}

fn prefix(account: &str) -> String {
    format!("{KIND}/{account}/")
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
    let found = by_url(store, account, url)?;
    if found.is_some() {
        return Ok(found);
    }
    match url.strip_suffix('/') {
        Some(bare) => by_url(store, account, bare),
        None => by_url(store, account, &format!("{url}/")),
    }
}

fn by_url(
    store: &(impl Read + ?Sized),
    account: &str,
    url: &str,
) -> Result<Option<OidcProvider>, Error> {
    Ok(store.load(Table::IamSettings, &(prefix(account) + url))?)
}

/// Returns all providers of an account, by their keys.
fn all(store: &(impl Read + ?Sized), account: &str) -> Result<Vec<(String, OidcProvider)>, Error> {
    Ok(store.load_all(Table::IamSettings, Scan::prefix(&prefix(account)))?)
}

/// Returns how many providers an account has.
pub(super) fn count(store: &(impl Read + ?Sized), account: &str) -> Result<usize, Error> {
    Ok(store.scan(Table::IamSettings, Scan::prefix(&prefix(account)))?.len())
}

fn find_named(on: &Reading<'_>, input: &Value) -> Result<Option<OidcProvider>, Error> {
    let arn = input.text("OpenIDConnectProviderArn")?;
    match provider_arn::name_of(on.call, KIND, arn)? {
        Some(url) => by_url(on.store, on.call.account(), &url),
        None => Ok(None),
    }
}

fn get_named(on: &Reading<'_>, input: &Value) -> Result<OidcProvider, Error> {
    let arn = input.text("OpenIDConnectProviderArn")?;
    find_named(on, input)?.ok_or_else(|| {
        error::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
    })
}

fn save(w: &mut Writing<'_>, provider: &OidcProvider) -> Result<(), Error> {
    let key = prefix(w.call.account()) + &provider.url;
    Ok(w.store.save(Table::IamSettings, &key, provider)?)
}

fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let arn = input.text("OpenIDConnectProviderArn")?;
    let check = Check::new(format!("iam:{action}"), arn);
    Ok(match find_named(on, input)? {
        Some(provider) => tags::with_resource_tags(check, &provider.tags),
        None => check,
    })
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let url = input.text("Url")?;
    let arn = arn(on.call, url.strip_prefix(SCHEME).unwrap_or(url));
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
    let account = w.call.account();
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
    if by_url(&*w.store, account, url)?.is_some() {
        return Err(error::already_exists(format!("Provider with url {given} already exists.")));
    }
    if count(&*w.store, account)? >= PROVIDERS_MAX {
        return Err(error::quota("OpenIdConnectProvidersPerAccount", PROVIDERS_MAX));
    }
    save(w, &provider)?;
    Ok(Value::object()
        .with("OpenIDConnectProviderArn", provider.arn(w.call))
        .with_some("Tags", tags::shown_if_any(&provider.tags)))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let provider = get_named(on, input)?;
    Ok(Value::object()
        .with("Url", provider.url)
        .with("ClientIDList", provider.client_ids)
        .with("ThumbprintList", provider.thumbprints)
        .with("CreateDate", seconds(provider.created_millis))
        .with_some("Tags", tags::shown_if_any(&provider.tags)))
}

fn list(on: &Reading<'_>, _: &Value) -> Answer {
    let providers = all(on.store, on.call.account())?;
    let shown =
        providers.iter().map(|(_, provider)| Value::object().with("Arn", provider.arn(on.call)));
    Ok(Value::object().with("OpenIDConnectProviderList", shown.collect::<Vec<Value>>()))
}

/// Deletes a provider; one that is not there is no error, as on AWS.
fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    if let Some(provider) = find_named(&w.reading(), input)? {
        w.store.delete(Table::IamSettings, &(prefix(w.call.account()) + &provider.url))?;
    }
    Ok(Value::object())
}

fn update_thumbprint(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
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
    let mut provider = get_named(&w.reading(), input)?;
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
    let mut provider = get_named(&w.reading(), input)?;
    let client_id = input.text("ClientID")?;
    provider.client_ids.retain(|known| known != client_id);
    save(w, &provider)?;
    Ok(Value::object())
}

fn tag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
    tags::merge(&mut provider.tags, input)?;
    save(w, &provider)?;
    Ok(Value::object())
}

fn untag(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider = get_named(&w.reading(), input)?;
    tags::strip(&mut provider.tags, input);
    save(w, &provider)?;
    Ok(Value::object())
}
