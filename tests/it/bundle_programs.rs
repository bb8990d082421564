//! A bundle is read by programs that know nothing of it: tar programs, Python, skopeo, containerd.

pub(crate) mod containerd;
mod packed;

use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use bundler::bundle::contents::{Parts, assemble};
use bundler::bundle::model::BundleFile;
use bundler::bundle::write::Writer;
use bundler::bundle::{Content, Layout, tar};
use bundler::oci::manifest::Manifest;
use bundler::oci::{Arch, Digest, Reference};
use bytes::Bytes;

use self::containerd::{Containerd, host};
use crate::support::{self, Sandbox, output_of};
use crate::upstream::content::noise;
use crate::upstream::image::{self, Compression, Image, Kind, Layer};

/// A bundle of images of every kind, and what has to be found in it.
pub(crate) struct Sample {
    pub(crate) sandbox: Sandbox,
    /// Every name in the bundle, with the digest that it has to have.
    pub(crate) names: BTreeMap<String, Digest>,
    /// The members by path.
    pub(crate) members: BTreeMap<String, Vec<u8>>,
}

impl Sample {
    pub(crate) fn new(archs: &[Arch]) -> Self {
        Self::of(archs, sample_images(archs))
    }

    /// Only images with an index, which are the same in the bundle of each architecture.
    pub(crate) fn indexed(archs: &[Arch]) -> Self {
        let images = sample_images(archs).into_iter().filter(|(name, _)| !name.contains("single")).collect();
        Self::of(archs, images)
    }

    pub(crate) fn of(archs: &[Arch], images: Vec<(&str, Image)>) -> Self {
        let sandbox = Sandbox::new();
        let mut names = BTreeMap::new();
        let mut references = Vec::new();
        let mut manifests = BTreeMap::new();
        let mut blobs = BTreeMap::new();
        let mut lock = String::new();
        for (reference, image) in images {
            let root = image.root();
            let (reference, pinned) = match reference.strip_suffix('@') {
                Some(name) => (format!("{name}@{}", root.digest), true),
                None => (reference.to_owned(), false),
            };
            let parsed: Reference = reference.parse().unwrap();
            names.insert(parsed.to_string(), root.digest);
            if pinned {
                names.insert(parsed.pinned(root.digest).to_string(), root.digest);
            }
            lock += &format!("    {parsed}: {{digest: '{}', media_type: {}}}\n", root.digest, root.media_type);
            references.push(format!("'{parsed}'"));
            for manifest in &image.manifests {
                let parsed = Manifest::parse(manifest.bytes.clone(), Some(manifest.media_type)).unwrap();
                manifests.insert(parsed.digest, parsed);
            }
            blobs.extend(image.blobs.iter().map(|blob| (Digest::of(blob), blob.clone())));
        }
        let program = Bytes::from_static(b"#!/bin/sh\necho program\n");
        let hex = Digest::of(&program).hex();
        let architectures = archs.iter().map(|arch| arch.as_str()).collect::<Vec<_>>().join(", ");
        let references = references.join(", ");
        let files: String = archs
            .iter()
            .map(|arch| {
                format!("{arch}: {{url: 'https://x.y', sha256: {hex}, size: {}, from: download}}, ", program.len())
            })
            .collect();
        let charts: String = sample_charts()
            .into_iter()
            .map(|(name, version, chart)| {
                let digest = Digest::of(&chart);
                let size = chart.len();
                blobs.insert(digest, chart);
                let sha256 = digest.hex();
                format!(
                    "{name}-{version}: {{name: {name}, version: {version}, url: 'https://x.y', sha256: {sha256}, \
                     size: {size}, from: helm-index}}, "
                )
            })
            .collect();
        let yaml = format!(
            "schema: 1\nname: demo\nversion: 1.0.0\nprofiles: [edge]\narchitectures: [{architectures}]\nlock:\n  schema: 1\n  \
             bundle: {{name: demo, version: 1.0.0, kubernetes: '1.36', architectures: [{architectures}]}}\n  \
             profiles: {{edge: [app]}}\n  components:\n    app:\n      version: 1.0.0\n      inputs: sha256:{hex}\n      \
             images: [{references}]\n      files: {{tool: {{{files}}}}}\n      charts: {{{charts}}}\n  images:\n{lock}"
        );
        blobs.insert(Digest::of(&program), program);
        let parts = Parts {
            bundle: bundler::yaml::parse::<BundleFile>("bundle.yaml", &yaml).unwrap(),
            manifests,
            carried: BTreeMap::new(),
            component_files: BTreeMap::from([(
                "app".to_owned(),
                BTreeMap::from([(format!("resources/{}/配置.yaml", "long".repeat(20)), Bytes::from_static(b"a: 1\n"))]),
            )]),
            installers: BTreeMap::from([("install.sh".to_owned(), Bytes::from_static(b"#!/bin/sh\n"))]),
            sbom: Bytes::from_static(b"{}\n"),
        };
        let members = write(&sandbox.path("b.tar.gz"), &parts, &blobs);
        Self { sandbox, names, members }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.sandbox.path("b.tar.gz")
    }

