//! The tags of a session: those asked for, and those that pass on from the calling session.
//!
//! IAM user guide, "Pass session tags in AWS STS" (read 2026-11).

use std::collections::BTreeMap;

use policy::{Context, Session};
use value::Value;

use crate::{Error, Input};

/// How many tags a session can have.
const TAGS_MAX: usize = 50;
/// What AWS keeps for itself.
const RESERVED_PREFIX: &str = "aws:";

/// The tags of a new session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SessionTags {
    /// All of them.
    pub(super) all: BTreeMap<String, String>,
    /// Those that the call asks for.
    pub(super) requested: BTreeMap<String, String>,
    /// The keys of those that pass on to further sessions.
    pub(super) transitive_keys: Vec<String>,
}

/// Returns the tags that an input asks for.
///
/// # Errors
/// When a key comes twice or is AWS's own, or there are too many.
pub(super) fn requested(tags: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member \
             must have length less than or equal to {TAGS_MAX}"
        )));
    }
    let mut requested = BTreeMap::new();
    for (key, value) in tags {
        if key.to_lowercase().starts_with(RESERVED_PREFIX) {
            // UNVERIFIED: AWS's text.
            return Err(invalid_parameter(
                "Tag keys beginning with 'aws:' are reserved for system use.",
            ));
        }
        if has_key(&requested, key) {
            return Err(invalid_parameter(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        requested.insert((*key).to_owned(), (*value).to_owned());
    }
    Ok(requested)
}

/// Returns the member `Tags` of an input as pairs.
///
/// # Errors
/// When a tag lacks its key or its value.
pub(super) fn in_input(input: &Value) -> Result<Vec<(&str, &str)>, Error> {
    input.list("Tags").iter().map(|tag| Ok((tag.text("Key")?, tag.text("Value")?))).collect()
}

impl SessionTags {
    /// Returns the tags of a session that `calling` opens.
    ///
    /// # Errors
    /// When a tag of the calling session that passes on would be changed, or a tag is to pass on
    /// that nobody asked for.
    pub(super) fn new(
        calling: Option<&Session>,
        requested: BTreeMap<String, String>,
        transitive_keys: &[&str],
    ) -> Result<SessionTags, Error> {
        let mut tags =
            SessionTags { all: requested.clone(), requested, transitive_keys: Vec::new() };
        tags.inherit(calling)?;
        for key in transitive_keys {
            let mut known = tags.requested.keys();
            let known = known.find(|known| known.to_lowercase() == key.to_lowercase());
            let known = known.ok_or_else(|| {
                invalid_parameter(
                    "The specified transitive tag key must be included in the requested tags.",
                )
            })?;
            if !tags.transitive_keys.contains(known) {
                tags.transitive_keys.push(known.clone());
            }
        }
        Ok(tags)
    }

    fn inherit(&mut self, calling: Option<&Session>) -> Result<(), Error> {
        let Some(calling) = calling else { return Ok(()) };
        for key in &calling.transitive_tag_keys {
            if has_key(&self.requested, key) {
                return Err(invalid_parameter(
                    "One of the specified transitive tag keys can't be set because it conflicts \
                     with a transitive tag key from the calling session.",
                ));
            }
            if let Some(value) = calling.tags.get(key) {
                self.all.insert(key.clone(), value.clone());
                self.transitive_keys.push(key.clone());
            }
        }
        Ok(())
    }

    /// Sets the condition keys that speak of tags in a request.
    pub(super) fn describe(&self, context: &mut Context) {
        for (key, value) in &self.requested {
            context.set(&format!("aws:RequestTag/{key}"), value.as_str());
        }
        context.set_list("aws:TagKeys", self.requested.keys().map(String::as_str));
        let transitive = self.transitive_keys.iter().map(String::as_str);
        context.set_list("sts:TransitiveTagKeys", transitive);
    }
}

fn has_key(tags: &BTreeMap<String, String>, key: &str) -> bool {
    tags.keys().any(|known| known.to_lowercase() == key.to_lowercase())
}

fn invalid_parameter(message: &str) -> Error {
    Error::new("InvalidParameterValue", message)
}
