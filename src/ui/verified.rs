//! The report of `bundler verify` for people.

use super::words::{self, say};
use super::{and, count, line};
use crate::bundle::read::Form;
use crate::sign::Signature;
use crate::size;
use crate::verify::{Finding, Report};

/// The whole report; its last line is the answer.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    if let (Some(name), Some(version)) = (&report.name, &report.version) {
        let (name, version) = (line(name), line(version));
        let architectures = and(report.architectures.iter().map(|arch| arch.as_str()));
        let profiles = report.profiles.join(", ");
        lines.push(match line(&profiles) {
            none if none.is_empty() => {
                say!("{name} {version} for {architectures}", name, version, architectures)
            }
            profiles => say!(
                "{name} {version} for {architectures}, profiles {profiles}",
                name,
                version,
                architectures,
                profiles
            ),
        });
        lines.push(below(say!(
            "{images}, {charts}, {files}; {members}, {size}",
            images = count(report.images, "image"),
            charts = count(report.charts, "chart"),
            files = count(report.files, "file"),
            members = count(report.members, "member"),
            size = size::bytes(report.bytes)
        )));
    }
    if let Some(digest) = &report.archive_sha256 {
        lines.push(format!("  sha256 {}", digest.hex()));
    }
    if let Some(digest) = &report.sums_sha256 {
        lines.push(below(say!("sha256 of SHA256SUMS {digest}", digest = digest.hex())));
    }
    match &report.signature {
        Some(Signature { key, identity: Some(identity) }) => {
            lines.push(below(say!("signed by {identity} ({key})", identity = line(identity), key)));
        }
        Some(Signature { key, identity: None }) => {
            lines.push(below(say!("signed with {key}, not checked: name the signers with --signers", key)));
        }
        None => {}
    }
    if let Some(base) = &report.base {
        let base = words::of(base);
        lines.push(below(if report.with_base {
            say!("a delta: the rest is in {base}, which was checked too", base = line(&base))
        } else {
            say!("a delta: the rest is in {base}; --base BASE checks that too", base = line(&base))
        }));
    }
    if report.form == Some(Form::Recompressed) {
        lines.push(below(say!("the archive was compressed again after it was packed")));
    }
    report.findings.iter().for_each(|finding| bad(finding, &mut lines));
    if report.more > 0 {
        lines.push(below(say!("and {number} more", number = report.more)));
    }
    let path = line(&report.path);
    lines.push(if report.good { say!("{path}: good", path) } else { say!("{path}: NOT GOOD", path) });
    lines.join("\n") + "\n"
}

fn bad(finding: &Finding, lines: &mut Vec<String>) {
    let message = words::of(&finding.message);
    let message = line(&message);
    lines.push(below(match &finding.member {
        Some(member) => {
            let member = words::of(member);
            say!("bad: {member}: {message}", member = line(&member), message)
        }
        None => say!("bad: {message}", message),
    }));
    if let (Some(expected), Some(found)) = (&finding.expected, &finding.found) {
        let (expected, found) = (words::of(expected), words::of(found));
        lines.push(format!("       {}", say!("expected {expected}", expected = line(&expected))));
        lines.push(format!("       {}", say!("found    {found}", found = line(&found))));
    }
}

fn below(text: String) -> String {
    format!("  {text}")
}
