//! Typed records on top of bytes: JSON text, written and read through `value`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use value::Value;

use crate::{Error, Read, Scan, Table, Transaction};

fn decode<T: DeserializeOwned>(table: Table, key: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |what: String| Error::Corrupt { place: format!("{}/{key}", table.name()), what };
    let parsed = value::parse_bytes(bytes).map_err(|err| corrupt(err.to_string()))?;
    value::from_value(parsed).map_err(|err| corrupt(err.to_string()))
}

/// Typed reads.
pub trait Load: Read {
    /// Returns the record at a key.
    fn load<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>, Error> {
        match self.get(table, key)? {
            Some(bytes) => decode(table, key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Returns keys and records in key order.
    fn load_all<T: DeserializeOwned>(
        &self,
        table: Table,
        scan: Scan<'_>,
    ) -> Result<Vec<(String, T)>, Error> {
        let rows = self.scan(table, scan)?;
        rows.into_iter()
            .map(|(key, bytes)| decode(table, &key, &bytes).map(|record| (key, record)))
            .collect()
    }
}

impl<R: Read + ?Sized> Load for R {}

/// Typed writes.
pub trait Save: Transaction {
    /// Sets the record at a key.
    fn save<T: Serialize + ?Sized>(
        &mut self,
        table: Table,
        key: &str,
        record: &T,
    ) -> Result<(), Error> {
        let encoded: Value = value::to_value(record).map_err(|err| Error::Corrupt {
            place: format!("{}/{key}", table.name()),
            what: err.to_string(),
        })?;
        self.put(table, key, encoded.to_string().as_bytes())
    }
}

impl<T: Transaction + ?Sized> Save for T {}