    /// Asserts that the directory holds the members and nothing else, with their permissions.
    fn assert_unpacked(&self, directory: &Path) {
        let report =
            bundler::verify::verify(directory, std::num::NonZero::<usize>::MIN, None, &bundler::event::Silent).unwrap();
        assert!(report.good, "{:#?}", report.findings);
        for (path, bytes) in &self.members {
            assert!(std::fs::read(directory.join(path)).unwrap() == *bytes, "{path}");
        }
        let mode = |path: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::metadata(directory.join(path)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode("install.sh") & 0o500, mode("bundle.yaml") & 0o700), (0o500, 0o600));
    }
}

/// Two versions of a chart that Helm can install; one version has what no tag may have.
fn sample_charts() -> Vec<(&'static str, &'static str, Bytes)> {
    let chart = |name: &'static str, version: &'static str| {
        let metadata = format!(
            "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 1.20\ndescription: A page for a site\n"
        );
        let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-page}\n\
                        data: {version: {{ .Chart.Version | quote }}, app: {{ .Chart.AppVersion | quote }}}\n";
        let path = |file: &str| format!("{name}/{file}");
        let members = [("Chart.yaml", metadata.as_str()), ("values.yaml", "a: 1\n"), ("templates/page.yaml", template)];
        let members = members.map(|(file, text)| (path(file), text));
        let members: Vec<_> = members.iter().map(|(path, text)| (path.as_str(), 0o644, text.as_bytes())).collect();
        (name, version, Layer::new(&image::tar(&members), Compression::Gzip).bytes)
    };
    vec![chart("page", "0.1.0"), chart("page", "1.2.3+site.1")]
}

/// A name that ends in `@` gets the image's own digest.
fn sample_images(archs: &[Arch]) -> Vec<(&'static str, Image)> {
    let layers = |name: &str, arch: &str, compression| {
        let base = image::tar(&[("etc/os-release", 0o644, b"ID=demo\n")]);
        // One layer is longer than what is read or held back at once.
        let own = match name {
            "web" => noise(arch, 700_000),
            _ => format!("{name} for {arch}\n").repeat(5000).into_bytes(),
        };
        let own = image::tar(&[("usr/bin/program", 0o755, &own)]);
        vec![Layer::new(&base, Compression::Gzip), Layer::new(&own, compression)]
    };
    let build = |kind, name, compression, variant| {
        let platforms = [("amd64", None), ("arm64", variant), ("s390x", None)];
        let platforms = platforms.map(|platform| (platform, layers(name, platform.0, compression)));
        Image::build(kind, &platforms)
    };
    let mut images = vec![
        ("docker.io/library/web:1", build(Kind::Oci, "web", Compression::Gzip, None)),
        ("quay.io/x/list:v2.0", build(Kind::DockerList, "list", Compression::Gzip, Some("v8"))),
        ("ghcr.io/x/zstd:v3", build(Kind::Oci, "zstd", Compression::Zstd, None)),
        ("registry.k8s.io/x/pinned:v4@", build(Kind::Oci, "pinned", Compression::Gzip, None)),
    ];
    if let [arch] = archs {
        let platform = [((arch.as_str(), None), layers("single", arch.as_str(), Compression::Gzip))];
        images.push(("127.0.0.1:5000/single:v5", Image::build(Kind::DockerManifest, &platform)));
    }
    images
}

