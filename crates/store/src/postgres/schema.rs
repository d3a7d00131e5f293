//! The tables, and how each format becomes the next.
//!
//! 1. One table for all rows, one for the journal, one row for each shard, and one that counts the
//!    changes of the control plane.
//! 2. Secrets may be sealed with a key (`sealed`); the tables are the same.
//!
//! A newer format is refused. Nodes that start together take turns, at the row of the format;
//! migrations are transactions, so that a crash leaves the old format.

use tokio_postgres::Config;

use super::connection::Connection;
use super::rows::column;
use crate::{Error, SHARDS};

/// The statements that lead from each format to the next, from none to the first one on. `int` is
/// eight bytes on CockroachDB, `int4` four everywhere. Where creating a table is a transaction of
/// its own, a crash leaves some of them: whoever comes next makes the others.
const MIGRATIONS: [&str; 2] = [
    "\
    CREATE TABLE IF NOT EXISTS stepwell_rows ( \
        tab smallint NOT NULL, key text COLLATE \"C\" NOT NULL, value bytea NOT NULL, \
        PRIMARY KEY (tab, key)); \
    CREATE TABLE IF NOT EXISTS stepwell_journal ( \
        shard int4 NOT NULL, lsn bigint NOT NULL, crc bigint NOT NULL, bytes bytea NOT NULL, \
        PRIMARY KEY (shard, lsn)); \
    CREATE TABLE IF NOT EXISTS stepwell_shards ( \
        shard int4 NOT NULL PRIMARY KEY, epoch bigint NOT NULL, owner text, \
        until_millis bigint NOT NULL); \
    CREATE TABLE IF NOT EXISTS stepwell_nodes ( \
        node text NOT NULL PRIMARY KEY, address text NOT NULL, until_millis bigint NOT NULL); \
    CREATE TABLE IF NOT EXISTS stepwell_control ( \
        id smallint NOT NULL PRIMARY KEY, generation bigint NOT NULL); \
    INSERT INTO stepwell_control (id, generation) VALUES (1, 0) ON CONFLICT DO NOTHING",
    "",
];
/// What makes it faster where it is known. Histories are text that says much the same again and
/// again: compressed with LZ4 (PostgreSQL 14, if it was built with it) there is much less to write,
/// with anything slower it is not worth the time. Rows that change often change in place.
const TUNING: [&str; 6] = [
    "ALTER TABLE stepwell_rows ALTER COLUMN value SET STORAGE EXTERNAL",
    "ALTER TABLE stepwell_journal ALTER COLUMN bytes SET STORAGE EXTERNAL",
    "ALTER TABLE stepwell_rows ALTER COLUMN value SET COMPRESSION lz4, \
     ALTER COLUMN value SET STORAGE EXTENDED",
    "ALTER TABLE stepwell_journal ALTER COLUMN bytes SET COMPRESSION lz4, \
     ALTER COLUMN bytes SET STORAGE EXTENDED",
    "ALTER TABLE stepwell_shards SET (fillfactor = 10)",
    "ALTER TABLE stepwell_control SET (fillfactor = 10)",
];
/// Keys are in the order of their bytes.
const COLLATION: &str = "COLLATE \"C\"";
/// CockroachDB knows no other order, and no column of this name for it.
const IS_COCKROACH: &str = "SELECT 1 WHERE version() LIKE 'CockroachDB%'";
const META: &str = "\
    CREATE TABLE IF NOT EXISTS stepwell_meta ( \
        id smallint NOT NULL PRIMARY KEY, format int4 NOT NULL, shards int4 NOT NULL)";
/// How often to begin again when another node creates the first table in the same moment.
const TRIES_MAX: usize = 20;
/// How long to wait before that, in milliseconds.
const AGAIN_MILLIS: u64 = 50;

const FOUND: &str = "SELECT format, shards FROM stepwell_meta WHERE id = 1 FOR UPDATE";

/// The format this code writes.
fn format() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

fn shards() -> i32 {
    i32::try_from(SHARDS).unwrap_or(i32::MAX)
}

/// Creates what is missing, and brings an older format up to date.
///
/// # Errors
/// When the format is newer than this code, or the database is not one that can be used.
pub(super) fn to_current(config: &Config) -> Result<(), Error> {
    let mut connection = Connection::open(config)?;
    expect_unicode(&mut connection)?;
    create_meta(&mut connection)?;
    connection.batch("BEGIN ISOLATION LEVEL READ COMMITTED")?;
    let found = migrate(&mut connection).inspect_err(|_| drop(connection.batch("ROLLBACK")))?;
    connection.batch("COMMIT")?;
    if found == 0 {
        for statement in TUNING {
            if let Err(err) = connection.batch(statement) {
                tracing::debug!(statement, error = %err, "the database does without");
            }
        }
    }
    Ok(())
}

/// Keys are any text.
fn expect_unicode(connection: &mut Connection) -> Result<(), Error> {
    let rows = connection.query("SELECT current_setting('server_encoding')", &[])?;
    let encoding: String = rows.first().map_or(Ok(String::new()), |row| column(row, 0))?;
    if encoding.eq_ignore_ascii_case("utf8") {
        return Ok(());
    }
    Err(Error::Backend(format!(
        "the database's encoding is {encoding}, it must be UTF8: CREATE DATABASE … ENCODING 'UTF8' \
         TEMPLATE template0"
    )))
}

/// Creates the table of the format. Even with IF NOT EXISTS that fails when another does the same.
fn create_meta(connection: &mut Connection) -> Result<(), Error> {
    let insert = format!(
        "INSERT INTO stepwell_meta (id, format, shards) VALUES (1, 0, {}) ON CONFLICT DO NOTHING",
        shards()
    );
    let mut tries = 0;
    loop {
        match connection.batch(META).and_then(|()| connection.batch(&insert)) {
            Err(err) if TRIES_MAX <= tries || connection.is_broken() => return Err(err),
            Ok(()) => return Ok(()),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(AGAIN_MILLIS)),
        }
        tries += 1;
    }
}

/// Returns the format that was found.
fn migrate(connection: &mut Connection) -> Result<i32, Error> {
    let rows = connection.query(FOUND, &[])?;
    let row = rows.first().ok_or_else(|| Error::Corrupt {
        place: "stepwell_meta".into(),
        what: "its row is missing".into(),
    })?;
    let (found, kept): (i32, i32) = (column(row, 0)?, column(row, 1)?);
    if format() < found {
        return Err(Error::Format { found: found.into(), known: format().into() });
    }
    let is_cockroach = !connection.query(IS_COCKROACH, &[])?.is_empty();
    let collation = if is_cockroach { "" } else { COLLATION };
    if kept != shards() {
        let what = format!("it has {kept} shards, this Stepwell {}", shards());
        return Err(Error::Corrupt { place: "stepwell_meta".into(), what });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        connection.batch(&migration.replace(COLLATION, collation))?;
    }
    for shard in 0..if found == 0 { shards() } else { 0 } {
        connection.batch(&format!(
            "INSERT INTO stepwell_shards (shard, epoch, until_millis) VALUES ({shard}, 0, 0) \
             ON CONFLICT DO NOTHING"
        ))?;
    }
    if found < format() {
        connection.batch(&format!("UPDATE stepwell_meta SET format = {}", format()))?;
    }
    Ok(found)
}
