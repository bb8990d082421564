//! A changed byte is never given out as good.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use bundler::bundle::model::{Added, BundleFile};
use bundler::oci::{Arch, Digest};

use super::client::{Reply, exchange};
use super::served::{Parts, Served, blob_path, unpacked};
use crate::bundle_programs::Sample;

/// What a whole answer holds back.
const HELD: usize = 64 << 10;

/// Turns a bit of a member, at a place from its beginning or, below zero, from its end.
fn flip(sample: &Sample, member: &str, place: i64) {
    let path = sample.path();
    let mut archive = std::fs::read(&path).unwrap();
    // Within one block of the gzip, a part of the content stands as it is.
    let content = &sample.members[member];
    let at = usize::try_from(if place < 0 { content.len() as i64 + place } else { place }).unwrap();
    let start = at.saturating_sub(24).min(content.len().saturating_sub(48));
    let needle = &content[start..(start + 48).min(content.len())];
    let found = archive.windows(needle.len()).position(|window| window == needle).expect("it is in the archive");
    archive[found + at - start] ^= 1;
    std::fs::write(&path, archive).unwrap();
}

fn own_layer(sample: &Sample) -> String {
    let web = Parts::of(sample, "docker.io/library/web:1", Arch::Arm64);
    format!("/v2/library/web/blobs/{}", web.layers.last().unwrap())
}

fn member_of(sample: &Sample) -> String {
    blob_path(*Parts::of(sample, "docker.io/library/web:1", Arch::Arm64).layers.last().unwrap())
}

/// Asks for all of it and takes what comes.
fn whole(served: &Served, target: &str) -> Reply {
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    Reply::parse(&exchange(&served.address, request.as_bytes()))
}

#[test]
fn a_whole_answer_ends_before_its_last_bytes() {
    for place in [0, 300_000, -1] {
        let sample = Sample::new(&[Arch::Arm64]);
        flip(&sample, &member_of(&sample), place);
        let served = Served::start(&[&sample.path()], &[]);
        let target = own_layer(&sample);
        let reply = whole(&served, &target);
        let size = sample.members[&member_of(&sample)].len();
        assert_eq!((reply.status, reply.length()), (200, size), "{place}");
        assert!(reply.body.len() <= size - HELD, "{place}: {} of {size}", reply.body.len());
        // From now on it is known.
        for reply in [whole(&served, &target), served.ask(&target, &[("Range", "bytes=0-0")])] {
            assert_eq!((reply.status, reply.code().as_str()), (500, "DIGEST_INVALID"), "{place}");
        }
        assert_eq!(served.head(&target).status, 500);
        served.logged(" cut: ");
        let line = served.logged("is damaged and not served");
        assert!(line.contains("warning") && line.contains(&member_of(&sample)), "{line}");
    }
}

#[test]
fn the_first_range_waits_for_the_whole() {
    let sample = Sample::new(&[Arch::Arm64]);
    flip(&sample, &member_of(&sample), -1);
    let served = Served::start(&[&sample.path()], &[]);
    // Of bytes that are right themselves.
    let reply = served.ask(&own_layer(&sample), &[("Range", "bytes=0-9")]);
    assert_eq!((reply.status, reply.code().as_str()), (500, "DIGEST_INVALID"));
}

#[test]
fn nothing_of_a_small_blob_a_manifest_a_file_or_a_chart_is_given_out() {
    let sample = Sample::new(&[Arch::Arm64]);
    let web = Parts::of(&sample, "docker.io/library/web:1", Arch::Arm64);
    let small = web.layers[0];
    for (member, targets) in [
        (blob_path(small), vec![format!("/v2/library/web/blobs/{small}")]),
        (blob_path(web.digest), vec!["/v2/library/web/manifests/1".to_owned()]),
        (blob_path(web.manifest), vec![format!("/v2/library/web/manifests/{}", web.manifest)]),
        ("files/tool".to_owned(), vec!["/files/tool".to_owned()]),
        ("charts/page-0.1.0.tgz".to_owned(), vec!["/charts/page-0.1.0.tgz".to_owned()]),
        ("README.txt".to_owned(), vec!["/README.txt".to_owned()]),
    ] {
        let sample = Sample::new(&[Arch::Arm64]);
        flip(&sample, &member, 9);
        let served = Served::start(&[&sample.path()], &[]);
        for target in targets {
            for reply in [served.get(&target), served.get(&target)] {
                assert_eq!((reply.status, reply.code().as_str()), (500, "DIGEST_INVALID"), "{target}");
            }
        }
        served.logged("is damaged and not served");
        // All else is.
        let other = if member.starts_with("charts") { "/files/tool" } else { "/charts/page-0.1.0.tgz" };
        assert_eq!(served.get(other).status, 200);
    }
}

