use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::bundle::contents::tests::Sample;
use crate::bundle::model::BundleFile;
use crate::bundle::read::Form;
use crate::bundle::sums;
use crate::bundle::write::Writer;
use crate::bundle::{Layout, Member, gzip};
use crate::error::Diagnostic as _;
use crate::event::Silent;
use crate::exit::Exit;
use crate::lock::model::Unresolved;
use crate::oci::{Arch, Digest, Reference};

mod hostile;
mod structure;

/// A directory with a bundle, and the members of it for changing.
struct Case {
    directory: tempfile::TempDir,
    members: Vec<(String, Vec<u8>)>,
}

impl Case {
    fn new() -> Self {
        Self::of(&Sample::new(&[Arch::Arm64]))
    }

    fn of(sample: &Sample) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.tar.gz");
        sample.write(&path);
        let bundle = Bundle::open(&path).unwrap();
        assert_eq!(bundle.form(), Form::Canonical);
        let read = |member: &read::Entry| (member.path.clone(), bundle.read(&member.path, 1 << 30).unwrap());
        let members = bundle.members().iter().map(read).collect();
        Self { directory, members }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("b.tar.gz")
    }

    fn verify(&self) -> Report {
        verify(&self.path(), NonZero::new(3).unwrap(), None, &Silent).unwrap()
    }

    fn get(&mut self, path: &str) -> &mut Vec<u8> {
        &mut self.members.iter_mut().find(|(name, _)| name == path).unwrap().1
    }

    fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.get(path).clone()).unwrap();
        assert!(text.contains(from), "{path} has no `{from}`:\n{text}");
        *self.get(path) = text.replace(from, to).into_bytes();
    }

    fn add(&mut self, path: &str, bytes: &[u8]) {
        self.members.push((path.to_owned(), bytes.to_vec()));
        self.members.sort_by(|a, b| model::order(&a.0).cmp(&model::order(&b.0)));
    }

    fn remove(&mut self, path: &str) -> Vec<u8> {
        let index = self.members.iter().position(|(name, _)| name == path).unwrap();
        self.members.remove(index).1
    }

    /// The path of some blob whose bytes contain `text`.
    fn blob(&self, text: &str) -> String {
        let contains = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let (path, _) =
            self.members.iter().find(|(path, bytes)| path.starts_with(model::BLOBS) && contains(bytes)).unwrap();
        path.clone()
    }

    /// Writes `SHA256SUMS` for the members as they are now.
    fn sum(&mut self) {
        let list = self.members.iter().filter(|(path, _)| path != model::SUMS);
        let list: String = list.map(|(path, bytes)| sums::line(Digest::of(bytes), path)).collect();
        *self.get(model::SUMS) = list.into_bytes();
    }

    fn layout(&self) -> Layout {
        let member = |(path, bytes): &(String, Vec<u8>)| Member {
            mode: if path.ends_with("tool") || path == "install.sh" { 0o755 } else { 0o644 },
            ..Member::inline(path.as_str(), bytes.clone())
        };
        Layout::new(self.members.iter().map(member).collect()).unwrap()
    }

    /// The members as an archive in canonical form.
    fn write(&self) -> Report {
        Writer::create(&self.path(), self.layout()).unwrap().seal().unwrap().publish().unwrap();
        self.verify()
    }

    fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (index, (_, bytes)) in self.members.iter().enumerate() {
            tar.extend(self.layout().header(index));
            tar.extend(bytes);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    /// Any bytes as the archive, without a checksum file.
    fn put(&self, bytes: &[u8]) -> Report {
        drop(fs::remove_file(crate::bundle::parts::checksum_path(&self.path())));
        fs::write(self.path(), bytes).unwrap();
        self.verify()
    }
}

/// The findings in short.
fn told(report: &Report) -> Vec<(Kind, &str)> {
    assert_eq!(report.good, report.findings.is_empty());
    report.findings.iter().map(|finding| (finding.kind, finding.member.as_deref().unwrap_or_default())).collect()
}

#[test]
fn a_whole_bundle_is_good() {
    for archs in [&[Arch::Arm64][..], &[Arch::Amd64], &[Arch::Amd64, Arch::Arm64]] {
        let case = Case::of(&Sample::new(archs));
        let report = case.verify();
        assert!(report.good, "{:#?}", report.findings);
        assert_eq!(report.form, Some(Form::Canonical));
        assert_eq!((report.images, report.charts, report.files), (3, 1, archs.len() + 1));
        assert_eq!(report.archive_sha256, Some(Digest::of(&fs::read(case.path()).unwrap())));
        let sums = &case.members.iter().find(|(path, _)| path == model::SUMS).unwrap().1;
        assert_eq!(report.sums_sha256, Some(Digest::of(sums)));
        assert_eq!((report.name.as_deref(), report.version.as_deref()), (Some("observability"), Some("1.4.0")));
        // What the other tests change is this.
        assert_eq!(gzip::store(&case.tar()), fs::read(case.path()).unwrap());
    }
}

