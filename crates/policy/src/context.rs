//! The request context: condition keys and their values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The services whose tags have a condition key of the service beside `aws:ResourceTag`.
const OWN_RESOURCE_TAG_SERVICES: [&str; 3] = ["ec2", "iam", "ssm"];

/// The condition keys of one request with their values; key names compare without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Keys are in lower case; those that every call has are not copied.
    entries: BTreeMap<Cow<'static, str>, Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    One(Arc<str>),
    Many(Vec<Arc<str>>),
}

impl Context {
    pub(crate) const EMPTY: Context = Context { entries: BTreeMap::new() };

    /// Returns a context without keys.
    pub fn new() -> Context {
        Context::default()
    }

    /// Sets a key that has one value.
    pub fn set(&mut self, key: &str, value: impl Into<Arc<str>>) {
        self.entries.insert(key.to_lowercase().into(), Entry::One(value.into()));
    }

    /// Sets a key, given in lower case, that has one value.
    pub(crate) fn set_known(&mut self, key: &'static str, value: impl Into<Arc<str>>) {
        self.entries.insert(Cow::Borrowed(key), Entry::One(value.into()));
    }

    /// Sets a key that has a list of values; an empty list counts as an absent key.
    pub fn set_list<T: Into<Arc<str>>>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        let values = values.into_iter().map(Into::into).collect();
        self.entries.insert(key.to_lowercase().into(), Entry::Many(values));
    }

    /// Sets the keys of the tags that a request brings: `aws:RequestTag/…` and `aws:TagKeys`.
    pub fn set_request_tags<'t>(&mut self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) {
        let mut keys = Vec::new();
        for (key, value) in tags {
            self.set(&format!("aws:RequestTag/{key}"), value);
            keys.push(key);
        }
        self.set_list("aws:TagKeys", keys);
    }

    /// Sets the keys of the tags that a resource has: `aws:ResourceTag/…` and, for the services
    /// that have a key of their own, e.g. `iam:ResourceTag/…`.
    pub fn set_resource_tags<'t>(
        &mut self,
        service: &str,
        tags: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) {
        for (key, value) in tags {
            let value: Arc<str> = value.into();
            self.set(&format!("aws:ResourceTag/{key}"), value.clone());
            if OWN_RESOURCE_TAG_SERVICES.contains(&service) {
                self.set(&format!("{service}:ResourceTag/{key}"), value);
            }
        }
    }

    /// Returns this context with a key that has one value; for building in one expression.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Arc<str>>) -> Context {
        self.set(key, value);
        self
    }

    /// Returns this context with a key that has a list of values.
    #[must_use]
    pub fn with_list<T: Into<Arc<str>>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Context {
        self.set_list(key, values);
        self
    }

    /// Adds the keys of `other`, which win over keys of the same name.
    pub fn extend(&mut self, other: Context) {
        self.entries.extend(other.entries);
    }

    /// Returns the values of a key; none when it is absent.
    pub fn values(&self, key: &str) -> &[Arc<str>] {
        if key.chars().any(char::is_uppercase) {
            return self.lookup(&key.to_lowercase());
        }
        self.lookup(key)
    }

    /// Returns the keys, in lower case, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Arc<str>])> {
        self.entries.iter().map(|(key, entry)| (&**key, entry.values()))
    }

    /// Returns the values of a key given in lower case.
    pub(crate) fn lookup(&self, key: &str) -> &[Arc<str>] {
        self.entries.get(key).map(Entry::values).unwrap_or_default()
    }

    /// Returns the value of a key given in lower case if it has exactly one.
    pub(crate) fn single(&self, key: &str) -> Option<&str> {
        match self.lookup(key) {
            [one] => Some(one),
            _ => None,
        }
    }
}

impl Entry {
    fn values(&self) -> &[Arc<str>] {
        match self {
            Entry::One(value) => std::slice::from_ref(value),
            Entry::Many(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_keys() {
        let mut context = Context::new();
        context.set_request_tags([("Team", "blue"), ("日本", "x")]);
        context.set_resource_tags("iam", [("Keep", "true")]);
        context.set_resource_tags("states", [("Team", "red")]);
        let found: Vec<(&str, Vec<&str>)> = context
            .iter()
            .map(|(key, values)| (key, values.iter().map(|value| &**value).collect()))
            .collect();
        assert_eq!(
            found,
            [
                ("aws:requesttag/team", vec!["blue"]),
                ("aws:requesttag/日本", vec!["x"]),
                ("aws:resourcetag/keep", vec!["true"]),
                ("aws:resourcetag/team", vec!["red"]),
                ("aws:tagkeys", vec!["Team", "日本"]),
                ("iam:resourcetag/keep", vec!["true"]),
            ]
        );
    }
}
