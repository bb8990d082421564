//! What the pages speak of: a catalog of five real components, its lock, and bundles of two versions.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{self, Sandbox, output_of};
use crate::upstream::Upstream;

/// The day as of which the versions are chosen that the pages name.
const AS_OF: &str = "2026-08-28";

/// What `kubectl get pods -A -o json` answers.
const PODS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod",
"metadata": {"name": "a", "namespace": "shop"}, "spec": {"containers": [{"name": "c", "image": "docker.io/grafana/loki:3.7.5"}]}}]}"#;

const HAULER: &str = "apiVersion: content.hauler.cattle.io/v1\nkind: Images\nmetadata: {name: images}\nspec:\n  images:\n    \
                      - {name: \"docker.io/grafana/loki:3.7.5\"}\n";

const RELEASES: &str = r#"[{"name": "loki", "namespace": "logs", "enabled": true, "installed": true, "labels": "",
"chart": "grafana/loki", "version": "6.6.2"}]"#;

/// Gives the catalog of a sandbox another name and version.
pub(super) fn rename(sandbox: &Sandbox, name: &str, version: &str) {
    let catalog = sandbox.path("manifests/catalog.yaml");
    let text = std::fs::read_to_string(&catalog).unwrap();
    let text = text.replace("name: observability", &format!("name: {name}"));
    std::fs::write(catalog, text.replace("version: 1.5.0", &format!("version: {version}"))).unwrap();
}

/// A home with a catalog, a lock and bundles, and the upstream that they came from.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) upstream: Upstream,
    helm: PathBuf,
}

impl World {
    /// Resolves the catalog and packs its bundles; without Helm there is none.
    pub(crate) fn new() -> Option<Self> {
        let world = Self { sandbox: Sandbox::new(), upstream: Upstream::start(), helm: support::helm()? };
        world.sandbox.config(&world.upstream.config());
        let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/components");
        let here = world.sandbox.path("manifests/components");
        std::fs::create_dir_all(&here).unwrap();
        for name in ["fluent-bit", "helm", "jaeger", "k3s", "loki"] {
            output_of(Command::new("cp").arg("-r").arg(components.join(name)).arg(&here));
        }
        world.resolve("1.4.0", "jaeger, k3s, loki");
        world.pack(&["--arch", "arm64"]);
        world.pack(&["--arch", "amd64"]);
        world.pack(&["--arch", "amd64", "--profile", "cloud"]);
        world.pack(&["--arch", "arm64", "--bundle-version", "0.1.0"]);
        world.resolve("1.5.0", "helm, jaeger, k3s, loki");
        world.pack(&["--arch", "arm64"]);
        world.pack(&["--arch", "arm64", "--base", "observability-1.4.0-linux-arm64.tar.gz"]);
        Some(world)
    }

    fn resolve(&self, version: &str, cloud: &str) {
        let catalog = format!(
            "schema: 1\nname: observability\nversion: {version}\nplatform: {{kubernetes: \"1.36\", architectures: \
             [amd64, arm64]}}\npolicy: {{min_age: 7d}}\nprofiles:\n  cloud: [{cloud}]\n  edge: [fluent-bit]\n"
        );
        self.sandbox.write("manifests/catalog.yaml", catalog);
        let mut resolve = self.sandbox.bundler();
        resolve.args(["resolve", "--skip-signatures", "--as-of", AS_OF, "--helm"]).arg(&self.helm).assert().success();
    }

    fn pack(&self, arguments: &[&str]) {
        self.sandbox.bundler().arg("pack").args(arguments).assert().success();
    }

    /// Adds the files that pages name without saying what is in them.
    pub(crate) fn add_files(&self) {
        let sandbox = &self.sandbox;
        let [old, new] = ["1.4.0", "1.5.0"].map(|version| format!("observability-{version}-linux-arm64.tar.gz"));
        for (name, bundle) in [("OLD", &old), ("NEW", &new), ("FILE", &new), ("BUNDLE.tar.gz", &new)] {
            std::fs::hard_link(sandbox.path(bundle), sandbox.path(name)).unwrap();
        }
        std::fs::create_dir_all(sandbox.path("target/demo")).unwrap();
        let demo = "observability-0.1.0-linux-arm64.tar.gz";
        std::fs::hard_link(sandbox.path(demo), sandbox.path("target/demo").join(demo)).unwrap();
        output_of(sandbox.command("tar").args(["xzf", &new, "charts/"]));
        let is_jaeger = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("jaeger-");
        let mut charts = std::fs::read_dir(sandbox.path("charts")).unwrap().map(|entry| entry.unwrap().path());
        std::fs::rename(charts.find(is_jaeger).unwrap(), sandbox.path("FILE.tgz")).unwrap();
        std::fs::remove_dir_all(sandbox.path("charts")).unwrap();
        sandbox.write("charts/metrics-server/Chart.yaml", "apiVersion: v2\nname: metrics-server\nversion: 3.12.0\n");
        sandbox.write("my.yaml", "replicas: 1\n");
        sandbox.write("k3s-images.txt", "docker.io/library/eclipse-mosquitto:2.0.18-alpine # a list\n");
        sandbox.write("hauler-manifest.yaml", HAULER);
        sandbox.write("releases.json", RELEASES);
        sandbox.write("pods.json", PODS);
        support::Secrets::write(&sandbox.work());
        std::fs::rename(sandbox.path("ca.pem"), sandbox.path("proxy-ca.pem")).unwrap();
        self.sign(&new);
    }

    /// A key with its list of signers, and what it signed of a bundle.
    fn sign(&self, bundle: &str) {
        let sandbox = &self.sandbox;
        output_of(sandbox.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "release", "-f", "key"]));
        let key = std::fs::read_to_string(sandbox.path("key.pub")).unwrap();
        sandbox.write("allowed_signers", format!("release@example.com namespaces=\"bundler\" {key}"));
        output_of(sandbox.command("tar").args(["xzf", bundle, "SHA256SUMS"]));
        output_of(sandbox.command("ssh-keygen").args(["-q", "-Y", "sign", "-f", "key", "-n", "bundler", "SHA256SUMS"]));
    }
}
