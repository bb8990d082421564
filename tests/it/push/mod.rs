//! Bundles are pushed to real registries, and what is there is pulled by other programs.

mod faults;
mod logins;
mod sample;

use std::path::Path;

use bundler::config::Config;
use bundler::oci::manifest::View;
use bundler::oci::{Arch, Digest, Reference};
use bundler::source::{Http, HttpOptions, Registry as Client};
use serde_json::Value;

use self::sample::Sample;
use crate::support::{self, Fault, Proxy, Registry, output_of};

const WEB: &str = "docker.io/library/web:1";
const DB: &str = "quay.io/x/db:v2";

impl Sample {
    /// Pushes and gives the report.
    fn push(&self, arguments: &[&str]) -> Value {
        let output = self.sandbox.bundler().args(["--format", "json", "push"]).args(arguments).assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    }

    /// Fails to push with this exit code, and gives what was said.
    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let output = self.sandbox.bundler().arg("push").args(arguments).assert().failure().code(code);
        String::from_utf8(output.get_output().stderr.clone()).unwrap()
    }

    /// Waits that a test can afford.
    fn is_patient(&self) {
        self.sandbox.config("attempts: 3\nretry_wait: 1ms\n");
    }
}

/// The entry of an image or a chart.
fn entry<'a>(pushed: &'a Value, name: &str) -> &'a Value {
    let all = ["images", "charts"].map(|key| pushed[key].as_array().unwrap());
    all.into_iter().flatten().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}: {pushed:#}"))
}

/// Pulls an image through a mirror with our own client, every byte of one architecture.
fn pull(url: &str, name: &str, arch: Arch) -> Digest {
    let reference: Reference = name.parse().unwrap();
    let config = format!("mirror_only: true\nmirrors: {{'{}': ['{url}']}}\n", reference.registry());
    let config = Config::parse("config.yaml", &config).unwrap();
    let client = Client::new(Http::new(HttpOptions { config, ..HttpOptions::default() }).unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let root = client.manifest(&reference).await.unwrap();
        let digest = root.digest;
        let manifest = match root.child(arch) {
            Some(child) => client.manifest(&reference.pinned(child.digest)).await.unwrap(),
            None => root,
        };
        let View::Manifest { config, layers } = manifest.view else { panic!("{name} is not for {arch}") };
        for descriptor in layers.iter().chain([&config]) {
            let blob = client.blob(&reference, &descriptor.digest, descriptor.size).await.unwrap();
            assert_eq!(blob.len() as u64, descriptor.size);
        }
        digest
    })
}

fn skopeo_takes(sample: &Sample, reference: &str, arch: &str) {
    let Some(skopeo) = support::program("skopeo") else { return };
    let mut copy = sample.sandbox.command(skopeo);
    copy.args(["--override-arch", arch, "copy", "--src-tls-verify=false", &format!("docker://{reference}")]);
    output_of(copy.arg(format!("dir:{}", sample.sandbox.path("taken").display())));
}

#[test]
fn a_registry_that_refuses_absent_children_gets_the_manifest() {
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let proxy = Proxy::before(&registry.url(), |_| Fault::None);
    let target = format!("{}/site", proxy.url());
    let arguments = [bundle.to_str().unwrap(), &target];

    let dry = sample.push(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(entry(&dry, WEB)["state"], "missing");
    assert!(proxy.asked().iter().all(|asked| asked.method == "HEAD"), "{:#?}", proxy.asked());

    let pushed = sample.push(&arguments);
    assert_eq!(dry["blobs"], pushed["blobs"], "the dry run knew it");
    assert_eq!(pushed["blobs"]["mounted"], 2, "the others take the shared layer from the first: {pushed:#}");
    for name in [WEB, DB, sample.pinned()] {
        let entry = entry(&pushed, name);
        assert_eq!((&entry["state"], &entry["form"]), (&"pushed".into(), &"manifest".into()), "{name}");
        assert_eq!(entry["digest"], sample.child(name, "arm64").to_string(), "{name}");
        assert_eq!(entry["instead_of"], sample.root(name).to_string(), "{name}");
    }
    assert_eq!(entry(&pushed, WEB)["at"], format!("{}/site/library/web:1", proxy.address()));
    for name in [WEB, DB] {
        assert_eq!(pull(&format!("{}/site", registry.url()), name, Arch::Arm64), sample.child(name, "arm64"));
    }
    skopeo_takes(&sample, &format!("{}/site/x/db:v2", registry.address()), "arm64");

    proxy.heal();
    let again = sample.push(&arguments);
    assert_eq!(entry(&again, WEB)["state"], "present");
    assert_eq!(entry(&again, WEB)["instead_of"], sample.root(WEB).to_string());
    let sent = |method: &str| proxy.asked().iter().filter(|asked| asked.method == method).count();
    assert_eq!((sent("POST"), sent("PATCH")), (0, 0), "{:#?}", proxy.asked());
    assert_eq!(sent("PUT"), 2, "only the index without a tag is tried again: {:#?}", proxy.asked());

    let text = sample.sandbox.bundler().arg("push").args(arguments).assert().success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("there already, only the manifest for arm64"), "{text}");
    assert!(text.contains("3 images with another digest there"), "{text}");
}

