//! Every backend keeps the same promises: the same list of claims runs on each.
#![cfg(test)]

use store::{Error, Load, Save, Scan, Store, Table, Transaction};

fn on_each(check: impl Fn(Store)) {
    check(Store::memory());
    let directory = tempfile::tempdir().unwrap();
    check(Store::open(directory.path()).unwrap());
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut dyn Transaction) -> Result<T, &'static str> + Send + 'static,
) -> Result<T, &'static str> {
    wait(store.write(work)).unwrap()
}

#[test]
fn what_was_written_is_read_and_what_failed_is_undone() {
    on_each(|store| {
        write(&store, |tx| {
            tx.put(Table::Users, "a", b"1").unwrap();
            tx.put(Table::Users, "b", "日本".as_bytes()).unwrap();
            Ok(())
        })
        .unwrap();
        let refused: Result<(), _> = write(&store, |tx| {
            tx.put(Table::Users, "a", b"2").unwrap();
            tx.delete(Table::Users, "b").unwrap();
            tx.append(0, b"lost").unwrap();
            assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"2");
            Err("no")
        });
        assert_eq!(refused, Err("no"));
        store.read(|tx| {
            assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"1");
            assert_eq!(tx.get(Table::Users, "b").unwrap().unwrap(), "日本".as_bytes());
            assert_eq!(tx.get(Table::Groups, "a").unwrap(), None);
            assert!(tx.journal(0, 0, 10).unwrap().is_empty());
        });
    });
}

#[test]
fn scans_page_in_key_order_within_a_prefix() {
    on_each(|store| {
        write(&store, |tx| {
            for key in ["x/1", "x/2", "x/3", "y/1", "x"] {
                tx.put(Table::Rules, key, key.as_bytes()).unwrap();
            }
            Ok(())
        })
        .unwrap();
        let keys = |scan: Scan<'_>| -> Vec<String> {
            let rows = store.read(|tx| tx.scan(Table::Rules, scan).unwrap());
            rows.into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(Scan::prefix("x/")), ["x/1", "x/2", "x/3"]);
        assert_eq!(keys(Scan::prefix("x/").limit(2)), ["x/1", "x/2"]);
        assert_eq!(keys(Scan::prefix("x/").after(Some("x/2"))), ["x/3"]);
        assert_eq!(keys(Scan::prefix("")).len(), 5);
    });
}

#[test]
fn journal_positions_are_dense_per_shard_and_never_reused() {
    on_each(|store| {
        write(&store, |tx| {
            for shard in [0, 1, 0] {
                tx.append(shard, b"fact").unwrap();
            }
            tx.truncate(0, 1).unwrap();
            Ok(())
        })
        .unwrap();
        write(&store, |tx| tx.truncate(0, 2).map_err(|_| "store")).unwrap();
        let lsn = write(&store, |tx| Ok(tx.append(0, b"next").unwrap())).unwrap();
        assert_eq!(lsn, 3);
        let left = store.read(|tx| tx.journal(0, 0, 10).unwrap());
        assert_eq!((left.len(), left[0].lsn, left[0].bytes.as_slice()), (1, 3, &b"next"[..]));
        assert_eq!(store.read(|tx| tx.journal(1, 0, 10).unwrap().len()), 1);
    });
}

#[test]
fn records_are_typed() {
    on_each(|store| {
        write(&store, |tx| {
            tx.save(Table::Users, "k", &("日本", 1)).unwrap();
            tx.put(Table::Users, "z", b"{oops").unwrap();
            Ok(())
        })
        .unwrap();
        let found: Option<(String, i32)> = store.read(|tx| tx.load(Table::Users, "k").unwrap());
        assert_eq!(found, Some(("日本".into(), 1)));
        let damaged = store.read(|tx| tx.load::<(String, i32)>(Table::Users, "z"));
        assert!(matches!(damaged, Err(Error::Corrupt { place, .. }) if place == "iam_users/z"));
    });
}

#[test]
fn a_panicking_job_is_undone_and_the_store_lives_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let lost = wait(store.write(|tx| -> Result<(), ()> {
        tx.put(Table::Users, "a", b"1").unwrap();
        panic!("on purpose");
    }));
    assert!(matches!(lost, Err(Error::Closed)));
    write(&store, |tx| tx.put(Table::Users, "b", b"1").map_err(|_| "store")).unwrap();
    assert_eq!(store.read(|tx| tx.get(Table::Users, "a").unwrap()), None);
}

#[test]
fn reset_empties_everything() {
    on_each(|store| {
        write(&store, |tx| {
            tx.put(Table::Users, "a", b"1").unwrap();
            tx.append(0, b"fact").unwrap();
            Ok(())
        })
        .unwrap();
        store.reset().unwrap();
        store.read(|tx| {
            assert_eq!(tx.get(Table::Users, "a").unwrap(), None);
            assert!(tx.journal(0, 0, 10).unwrap().is_empty());
        });
    });
}

#[test]
fn a_directory_has_one_owner_and_outlives_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    write(&store, |tx| tx.put(Table::Users, "a", b"1").map_err(|_| "store")).unwrap();
    assert!(matches!(Store::open(directory.path()), Err(Error::InUse(_))));
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.read(|tx| tx.get(Table::Users, "a").unwrap()).unwrap(), b"1");
}

#[test]
fn a_damaged_journal_entry_is_reported_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    write(&store, |tx| Ok(tx.append(0, b"fact").unwrap())).unwrap();
    drop(store);
    let raw = rusqlite::Connection::open(directory.path().join("stepwell.sqlite")).unwrap();
    raw.execute("UPDATE journal SET bytes = x'00'", []).unwrap();
    drop(raw);
    let store = Store::open(directory.path()).unwrap();
    let read = store.read(|tx| tx.journal(0, 0, 10));
    assert!(matches!(read, Err(Error::Corrupt { place, .. }) if place == "journal 0/1"));
}

#[test]
fn many_writers_share_commits_and_all_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    wait(async {
        let writes: Vec<_> = (0..200)
            .map(|at| {
                let store = store.clone();
                tokio::spawn(async move {
                    let write = store.write(move |tx| {
                        tx.put(Table::Users, &format!("{at:03}"), b"1").map_err(|_| "store")
                    });
                    write.await.unwrap()
                })
            })
            .collect();
        for one in writes {
            one.await.unwrap().unwrap();
        }
    });
    assert_eq!(store.read(|tx| tx.scan(Table::Users, Scan::prefix("")).unwrap().len()), 200);
}
