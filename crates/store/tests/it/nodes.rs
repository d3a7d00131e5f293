//! Several nodes on one PostgreSQL: who may write, and what becomes of who may no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::{Claim, Commit, Error, Lease, SHARDS, Save, Scan, Store, Table, Write};

use crate::database::Database;
use crate::wait;

fn claim(node: &str) -> Claim {
    let address = format!("http://{node}");
    Claim { node: node.into(), address, released: Vec::new(), leaving: false }
}

fn put(lease: Lease, lsn: u64, key: &str) -> Commit {
    Commit {
        shard: lease.shard,
        epoch: lease.epoch,
        entry: Some((lsn, b"fact".to_vec())),
        writes: vec![Write::Put(Table::Executions, key.into(), b"x".to_vec())],
        truncate: None,
    }
}

fn keys(store: &Store) -> Vec<String> {
    let rows = store.read(|tx| tx.scan(Table::Executions, Scan::prefix("")).unwrap());
    rows.into_iter().map(|(key, _)| key).collect()
}

/// Makes all leases and nodes run out, as if time had passed.
fn expire(database: &Database) {
    let client = database.client();
    client.execute("UPDATE stepwell_shards SET until_millis = 0");
    client.execute("UPDATE stepwell_nodes SET until_millis = 0");
}

#[test]
fn two_nodes_share_and_each_knows_where_the_others_shards_are() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    assert!(a.is_shared());
    assert_eq!(a.lease(&claim("a")).unwrap().held.len(), SHARDS as usize);
    assert_eq!(b.lease(&claim("b")).unwrap().held, []);
    let shed = a.lease(&claim("a")).unwrap().shed;
    assert_eq!(shed.len(), SHARDS as usize / 2);
    a.lease(&Claim { released: shed.clone(), ..claim("a") }).unwrap();
    let leases = b.lease(&claim("b")).unwrap();
    assert_eq!(leases.held.iter().map(|lease| lease.shard).collect::<Vec<_>>(), shed);
    assert!(leases.held.iter().all(|lease| lease.epoch == 2));
    assert_eq!((leases.nodes, leases.owners.len()), (2, SHARDS as usize));
    assert_eq!(leases.owners[0], (0, "http://a".into()));
    a.lease(&Claim { leaving: true, ..claim("a") }).unwrap();
    assert_eq!(b.lease(&claim("b")).unwrap().held.len(), SHARDS as usize);
}

#[test]
fn whoever_falls_silent_is_deposed_and_his_commits_are_refused() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    let first = a.lease(&claim("a")).unwrap().held[0];
    wait(a.commit(put(first, 1, "kept"))).unwrap();
    assert_eq!(b.lease(&claim("b")).unwrap().held, []);
    expire(&database);
    let second = b.lease(&claim("b")).unwrap();
    assert_eq!((second.held.len(), second.nodes), (SHARDS as usize, 1));
    assert_eq!(second.held[0].epoch, first.epoch + 1);
    let refused = wait(a.commit(put(first, 2, "late")));
    assert!(matches!(refused, Err(Error::Fenced { shard: 0 })));
    wait(b.commit(put(second.held[0], 2, "heir's"))).unwrap();
    assert_eq!(keys(&a), ["heir's", "kept"]);
    assert_eq!(a.lease(&claim("a")).unwrap().held, []);
}

#[test]
fn in_one_statement_the_fenced_are_left_out_and_the_others_kept() {
    let Some(database) = Database::fresh() else { return };
    let store = database.store();
    let held = store.lease(&claim("a")).unwrap().held;
    database.client().execute("UPDATE stepwell_shards SET epoch = 9 WHERE shard = 1");
    let outcomes = wait(async {
        let commits = held.iter().map(|lease| {
            let (store, commit) = (store.clone(), put(*lease, 1, &format!("{}", lease.shard)));
            tokio::spawn(async move { store.commit(commit).await.is_ok() })
        });
        let commits: Vec<_> = commits.collect();
        let mut outcomes = Vec::new();
        for commit in commits {
            outcomes.push(commit.await.unwrap());
        }
        outcomes
    });
    assert_eq!(outcomes, (0..SHARDS).map(|shard| shard != 1).collect::<Vec<_>>());
    assert_eq!(keys(&store), ["0", "2", "3", "4", "5", "6", "7"]);
}

