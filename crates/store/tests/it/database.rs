//! A PostgreSQL to test with: `$STEPWELL_POSTGRES` names a database, each test takes a schema of
//! its own in it.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use store::{PostgresUrl, Store};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A schema in the database, dropped at the end.
pub(crate) struct Database {
    runtime: Runtime,
    base: String,
    schema: String,
}

impl Database {
    /// Returns a fresh one, or says loudly that there is none.
    pub(crate) fn fresh() -> Option<Database> {
        let Ok(base) = std::env::var("STEPWELL_POSTGRES") else {
            // Not `eprintln`, which the test harness swallows.
            let _ = std::io::stderr()
                .write_all(b"SKIPPED on PostgreSQL: STEPWELL_POSTGRES names no database\n");
            return None;
        };
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let schema = format!("store_test_{}_{number}", std::process::id());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let database = Database { runtime, base, schema };
        database.client().execute(&format!("CREATE SCHEMA {}", database.schema));
        Some(database)
    }

    pub(crate) fn url(&self) -> PostgresUrl {
        PostgresUrl::parse(&self.text()).unwrap()
    }

    fn text(&self) -> String {
        let sign = if self.base.contains('?') { '&' } else { '?' };
        let Database { base, schema, .. } = self;
        format!("{base}{sign}application_name={schema}&options=-c%20search_path%3D{schema}")
    }

    /// Returns a node's handle on the store.
    pub(crate) fn store(&self) -> Store {
        Store::connect(&self.url()).unwrap()
    }

    /// Ends every connection of the test's nodes.
    pub(crate) fn disconnect(&self) {
        self.client().execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = '{}' AND pid <> pg_backend_pid()",
            self.schema
        ));
    }

    /// Returns a connection of the test's own.
    pub(crate) fn client(&self) -> Raw<'_> {
        let client = self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.text(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Raw { database: self, client }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.client().execute(&format!("DROP SCHEMA {} CASCADE", self.schema));
    }
}

/// A connection that does what it is told.
pub(crate) struct Raw<'d> {
    database: &'d Database,
    client: Client,
}

impl Raw<'_> {
    pub(crate) fn execute(&self, sql: &str) {
        self.database.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        let row = self.database.runtime.block_on(self.client.query_one(sql, &[])).unwrap();
        row.get(0)
    }
}
