//! Debian's monitoring programs and the grammar of LogQL, as `make tools` keeps them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools");

/// `promtool`, `prometheus`, `amtool`, `prometheus-alertmanager`, an exporter or `nginx`, unpacked and not installed.
pub(crate) fn monitoring(name: &str) -> Option<PathBuf> {
    let root = Path::new(TOOLS).join("debian");
    let found = ["usr/bin", "usr/sbin"].iter().map(|directory| root.join(directory).join(name)).find(|p| p.is_file());
    found.or_else(|| super::process::find(name)).or_else(|| super::skip(name))
}

/// What is wrong with each LogQL expression by the grammar that Grafana's editor has: where it fails, or `None`.
pub(crate) fn logql_failures(expressions: &[String]) -> Option<Vec<Option<String>>> {
    let modules = Path::new(TOOLS).join("node/node_modules");
    if !modules.join("../complete").is_file() {
        return super::skip("the grammar of LogQL");
    }
    let mut child = Command::new(super::program("node")?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/logql.mjs"))
        .arg(modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = serde_json::to_vec(expressions).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "node ended with {}", output.status);
    let failures: Vec<Option<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failures.len(), expressions.len());
    Some(failures)
}
