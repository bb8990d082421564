use std::num::NonZero;

use proptest::prelude::*;

use super::super::contents::tests::Sample;
use super::super::read::{self, Bundle, Form};
use super::super::set::Set;
use super::super::write::Writer;
use super::super::{Layout, contents};
use super::*;
use crate::event::Silent;
use crate::oci::Arch;
use crate::verify::{self, Report};

/// A bundle in parts of `size` bytes, and the whole archive's bytes.
struct Case {
    directory: tempfile::TempDir,
    whole: Vec<u8>,
    parts: Vec<PathBuf>,
}

impl Case {
    fn new(size: u64) -> Self {
        let sample = Sample::new(&[Arch::Arm64]);
        let directory = tempfile::tempdir().unwrap();
        let other = directory.path().join("other/b.tar.gz");
        fs::create_dir(other.parent().unwrap()).unwrap();
        sample.write(&other);
        let whole = fs::read(&other).unwrap();
        fs::remove_dir_all(other.parent().unwrap()).unwrap();
        let layout = Layout::new(contents::assemble(&sample.parts).unwrap()).unwrap();
        let writer = Writer::begin(&directory.path().join("b.tar.gz"), layout, Some(size), false).unwrap();
        let parts: Vec<_> = writer.files().map(Path::to_owned).collect();
        for index in (0..writer.layout().members().len()).rev() {
            let slot = writer.slot(index);
            if let super::super::Content::Blob(digest) = slot.member().content {
                slot.write_at(0, &sample.blobs[&digest]).unwrap();
            }
        }
        assert_eq!(writer.seal().unwrap().publish().unwrap().sha256, Digest::of(&whole));
        Self { directory, whole, parts }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("b.tar.gz")
    }

    fn unlist(&self) {
        fs::remove_file(checksum_path(&self.path())).unwrap();
    }

    fn verify(&self) -> Report {
        verify::verify(&self.parts[0], NonZero::new(2).unwrap(), None, &Silent).unwrap()
    }