/// A commit is under way, unseen, while its shard is given back and taken again: taking waits until
/// the commit has ended, so whoever reads after taking sees it, and nothing comes later.
#[test]
fn taking_a_shard_waits_for_commits_under_way_and_later_ones_are_refused() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    let first = a.lease(&claim("a")).unwrap().held[0];
    // Holds the commit up behind the fence: it will want to write this row.
    let holder = database.client();
    wait(a.commit(put(first, 1, "row"))).unwrap();
    holder.execute("BEGIN; UPDATE stepwell_rows SET value = value WHERE key = 'row'");
    let commit = {
        let a = a.clone();
        std::thread::spawn(move || wait(a.commit(put(first, 2, "row"))))
    };
    let watcher = database.client();
    while watcher
        .number("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        == 0
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nobody has renewed for long. The rows cannot be made old here: the commit has locked one.
    let taken = Arc::new(AtomicBool::new(false));
    let turn = {
        let taken = taken.clone();
        std::thread::spawn(move || {
            let mut heir = b.lease(&Claim { released: vec![0], ..claim("a") }).unwrap();
            taken.store(true, Ordering::SeqCst);
            let seen = b.read(|tx| tx.journal(0, 0, 10).unwrap().len());
            (heir.held.remove(0), seen)
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    assert!(!taken.load(Ordering::SeqCst), "the turn waits for the commit");
    holder.execute("COMMIT");
    commit.join().unwrap().unwrap();
    let (second, seen) = turn.join().unwrap();
    assert_eq!((second.epoch, seen), (first.epoch + 1, 2));
    assert!(matches!(wait(a.commit(put(first, 3, "row"))), Err(Error::Fenced { shard: 0 })));
}

#[test]
fn changes_of_the_control_plane_by_two_nodes_happen_one_after_another() {
    let Some(database) = Database::fresh() else { return };
    let nodes = [database.store(), database.store()];
    wait(nodes[0].write(|tx| tx.save(Table::Users, "n", &0))).unwrap().unwrap();
    wait(async {
        let adds = (0..60).map(|at| {
            let store = nodes[at % 2].clone();
            tokio::spawn(async move {
                let add = store.write(|tx| {
                    let before: i64 = store::Load::load(tx, Table::Users, "n")?.unwrap();
                    tx.save(Table::Users, "n", &(before + 1))
                });
                add.await.unwrap().unwrap();
            })
        });
        for add in adds.collect::<Vec<_>>() {
            add.await.unwrap();
        }
    });
    let sum: Option<i64> = nodes[1].read(|tx| store::Load::load(tx, Table::Users, "n").unwrap());
    assert_eq!(sum, Some(60));
}

#[test]
fn a_deposed_node_changes_nothing_in_the_control_plane_for_its_processes() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    let lease = a.lease(&claim("a")).unwrap().held[0];
    let effect = move |tx: &mut dyn store::Transaction| {
        tx.expect_owner(lease)?;
        tx.put(Table::Users, "made", b"1")
    };
    wait(b.lease(&claim("b")).map(|_| a.write(effect)).unwrap()).unwrap().unwrap();
    expire(&database);
    b.lease(&claim("b")).unwrap();
    wait(b.write(|tx| tx.delete(Table::Users, "made"))).unwrap().unwrap();
    let refused = wait(a.write(effect)).unwrap();
    assert!(matches!(refused, Err(Error::Fenced { shard: 0 })));
    assert_eq!(b.read(|tx| tx.get(Table::Users, "made").unwrap()), None);
}

#[test]
fn a_change_of_the_control_plane_is_counted_and_commits_bring_the_count_along() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    let lease = a.lease(&claim("a")).unwrap().held[0];
    assert_eq!(a.generation(), None);
    let seen = |lsn| {
        wait(a.commit(put(lease, lsn, "row"))).unwrap();
        a.generation()
    };
    let first = seen(1);
    wait(b.write(|tx| tx.put(Table::Users, "a", b"1"))).unwrap().unwrap();
    let (at_once, second) = (b.generation(), seen(2));
    // None is smaller than any, and what one sees when the machine is so busy that the moment passes.
    assert!(first < second || second.is_none());
    assert!(at_once == second || at_once.is_none() || second.is_none());
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(a.generation(), None);
}

#[test]
fn connections_that_break_are_made_again() {
    let Some(database) = Database::fresh() else { return };
    let store = database.store();
    let lease = store.lease(&claim("a")).unwrap().held[0];
    wait(store.write(|tx| tx.put(Table::Users, "a", b"1"))).unwrap().unwrap();
    wait(store.commit(put(lease, 1, "a"))).unwrap();
    for lsn in 2..5 {
        assert_eq!(keys(&store).len(), 1);
        database.disconnect();
        wait(store.write(|tx| tx.put(Table::Users, "a", b"1"))).unwrap().unwrap();
        wait(store.commit(put(lease, lsn, "a"))).unwrap();
        assert_eq!(store.lease(&claim("a")).unwrap().held[0], lease);
    }
}

#[test]
fn nodes_that_start_together_make_one_schema_and_a_newer_one_is_refused() {
    let Some(database) = Database::fresh() else { return };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url();
            std::thread::spawn(move || Store::connect(&url).map(drop))
        })
        .collect();
    for start in starts {
        start.join().unwrap().unwrap();
    }
    database.client().execute("UPDATE stepwell_meta SET format = 99");
    let refused = Store::connect(&database.url()).err().unwrap();
    assert!(matches!(refused, Error::Format { found: 99, .. }), "{refused}");
    database.client().execute("UPDATE stepwell_meta SET format = 2, shards = 16");
    assert!(matches!(Store::connect(&database.url()), Err(Error::Corrupt { .. })));
}

#[test]
fn a_store_that_others_work_on_is_not_emptied() {
    let Some(database) = Database::fresh() else { return };
    let (a, b) = (database.store(), database.store());
    a.lease(&claim("a")).unwrap();
    b.lease(&claim("b")).unwrap();
    assert!(matches!(a.reset(), Err(Error::Backend(_))));
    b.lease(&Claim { leaving: true, ..claim("b") }).unwrap();
    a.reset().unwrap();
}

#[test]
fn tls_and_what_is_no_database_are_refused_without_the_password() {
    for text in [
        "postgres://u:s3cret@127.0.0.1:1/db",
        "postgres://u:s3cret@127.0.0.1:1/db?sslmode=require",
        "postgres://u:s3cret@127.0.0.1:no/db",
    ] {
        let url = store::PostgresUrl::parse(text).unwrap();
        let refused = Store::connect(&url).err().unwrap().to_string();
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}
