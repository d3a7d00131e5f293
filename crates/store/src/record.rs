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

/// Decodes a record but for some members, which its type must not require.
fn decode_without<T: DeserializeOwned>(
    table: Table,
    key: &str,
    bytes: &[u8],
    left_out: &[&str],
) -> Result<T, Error> {
    let corrupt = |what: String| Error::Corrupt { place: format!("{}/{key}", table.name()), what };
    let text = std::str::from_utf8(bytes).map_err(|err| corrupt(err.to_string()))?;
    let parsed = value::parse_without(text, left_out).map_err(|err| corrupt(err.to_string()))?;
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

    /// Returns the records at some keys, in the order of the keys; none for what is not there, and
    /// what need not be read because its bytes say so.
    fn load_each<T: DeserializeOwned>(
        &self,
        table: Table,
        keys: &[&str],
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Option<T>>, Error> {
        let rows = self.get_all(table, keys)?.into_iter().zip(keys);
        let read = |(row, key): (Option<Vec<u8>>, &&str)| {
            let row = row.filter(|row| is_wanted(row));
            row.map(|row| decode(table, key, &row)).transpose()
        };
        rows.map(read).collect()
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

    /// Returns keys and records in key order, the records without some members: for lists, which
    /// show little of what may be much.
    fn load_all_without<T: DeserializeOwned>(
        &self,
        table: Table,
        scan: Scan<'_>,
        left_out: &[&str],
    ) -> Result<Vec<(String, T)>, Error> {
        let rows = self.scan(table, scan)?;
        let records = rows.into_iter().map(|(key, bytes)| {
            let record = decode_without(table, &key, &bytes, left_out)?;
            Ok((key, record))
        });
        records.collect()
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
