use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

#[test]
fn keeps_small_blobs_and_forgets_damaged_ones() {
    let (_directory, store) = store();
    let digest = Digest::of(b"bytes");
    assert_eq!(store.read(digest, 100).unwrap(), None);
    store.write(digest, b"bytes").unwrap();
    assert_eq!(store.read(digest, 5).unwrap().unwrap(), "bytes");
    assert_eq!(store.size(digest), Some(5));
    assert_eq!(fs::metadata(store.path(digest)).unwrap().permissions().mode() & 0o600, 0o600);
    fs::write(store.path(digest), "bytez").unwrap();
    assert_eq!(store.read(digest, 100).unwrap(), None);
    assert_eq!(store.size(digest), None);
}

#[test]
fn a_partial_blob_goes_on_where_it_was() {
    let (directory, store) = store();
    let size = 2 * SEGMENT + 10;
    let digest = Digest::of(b"x");
    let partial = store.partial(digest, size).unwrap().unwrap();
    assert!(partial.arrived().is_empty());
    assert!(store.partial(digest, size).unwrap().is_none(), "locked");
    partial.write_at(0, b"abc").unwrap();
    partial.note(&(0..3)).unwrap();
    partial.write_at(SEGMENT - 2, b"0123456789").unwrap();
    partial.note(&(SEGMENT - 2..SEGMENT + 8)).unwrap();
    drop(partial);
    // What follows a gap in its segment does not count; what begins a segment does.
    let partial = Store::open(directory.path()).unwrap().partial(digest, size).unwrap().unwrap();
    assert_eq!(partial.arrived(), [0..3, SEGMENT..SEGMENT + 8]);
    let mut bytes = [0; 3];
    partial.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"abc");
    partial.publish().unwrap();
    assert_eq!(store.size(digest), Some(size));
    drop(partial);
    // Another size: nothing of it is trusted.
    store.partial(digest, 100).unwrap().unwrap().note(&(0..50)).unwrap();
    let partial = store.partial(digest, 101).unwrap().unwrap();
    assert!(partial.arrived().is_empty());
    partial.discard();
    assert_eq!(fs::read_dir(directory.path().join("partial")).unwrap().count(), 0);
}

#[test]
fn what_a_dead_run_left_is_removed_and_what_a_live_one_has_is_not() {
    let (directory, store) = store();
    let live = store.temporary().unwrap();
    let second = Store::open(directory.path()).unwrap();
    assert!(live.path().exists());
    let (_, path) = live.keep().unwrap();
    drop((store, second));
    Store::open(directory.path()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_wrong_count_in_the_table_reads_no_further_than_its_segment() {
    let (directory, store) = store();
    let digest = Digest::of(b"x");
    drop(store.partial(digest, 10).unwrap().unwrap());
    let path = directory.path().join("partial").join(digest.hex());
    fs::write(path, [0xff; 18]).unwrap();
    let partial = store.partial(digest, 10).unwrap().unwrap();
    assert_eq!(partial.arrived().first(), Some(&(0..10)));
}
