use std::io::{Read as _, Write as _};

use flate2::{Compress, Compression, FlushCompress, GzBuilder};
use proptest::prelude::*;

use super::*;

/// Bytes that shrink a little, with copies from far back.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut bytes: Vec<u8> = Vec::with_capacity(length);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match bytes.len().checked_sub(32_000).filter(|_| state >> 60 == 0) {
            Some(back) => bytes.extend_from_within(back..back + 200),
            None => bytes.extend((state >> 33).to_le_bytes()[..3].iter().map(|byte| byte & 0x3f)),
        }
    }
    bytes.truncate(length);
    bytes
}

fn volume(bytes: &[u8]) -> Arc<Volume> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(Volume::new([(file, bytes.len() as u64)]))
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As programs with many threads write it: each piece ends at a whole byte and knows nothing of the one before.
fn in_pieces(bytes: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::new(9), false);
    let mut archive = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3];
    for piece in bytes.chunks(128 << 10) {
        let mut out = Vec::with_capacity(256 << 10);
        deflate.compress_vec(piece, &mut out, FlushCompress::Full).unwrap();
        archive.extend(out);
    }
    let mut out = Vec::with_capacity(1 << 10);
    deflate.compress_vec(&[], &mut out, FlushCompress::Finish).unwrap();
    archive.extend(out);
    archive.extend(super::gzip::trailer(crc32fast::hash(bytes), bytes.len() as u64));
    archive
}

/// Reads `content` bytes and then to the end.
fn read(archive: &[u8], content: usize) -> Result<Result<Archive, u64>, Fault> {
    let volume = volume(archive);
    let mut reader = Reader::with(&volume, 1)?.expect("it begins as gzip does");
    reader.read(content as u64, &mut [])?;
    reader.finish()
}

fn reason<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    match result {
        Err(Fault::Damaged { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_place_is_found_again_whoever_compressed_it() {
    // With a place every 64 KiB there are too many of them once.
    let tar = noise(20 << 20);
    for archive in [gzip(&tar, 1), gzip(&tar, 9), gzip(&tar, 0), in_pieces(&tar)] {
        let archive = read(&archive, tar.len()).unwrap().unwrap();
        assert!(archive.points.len() <= MAX_POINTS && archive.points.len() > MAX_POINTS / 4, "{archive:?}");
        let step = 1_000_003;
        let places: Vec<usize> = (0..tar.len() - 100).step_by(step).collect();
        // From the end to the start, each from its point; then from the start to the end.
        for at in places.iter().rev().chain(&places).copied() {
            let mut bytes = [0; 100];
            archive.read(at as u64, &mut bytes).unwrap();
            assert!(bytes == tar[at..at + 100], "{at}");
        }
        let mut whole = vec![0; tar.len()];
        archive.read(0, &mut whole).unwrap();
        assert!(whole == tar);
        assert_eq!(reason(archive.read(tar.len() as u64 - 1, &mut [0; 2])), "the archive ends here");
    }
}

#[test]
fn many_threads_read_at_once() {
    let tar = noise(4 << 20);
    let archive = read(&gzip(&tar, 6), tar.len()).unwrap().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..40 {
            let (archive, tar) = (&archive, &tar);
            scope.spawn(move || {
                for at in (thread * 50_000..tar.len() - 70_000).step_by(70_000) {
                    let mut bytes = vec![0; 70_000];
                    archive.read(at as u64, &mut bytes).unwrap();
                    assert!(bytes == tar[at..at + 70_000]);
                }
            });
        }
    });
    assert!(archive.idle.lock().unwrap().len() <= MAX_IDLE);
}

#[test]
fn headers_with_names_and_more_are_passed_over() {
    let tar = noise(10_000);
    let mut archive = Vec::new();
    GzBuilder::new()
        .filename("bundle.tar")
        .comment("by hand")
        .extra(vec![b'x'; 300])
        .mtime(1)
        .read(tar.as_slice(), Compression::best())
        .read_to_end(&mut archive)
        .unwrap();
    assert!(read(&archive, tar.len()).unwrap().is_ok());
    // With the checksum of the header, which no common program writes.
    let mut checked = gzip(&tar, 6);
    checked[3] |= 2;
    checked.splice(10..10, [0, 0]);
    assert!(read(&checked, tar.len()).unwrap().is_ok());

    let mut endless = gzip(&tar, 6);
    endless[3] |= 8;
    endless.splice(10..10, [vec![b'x'; 70_000], vec![0]].concat());
    assert!(reason(read(&endless, 0)).contains("does not end within 64 KiB"));
    for (at, byte) in [(2, 7), (3, 0x20), (3, 0xe0)] {
        let mut unknown = gzip(&tar, 6);
        unknown[at] = byte;
        assert!(reason(read(&unknown, 0)).contains("of no kind that is known"), "{at} {byte}");
    }
    assert!(Reader::open(&volume(b"PK")).unwrap().is_none());
}

#[test]
fn what_follows_is_counted() {
    let tar = noise(70_000);
    let good = gzip(&tar, 6);
    for more in [&b"x"[..], &[0; 512], &good, &gzip(b"", 6)] {
        let result = read(&[&good, more].concat(), tar.len()).unwrap();
        assert_eq!(result.err(), Some(more.len() as u64));
    }
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let tar = noise(70_000);
    let good = gzip(&tar, 9);
    for length in (2..good.len()).step_by(977).chain(good.len() - 12..good.len()) {
        reason(read(&good[..length], tar.len()));
    }
    for (round, place) in (10..good.len()).step_by(331).chain(good.len() - 8..good.len()).enumerate() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (round % 8);
        match read(&bytes, tar.len()) {
            Err(Fault::Damaged { .. }) | Ok(Err(_)) => {}
            other => panic!("bit {} of byte {place}: {other:?}", round % 8),
        }
    }
}

#[test]
fn what_grows_without_end_is_given_up() {
    let bomb = gzip(&vec![0; 80 << 20], 9);
    assert!(reason(read(&bomb, 80 << 20)).contains("more than a hundred times"));
    assert!(reason(read(&bomb, 1 << 20)).contains("zeros after its end"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_reads_in_any_order_are_right(
        reads in prop::collection::vec((any::<u32>(), 0_usize..300_000), 1..40),
        level in 0_u32..10,
    ) {
        let tar = noise(2 << 20);
        let archive = read(&gzip(&tar, level), tar.len()).unwrap().unwrap();
        for (at, length) in reads {
            let at = at as usize % tar.len();
            let end = tar.len().min(at + length);
            let mut bytes = vec![0; end - at];
            archive.read(at as u64, &mut bytes).unwrap();
            prop_assert!(bytes == tar[at..end]);
        }
    }
}
