//! `bundler resolve` against the embedded upstream: what is chosen, what it costs, and what goes wrong.

mod attached;
mod bad_input;
mod charts;
mod files;
mod offline;
mod signatures;
mod together;
mod warnings;

use std::collections::BTreeSet;
use std::path::PathBuf;

use bundler::lock::Lock;

use crate::support::Sandbox;
use crate::upstream::Upstream;
use crate::upstream::faults::Effect;

const YQ: &str = r#"
name: yq
source: {github: mikefarah/yq, tag: "v{version}", kind: releases}
version: ">=4, <5"
files:
  - name: yq
    url: "https://github.com/mikefarah/yq/releases/download/{tag}/yq_linux_{arch}"
    checksum: {url: "https://github.com/mikefarah/yq/releases/download/{tag}/checksums-bsd"}
"#;

const EDGEMESH: &str = r#"
name: edgemesh
source: {github: kubeedge/edgemesh, tag: "v{version}", kind: releases}
images: ["docker.io/kubeedge/edgemesh-agent:v{version}"]
accepted: [{what: unmaintained, reason: "of May 2024, and there is no other"}]
"#;

const CONTAINERD: &str = r#"
name: containerd
source: {github: containerd/containerd, tag: "v{version}", kind: releases}
version: ">=2.3, <2.4"
files:
  - name: containerd.tar.gz
    url: "https://github.com/containerd/containerd/releases/download/{tag}/containerd-{version}-linux-{arch}.tar.gz"
    checksum: {url: "https://github.com/containerd/containerd/releases/download/{tag}/containerd-{version}-linux-{arch}.tar.gz.sha256sum"}
"#;

/// A day on which the histories have something new for each component.
const DAY: &str = "2026-08-22";
/// A day before.
const EARLIER: &str = "2026-05-31";

/// A catalog in a home of its own, and the upstream.
struct Bench {
    upstream: Upstream,
    sandbox: Sandbox,
}

impl Run {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Bench {
    fn new(components: &[&str]) -> Self {
        let bench = Self { upstream: Upstream::start(), sandbox: Sandbox::new() };
        bench.sandbox.config(&bench.upstream.config());
        bench.catalog("[amd64, arm64]", components);
        bench
    }

