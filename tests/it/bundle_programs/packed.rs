//! Real images, packed by the real program from a real registry, and taken by a real containerd.

use std::collections::BTreeMap;

use bundler::lock::model::{Bundle, Component, Image, Lock, Platform};
use bundler::oci::{Arch, Digest, Reference};

use super::containerd::{Containerd, host};
use crate::support::{self, DebianImage, Registry, Sandbox, output_of};

/// A catalog and a lock of Debian's images in the registry; gives the name and digest of each.
fn site(sandbox: &Sandbox, registry: &Registry, images: &[DebianImage], archs: &[Arch]) -> BTreeMap<String, Digest> {
    let list = archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>().join(", ");
    let mut components = BTreeMap::new();
    let mut locked = BTreeMap::new();
    for image in images {
        let reference: Reference = image.reference.parse().unwrap();
        let platforms: BTreeMap<_, _> = image
            .platforms
            .iter()
            .filter_map(|(arch, digest, size, _)| {
                let arch: Arch = arch.parse().ok().filter(|arch| archs.contains(arch))?;
                Some((arch, Platform { digest: *digest, size: Some(*size), layers_size: None }))
            })
            .collect();
        if platforms.len() < archs.len() {
            continue;
        }
        let (name, version) = (reference.repository().rsplit('/').next().unwrap(), &reference.tag().unwrap()[1..]);
        sandbox.write(
            format!("manifests/components/{name}/component.yaml"),
            format!(
                "name: {name}\nsource: {{github: prometheus/{name}, tag: \"v{{version}}\", kind: releases}}\n\
                 images: [\"{}:v{{version}}\"]\n",
                reference.name()
            ),
        );
        let component = Component {
            version: version.to_owned(),
            tag: reference.tag().map(str::to_owned),
            source: None,
            app_version: None,
            signatures: Vec::new(),
            inputs: Digest::of(b""),
            chart: None,
            charts: BTreeMap::new(),
            files: BTreeMap::new(),
            images: vec![reference.clone()],
        };
        components.insert(name.to_owned(), component);
        let media_type = Some(image.media_type.clone());
        locked.insert(reference, Image { digest: image.digest, media_type, platforms, attached: Vec::new() });
    }
    let names: Vec<_> = components.keys().cloned().collect();
    sandbox.write(
        "manifests/catalog.yaml",
        format!(
            "schema: 1\nname: debian\nversion: 1.0.0\nplatform: {{kubernetes: \"1.36\", architectures: [{list}]}}\n\
             profiles:\n  edge: [{}]\n",
            names.join(", ")
        ),
    );
    let catalog = bundler::catalog::read(&sandbox.path("manifests")).unwrap_or_else(|error| panic!("{error}"));
    for (name, component) in &mut components {
        component.inputs = bundler::catalog::inputs_digest(&catalog.inputs[name]);
    }
    let lock = Lock {
        schema: 1,
        bundle: Bundle {
            name: "debian".to_owned(),
            version: "1.0.0".to_owned(),
            kubernetes: "1.36".to_owned(),
            kubeedge: None,
            architectures: archs.to_vec(),
            installers: None,
        },
        profiles: BTreeMap::from([("edge".to_owned(), names)]),
        components,
        images: locked,
        unresolved: Vec::new(),
    };
    sandbox.write("bundle.lock.yaml", bundler::lock::to_text(&lock));
    sandbox.mirrors([("quay.io", registry.url().as_str())]);
    lock.images.iter().map(|(reference, image)| (reference.to_string(), image.digest)).collect()
}

#[test]
fn real_images_reach_containerd() {
    let Some(containerd) = Containerd::start() else { return };
    let Some(registry) = Registry::debian() else { return };
    let images = support::debian_images().expect("the registry has them");
    let sandbox = Sandbox::new();
    // On amd64 that is one image more: a single Docker manifest without an index.
    let names = site(&sandbox, &registry, &images, &[host()]);
    sandbox.bundler().args(["pack", "--arch", host().as_str()]).assert().success();
    let archive = format!("debian-1.0.0-linux-{}.tar.gz", host());
    output_of(sandbox.command("sha256sum").args(["-c", &format!("{archive}.sha256")]));
    sandbox.bundler().args(["verify", &archive]).assert().success();
    containerd.import(&sandbox, &sandbox.path(&archive), &[]);
    containerd.assert_has(&sandbox, &names, host());
}

#[test]
fn real_images_of_another_architecture_reach_containerd_and_skopeo() {
    let Some(skopeo) = support::program("skopeo") else { return };
    let Some(containerd) = Containerd::start() else { return };
    let Some(registry) = Registry::debian() else { return };
    let images = support::debian_images().expect("the registry has them");
    let sandbox = Sandbox::new();
    let foreign = if host() == Arch::Arm64 { Arch::Amd64 } else { Arch::Arm64 };
    let names = site(&sandbox, &registry, &images, &[Arch::Amd64, Arch::Arm64]);
    sandbox.bundler().args(["pack", "--arch", foreign.as_str()]).assert().success();
    let archive = sandbox.path(format!("debian-1.0.0-linux-{foreign}.tar.gz"));
    sandbox.bundler().arg("verify").arg(&archive).assert().success();
    containerd.import(&sandbox, &archive, &["--platform", &format!("linux/{foreign}")]);
    containerd.assert_has(&sandbox, &names, foreign);
    // Of an OCI layout skopeo takes OCI's media types only, and the blackbox exporter has Docker's.
    for name in names.keys().filter(|name| !name.contains("blackbox")) {
        let source = format!("oci-archive:{}:{name}", archive.display());
        let mut command = sandbox.command(&skopeo);
        let text = output_of(command.args(["--override-arch", foreign.as_str(), "inspect", "--no-tags", &source]));
        let inspected: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(inspected["Architecture"], foreign.as_str(), "{name}");
    }
}
