//! Compiled definitions, shared by the processes that run them.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use store::{Store, Table};

use crate::Error;

/// How many compiled definitions of a kind are kept; beyond that all are compiled anew on demand.
const COMPILED_KEPT_MAX: usize = 4_096;

/// The same for express state machines.
const EXPRESS: asl::Options<'_> =
    asl::Options { machine_type: asl::StateMachineType::Express, resources: &asl::AnyResource };

/// Stored definitions were checked when they were created; what they may call was decided then.
const STORED: asl::Options<'_> =
    asl::Options { machine_type: asl::StateMachineType::Standard, resources: &asl::AnyResource };

/// Returns the key under which a text stands in `Table::Definitions`: its SHA-256 in hex.
pub fn definition_key(text: &str) -> String {
    content_key(text.as_bytes())
}

/// Returns the key under which the content of an attached file stands in `Table::Definitions`: its
/// SHA-256 in hex, as for texts.
pub fn content_key(content: &[u8]) -> String {
    let mut key = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        // Writing into a String cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// The definitions that running processes refer to by hash.
pub struct Definitions {
    store: Store,
    machines: Cache<asl::Definition>,
    express: Cache<asl::Definition>,
    runbooks: Cache<automation::Runbook>,
}

type Cache<T> = Mutex<HashMap<String, Arc<T>>>;

impl Definitions {
    pub(crate) fn new(store: Store) -> Definitions {
        Definitions {
            store,
            machines: Cache::default(),
            express: Cache::default(),
            runbooks: Cache::default(),
        }
    }

    /// Forgets what was compiled.
    pub(crate) fn clear(&self) {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.express.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.runbooks.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns the state machine of this hash.
    pub(crate) fn machine(&self, key: &str) -> Result<Arc<asl::Definition>, Error> {
        self.find(&self.machines, key, |text| {
            asl::Definition::parse_accepted(text, &STORED).map_err(|problems| problems.to_string())
        })
    }

    /// Returns the express state machine of this hash.
    pub(crate) fn express(&self, key: &str) -> Result<Arc<asl::Definition>, Error> {
        self.find(&self.express, key, |text| {
            asl::Definition::parse_accepted(text, &EXPRESS).map_err(|problems| problems.to_string())
        })
    }

    /// Returns the runbook of this hash.
    pub(crate) fn runbook(
        &self,
        key: &str,
        format: &str,
    ) -> Result<Arc<automation::Runbook>, Error> {
        self.find(&self.runbooks, key, |text| {
            let format = format.parse().map_err(|_| format!("`{format}` is no format"))?;
            automation::Runbook::parse_accepted(text, format)
                .map_err(|problems| problems.to_string())
        })
    }

    fn find<T>(
        &self,
        cache: &Cache<T>,
        key: &str,
        compile: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Arc<T>, Error> {
        if let Some(found) = cache.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(found.clone());
        }
        let unusable = |what: String| Error::Definition { key: key.to_owned(), what };
        let bytes = self
            .store
            .read(|tx| tx.get(Table::Definitions, key))?
            .ok_or_else(|| unusable("it is not in the store".into()))?;
        let text = String::from_utf8(bytes).map_err(|err| unusable(err.to_string()))?;
        let compiled = Arc::new(compile(&text).map_err(unusable)?);
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= COMPILED_KEPT_MAX {
            cache.clear();
        }
        cache.insert(key.to_owned(), compiled.clone());
        Ok(compiled)
    }
}
