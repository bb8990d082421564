//! Bundles of one version, one for each architecture, with images that share layers, and charts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bundler::bundle::contents::{Parts, assemble};
use bundler::bundle::model::BundleFile;
use bundler::bundle::write::Writer;
use bundler::bundle::{Content, Layout};
use bundler::oci::manifest::Manifest;
use bundler::oci::{Arch, Digest, Reference};
use bytes::Bytes;

use crate::support::Sandbox;
use crate::upstream::content::noise;
use crate::upstream::image::{self, Compression, Image, Kind, Layer};

/// The bytes of the largest layer, more than what is sent in one request.
const LARGE: usize = 1_500_000;

pub(super) struct Sample {
    pub(super) sandbox: Sandbox,
    pub(super) images: BTreeMap<String, Image>,
}

impl Sample {
    /// `web` and `db` share their lowest layer; `pinned` has a digest in its name.
    pub(super) fn new() -> Self {
        let runtime =
            Layer::new(&image::tar(&[("usr/lib/runtime", 0o644, &noise("runtime", 700_000))]), Compression::Gzip);
        let build = |kind, name: &str, length| {
            let platforms = [("amd64", None), ("arm64", None), ("s390x", None)].map(|platform| {
                let own = noise(&format!("{name} for {}", platform.0), length);
                let own = Layer::new(&image::tar(&[("usr/bin/program", 0o755, &own)]), Compression::Gzip);
                (platform, vec![runtime.clone(), own])
            });
            Image::build(kind, &platforms)
        };
        let pinned = build(Kind::Oci, "pinned", 1_000);
        let pinned_name = format!("registry.k8s.io/x/pinned@{}", pinned.root().digest);
        let images = BTreeMap::from([
            ("docker.io/library/web:1".to_owned(), build(Kind::Oci, "web", LARGE)),
            ("quay.io/x/db:v2".to_owned(), build(Kind::DockerList, "db", 1_000)),
            (pinned_name, pinned),
        ]);
        Self { sandbox: Sandbox::new(), images }
    }

    /// The name of the image that is pinned by its digest.
    pub(super) fn pinned(&self) -> &str {
        self.images.keys().find(|name| name.contains('@')).unwrap()
    }

    /// The digest of an image's index.
    pub(super) fn root(&self, name: &str) -> Digest {
        self.images[name].root().digest
    }

    /// The digest of an image's manifest for an architecture.
    pub(super) fn child(&self, name: &str, arch: &str) -> Digest {
        let is_for = |platform: Option<image::Platform>| platform.is_some_and(|platform| platform.0 == arch);
        self.images[name].manifests.iter().find(|manifest| is_for(manifest.platform)).unwrap().digest
    }

    /// The layer of `web` that is sent in many pieces.
    pub(super) fn large(&self, arch: &str) -> Digest {
        let child = self.child("docker.io/library/web:1", arch);
        let image = &self.images["docker.io/library/web:1"];
        let manifest = image.manifests.iter().find(|manifest| manifest.digest == child).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
        document["layers"][1]["digest"].as_str().unwrap().parse().unwrap()
    }

    /// Writes the bundle of these architectures as `NAME.tar.gz`.
    pub(super) fn bundle(&self, name: &str, archs: &[Arch]) -> PathBuf {
        self.bundle_of(name, archs, &self.images.keys().map(String::as_str).collect::<Vec<_>>())
    }

    /// The same with some of the images.
    pub(super) fn bundle_of(&self, name: &str, archs: &[Arch], images: &[&str]) -> PathBuf {
        let mut manifests = BTreeMap::new();
        let mut blobs = BTreeMap::new();
        let mut locked = String::new();
        for name in images {
            let image = &self.images[*name];
            let root = image.root();
            let reference: Reference = name.parse().unwrap();
            locked += &format!("    '{reference}': {{digest: '{}', media_type: {}}}\n", root.digest, root.media_type);
            for manifest in &image.manifests {
                let parsed = Manifest::parse(manifest.bytes.clone(), Some(manifest.media_type)).unwrap();
                manifests.insert(parsed.digest, parsed);
            }
            blobs.extend(image.blobs.iter().map(|blob| (Digest::of(blob), blob.clone())));
        }
        let mut charts = String::new();
        for (name, version) in [("page", "0.1.0"), ("page", "1.2.3+site.1")] {
            let archive = chart(name, version);
            let (sha256, size) = (Digest::of(&archive).hex(), archive.len());
            charts += &format!(
                "{name}-{version}: {{name: {name}, version: {version}, url: 'https://x.y', sha256: {sha256}, \
                 size: {size}, from: helm-index}}, "
            );
            blobs.insert(Digest::of(&archive), archive);
        }
        let archs = archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>().join(", ");
        let references = images.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let yaml = format!(
            "schema: 1\nname: demo\nversion: 1.0.0\nprofiles: [cloud, edge]\narchitectures: [{archs}]\nlock:\n  \
             schema: 1\n  bundle: {{name: demo, version: 1.0.0, kubernetes: '1.36', architectures: [{archs}]}}\n  \
             profiles: {{cloud: [site], edge: [app]}}\n  components:\n    app:\n      version: 1.0.0\n      \
             inputs: sha256:{hex}\n      images: [{references}]\n    site:\n      version: 1.0.0\n      \
             inputs: sha256:{hex}\n      charts: {{{charts}}}\n      images: []\n  images:\n{locked}",
            hex = "0".repeat(64)
        );
        let parts = Parts {
            bundle: bundler::yaml::parse::<BundleFile>("bundle.yaml", &yaml).unwrap(),
            manifests,
            carried: BTreeMap::new(),
            component_files: BTreeMap::new(),
            installers: BTreeMap::new(),
            sbom: Bytes::from_static(b"{}\n"),
        };
        let path = self.sandbox.path(format!("{name}.tar.gz"));
        let writer = Writer::create(&path, Layout::new(assemble(&parts).unwrap()).unwrap()).unwrap();
        for index in 0..writer.layout().members().len() {
            let slot = writer.slot(index);
            if let Content::Blob(digest) = &slot.member().content {
                slot.write_at(0, &blobs[digest]).unwrap();
            }
        }
        writer.seal().unwrap().publish().unwrap();
        path
    }
}

/// A chart that Helm can install.
fn chart(name: &str, version: &str) -> Bytes {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 1.20\n");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-page}\n";
    let members =
        [("page/Chart.yaml", 0o644, metadata.as_bytes()), ("page/templates/page.yaml", 0o644, template.as_bytes())];
    Layer::new(&image::tar(&members), Compression::Gzip).bytes
}
