use proptest::prelude::*;

use super::*;
use crate::bundle::contents::assemble;
use crate::bundle::contents::tests::Sample;
use crate::bundle::delta::{self, DELTA_YAML};
use crate::bundle::set::Set;
use crate::event::Silent;
use crate::oci::Arch;
use crate::verify;

/// A base, a full bundle and a delta that leaves out the blobs of which `leave_out` says so.
struct Case {
    directory: tempfile::TempDir,
    full: Vec<u8>,
}

impl Case {
    fn new(leave_out: impl Fn(Digest) -> bool) -> Self {
        Self::changed(leave_out, |_| {})
    }

    fn changed(leave_out: impl Fn(Digest) -> bool, change: impl FnOnce(&mut Vec<Member>)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sample = Sample::new(&[Arch::Arm64]);
        let path = |name: &str| directory.path().join(name);
        sample.write(&path("base.tar.gz"));
        // The same blobs under another version.
        let mut newer = Sample::new(&[Arch::Arm64]);
        newer.parts.bundle.version = "1.5.0".to_owned();
        newer.write(&path("full.tar.gz"));
        let full = std::fs::read(path("full.tar.gz")).unwrap();
        std::fs::remove_file(path("full.tar.gz")).unwrap();
        let base = delta::base_of(&Bundle::open(&path("base.tar.gz")).unwrap()).unwrap();
        let members = assemble(&newer.parts).unwrap();
        let mut members = delta::members(&newer.parts.bundle, members, Some(base), |digest, _| leave_out(digest));
        change(&mut members);
        let writer = Writer::create(&path("delta.tar.gz"), Layout::new(members).unwrap()).unwrap();
        for index in 0..writer.layout().members().len() {
            let slot = writer.slot(index);
            if let Content::Blob(digest) = slot.member().content {
                slot.write_at(0, &newer.blobs[&digest]).unwrap();
            }
        }
        writer.seal().unwrap().publish().unwrap();
        Self { directory, full }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn apply(&self) -> Result<Applied, Error> {
        let (base, delta) = (self.path("base.tar.gz"), self.path("delta.tar.gz"));
        apply(&base, &delta, &self.path("full.tar.gz"), None, NonZero::new(2).unwrap(), &Silent)
    }

    fn refused(&self) -> Error {
        let error = self.apply().unwrap_err();
        let partial = |name: &str| self.path(name).exists();
        assert!(!partial("full.tar.gz") && !partial(".full.tar.gz.partial"), "nothing half stays");
        error
    }
}

/// Replaces a text in delta.yaml.
fn edit(from: &'static str, to: &'static str) -> impl FnOnce(&mut Vec<Member>) {
    move |members| {
        let Content::Inline(bytes) = &members[0].content else { panic!("{}", members[0].path) };
        assert_eq!(members[0].path, DELTA_YAML);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        members[0] = Member::inline(DELTA_YAML, text.replacen(from, to, 1));
    }
}

#[test]
fn the_full_bundle_comes_back() {
    let case = Case::new(|_| true);
    let applied = case.apply().unwrap();
    assert!(std::fs::read(case.path("full.tar.gz")).unwrap() == case.full);
    assert_eq!((applied.sha256, applied.size), (Digest::of(&case.full), case.full.len() as u64));
    assert!(applied.from_base > 200_000);

    // Alone it is good, and says whose delta it is.
    let jobs = NonZero::new(2).unwrap();
    let report = verify::verify(&case.path("delta.tar.gz"), jobs, None, &Silent).unwrap();
    assert!(report.good, "{:#?}", report.findings);
    assert!(report.base.is_some_and(|base| base.starts_with("observability 1.4.0 with SHA256SUMS sha256:")));

    // With its base it is read as the full one.
    let alone = Set::open(&[case.path("delta.tar.gz")]).unwrap_err();
    assert!(alone.to_string().contains("observability 1.4.0"), "{alone}");
    let set = Set::open(&[case.path("delta.tar.gz"), case.path("base.tar.gz")]).unwrap();
    assert_eq!((set.bundles().len(), set.bundles()[0].about.version.as_str()), (1, "1.5.0"));
    for digest in Sample::new(&[Arch::Arm64]).blobs.keys() {
        let Some(blob) = set.blob(*digest) else { continue };
        let mut bytes = vec![0; usize::try_from(blob.size).unwrap()];
        set.read_at(blob, 0, &mut bytes).unwrap();
        assert_eq!(Digest::of(&bytes), *digest);
    }
}

#[test]
fn no_file_that_is_no_bundle_is_replaced() {
    let case = Case::new(|_| true);
    std::fs::write(case.path("full.tar.gz"), "schema: 1\n").unwrap();
    let error = case.apply().unwrap_err();
    assert!(matches!(&error, Error::NotBundle(path) if *path == case.path("full.tar.gz")), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(std::fs::read_to_string(case.path("full.tar.gz")).unwrap(), "schema: 1\n");
    // An older bundle is, as by `pack`.
    std::fs::copy(case.path("base.tar.gz"), case.path("full.tar.gz")).unwrap();
    case.apply().unwrap();
    assert!(std::fs::read(case.path("full.tar.gz")).unwrap() == case.full);
}

#[test]
fn a_wrong_or_damaged_base_is_named() {
    let case = Case::new(|_| true);
    let base = std::fs::read(case.path("base.tar.gz")).unwrap();
    let bundle = Bundle::open(&case.path("base.tar.gz")).unwrap();
    let at = bundle::gzip::file_offset(bundle.members()[bundle.find("files/tool").unwrap()].range().start);
    let mut damaged = base.clone();
    damaged[usize::try_from(at).unwrap()] ^= 1;
    std::fs::write(case.path("base.tar.gz"), damaged).unwrap();
    let error = case.refused();
    assert!(matches!(&error, Error::Damaged { path, .. } if path.ends_with("base.tar.gz")), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);
    // The full bundle is not the base.
    std::fs::write(case.path("base.tar.gz"), &case.full).unwrap();
    let error = case.refused();
    assert!(error.to_string().contains("is not the base") && error.to_string().contains("1.4.0"), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    // Nor is the delta.
    std::fs::copy(case.path("delta.tar.gz"), case.path("base.tar.gz")).unwrap();
    assert_eq!(case.refused().exit(), Exit::Usage);
}

#[test]
fn a_delta_that_lies_is_refused() {
    let omits = "it leaves out something that it has, or that its SHA256SUMS does not list";
    for (from, to, said) in [
        ("path: charts/", "path: ../charts/", omits),
        ("path: charts/", "path: /charts/", omits),
        ("path: files/tool", "path: bundle.yaml", omits),
        ("size: 15", "size: 16", ""),
        ("path: files/tool", "path: files/notes.txt", omits),
        ("schema: 1", "schema: 2", "has schema 2"),
        ("sums_sha256: sha256:", "sums_sha256: sha256:0", ""),
    ] {
        let case = Case::changed(|_| true, edit(from, to));
        let error = case.refused();
        assert!(matches!(error.exit(), Exit::Mismatch | Exit::Usage), "{to}: {error}");
        assert!(error.to_string().contains(said), "{to}: {error}");
        let jobs = NonZero::<usize>::MIN;
        let report = verify::verify(&case.path("delta.tar.gz"), jobs, None, &Silent).unwrap();
        assert!(!report.good, "{to}");
    }
}

#[test]
fn a_base_whose_list_lies_is_found() {
    // It lists what the delta leaves out, but has other bytes; and it lists it under a file that is not there.
    let rewritten = |case: &Case, change: fn(&mut Vec<(String, Vec<u8>)>)| {
        let bundle = Bundle::open(&case.path("base.tar.gz")).unwrap();
        let read = |member: &bundle::read::Entry| (member.path.clone(), bundle.read(&member.path, 1 << 30).unwrap());
        let mut members: Vec<_> = bundle.members().iter().map(read).collect();
        change(&mut members);
        let members = members.into_iter().map(|(path, bytes)| Member::inline(path, bytes)).collect();
        let writer = Writer::create(&case.path("base.tar.gz"), Layout::new(members).unwrap()).unwrap();
        writer.seal().unwrap().publish().unwrap();
    };
    let case = Case::new(|_| true);
    rewritten(&case, |members| members.iter_mut().find(|(path, _)| path == "files/tool").unwrap().1[9] ^= 1);
    let error = case.refused();
    assert!(
        matches!(&error, Error::Damaged { path, member, .. } if path.ends_with("base.tar.gz") && member == "files/tool"),
        "{error}"
    );
    let case = Case::new(|_| true);
    rewritten(&case, |members| members.retain(|(path, _)| path != "files/tool"));
    let error = case.refused();
    assert!(error.to_string().contains("base.tar.gz` does not hold `files/tool`"), "{error}");
    assert_eq!(error.exit(), Exit::Mismatch);
    let case = Case::new(|_| true);
    rewritten(&case, |members| members.iter_mut().find(|(path, _)| path == "files/tool").unwrap().1.push(b'x'));
    assert!(case.refused().to_string().contains("does not hold `files/tool`"));
}

#[test]
fn a_delta_yaml_of_any_silliness_is_an_error() {
    let huge = format!(
        "schema: 1\nsums_sha256: sha256:{}\nomitted:\n{}",
        "0".repeat(64),
        "- {path: a, size: 1}\n".repeat(500_000)
    );
    let bomb = (0..40)
        .fold("a: &x0 [x,x,x]\n".to_owned(), |text, n| text + &format!("b{n}: &x{} [*x{n},*x{n},*x{n}]\n", n + 1));
    let sums = "0".repeat(64);
    for text in [
        "".to_owned(),
        "[]".to_owned(),
        "schema: x".to_owned(),
        "schema: 99".to_owned(),
        "\u{0}".to_owned(),
        "schema: 1\nschema: 1".to_owned(),
        format!("schema: 1\nsums_sha256: sha256:{sums}\nomitted: []"),
        format!("schema: 1\nsums_sha256: sha256:{sums}\nomitted: []\nmore: x"),
        format!("schema: 1\nsums_sha256: '../../{sums}'\nomitted: []"),
        format!("schema: 1\nsums_sha256: sha256:{sums}\nomitted: [{{path: a, size: -1}}]"),
        format!("schema: 1\nsums_sha256: sha256:{sums}\nomitted: [{{path: a, size: 99999999999999999999}}]"),
        huge,
        bomb,
        format!("schema: 1\n# {}", "x".repeat(9 << 20)),
    ] {
        let shown: String = text.chars().take(60).collect();
        let case = Case::changed(|_| true, |members| members[0] = Member::inline(DELTA_YAML, text));
        let error = case.refused();
        assert!(matches!(error.exit(), Exit::Mismatch | Exit::Usage), "{shown}: {error}");
        let report = verify::verify(&case.path("delta.tar.gz"), NonZero::<usize>::MIN, None, &Silent).unwrap();
        assert!(!report.good, "{shown}");
        assert!(Set::open(&[case.path("delta.tar.gz"), case.path("base.tar.gz")]).is_err(), "{shown}");
    }
    // What cannot be laid out: sizes whose sum no number holds, and files beyond any disk.
    for size in ["18446744073709551615", "9223372036854775807", "4611686018427387904"] {
        let case = Case::changed(
            |_| true,
            |members| {
                let Content::Inline(bytes) = &members[0].content else { panic!("{}", members[0].path) };
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let at = text.find("size: ").unwrap() + 6;
                let end = at + text[at..].find('\n').unwrap();
                members[0] = Member::inline(DELTA_YAML, format!("{}{size}{}", &text[..at], &text[end..]));
            },
        );
        assert!(matches!(case.refused().exit(), Exit::Mismatch | Exit::Usage), "{size}");
    }
}

#[test]
fn what_a_delta_has_beside_its_own_is_refused() {
    for (path, said) in [
        ("oci-layout", "neither below `delta/` nor its own"),
        ("install.sh", "neither below `delta/` nor its own"),
        ("delta/evil", "is not listed in its SHA256SUMS"),
        ("delta/files/evil", "is not listed in its SHA256SUMS"),
    ] {
        let case = Case::changed(
            |_| true,
            |members| {
                members.push(Member::inline(path, "x"));
            },
        );
        let error = case.refused();
        assert!(error.to_string().contains(said), "{path}: {error}");
        assert_eq!(error.exit(), Exit::Mismatch);
    }
    let case = Case::changed(|_| true, |members| members.retain(|member| member.path != "delta/install.sh"));
    let error = case.refused();
    assert!(error.to_string().contains("it lacks something that its SHA256SUMS lists"), "{error}");
}

#[test]
fn every_flipped_bit_of_a_delta_is_found() {
    let case = Case::new(|digest| digest.as_bytes()[0] > 100);
    let path = case.path("delta.tar.gz");
    std::fs::remove_file(case.path("delta.tar.gz.sha256")).unwrap();
    let good = std::fs::read(&path).unwrap();
    for (round, place) in (0..good.len()).step_by(4096).chain(0..10).enumerate() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (round % 8);
        std::fs::write(&path, bytes).unwrap();
        let report = verify::verify(&path, NonZero::<usize>::MIN, None, &Silent).unwrap();
        assert!(!report.good, "bit {} of byte {place}", round % 8);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_left_out_the_full_bundle_comes_back(seed in any::<u8>()) {
        let case = Case::new(|digest| digest.as_bytes()[1] < seed);
        case.apply().unwrap();
        prop_assert!(std::fs::read(case.path("full.tar.gz")).unwrap() == case.full);
    }
}