#[test]
fn an_unpacked_bundle_is_good() {
    let case = Case::new();
    let root = case.directory.path().join("unpacked");
    for (path, bytes) in &case.members {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), bytes).unwrap();
    }
    let verify = || verify(&root, NonZero::<usize>::MIN, None, &Silent).unwrap();
    let report = verify();
    assert!(report.good, "{:#?}", report.findings);
    assert_eq!(report.form, Some(Form::Unpacked));

    fs::write(root.join("files/tool"), "#!/bin/sh\necho progran\n").unwrap();
    assert_eq!(told(&verify()), [(Kind::Digest, "files/tool")]);
    fs::remove_file(root.join("files/tool")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", root.join("files/tool")).unwrap();
    fs::write(root.join("evil"), "").unwrap();
    let report = verify();
    assert_eq!(told(&report), [(Kind::Missing, "files/tool"), (Kind::Extra, "evil"), (Kind::Extra, "files/tool")]);
}

#[test]
fn every_flipped_bit_is_found() {
    let case = Case::new();
    let good = fs::read(case.path()).unwrap();
    fs::remove_file(crate::bundle::parts::checksum_path(&case.path())).unwrap();
    let layout = case.layout();
    let mut places: Vec<u64> = (0..24).chain(good.len() as u64 - 12..good.len() as u64).collect();
    places.extend((0..good.len() as u64).step_by(2111));
    for index in 0..layout.members().len() {
        let data = layout.data(index);
        places.extend(
            [data.start - 512, data.start - 200, data.start, data.end, layout.extent(index).end - 1]
                .map(gzip::file_offset),
        );
    }
    for n in (0..layout.tar_size()).step_by(65_535) {
        places.extend((1..=5).map(|before| gzip::file_offset(n) - before));
    }
    for (round, place) in places.into_iter().enumerate() {
        let place = usize::try_from(place).unwrap();
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (round % 8);
        fs::write(case.path(), &bytes).unwrap();
        let report = case.verify();
        assert!(!report.good, "bit {} of byte {place}", round % 8);
    }
    assert!(case.put(&good).good);
}

#[test]
fn every_cut_is_found() {
    let case = Case::new();
    let good = fs::read(case.path()).unwrap();
    let steps = (0..good.len()).step_by(good.len() / 60);
    for length in (0..30).chain(steps).chain(good.len() - 30..good.len()) {
        let report = case.put(&good[..length]);
        assert!(!report.good, "{length} of {} bytes", good.len());
    }
}

#[test]
fn bytes_after_the_end_are_found() {
    let case = Case::new();
    let good = fs::read(case.path()).unwrap();
    for more in [&b"x"[..], &[0], &[0; 512], &[0; 65_540], &good, &gzip::store(b"")] {
        let report = case.put(&[&good, more].concat());
        assert!(report.findings.iter().any(|f| f.message.contains("bytes follow the gzip member")), "{report:#?}");
    }
    let mut tar = case.tar();
    tar.extend([0; 1024]);
    let report = case.put(&gzip::store(&tar));
    assert_eq!(report.findings[0].message, "it is followed by bytes that belong to nothing");
    tar.extend(case.tar());
    assert!(!case.put(&gzip::store(&tar)).good);
}

#[test]
fn a_recompressed_bundle_is_read_and_told() {
    let case = Case::new();
    for level in [flate2::Compression::none(), flate2::Compression::best()] {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(&case.tar()).unwrap();
        let report = case.put(&encoder.finish().unwrap());
        assert_eq!(report.form, Some(Form::Recompressed));
        assert_eq!(told(&report), [(Kind::Form, "")], "{report:#?}");
        let bundle = Bundle::open(&case.path()).unwrap();
        let last = bundle.members().last().unwrap().path.clone();
        for path in [last.as_str(), "bundle.yaml", "install.sh", last.as_str()] {
            let expected = &case.members.iter().find(|(name, _)| name == path).unwrap().1;
            assert_eq!(&bundle.read(path, 1 << 30).unwrap(), expected);
        }
    }
    let mut tar = case.tar();
    let end = tar.len();
    tar[end - 1] = 1;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    assert_eq!(told(&case.put(&encoder.finish().unwrap())), [(Kind::Unreadable, "")]);
}

#[test]
fn the_checksum_file_beside_counts() {
    let case = Case::new();
    let sums = crate::bundle::parts::checksum_path(&case.path());
    let good = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, good.replace(&good[..64], &"0".repeat(64))).unwrap();
    let report = case.verify();
    assert_eq!(told(&report), [(Kind::Archive, sums.to_str().unwrap())]);
    assert!(report.findings[0].found.as_ref().is_some_and(|found| good.starts_with(&found["sha256:".len()..])));
    let two = good.clone() + &good.replace("b.tar.gz", "c.tar.gz");
    for wrong in ["", "x", "\u{0}", &good.repeat(2), &two] {
        fs::write(&sums, wrong).unwrap();
        assert_eq!(told(&case.verify()), [(Kind::Archive, sums.to_str().unwrap())]);
    }
    fs::remove_file(&sums).unwrap();
    let report = case.verify();
    assert!(report.good && report.archive_sha256.is_none());
}

