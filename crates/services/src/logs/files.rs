//! Log groups as files: what is logged is appended to a file for each group, a message a line.
//!
//! A file lags a little behind, so that events of the same time stand in their order. Beside it a
//! small file says how far it has come: a stop loses nothing, a crash may repeat the last lines.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use store::{Load, Scan, Store, Table};
use tokio::task::spawn_blocking;

use super::events::Event;
use super::groups::Group;
use crate::{Error, Services};

/// How often the files are brought up to date, in milliseconds.
const TURN_EVERY_MILLIS: u64 = 1_000;
/// How old an event must be to be written: until then earlier ones may still come.
const LAG_MILLIS: i64 = 2_000;
/// How many groups are written.
const GROUPS_MAX: usize = 1_000;

impl Services {
    /// Keeps a file of each log group in a directory, for ever.
    pub(crate) async fn keep_log_files(self: Arc<Self>, directory: PathBuf) {
        loop {
            tokio::time::sleep(Duration::from_millis(TURN_EVERY_MILLIS)).await;
            if !self.runtime().is_leader() {
                continue;
            }
            let until_millis = self.runtime().clock().now_millis().saturating_sub(LAG_MILLIS);
            let (store, directory) = (self.store().clone(), directory.clone());
            let written = spawn_blocking(move || turn(&store, &directory, until_millis)).await;
            match written {
                Ok(Ok(())) => {}
                Ok(Err(err)) => tracing::warn!(error = %err, "log files could not be written"),
                Err(err) => tracing::warn!(error = %err, "log files could not be written"),
            }
        }
    }
}

/// Appends to every file what was logged before a time and is not in it.
fn turn(store: &Store, directory: &Path, until_millis: i64) -> Result<(), Error> {
    let scan = Scan::prefix("").limit(GROUPS_MAX);
    let groups: Vec<(String, Group)> =
        store.read(|tx| tx.load_all(Table::LogGroups, scan)).map_err(Error::from)?;
    for (_, group) in groups.into_iter().filter(|(_, group)| !group.is_deleted) {
        append(store, directory, &group, until_millis)?;
    }
    Ok(())
}

fn append(store: &Store, directory: &Path, group: &Group, until_millis: i64) -> Result<(), Error> {
    let failed = |err: io::Error| Error::internal(&format!("log file of {}: {err}", group.name));
    // No name of a group has a plus, so no two groups share a file.
    let name = group.name.replace('/', "+");
    let (file, position) =
        (directory.join(format!("{name}.log")), directory.join(format!("{name}.position")));
    let prefix = format!("{}:", group.arn);
    let until = format!("{prefix}{:013}", until_millis.max(0));
    let known = fs::read_to_string(&position).ok().filter(|known| known.starts_with(&*prefix));
    let since = format!("{prefix}{:013}", group.creation_millis.max(0));
    let mut behind = known.map_or(since.clone(), |known| known.max(since));
    loop {
        let scan = Scan::prefix(&prefix).after(Some(&behind));
        let rows: Vec<(String, Event)> =
            store.read(|tx| tx.load_all(Table::LogEvents, scan)).map_err(Error::from)?;
        let rows: Vec<_> = rows.into_iter().take_while(|(key, _)| *key < until).collect();
        let Some((last, _)) = rows.last() else { return Ok(()) };
        behind.clone_from(last);
        let lines: String = rows.iter().flat_map(|(_, event)| [&*event.message, "\n"]).collect();
        fs::create_dir_all(directory).map_err(failed)?;
        let opened = OpenOptions::new().create(true).append(true).open(&file);
        opened.and_then(|mut file| file.write_all(lines.as_bytes())).map_err(failed)?;
        fs::write(&position, &behind).map_err(failed)?;
    }
}

#[cfg(test)]
mod tests {
    use store::Save;

    use super::*;

    #[tokio::test]
    async fn a_file_has_each_message_once_in_the_order_of_time() {
        let (store, directory) = (Store::memory(), tempfile::tempdir().unwrap());
        let arn = "arn:aws:logs:us-east-1:1:log-group:/aws/g";
        let save = async |millis: i64, message: &'static str| {
            let written = store.write(move |tx| {
                let group = Group::new(arn, "/aws/g", 0);
                tx.save(Table::LogGroups, arn, &group)?;
                let event = Event { timestamp: millis, message: message.into() };
                tx.save(Table::LogEvents, &format!("{arn}:{millis:013}:s:{message}"), &event)
            });
            written.await.unwrap().unwrap();
        };
        save(20, "b").await;
        save(10, "a").await;
        save(90, "late").await;
        let file = directory.path().join("+aws+g.log");
        turn(&store, directory.path(), 50).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\nb\n");
        turn(&store, directory.path(), 50).unwrap();
        save(60, "c").await;
        turn(&store, directory.path(), 100).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\nb\nc\nlate\n");
    }
}
