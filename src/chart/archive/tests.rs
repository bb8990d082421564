//! Charts as they are, and archives that mean harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::*;

const CHART: &str =
    "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: v2\ndependencies:\n- {name: b, version: 1.x, alias: c}\n";
const CRD: &str =
    "kind: CustomResourceDefinition\nspec: {group: g.io, names: {kind: K}, versions: [{name: v1, served: true}]}\n";

/// Writes names as they are, which a tar library refuses to.
fn header(name: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn tgz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        tar.append(&header(name, text.len() as u64, EntryType::Regular), *text).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn refused(files: &[(&str, &[u8])]) -> String {
    read(tgz(files).as_slice()).unwrap_err().to_string()
}

#[test]
fn a_chart_with_subcharts_both_ways() {
    let packed =
        tgz(&[("c/Chart.yaml", b"name: c\nversion: 3.0.0\n"), ("c/crds/k.yml", CRD.replace("K}", "C}").as_bytes())]);
    let two = format!("# text\n---\n{CRD}---\nkind: ConfigMap\n---\n{}", CRD.replace("K}", "L}"));
    let archive = read(
        tgz(&[
            ("a/Chart.yaml", CHART.as_bytes()),
            ("a/values.yaml", b""),
            ("a/crds/deep/k.yaml", two.as_bytes()),
            ("a/crds/README.md", b"kind: CustomResourceDefinition"),
            ("a/templates/crds/k.yaml", b"kind: CustomResourceDefinition {{ }}"),
            ("a/charts/b/Chart.yaml", b"name: b\nversion: 2.0.0\ndeprecated: true\n"),
            ("a/charts/b/charts/d/Chart.yaml", b"name: d\nversion: 4.0.0\n"),
            ("a/charts/b/charts/d/crds/k.json", br#"{"kind": "ConfigMap"}"#),
            ("a/charts/c-3.0.0.tgz", &packed),
            ("a/files/Chart.yaml", b"not one"),
        ])
        .as_slice(),
    )
    .unwrap();
    assert_eq!((archive.chart.name.as_str(), archive.chart.app_version.as_deref()), ("a", Some("v2")));
    assert_eq!(archive.chart.dependencies[0].alias.as_deref(), Some("c"));
    assert!(archive.has_values && archive.subcharts["charts/b"].deprecated);
    let paths: Vec<_> = archive.subcharts.keys().map(String::as_str).collect();
    assert_eq!(paths, ["charts/b", "charts/b/charts/d", "charts/c-3.0.0"]);
    let kinds: Vec<_> = archive.crds.iter().map(|crd| crd.kind.as_str()).collect();
    assert_eq!(kinds, ["C", "K", "L"]);
}

#[test]
fn names_that_lead_out() {
    for name in ["../x", "a/../../x", "/etc/passwd", "a//x", "a/./x", "a\\..\\x", "C:/x"] {
        let message = refused(&[("a/Chart.yaml", CHART.as_bytes()), (name, b"x")]);
        assert!(message.contains("leads out of the chart"), "{name}: {message}");
    }
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_data(&mut header("x", 1, EntryType::Regular), format!("a/{}", "x".repeat(1023)), &b"x"[..]).unwrap();
    let message = read(tar.into_inner().unwrap().finish().unwrap().as_slice()).unwrap_err().to_string();
    assert!(message.contains("leads out of the chart"), "{message}");
}

#[test]
fn links_and_devices() {
    for (kind, what) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Fifo, "pipe"),
    ] {
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        tar.append(&header("a/Chart.yaml", CHART.len() as u64, EntryType::Regular), CHART.as_bytes()).unwrap();
        tar.append(&header("a/values.yaml", 0, kind), io::empty()).unwrap();
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        let message = read(bytes.as_slice()).unwrap_err().to_string();
        assert_eq!(message, format!("the chart archive has a member `values.yaml` that is a {what}"));
    }
}

#[test]
fn two_of_one_name() {
    let chart = ("a/Chart.yaml", CHART.as_bytes());
    assert_eq!(refused(&[chart, chart]), "the chart archive has two members named `Chart.yaml`");
    assert_eq!(refused(&[chart, ("./a/Chart.yaml", b"x")]), "the chart archive has two members named `Chart.yaml`");
    assert_eq!(refused(&[chart, ("b/Chart.yaml", b"x")]), "the chart archive has two top directories, `a` and `b`");
    let packed = tgz(&[("b/Chart.yaml", b"name: b\nversion: 2.0.0\n")]);
    let twice = refused(&[chart, ("a/charts/b/Chart.yaml", b"name: b\nversion: 1.0.0\n"), ("a/charts/b.tgz", &packed)]);
    assert_eq!(twice, "the chart archive has two members named `charts/b/Chart.yaml`");
}