#[test]
fn a_damaged_chart_is_not_listed() {
    let sample = Sample::new(&[Arch::Arm64]);
    flip(&sample, "charts/page-0.1.0.tgz", 20);
    let served = Served::start(&[&sample.path()], &[]);
    let index = served.get("/index.yaml").text();
    assert!(index.contains("1.2.3+site.1") && !index.contains("0.1.0"), "{index}");
    assert_eq!(served.get("/v2/charts/page/manifests/0.1.0").status, 404);
    // One that is good, but another.
    let directory = unpacked(&sample);
    let chart = |version: &str| directory.join(format!("charts/page-{version}.tgz"));
    std::fs::copy(chart("0.1.0"), chart("1.2.3+site.1")).unwrap();
    let index = Served::start(&[&directory], &[]).get("/index.yaml").text();
    assert!(index.contains("page-0.1.0") && !index.contains("page-1.2.3"), "{index}");
}

#[test]
fn what_no_checksum_speaks_for_is_not_given_out() {
    let sample = Sample::new(&[Arch::Arm64]);
    let directory = unpacked(&sample);
    std::fs::write(directory.join("notes.txt"), "more").unwrap();
    let reply = Served::start(&[&directory], &[]).get("/notes.txt");
    assert_eq!((reply.status, reply.code().as_str()), (500, "DIGEST_INVALID"));
}

#[test]
fn a_blob_that_changes_after_it_was_found_good_is_looked_at_again() {
    let sample = Sample::new(&[Arch::Arm64]);
    let directory = unpacked(&sample);
    let served = Served::start(&[&directory], &[]);
    let target = own_layer(&sample);
    let ask = || served.ask(&target, &[("Range", "bytes=0-9")]);
    assert_eq!(ask().status, 206);
    let path = directory.join(member_of(&sample));
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[5] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    assert_eq!(ask().status, 500);
    std::fs::write(&path, &good).unwrap();
    assert_eq!(ask().status, 206);
}

#[test]
fn a_part_ends_where_its_file_is_changed_while_it_is_sent() {
    let sample = Sample::new(&[Arch::Arm64]);
    let directory = unpacked(&sample);
    // More than the sockets hold of it, so that most is read when the client goes on.
    let large = vec![7; 64 << 20];
    let path = directory.join("files/large");
    std::fs::write(&path, &large).unwrap();
    let about = directory.join("bundle.yaml");
    let text = std::fs::read_to_string(&about).unwrap();
    let mut bundle: BundleFile = bundler::yaml::parse("bundle.yaml", &text).unwrap();
    let (digest, size) = (Digest::of(&large), large.len() as u64);
    bundle.added.push(Added { path: "files/large".to_owned(), digest, size });
    std::fs::write(&about, bundler::yaml::to_string(&bundle)).unwrap();

    let served = Served::start(&[&directory], &[]);
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let request = "GET /files/large HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, b"HTTP/1.1 206");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    // However it ends.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < large.len(), "{}", answer.len());
    served.logged("the bundle was changed while it was read");
}

#[test]
fn a_link_in_an_unpacked_bundle_is_not_followed() {
    let sample = Sample::new(&[Arch::Arm64]);
    let directory = unpacked(&sample);
    let served = Served::start(&[&directory], &[]);
    let tool = directory.join("files/tool");
    std::fs::rename(&tool, directory.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(Path::new("../elsewhere"), &tool).unwrap();
    let reply = served.get("/files/tool");
    assert_eq!(reply.status, 500, "{}", reply.text());
}

#[test]
fn it_ends_with_4_when_something_was_damaged() {
    use std::io::BufRead as _;
    let sample = Sample::new(&[Arch::Arm64]);
    flip(&sample, "files/tool", 3);
    let mut command = sample.sandbox.bundler_command();
    command.args(["serve", "b.tar.gz", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("http://").unwrap();
    assert_eq!(super::client::request(address, "GET", "/files/tool", &[]).status, 500);
    super::options::terminate(&child);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("hint: `bundler verify`"), "{text}");
}
