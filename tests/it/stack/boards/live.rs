//! Debian's daemons on loopback, asked for the series that the boards read.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use super::series;
use crate::support::{self, Sandbox, Server};

const LISTENING: &str = "Listening on";
/// How often Prometheus is asked for the first sample of a rule.
const MAX_ASKED: usize = 20_000;

/// A daemon with the address that it says it listens on.
pub(in super::super) struct Daemon {
    address: String,
    _server: Server,
}

impl Daemon {
    /// Starts a program and waits until it says that it is `ready`, which is not before it listens.
    fn start(program: &Path, ready: &str, arguments: &[&str]) -> Self {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let (server, mut output) = Server::start(program, &arguments);
        let (mut said, mut address) = (String::new(), None);
        loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "{} ended:\n{said}", program.display());
            said.push_str(&line);
            // With port 0 the one that was taken is said by the exporters' toolkit.
            if line.contains(LISTENING) {
                address = line.split("address=").nth(1).map(|rest| rest.trim().trim_matches('"').to_owned());
            }
            if line.contains(ready) {
                break;
            }
        }
        let address = address.unwrap_or_else(|| panic!("{} listens nowhere:\n{said}", program.display()));
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { address, _server: server }
    }

    /// The body of an answer that has to be 200.
    pub(in super::super) fn get(&self, path: &str) -> String {
        let (head, body) = self.ask(path);
        assert!(head.contains(" 200 "), "{path}: {head}");
        body
    }

    /// The head and body of an answer.
    pub(in super::super) fn ask(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

/// The labels of each metric in the text format.
fn scraped(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut metrics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, labels) = series::sample(line);
        metrics.entry(name).or_default().extend(labels.into_keys());
    }
    metrics
}

fn start(program: &str, ready: &str, arguments: &[&str]) -> Option<Daemon> {
    let mut all = vec!["--web.listen-address=127.0.0.1:0"];
    all.extend(arguments);
    Some(Daemon::start(&support::monitoring(program)?, ready, &all))
}

/// Prometheus with a rule that has been evaluated.
pub(in super::super) fn prometheus(sandbox: &Sandbox, more: &[&str]) -> Option<Daemon> {
    let rules = "groups: [{name: a, interval: 10ms, rules: [{record: 'a:b', expr: '1'}]}]\n";
    let rules = format!("rule_files: [{}]\n", sandbox.write("rules.yaml", rules).display());
    let config = format!("--config.file={}", sandbox.write("prometheus.yaml", rules).display());
    let data = format!("--storage.tsdb.path={}", sandbox.path("data").display());
    let arguments = [&[config.as_str(), &data], more].concat();
    let prometheus = start("prometheus", "Server is ready to receive web requests", &arguments)?;
    let recorded = || prometheus.get("/api/v1/query?query=a:b").contains("\"value\"");
    assert!((0..MAX_ASKED).any(|_| recorded()), "a rule that is due every 10 ms was not evaluated");
    Some(prometheus)
}

/// Alertmanager with one receiver that nobody listens for.
pub(in super::super) fn alertmanager(sandbox: &Sandbox, more: &[&str]) -> Option<Daemon> {
    let routes =
        "route: {receiver: hook}\nreceivers: [{name: hook, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n";
    let routes = format!("--config.file={}", sandbox.write("alertmanager.yaml", routes).display());
    let state = format!("--storage.path={}", sandbox.path("alertmanager").display());
    let arguments = [&["--cluster.listen-address=", &routes, &state], more].concat();
    start("prometheus-alertmanager", LISTENING, &arguments)
}

/// What the programs say of themselves, by their name in `tests/data/series.yaml`.
fn ask(sandbox: &Sandbox) -> Option<BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>> {
    let node = start("prometheus-node-exporter", LISTENING, &[])?;
    let modules = sandbox.write("blackbox.yaml", "modules: {http_2xx: {prober: http}, tcp_connect: {prober: tcp}}\n");
    let modules = format!("--config.file={}", modules.display());
    let blackbox = start("prometheus-blackbox-exporter", LISTENING, &[&modules])?;
    let mut probes = String::new();
    for (module, target) in [("http_2xx", format!("http://{}/", node.address)), ("tcp_connect", node.address.clone())] {
        probes.push_str(&blackbox.get(&format!("/probe?module={module}&target={target}")));
    }
    Some(BTreeMap::from([
        ("node-exporter", scraped(&node.get("/metrics"))),
        ("blackbox-exporter", scraped(&probes)),
        ("alertmanager", scraped(&alertmanager(sandbox, &[])?.get("/metrics"))),
        ("prometheus", scraped(&prometheus(sandbox, &[])?.get("/metrics"))),
    ]))
}

#[test]
fn the_series_of_the_boards_are_those_of_real_programs() {
    let sandbox = Sandbox::new();
    let Some(asked) = ask(&sandbox) else { return };
    let mut problems = Vec::new();
    for source in series::read() {
        let Some(live) = &source.live else { continue };
        let scraped = asked.get(live.as_str()).unwrap_or_else(|| panic!("no program {live}"));
        for series in &source.series {
            let Some(labels) = scraped.get(&series.name) else {
                problems.push(format!("{live} has no {}", series.name));
                continue;
            };
            let own = series.labels.keys().filter(|label| !source.target.contains(*label));
            problems.extend(own.filter(|l| !labels.contains(*l)).map(|l| format!("{} has no label {l}", series.name)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
