//! What `stepwell check` finds: nothing in a sound directory, and whatever keeps a reader from what
//! was written in a damaged one.

use std::os::unix::fs::FileExt;
use std::path::Path;

use store::{Commit, Read, Scan, Store, Table, Write, check};

use super::{own, wait};

const ROWS: usize = 600;

fn write(store: &Store, rows: std::ops::Range<usize>) {
    let epoch = own(store);
    for at in rows {
        let value = format!("{at}/").repeat(40).into_bytes();
        let writes = vec![Write::Put(Table::Users, format!("user/{at:05}/日本"), value)];
        let entry = Some((at as u64 + 1, format!("entry {at}").into_bytes()));
        let commit = Commit { shard: 1, epoch, entry, writes, truncate: None };
        wait(store.commit(commit)).unwrap();
    }
}

/// Everything as readers see it, lists and single rows; none when somebody hears of damage.
fn seen(directory: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let store = Store::look_at(directory).ok()?;
    store.read(|tx: &dyn Read| {
        let rows = tx.scan(Table::Users, Scan::prefix("").limit(10_000)).ok()?;
        let by_key = |at| {
            let key = format!("user/{at:05}/日本");
            let value = tx.get(Table::Users, &key).ok()??;
            Some((key, value))
        };
        let alone: Vec<_> = (0..ROWS).filter_map(by_key).collect();
        let entries = tx.journal(1, 0, 10_000).ok()?;
        (rows == alone && entries.len() == ROWS).then_some(rows)
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_sound_directory_has_no_findings_while_it_is_written_to_and_after() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    write(&store, 0..ROWS);
    let checked = check(directory.path(), |_| {}).unwrap();
    assert_eq!(checked.findings, []);
    assert!(0 < checked.commits + checked.rows, "{checked:?}");
    drop(store);
    let checked = check(directory.path(), |_| {}).unwrap();
    assert_eq!(checked.findings, []);
    // The log and the tables are told apart, but nothing is in neither.
    assert_eq!(checked.entries + checked.commits, ROWS as u64, "{checked:?}");
    assert!(!checked.is_torn);
    assert!(check(&directory.path().join("elsewhere"), |_| {}).is_err());
}

/// Whichever byte changes: if a reader no longer sees what was written, it is found.
#[test]
fn what_hides_or_changes_a_row_is_found() {
    let whole = tempfile::tempdir().unwrap();
    let store = Store::open(whole.path()).unwrap();
    write(&store, 0..ROWS);
    drop(store);
    let expected = seen(whole.path()).unwrap();
    let length = whole.path().join("stepwell.sqlite").metadata().unwrap().len();
    let (mut random, mut harmful, mut harmless) = (4_711_u64, 0, 0);
    for _ in 0..90 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (random >> 20) % length;
        let damaged = tempfile::tempdir().unwrap();
        copy(whole.path(), damaged.path());
        let file = damaged.path().join("stepwell.sqlite");
        let file = std::fs::File::options().read(true).write(true).open(file).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ (1 << (random % 8))], at).unwrap();
        let seems_sound =
            check(damaged.path(), |_| {}).is_ok_and(|checked| checked.findings.is_empty());
        if seen(damaged.path()).as_ref() == Some(&expected) {
            harmless += 1;
        } else {
            assert!(!seems_sound, "byte {at} hides something, and nothing was found");
            harmful += 1;
        }
    }
    assert!(5 < harmful && 5 < harmless, "{harmful} and {harmless}");
}

#[test]
fn damage_in_the_log_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    write(&store, 0..20);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    let log =
        std::fs::File::options().write(true).open(killed.path().join("commits-a.log")).unwrap();
    log.write_all_at(b"?", 30).unwrap();
    let checked = check(killed.path(), |_| {}).unwrap();
    let [finding] = &checked.findings[..] else { panic!("{checked:?}") };
    assert!(finding.place.contains("commits-a.log at byte 0"), "{finding:?}");
}
