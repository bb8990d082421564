//! Other programs: where they are, and servers that never outlive a test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program on PATH (or where Debian keeps programs for root); absent, the test is skipped by name.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    find(name).or_else(|| super::skip(name))
}

/// The real Helm.
pub(crate) fn helm() -> Option<PathBuf> {
    tool("helm")
}

/// A program that `make tools` keeps for itself where it is not installed.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    find(name).or_else(|| kept(name)).or_else(|| super::skip(name))
}

/// A program that `make tools` keeps for itself, whatever else has its name.
pub(crate) fn kept_program(name: &str) -> Option<PathBuf> {
    kept(name).or_else(|| super::skip(name))
}

fn kept(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin")).join(name);
    path.is_file().then_some(path)
}

/// What validates bills of materials; the files to validate are its arguments.
pub(crate) fn bill_validator() -> Option<Command> {
    validator("tests/validate_bill.py")
}

/// What validates reports; its arguments are a schema, a report, the next schema and so on.
pub(crate) fn report_validator() -> Option<Command> {
    validator("tests/validate_reports.py")
}

fn validator(script: &str) -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/tools/python");
    if !modules.join("complete").is_file() {
        return super::skip("the validator of JSON schemas");
    }
    let mut command = Command::new(program("python3")?);
    command.env("PYTHONPATH", modules).arg("-B").arg(root.join(script));
    Some(command)
}

pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// Asserts that a program succeeded and returns its stdout.
pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A server in a process of its own. It ends with this value, and with the test process however that ends:
/// the shell around it waits on a pipe that only the test process holds.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts `command` with its stdout and stderr on the returned pipe.
    pub(crate) fn start(
        program: &std::path::Path,
        arguments: &[&std::ffi::OsStr],
    ) -> (Self, std::io::BufReader<std::process::ChildStdout>) {
        // A background job's stdin is /dev/null, so the `cat` alone reads the pipe; and the program alone has the other
        // one, so that its end is told.
        let script = r#""$@" 2>&1 & exec >/dev/null; cat; kill -9 $! 2>/dev/null; wait"#;
        let mut child = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let output = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
        (Self { child }, output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn the_end_of_a_server_is_told_and_the_end_of_its_value_ends_it() {
    use std::io::Read as _;
    let (_ended, mut output) = Server::start(Path::new("/bin/sh"), &["-c", "echo no; exit 1"].map(AsRef::as_ref));
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert_eq!(text, "no\n");
    let (running, mut output) = Server::start(Path::new("/bin/sleep"), &["infinity"].map(AsRef::as_ref));
    drop(running);
    assert_eq!(output.read(&mut [0]).unwrap(), 0);
}
