//! A small catalog with a lock, its images for a real registry, and its files at the embedded upstream.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use bundler::lock::Lock;
use bundler::lock::model::{Bundle, Component, File, From, Image as LockedImage, Member, Platform, Unresolved};
use bundler::oci::{Arch, Digest};

use crate::support::{Meter, Registry, Sandbox};
use crate::upstream::Upstream;
use crate::upstream::image::{Compression, Image, Kind, Layer, Manifest, tar};

/// The registry of the images that the site's own tests push.
pub(super) const HOST: &str = "images.example";

pub(super) struct Site {
    pub(super) sandbox: Sandbox,
    images: Vec<(String, Image)>,
    lock: RefCell<Lock>,
    upstream: Vec<(String, String)>,
}

impl Site {
    pub(super) fn new(upstream: &Upstream) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(
            "manifests/catalog.yaml",
            "schema: 1\nname: demo\nversion: 1.0.0\nplatform: {kubernetes: \"1.36\", architectures: [amd64, arm64]}\n\
             profiles:\n  cloud: [app, helm]\n  edge: [agent]\n",
        );
        let component = |name: &str, rest: &str| {
            let text = format!(
                "name: {name}\nsource: {{github: example/{name}, tag: \"v{{version}}\", kind: releases}}\n{rest}"
            );
            sandbox.write(format!("manifests/components/{name}/component.yaml"), text);
        };
        component("agent", &format!("images: [\"{HOST}/agent:v{{version}}\"]\n"));
        component(
            "app",
            &format!(
                "images: [\"{HOST}/app:v{{version}}\", \"{HOST}/sidecar:v{{version}}\"]\nresources: [resources/]\n"
            ),
        );
        sandbox.write("manifests/components/app/resources/x.yaml", "kind: ConfigMap\n");
        component(
            "helm",
            "files:\n\
             - {name: helm, url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\", checksum: {unpublished: test}, extract: \"linux-{arch}/helm\"}\n\
             - {name: helm.tar.gz, url: \"https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz\", checksum: {unpublished: test}}\n",
        );
        let images = vec![
            (format!("{HOST}/agent:v1.0.0"), image("agent", Kind::DockerList, Compression::Gzip, 1_000)),
            // Its layer takes several segments.
            (format!("{HOST}/app:v1.0.0"), image("app", Kind::Oci, Compression::Zstd, 42 << 20)),
            (format!("{HOST}/sidecar:v1.0.0"), image("sidecar", Kind::Oci, Compression::Gzip, 300_000)),
        ];
        let lock = RefCell::new(lock(&images, upstream));
        let site = Self { sandbox, images, lock, upstream: upstream.mirrors() };
        site.mirror("http://127.0.0.1:1");
        site.write();
        site
    }

    /// Pushes the images to a registry, which is from then on the only place that has them.
    pub(super) fn push(&self, registry: &Registry) {
        for (reference, image) in &self.images {
            registry.push(reference, image);
        }
        self.mirror(&registry.url());
    }

    /// Says where the images are.
    pub(super) fn mirror(&self, url: &str) {
        let own = std::iter::once((HOST, url));
        self.sandbox.mirrors(own.chain(self.upstream.iter().map(|(from, to)| (from.as_str(), to.as_str()))));
    }

    /// Says where the images are, in the order in which it is tried, with further lines of the configuration.
    pub(super) fn mirrors(&self, urls: &[&str], more: &str) {
        let mut yaml = format!("mirror_only: true\n{more}mirrors:\n  {HOST}: {urls:?}\n");
        self.upstream.iter().for_each(|(from, to)| yaml.push_str(&format!("  {from}: [\"{to}\"]\n")));
        self.sandbox.config(&yaml);
    }

    /// An image of the site.
    pub(super) fn image(&self, name: &str) -> &Image {
        let name = format!("{HOST}/{name}:v1.0.0");
        &self.images.iter().find(|(reference, _)| *reference == name).expect("the site has it").1
    }

    /// The manifest of an image for arm64.
    pub(super) fn manifest(&self, name: &str) -> &Manifest {
        let manifests = &self.image(name).manifests;
        let arm64 = |manifest: &&Manifest| manifest.platform.is_some_and(|platform| platform.0 == "arm64");
        manifests.iter().find(arm64).expect("it is for arm64")
    }

    /// Digest and size of the largest layer of an image for arm64.
    pub(super) fn layer(&self, name: &str) -> (Digest, usize) {
        let manifest: serde_json::Value = serde_json::from_slice(&self.manifest(name).bytes).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        let sizes = layers.map(|layer| {
            let size = usize::try_from(layer["size"].as_u64().unwrap()).unwrap();
            (layer["digest"].as_str().unwrap().parse().unwrap(), size)
        });
        sizes.max_by_key(|(_, size)| *size).expect("it has layers")
    }

    /// Leads everything through a meter.
    pub(super) fn through(&self, meter: &Meter, registry: &Registry, upstream: &Upstream) {
        let (images, rest) = (meter.front(&registry.url()), meter.front(upstream.url()));
        let mirrors = self.upstream.iter().map(|(from, to)| (from.clone(), to.replace(upstream.url(), &rest)));
        let all: Vec<_> = std::iter::once((HOST.to_owned(), images)).chain(mirrors).collect();
        self.sandbox.mirrors(all.iter().map(|(from, to)| (from.as_str(), to.as_str())));
    }

    /// Makes a change to the lock.
    pub(super) fn change(&self, change: impl FnOnce(&mut Lock)) {
        change(&mut self.lock.borrow_mut());
        self.write();
    }

    /// Leaves only the file that goes straight into the archive.
    pub(super) fn streamed(&self) {
        self.change(|lock| drop(lock.components.get_mut("helm").unwrap().files.remove("helm")));
    }

    /// Adds a component to the edge profile that has no digest.
    pub(super) fn unresolved(&self, component: &str, artifact: &str, reason: &str) {
        let catalog = self.sandbox.path("manifests/catalog.yaml");
        let text = std::fs::read_to_string(&catalog).unwrap().replace("[agent]", &format!("[agent, {component}]"));
        std::fs::write(catalog, text).unwrap();
        let yaml = format!(
            "name: {component}\nsource: {{github: example/late, tag: \"v{{version}}\", kind: releases}}\nimages: [\"{artifact}\"]\n"
        );
        self.sandbox.write(format!("manifests/components/{component}/component.yaml"), yaml);
        self.change(|lock| {
            lock.profiles.get_mut("edge").unwrap().push(component.to_owned());
            let (component, artifact, reason) = (component.to_owned(), artifact.to_owned(), reason.to_owned());
            lock.unresolved.push(Unresolved { component, artifact, reason });
        });
    }

    fn write(&self) {
        let catalog = bundler::catalog::read(&self.sandbox.path("manifests")).unwrap_or_else(|e| panic!("{e}"));
        let mut lock = self.lock.borrow_mut();
        for (name, component) in &mut lock.components {
            component.inputs = bundler::catalog::inputs_digest(&catalog.inputs[name]);
        }
        self.sandbox.write("bundle.lock.yaml", bundler::lock::to_text(&lock));
    }

    /// Packs, and gives what the program says in JSON.
    pub(super) fn pack(&self, arguments: &[&str]) -> serde_json::Value {
        let assert = self.sandbox.bundler().args(["pack", "--format", "json"]).args(arguments).assert().success();
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    /// Packs, which must end with `code` and leave nothing, and gives what the program says on stderr.
    pub(super) fn refused(&self, arguments: &[&str], code: i32) -> String {
        let mut command = self.sandbox.bundler();
        let assert = command.arg("pack").args(arguments).args(["--output", "refused/"]).assert();
        let output = assert.get_output();
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(self.files("refused").is_empty(), "{:?}", self.files("refused"));
        text
    }

    /// The names in a directory of the sandbox, hidden ones too.
    pub(super) fn files(&self, directory: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.sandbox.path(directory)) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Every blob of the store has the bytes that its name says, and nothing is half there.
    pub(super) fn assert_store_is_good(&self, told: &str) {
        for blob in self.blobs() {
            let name = blob.file_name().unwrap().to_str().unwrap();
            assert_eq!(Digest::of(&std::fs::read(&blob).unwrap()).hex(), name, "{told}");
        }
        let partial = std::fs::read_dir(self.sandbox.cache().join("partial")).unwrap().count();
        assert_eq!(partial, 0, "{told}");
    }

    /// The paths of the store's blobs, sorted.
    pub(super) fn blobs(&self) -> Vec<PathBuf> {
        let list = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let mut blobs: Vec<_> = list(self.sandbox.cache().join("blobs/sha256")).flat_map(list).collect();
        blobs.sort();
        blobs
    }
}

