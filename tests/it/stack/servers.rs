//! Monitoring servers on loopback, and what is asked of them.

use std::ffi::OsStr;
use std::io::BufRead as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{self, Sandbox, Server};

/// When something that has to come is given up; it takes a second where all is well.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server that logs where it listens, as all of Prometheus' family do.
pub(super) struct Listening {
    /// `127.0.0.1:port`.
    pub(super) address: String,
    _server: Server,
}

impl Listening {
    /// Starts a server that was told to listen on port 0.
    pub(super) fn start(program: &Path, arguments: &[&OsStr]) -> Self {
        let (server, output) = Server::start(program, arguments);
        let mut lines = output.lines();
        let mut said = String::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            said.push('\n');
            let (_, after) = line.contains("Listening on").then(|| line.split_once("address=")).flatten()?;
            Some(after.split_whitespace().next()?.trim_matches('"').to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("{} does not listen:\n{said}", program.display()));
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { address, _server: server }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Asks again until there is an answer: no server here tells when what it scraped or was sent can be asked for.
pub(super) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `GET` of JSON by curl, with a query; none as long as it fails.
pub(super) fn get(sandbox: &Sandbox, url: &str, query: &[(&str, &str)]) -> Option<Value> {
    let mut curl = sandbox.command(support::program("curl")?);
    curl.args(["--silent", "--fail", "--get", url]);
    for (name, value) in query {
        curl.arg("--data-urlencode").arg(format!("{name}={value}"));
    }
    let output = curl.output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// `POST` of a file by curl: the status.
pub(super) fn post(sandbox: &Sandbox, url: &str, headers: &[&str], body: &Path) -> String {
    let mut curl = sandbox.command("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", url, "--data-binary"]);
    curl.arg(format!("@{}", body.display()));
    for header in headers {
        curl.args(["--header", header]);
    }
    support::output_of(&mut curl)
}
