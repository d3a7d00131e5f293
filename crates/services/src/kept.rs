//! What was worked out from the store, kept as long as nothing there has changed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use store::Store;

/// How many values of a kind are kept; beyond that all are worked out anew.
const VALUES_KEPT_MAX: usize = 10_000;

/// Values by key. What other nodes change is seen within a moment (`Store::generation`).
pub(crate) struct Kept<K, V> {
    values: Mutex<Values<K, V>>,
}

struct Values<K, V> {
    /// The generation of the store that the values belong to.
    generation: u64,
    by_key: HashMap<K, V>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Kept<K, V> {
        Kept { values: Mutex::new(Values { generation: 0, by_key: HashMap::new() }) }
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// Returns the value of a key, from memory if the store has not changed since.
    ///
    /// INVARIANT: the generation is read before the store is, and a change is counted before
    /// whoever made it hears that it is kept: so nobody sees less than what was acknowledged.
    pub(crate) fn get<Q, E>(
        &self,
        store: &Store,
        key: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let Some(generation) = store.generation() else { return make() };
        {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            if values.generation != generation || VALUES_KEPT_MAX <= values.by_key.len() {
                *values = Values { generation, by_key: HashMap::new() };
            }
            if let Some(found) = values.by_key.get(key) {
                return Ok(found.clone());
            }
        }
        let made = make()?;
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.generation == generation {
            values.by_key.insert(key.to_owned(), made.clone());
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use store::Table;

    use super::*;

    #[test]
    fn a_change_of_the_store_ends_what_was_kept() {
        let (store, kept) = (Store::memory(), Kept::<String, Option<Vec<u8>>>::default());
        let mut made = 0;
        let look = |made: &mut i32| {
            kept.get(&store, "a", || {
                *made += 1;
                store.read(|tx| tx.get(Table::Users, "a"))
            })
            .unwrap()
        };
        assert_eq!((look(&mut made), look(&mut made), made), (None, None, 1));
        let write = store.write(|tx| tx.put(Table::Users, "a", b"1"));
        let threads = tokio::runtime::Builder::new_current_thread().build().unwrap();
        threads.block_on(write).unwrap().unwrap();
        assert_eq!(
            (look(&mut made), look(&mut made), made),
            (Some(b"1".to_vec()), Some(b"1".to_vec()), 2)
        );
    }
}
