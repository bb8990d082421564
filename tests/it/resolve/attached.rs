//! Signatures and the like on their whole way: attached by the real oras and cosign, locked, packed, served, pushed, and
//! read back by the same programs.

use std::path::{Path, PathBuf};

use bundler::lock;
use bundler::oci::Digest;
use serde_json::Value;

use super::signatures::docker_hub_is_at;
use super::{Bench, DAY, EDGEMESH};
use crate::serve::served::Served;
use crate::support::{self, Registry, output_of};
use crate::upstream::image::{Compression, Image, Kind, Layer, tar};

const NAME: &str = "docker.io/kubeedge/edgemesh-agent:v1.17.0";
const REPOSITORY: &str = "kubeedge/edgemesh-agent";
const STATEMENT: &str = "application/vnd.in-toto+json";
const BILL: &str = "application/spdx+json";

/// An image in a registry that stands for Docker Hub.
struct Scene {
    bench: Bench,
    registry: Registry,
    image: Image,
}

impl Scene {
    fn new(registry: Registry) -> Self {
        let bench = Bench::new(&[EDGEMESH]);
        docker_hub_is_at(&bench, &[&registry.url()]);
        let layer = |arch: &str| Layer::new(&tar(&[("bin/agent", 0o755, arch.as_bytes())]), Compression::Gzip);
        let platforms = ["amd64", "arm64"].map(|arch| ((arch, None), vec![layer(arch)]));
        let image = Image::build(Kind::Oci, &platforms);
        registry.push(NAME, &image);
        Self { bench, registry, image }
    }

    fn root(&self) -> Digest {
        self.image.root().digest
    }

    fn child(&self, arch: &str) -> Digest {
        let is_for = |platform: Option<(&str, Option<&str>)>| platform.is_some_and(|platform| platform.0 == arch);
        self.image.manifests.iter().find(|manifest| is_for(manifest.platform)).unwrap().digest
    }

    /// Attaches a file to a manifest and gives the digest of what came of it.
    fn attach(&self, oras: &Path, to: Digest, artifact_type: &str) -> Digest {
        self.bench.sandbox.write("statement.json", format!("{artifact_type} about {to}"));
        let place = format!("{}/{REPOSITORY}@{to}", self.registry.address());
        let mut attach = self.bench.sandbox.command(oras);
        attach.args(["attach", "--plain-http", "--artifact-type", artifact_type, "--format", "json", &place]);
        let told: Value = serde_json::from_str(&output_of(attach.arg("statement.json:application/json"))).unwrap();
        told["digest"].as_str().unwrap().parse().unwrap()
    }

    /// Puts something under a tag of cosign's.
    fn tag(&self, oras: &Path, to: Digest, suffix: &str) -> String {
        let tag = format!("sha256-{}.{suffix}", to.hex());
        self.bench.sandbox.write("payload.json", format!("{suffix} of {to}"));
        let place = format!("{}/{REPOSITORY}:{tag}", self.registry.address());
        let mut push = self.bench.sandbox.command(oras);
        output_of(push.args([
            "push",
            "--plain-http",
            &place,
            "payload.json:application/vnd.dev.cosign.simplesigning.v1+json",
        ]));
        tag
    }

    fn pack(&self, output: &str, arguments: &[&str]) -> PathBuf {
        let mut command = self.bench.sandbox.bundler();
        command.args(["pack", "--arch", "arm64", "--output", output]).args(arguments).assert().success();
        self.bench.sandbox.path(output)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let run = self.bench.sandbox.bundler().args(arguments).assert().success();
        String::from_utf8(run.get_output().stdout.clone()).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[&["--format", "json"], arguments].concat())).unwrap()
    }

    /// The digests that oras finds attached to a manifest.
    fn discovered(&self, oras: &Path, place: &str, arguments: &[&str]) -> Vec<Digest> {
        let mut discover = self.bench.sandbox.command(oras);
        discover.args(["discover", "--plain-http", "--depth", "1", "--format", "json"]).args(arguments).arg(place);
        let told: Value = serde_json::from_str(&output_of(&mut discover)).unwrap();
        let listed = ["referrers", "manifests"].iter().find_map(|key| told[key].as_array()).cloned();
        let digest = |entry: &Value| entry["digest"].as_str().unwrap().parse().unwrap();
        let mut digests: Vec<_> = listed.unwrap_or_default().iter().map(digest).collect();
        digests.sort();
        digests
    }
}

