//! `bundler load` and `bundler unload` with the real containerd.

mod containerd;
mod cri;
mod files;
mod interrupted;

pub(crate) use interrupted::with_ids;

use std::collections::BTreeMap;
use std::path::Path;

use bundler::bundle::model::{self, BundleFile};
use bundler::bundle::write::Writer;
use bundler::bundle::{Layout, Member};
use bundler::oci::{Arch, Digest, Reference};
use serde_json::Value;

use crate::bundle_programs::Sample;
use crate::bundle_programs::containerd::{Containerd, host};
use crate::support::{Sandbox, output_of};

/// An architecture that this machine has not.
fn foreign() -> Arch {
    if host() == Arch::Arm64 { Arch::Amd64 } else { Arch::Arm64 }
}

/// `bundler load`.
fn load(sandbox: &Sandbox, containerd: &Containerd, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = sandbox.bundler();
    command.arg("load").arg("--address").arg(containerd.address()).args(arguments);
    command
}

/// `bundler unload`.
fn unload(sandbox: &Sandbox, containerd: &Containerd, arguments: &[&str]) -> Value {
    let mut command = sandbox.bundler();
    command.arg("unload").arg("--address").arg(containerd.address()).args(arguments);
    done(&mut command)
}

/// What a command that did its work says.
fn done(command: &mut assert_cmd::Command) -> Value {
    serde_json::from_slice(&command.args(["--format", "json"]).assert().success().get_output().stdout).unwrap()
}

/// What a command that ended with `code` said.
fn refused(command: &mut assert_cmd::Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stderr.clone()).unwrap()
}

/// The images that containerd has: the digest and the labels of each name.
fn listed(sandbox: &Sandbox, containerd: &Containerd) -> BTreeMap<String, (Digest, String)> {
    let list = output_of(&mut containerd.ctr(sandbox, &["images", "ls"]));
    let row = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        (columns[0].to_owned(), (columns[2].parse().unwrap(), (*columns.last().unwrap()).to_owned()))
    };
    list.lines().skip(1).map(row).collect()
}

/// The blobs that containerd has.
fn blobs(sandbox: &Sandbox, containerd: &Containerd) -> usize {
    output_of(&mut containerd.ctr(sandbox, &["content", "ls", "-q"])).lines().count()
}

/// Collects garbage now.
fn collect_garbage(sandbox: &Sandbox, containerd: &Containerd) {
    output_of(&mut containerd.ctr(sandbox, &["leases", "create", "--id", "ended"]));
    output_of(&mut containerd.ctr(sandbox, &["leases", "rm", "--sync", "ended"]));
}

/// Every name that an image of the sample has after a load.
pub(crate) fn names(sample: &Sample) -> BTreeMap<String, Digest> {
    let mut names = sample.names.clone();
    for (name, digest) in &sample.names {
        names.insert(name.parse::<Reference>().unwrap().pinned(*digest).to_string(), *digest);
    }
    names
}

/// The layer of the image `quay.io/x/list:v2.0` that no other image has, for this machine.
fn own_layer(sample: &Sample) -> Digest {
    let document = |digest| -> Value { serde_json::from_slice(&sample.members[&model::blob_path(digest)]).unwrap() };
    let digest = |value: &Value| -> Digest { value.as_str().unwrap().parse().unwrap() };
    let index = document(sample.names["quay.io/x/list:v2.0"]);
    let is_ours = |child: &&Value| child["platform"]["architecture"] == host().as_str();
    let child = index["manifests"].as_array().unwrap().iter().find(is_ours).unwrap();
    digest(&document(digest(&child["digest"]))["layers"][1]["digest"])
}

/// Writes the sample's bundle again with another version, without some images, or with other bytes.
fn rewrite(sample: &Sample, path: &Path, version: &str, keep: fn(&str) -> bool, change: impl Fn(&str, &mut Vec<u8>)) {
    let mut members: Vec<_> = sample.members.iter().collect();
    members.sort_by_key(|(path, _)| model::order(path));
    let members = members.into_iter().map(|(path, bytes)| {
        let mut bytes = bytes.clone();
        if path == model::BUNDLE_YAML {
            let mut about: BundleFile = bundler::yaml::parse(path, std::str::from_utf8(&bytes).unwrap()).unwrap();
            about.version = version.to_owned();
            about.lock.images.retain(|reference, _| keep(&reference.to_string()));
            for component in about.lock.components.values_mut() {
                component.images.retain(|reference| keep(&reference.to_string()));
            }
            bytes = bundler::yaml::to_string(&about).into_bytes();
        }
        change(path, &mut bytes);
        Member::inline(path.clone(), bytes)
    });
    Writer::create(path, Layout::new(members.collect()).unwrap()).unwrap().seal().unwrap().publish().unwrap();
}