/// Puts an entry before the first one, as `change` makes its header.
fn with_entry(case: &Case, change: impl FnOnce(&mut ::tar::Header)) -> Report {
    let mut header = ::tar::Header::new_ustar();
    header.set_path("entry").unwrap();
    header.set_size(0);
    header.set_mode(0o644);
    change(&mut header);
    header.set_cksum();
    case.put(&gzip::store(&[header.as_bytes(), case.tar().as_slice()].concat()))
}

#[test]
fn hostile_entries_are_refused() {
    use ::tar::EntryType;
    let case = Case::new();
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::Directory,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ] {
        let report = with_entry(&case, |header| {
            header.set_entry_type(kind);
            drop(header.set_link_name("/etc/passwd"));
        });
        assert_eq!(told(&report), [(Kind::Unreadable, "")], "{kind:?}");
        assert!(report.findings[0].message.contains("plain files only"), "{report:?}");
    }
    for name in [&b"../evil"[..], b"/evil", b"a/../../evil", b"a\nb", b"\xff", b".", b"bundle.yaml"] {
        let report = with_entry(&case, |header| {
            let field = &mut header.as_mut_bytes()[..100];
            field.fill(0);
            field[..name.len()].copy_from_slice(name);
        });
        assert_eq!(told(&report), [(Kind::Unreadable, "")], "{name:?}");
    }
    for size in [u64::MAX, 1 << 62, 1 << 40] {
        let report = with_entry(&case, |header| header.set_size(size));
        assert_eq!(told(&report), [(Kind::Unreadable, "")], "{size}");
    }
}

#[test]
fn what_is_no_bundle_is_told() {
    let case = Case::new();
    for bytes in
        [&b""[..], b"\x1f\x8b", b"PK\x03\x04", &gzip::store(b""), &gzip::store(b"hello"), &gzip::store(&[0; 1024])]
    {
        let report = case.put(bytes);
        assert_eq!(told(&report), [(Kind::Unreadable, "")], "{bytes:?}");
        assert_eq!(report.form, None);
    }
    let missing = verify(Path::new("/nonexistent.tar.gz"), NonZero::<usize>::MIN, None, &Silent);
    assert!(matches!(missing, Err(bundle::Error::Read(read::Error::Disk { .. }))));
    assert_eq!(missing.unwrap_err().exit(), Exit::Usage, "the command line names nothing");
    let pipe = case.directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || drop(sender.send(verify(&pipe, NonZero::<usize>::MIN, None, &Silent).unwrap())));
    let report = receiver.recv_timeout(Duration::from_secs(60)).expect("nobody writes to the pipe or waits for it");
    assert_eq!(told(&report), [(Kind::Unreadable, "")]);
}

#[test]
fn what_is_there_is_what_is_needed_in_its_order() {
    let mut case = Case::new();
    case.remove("sbom.cdx.json");
    case.sum();
    assert_eq!(told(&case.write()), [(Kind::Missing, "sbom.cdx.json")]);

    let mut case = Case::new();
    let list = String::from_utf8(case.get("SHA256SUMS").clone()).unwrap();
    *case.get("SHA256SUMS") = list.split_inclusive('\n').rev().collect::<String>().into_bytes();
    assert_eq!(told(&case.write()), [(Kind::Content, "SHA256SUMS")]);

    let mut case = Case::new();
    case.add("blobs/sha256/zzz", b"x");
    case.sum();
    let report = case.write();
    assert_eq!(told(&report), [(Kind::Extra, "blobs/sha256/zzz")]);
    assert_eq!(report.findings[0].message, "its name is no sha256");

    // A manifest with other bytes is none, though they say the same.
    let mut case = Case::new();
    let single = case.blob("vnd.docker.distribution.manifest.v2");
    case.get(&single).push(b' ');
    case.sum();
    let report = case.write();
    let told = told(&report);
    assert!(
        told.contains(&(Kind::Digest, &single)) && told.contains(&(Kind::Missing, "quay.io/x/single:2")),
        "{told:?}"
    );
}

#[test]
fn a_report_ends() {
    let mut case = Case::new();
    for n in 0..=report::MAX_FINDINGS {
        case.add(&format!("x{n}"), b"");
    }
    let report = case.write();
    assert_eq!(report.findings.len(), report::MAX_FINDINGS);
    assert!(!report.good && report.more > 0, "{}", report.more);
}

#[test]
fn a_report_is_json() {
    let mut case = Case::new();
    case.add("evil", b"x");
    let json = serde_json::to_value(case.write()).unwrap();
    assert_eq!(json["good"], false);
    assert_eq!(json["form"], "canonical");
    assert_eq!(json["findings"][0]["kind"], "extra");
    assert_eq!(json["findings"][0]["member"], "evil");
}
