//! A backup: one file of the directory's format, with a seal that says what it holds.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Onlooker, Over, PAGE_BYTES, STATEMENTS_KEPT_MAX, migrate, rows};
use crate::copy::Counts;
use crate::{Error, Transaction, key};

/// Who may read a backup: it holds secrets.
const MODE: u32 = 0o600;

/// Fills a file that is being written.
pub(crate) type Fill<'a> = dyn FnMut(&mut dyn Transaction) -> Result<Counts, Error> + 'a;

/// Writes a new backup. Until it is whole and on disk it has another name.
///
/// # Errors
/// When there is a file of this name already, `fill` failed, or the disk did.
pub(crate) fn write_backup(file: &Path, fill: &mut Fill<'_>) -> Result<Counts, Error> {
    let failed = |what: &str, err: std::io::Error| {
        Error::Backend(format!("cannot {what} the backup `{}`: {err}", file.display()))
    };
    let unfinished = Unfinished(key::unfinished(file)?);
    let options = File::options().write(true).create_new(true).mode(MODE).clone();
    options.open(&unfinished.0).map_err(|err| failed("write", err))?;
    let counts = write(&unfinished.0, fill)?;
    let synced = File::open(&unfinished.0).and_then(|written| written.sync_all());
    synced.map_err(|err| failed("sync", err))?;
    // Unlike a renaming this refuses to replace a file that is there.
    std::fs::hard_link(&unfinished.0, file).map_err(|err| failed("name", err))?;
    key::sync_folder(file).map_err(|err| failed("sync", err))?;
    Ok(counts)
}

/// A file that is removed when its writing ends, one way or the other.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed is named so that everybody sees what it is.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn write(file: &Path, fill: &mut Fill<'_>) -> Result<Counts, Error> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // A file that is thrown away when anything fails needs no way back, and is synced once.
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    migrate::to_current(&mut connection)?;
    let tx = connection.transaction()?;
    let counts = fill(&mut rows::Rows::new(&tx))?;
    seal(&tx, counts)?;
    tx.commit()?;
    connection.close().map_err(|(_, err)| err)?;
    Ok(counts)
}

fn seal(connection: &Connection, counts: Counts) -> Result<(), Error> {
    let Counts { rows, entries, bytes, checksum } = counts;
    connection.execute_batch(
        "CREATE TABLE backup_seal \
         (rows INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL, \
         checksum INTEGER NOT NULL)",
    )?;
    connection.execute(
        "INSERT INTO backup_seal (rows, entries, bytes, checksum) VALUES (?1, ?2, ?3, ?4)",
        params![signed(rows), signed(entries), signed(bytes), checksum],
    )?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Opens a backup for reading, and returns what it says it holds.
///
/// # Errors
/// When it is no backup, or of another format.
pub(crate) fn open_backup(file: &Path) -> Result<(Onlooker, Counts), Error> {
    let place =
        |what: &str| Error::Corrupt { place: file.display().to_string(), what: what.to_owned() };
    if !file.is_file() {
        return Err(Error::Backend(format!("there is no file `{}`", file.display())));
    }
    let onlooker = Onlooker::at(file.to_owned(), Over::Nothing);
    let named = |err: Error| match err {
        Error::Corrupt { what, .. } => place(&what),
        err => err,
    };
    let connection = onlooker.readers.take().map_err(named)?;
    migrate::expect_readable(&connection).map_err(named)?;
    let is_sealed = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'backup_seal'", [], |_| Ok(()))
        .optional()?;
    if is_sealed.is_none() {
        return Err(place("it has no seal: `stepwell backup` did not write it to its end"));
    }
    let counts = connection.query_row(
        "SELECT rows, entries, bytes, checksum FROM backup_seal",
        [],
        |row| {
            let unsigned = |at| row.get(at).map(|number: i64| u64::try_from(number).unwrap_or(0));
            let (rows, entries, bytes) = (unsigned(0)?, unsigned(1)?, unsigned(2)?);
            Ok(Counts { rows, entries, bytes, checksum: row.get(3)? })
        },
    )?;
    Ok((onlooker, counts))
}
