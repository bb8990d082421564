//! What each command writes with `--format json` is what its committed schema says.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::bundle_programs::containerd::Containerd;
use crate::docs::world::World;
use crate::generated;
use crate::support::{self, Registry, Sandbox};

/// Reports with the names of their schemas.
struct Reports<'a> {
    sandbox: &'a Sandbox,
    written: Vec<(String, PathBuf)>,
}

impl Reports<'_> {
    fn add(&mut self, schema: &str, report: &[u8]) {
        let number = self.written.len();
        self.written.push((schema.to_owned(), self.sandbox.write(format!("reports/{number}-{schema}.json"), report)));
    }

    /// Runs a command that ends with `code`, and keeps its report.
    fn run(&mut self, schema: &str, code: i32, arguments: &[&str]) {
        let output = self.sandbox.bundler().args(["--format", "json"]).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        self.add(schema, if schema == "error" { &output.stderr } else { &output.stdout });
    }

    /// The line that `serve` begins with.
    fn serve(&mut self, bundle: &str) {
        let mut command = self.sandbox.bundler_command();
        command.args(["serve", "--format", "json", "--listen", "127.0.0.1:0", bundle]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.add("serve", line.as_bytes());
    }
}

/// A copy of a bundle with one byte that is another one, in the middle.
fn damaged(sandbox: &Sandbox, bundle: &str) {
    let path = sandbox.path("damaged.tar.gz");
    std::fs::copy(sandbox.path(bundle), &path).unwrap();
    let mut file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

#[test]
fn the_schemas_take_what_the_commands_print() {
    let (Some(registry), Some(containerd), Some(mut validator)) =
        (Registry::plain(), Containerd::start(), support::report_validator())
    else {
        return;
    };
    let Some(world) = World::new() else { return };
    world.add_files();
    let sandbox = &world.sandbox;
    let [old, new] = ["observability-1.4.0-linux-arm64.tar.gz", "observability-1.5.0-linux-arm64.tar.gz"];
    let delta = "observability-1.5.0-delta-linux-arm64.tar.gz";
    damaged(sandbox, new);
    let socket = containerd.address();
    let socket = socket.to_str().unwrap();
    let place = format!("{}/site", registry.url());
    let mut reports = Reports { sandbox, written: Vec::new() };

    reports.run("resolve", 0, &["resolve", "--skip-signatures", "--dry-run"]);
    reports.run("resolve", 0, &["resolve", "--skip-signatures", "--dry-run", "--lock", "other.yaml"]);
    reports.run("images", 0, &["images"]);
    reports.run("chart-images", 0, &["images", "--chart", "FILE.tgz"]);
    reports.run("pack", 0, &["pack", "--arch", "arm64", "--output", "again/"]);
    reports.run("pack", 0, &["pack", "--arch", "arm64", "--split-size", "1MB", "--output", "parts/"]);
    reports.run("verify", 0, &["verify", new]);
    reports.run("verify", 0, &["verify", delta, "--base", old]);
    reports.run("verify", 1, &["verify", "damaged.tar.gz"]);
    for what in [new, delta, "bundle.lock.yaml"] {
        reports.run("inspect", 0, &["inspect", what]);
    }
    reports.run("diff", 0, &["diff", old, new]);
    reports.run("diff", 0, &["diff", old, "bundle.lock.yaml"]);
    reports.run("apply", 0, &["apply", old, delta, "--output", "applied.tar.gz"]);
    reports.run("apply", 0, &["apply", old, delta, "--output", "cut.tar.gz", "--split-size", "1MB"]);
    let load = ["load", "--arch", "arm64", "--address", socket];
    reports.run("load", 0, &[&load[..], &[old]].concat());
    reports.run("load", 0, &[&load[..], &["--prune", new]].concat());
    reports.run("unload", 0, &["unload", "--address", socket, new]);
    reports.run("push", 0, &["push", "--dry-run", new, &place]);
    reports.run("push", 0, &["push", new, &place, "--write", "nodes/"]);
    reports.run("sign", 0, &["sign", "applied.tar.gz", "--key", "key"]);
    let signers = ["--signers", "allowed_signers", "--identity", "release@example.com"];
    reports.run("verify", 0, &[&["verify", "applied.tar.gz"][..], &signers].concat());
    reports.run("verify", 1, &[&["verify", new][..], &signers].concat());
    reports.run("cache-ls", 0, &["cache", "ls"]);
    reports.run("cache-verify", 0, &["cache", "verify"]);
    reports.run("cache-gc", 0, &["cache", "gc", "--keep", "bundle.lock.yaml"]);
    reports.run("add", 0, &["add", "image", "eclipse-mosquitto", "--profile", "edge", "--dry-run"]);
    reports.run("error", 2, &["inspect", "nothing.tar.gz"]);
    std::fs::remove_dir_all(sandbox.path("manifests")).unwrap();
    reports.run("init", 0, &["init", "--images", "k3s-images.txt"]);
    reports.serve(new);

    for (schema, report) in &reports.written {
        let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/reports");
        validator.arg(schemas.join(format!("{schema}.json"))).arg(report);
    }
    support::output_of(&mut validator);
    let checked: BTreeSet<_> = reports.written.into_iter().map(|(schema, _)| schema).collect();
    let all: BTreeSet<_> = generated::reports().into_keys().collect();
    assert_eq!(checked, all, "the report of each command is looked at");
}

#[test]
fn the_validator_finds_what_no_schema_names() {
    let Some(mut validator) = support::report_validator() else { return };
    let sandbox = Sandbox::new();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/reports/serve.json");
    let report = |name: &str, text: &str| sandbox.write(name, text);
    let good = report("good", r#"{"schema": 1, "url": "http://127.0.0.1:1", "address": "127.0.0.1:1"}"#);
    support::output_of(support::report_validator().unwrap().arg(&schema).arg(good));
    for (name, text) in [
        ("more", r#"{"schema": 1, "url": "http://127.0.0.1:1", "address": "127.0.0.1:1", "port": 1}"#),
        ("version", r#"{"schema": 2, "url": "http://127.0.0.1:1", "address": "127.0.0.1:1"}"#),
        ("less", r#"{"schema": 1, "url": "http://127.0.0.1:1"}"#),
    ] {
        validator.arg(&schema).arg(report(name, text));
    }
    let output = validator.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
}