fn image(name: &str, kind: Kind, compression: Compression, size: usize) -> Image {
    let layer = |architecture: &str| {
        let content = crate::upstream::content::noise(&format!("{name} {architecture}"), size);
        vec![
            // All images share it.
            Layer::new(&tar(&[("etc/os-release", 0o644, b"ID=test\n")]), Compression::Gzip),
            Layer::new(&tar(&[(&format!("bin/{name}"), 0o755, &content)]), compression),
        ]
    };
    Image::build(kind, &[(("amd64", None), layer("amd64")), (("arm64", Some("v8")), layer("arm64"))])
}

fn lock(images: &[(String, Image)], upstream: &Upstream) -> Lock {
    let locked = images.iter().map(|(reference, image)| {
        let root = image.root();
        let platforms = image.manifests.iter().filter_map(|manifest| {
            let arch: Arch = manifest.platform?.0.parse().unwrap();
            let size = Some(manifest.bytes.len() as u64);
            Some((arch, Platform { digest: manifest.digest, size, layers_size: None }))
        });
        let media_type = Some(root.media_type.to_owned());
        let image =
            LockedImage { digest: root.digest, media_type, platforms: platforms.collect(), attached: Vec::new() };
        (reference.parse().unwrap(), image)
    });
    let component = |images: &[&str]| Component {
        version: "1.0.0".to_owned(),
        tag: Some("v1.0.0".to_owned()),
        source: None,
        app_version: None,
        signatures: Vec::new(),
        inputs: Digest::of(b""),
        chart: None,
        charts: BTreeMap::new(),
        files: BTreeMap::new(),
        images: images.iter().map(|name| format!("{HOST}/{name}:v1.0.0").parse().unwrap()).collect(),
    };
    let mut helm = component(&[]);
    for arch in [Arch::Amd64, Arch::Arm64] {
        let url = format!("https://get.helm.sh/helm-v4.2.4-linux-{arch}.tar.gz");
        let bytes = upstream.world().file(&url).unwrap();
        let member = Member { path: format!("linux-{arch}/helm"), sha256: None, size: None };
        let mut add = |name: &str, size, member| {
            let file = File { url: url.clone(), sha256: Digest::of(&bytes), size, from: From::Download, member };
            helm.files.entry(name.to_owned()).or_default().insert(arch, file);
        };
        // As a lock seeded by hand has it: nothing is known of the member.
        add("helm", None, Some(member));
        add("helm.tar.gz", Some(bytes.len() as u64), None);
    }
    Lock {
        schema: 1,
        bundle: Bundle {
            name: "demo".to_owned(),
            version: "1.0.0".to_owned(),
            kubernetes: "1.36".to_owned(),
            kubeedge: None,
            architectures: vec![Arch::Amd64, Arch::Arm64],
            installers: None,
        },
        profiles: BTreeMap::from([
            ("cloud".to_owned(), vec!["app".to_owned(), "helm".to_owned()]),
            ("edge".to_owned(), vec!["agent".to_owned()]),
        ]),
        components: BTreeMap::from([
            ("agent".to_owned(), component(&["agent"])),
            ("app".to_owned(), component(&["app", "sidecar"])),
            ("helm".to_owned(), helm),
        ]),
        images: locked.collect(),
        unresolved: Vec::new(),
    }
}
