//! Real clients pull images: containerd as a mirror, crane, regctl, oras and skopeo.

use std::path::{Path, PathBuf};

use bundler::oci::{Arch, Digest};

use super::served::{Parts, Served, Site};
use crate::bundle_programs::Sample;
use crate::bundle_programs::containerd::{Containerd, host};
use crate::support::{self, PASSWORD, Sandbox, Secrets, USER, output_of};

/// The registries that a site has to do without.
const REGISTRIES: [&str; 4] = ["docker.io", "ghcr.io", "quay.io", "registry.k8s.io"];

/// The `hosts.toml` of each registry, as the page shows it.
fn hosts(sandbox: &Sandbox, url: &str, more: &str) -> PathBuf {
    for registry in REGISTRIES {
        let text = format!("[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{more}");
        sandbox.write(Path::new("certs.d").join(registry).join("hosts.toml"), text);
    }
    sandbox.path("certs.d")
}

/// The sample's images of these registries, by name.
fn images(sample: &Sample) -> impl Iterator<Item = (&str, Digest)> {
    let mirrored = |name: &&str| REGISTRIES.iter().any(|registry| name.starts_with(registry));
    sample.names.iter().map(|(name, digest)| (name.as_str(), *digest)).filter(move |(name, _)| mirrored(name))
}

fn pull_all(sample: &Sample, served: &Served, hosts: &Path, arguments: &[&str]) {
    let Some(containerd) = Containerd::start() else { return };
    let sandbox = &sample.sandbox;
    let mut expected = std::collections::BTreeMap::new();
    for (name, digest) in images(sample) {
        let mut pull = containerd.ctr(sandbox, &["images", "pull", "--hosts-dir"]);
        output_of(pull.arg(hosts).args(arguments).arg(name));
        expected.insert(name.to_owned(), digest);
        let registry = name.split('/').next().unwrap();
        served.logged(&format!("ns={registry}"));
    }
    assert!(expected.len() >= 5, "{expected:?}");
    containerd.assert_has(sandbox, &expected, host());
}

#[test]
fn containerd_pulls_through_mirrors() {
    let site = Site::new(&[host()]);
    pull_all(&site.sample, &site.served, &hosts(&site.sample.sandbox, &site.served.url, ""), &[]);
}

#[test]
fn containerd_pulls_behind_tls_with_a_password() {
    let sample = Sample::new(&[host()]);
    let secrets = Secrets::write(&sample.sandbox.path("."));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (certificate, key, users) = (path(&secrets.certificate), path(&secrets.key), path(&secrets.htpasswd));
    let arguments = ["--tls-cert", &certificate, "--tls-key", &key, "--htpasswd", &users];
    let served = Served::start(&[&sample.path()], &arguments);
    let hosts = hosts(&sample.sandbox, &served.url, &format!("  ca = {:?}\n", path(&secrets.ca)));
    pull_all(&sample, &served, &hosts, &["--user", &format!("{USER}:{PASSWORD}")]);
}

#[test]
fn crane_pulls_a_platform() {
    let Some(crane) = support::tool("crane") else { return };
    let site = Site::new(&[Arch::Arm64]);
    let sandbox = &site.sample.sandbox;
    for (name, _) in images(&site.sample).filter(|(name, _)| !name.contains('@')) {
        let place = format!("{}/{name}", site.served.address);
        let mut command = sandbox.command(&crane);
        output_of(command.args(["pull", "--insecure", "--platform", "linux/arm64", &place, "pulled.tar"]));
        assert!(std::fs::metadata(sandbox.path("pulled.tar")).unwrap().len() > 1000, "{name}");
        let manifest = Parts::of(&site.sample, name, Arch::Arm64).manifest;
        let digest =
            output_of(sandbox.command(&crane).args(["digest", "--insecure", "--platform", "linux/arm64", &place]));
        assert_eq!(digest.trim_end(), manifest.to_string(), "{name}");
    }
    let catalog = output_of(sandbox.command(&crane).args(["catalog", "--insecure", &site.served.address]));
    assert_eq!(catalog.lines().count(), 6, "{catalog}");
    let tags = format!("{}/charts/page", site.served.address);
    assert_eq!(output_of(sandbox.command(&crane).args(["ls", "--insecure", &tags])), "0.1.0\n1.2.3_site.1\n");
}

#[test]
fn regctl_copies_a_platform() {
    let Some(regctl) = support::tool("regctl") else { return };
    let site = Site::new(&[Arch::Arm64]);
    let sandbox = &site.sample.sandbox;
    let regctl = |arguments: &[&str]| output_of(sandbox.command(&regctl).args(arguments));
    regctl(&["registry", "set", "--tls", "disabled", &site.served.address]);
    for (name, digest) in images(&site.sample).filter(|(name, _)| !name.contains('@')) {
        let place = format!("{}/{name}", site.served.address);
        assert_eq!(regctl(&["image", "digest", &place]).trim_end(), digest.to_string(), "{name}");
        regctl(&["image", "copy", "--platform", "linux/arm64", &place, "ocidir://copied:a"]);
        let manifest = Parts::of(&site.sample, name, Arch::Arm64).manifest;
        assert_eq!(regctl(&["image", "digest", "ocidir://copied:a"]).trim_end(), manifest.to_string(), "{name}");
    }
    let tags = regctl(&["tag", "ls", &format!("{}/docker.io/library/web", site.served.address)]);
    assert_eq!(tags, "1\n");
}

#[test]
fn oras_copies_a_platform() {
    let Some(oras) = support::tool("oras") else { return };
    let site = Site::new(&[Arch::Arm64]);
    let sandbox = &site.sample.sandbox;
    for (name, _) in images(&site.sample).filter(|(name, _)| !name.contains('@')) {
        let place = format!("{}/{name}", site.served.address);
        let mut command = sandbox.command(&oras);
        command.args(["copy", "--from-plain-http", "--platform", "linux/arm64", &place, "--to-oci-layout", "copied:a"]);
        output_of(&mut command);
        let manifest = Parts::of(&site.sample, name, Arch::Arm64).manifest;
        let resolved = output_of(sandbox.command(&oras).args(["resolve", "--oci-layout", "copied:a"]));
        assert_eq!(resolved.trim_end(), manifest.to_string(), "{name}");
    }
    let place = format!("{}/docker.io/library/web:1", site.served.address);
    let found =
        output_of(sandbox.command(&oras).args(["discover", "--plain-http", "--platform", "linux/arm64", &place]));
    assert!(found.contains("docker.io/library/web"), "{found}");
}

#[test]
fn skopeo_copies_what_its_host_needs() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let site = Site::new(&[Arch::Arm64]);
    let sandbox = &site.sample.sandbox;
    for (name, digest) in images(&site.sample) {
        // Of a name with both, skopeo takes the digest alone.
        let name = match name.split_once('@') {
            Some((name, digest)) => format!("{}@{digest}", name.rsplit_once(':').map_or(name, |(name, _)| name)),
            None => name.to_owned(),
        };
        let place = format!("docker://{}/{name}", site.served.address);
        let mut copy = sandbox.command(&skopeo);
        copy.args([
            "--insecure-policy",
            "--override-arch",
            "arm64",
            "copy",
            "--src-tls-verify=false",
            "--preserve-digests",
        ]);
        output_of(copy.args([&place, "dir:copied"]));
        let raw = sandbox.command(&skopeo).args(["inspect", "--raw", "--tls-verify=false", &place]).output().unwrap();
        assert_eq!(Digest::of(&raw.stdout), digest, "{name}");
    }
}
