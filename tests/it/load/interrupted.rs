//! A load that is killed in the middle, and the next one that goes on.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc;

use super::{Containerd, Sample, done, host, listed, load, names, refused};
use crate::support::{Disk, Sandbox, output_of};
use crate::upstream::image::{self, Compression, Image, Kind, Layer};

/// Passes `limit` bytes on to a socket, then tells so and takes no more.
fn dam(to: PathBuf, at: &Path, limit: usize) -> mpsc::Receiver<()> {
    let listener = UnixListener::bind(at).unwrap();
    let (full, is_full) = mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, full) = (client.unwrap(), full.clone());
            let mut server = UnixStream::connect(&to).unwrap();
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
            std::thread::spawn(move || {
                let (mut passed, mut buffer) = (0, vec![0; 1 << 16]);
                loop {
                    let length = client.read(&mut buffer).unwrap_or(0);
                    if length == 0 {
                        let _ = server.shutdown(Shutdown::Both);
                        return;
                    }
                    if passed < limit {
                        server.write_all(&buffer[..length]).unwrap();
                    } else {
                        // The client is killed on this; until then it waits.
                        full.send(()).unwrap();
                        while client.read(&mut buffer).is_ok_and(|length| length > 0) {
                            std::thread::park_timeout(std::time::Duration::from_millis(50));
                        }
                        let _ = server.shutdown(Shutdown::Both);
                        return;
                    }
                    passed += length;
                }
            });
        }
    });
    is_full
}

/// An image with a layer that no compression makes smaller.
fn large(name: &str) -> Image {
    let mut state = name.len() as u64 + 88_172_645_463_325_252;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(3 << 20)
    .flatten()
    .collect();
    let layer = Layer::new(&image::tar(&[("noise", 0o644, &noise)]), Compression::Gzip);
    Image::build(Kind::Oci, &[((host().as_str(), None), vec![layer])])
}

fn two_images() -> Sample {
    Sample::of(&[host()], vec![("quay.io/x/one:v1", large("one")), ("quay.io/x/three:v1", large("three"))])
}

/// A load of both that stands still in the middle of the second: of 2 × 24 MiB, 30 are passed on.
fn load_in_the_middle(sandbox: &Sandbox, containerd: &Containerd, directory: &Path) -> Child {
    let socket = directory.join("s");
    let is_full = dam(containerd.address(), &socket, 30 << 20);
    let mut command = sandbox.bundler_command();
    let child = command.args(["load", "b.tar.gz", "--jobs", "1", "--address"]).arg(&socket).spawn().unwrap();
    is_full.recv().unwrap();
    child
}

#[test]
fn a_killed_load_goes_on_where_it_was() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = two_images();
    let sandbox = &sample.sandbox;
    let directory = tempfile::tempdir().unwrap();
    let mut child = load_in_the_middle(sandbox, &containerd, directory.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let found = listed(sandbox, &containerd);
    assert!(found.contains_key("quay.io/x/one:v1") && !found.contains_key("quay.io/x/three:v1"), "{found:?}");

    let rest = done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    let sent = rest["sent"]["bytes"].as_u64().unwrap();
    assert!((10 << 20..23 << 20).contains(&sent), "{rest:#}");
    containerd.assert_has(sandbox, &with_ids(&sample, &containerd), host());
}

#[test]
fn a_load_that_ends_takes_nothing_from_one_beside_it() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = two_images();
    let sandbox = &sample.sandbox;
    let directory = tempfile::tempdir().unwrap();
    let mut beside = load_in_the_middle(sandbox, &containerd, directory.path());
    let leases = || output_of(&mut containerd.ctr(sandbox, &["leases", "ls", "-q"]));
    let its = leases();
    assert!(its.starts_with(&format!("bundler-{}-", beside.id())) && its.lines().count() == 1, "{its}");
    done(&mut load(sandbox, &containerd, &["b.tar.gz", "--image", "quay.io/x/one:v1"]));
    assert_eq!(leases(), its);
    beside.kill().unwrap();
    beside.wait().unwrap();
    done(&mut load(sandbox, &containerd, &["b.tar.gz", "--image", "quay.io/x/one:v1"]));
    assert_eq!(leases(), "");
}

#[test]
fn a_full_disk_of_containerd_is_told_and_the_next_load_goes_on() {
    let sample = Sample::of(&[host()], vec![("quay.io/x/one:v1", large("one"))]);
    let sandbox = &sample.sandbox;
    let Some(disk) = Disk::new(sandbox, "small", 64) else { return };
    let Some(containerd) = Containerd::start_at(&disk.path("root")) else { return };
    let filler = disk.fill();
    let said = refused(&mut load(sandbox, &containerd, &["b.tar.gz"]), 7);
    assert!(said.contains("no space left on device") && said.contains("make room"), "{said}");
    std::fs::remove_file(filler).unwrap();
    done(&mut load(sandbox, &containerd, &["b.tar.gz"]));
    containerd.assert_has(sandbox, &with_ids(&sample, &containerd), host());
}

/// The names with those that the CRI has beside them.
pub(crate) fn with_ids(
    sample: &Sample,
    containerd: &Containerd,
) -> std::collections::BTreeMap<String, bundler::oci::Digest> {
    let mut names = names(sample);
    let found = listed(&sample.sandbox, containerd);
    names.extend(
        found.into_iter().filter(|(name, _)| name.starts_with("sha256:")).map(|(name, (digest, _))| (name, digest)),
    );
    names
}
