//! The request context: condition keys and their values.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The condition keys of one request with their values; key names compare without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Keys are in lower case.
    entries: BTreeMap<Box<str>, Entry>,
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

    /// Sets a key that has a list of values; an empty list counts as an absent key.
    pub fn set_list<T: Into<Arc<str>>>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        let values = values.into_iter().map(Into::into).collect();
        self.entries.insert(key.to_lowercase().into(), Entry::Many(values));
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
