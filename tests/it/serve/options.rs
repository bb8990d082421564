//! TLS, passwords, the address and the stop.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use bundler::oci::Arch;

use super::client::request;
use super::served::{Parts, Served, blob_path};
use crate::bundle_programs::Sample;
use crate::support::{self, PASSWORD, Secrets, USER, output_of};

pub(super) fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// A server whose end can be watched.
fn started(sample: &Sample, arguments: &[&str]) -> (Child, String) {
    let mut command = sample.sandbox.bundler_command();
    command.args(["serve", "b.tar.gz", "--listen", "127.0.0.1:0"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

#[test]
fn stdout_has_the_address_and_nothing_else() {
    let sample = Sample::new(&[Arch::Arm64]);
    let (child, line) = started(&sample, &[]);
    let address = line.strip_prefix("http://127.0.0.1:").unwrap().trim_end();
    assert_ne!(address.parse::<u16>().unwrap(), 0);
    terminate(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));

    let (child, line) = started(&sample, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["url"], format!("http://{}", json["address"].as_str().unwrap()));
    terminate(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn an_address_in_use_is_said() {
    let sample = Sample::new(&[Arch::Arm64]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = sample.sandbox.bundler().args(["serve", "b.tar.gz", "--listen", &address]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(&address) && text.contains("--listen"), "{text}");
}

#[test]
fn a_stop_lets_an_answer_end() {
    let sample = Sample::new(&[Arch::Arm64]);
    let (child, line) = started(&sample, &[]);
    let address = line.trim_end().strip_prefix("http://").unwrap();
    let layer = *Parts::of(&sample, "docker.io/library/web:1", Arch::Arm64).layers.last().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /v2/library/web/blobs/{layer} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = vec![0; 1];
    stream.read_exact(&mut answer).unwrap();
    terminate(&child);
    // It says goodbye after this answer, so the connection ends by itself.
    stream.read_to_end(&mut answer).unwrap();
    let reply = super::client::Reply::parse(&answer);
    assert!(reply.body == sample.members[&blob_path(layer)]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn passwords_are_asked_for_behind_tls() {
    let Some(curl) = support::program("curl") else { return };
    let sample = Sample::new(&[Arch::Arm64]);
    let secrets = Secrets::write(&sample.sandbox.path("."));
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (certificate, key, users) = (path(&secrets.certificate), path(&secrets.key), path(&secrets.htpasswd));
    let arguments = ["--tls-cert", &certificate, "--tls-key", &key, "--htpasswd", &users];
    let served = Served::start(&[&sample.path()], &arguments);
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    let status = |target: &str, user: Option<&str>| {
        let mut command = sample.sandbox.command(&curl);
        command.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]).arg(&secrets.ca);
        if let Some(user) = user {
            command.args(["-u", user]);
        }
        output_of(command.arg(format!("{}{target}", served.url)))
    };
    let right = format!("{USER}:{PASSWORD}");
    for target in ["/v2/", "/v2/library/web/manifests/1", "/", "/index.yaml", "/files/tool"] {
        assert_eq!(status(target, None), "401", "{target}");
        assert_eq!(status(target, Some(&format!("{USER}:wrong"))), "401", "{target}");
        assert_eq!(status(target, Some(&right)), "200", "{target}");
    }
    // Nobody speaks plain http here.
    let answer = super::client::exchange(&served.address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
}

#[test]
fn a_401_says_how_to_ask() {
    let sample = Sample::new(&[Arch::Arm64]);
    let secrets = Secrets::write(&sample.sandbox.path("."));
    let served = Served::start(&[&sample.path()], &["--htpasswd", secrets.htpasswd.to_str().unwrap()]);
    let reply = request(&served.address, "GET", "/v2/", &[]);
    assert_eq!((reply.status, reply.code().as_str()), (401, "UNAUTHORIZED"));
    assert!(reply.header("www-authenticate").starts_with("Basic realm="));
    assert_eq!(reply.header("docker-distribution-api-version"), "registry/2.0");
}

#[test]
fn wrong_files_are_named() {
    let sample = Sample::new(&[Arch::Arm64]);
    let secrets = Secrets::write(&sample.sandbox.path("."));
    sample.sandbox.write("plain", "carrier:plain\n");
    sample.sandbox.write("empty", "");
    let large = std::fs::File::create(sample.sandbox.path("large")).unwrap();
    large.set_len(5 << 20).unwrap();
    let good = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (certificate, key) = (good(&secrets.certificate), good(&secrets.key));
    for (arguments, said) in [
        (vec!["--htpasswd", "plain"], "plain:1"),
        (vec!["--htpasswd", "missing"], "missing"),
        (vec!["--htpasswd", "."], "not a regular file"),
        (vec!["--htpasswd", "large"], "larger than 4 MiB"),
        (vec!["--tls-cert", "empty", "--tls-key", key.as_str()], "empty"),
        (vec!["--tls-cert", certificate.as_str(), "--tls-key", "empty"], "empty"),
        (vec!["--tls-cert", certificate.as_str()], "--tls-key"),
        (vec!["--listen", "nowhere"], "nowhere"),
    ] {
        let output = sample.sandbox.bundler().args(["serve", "b.tar.gz"]).args(&arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