    /// Writes the catalog anew.
    fn catalog(&self, architectures: &str, components: &[&str]) {
        let directory = self.sandbox.path("manifests/components");
        let _ = std::fs::remove_dir_all(&directory);
        let mut names = BTreeSet::new();
        for component in components {
            let name = component.lines().find_map(|line| line.strip_prefix("name: ")).unwrap().to_owned();
            self.sandbox.write(format!("manifests/components/{name}/component.yaml"), component.trim_start());
            names.insert(name);
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let catalog = format!(
            "schema: 1\nname: test\nversion: 1.0.0\n\
             platform: {{kubernetes: \"1.36\", kubeedge: \"1.23\", architectures: {architectures}}}\n\
             policy: {{min_age: 7d}}\nprofiles:\n  cloud: [{names}]\n"
        );
        self.sandbox.write("manifests/catalog.yaml", catalog);
    }

    fn resolve(&self, arguments: &[&str]) -> Run {
        Run::of(self.sandbox.bundler().arg("resolve").args(arguments).output().unwrap())
    }

    /// Resolves with this much memory, in KiB of what the program could write to.
    fn resolve_within(&self, memory: u32, arguments: &[&str]) -> Run {
        let mut command = self.sandbox.command("sh");
        command.args(["-c", "ulimit -d \"$0\" && exec \"$@\"", &memory.to_string(), env!("CARGO_BIN_EXE_bundler")]);
        Run::of(command.arg("resolve").args(arguments).output().unwrap())
    }

    /// Resolves as of a day, which has to succeed.
    fn good(&self, day: &str) -> Run {
        let run = self.resolve(&["--as-of", day]);
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    }

    fn lock_file(&self) -> PathBuf {
        self.sandbox.path("bundle.lock.yaml")
    }

    fn lock_text(&self) -> String {
        std::fs::read_to_string(self.lock_file()).unwrap()
    }

    fn lock(&self) -> Lock {
        bundler::lock::parse("bundle.lock.yaml", &self.lock_text()).unwrap()
    }

    fn version(&self, component: &str) -> String {
        self.lock().components[component].version.clone()
    }
}

/// What the program did.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

#[test]
fn a_second_run_changes_nothing_and_costs_nothing() {
    let bench = Bench::new(&[YQ, EDGEMESH, CONTAINERD]);
    bench.good(DAY);
    let (lock, cost) = (bench.lock_text(), bench.upstream.counted());
    assert!((6..=11).contains(&cost), "each repository, and a release for each candidate that was asked about: {cost}");
    assert_eq!(bench.version("yq"), "4.53.3", "the three after it were a few days old");
    let yq = &bench.lock().components["yq"].files["yq"];
    assert_eq!(yq.len(), 2);
    assert!(yq.values().all(|file| file.size.is_some_and(|size| (50..100).contains(&size))), "a script: {yq:?}");

    bench.good(DAY);
    assert_eq!(bench.lock_text(), lock);
    assert_eq!(bench.upstream.counted(), cost, "{:?}", bench.upstream.requests());
    let check = bench.resolve(&["--as-of", DAY, "--check"]);
    assert_eq!((check.code, check.stdout.as_str()), (Some(0), ""), "{check:?}");

    // Nor does the lock depend on what was kept, on the lock of before, or on how much is done at once.
    std::fs::remove_dir_all(bench.sandbox.cache()).unwrap();
    std::fs::remove_file(bench.lock_file()).unwrap();
    let run = bench.resolve(&["--as-of", DAY, "--jobs", "1"]);
    assert_eq!((run.code, bench.lock_text()), (Some(0), lock), "{run:?}");
}

#[test]
fn a_token_makes_every_question_free() {
    let bench = Bench::new(&[YQ]);
    bench.good(DAY);
    let cost = bench.upstream.counted();
    let run = bench.sandbox.bundler().env("GITHUB_TOKEN", "x").args(["resolve", "--as-of", DAY]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(bench.upstream.counted(), cost);
    assert!(bench.upstream.count("api.github.com") > usize::try_from(cost).unwrap(), "it asked, with a condition");
}

#[test]
fn check_says_what_is_stale_and_writes_nothing() {
    let bench = Bench::new(&[YQ, EDGEMESH]);
    bench.good(EARLIER);
    let (old, before) = (bench.version("yq"), bench.lock_text());
    let check = bench.resolve(&["--as-of", DAY, "--check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    for line in [format!("-    version: \"{old}\"\n"), "+    version: \"4.53.3\"\n".to_owned()] {
        assert!(check.stdout.contains(&line), "{line}: {check:?}");
    }
    let dry = bench.resolve(&["--as-of", DAY, "--dry-run"]);
    assert_eq!((dry.code, dry.stdout), (Some(0), check.stdout));
    assert_eq!(bench.lock_text(), before);
    // An edited component is a stale lock too.
    bench.catalog("[amd64, arm64]", &[YQ, &format!("{EDGEMESH}description: it is another file now\n")]);
    let check = bench.resolve(&["--as-of", EARLIER, "--check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(check.stdout.contains("+    inputs: sha256:"), "{check:?}");
}

#[test]
fn one_component_leaves_the_others_as_they_are() {
    let bench = Bench::new(&[YQ, CONTAINERD]);
    bench.good(EARLIER);
    let old = bench.lock();
    let run = bench.resolve(&["yq", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(bench.version("yq"), "4.53.3");
    assert_eq!(bench.lock().components["containerd"], old.components["containerd"]);
    assert_ne!(bench.lock().components["yq"], old.components["yq"]);
    bench.upstream.forget();
    let run = bench.resolve(&["yp"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("no component `yp`") && run.stderr.contains("did you mean `yq`?"), "{run:?}");
    assert!(bench.upstream.requests().is_empty());
}

#[test]
fn the_lock_stays_whole_when_the_platform_changes() {
    let bench = Bench::new(&[YQ, EDGEMESH]);
    // With nothing of before, the others are listed as what is still to do.
    assert_eq!(bench.resolve(&["yq", "--as-of", DAY]).code, Some(0));
    let open = |bench: &Bench| -> Vec<String> {
        bench.lock().unresolved.iter().map(|u| format!("{}: {}", u.artifact, u.reason)).collect()
    };
    assert_eq!(open(&bench), ["edgemesh: not resolved yet"]);
    bench.good(DAY);
    assert!(open(&bench).is_empty());
    bench.catalog("[amd64]", &[YQ, EDGEMESH]);
    assert_eq!(bench.resolve(&["yq", "--as-of", DAY]).code, Some(0));
    assert!(bench.lock().images.values().all(|image| image.platforms.len() == 1));
    bench.catalog("[amd64, arm64]", &[YQ, EDGEMESH]);
    assert_eq!(bench.resolve(&["edgemesh", "--as-of", DAY]).code, Some(0));
    assert_eq!(open(&bench), ["yq: not resolved for arm64 yet"]);
    bench.good(DAY);
    assert!(open(&bench).is_empty());
}

#[test]
fn a_failing_component_keeps_its_old_entry() {
    let bench = Bench::new(&[YQ, CONTAINERD]);
    bench.good(EARLIER);
    let old = bench.lock();
    bench.upstream.fault("github.com/mikefarah/yq", None, Effect::Status(404));
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("yq") && run.stderr.contains("404"), "{run:?}");
    let lock = bench.lock();
    assert_eq!(lock.components["yq"], old.components["yq"]);
    assert_ne!(lock.components["containerd"], old.components["containerd"]);
    assert!(lock.unresolved.is_empty());
    // 3 beats the 1 of a stale lock.
    assert_eq!(bench.resolve(&["--as-of", EARLIER, "--check"]).code, Some(3));

    // Without an old entry it is listed, with a reason that is the same at every run.
    std::fs::remove_file(bench.lock_file()).unwrap();
    assert_eq!(bench.resolve(&["--as-of", DAY]).code, Some(3));
    let (lock, text) = (bench.lock(), bench.lock_text());
    let open: Vec<_> = lock.unresolved.iter().map(|u| (u.component.as_str(), u.reason.as_str())).collect();
    assert_eq!(open, [("yq", "its source failed")]);
    assert_eq!(bench.resolve(&["--as-of", DAY]).code, Some(3));
    assert_eq!(bench.lock_text(), text);
    bench.upstream.heal();
    bench.good(DAY);
    assert!(bench.lock().unresolved.is_empty());
}

#[test]
fn an_interrupted_run_leaves_the_lock_alone() {
    let bench = Bench::new(&[YQ]);
    bench.good(EARLIER);
    let before = bench.lock_text();
    bench.upstream.fault("v4.53.3/checksums-bsd", None, Effect::Hang(10));
    let mut command = bench.sandbox.bundler_command();
    let mut child =
        command.args(["resolve", "-q", "--as-of", DAY]).stderr(std::process::Stdio::null()).spawn().unwrap();
    bench.upstream.wait_for("v4.53.3/checksums-bsd");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(bench.lock_text(), before);
    bench.upstream.heal();
    bench.good(DAY);
    assert_eq!(bench.version("yq"), "4.53.3");
}

#[test]
fn a_monorepo_costs_no_pages_of_releases() {
    let stack = r#"
name: stack
source: {github: prometheus-community/helm-charts, tag: "kube-prometheus-stack-{version}", kind: releases}
images: ["quay.io/prometheus/alertmanager:v0.33.1"]
"#;
    let bench = Bench::new(&[stack]);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(bench.version("stack"), "88.3.0");
    assert_eq!(bench.lock().components["stack"].tag.as_deref(), Some("kube-prometheus-stack-88.3.0"));
    assert!(run.stderr.contains("88.5.3 was released 2026-08-21, younger than 7d"), "{run:?}");
    assert!(bench.upstream.counted() <= 9, "{:?}", bench.upstream.requests());
}

#[test]
fn what_upstream_takes_back_is_passed_over() {
    let bench = Bench::new(&[YQ]);
    bench.upstream.world().set_prerelease("mikefarah/yq@v4.53.3", true);
    bench.upstream.world().remove_release("mikefarah/yq@v4.53.2");
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("4.53.3 is a pre-release by its publisher's mark"), "{run:?}");
    assert!(run.stderr.contains("the tag v4.53.2 has no release"), "{run:?}");
    assert!(!["4.53.3", "4.53.2"].contains(&bench.version("yq").as_str()));
}

#[test]
fn a_moved_tag_waits_anew() {
    let bench = Bench::new(&[YQ]);
    bench.good(DAY);
    bench.upstream.world().move_tag("mikefarah/yq@v4.53.3");
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("the tag of 4.53.3 moved"), "{run:?}");
    assert_ne!(bench.version("yq"), "4.53.3");
    // Whoever wants no cool-down gets none.
    bench.catalog("[amd64, arm64]", &[&format!("{YQ}min_age: 0d\n")]);
    bench.good(DAY);
    assert_eq!(bench.version("yq"), "4.53.6");
}

#[test]
fn a_hold_is_kept_and_ends_aloud() {
    let held = |until: &str| format!("{YQ}hold: {{version: 4.52.4, reason: a test, until: {until}}}\n");
    let bench = Bench::new(&[&held("2027-01-01")]);
    bench.good(DAY);
    assert_eq!(bench.version("yq"), "4.52.4");
    assert_eq!(bench.resolve(&["--as-of", DAY, "--check"]).code, Some(0));
    bench.catalog("[amd64, arm64]", &[&held("2026-08-01")]);
    bench.good(DAY);
    let check = bench.resolve(&["--as-of", DAY, "--check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(check.stderr.contains("its hold ended on 2026-08-01"), "{check:?}");
    bench.catalog("[amd64, arm64]", &[&format!("{YQ}hold: {{version: 4.52.999, reason: a test}}\n")]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("has no version 4.52.999, which is held"), "{run:?}");
    // A range leaves the highest of it, and -v tells why.
    bench.catalog("[amd64, arm64]", &[&format!("{YQ}hold: {{version: <4.52.5, reason: a test}}\n")]);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!((run.code, bench.version("yq").as_str()), (Some(0), "4.52.4"), "{run:?}");
    assert!(run.stderr.contains("held at <4.52.5: a test"), "{run:?}");
}

#[test]
fn an_end_of_life_fails_the_check_unless_it_is_accepted() {
    let ended = format!("{YQ}end_of_life: [{{versions: \"<5\", date: 2026-08-01, successor: yq 5}}]\n");
    let bench = Bench::new(&[&ended]);
    let run = bench.good(DAY);
    assert!(run.stderr.contains("ended on 2026-08-01; its successor is yq 5"), "{run:?}");
    assert_eq!(bench.resolve(&["--as-of", DAY, "--check"]).code, Some(1));
    let accepted = |until| format!("{ended}accepted: [{{what: end_of_life, reason: a test, until: {until}}}]\n");
    bench.catalog("[amd64, arm64]", &[&accepted("2026-08-22")]);
    bench.good(DAY);
    assert_eq!(bench.resolve(&["--as-of", DAY, "--check"]).code, Some(0));
    assert_eq!(bench.resolve(&["--as-of", "2026-08-23", "--check"]).code, Some(1), "until includes its day");
}

#[test]
fn a_version_that_does_not_fit_the_platform_is_passed_over() {
    let rows = format!("{YQ}compatibility: [{{versions: \">=4.53\", kubernetes: \">=1.40\"}}]\n");
    let bench = Bench::new(&[&rows]);
    let run = bench.resolve(&["-v", "--as-of", DAY]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("4.53.3 wants Kubernetes >=1.40"), "{run:?}");
    assert!(bench.version("yq").starts_with("4.52."), "{}", bench.version("yq"));
    assert_eq!(
        bench.upstream.counted(),
        2,
        "the release and the repository; what is known without asking is not asked"
    );
    let none = format!("{YQ}compatibility: [{{versions: \"*\", kubernetes: \">=1.40\"}}]\n");
    bench.catalog("[amd64, arm64]", &[&none]);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("no version of `mikefarah/yq` can be taken"), "{run:?}");
}

#[test]
fn a_used_up_rate_limit_says_what_helps() {
    let bench = Bench::new(&[YQ, EDGEMESH]);
    bench.upstream.set_counted(60);
    let run = bench.resolve(&["--as-of", DAY]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("rate limit") && run.stderr.contains("GITHUB_TOKEN"), "{run:?}");
}

#[test]
fn tags_alone_and_registries_are_sources_too() {
    let component = |name: &str, source: &str| {
        format!("name: {name}\nsource: {source}\nimages: [\"docker.io/kubeedge/edgemesh-agent:v{{version}}\"]\n")
    };
    let tags = component("tags", "{github: kubeedge/edgemesh, tag: \"v{version}\", kind: tags}");
    let registry = component("registry", "{oci: docker.io/kubeedge/edgemesh-agent, tag: \"v{version}\"}");
    let bench = Bench::new(&[&tags, &registry]);
    bench.good(DAY);
    assert_eq!((bench.version("tags"), bench.version("registry")), ("1.17.0".to_owned(), "1.17.0".to_owned()));
    assert_eq!(bench.lock().components["registry"].tag.as_deref(), Some("v1.17.0"));
    assert_eq!(bench.upstream.count("api.github.com/repos/kubeedge/edgemesh/git/commits/"), 1);
    // Images of the upstream were made on the first of August.
    let run = bench.resolve(&["registry", "--as-of", "2026-08-05"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("1.17.0 was released 2026-08-01, younger than 7d"), "{run:?}");
}

#[test]
fn the_projects_own_catalog_resolves() {
    if crate::support::helm().is_none() {
        return;
    }
    let bench = Bench::new(&[YQ]);
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests");
    let run = bench.resolve(&["--catalog", catalog, "--as-of", DAY, "--skip-signatures"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(bench.upstream.counted() <= 60, "{:?}", bench.upstream.counted());
    let lock = bench.lock();
    assert!(lock.unresolved.is_empty() && lock.components.len() >= 11);
    let names: Vec<String> = lock.images.keys().map(ToString::to_string).collect();
    for wanted in [
        // Only in a custom resource, only in a flag of the operator, only in a hook.
        "quay.io/prometheus/prometheus:v",
        "quay.io/prometheus-operator/prometheus-config-reloader:v",
        "ghcr.io/jkroepke/kube-webhook-certgen:",
    ] {
        assert!(names.iter().any(|name| name.starts_with(wanted)), "{wanted}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("thanos")), "it is ignored: {names:?}");
    for image in lock.images.values() {
        assert_eq!(image.platforms.len(), 2);
        assert!(image.platforms.values().all(|p| p.size.is_some() && p.layers_size.is_some()));
    }
    let k3s = &lock.components["k3s"];
    assert!(k3s.files["k3s"].values().all(|file| file.url.contains("%2Bk3s")), "{k3s:?}");
    let check = ["--catalog", catalog, "--as-of", DAY, "--skip-signatures", "--check"];
    assert_eq!(bench.resolve(&check).code, Some(0));
    bench.upstream.forget();
    let offline = bench.resolve(&[&check[..], &["--offline"]].concat());
    assert_eq!((offline.code, bench.upstream.requests().len()), (Some(0), 0), "{offline:?}");
}

#[test]
fn manifests_of_our_own_have_the_bundle_s_version_and_ask_nobody() {
    let own = "name: own\nresources: [resources/]\n";
    let bench = Bench::new(&[own]);
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    bench.sandbox.write("manifests/components/own/resources/a.yaml", manifest);
    bench.good(DAY);
    let lock = bench.lock();
    let component = &lock.components["own"];
    assert_eq!((component.version.as_str(), component.tag.as_deref()), ("1.0.0", None));
    assert!(component.images.is_empty() && lock.unresolved.is_empty());
    assert_eq!(bench.upstream.counted(), 0);

    let mut pack = bench.sandbox.bundler();
    pack.args(["pack", "--arch", "amd64", "-o", "own.tar.gz"]).assert().success();
    let mut tar = bench.sandbox.command(crate::support::program("tar").unwrap());
    let listed = crate::support::output_of(tar.args(["-tzf", "own.tar.gz"]));
    assert!(listed.lines().any(|member| member == "components/own/resources/a.yaml"), "{listed}");

    // Something of anybody else's needs a version of its own.
    bench.catalog("[amd64]", &["name: own\nresources: [resources/]\nimages: [\"quay.io/a/b:v1\"]\n"]);
    bench.sandbox.write("manifests/components/own/resources/a.yaml", manifest);
    let run = bench.resolve(&[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("nothing gives this component a version"), "{run:?}");
}