/// Writes a bundle and returns its members.
fn write(path: &Path, parts: &Parts, blobs: &BTreeMap<Digest, Bytes>) -> BTreeMap<String, Vec<u8>> {
    let writer = Writer::create(path, Layout::new(assemble(parts).unwrap()).unwrap()).unwrap();
    let mut members = BTreeMap::new();
    for index in 0..writer.layout().members().len() {
        let slot = writer.slot(index);
        let bytes = match &slot.member().content {
            Content::Inline(bytes) => bytes.clone(),
            Content::Blob(digest) => {
                slot.write_at(0, &blobs[digest]).unwrap();
                blobs[digest].clone()
            }
        };
        members.insert(slot.member().path.clone(), bytes.to_vec());
    }
    writer.seal().unwrap().publish().unwrap();
    members
}

#[test]
fn gnu_tar_unpacks_it_and_sha256sum_agrees() {
    let Some(tar) = support::program("tar") else { return };
    let sample = Sample::new(&[Arch::Arm64]);
    output_of(sample.sandbox.command("sha256sum").args(["-c", "b.tar.gz.sha256"]));
    let list = output_of(sample.sandbox.command(&tar).args(["tzf", "b.tar.gz", "--quoting-style=literal"]));
    assert_eq!(list.lines().count(), sample.members.len());
    assert!(list.starts_with("bundle.yaml\nSHA256SUMS\nREADME.txt\ninstall.sh\n"), "{list}");
    let directory = sample.sandbox.path("unpacked");
    std::fs::create_dir(&directory).unwrap();
    output_of(sample.sandbox.command(&tar).args(["xzf", "b.tar.gz", "-C", "unpacked"]));
    sample.assert_unpacked(&directory);
    let checked = output_of(sample.sandbox.command("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&directory));
    assert_eq!(checked.lines().filter(|line| line.ends_with(": OK")).count(), sample.members.len() - 1);
}

#[test]
fn busybox_unpacks_it() {
    let Some(busybox) = support::program("busybox") else { return };
    let sample = Sample::new(&[Arch::Amd64, Arch::Arm64]);
    let directory = sample.sandbox.path("unpacked");
    std::fs::create_dir(&directory).unwrap();
    output_of(sample.sandbox.command(&busybox).args(["tar", "xzf", "b.tar.gz", "-C", "unpacked"]));
    sample.assert_unpacked(&directory);
    output_of(sample.sandbox.command(&busybox).args(["sha256sum", "-c", "SHA256SUMS"]).current_dir(&directory));
}

#[test]
fn python_reads_it() {
    let Some(python) = support::program("python3") else { return };
    let sample = Sample::new(&[Arch::Arm64]);
    let script = "\
import gzip, hashlib, sys, tarfile\n\
with gzip.open('b.tar.gz') as archive:\n    \
    archive.read()\n\
with tarfile.open('b.tar.gz', 'r:gz') as archive:\n    \
    for member in archive:\n        \
        assert member.isfile() and (member.uid, member.gid, member.mtime, member.uname) == (0, 0, 0, ''), member.name\n        \
        print(hashlib.sha256(archive.extractfile(member).read()).hexdigest(), member.name)\n";
    let listed = output_of(sample.sandbox.command(&python).args(["-X", "utf8", "-c", script]));
    let mut listed: Vec<_> = listed.lines().map(str::to_owned).collect();
    listed.sort_by(|a, b| a[65..].cmp(&b[65..]));
    let expected: Vec<_> =
        sample.members.iter().map(|(path, bytes)| format!("{} {path}", Digest::of(bytes).hex())).collect();
    assert_eq!(listed, expected);
}

#[test]
fn tar_programs_agree_on_files_beyond_eight_gibibytes() {
    let sandbox = Sandbox::new();
    let size: u64 = (9 << 30) + 5;
    let path = sandbox.path("large.tar");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&tar::header("large", 0o644, size).unwrap()).unwrap();
    // A hole: nothing of it is on the disk.
    file.seek_relative(i64::try_from(tar::padded(size).unwrap()).unwrap()).unwrap();
    file.write_all(&tar::header("after", 0o644, 0).unwrap()).unwrap();
    file.write_all(&[0; 1024]).unwrap();
    drop(file);
    let python = "import tarfile\nfor m in tarfile.open('large.tar'): print(m.size, m.name)";
    for (program, arguments) in
        [("tar", &["tvf", "large.tar"][..]), ("busybox", &["tar", "tvf", "large.tar"]), ("python3", &["-c", python])]
    {
        let Some(found) = support::program(program) else { continue };
        let listed = output_of(sandbox.command(found).args(arguments));
        let lines: Vec<_> = listed.lines().collect();
        assert_eq!(lines.len(), 2, "{program}: {listed}");
        assert!(lines[0].contains(&size.to_string()) && lines[0].ends_with("large"), "{program}: {listed}");
        assert!(lines[1].ends_with("after"), "{program}: {listed}");
    }
}

#[test]
fn skopeo_finds_every_image() {
    let Some(skopeo) = support::program("skopeo") else { return };
    for archs in [&[Arch::Arm64][..], &[Arch::Amd64, Arch::Arm64]] {
        let sample = Sample::new(archs);
        output_of(sample.sandbox.command("gunzip").args(["-k", "b.tar.gz"]));
        let inspect = |arguments: &[&str]| output_of(sample.sandbox.command(&skopeo).args(arguments));
        for (name, digest) in &sample.names {
            let docker = name.contains("/list") || name.contains("/single");
            // Of an OCI layout skopeo takes OCI's media types only; in a bundle of one architecture
            // `manifest.json` has the others by tag, and for that it wants the tar.
            let source = match docker {
                false => format!("oci-archive:{}:{name}", sample.path().display()),
                true if archs.len() == 1 => format!("docker-archive:{}:{name}", sample.sandbox.path("b.tar").display()),
                true => continue,
            };
            for arch in archs {
                let text = inspect(&["--override-arch", arch.as_str(), "inspect", "--no-tags", &source]);
                let inspected: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(inspected["Architecture"], arch.as_str(), "{name}");
                assert_eq!(inspected["Layers"].as_array().map(Vec::len), Some(2), "{name}");
            }
            if !docker {
                assert_eq!(Digest::of(inspect(&["inspect", "--raw", &source]).as_bytes()), *digest, "{name}");
            }
        }
    }
}

#[test]
fn containerd_imports_the_bundle_of_its_host() {
    let Some(containerd) = Containerd::start() else { return };
    let sample = Sample::new(&[host()]);
    containerd.import(&sample.sandbox, &sample.path(), &[]);
    containerd.assert_has(&sample.sandbox, &sample.names, host());
}

#[test]
fn containerd_imports_a_foreign_bundle() {
    let Some(containerd) = Containerd::start() else { return };
    let foreign = if host() == Arch::Arm64 { Arch::Amd64 } else { Arch::Arm64 };
    let sample = Sample::new(&[foreign]);
    containerd.import(&sample.sandbox, &sample.path(), &["--platform", &format!("linux/{foreign}")]);
    containerd.assert_has(&sample.sandbox, &sample.names, foreign);
}
