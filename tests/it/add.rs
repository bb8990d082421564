//! `bundler add`: components from real servers on loopback, and what is refused without a trace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::{self, Fault, Proxy, Registry, Sandbox};
use crate::upstream::Upstream;
use crate::upstream::faults::Effect;
use crate::upstream::image::{Compression, Image, Kind, Layer, tar};

#[derive(Debug)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

struct Bench {
    upstream: Upstream,
    sandbox: Sandbox,
}

impl Bench {
    /// An empty catalog of `bundler init`.
    fn new() -> Self {
        let bench = Self { upstream: Upstream::start(), sandbox: Sandbox::new() };
        bench.sandbox.config(&bench.upstream.config());
        assert!(bench.sandbox.bundler().args(["init", "--name", "shop"]).output().unwrap().status.success());
        bench
    }

    fn add(&self, arguments: &[&str]) -> Run {
        let output = self.sandbox.bundler().arg("add").args(arguments).output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn good(&self, arguments: &[&str]) -> Run {
        let run = self.add(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run
    }

    /// A run that has to fail, and to leave every file as it was.
    fn refused(&self, code: i32, arguments: &[&str], said: &[&str]) {
        let before = self.files();
        let run = self.add(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "", "{arguments:?}");
        for said in said {
            assert!(run.stderr.contains(said), "{arguments:?}: {said}: {}", run.stderr);
        }
        assert!(!run.stderr.contains('\u{1b}') && run.stderr.len() < 4000, "{:?}", run.stderr);
        assert_eq!(self.files(), before, "{arguments:?}");
    }

    fn component(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox.path(format!("manifests/components/{name}/component.yaml"))).unwrap()
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        files(&self.sandbox.work(), &mut found);
        found
    }

    /// Resolves the catalog as it is, which has to succeed.
    fn resolve(&self) -> bundler::lock::Lock {
        let output = self.sandbox.bundler().arg("resolve").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(self.sandbox.path("bundle.lock.yaml")).unwrap();
        bundler::lock::parse("bundle.lock.yaml", &text).unwrap()
    }

    /// Puts a registry of its own into the configuration, as `registry.test`.
    fn registry(&self, url: &str) {
        self.sandbox.config(&format!("{}  registry.test: [\"{url}\"]\n", self.upstream.config()));
    }
}

/// Every file below `directory`, and the empty directories.
fn files(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), Vec::new());
            files(&path, found);
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

/// An image that both architectures have.
fn image() -> Image {
    let layer = || Layer::new(&tar(&[("etc/motd", 0o644, b"hello\n")]), Compression::Gzip);
    Image::build(Kind::Oci, &[(("amd64", None), vec![layer()]), (("arm64", None), vec![layer()])])
}

