use proptest::prelude::*;

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
    assert_eq!(store.read(digest, 4).unwrap(), None);
    assert_eq!(store.read(digest, 5).unwrap().unwrap(), "bytes", "what is longer than was asked for stays");
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

#[test]
fn a_link_in_place_of_a_partial_blob_is_not_followed() {
    let (directory, store) = store();
    let digest = Digest::of(b"x");
    let other = directory.path().join("other");
    fs::write(&other, "somebody's").unwrap();
    let link = directory.path().join("partial").join(digest.hex());
    std::os::unix::fs::symlink(&other, &link).unwrap();
    // In a thread, because to follow it would be to look for the name of what was opened for ever.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(store.partial(digest, 10).map(drop)));
    let error = receiver.recv_timeout(Duration::from_secs(60)).expect("the link is not followed").unwrap_err();
    assert_eq!(error.path, link);
    assert_eq!(fs::read_to_string(&other).unwrap(), "somebody's");
}

#[test]
fn what_is_attached_to_a_locked_image_is_kept() {
    let (_directory, store) = store();
    let put = |bytes: &str| {
        let digest = Digest::of(bytes.as_bytes());
        store.write(digest, bytes.as_bytes()).unwrap();
        digest
    };
    let (config, layer, stray) = (put("{}"), put("a signature"), put("nobody needs this"));
    let manifest =
        put(&format!(r#"{{"config":{{"digest":"{config}","size":2}},"layers":[{{"digest":"{layer}","size":11}}]}}"#));
    let image = Digest::of(b"image");
    let text = format!(
        "schema: 1
bundle: {{name: demo, version: '1', kubernetes: '1.36', architectures: [amd64]}}
profiles: {{}}
components: {{}}
images:
  docker.io/example/app:1:
    digest: {image}
    attached:
    - {{to: {image}, digest: {manifest}, media_type: a/manifest, size: 100, content_size: 13}}
"
    );
    let keep = Keep { locks: vec![crate::yaml::parse("lock", &text).unwrap()], younger_than: None };
    let collected = store.collect(&keep, false, SystemTime::now()).unwrap();
    assert_eq!((collected.kept.files, collected.removed.files), (3, 1));
    assert!(store.size(layer).is_some() && store.size(stray).is_none());
}

#[test]
fn a_blob_that_is_too_long_to_be_read_is_not_damaged() {
    let (_directory, store) = store();
    let digest = Digest::of(b"bytes");
    store.write(digest, b"bytes").unwrap();
    assert_eq!(store.read(digest, 4).unwrap(), None);
    assert_eq!(store.size(digest), Some(5));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whatever is noted in whatever order, no byte counts that was not, and a run from a segment's start does.
    #[test]
    fn only_what_was_noted_has_arrived(
        size in 1..=4 * SEGMENT,
        notes in prop::collection::vec((0..16_u64, 0..8_u64), 0..30),
    ) {
        // Sixteenths of a segment, so that notes meet often.
        const STEP: u64 = SEGMENT / 16;
        let (directory, store) = store();
        let partial = store.partial(Digest::of(b"x"), size).unwrap().unwrap();
        let mut noted = vec![false; usize::try_from(size.div_ceil(STEP)).unwrap()];
        for (start, length) in notes {
            let start = (start * 4 * STEP).min(size - 1);
            let range = start..(start + (length + 1) * STEP).min(size);
            partial.note(&range).unwrap();
            for step in range.start / STEP..range.end.div_ceil(STEP) {
                noted[usize::try_from(step).unwrap()] = true;
            }
        }
        let arrived = partial.arrived();
        for range in &arrived {
            prop_assert!(range.start.is_multiple_of(SEGMENT) && range.end <= (range.start + SEGMENT).min(size));
            let steps = range.start / STEP..range.end.div_ceil(STEP);
            prop_assert!(steps.map(|step| usize::try_from(step).unwrap()).all(|step| noted[step]), "{range:?}");
        }
        // In the order of the bytes, everything counts; and the next process finds the same.
        partial.note(&(0..size)).unwrap();
        drop(partial);
        let partial = Store::open(directory.path()).unwrap().partial(Digest::of(b"x"), size).unwrap().unwrap();
        let bytes: u64 = partial.arrived().iter().map(|range| range.end - range.start).sum();
        prop_assert_eq!(bytes, size);
    }
}
