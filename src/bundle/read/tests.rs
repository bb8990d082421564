use std::fs;
use std::io::Write as _;

use proptest::prelude::*;

use super::super::contents::tests::Sample;
use super::super::gzip;
use super::*;
use crate::error::Diagnostic as _;
use crate::exit::Exit;
use crate::oci::Arch;

fn written() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    Sample::new(&[Arch::Arm64]).write(&path);
    (directory, path)
}

/// The bytes of a gzip file, by another reader.
fn tar_of(path: &Path) -> Vec<u8> {
    let mut tar = Vec::new();
    io::Read::read_to_end(&mut flate2::read::GzDecoder::new(File::open(path).unwrap()), &mut tar).unwrap();
    tar
}

#[test]
fn says_what_it_is() {
    let (_directory, path) = written();
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle.about().unwrap(), Sample::new(&[Arch::Arm64]).parts.bundle);
    assert_eq!(bundle.form(), Form::Canonical);
    assert_eq!(bundle.find("bundle.yaml"), Some(0));
    assert_eq!(bundle.find("nothing"), None);
    assert!(matches!(bundle.read("nothing", 10), Err(Error::Missing { .. })));
    assert!(matches!(bundle.read("bundle.yaml", 10), Err(Error::TooLarge { limit: 10, .. })));
    assert!(bundle.read_at(0, bundle.members()[0].size, &mut [0]).is_err());
    assert!(bundle.read_at(0, u64::MAX, &mut [0]).is_err());
    assert!(bundle.read_at(0, bundle.members()[0].size, &mut []).is_ok());
}

#[test]
fn more_members_than_any_bundle_has_are_refused() {
    let name = |at: u64| tar::header(&at.to_string(), 0o644, 0).unwrap();
    let mut read = 0;
    let error = walk(
        Path::new("x"),
        |at, header| {
            read += 1;
            // It ends by itself, so that who reads on gives no error.
            header.copy_from_slice(&if read > MAX_MEMBERS + 10 { [0; 512] } else { name(at) });
            Ok(())
        },
        None,
    );
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::Damaged { reason, .. } if reason == "more than 100000 members"), "{error}");
    assert_eq!(read, MAX_MEMBERS + 1);

    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b")).unwrap();
    fs::write(root.path().join("a/b/file"), "").unwrap();
    std::os::unix::fs::symlink("file", root.path().join("a/b/link")).unwrap();
    fs::write(root.path().join("a/b/one\nline"), "").unwrap();
    let (members, foreign) = directory::list(root.path(), 3).unwrap();
    let foreign: Vec<_> = foreign.iter().map(|foreign| foreign.path.as_str()).collect();
    assert_eq!((members.len(), foreign), (1, vec!["a/b/link", "a/b/one\\nline"]));
    assert!(matches!(directory::list(root.path(), 2), Err(Error::NotBundle { .. })));
}

#[test]
fn a_tar_without_an_end_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let header = |name| tar::header(name, 0o644, 0).unwrap();
    fs::write(&path, gzip::store(&[header("a"), header("b")].concat())).unwrap();
    let error = Bundle::open(&path).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[test]
fn damage_ends_a_read_with_its_place() {
    let (_directory, path) = written();
    let mut bytes = fs::read(&path).unwrap();
    let place = usize::try_from(gzip::file_offset(65_535)).unwrap() - 3;
    bytes[place] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    let over = bundle.members().iter().position(|m| m.range().start < 65_535 && m.range().end > 65_536).unwrap();
    let mut content = vec![0; usize::try_from(bundle.members()[over].size).unwrap()];
    let error = bundle.read_at(over, 0, &mut content).unwrap_err();
    assert!(matches!(error, Error::Damaged { at: 65_535, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);
    bundle.read("bundle.yaml", 1 << 20).unwrap();
}

#[test]
fn a_newer_bundle_is_told_before_its_fields() {
    let (_directory, path) = written();
    let mut tar = tar_of(&path);
    let at = tar.windows(9).position(|window| window == b"schema: 1").unwrap();
    tar[at + 8] = b'2';
    let at = tar.windows(5).position(|window| window == b"name:").unwrap();
    tar[at] = b'N';
    fs::write(&path, gzip::store(&tar)).unwrap();
    let error = Bundle::open(&path).unwrap().about().unwrap_err();
    assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn a_bomb_ends_early() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b.tar.gz");
    let mut encoder = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::best());
    encoder.write_all(&super::tar::header("bundle.yaml", 0o644, 0).unwrap()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap();
    let error = Bundle::open(&path).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.to_string().contains("zeros"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_range_of_any_form_is_the_same(reads in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>()), 1..40)) {
        let (directory, path) = written();
        let tar = tar_of(&path);
        let other = directory.path().join("other.tar.gz");
        let mut encoder = flate2::write::GzEncoder::new(File::create(&other).unwrap(), flate2::Compression::fast());
        encoder.write_all(&tar).unwrap();
        encoder.finish().unwrap();
        let bundles = [Bundle::open(&path).unwrap(), Bundle::open(&other).unwrap()];
        prop_assert_eq!(bundles[1].form(), Form::Recompressed);
        for (index, from, length) in reads {
            let members = bundles[0].members();
            let index = index as usize % members.len();
            let from = u64::from(from) % (members[index].size + 1);
            let length = u64::from(length) % (members[index].size - from + 1);
            let start = members[index].range().start + from;
            let expected = &tar[usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap()];
            for bundle in &bundles {
                let mut bytes = vec![0; expected.len()];
                bundle.read_at(index, from, &mut bytes).unwrap();
                prop_assert!(bytes == expected);
            }
        }
    }
}
