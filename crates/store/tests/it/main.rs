//! Every backend keeps the same promises: the same list of claims runs on each.
#![cfg(test)]

mod ahead;
mod check;
mod copy;
mod database;
mod nodes;
mod sealed;

use database::Database;
use store::{
    Claim, Commit, Error, Key, Lease, Load, SHARDS, Save, Scan, Store, Table, Transaction, Write,
};

fn on_each(check: impl Fn(Store)) {
    check(Store::memory().sealed_with(Key::generate().unwrap()).unwrap());
    on_each_in_clear(check);
}

fn on_each_in_clear(check: impl Fn(Store)) {
    check(Store::memory());
    on_each_with_a_writer(check);
}

/// On those that outlive the process.
fn on_each_with_a_writer(check: impl Fn(Store)) {
    let directory = tempfile::tempdir().unwrap();
    check(Store::open(directory.path()).unwrap());
    if let Some(database) = Database::fresh() {
        check(database.store());
    }
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
fn which_rows_are_there_is_told_in_the_order_of_the_question() {
    on_each(|store| {
        write(&store, |tx| {
            tx.put(Table::Executions, "日本", b"1").unwrap();
            tx.put(Table::Executions, "\u{1}\0", b"2").unwrap();
            tx.put(Table::Automations, "other", b"3").unwrap();
            Ok(())
        })
        .unwrap();
        let keys = ["other", "日本", "\u{1}\0", "日", "日本"];
        let present = store.present(Table::Executions, &keys).unwrap();
        assert_eq!(present, [false, true, true, false, true]);
        assert!(store.present(Table::Executions, &[]).unwrap().is_empty());
        let rows = store.read(|tx| tx.get_all(Table::Executions, &keys)).unwrap();
        let found = [None, Some(b"1".to_vec()), Some(b"2".to_vec()), None, Some(b"1".to_vec())];
        assert_eq!(rows, found);
        assert_eq!(store.get(Table::Executions, "日本").unwrap().unwrap(), b"1");
        assert!(store.get(Table::Executions, "日").unwrap().is_none());
    });
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
            assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"2");
            Err("no")
        });
        assert_eq!(refused, Err("no"));
        // While one writes, another reads one row: what was committed before.
        let reader = store.clone();
        let looked = write(&store, move |tx| {
            tx.put(Table::Users, "a", b"3").unwrap();
            let looked = std::thread::spawn(move || reader.get(Table::Users, "a"));
            tx.put(Table::Users, "a", b"1").unwrap();
            Ok(looked)
        });
        let looked = looked.unwrap().join().unwrap().unwrap().unwrap();
        assert_eq!(looked, b"1");
        assert_eq!(store.get(Table::Users, "a").unwrap().unwrap(), b"1");
        assert_eq!(store.get(Table::Users, "c").unwrap(), None);
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
fn keys_may_be_any_text_and_keep_the_order_of_their_bytes() {
    on_each(|store| {
        let all = ["", "\0", "\0\0a", "\u{1}", "Z", "a", "aB", "ab", "é", "日本", "😀"];
        write(&store, move |tx| {
            for key in all.iter().rev() {
                tx.put(Table::Rules, key, key.as_bytes()).unwrap();
            }
            Ok(())
        })
        .unwrap();
        store.read(|tx| {
            let rows = tx.scan(Table::Rules, Scan::prefix("")).unwrap();
            assert_eq!(rows.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), all);
            assert_eq!(tx.get(Table::Rules, "\0").unwrap().unwrap(), b"\0");
            assert_eq!(tx.scan(Table::Rules, Scan::prefix("\0")).unwrap().len(), 2);
            assert_eq!(tx.scan(Table::Rules, Scan::prefix("a")).unwrap().len(), 3);
            assert!(tx.scan(Table::Groups, Scan::prefix("")).unwrap().is_empty());
        });
        write(&store, |tx| tx.delete(Table::Rules, "\0\0a").map_err(|_| "store")).unwrap();
        assert_eq!(store.read(|tx| tx.scan(Table::Rules, Scan::prefix("\0")).unwrap().len()), 1);
    });
}

