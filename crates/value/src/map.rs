//! Objects: ordered members with shared keys.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Value;

/// An object key; cloning shares the text.
pub type Key = Arc<str>;

/// Up to this many members a scan beats a hash.
const SCAN_MEMBERS_MAX: usize = 16;

/// The members of an object, in order of insertion.
///
/// Small objects are scanned; large ones carry an index. Overwriting a member keeps its place.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
    /// Positions by key; present once there are more than `SCAN_MEMBERS_MAX` members.
    #[expect(clippy::box_collection, reason = "most objects have none and are to be small")]
    index: Option<Box<HashMap<Key, usize>>>,
}

impl Map {
    /// Returns an object without members.
    pub fn new() -> Map {
        Map::default()
    }

    /// Returns an object without members and room for `members`.
    pub fn with_capacity(members: usize) -> Map {
        Map { entries: Vec::with_capacity(members), index: None }
    }

    /// Returns an object of members whose keys are known to be distinct, without comparing them.
    pub fn from_distinct(members: Vec<(Key, Value)>) -> Map {
        let mut map = Map { entries: members, index: None };
        map.reindex();
        map
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| &**name == key),
        }
    }

    /// Returns the member `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// Returns the member `key` for editing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.position(key)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Returns whether the member `key` exists.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a member and returns what stood there; a new member goes to the end.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        if let Some(slot) = self.get_mut(&key) {
            return Some(std::mem::replace(slot, value));
        }
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() > SCAN_MEMBERS_MAX {
            self.reindex();
        }
        None
    }

    /// Removes a member and returns it; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        let (_, value) = self.entries.remove(at);
        self.reindex();
        Some(value)
    }

    /// Keeps the members for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &Value) -> bool) {
        self.entries.retain(|(key, value)| keep(key, value));
        self.reindex();
    }

    fn reindex(&mut self) {
        self.index = (self.entries.len() > SCAN_MEMBERS_MAX).then(|| {
            let places = self.entries.iter().enumerate();
            Box::new(places.map(|(at, (key, _))| (key.clone(), at)).collect())
        });
    }

    /// Returns the members in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Value)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Returns the values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.iter().map(|(_, value)| value)
    }

    /// Returns the values in order, for editing.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

/// Key order does not count.
impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Map {
        let mut map = Map::new();
        map.extend(members);
        map
    }
}

impl<K: Into<Key>, V: Into<Value>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
        for (key, value) in members {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
