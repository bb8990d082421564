//! What `bundler serve` says: where it listens, and one line a request.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::words::say;
use super::{count, diagnostic, note, report};
use crate::bundle::set::{Kind, Set};
use crate::serve::{Access, Log, Notice, Server};

/// How many lines wait for a reader of stderr that is slower than the clients; more are dropped and counted.
const WAITING: usize = 4096;

/// Where a server listens: one line, so that a program knows when it has read it.
#[must_use]
pub fn listening(server: &Server, as_json: bool) -> String {
    let listening = Listening { url: server.url(), address: server.address() };
    match as_json {
        // Texts always are JSON.
        true => format!("{}\n", report::line(&listening).unwrap_or_default()),
        false => format!("{}\n", listening.url),
    }
}

/// Where a server listens: the only line on stdout.
#[derive(Serialize, JsonSchema)]
pub struct Listening {
    /// The URL for clients on this host.
    url: String,
    /// The address and the port.
    #[schemars(with = "String")]
    address: SocketAddr,
}

/// What is served, in one line.
#[must_use]
pub fn summary(set: &Set) -> String {
    let of = |kind| set.shipped().values().filter(|shipped| shipped.kind == kind).count();
    say!(
        "serving {images}, {charts} and {files} of {bundles}",
        images = count(set.images().len(), "image"),
        charts = count(of(Kind::Chart), "chart"),
        files = count(of(Kind::File), "file"),
        bundles = count(set.bundles().len(), "bundle")
    )
}

/// Writes lines to stderr from a thread of its own: a full pipe stops no answer.
pub struct Lines {
    json: bool,
    quiet: bool,
    sender: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
    lost: Mutex<u64>,
}

impl Lines {
    /// Text or JSON; quiet leaves the requests out.
    #[must_use]
    pub fn new(json: bool, quiet: bool) -> Self {
        let (sender, lines) = sync_channel::<String>(WAITING);
        let writer = std::thread::spawn(move || lines.iter().for_each(|line| note(&line)));
        Self { json, quiet, sender: Some(sender), writer: Some(writer), lost: Mutex::new(0) }
    }

    fn write(&self, line: String) {
        let Some(sender) = &self.sender else { return };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if *lost > 0 && sender.try_send(format!("{} of the log were lost", count_lines(*lost))).is_ok() {
            *lost = 0;
        }
        if let Err(TrySendError::Full(_)) = sender.try_send(line) {
            *lost += 1;
        }
    }
}

fn count_lines(lines: u64) -> String {
    count(usize::try_from(lines).unwrap_or(usize::MAX), "line")
}

impl Drop for Lines {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Log for Lines {
    fn access(&self, access: &Access) {
        if !self.quiet {
            let time = Timestamp::now();
            self.write(if self.json { json_line(access, time) } else { text_line(access, time) });
        }
    }

    fn notice(&self, notice: Notice<'_>) {
        let text = match notice {
            Notice::Damaged { bundle, member } => {
                format!("`{member}` of `{}` is damaged and not served", bundle.display())
            }
            Notice::Warning(text) => text.to_owned(),
            Notice::Chart { path, error } => format!("`{path}` is listed nowhere: {error}"),
        };
        self.write(if self.json {
            json!({"event": "warning", "message": text}).to_string()
        } else {
            diagnostic::logged(&text)
        });
    }
}

/// Time, client, request, status, bytes, milliseconds, client program; and why it ended early.
fn text_line(access: &Access, time: Timestamp) -> String {
    let query = access.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    // What a client sends may hold more than a line may.
    let mut line = format!(
        "{time:.3} {} \"{} {}{}\" {} {} {}ms \"{}\"",
        access.peer,
        access.method,
        access.path.escape_debug(),
        query.escape_debug(),
        access.status,
        access.bytes,
        access.duration.as_millis(),
        access.agent.as_deref().unwrap_or("-").escape_debug(),
    );
    if let Some(cut) = &access.cut {
        let _ = write!(line, " cut: {cut}");
    }
    line
}

fn json_line(access: &Access, time: Timestamp) -> String {
    let line = json!({
        "event": "request",
        "time": format!("{time:.3}"),
        "peer": access.peer,
        "method": access.method.as_str(),
        "path": access.path,
        "query": access.query,
        "agent": access.agent,
        "status": access.status,
        "bytes": access.bytes,
        "milliseconds": u64::try_from(access.duration.as_millis()).unwrap_or(u64::MAX),
        "cut": access.cut,
    });
    line.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn access() -> Access {
        Access {
            peer: "10.0.0.7:41000".parse().unwrap(),
            method: "GET".parse().unwrap(),
            path: "/v2/web\u{9b}/manifests/1".to_owned(),
            query: Some("ns=docker.io".to_owned()),
            agent: Some("containerd/2.1 \"\u{1b}[31m".to_owned()),
            status: 200,
            bytes: 1234,
            duration: Duration::from_micros(2500),
            cut: None,
        }
    }

    #[test]
    fn a_line_stays_a_line() {
        let time = Timestamp::UNIX_EPOCH;
        insta::assert_snapshot!(text_line(&access(), time), @r#"1970-01-01T00:00:00.000Z 10.0.0.7:41000 "GET /v2/web\u{9b}/manifests/1?ns=docker.io" 200 1234 2ms "containerd/2.1 \"\u{1b}[31m""#);
        let cut = Access { cut: Some("the client went away".to_owned()), agent: None, ..access() };
        assert!(text_line(&cut, time).ends_with(" 2ms \"-\" cut: the client went away"));
        let line: serde_json::Value = serde_json::from_str(&json_line(&access(), time)).unwrap();
        assert_eq!((&line["status"], &line["milliseconds"]), (&200.into(), &2.into()));
        assert!(!json_line(&access(), time).contains('\n'));
    }
}
