//! Every class of hostile archive that peers had to warn of, by name; each stored, and compressed by somebody else.

use super::*;

/// An entry before the bundle's own.
fn entry(kind: u8, name: &[u8], content: &[u8], change: impl FnOnce(&mut ::tar::Header)) -> Vec<u8> {
    let mut header = ::tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    change(&mut header);
    header.set_cksum();
    let mut bytes = [header.as_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// What is told of a tar that begins with these entries, in both forms of gzip.
fn refused(case: &Case, entries: &[u8]) -> Vec<String> {
    let tar = [entries, case.tar().as_slice()].concat();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&tar).unwrap();
    let mut messages = Vec::new();
    for bytes in [gzip::store(&tar), encoder.finish().unwrap()] {
        let report = case.put(&bytes);
        assert_eq!(told(&report), [(Kind::Unreadable, "")], "{report:#?}");
        assert!(read_by_others(&case.path()).is_err(), "no other command reads it either");
        messages.push(report.findings[0].message.clone());
    }
    messages
}

fn read_by_others(path: &Path) -> Result<(), crate::bundle::set::Error> {
    crate::bundle::set::Set::open(&[path]).map(drop)
}

fn assert_refused(case: &Case, entries: &[u8], said: &str) {
    for message in refused(case, entries) {
        assert!(message.contains(said), "{said}: {message}");
    }
}

#[test]
fn links_and_chains_of_links() {
    let case = Case::new();
    let link = |kind, name: &[u8], target: &str| entry(kind, name, b"", |header| header.set_link_name(target).unwrap());
    for kind in *b"12" {
        assert_refused(&case, &link(kind, b"files/x", "/etc/passwd"), "plain files only");
        assert_refused(&case, &link(kind, b"files/x", "../../etc/passwd"), "plain files only");
        // One leads to the next, and then a file is put through them.
        let chain = [link(kind, b"a", "b"), link(kind, b"b", "/tmp"), entry(b'0', b"a/evil", b"x", |_| {})].concat();
        assert_refused(&case, &chain, "plain files only");
    }
}

#[test]
fn devices_pipes_and_directories() {
    let case = Case::new();
    for kind in *b"34567" {
        let node = entry(kind, b"files/node", b"", |header| {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        });
        assert_refused(&case, &node, "plain files only");
    }
}

#[test]
fn sparse_members_and_headers_that_override_path_or_size() {
    let case = Case::new();
    let record = |text: &str| format!("{} {text}\n", text.len() + 4).into_bytes();
    for text in ["path=../../etc/cron.d/x", "size=99999999", "linkpath=/etc/passwd", "GNU.sparse.realsize=9999999999"] {
        for kind in *b"xg" {
            assert_refused(&case, &entry(kind, b"pax", &record(text), |_| {}), "plain files only");
        }
    }
    assert_refused(&case, &entry(b'S', b"files/sparse", b"", |_| {}), "plain files only");
    // A name of 5,000 bytes can only come in a header of its own.
    assert_refused(&case, &entry(b'L', b"././@LongLink", &[b'a'; 5_000], |_| {}), "plain files only");
    assert_refused(&case, &entry(b'x', b"pax", &record(&format!("path={}", "a".repeat(5_000))), |_| {}), "files only");
}

#[test]
fn names_that_lead_out_or_astray() {
    let case = Case::new();
    for name in [
        &b"../evil"[..],
        b"/etc/cron.d/evil",
        b"files/../../evil",
        b"files/./evil",
        b"files//evil",
        b"files/a\nb",
        b"files/\x1b[2J",
        b"files/a\\..\\b",
        b"\xff\xfe",
        b"..",
        b"",
    ] {
        assert_refused(&case, &entry(b'0', name, b"x", |_| {}), "unsafe name");
    }
    // Behind a NUL a name ends for all readers; what is there is not as anybody writes it.
    let tar = [entry(b'0', b"files/a\0../evil", b"x", |_| {}), case.tar()].concat();
    let report = case.put(&gzip::store(&tar));
    assert!(!report.good && told(&report).contains(&(Kind::Form, "files/a")), "{report:#?}");
}

#[test]
fn members_that_come_twice() {
    let case = Case::new();
    for name in ["bundle.yaml", "SHA256SUMS", "install.sh"] {
        assert_refused(&case, &entry(b'0', name.as_bytes(), b"x", |_| {}), "a second member");
    }
}

#[test]
fn members_longer_or_shorter_than_their_headers() {
    let case = Case::new();
    let lie = |size: u64| entry(b'0', b"files/lie", &[b'x'; 700], |header| header.set_size(size));
    // Shorter: what is left over is no header. Longer: the headers after it are taken for content.
    assert_refused(&case, &lie(100), "the tar header is damaged");
    assert_refused(&case, &lie(u64::MAX), "beyond the end of the tar");
    assert_refused(&case, &lie(1 << 40), "");
    let tar = [lie(2_000), case.tar()].concat();
    assert!(!case.put(&gzip::store(&tar)).good);
}

#[test]
fn a_name_or_version_that_is_a_path() {
    for (from, to) in [
        ("name: observability\n", "name: ../../etc/cron.d/x\n"),
        ("name: observability\n", "name: /x\n"),
        ("version: \"1.4.0\"\nprofiles", "version: \"../1\"\nprofiles"),
        ("version: \"1.4.0\"\nprofiles", "version: \"1\\n2\"\nprofiles"),
    ] {
        let mut case = Case::new();
        case.edit("bundle.yaml", from, to);
        case.sum();
        let report = case.write();
        let found = report.findings.iter().find(|finding| finding.message.contains("none that a bundle can have"));
        assert!(found.is_some_and(|finding| finding.member.as_deref() == Some("bundle.yaml")), "{to}: {report:#?}");
    }
}

#[test]
fn an_index_whose_digests_leave_the_layout() {
    let image = "docker.io/library/web:1";
    let nowhere = Digest::of(b"nowhere").to_string();
    for hostile in [nowhere.as_str(), "sha256:../../x", "sha256:../../../etc/passwd", "../../x", "md5:ab", ""] {
        let mut case = Case::new();
        let set = crate::bundle::set::Set::open(&[case.path()]).unwrap();
        let digest = set.images()[&image.parse().unwrap()].digest.to_string();
        case.edit("index.json", &digest, hostile);
        case.sum();
        let report = case.write();
        assert_eq!(told(&report), [(Kind::Content, image)], "{hostile}: {report:#?}");
        assert_eq!(report.findings[0].found.as_deref(), Some(hostile));
        // `serve`, `load` and `push` go by the lock in bundle.yaml, and never by index.json.
        let set = crate::bundle::set::Set::open(&[case.path()]).unwrap();
        let served = set.images()[&image.parse().unwrap()].digest;
        assert_eq!(served.to_string(), digest, "{hostile}");
        assert!(set.manifest(served).unwrap().is_some());
    }
    // The lock itself: what is no digest is no lock, and what nobody carries is named and not found.
    let mut case = Case::new();
    let set = crate::bundle::set::Set::open(&[case.path()]).unwrap();
    let digest = set.images()[&image.parse().unwrap()].digest.to_string();
    case.edit("bundle.yaml", &digest, "sha256:../../x");
    case.sum();
    let report = case.write();
    assert_eq!(told(&report), [(Kind::Content, "bundle.yaml")], "{report:#?}");
    assert!(read_by_others(&case.path()).is_err());
    let mut case = Case::new();
    case.edit("bundle.yaml", &digest, &nowhere);
    case.sum();
    let report = case.write();
    assert!(told(&report).iter().any(|(kind, _)| *kind == Kind::Missing), "{report:#?}");
    let set = crate::bundle::set::Set::open(&[case.path()]).unwrap();
    let named = set.images()[&image.parse().unwrap()].digest;
    assert!(named.to_string() == nowhere && set.manifest(named).unwrap().is_none());
}

#[test]
fn a_bit_at_every_4096th_byte() {
    let case = Case::new();
    let good = fs::read(case.path()).unwrap();
    for (round, place) in (0..good.len()).step_by(4096).enumerate() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (round % 8);
        assert!(!case.put(&bytes).good, "bit {} of byte {place}", round % 8);
    }
    assert!(case.put(&good).good);
}