#[test]
fn a_registry_that_takes_absent_children_gets_the_index() {
    let Some(registry) = Registry::lenient() else { return };
    let sample = Sample::new();
    let [amd64, arm64] =
        [("amd64", Arch::Amd64), ("arm64", Arch::Arm64)].map(|(name, arch)| sample.bundle(name, &[arch]));
    let target = format!("{}/a/b", registry.url());
    let pushed = sample.push(&[arm64.to_str().unwrap(), &target]);
    for name in [WEB, DB, sample.pinned()] {
        let entry = entry(&pushed, name);
        assert_eq!((&entry["form"], &entry["instead_of"]), (&"as-is".into(), &Value::Null), "{name}");
        assert_eq!(pull(&target, name, Arch::Arm64), sample.root(name), "a digest still resolves: {name}");
    }
    let more = sample.push(&[amd64.to_str().unwrap(), &target]);
    assert_eq!(entry(&more, WEB)["state"], "pushed");
    for arch in [Arch::Amd64, Arch::Arm64] {
        assert_eq!(pull(&target, WEB, arch), sample.root(WEB));
    }
    skopeo_takes(&sample, &format!("{}/a/b/library/web:1", registry.address()), "amd64");
    let again = sample.push(&[arm64.to_str().unwrap(), amd64.to_str().unwrap(), &target]);
    assert!(again["images"].as_array().unwrap().iter().all(|image| image["state"] == "present"), "{again:#}");
    assert_eq!(again["blobs"]["sent"], 0);
}

#[test]
fn crane_and_regctl_read_what_was_pushed() {
    let (Some(crane), Some(regctl)) = (support::tool("crane"), support::tool("regctl")) else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let registries =
        [(Registry::plain(), "manifest"), (Registry::lenient(), "as-is"), (Registry::referring(), "manifest")];
    for (registry, form) in registries {
        let Some(registry) = registry else { return };
        let pushed = sample.push(&[bundle.to_str().unwrap(), &format!("{}/site", registry.url())]);
        let run = |program: &Path, arguments: &[&str]| output_of(sample.sandbox.command(program).args(arguments));
        run(&regctl, &["registry", "set", "--tls", "disabled", registry.address()]);
        for name in [WEB, DB] {
            let entry = entry(&pushed, name);
            assert_eq!(entry["form"], form, "{pushed:#}");
            let (place, digest) = (entry["at"].as_str().unwrap(), entry["digest"].as_str().unwrap());
            assert_eq!(run(&crane, &["digest", "--insecure", place]).trim_end(), digest);
            run(&crane, &["pull", "--insecure", "--platform", "linux/arm64", place, "pulled.tar"]);
            assert_eq!(run(&regctl, &["image", "digest", place]).trim_end(), digest);
            run(&regctl, &["image", "copy", "--platform", "linux/arm64", place, "ocidir://copied:a"]);
            let copied = run(&regctl, &["image", "digest", "ocidir://copied:a"]);
            assert_eq!(copied.trim_end(), sample.child(name, "arm64").to_string());
        }
    }
}

#[test]
fn bundles_of_two_architectures_make_one_image() {
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let [amd64, arm64] =
        [("amd64", Arch::Amd64), ("arm64", Arch::Arm64)].map(|(name, arch)| sample.bundle(name, &[arch]));
    let (amd64, arm64) = (amd64.to_str().unwrap(), arm64.to_str().unwrap());
    let [together, apart] = ["together", "apart"].map(|name| format!("{}/{name}", registry.url()));
    let at_once = sample.push(&[amd64, arm64, &together]);
    sample.push(&[amd64, &apart]);
    let later = sample.push(&[arm64, &apart]);
    for (pushed, target) in [(&at_once, &together), (&later, &apart)] {
        for name in [WEB, DB] {
            let entry = entry(pushed, name);
            assert_eq!(entry["form"], "reduced", "the index has s390x too, which nobody pushed: {pushed:#}");
            assert_eq!(entry["digest"], self::entry(&at_once, name)["digest"], "the order does not matter");
            for arch in [Arch::Amd64, Arch::Arm64] {
                assert_eq!(pull(target, name, arch).to_string(), entry["digest"]);
            }
        }
    }
    let again = sample.push(&[amd64, arm64, &together]);
    assert_eq!((&entry(&again, WEB)["state"], &entry(&again, DB)["state"]), (&"present".into(), &"present".into()));
    let again = sample.push(&[amd64, &apart]);
    assert_eq!(entry(&again, WEB)["state"], "present", "an earlier push of the other architecture is kept");
}

