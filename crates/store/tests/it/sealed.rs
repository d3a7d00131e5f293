//! Secrets on disk are sealed, older ones too, and only their key opens them.

use std::path::Path;

use store::{Backup, Error, Key, Scan, Store, Table};

use super::{commit, own, wait, write};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY";
const SECRET_TABLES: [Table; 9] = [
    Table::Credentials,
    Table::MfaDevices,
    Table::Sessions,
    Table::Applied,
    Table::Stacks,
    Table::StackOperations,
    Table::ChangeSets,
    Table::Snapshots,
    Table::Redrives,
];

fn row(at: usize) -> String {
    format!("{{\"secret\":\"{SECRET}{at}\"}}")
}

fn put_everywhere(store: &Store) {
    write(store, |tx| {
        for (at, table) in SECRET_TABLES.into_iter().enumerate() {
            tx.put(table, "a", row(at).as_bytes()).map_err(|_| "store")?;
        }
        tx.put(Table::RuntimeSettings, "node/secret", SECRET.as_bytes()).map_err(|_| "store")
    })
    .unwrap();
}

fn expect_everywhere(store: &Store) {
    for (at, table) in SECRET_TABLES.into_iter().enumerate() {
        let expected = row(at).into_bytes();
        assert_eq!(store.get(table, "a").unwrap().unwrap(), expected, "{table:?}");
        store.read(|tx| {
            assert_eq!(tx.get(table, "a").unwrap().unwrap(), expected, "{table:?}");
            let rows = tx.scan(table, Scan::prefix("")).unwrap();
            assert_eq!(rows, [("a".to_owned(), expected)], "{table:?}");
        });
    }
    assert_eq!(
        store.get(Table::RuntimeSettings, "node/secret").unwrap().unwrap(),
        SECRET.as_bytes()
    );
}

/// Returns the files of a directory that hold the secret in clear.
fn told(directory: &Path) -> Vec<String> {
    let mut told = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
            told.push(path.display().to_string());
        }
    }
    told
}

#[test]
fn nothing_on_disk_tells_a_secret() {
    let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let open = || Store::open(directory.path()).unwrap().sealed_with(key.clone()).unwrap();
    let store = open();
    put_everywhere(&store);
    let epoch = own(&store);
    commit(&store, 0, epoch, 1, SECRET.as_bytes()).unwrap();
    expect_everywhere(&store);
    assert_eq!(store.key_id().unwrap(), Some(key.id()));
    assert_eq!(told(directory.path()), [""; 0]);
    drop(store);
    assert_eq!(told(directory.path()), [""; 0]);
    let store = open();
    expect_everywhere(&store);
    let entries = store.read(|tx| tx.journal(0, 0, 10)).unwrap();
    assert_eq!(entries[0].bytes, SECRET.as_bytes());
}

/// What format 2 wrote, on which secrets lay in clear: in rows, and in pages that were freed.
#[test]
fn an_older_directory_is_sealed_and_keeps_nothing_in_clear() {
    let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let store = Store::open(directory.path()).unwrap();
    put_everywhere(&store);
    write(&store, |tx| {
        for at in 0..200 {
            tx.put(Table::Sessions, &format!("old/{at:03}"), row(at).as_bytes()).unwrap();
        }
        Ok(())
    })
    .unwrap();
    write(&store, |tx| {
        for at in 0..200 {
            tx.delete(Table::Sessions, &format!("old/{at:03}")).unwrap();
        }
        Ok(())
    })
    .unwrap();
    drop(store);
    let raw = rusqlite::Connection::open(directory.path().join("stepwell.sqlite")).unwrap();
    raw.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(raw);
    // It had no log, and this one has been carried over.
    for log in ["commits-a.log", "commits-b.log"] {
        std::fs::remove_file(directory.path().join(log)).unwrap();
    }
    assert_eq!(told(directory.path()).len(), 1, "the fixture is none");

    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.key_id().unwrap(), None);
    let store = store.sealed_with(key.clone()).unwrap();
    assert_eq!(told(directory.path()), [""; 0]);
    expect_everywhere(&store);
    write(&store, |tx| tx.put(Table::Sessions, "b", b"{}").map_err(|_| "store")).unwrap();
}

#[test]
fn another_key_opens_nothing_and_seals_nothing() {
    let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let other = Key::generate().unwrap();
    let store = Store::open(directory.path()).unwrap().sealed_with(key.clone()).unwrap();
    put_everywhere(&store);
    drop(store);
    let refused = Store::open(directory.path()).unwrap().sealed_with(other.clone()).err().unwrap();
    let Error::OtherKey { sealed_with, given } = &refused else { panic!("{refused}") };
    assert_eq!((sealed_with, given), (&key.id(), &other.id()));
    expect_everywhere(&Store::open(directory.path()).unwrap().sealed_with(key).unwrap());
}

#[test]
fn a_store_whose_key_row_is_lost_is_not_taken_over_by_another_key() {
    let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let store = Store::open(directory.path()).unwrap().sealed_with(key.clone()).unwrap();
    put_everywhere(&store);
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    write(&store, |tx| tx.delete(Table::RuntimeSettings, "key").map_err(|_| "store")).unwrap();
    let refused = store.clone().sealed_with(Key::generate().unwrap()).err().unwrap();
    assert!(matches!(refused, Error::Corrupt { .. }), "{refused}");
    expect_everywhere(&store.sealed_with(key).unwrap());
}

#[test]
fn a_reset_store_stays_with_its_key() {
    let key = Key::generate().unwrap();
    let raw = Store::memory();
    let store = raw.clone().sealed_with(key.clone()).unwrap();
    put_everywhere(&store);
    store.reset().unwrap();
    assert_eq!(raw.key_id().unwrap(), Some(key.id()));
    assert!(store.get(Table::Sessions, "a").unwrap().is_none());
}

/// A backup is as sealed as the store, and brought back opens with the same key.
#[test]
fn a_backup_holds_no_key_and_needs_it() {
    let (directory, key) = (tempfile::tempdir().unwrap(), Key::generate().unwrap());
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let store = Store::open(&from).unwrap().sealed_with(key.clone()).unwrap();
    put_everywhere(&store);
    let backups = directory.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let file = backups.join("b");
    store.back_up(&file, |_| ()).unwrap();
    Store::look_at(&from).unwrap().back_up(&backups.join("c"), |_| ()).unwrap();
    assert_eq!(told(&backups), [""; 0]);
    let backup = Backup::open(&file, |_| ()).unwrap();
    assert_eq!(backup.key_id().unwrap(), Some(key.id()));
    let restored = Store::open(&to).unwrap();
    wait(restored.restore(backup, |_| ())).unwrap();
    let refused = restored.clone().sealed_with(Key::generate().unwrap()).err().unwrap();
    assert!(matches!(refused, Error::OtherKey { .. }), "{refused}");
    expect_everywhere(&restored.sealed_with(key).unwrap());
}

#[test]
fn a_directory_that_is_made_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let made = parent.path().join("made");
    drop(Store::open(&made).unwrap());
    assert_eq!(mode(&made), 0o700);
    let found = parent.path().join("found");
    std::fs::create_dir(&found).unwrap();
    std::fs::set_permissions(&found, PermissionsExt::from_mode(0o750)).unwrap();
    drop(Store::open(&found).unwrap());
    assert_eq!(mode(&found), 0o750);
}
