//! Tags of users, roles, customer managed policies and virtual MFA devices.
//!
//! IAM user guide, "Tags for AWS Identity and Access Management resources" (read 2026-11).

use serde::{Deserialize, Serialize};
use value::Value;

use super::entity::{self, Kind};
use super::{error, managed_policies, mfa_devices, paging};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many tags a resource can have.
const TAGS_MAX: usize = 50;
/// The longest key and value, in characters.
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "TagUser",
        checks: |on, input| may_tag(on, "TagUser", Kind::User, input),
        run: Run::Write(|w, input| tag_entity(w, Kind::User, input)),
    },
    Operation {
        name: "TagRole",
        checks: |on, input| may_tag(on, "TagRole", Kind::Role, input),
        run: Run::Write(|w, input| tag_entity(w, Kind::Role, input)),
    },
    Operation {
        name: "UntagUser",
        checks: |on, input| may_untag(on, "UntagUser", Kind::User, input),
        run: Run::Write(|w, input| untag_entity(w, Kind::User, input)),
    },
    Operation {
        name: "UntagRole",
        checks: |on, input| may_untag(on, "UntagRole", Kind::Role, input),
        run: Run::Write(|w, input| untag_entity(w, Kind::Role, input)),
    },
    Operation {
        name: "ListUserTags",
        checks: |on, input| entity::named(on, "ListUserTags", Kind::User, input),
        run: Run::Read(|on, input| list_entity(on, Kind::User, input)),
    },
    Operation {
        name: "ListRoleTags",
        checks: |on, input| entity::named(on, "ListRoleTags", Kind::Role, input),
        run: Run::Read(|on, input| list_entity(on, Kind::Role, input)),
    },
    Operation {
        name: "TagPolicy",
        checks: |on, input| {
            let check = managed_policies::check(on, "TagPolicy", input)?;
            Ok(vec![with_request_tags(check, input)])
        },
        run: Run::Write(tag_policy),
    },
    Operation {
        name: "UntagPolicy",
        checks: |on, input| {
            let check = managed_policies::check(on, "UntagPolicy", input)?;
            Ok(vec![with_keys(check, input)])
        },
        run: Run::Write(untag_policy),
    },
    Operation {
        name: "ListPolicyTags",
        checks: |on, input| Ok(vec![managed_policies::check(on, "ListPolicyTags", input)?]),
        run: Run::Read(list_policy),
    },
    Operation {
        name: "TagMFADevice",
        checks: |on, input| {
            let check = mfa_devices::check(on, "TagMFADevice", input)?;
            Ok(vec![with_request_tags(check, input)])
        },
        run: Run::Write(tag_mfa_device),
    },
    Operation {
        name: "UntagMFADevice",
        checks: |on, input| {
            let check = mfa_devices::check(on, "UntagMFADevice", input)?;
            Ok(vec![with_keys(check, input)])
        },
        run: Run::Write(untag_mfa_device),
    },
    Operation {
        name: "ListMFADeviceTags",
        checks: |on, input| Ok(vec![mfa_devices::check(on, "ListMFADeviceTags", input)?]),
        run: Run::Read(list_mfa_device),
    },
];

/// One tag; keys of one resource differ by more than case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

impl Tag {
    fn shown(&self) -> Value {
        Value::object().with("Key", &*self.key).with("Value", &*self.value)
    }
}

/// Returns tags as answers carry them.
pub(super) fn shown(tags: &[Tag]) -> Vec<Value> {
    tags.iter().map(Tag::shown).collect()
}

/// Returns tags as answers carry them; nothing when there are none.
pub(super) fn shown_if_any(tags: &[Tag]) -> Option<Vec<Value>> {
    (!tags.is_empty()).then(|| shown(tags))
}

/// Returns the tags given for something new.
///
/// # Errors
/// When a key comes twice, is AWS's own, or a text is too long or has letters tags cannot have.
pub(super) fn in_input(input: &Value) -> Result<Vec<Tag>, Error> {
    let mut tags: Vec<Tag> = Vec::new();
    for (at, given) in input.list("Tags").iter().enumerate() {
        let tag =
            Tag { key: given.text("Key")?.to_owned(), value: given.text("Value")?.to_owned() };
        check_tag(&tag, at + 1)?;
        if tags.iter().any(|known| same_key(&known.key, &tag.key)) {
            return Err(error::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push(tag);
    }
    check_count(&tags)?;
    Ok(tags)
}

fn same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn check_count(tags: &[Tag]) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        // UNVERIFIED: AWS's text for the fifty-first tag of one resource.
        return Err(Error::new(
            "LimitExceeded",
            format!("The number of tags has reached the maximum limit: {TAGS_MAX}"),
        ));
    }
    Ok(())
}

fn check_tag(tag: &Tag, place: usize) -> Result<(), Error> {
    let member = |which: &str| format!("tags.{place}.member.{which}");
    check_text(&member("key"), &tag.key, 1, KEY_CHARACTERS_MAX)?;
    check_text(&member("value"), &tag.value, 0, VALUE_CHARACTERS_MAX)?;
    if tag.key.to_lowercase().starts_with("aws:") {
        // UNVERIFIED: AWS's text for reserved keys.
        return Err(error::invalid_input(
            "Caller is not an internal service. AWS: prefix is reserved",
        ));
    }
    Ok(())
}