    fn open(&self) -> Result<Bundle, read::Error> {
        Bundle::open(&self.parts[0])
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            entries(self.directory.path()).map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

/// What `verify` says, in one text.
fn told(report: &Report) -> String {
    assert!(!report.good);
    let one = |f: &verify::Finding| format!("{}: {}\n", f.member.as_deref().unwrap_or_default(), f.message);
    report.findings.iter().map(one).collect()
}

fn error(result: Result<Bundle, read::Error>) -> Error {
    match result.unwrap_err() {
        read::Error::Parts(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_are_those_of_parts() {
    let part = |name: &str| parse(Path::new(name)).map(|(archive, n)| (archive.to_str().unwrap().to_owned(), n));
    assert_eq!(part("d/x.tar.gz.part-001"), Some(("d/x.tar.gz".to_owned(), 1)));
    assert_eq!(path(Path::new("d/x.tar.gz"), 12), Path::new("d/x.tar.gz.part-012"));
    for other in
        ["x.tar.gz", "x.part-1", "x.part-0001", "x.part-00a", "x.part-000", ".part-001", "x.part-001/", "x.part--01"]
    {
        assert!(part(other).is_none() || other.ends_with('/'), "{other}");
    }
    let grouped = group(&["b", "x.part-002", "a/y.part-001", "c/x.part-001", "b"]);
    let expected: [&[&str]; 4] = [&["b"], &["x.part-002", "c/x.part-001"], &["a/y.part-001"], &["b"]];
    assert_eq!(grouped, expected.map(|group| group.iter().map(PathBuf::from).collect::<Vec<_>>()));
}

#[test]
fn sizes_that_serve_nobody_are_refused() {
    check(5_000_000, MIN_SIZE).unwrap();
    check(MIN_SIZE * MAX_PARTS, MIN_SIZE).unwrap();
    for (size, part) in
        [(5_000_000, 1), (5_000_000, 0), (5_000_000, MIN_SIZE - 1), (MIN_SIZE * MAX_PARTS + 1, MIN_SIZE)]
    {
        let error = check(size, part).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("1000000"), "{error}");
    }
    let whole = vec![(PathBuf::from("x"), 10)];
    assert_eq!((files(Path::new("x"), 10, Some(10)), files(Path::new("x"), 10, None)), (whole.clone(), whole));
}

#[test]
fn parts_are_read_as_one() {
    let case = Case::new(100_000);
    assert!(case.parts.len() > 2);
    let sums = fs::read_to_string(checksum_path(&case.path())).unwrap();
    assert_eq!(sums.lines().count(), case.parts.len());
    for ways in [
        vec![case.parts[0].clone()],
        vec![case.parts[1].clone()],
        vec![case.path()],
        vec![case.directory.path().to_owned()],
        case.parts.iter().rev().cloned().collect(),
        [case.parts.clone(), case.parts.clone()].concat(),
    ] {
        let bundle = Bundle::open_all(&ways).unwrap();
        assert_eq!(bundle.form(), Form::Canonical);
        assert_eq!(bundle.parts().unwrap().paths.len(), case.parts.len());
        assert_eq!((bundle.published().unwrap(), bundle.archive_size()), (None, Some(case.whole.len() as u64)));
        let report = verify::verify_all(&ways, None, NonZero::new(2).unwrap(), None, &Silent).unwrap();
        assert!(report.good, "{ways:?}: {:#?}", report.findings);
    }
    assert_eq!(Set::open(&case.parts).unwrap().bundles().len(), 1);
    let error = error(Bundle::open_all(&[case.parts[0].clone(), "other.part-002".into()]));
    assert!(matches!(error, Error::NotOne(_)), "{error}");

    // Put together it is the archive, and the list of the parts beside it is no fault of it.
    let parts: Vec<u8> = case.parts.iter().flat_map(|part| fs::read(part).unwrap()).collect();
    assert!(parts == case.whole);
    case.parts.iter().for_each(|part| fs::remove_file(part).unwrap());
    fs::write(case.path(), parts).unwrap();
    assert!(verify::verify(&case.path(), NonZero::<usize>::MIN, None, &Silent).unwrap().good);
}

#[test]
fn parts_may_be_on_several_disks() {
    let case = Case::new(100_000);
    let other = case.directory.path().join("stick");
    fs::create_dir(&other).unwrap();
    let moved = other.join(case.parts[1].file_name().unwrap());
    fs::copy(&case.parts[1], &moved).unwrap();
    let named = [case.parts[0].clone(), moved.clone()];
    assert!(matches!(error(Bundle::open_all(&named)), Error::Repeated(paths) if paths.contains(&moved)));
    fs::remove_file(&case.parts[1]).unwrap();
    assert!(verify::verify_all(&named, None, NonZero::<usize>::MIN, None, &Silent).unwrap().good);
    assert!(matches!(error(case.open()), Error::Missing(path) if path == case.parts[1]));
}

#[test]
fn what_was_recompressed_is_read_from_parts_too() {
    use std::io::Write as _;
    let case = Case::new(100_000);
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(case.whole.as_slice()).read_to_end(&mut tar).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    let again = encoder.finish().unwrap();
    case.unlist();
    case.parts.iter().for_each(|part| fs::remove_file(part).unwrap());
    for (number, bytes) in (1..).zip(again.chunks(again.len() / 3 + 1)) {
        fs::write(path(&case.path(), number), bytes).unwrap();
    }
    let bundle = case.open().unwrap();
    assert_eq!((bundle.form(), bundle.archive_size()), (Form::Recompressed, Some(again.len() as u64)));
    assert_eq!(bundle.read("oci-layout", 100).unwrap(), contents::images::LAYOUT.as_bytes());
    assert_eq!(bundle.about().unwrap().name, "observability");
}

#[test]
fn a_missing_part_is_named() {
    for listed in [true, false] {
        let count = Case::new(100_000).parts.len();
        for index in 0..count {
            let case = Case::new(100_000);
            if !listed {
                case.unlist();
            }
            fs::remove_file(&case.parts[index]).unwrap();
            let named = case.parts[usize::from(index == 0)].clone();
            let found = error(Bundle::open(&named));
            let missing = case.parts[index].file_name().unwrap().to_str().unwrap();
            assert!(found.to_string().contains(missing), "{listed} {index}: {found}");
            let report = verify::verify(&named, NonZero::<usize>::MIN, None, &Silent).unwrap();
            assert!(told(&report).contains(missing), "{listed} {index}: {}", told(&report));
        }
    }
}

#[test]
fn a_cut_part_is_named() {
    let case = Case::new(100_000);
    for index in 0..case.parts.len() {
        let bytes = fs::read(&case.parts[index]).unwrap();
        for length in [bytes.len() - 1, bytes.len() / 2, 0] {
            fs::write(&case.parts[index], &bytes[..length]).unwrap();
            let found = error(case.open());
            let name = case.parts[index].file_name().unwrap().to_str().unwrap();
            assert!(found.to_string().contains(name), "{index} {length}: {found}");
            assert_eq!(found.exit(), Exit::Mismatch);
            assert!(told(&case.verify()).contains(&format!("{name}: not the bytes")), "{}", told(&case.verify()));
        }
        fs::write(&case.parts[index], &bytes).unwrap();
    }
}

#[test]
fn swapped_and_repeated_parts_are_named() {
    // A multiple of a block's length in the archive hides what was swapped from all but the sums.
    for (size, seen) in [(70_000, true), (65_540, false)] {
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            let case = Case::new(size);
            assert!(case.parts.len() > 3);
            let bytes = [fs::read(&case.parts[a]).unwrap(), fs::read(&case.parts[b]).unwrap()];
            fs::write(&case.parts[a], &bytes[1]).unwrap();
            let repeated = told(&case.verify());
            let name = |index: usize| case.parts[index].file_name().unwrap().to_str().unwrap().to_owned();
            assert!(repeated.contains(&format!("{}: it has the bytes of `{}`", name(a), name(b))), "{repeated}");
            fs::write(&case.parts[b], &bytes[0]).unwrap();
            let swapped = told(&case.verify());
            for (one, other) in [(a, b), (b, a)] {
                assert!(
                    swapped.contains(&format!("{}: it has the bytes of `{}`", name(one), name(other))),
                    "{swapped}"
                );
            }
            if seen || a == 0 {
                let found = error(case.open());
                let named = if a == 0 { name(0) } else { name(1) };
                assert!(found.to_string().contains(&named), "{found}");
            }
            case.unlist();
            assert!(!case.verify().good);
        }
    }
}

#[test]
fn other_files_are_no_part() {
    let case = Case::new(100_000);
    let more = path(&case.path(), case.parts.len() as u64 + 1);
    fs::copy(&case.parts[0], &more).unwrap();
    assert!(matches!(error(case.open()), Error::Unlisted { part, .. } if part == more));
    case.unlist();
    assert!(case.open().is_err());
    fs::remove_file(&more).unwrap();
    fs::write(case.directory.path().join("other.part-001"), "").unwrap();
    assert!(
        matches!(error(Bundle::open(case.directory.path())), Error::Several { names, .. } if names == ["b.tar.gz", "other"])
    );
    assert!(is_directory_of_parts(case.directory.path()));
    // A directory in a part's place, and a link that leads nowhere.
    fs::remove_file(&case.parts[1]).unwrap();
    fs::create_dir(&case.parts[1]).unwrap();
    assert!(matches!(case.open(), Err(read::Error::NotBundle { .. })));
    fs::remove_dir(&case.parts[1]).unwrap();
    std::os::unix::fs::symlink("nowhere", &case.parts[1]).unwrap();
    assert!(matches!(case.open(), Err(read::Error::Disk { .. })));
}

#[test]
fn every_flipped_bit_of_every_part_is_found() {
    let case = Case::new(150_000);
    case.unlist();
    for (round, place) in (0..case.whole.len()).step_by(4096).enumerate() {
        let part = &case.parts[place / 150_000];
        let mut bytes = fs::read(part).unwrap();
        bytes[place % 150_000] ^= 1 << (round % 8);
        fs::write(part, &bytes).unwrap();
        assert!(!case.verify().good, "bit {} of byte {place}", round % 8);
        bytes[place % 150_000] ^= 1 << (round % 8);
        fs::write(part, &bytes).unwrap();
    }
    assert!(case.verify().good);
}

#[test]
fn another_form_is_replaced() {
    let case = Case::new(100_000);
    let sample = Sample::new(&[Arch::Arm64]);
    let path = case.path();
    fs::write(case.directory.path().join(".b.tar.gz.part-009.partial"), "left by a killed run").unwrap();
    fs::write(case.directory.path().join("other.tar.gz.part-001"), "").unwrap();
    sample.write(&path);
    assert_eq!(case.names(), ["b.tar.gz", "b.tar.gz.sha256", "other.tar.gz.part-001"]);
    let layout = || Layout::new(contents::assemble(&sample.parts).unwrap()).unwrap();
    let begin = |size| Writer::begin(&path, layout(), Some(size), false);
    drop(begin(100_000).unwrap());
    assert_eq!(case.names(), ["b.tar.gz", "b.tar.gz.sha256", "other.tar.gz.part-001"], "nothing half is published");
    let first = begin(100_000).unwrap();
    assert!(matches!(begin(100_000), Err(super::super::write::Error::Busy(_))));
    drop(first);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_of_any_size_are_the_archive(size in 4_000_u64..400_000) {
        let case = Case::new(size);
        let parts: Vec<u8> = case.parts.iter().flat_map(|part| fs::read(part).unwrap()).collect();
        prop_assert!(parts == case.whole);
        let text = fs::read_to_string(checksum_path(&case.path())).unwrap();
        for (part, (name, digest)) in case.parts.iter().zip(sums::parse(&text).unwrap()) {
            prop_assert_eq!(part.file_name().unwrap(), name);
            prop_assert_eq!(Digest::of(&fs::read(part).unwrap()), digest);
        }
        let report = verify::verify(&case.parts[0], NonZero::<usize>::MIN, None, &Silent).unwrap();
        prop_assert!(report.good, "{:#?}", report.findings);
    }
}

#[test]
fn parts_that_were_renamed_are_held_against_their_list() {
    let case = Case::new(100_000);
    let renamed = case.directory.path().join("renamed");
    fs::create_dir(&renamed).unwrap();
    for (part, number) in case.parts.iter().zip(1..) {
        fs::copy(part, path(&renamed.join("site.tar.gz"), number)).unwrap();
    }
    fs::copy(checksum_path(&case.path()), checksum_path(&renamed.join("site.tar.gz"))).unwrap();
    let verify = || verify::verify(&renamed, NonZero::new(2).unwrap(), None, &Silent).unwrap();
    assert!(verify().good, "{:?}", verify().findings);
    let second = path(&renamed.join("site.tar.gz"), 2);
    let mut bytes = fs::read(&second).unwrap();
    bytes[50_000] ^= 1;
    fs::write(&second, bytes).unwrap();
    assert!(told(&verify()).contains("site.tar.gz.part-002"), "{:?}", verify().findings);
}

#[test]
fn what_a_mac_leaves_on_a_stick_is_no_part() {
    let case = Case::new(100_000);
    for part in &case.parts {
        let name = format!("._{}", part.file_name().unwrap().to_str().unwrap());
        fs::write(part.with_file_name(name), "Mac OS X").unwrap();
    }
    let report = verify::verify(case.directory.path(), NonZero::new(2).unwrap(), None, &Silent).unwrap();
    assert!(report.good, "{:?}", report.findings);
}

#[test]
fn a_directory_that_holds_an_archive_says_so() {
    let case = Case::new(u64::MAX);
    let report = verify::verify(case.directory.path(), NonZero::new(2).unwrap(), None, &Silent).unwrap();
    assert!(told(&report).contains("if the archive is in there, name it"), "{report:?}");
    let error = Bundle::open(case.directory.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}