#[test]
fn images_and_files_are_added_in_their_newest_version() {
    let bench = Bench::new();
    let run = bench.good(&["image", "eclipse-mosquitto"]);
    for said in [
        "docker.io/library/eclipse-mosquitto has ",
        "`{version}-alpine` takes ",
        ": 2.1.2-alpine, 2.1.1-alpine, 2.1.0-alpine, …",
        "left out, pre-releases and builds: ",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
    assert!(run.stdout.starts_with("eclipse-mosquitto 2.1.2: 1 image; "), "{run:?}");
    assert_eq!(
        bench.component("eclipse-mosquitto"),
        "# yaml-language-server: $schema=../../schema/component.json\n\
         name: eclipse-mosquitto\n\
         source: {oci: docker.io/library/eclipse-mosquitto, tag: \"{version}-alpine\"}\n\
         version: \"^2.1.2\"\nimages: [\"docker.io/library/eclipse-mosquitto:{tag}\"]\n"
    );
    // A tag says the lowest version, `--version` the range.
    bench.good(&["image", "quay.io/prometheus/alertmanager:v0.28.0"]);
    assert!(bench.component("alertmanager").contains("version: \"^0.28.1\"\n"), "{}", bench.component("alertmanager"));
    bench.good(&["image", "quay.io/prometheus/alertmanager", "--name", "old", "--version", "<0.27"]);
    assert!(bench.component("old").contains("version: \"<0.27\"\n"));
    bench.good(&["file", "github:mikefarah/yq", "yq_linux_arm64"]);
    assert_eq!(
        bench.component("yq").split_once("version: ").unwrap().1,
        "\"^4.53.6\"\nfiles:\n  - name: yq\n    url: \
         \"https://github.com/mikefarah/yq/releases/download/{tag}/yq_linux_{arch}\"\n    \
         checksum: {github_asset: true}\n"
    );
    bench.good(&["file", "https://github.com/opencontainers/runc/releases/download/v1.1.0/runc.amd64"]);
    assert!(bench.component("runc").contains("{tag}/runc.{arch}\""), "{}", bench.component("runc"));
    bench.good(&["file", "github:k3s-io/k3s", "k3s"]);
    assert!(
        bench.component("k3s").contains("arm64: \"https://github.com/k3s-io/k3s/releases/download/{tag}/k3s-arm64\"")
    );
    let lock = bench.resolve();
    let versions: BTreeMap<&str, &str> =
        lock.components.iter().map(|(name, locked)| (name.as_str(), locked.version.as_str())).collect();
    let expected = [
        ("alertmanager", "0.28.1"),
        ("eclipse-mosquitto", "2.1.2"),
        ("k3s", "1.36.4+k3s1"),
        ("old", "0.26.0"),
        ("runc", "1.5.1"),
        ("yq", "4.53.6"),
    ];
    assert_eq!(versions, BTreeMap::from(expected));
    assert_eq!(lock.profiles["all"].len(), 6, "the only profile takes what is added");
}

#[test]
fn charts_are_added_with_their_images_and_values() {
    if support::helm().is_none() {
        return;
    }
    let bench = Bench::new();
    let repository = "https://prometheus-community.github.io/helm-charts";
    let run = bench.good(&["chart", repository, "prometheus-blackbox-exporter", "--namespace", "probes"]);
    assert!(run.stdout.starts_with("prometheus-blackbox-exporter 11.17.2 (app version "), "{run:?}");
    assert!(run.stdout.contains(": 1 chart, 1 image; "), "{run:?}");
    bench.sandbox.write("my.yaml", "# ours\nreplicaCount: 2\n");
    let oci = "oci://ghcr.io/kube-logging/helm-charts/logging-operator";
    bench.good(&["chart", oci, "--values", "my.yaml", "--version", ">=6, <7"]);
    let text = bench.component("logging-operator");
    assert!(
        text.contains("  repository: oci://ghcr.io/kube-logging/helm-charts\n  name: logging-operator\n"),
        "{text}"
    );
    assert!(text.contains("  version: \">=6, <7\"\n  values: values.yaml\n"), "{text}");
    let values = bench.sandbox.path("manifests/components/logging-operator/values.yaml");
    assert_eq!(std::fs::read_to_string(values).unwrap(), "# ours\nreplicaCount: 2\n");
    bench.sandbox.write("broken.yaml", "a: [\n");
    bench.refused(
        3,
        &["chart", oci, "--name", "other", "--values", "broken.yaml"],
        &["`other` was not added, because it does not resolve", "hint: give the chart's values with `--values FILE`"],
    );
    let run = bench.add(&["chart", oci, "--name", "other", "--values", "broken.yaml", "--dry-run"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.contains("name: other\nchart:\n"), "something to begin with: {run:?}");
    assert_eq!(bench.resolve().components.len(), 2);
}

#[test]
fn every_other_byte_of_the_catalog_stays() {
    let bench = Bench::new();
    let text = |cloud: &str, edge: &str| {
        format!(
            "# yaml-language-server: $schema=https://example.com/catalog.json\nschema: 1\nname:   shop # ours\n\
             version: 0.10\n\nplatform: {{kubernetes: \"1.36\", architectures: [amd64]}}\nprofiles:\n  cloud: # big\n\
             \x20   # the first\n{cloud}  edge: {{components: [{edge}], budget: 1GB}} # é\n"
        )
    };
    bench.good(&["image", "quay.io/prometheus/alertmanager", "--name", "b"]);
    bench.sandbox.write("manifests/catalog.yaml", text("    - b\n", "b"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(bench.sandbox.path("manifests/catalog.yaml"), mode).unwrap();
    let image = ["image", "eclipse-mosquitto"];
    let run = bench.good(&[&image[..], &["--name", "c"]].concat());
    assert!(run.stdout.contains("it is in no profile yet"), "{run:?}");
    let read = || std::fs::read_to_string(bench.sandbox.path("manifests/catalog.yaml")).unwrap();
    assert_eq!(read(), text("    - b\n", "b"));
    bench.good(&[&image[..], &["--name", "a", "--profile", "cloud", "--profile", "edge"]].concat());
    assert_eq!(read(), text("    - a\n    - b\n", "a, b"));
    let metadata = std::fs::metadata(bench.sandbox.path("manifests/catalog.yaml")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o640);
    // The components that are there say where the schema is.
    assert!(bench.component("a").starts_with("# yaml-language-server: $schema=../../schema/component.json\n"));
    bench.refused(
        2,
        &["image", "redis", "--profile", "clud"],
        &["manifests/catalog.yaml:7:1: there is no profile `clud`", "hint: did you mean `cloud`?"],
    );
}

#[test]
fn a_dry_run_shows_what_it_would_write() {
    let bench = Bench::new();
    let before = bench.files();
    let run = bench.good(&["image", "eclipse-mosquitto", "--dry-run"]);
    for said in [
        "+++ manifests/components/eclipse-mosquitto/component.yaml\n",
        "+version: \"^2.1.2\"\n",
        "+    - eclipse-mosquitto\n",
    ] {
        assert!(run.stdout.contains(said), "{said}: {run:?}");
    }
    assert_eq!(bench.files(), before);
    let run = bench.good(&["image", "eclipse-mosquitto", "--dry-run", "--format", "json", "--quiet"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&json["version"], &json["pattern"]), (&"2.1.2".into(), &"{version}-alpine".into()));
    assert_eq!(run.stderr, "");
    // The diff is one that `patch` takes.
    let run = bench.good(&["image", "eclipse-mosquitto", "--dry-run"]);
    let diff = run.stdout.rsplit_once("eclipse-mosquitto 2.1.2: ").unwrap().0;
    let mut patch = bench.sandbox.command("patch");
    let mut patch = assert_cmd::Command::from_std({
        patch.arg("-p0");
        patch
    });
    patch.write_stdin(diff).assert().success();
    let patched = bench.files();
    assert_ne!(patched, before);
    std::fs::remove_dir_all(bench.sandbox.path("manifests")).unwrap();
    assert!(bench.sandbox.bundler().args(["init", "--name", "shop"]).output().unwrap().status.success());
    bench.good(&["image", "eclipse-mosquitto"]);
    assert_eq!(bench.files(), patched);
}

#[test]
fn what_is_there_already_is_named_with_its_place() {
    let bench = Bench::new();
    bench.good(&["image", "eclipse-mosquitto"]);
    bench.upstream.forget();
    bench.refused(
        2,
        &["file", "github:eclipse-mosquitto/mosquitto", "--name", "eclipse-mosquitto"],
        &[
            "component `eclipse-mosquitto` is in the catalog already: manifests/components/eclipse-mosquitto/component.yaml:2:7",
            "hint: `bundler resolve eclipse-mosquitto` takes its newest version; `--name` adds it",
        ],
    );
    std::os::unix::fs::symlink("nowhere", bench.sandbox.path("manifests/components/redis")).unwrap();
    let run = bench.add(&["image", "redis"]);
    assert!(run.code == 2 && run.stderr.contains("in the catalog already: manifests/components/redis\n"), "{run:?}");
    assert_eq!(bench.upstream.requests().len(), 0, "that needs no network");
}

#[test]
fn what_cannot_be_added_is_told_before_any_network() {
    let bench = Bench::new();
    let digest = format!("redis@sha256:{}", "0".repeat(64));
    for (arguments, said) in [
        (&["image", "redis:latest"][..], "hint: leave the tag out: of `docker.io/library/redis` the newest"),
        (&["image", &digest], "a digest alone has no version"),
        (&["image", "https://hub.docker.com/_/redis"], "is not an image reference"),
        (&["image", "redis", "--name", "../x"], "`../x` cannot name a component"),
        (&["image", "redis", "--version", ">2, <1"], "no version can meet it"),
        (&["image", "redis", "--pattern", "v1"], "is not a tag pattern"),
        (
            &["chart", "htps://charts.example.com", "x"],
            "`htps://charts.example.com` is no URL that begins with https://, http://, oci://",
        ),
        (&["chart", "https://me:hunter2@charts.example.com", "x"], "holds credentials"),
        (&["chart", "https://charts.example.com"], "which chart of `https://charts.example.com` is not said"),
        (&["file", "https://get.example.com/x"], "of no release on GitHub"),
        (&["file", "github:yq"], "is not a GitHub repository"),
    ] {
        bench.refused(2, arguments, &[said]);
    }
    std::fs::remove_file(bench.sandbox.path("manifests/catalog.yaml")).unwrap();
    bench.refused(2, &["image", "redis"], &["there is no catalog in `manifests`", "hint: `bundler init` begins one"]);
    assert_eq!(bench.upstream.requests().len(), 0);
}

#[test]
fn what_does_not_exist_is_told_with_what_to_do() {
    let bench = Bench::new();
    bench.refused(
        3,
        &["image", "quay.io/nobody/x"],
        &["cannot list the tags of `quay.io/nobody/x`", "hint: check the name"],
    );
    bench.upstream.fault("docker.io/library/secret", None, Effect::Status(401));
    bench.refused(
        5,
        &["image", "secret"],
        &["cannot list the tags of `docker.io/library/secret`", "refused access", "hint: looked in"],
    );
    bench.refused(3, &["file", "github:nobody/x"], &["404", "hint: check that the repository exists and is public"]);
    let repository = "https://prometheus-community.github.io/helm-charts";
    bench.refused(
        3,
        &["chart", repository, "alertmanagr"],
        &["has no chart `alertmanagr`", "did you mean `alertmanager`?"],
    );
    bench.refused(
        2,
        &["file", "github:prometheus-community/helm-charts"],
        &["has releases of ", "`kube-prometheus-stack-{version}`", "hint: say which with `--pattern`"],
    );
    bench.refused(
        2,
        &["file", "github:kubeedge/kubeedge"],
        &["which file of v1.23.1 of kubeedge/kubeedge is not said: ", "keadm-v1.23.1-linux-amd64.tar.gz"],
    );
    bench.refused(
        2,
        &["file", "github:mikefarah/yq", "yq_linux_amd46"],
        &["v4.53.6 of mikefarah/yq has no file `yq_linux_amd46`", "did you mean `yq_linux_amd64`?"],
    );
    bench.refused(
        2,
        &["image", "quay.io/prometheus/alertmanager", "--version", ">9"],
        &["no release of", "is in `>9`: its highest are v0."],
    );
    bench.refused(
        2,
        &["image", "quay.io/prometheus/alertmanager", "--pattern", "{version}-x"],
        &["hint: `--pattern 'v{version}'` has some"],
    );
    bench.refused(6, &["image", "eclipse-mosquitto", "--offline"], &["the network may not be used"]);
}

#[test]
fn a_real_registry_without_a_release_says_what_it_has() {
    let Some(registry) = Registry::plain() else { return };
    let bench = Bench::new();
    bench.registry(&registry.url());
    for tag in ["latest", "main", "v1.0.0-rc.1"] {
        registry.push(&format!("registry.test/app:{tag}"), &image());
    }
    bench.refused(
        3,
        &["image", "registry.test/app"],
        &["`registry.test/app` has no release: none of its tags is a version: v1.0.0-rc.1, main, latest"],
    );
    registry.push("registry.test/app:v1.2.0-build7", &image());
    registry.push("registry.test/app:v1.2.0-debian", &image());
    let more = ["image", "registry.test/app", "--pattern", "v{version}-build7"];
    let catalog = bench.sandbox.path("manifests/catalog.yaml");
    let text = std::fs::read_to_string(&catalog).unwrap();
    std::fs::write(&catalog, text.replace("min_age: 7d", "min_age: 9999d")).unwrap();
    bench.refused(
        3,
        &more,
        &["1.2.0 was released", "hint: widen `--version`, or take a younger one with `--min-age 0d`"],
    );
    let run = bench.good(&[&more[..], &["--min-age", "0d"]].concat());
    assert!(bench.component("app").ends_with("\nmin_age: 0d\n"), "{}", bench.component("app"));
    assert!(run.stderr.contains("`v{version}-build7` takes 1: v1.2.0-build7\n"), "{run:?}");
    assert_eq!(bench.resolve().components["app"].tag.as_deref(), Some("v1.2.0-build7"));
}

#[test]
fn hostile_registries_are_told_and_leave_nothing() {
    let bench = Bench::new();
    let answer =
        |kind: &str, body: String| Fault::Answer(200, vec![("Content-Type", kind.to_owned())], body.into_bytes());
    let tags = |tags: &[String]| serde_json::json!({"name": "app", "tags": tags}).to_string();
    let many: Vec<String> = (0..100_000).map(|number| format!("sha-{number:07}")).collect();
    let many = tags(&many);
    let outside = tags(&["../../x".to_owned(), "v1.0.0/../../x".to_owned(), "\u{1b}[2J1.0".to_owned()]);
    let proxy = Proxy::alone(move |asked| match asked.target.as_str() {
        "/v2/many/tags/list?n=1000" => answer("application/json", many.clone()),
        "/v2/outside/tags/list?n=1000" => answer("application/json", outside.clone()),
        _ => answer("text/html", "<html><title>Log in</title></html>".to_owned()),
    });
    bench.registry(&proxy.url());
    bench.refused(3, &["image", "registry.test/many"], &["none of its 100000 tags is a version, such as sha-0099999"]);
    bench.refused(
        3,
        &["image", "registry.test/outside"],
        &["`registry.test/outside` has no release: it has no tag at all"],
    );
    bench.refused(3, &["image", "registry.test/page"], &["answered with no list of tags"]);
    bench.sandbox.config(&format!("{}  https://charts.test: [\"{}\"]\n", bench.upstream.config(), proxy.url()));
    bench.refused(3, &["chart", "https://charts.test", "x"], &["hint: is this the URL of a Helm repository?"]);
}

/// With `script` of util-linux, whose terminal takes what a person would type.
#[test]
fn on_a_terminal_the_guess_is_asked_about() {
    let Some(script) = support::program("script") else { return };
    let bench = Bench::new();
    let typed = |arguments: &str, typed: &str| {
        let command = format!("{} add {arguments}", env!("CARGO_BIN_EXE_bundler"));
        let mut script = assert_cmd::Command::from_std(bench.sandbox.command(&script));
        script.timeout(std::time::Duration::from_secs(300)).args(["-qec", &command, "/dev/null"]);
        let output = script.write_stdin(typed.to_owned()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let before = bench.files();
    let (code, shown) = typed("image eclipse-mosquitto", "n\n");
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("Take that pattern? [Y/n, a number, or another pattern] "), "{shown}");
    assert!(shown.contains("nothing was added"), "{shown}");
    assert_eq!(bench.files(), before);
    let (code, shown) = typed("image eclipse-mosquitto", "9\n2\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("there is no pattern 9; which?"), "{shown}");
    let text = bench.component("eclipse-mosquitto");
    assert!(text.contains("tag: \"{version}-not-blessed-alpine\""), "{text}");
    let (code, shown) = typed("image quay.io/prometheus/alertmanager --yes", "");
    assert!(code == 0 && !shown.contains("Take that pattern?"), "{shown}");
}
