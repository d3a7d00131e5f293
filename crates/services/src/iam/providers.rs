//! What identity providers of both kinds have in common: they are named by ARNs, kept by account
//! and name, and tagged.

use policy::Arn;
use serde::{Serialize, de::DeserializeOwned};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::tags::{self, Tag};
use super::{error, managed_policies};
use crate::{Answer, Call, Check, Error, Input, Reading, Writing};

/// How many providers of a kind an account can have.
const PROVIDERS_MAX: usize = 100;

/// An identity provider, stored by `KIND/account/name`.
pub(super) trait Provider: Serialize + DeserializeOwned {
    /// The word in ARNs: `oidc-provider`.
    const KIND: &'static str;
    /// The member of inputs that has the ARN.
    const ARN: &'static str;
    /// What AWS calls it where there is none.
    const NOT_FOUND: &'static str;
    /// The name of the quota of an account.
    const QUOTA: &'static str;

    /// Returns what stands in the ARN.
    fn name(&self) -> &str;
    fn tags(&self) -> &[Tag];
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

pub(super) fn arn<P: Provider>(call: &Call, name: &str) -> String {
    call.global_arn("iam", &format!("{}/{name}", P::KIND))
}

fn prefix<P: Provider>(account: &str) -> String {
    format!("{}/{account}/", P::KIND)
}

fn key<P: Provider>(account: &str, name: &str) -> String {
    prefix::<P>(account) + name
}

pub(super) fn by_name<P: Provider>(
    store: &(impl Read + ?Sized),
    account: &str,
    name: &str,
) -> Result<Option<P>, Error> {
    Ok(store.load(Table::IamSettings, &key::<P>(account, name))?)
}

/// Returns the provider of the caller's account that an ARN `arn:aws:iam::ACCOUNT:KIND/NAME` names;
/// `None` when there is none, or it is another account's.
///
/// # Errors
/// When the text is no ARN, or names something else.
pub(super) fn by_arn<P: Provider>(
    store: &(impl Read + ?Sized),
    call: &Call,
    arn: &str,
) -> Result<Option<P>, Error> {
    managed_policies::check_arn(arn)?;
    let parsed = arn.parse::<Arn>().ok().filter(|parsed| parsed.service() == "iam");
    let name = parsed.as_ref().and_then(|parsed| {
        parsed.resource().strip_prefix(P::KIND)?.strip_prefix('/').filter(|name| !name.is_empty())
    });
    // UNVERIFIED: AWS's text for the ARN of something else.
    let name = name.ok_or_else(|| error::invalid_input(format!("Invalid ARN: {arn}")))?;
    if parsed.as_ref().is_none_or(|parsed| parsed.account() != call.account()) {
        return Ok(None);
    }
    by_name(store, call.account(), name)
}

/// Returns all providers of an account.
pub(super) fn all<P: Provider>(on: &Reading<'_>) -> Result<Vec<P>, Error> {
    let prefix = prefix::<P>(on.call.account());
    let rows: Vec<(String, P)> = on.store.load_all(Table::IamSettings, Scan::prefix(&prefix))?;
    Ok(rows.into_iter().map(|(_, provider)| provider).collect())
}

/// Returns how many providers an account has.
pub(super) fn count<P: Provider>(
    store: &(impl Read + ?Sized),
    account: &str,
) -> Result<usize, Error> {
    Ok(store.scan(Table::IamSettings, Scan::prefix(&prefix::<P>(account)))?.len())
}

/// Returns the provider that an input names, if there is one.
pub(super) fn find_named<P: Provider>(on: &Reading<'_>, input: &Value) -> Result<Option<P>, Error> {
    by_arn(on.store, on.call, input.text(P::ARN)?)
}

/// Returns the provider that an input names.
pub(super) fn get_named<P: Provider>(on: &Reading<'_>, input: &Value) -> Result<P, Error> {
    let arn = input.text(P::ARN)?;
    find_named(on, input)?
        .ok_or_else(|| error::no_such_entity(format!("{} not found for arn {arn}", P::NOT_FOUND)))
}

/// Adds a provider, if there is room; returns the answer, with the ARN and the tags.
pub(super) fn add<P: Provider>(w: &mut Writing<'_>, provider: &P) -> Answer {
    if PROVIDERS_MAX <= count::<P>(&*w.store, w.call.account())? {
        return Err(error::quota(P::QUOTA, PROVIDERS_MAX));
    }
    save(w, provider)?;
    Ok(Value::object()
        .with(P::ARN, arn::<P>(w.call, provider.name()))
        .with_some("Tags", tags::shown_if_any(provider.tags())))
}

pub(super) fn save<P: Provider>(w: &mut Writing<'_>, provider: &P) -> Result<(), Error> {
    let key = key::<P>(w.call.account(), provider.name());
    Ok(w.store.save(Table::IamSettings, &key, provider)?)
}

pub(super) fn remove<P: Provider>(w: &mut Writing<'_>, provider: &P) -> Result<(), Error> {
    w.store.delete(Table::IamSettings, &key::<P>(w.call.account(), provider.name()))?;
    Ok(())
}

/// Returns the question for an action on the provider that an input names.
pub(super) fn check<P: Provider>(
    on: &Reading<'_>,
    action: &str,
    input: &Value,
) -> Result<Check, Error> {
    let check = Check::new(format!("iam:{action}"), input.text(P::ARN)?);
    Ok(match find_named::<P>(on, input)? {
        Some(provider) => tags::with_resource_tags(check, provider.tags()),
        None => check,
    })
}

pub(super) fn tag<P: Provider>(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: P = get_named(&w.reading(), input)?;
    tags::merge(provider.tags_mut(), input)?;
    save(w, &provider)?;
    Ok(Value::object())
}

pub(super) fn untag<P: Provider>(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut provider: P = get_named(&w.reading(), input)?;
    tags::strip(provider.tags_mut(), input);
    save(w, &provider)?;
    Ok(Value::object())
}

pub(super) fn list_tags<P: Provider>(on: &Reading<'_>, input: &Value) -> Answer {
    tags::page(input, get_named::<P>(on, input)?.tags())
}
