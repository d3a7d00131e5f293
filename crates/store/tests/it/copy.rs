//! Backups: everything comes back, or nothing does.

use std::path::Path;

use store::{Backup, Commit, Counts, Error, RestoreError, Store, Table, Write, copy, is_empty};

use super::{commit, on_each_in_clear, own, wait, write};

fn fill(store: &Store) {
    write(store, |tx| {
        for at in 0..300 {
            tx.put(Table::Users, &format!("日本/{at:04}"), format!("user {at}").as_bytes())
                .unwrap();
        }
        tx.put(Table::RuntimeSettings, "empty", b"").unwrap();
        tx.put(Table::Executions, "large", &vec![7; 300_000]).unwrap();
        Ok(())
    })
    .unwrap();
    let epoch = own(store);
    for lsn in 1..=200 {
        commit(store, 7, epoch, lsn, format!("fact {lsn}").as_bytes()).unwrap();
    }
    let writes = vec![Write::Put(Table::History, "e/1".into(), b"[]".to_vec())];
    let truncate = Some(150);
    let last = Commit { shard: 7, epoch, writes, truncate, ..Commit::default() };
    wait(store.commit(last)).unwrap();
}

/// Returns the sum of everything, which is the same for the same content.
fn sum(store: &Store) -> Counts {
    let from = store.clone();
    let sink = Store::memory();
    let written = sink.write(move |tx| from.read(|from| copy(from, tx, |_| {})));
    wait(written).unwrap().unwrap()
}

fn open(file: &Path) -> Result<Backup, RestoreError> {
    Backup::open(file, |_| {})
}

fn restore(store: &Store, file: &Path) -> Result<Counts, RestoreError> {
    wait(store.restore(open(file)?, |_| {}))
}

/// In a container every process has the same number.
#[test]
fn what_a_killed_process_of_the_same_number_left_is_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(format!("backup.unfinished-{}", std::process::id()));
    std::fs::write(&left, "half").unwrap();
    Store::memory().back_up(&folder.path().join("backup"), |_| {}).unwrap();
    assert_eq!(std::fs::read(left).unwrap(), b"half");
}

#[test]
fn a_backup_of_any_store_comes_back_in_any_other() {
    on_each_in_clear(|store| {
        fill(&store);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        let mut seen = Counts::default();
        let counts = store.back_up(&file, |counts| seen = counts).unwrap();
        assert_eq!((counts.rows, counts.entries), (303, 50));
        assert_eq!((seen.rows, seen.entries, seen.bytes), (303, 50, counts.bytes));
        assert_eq!(counts, sum(&store));
        on_each_in_clear(|other| {
            assert!(other.read(is_empty).unwrap());
            assert_eq!(restore(&other, &file).unwrap(), counts);
            assert_eq!(sum(&other), counts);
            let again = restore(&other, &file);
            assert!(matches!(again, Err(RestoreError::NotEmpty)), "{again:?}");
            // The journal goes on where it was.
            let epoch = own(&other);
            commit(&other, 7, epoch, 201, b"next").unwrap();
        });
    });
}

#[test]
fn a_backup_is_of_one_moment_and_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    fill(&store);
    let before = sum(&store);
    let file = directory.path().join("backup");
    let onlooker = Store::look_at(directory.path()).unwrap();
    let mut written = false;
    let counts = onlooker.back_up(&file, |_| {
        if !std::mem::replace(&mut written, true) {
            write(&store, |tx| {
                tx.put(Table::Tags, "later", b"1").unwrap();
                tx.delete(Table::Users, "日本/0299").unwrap();
                Ok(())
            })
            .unwrap();
        }
    });
    assert_eq!(counts.unwrap(), before);
    assert!(written && sum(&store) != before);
    let refused = store.back_up(&file, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("backup"), "{refused}");
    assert_eq!(open(&file).unwrap().counts(), before);
    let left: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_damaged_backup_is_refused_and_the_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (file, damaged) = (folder.path().join("backup"), folder.path().join("damaged"));
    let store = Store::memory();
    fill(&store);
    store.back_up(&file, |_| {}).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let needle = b"user 123";
    let mut changed = bytes.clone();
    // More than once: what a page held before it was split is still there.
    for at in 0..bytes.len() - needle.len() {
        if &bytes[at..at + needle.len()] == needle {
            changed[at] ^= 1;
        }
    }
    std::fs::write(&damaged, changed).unwrap();
    match open(&damaged) {
        Err(RestoreError::Store(Error::Corrupt { place, .. })) => {
            assert_eq!(place, "iam_users/日本/0123");
        }
        other => panic!("{:?}", other.map(|backup| backup.counts())),
    }
    // Cut short, no database at all, and a database that nobody sealed.
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    assert!(open(&damaged).is_err());
    std::fs::write(&damaged, b"hello, I am no database, but long enough to look like one").unwrap();
    assert!(matches!(open(&damaged), Err(RestoreError::Store(Error::Corrupt { .. }))));
    let used = folder.path().join("used");
    drop(Store::open(&used).unwrap());
    let unsealed = open(&used.join("stepwell.sqlite")).err().unwrap();
    assert!(unsealed.to_string().contains("seal"), "{unsealed}");
}

#[test]
fn no_flipped_bit_of_a_page_goes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, damaged) = (folder.path().join("backup"), folder.path().join("damaged"));
    let store = Store::memory();
    write(&store, |tx| {
        for at in 0..40 {
            tx.put(Table::Users, &format!("u/{at}"), b"a user").unwrap();
        }
        Ok(())
    })
    .unwrap();
    let whole = store.back_up(&file, |_| {}).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    // Every so many bytes: most of the file are empty pages.
    for at in (0..bytes.len()).step_by(509) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        std::fs::write(&damaged, changed).unwrap();
        if let Ok(backup) = open(&damaged) {
            assert_eq!(backup.counts(), whole, "byte {at}");
            let other = Store::memory();
            wait(other.restore(backup, |_| {})).unwrap();
            assert_eq!(sum(&other), whole, "byte {at}");
        }
    }
}

#[test]
fn a_backup_from_before_some_tables_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let store = Store::memory();
    fill(&store);
    store.back_up(&file, |_| {}).unwrap();
    let backup = rusqlite::Connection::open(&file).unwrap();
    backup.execute_batch("DROP TABLE events_connections").unwrap();
    // What the sum was when there was no such table.
    let Err(RestoreError::Different { found, .. }) = open(&file) else {
        panic!("the table is missing and nobody noticed");
    };
    backup.execute("UPDATE backup_seal SET checksum = ?1", [found.checksum]).unwrap();
    let other = Store::memory();
    assert_eq!(restore(&other, &file).unwrap(), found);
    assert_eq!(sum(&other), sum(&store));
}

/// A table that a newer version brings is in the backup, and not in the directory yet.
#[test]
fn what_an_older_server_wrote_is_backed_up_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, file) = (folder.path().join("data"), folder.path().join("backup"));
    let store = Store::open(&directory).unwrap();
    fill(&store);
    drop(store);
    let tables = rusqlite::Connection::open(directory.join("stepwell.sqlite")).unwrap();
    tables.execute_batch("DROP TABLE cloudformation_change_sets").unwrap();
    drop(tables);
    let written = Store::look_at(&directory).unwrap().back_up(&file, |_| {}).unwrap();
    let restored = Store::memory();
    assert_eq!(restore(&restored, &file).unwrap(), written);
    assert_eq!(restored.get(Table::RuntimeSettings, "empty").unwrap().unwrap(), b"");
}