/// Reads ask the server from wherever they are called; none of the ways may block the runtime.
#[test]
fn reads_work_in_and_outside_of_every_runtime() {
    on_each(|store| {
        write(&store, |tx| tx.put(Table::Users, "a", b"1").map_err(|_| "store")).unwrap();
        let reads = || {
            store.read(|tx| {
                assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"1");
                assert_eq!(tx.scan(Table::Users, Scan::prefix("")).unwrap().len(), 1);
            });
        };
        reads();
        wait(async { reads() });
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        threads.unwrap().block_on(async {
            reads();
            let store = store.clone();
            let task = async move { store.read(|tx| tx.get(Table::Users, "a").unwrap()) };
            assert!(tokio::spawn(task).await.unwrap().is_some());
        });
    });
}

#[test]
fn a_read_sees_one_moment() {
    on_each(|store| {
        if !store.is_shared() {
            return;
        }
        write(&store, |tx| tx.put(Table::Users, "a", b"1").map_err(|_| "store")).unwrap();
        store.read(|tx| {
            assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"1");
            let other = store.clone();
            let change = std::thread::spawn(move || {
                write(&other, |tx| tx.put(Table::Users, "a", b"2").map_err(|_| "store"))
            });
            change.join().unwrap().unwrap();
            assert_eq!(tx.get(Table::Users, "a").unwrap().unwrap(), b"1");
        });
        assert_eq!(store.read(|tx| tx.get(Table::Users, "a").unwrap()).unwrap(), b"2");
    });
}

/// Takes all shards, as a node that is alone.
fn own(store: &Store) -> u64 {
    let claim =
        Claim { node: "test".into(), address: String::new(), released: Vec::new(), leaving: false };
    let leases = store.lease(&claim).unwrap();
    assert_eq!(leases.held.len(), SHARDS as usize);
    leases.held[0].epoch
}

fn commit(store: &Store, shard: u32, epoch: u64, lsn: u64, bytes: &[u8]) -> Result<(), Error> {
    let entry = Some((lsn, bytes.to_vec()));
    wait(store.commit(Commit { shard, epoch, entry, ..Commit::default() }))
}

#[test]
fn a_commit_keeps_its_entry_its_rows_and_the_order_of_its_journal() {
    on_each(|store| {
        let epoch = own(&store);
        for (shard, lsn) in [(0, 1), (1, 1), (0, 2), (0, 3)] {
            commit(&store, shard, epoch, lsn, format!("fact {lsn}").as_bytes()).unwrap();
        }
        let rows = Commit {
            shard: 0,
            epoch,
            entry: Some((4, b"last".to_vec())),
            writes: vec![
                Write::Put(Table::Executions, "日本".into(), b"RUNNING".to_vec()),
                Write::Put(Table::Executions, "gone".into(), b"x".to_vec()),
                Write::Delete(Table::Executions, "gone".into()),
            ],
            truncate: Some(2),
        };
        wait(store.commit(rows)).unwrap();
        store.read(|tx| {
            let left = tx.journal(0, 0, 10).unwrap();
            let seen: Vec<_> = left.iter().map(|entry| (entry.lsn, &*entry.bytes)).collect();
            assert_eq!(seen, [(3, &b"fact 3"[..]), (4, &b"last"[..])]);
            assert_eq!(tx.journal(0, 3, 10).unwrap().len(), 1);
            assert_eq!(tx.journal(1, 0, 10).unwrap().len(), 1);
            assert_eq!(tx.get(Table::Executions, "日本").unwrap().unwrap(), b"RUNNING");
            assert_eq!(tx.get(Table::Executions, "gone").unwrap(), None);
        });
    });
}