#[test]
fn charts_are_pulled_by_helm() {
    let Some(helm) = support::helm() else { return };
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let target = format!("{}/site", registry.url());
    let pushed = sample.push(&[bundle.to_str().unwrap(), &target, "--component", "site"]);
    assert_eq!(pushed["images"].as_array().map(Vec::len), Some(0), "{pushed:#}");
    let chart = format!("oci://{}/site/charts/page", registry.address());
    for version in ["0.1.0", "1.2.3+site.1"] {
        let mut pull = sample.sandbox.command(&helm);
        output_of(pull.args(["pull", &chart, "--version", version, "--plain-http"]));
        let path = format!("charts/page-{version}.tgz");
        let taken = std::fs::read(sample.sandbox.path(format!("page-{version}.tgz"))).unwrap();
        let held = bundler::bundle::read::Bundle::open(&bundle).unwrap().read(&path, 1 << 20).unwrap();
        assert!(taken == held, "{version}");
    }
    let mut install = sample.sandbox.command(&helm);
    output_of(install.args(["template", "x", &chart, "--version", "0.1.0", "--plain-http"]));
    let again = sample.push(&[bundle.to_str().unwrap(), &target, "--profile", "cloud"]);
    assert!(again["charts"].as_array().unwrap().iter().all(|chart| chart["state"] == "present"), "{again:#}");
}

#[test]
fn containerd_finds_the_images_with_the_files_that_are_written() {
    use crate::bundle_programs::containerd::{Containerd, host};
    let Some(containerd) = Containerd::start() else { return };
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("own", &[host()]);
    for (target, more) in [("", &[][..]), ("/site/edge", &[]), ("/kept", &["--keep-registry"])] {
        let target = format!("{}{target}", registry.url());
        let write = sample.sandbox.path("nodes");
        let arguments = [bundle.to_str().unwrap(), &target, "--write", write.to_str().unwrap()];
        let pushed = sample.push(&[&arguments[..], more].concat());
        for name in [WEB, DB] {
            containerd.pull(&sample.sandbox, &write.join("certs.d"), name);
        }
        let values = write.join("values.yaml");
        let wrote =
            pushed["written"].as_array().unwrap().iter().any(|path| Path::new(path.as_str().unwrap()) == values);
        assert_eq!(wrote, more.is_empty(), "one value cannot say several registries");
        if wrote {
            let text = std::fs::read_to_string(values).unwrap();
            let name = target.strip_prefix("http://").unwrap();
            assert!(text.contains(&format!("imageRegistry: \"{name}\"\n")), "{text}");
            assert!(text.contains(&sample.child(WEB, host().as_str()).to_string()), "{text}");
        }
    }
}

#[test]
fn what_is_chosen_is_pushed() {
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let bundle = bundle.to_str().unwrap();
    let names = |arguments: &[&str]| {
        let pushed = sample.push(&[&[bundle, &registry.url()], arguments].concat());
        let names = |key: &str| pushed[key].as_array().unwrap().len();
        (names("images"), names("charts"))
    };
    assert_eq!(names(&["--image", "web:1"]), (1, 0));
    assert_eq!(names(&["--image", "web", "--image", "quay.io/x/db"]), (2, 0));
    assert_eq!(names(&["--profile", "edge"]), (3, 0));
    assert_eq!(names(&["--profile", "edge", "--component", "site"]), (0, 0));
    for (wrong, said) in [
        (["--image", "wep:1"], "no bundle has image `docker.io/library/wep:1`"),
        (["--component", "ap"], "did you mean `app`?"),
        (["--profile", "far"], "no bundle has profile `far`"),
    ] {
        let text = sample.refused(&[&[bundle, &registry.url()], &wrong[..]].concat(), 2);
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn two_images_of_one_name_want_their_registries() {
    let Some(registry) = Registry::plain() else { return };
    let mut sample = Sample::new();
    let other = sample.images[DB].clone();
    sample.images.insert("quay.io/library/web:1".to_owned(), other);
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let (bundle, url) = (bundle.to_str().unwrap(), registry.url());
    let text = sample.refused(&[bundle, &url], 2);
    for said in [WEB, "quay.io/library/web:1", "library/web:1", "--keep-registry"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let pushed = sample.push(&[bundle, &url, "--keep-registry"]);
    assert_eq!(entry(&pushed, WEB)["at"], format!("{}/docker.io/library/web:1", registry.address()));
    assert_eq!(entry(&pushed, WEB)["digest"], sample.child(WEB, "arm64").to_string());
}

#[test]
fn a_recompressed_and_an_unpacked_bundle_are_pushed_too() {
    let Some(registry) = Registry::plain() else { return };
    let sample = Sample::new();
    let bundle = sample.bundle("arm64", &[Arch::Arm64]);
    let work = sample.sandbox.work();
    output_of(sample.sandbox.command("sh").args(["-c", "gunzip -c arm64.tar.gz | gzip -1 >again.tar.gz"]));
    std::fs::create_dir(work.join("unpacked")).unwrap();
    output_of(sample.sandbox.command("tar").args(["xzf"]).arg(bundle).args(["-C", "unpacked"]));
    for form in ["again.tar.gz", "unpacked"] {
        let target = format!("{}/{}", registry.url(), form.replace('.', "-"));
        sample.push(&[form, &target]);
        assert_eq!(pull(&target, WEB, Arch::Arm64), sample.child(WEB, "arm64"));
    }
}
