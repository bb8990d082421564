//! The program serving bundles.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bundler::oci::{Arch, Digest};

use super::client::{Reply, request};
use crate::bundle_programs::Sample;
use crate::support::Server;

/// A running `bundler serve`.
pub(crate) struct Served {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
    _server: Server,
}

impl Served {
    pub(crate) fn start(bundles: &[&Path], arguments: &[&str]) -> Self {
        let mut all = vec!["serve".as_ref(), "--listen".as_ref(), "127.0.0.1:0".as_ref()];
        all.extend(bundles.iter().map(|path| path.as_os_str()));
        all.extend(arguments.iter().map(std::ffi::OsStr::new));
        let (server, mut output) = Server::start(Path::new(env!("CARGO_BIN_EXE_bundler")), &all);
        let mut line = String::new();
        let mut before = String::new();
        let url = loop {
            line.clear();
            output.read_line(&mut line).unwrap();
            assert!(!line.is_empty() && !line.starts_with("error: "), "it does not listen:\n{before}{line}");
            if line.starts_with("http") {
                break line.trim_end().to_owned();
            }
            before += &line;
        };
        let log = Arc::new(Mutex::new(before));
        let lines = log.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                lines.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let address = url.split_once("://").unwrap().1.to_owned();
        Self { address, url, log, _server: server }
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        request(&self.address, "GET", target, &[])
    }

    pub(crate) fn head(&self, target: &str) -> Reply {
        request(&self.address, "HEAD", target, &[])
    }

    pub(crate) fn ask(&self, target: &str, headers: &[(&str, &str)]) -> Reply {
        request(&self.address, "GET", target, headers)
    }

    /// Waits until the log has a line with this, which an answer has put there.
    pub(crate) fn logged(&self, part: &str) -> String {
        loop {
            let log = self.log.lock().unwrap().clone();
            if let Some(line) = log.lines().find(|line| line.contains(part)) {
                return line.to_owned();
            }
            std::thread::yield_now();
        }
    }
}

/// A bundle, served.
pub(crate) struct Site {
    pub(crate) sample: Sample,
    pub(crate) served: Served,
}

impl Site {
    pub(crate) fn new(archs: &[Arch]) -> Self {
        let sample = Sample::new(archs);
        let served = Served::start(&[&sample.path()], &[]);
        Self { sample, served }
    }
}

/// What the bundle has under a name, and what that is made of.
pub(crate) struct Parts {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    /// The manifest of an architecture.
    pub(crate) manifest: Digest,
    /// Its layers; the last one is the image's own.
    pub(crate) layers: Vec<Digest>,
}

/// The path of a blob in a bundle.
pub(crate) fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Parts {
    pub(crate) fn of(sample: &Sample, name: &str, arch: Arch) -> Self {
        let digest = sample.names[name];
        let bytes = sample.members[&blob_path(digest)].clone();
        let index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let digest_of = |value: &serde_json::Value| value["digest"].as_str().unwrap().parse::<Digest>().unwrap();
        let manifest = match index["manifests"].as_array() {
            None => digest,
            Some(children) => {
                digest_of(children.iter().find(|child| child["platform"]["architecture"] == arch.as_str()).unwrap())
            }
        };
        let layers = match sample.members.get(&blob_path(manifest)) {
            None => Vec::new(),
            Some(bytes) => {
                let manifest: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                manifest["layers"].as_array().unwrap().iter().map(digest_of).collect()
            }
        };
        Self { digest, bytes, manifest, layers }
    }
}

/// Unpacks a sample's bundle.
pub(crate) fn unpacked(sample: &Sample) -> PathBuf {
    let directory = sample.sandbox.path("unpacked");
    for (path, bytes) in &sample.members {
        sample.sandbox.write(Path::new("unpacked").join(path), bytes);
    }
    directory
}