/// Registries with and without an API for referrers.
fn registries() -> [Option<Registry>; 3] {
    [Registry::plain(), Registry::lenient(), Registry::referring()]
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn what_upstream_attached_goes_all_the_way() {
    let Some(oras) = support::tool("oras") else { return };
    for registry in registries() {
        let Some(registry) = registry else { return };
        let scene = Scene::new(registry);
        scene.bench.good(DAY);
        let before = scene.bench.lock_text();
        assert!(!before.contains("attached"), "nobody attached anything: {before}");

        let (root, arm, amd) = (scene.root(), scene.child("arm64"), scene.child("amd64"));
        let statement = scene.attach(&oras, root, STATEMENT);
        let bill = scene.attach(&oras, root, BILL);
        let of_arm = scene.attach(&oras, arm, STATEMENT);
        let of_amd = scene.attach(&oras, amd, STATEMENT);
        let tag = scene.tag(&oras, root, "sig");
        scene.bench.good(DAY);
        let lock = scene.bench.lock();
        let attached = &lock.images[&NAME.parse().unwrap()].attached;
        let mut found: Vec<_> = attached.iter().map(|one| (one.to, one.digest, one.tag.clone())).collect();
        let signature = found.iter().find(|(_, _, tag)| tag.is_some()).unwrap().clone();
        assert_eq!((signature.0, signature.2.as_deref()), (root, Some(tag.as_str())));
        found.retain(|(_, _, tag)| tag.is_none());
        found.sort();
        let mut expected = [(root, statement), (root, bill), (arm, of_arm), (amd, of_amd)].map(|(to, d)| (to, d, None));
        expected.sort();
        assert_eq!(found, expected);
        // Nothing changes in a second run, nor without a network.
        for more in [&["--check"][..], &["--check", "--offline"]] {
            let run = scene.bench.resolve(&[&["--as-of", DAY], more].concat());
            assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
        }

        let plain = scene.pack("plain.tar.gz", &[]);
        let full = scene.pack("full.tar.gz", &["--with-signatures"]);
        let again = scene.pack("again.tar.gz", &["--with-signatures", "--no-store", "--jobs", "1"]);
        assert!(bytes(&full) == bytes(&again), "it is reproducible");
        let locked = scene.bench.lock_text();
        scene.bench.sandbox.write("bundle.lock.yaml", &before);
        assert!(bytes(&plain) == bytes(&scene.pack("before.tar.gz", &[])), "without the switch nothing is different");
        scene.bench.sandbox.write("bundle.lock.yaml", &locked);

        for bundle in ["plain.tar.gz", "full.tar.gz"] {
            scene.run(&["verify", bundle]);
            // No list of images has anything but the image.
            let layout = scene.bench.sandbox.path(format!("{bundle}.layout"));
            scene.run(&["load", bundle, "--into", &format!("oci-layout:{}", layout.display())]);
            let index: Value = serde_json::from_slice(&bytes(&layout.join("index.json"))).unwrap();
            let images = index["manifests"].as_array().unwrap();
            assert!(images.iter().all(|image| image["digest"] == root.to_string()), "{index:#}");
        }
        let image = scene.json(&["inspect", "full.tar.gz"])["images"][0].clone();
        let kinds: Vec<_> = image["attached"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(kinds.len(), 4, "all but what is about amd64: {image:#}");
        assert!(scene.json(&["inspect", "plain.tar.gz"])["images"][0].get("attached").is_none());
        let text = scene.run(&["inspect", "full.tar.gz"]);
        assert!(text.contains("ATTACHED") && text.contains("signature, 2 attestation, sbom"), "{text}");

        scene.pack("delta.tar.gz", &["--with-signatures", "--base", "plain.tar.gz"]);
        scene.run(&["apply", "plain.tar.gz", "delta.tar.gz", "-o", "applied.tar.gz"]);
        assert!(bytes(&full) == bytes(&scene.bench.sandbox.path("applied.tar.gz")));

        let served = Served::start(&[&full], &[]);
        let place = format!("{}/{NAME}", served.address);
        let (repository, _) = place.rsplit_once(':').unwrap();
        let about = |digest: Digest| format!("{repository}@{digest}");
        let mut both = vec![statement, bill];
        both.sort();
        assert_eq!(scene.discovered(&oras, &about(root), &[]), both);
        assert_eq!(scene.discovered(&oras, &about(root), &["--artifact-type", BILL]), [bill]);
        assert_eq!(scene.discovered(&oras, &about(arm), &[]), [of_arm]);
        let mut pull = scene.bench.sandbox.command(&oras);
        output_of(pull.args(["pull", "--plain-http", "--output", "pulled", &format!("{repository}:{tag}")]));
        let payload = bytes(&scene.bench.sandbox.path("pulled/payload.json"));
        assert_eq!(payload, format!("sig of {root}").into_bytes());
        let without = Served::start(&[&plain], &[]);
        assert_eq!(scene.discovered(&oras, &format!("{}/{REPOSITORY}@{root}", without.address), &[]), []);

        // To a site whose registry is of either kind.
        for target in registries() {
            let Some(target) = target else { return };
            let site = format!("{}/site", target.url());
            let pushed = scene.json(&["push", "full.tar.gz", &site]);
            assert_eq!(
                (&pushed["images"][0]["attached"], &pushed["images"][0]["state"]),
                (&4.into(), &"pushed".into())
            );
            let about = |digest: Digest| format!("{}/site/{REPOSITORY}@{digest}", target.address());
            if pushed["images"][0]["form"] == "as-is" {
                assert_eq!(scene.discovered(&oras, &about(root), &[]), both);
            }
            assert_eq!(scene.discovered(&oras, &about(arm), &[]), [of_arm]);
            let mut fetch = scene.bench.sandbox.command(&oras);
            fetch.args(["manifest", "fetch", "--plain-http", "--descriptor"]);
            let told = output_of(fetch.arg(format!("{}/site/{REPOSITORY}:{tag}", target.address())));
            assert!(told.contains(&signature.1.to_string()), "{told}");
            let again = scene.json(&["push", "full.tar.gz", &site]);
            assert_eq!((&again["images"][0]["state"], &again["blobs"]["sent"]), (&"present".into(), &0.into()));
        }
    }
}

#[test]
fn a_mirror_that_lists_nothing_hides_no_signatures() {
    let Some(oras) = support::tool("oras") else { return };
    for registry in registries() {
        let (Some(registry), Some(mirror)) = (registry, Registry::referring()) else { return };
        let scene = Scene::new(registry);
        let mut expected =
            [scene.attach(&oras, scene.root(), STATEMENT), scene.attach(&oras, scene.child("arm64"), BILL)];
        expected.sort();
        let mut without = scene.bench.sandbox.command(&oras);
        mirror.push(NAME, &scene.image);
        let place = format!("{}/{REPOSITORY}@{}", mirror.address(), scene.root());
        without.args(["discover", "--plain-http", "--format", "json"]).arg(place);
        let told: Value = serde_json::from_str(&output_of(&mut without)).unwrap();
        assert!(told.to_string().contains("[]"), "the mirror has a list, and nothing in it: {told}");

        docker_hub_is_at(&scene.bench, &[&mirror.url(), &scene.registry.url()]);
        scene.bench.good(DAY);
        let mut locked: Vec<_> =
            scene.bench.lock().images[&NAME.parse().unwrap()].attached.iter().map(|one| one.digest).collect();
        locked.sort();
        assert_eq!(locked, expected);
        scene.pack("full.tar.gz", &["--with-signatures"]);
        scene.run(&["verify", "full.tar.gz"]);
    }
}

#[test]
fn a_policy_finds_the_signature_that_cosign_made() {
    // As bundles of Sigstore that are referrers, and as it was before cosign 3: under tags.
    signed_as(&["--new-bundle-format=true"]);
    signed_as(&["--new-bundle-format=false"]);
}

fn signed_as(form: &[&str]) {
    let (Some(cosign), Some(registry)) = (support::tool("cosign"), Registry::plain()) else { return };
    let scene = Scene::new(registry);
    let own = |arguments: &[&str]| {
        let mut command = scene.bench.sandbox.command(&cosign);
        output_of(command.env("COSIGN_PASSWORD", "").args(arguments))
    };
    own(&["generate-key-pair", "--output-key-prefix", "good"]);
    own(&["generate-key-pair", "--output-key-prefix", "other"]);
    let upstream = format!("{}/{REPOSITORY}@{}", scene.registry.address(), scene.root());
    let statement = scene.bench.sandbox.write("statement.json", r#"{"built": "here"}"#);
    let with_key = ["--yes", "--key", "good.key", "--use-signing-config=false", "--tlog-upload=false"];
    let there = ["--allow-http-registry=true", upstream.as_str()];
    // `--recursive`: each platform's manifest too, for registries that refuse an index with absent children.
    own(&[&["sign", "--recursive"], &with_key[..], form, &there].concat());
    let predicate = ["--predicate", statement.to_str().unwrap(), "--type", "custom"];
    own(&[&["attest"], &with_key[..], form, &predicate, &there].concat());
    scene.bench.good(DAY);
    let full = scene.pack("full.tar.gz", &["--with-signatures"]);
    scene.run(&["verify", "full.tar.gz"]);

    let verify = |what: &str, key: &str, more: &[&str], place: &str| {
        let mut command = scene.bench.sandbox.command(&cosign);
        command.args([what, "--key", key, "--insecure-ignore-tlog=true", "--allow-http-registry=true"]);
        command.args(more).arg(place).output().unwrap()
    };
    let served = Served::start(&[&full], &[]);
    let target = Registry::plain().unwrap();
    scene.run(&["push", "full.tar.gz", &format!("{}/site", target.url())]);
    let places = [
        (format!("{}/{NAME}", served.address), true),
        // The index is refused there, so the tag is that of the manifest for arm64, which is signed too.
        (format!("{}/site/{REPOSITORY}:v1.17.0", target.address()), false),
    ];
    for (place, is_whole) in &places {
        let good = verify("verify", "good.pub", &[], place);
        assert!(good.status.success(), "{place}: {}", String::from_utf8_lossy(&good.stderr));
        let other = verify("verify", "other.pub", &[], place);
        assert!(!other.status.success(), "{place}: another key is no good one");
        let attested = verify("verify-attestation", "good.pub", &["--type", "custom"], place);
        assert_eq!(attested.status.success(), *is_whole, "{place}: {}", String::from_utf8_lossy(&attested.stderr));
    }
    let plain = scene.pack("plain.tar.gz", &[]);
    let served = Served::start(&[&plain], &[]);
    let none = verify("verify", "good.pub", &[], &format!("{}/{NAME}", served.address));
    assert!(!none.status.success(), "without the switch there is nothing to find");
}

#[test]
fn a_changed_signature_is_no_part_of_a_bundle() {
    let (Some(oras), Some(registry)) = (support::tool("oras"), Registry::plain()) else { return };
    let scene = Scene::new(registry);
    let statement = scene.attach(&oras, scene.root(), STATEMENT);
    scene.bench.good(DAY);
    scene.pack("full.tar.gz", &["--with-signatures"]);
    let unpacked = scene.bench.sandbox.path("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    output_of(scene.bench.sandbox.command("tar").args(["xzf", "full.tar.gz", "-C", "unpacked"]));
    let blob = unpacked.join("blobs/sha256").join(statement.hex());
    let refused = |said: &str| {
        let run = scene.bench.sandbox.bundler().args(["verify", "unpacked"]).assert().code(1);
        let output = run.get_output();
        let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        assert!(text.contains(said), "{said}: {text}");
    };
    std::fs::write(&blob, b"{}").unwrap();
    refused(&statement.hex());
    std::fs::remove_file(&blob).unwrap();
    refused(&statement.to_string());

    // One that says that it is about something else is none of ours.
    let mut lock = scene.bench.lock();
    let image = lock.images.get_mut(&NAME.parse().unwrap()).unwrap();
    image.attached[0].to = image.platforms.values().next().unwrap().digest;
    lock::write(&scene.bench.lock_file(), &lock).unwrap();
    let run = scene.bench.sandbox.bundler().args(["pack", "--arch", "amd64", "--with-signatures"]).assert().code(4);
    let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(text.contains("does not say that it is attached to"), "{text}");
}