fn check_text(member: &str, text: &str, least: usize, most: usize) -> Result<(), Error> {
    let characters = text.chars().count();
    let refused = |what: &str| Err(error::constraint(member, Some(text), what));
    if characters < least {
        return refused(&format!("Member must have length greater than or equal to {least}"));
    }
    if characters > most {
        return refused(&format!("Member must have length less than or equal to {most}"));
    }
    if !text.chars().all(is_tag_letter) {
        let repeat = if least == 0 { '*' } else { '+' };
        return refused(&format!(
            "Member must satisfy regular expression pattern: \
             [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]{repeat}"
        ));
    }
    Ok(())
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
fn is_tag_letter(letter: char) -> bool {
    letter.is_alphanumeric()
        || "_.:/=+-@".contains(letter)
        || (letter.is_whitespace() && !letter.is_control())
}

/// Adds tags to those a resource has; a known key (whatever its case) gets the new value.
///
/// # Errors
/// As [`in_input`], and when there are too many.
pub(super) fn merge(known: &mut Vec<Tag>, input: &Value) -> Result<(), Error> {
    for tag in in_input(input)? {
        match known.iter_mut().find(|old| same_key(&old.key, &tag.key)) {
            Some(old) => *old = tag,
            None => known.push(tag),
        }
    }
    check_count(known)
}

/// Takes tags off a resource; keys it does not have are no error.
pub(super) fn strip(known: &mut Vec<Tag>, input: &Value) {
    let keys: Vec<&str> = input.list("TagKeys").iter().filter_map(Value::as_str).collect();
    known.retain(|tag| !keys.iter().any(|key| same_key(key, &tag.key)));
}

/// Answers a list of tags.
pub(super) fn page(input: &Value, tags: &[Tag]) -> Answer {
    let mut rows: Vec<_> = tags.iter().map(|tag| (tag.key.to_lowercase(), tag.shown())).collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    paging::page(input, "Tags", rows)
}

/// Returns a check with `aws:RequestTag/*` and `aws:TagKeys` of the tags in the input.
pub(super) fn with_request_tags(mut check: Check, input: &Value) -> Check {
    let mut keys = Vec::new();
    for tag in input.list("Tags") {
        let (Some(key), value) = (tag.maybe_text("Key"), tag.maybe_text("Value")) else { continue };
        let value = value.unwrap_or_default().to_owned();
        check = check.with(format!("aws:RequestTag/{key}"), vec![value]);
        keys.push(key.to_owned());
    }
    if keys.is_empty() { check } else { check.with("aws:TagKeys", keys) }
}

/// Returns a check with `aws:TagKeys` of the keys that are to be taken off.
pub(super) fn with_keys(check: Check, input: &Value) -> Check {
    let keys = input.list("TagKeys").iter().filter_map(Value::as_str).map(str::to_owned);
    check.with("aws:TagKeys", keys.collect())
}

/// Returns a check with `aws:ResourceTag/*` and `iam:ResourceTag/*` of the tags of a resource.
pub(super) fn with_resource_tags(mut check: Check, tags: &[Tag]) -> Check {
    for Tag { key, value } in tags {
        check = check
            .with(format!("aws:ResourceTag/{key}"), vec![value.clone()])
            .with(format!("iam:ResourceTag/{key}"), vec![value.clone()]);
    }
    check
}

fn may_tag(on: &Reading<'_>, action: &str, kind: Kind, input: &Value) -> Result<Vec<Check>, Error> {
    let check = entity::check(on, action, kind, entity::name_in(on.call, kind, input)?)?;
    Ok(vec![with_request_tags(check, input)])
}

fn may_untag(
    on: &Reading<'_>,
    action: &str,
    kind: Kind,
    input: &Value,
) -> Result<Vec<Check>, Error> {
    let check = entity::check(on, action, kind, entity::name_in(on.call, kind, input)?)?;
    Ok(vec![with_keys(check, input)])
}

fn tag_entity(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let mut entity = entity::get_named(&*w.store, w.call, kind, input)?;
    merge(&mut entity.tags, input)?;
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn untag_entity(w: &mut Writing<'_>, kind: Kind, input: &Value) -> Answer {
    let mut entity = entity::get_named(&*w.store, w.call, kind, input)?;
    strip(&mut entity.tags, input);
    entity::save(w, &entity)?;
    Ok(Value::object())
}

fn list_entity(on: &Reading<'_>, kind: Kind, input: &Value) -> Answer {
    page(input, &entity::get_named(on.store, on.call, kind, input)?.tags)
}

fn tag_policy(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut policy = managed_policies::get_customer(&*w.store, w.call, input)?;
    merge(&mut policy.tags, input)?;
    managed_policies::save(w, &policy)?;
    Ok(Value::object())
}

fn untag_policy(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut policy = managed_policies::get_customer(&*w.store, w.call, input)?;
    strip(&mut policy.tags, input);
    managed_policies::save(w, &policy)?;
    Ok(Value::object())
}

fn list_policy(on: &Reading<'_>, input: &Value) -> Answer {
    page(input, &managed_policies::get_customer(on.store, on.call, input)?.tags)
}

fn tag_mfa_device(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut device = mfa_devices::get_virtual(&*w.store, input)?;
    merge(&mut device.tags, input)?;
    mfa_devices::save(w, &device)?;
    Ok(Value::object())
}

fn untag_mfa_device(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut device = mfa_devices::get_virtual(&*w.store, input)?;
    strip(&mut device.tags, input);
    mfa_devices::save(w, &device)?;
    Ok(Value::object())
}

fn list_mfa_device(on: &Reading<'_>, input: &Value) -> Answer {
    page(input, &mfa_devices::get_virtual(on.store, input)?.tags)
}