#[test]
fn what_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), &directory.path().join("missing.tgz")] {
        let error = open(path).unwrap_err();
        assert!(matches!(&error, Error::Open { path: named, .. } if named == path), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
}

#[test]
fn what_is_no_chart() {
    assert_eq!(refused(&[("a/values.yaml", b"")]), "the chart archive has no `Chart.yaml` in its top directory");
    assert_eq!(
        refused(&[("Chart.yaml", CHART.as_bytes())]),
        "the chart archive has no `Chart.yaml` in its top directory"
    );
    assert_eq!(refused(&[("a/Chart.yaml", &[0xff, 0xfe])]), "`Chart.yaml` in the chart archive is not UTF-8 text");
    assert!(refused(&[("a/Chart.yaml", b"name: a\n")]).starts_with("Chart.yaml:1:1: "));
    assert!(matches!(read(&b"<html>"[..]), Err(Error::Read(_))));
    let whole = tgz(&[("a/Chart.yaml", CHART.as_bytes())]);
    assert!(matches!(read(&whole[..whole.len() / 2]), Err(Error::Read(_))));
}

/// A gzip of one header that promises `size` bytes and then zeros.
fn zeros(name: &str, size: u64, given: u64) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header(name, size, EntryType::Regular).as_bytes()).unwrap();
    io::copy(&mut io::repeat(0).take(given), &mut gzip).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn gigabytes_of_zeros() {
    let error = read(zeros("a/big", 2 << 30, 1 << 20).as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "the chart archive has a file `big` of 2147483648 bytes; at most 5242880 are read");
    let many: Vec<_> = (0..30).map(|n| (format!("a/{n}"), vec![0; 4 << 20])).collect();
    let many: Vec<_> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    assert_eq!(refused(&many), "the chart archive has too many bytes unpacked; at most 104857600 are read");
    // In the header of a long name, which is read into memory.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header("././@LongLink", 2 << 30, EntryType::GNULongName).as_bytes()).unwrap();
    io::copy(&mut io::repeat(b'a').take(MAX_UNPACKED + (1 << 20)), &mut gzip).unwrap();
    let error = read(gzip.finish().unwrap().as_slice()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    // In an archive within the archive.
    let message = refused(&[("a/charts/c.tgz", &zeros("c/x", 6 << 20, 6 << 20))]);
    assert_eq!(message, "the chart archive has a file `charts/c/x` of 6291456 bytes; at most 5242880 are read");
    // What an archive within it has counts too.
    let files = |top: &str| (0..15).map(|n| (format!("{top}/{n}"), vec![0; 4 << 20])).collect::<Vec<_>>();
    let with = |first: (&str, &[u8]), rest: &[(String, Vec<u8>)]| {
        let rest = rest.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        tgz(&std::iter::once(first).chain(rest).collect::<Vec<_>>())
    };
    let inner = with(("c/Chart.yaml", b"name: c\nversion: 1.0.0\n"), &files("c"));
    let error = read(with(("a/charts/c.tgz", &inner), &files("a")).as_slice()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: MAX_UNPACKED, .. }), "{error:?}");
}

#[test]
fn more_members_than_any_chart() {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for number in 0..=MAX_MEMBERS {
        tar.append(&header(&format!("a/{number}"), 0, EntryType::Regular), io::empty()).unwrap();
    }
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    assert!(matches!(read(bytes.as_slice()), Err(Error::TooLarge { limit, .. }) if limit == MAX_MEMBERS as u64));
}

#[test]
fn archives_within_archives_end() {
    let mut bytes = tgz(&[("z/Chart.yaml", b"name: z\nversion: 1.0.0\n")]);
    for _ in 0..=MAX_NESTING {
        bytes = tgz(&[("y/Chart.yaml", b"name: y\nversion: 1.0.0\n"), ("y/charts/z.tgz", &bytes)]);
    }
    assert!(matches!(read(bytes.as_slice()), Err(Error::TooLarge { .. })));
}