#[test]
fn a_change_may_ask_who_owns_a_shard() {
    on_each(|store| {
        let (shard, epoch) = (3, own(&store));
        let asked = wait(store.write(move |tx| tx.expect_owner(Lease { shard, epoch })));
        asked.unwrap().unwrap();
        store.reset().unwrap();
        let asked = wait(store.write(move |tx| tx.expect_owner(Lease { shard, epoch })));
        asked.unwrap().unwrap();
    });
}

#[test]
fn a_position_is_given_once() {
    on_each(|store| {
        let epoch = own(&store);
        commit(&store, 3, epoch, 1, b"first").unwrap();
        assert!(commit(&store, 3, epoch, 1, b"again").is_err());
        commit(&store, 3, epoch, 2, b"second").unwrap();
        let journal = store.read(|tx| tx.journal(3, 0, 10).unwrap());
        assert_eq!(
            journal.iter().map(|entry| &*entry.bytes).collect::<Vec<_>>(),
            [&b"first"[..], b"second"]
        );
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
    on_each_with_a_writer(|store| {
        let lost = wait(store.write(|tx| -> Result<(), ()> {
            tx.put(Table::Users, "a", b"1").unwrap();
            panic!("on purpose");
        }));
        assert!(matches!(lost, Err(Error::Closed)));
        write(&store, |tx| tx.put(Table::Users, "b", b"1").map_err(|_| "store")).unwrap();
        assert_eq!(store.read(|tx| tx.get(Table::Users, "a").unwrap()), None);
    });
}

#[test]
fn reset_empties_everything() {
    on_each(|store| {
        write(&store, |tx| {
            tx.put(Table::Users, "a", b"1").unwrap();
            Ok(())
        })
        .unwrap();
        let epoch = own(&store);
        commit(&store, 0, epoch, 1, b"fact").unwrap();
        store.reset().unwrap();
        store.read(|tx| {
            assert_eq!(tx.get(Table::Users, "a").unwrap(), None);
            assert!(tx.journal(0, 0, 10).unwrap().is_empty());
        });
        commit(&store, 0, epoch, 1, b"fact").unwrap();
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

/// Writes a row and a journal entry, damages both on disk, and opens the store again.
#[test]
fn what_is_damaged_is_reported_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let epoch = own(&store);
    commit(&store, 0, epoch, 1, b"fact").unwrap();
    write(&store, |tx| tx.put(Table::Users, "a", b"1").map_err(|_| "store")).unwrap();
    drop(store);
    let raw = rusqlite::Connection::open(directory.path().join("stepwell.sqlite")).unwrap();
    raw.execute("UPDATE journal SET bytes = x'00'", []).unwrap();
    raw.execute("UPDATE iam_users SET value = CAST(x'00' || substr(value, 2) AS BLOB)", [])
        .unwrap();
    drop(raw);
    let store = Store::open(directory.path()).unwrap();
    let read = store.read(|tx| tx.journal(0, 0, 10));
    assert!(matches!(read, Err(Error::Corrupt { place, .. }) if place == "journal 0/1"));
    let read = store.read(|tx| tx.get(Table::Users, "a"));
    assert!(matches!(read, Err(Error::Corrupt { place, .. }) if place == "iam_users/a"));
    let read = store.read(|tx| tx.scan(Table::Users, Scan::prefix("")));
    assert!(matches!(read, Err(Error::Corrupt { .. })));
}

#[test]
fn another_process_may_look_while_one_writes() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(Store::look_at(directory.path()), Err(Error::Backend(_))));
    let store = Store::open(directory.path()).unwrap();
    let onlooker = Store::look_at(directory.path()).unwrap();
    write(&store, |tx| tx.put(Table::Users, "a", b"1").map_err(|_| "store")).unwrap();
    assert_eq!(onlooker.read(|tx| tx.get(Table::Users, "a").unwrap()).unwrap(), b"1");
    let refused = wait(onlooker.write(|tx| tx.put(Table::Users, "b", b"1")));
    assert!(matches!(refused, Err(Error::Closed)));
}

#[test]
fn many_writers_share_commits_and_all_are_kept() {
    on_each_with_a_writer(|store| {
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
    });
}
