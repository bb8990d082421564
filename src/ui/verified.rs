//! The report of `bundler verify` for people.

use super::{count, line};
use crate::bundle::read::Form;
use crate::sign::Signature;
use crate::size;
use crate::verify::{Finding, Report};

/// The whole report; its last line is the answer.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    if let (Some(name), Some(version)) = (&report.name, &report.version) {
        let archs: Vec<_> = report.architectures.iter().map(|arch| arch.as_str()).collect();
        text.push_str(&format!("{} {} for {}", line(name), line(version), archs.join(" and ")));
        if !report.profiles.is_empty() {
            text.push_str(&format!(", profiles {}", line(&report.profiles.join(", "))));
        }
        text.push_str(&format!(
            "\n  {}, {}, {}; {}, {}\n",
            count(report.images, "image"),
            count(report.charts, "chart"),
            count(report.files, "file"),
            count(report.members, "member"),
            size::bytes(report.bytes)
        ));
    }
    if let Some(digest) = &report.archive_sha256 {
        text.push_str(&format!("  sha256 {}\n", digest.hex()));
    }
    if let Some(digest) = &report.sums_sha256 {
        text.push_str(&format!("  sha256 of SHA256SUMS {}\n", digest.hex()));
    }
    match &report.signature {
        Some(Signature { key, identity: Some(identity) }) => {
            text.push_str(&format!("  signed by {} ({key})\n", line(identity)));
        }
        Some(Signature { key, identity: None }) => {
            text.push_str(&format!("  signed with {key}, not checked: name the signers with --signers\n"));
        }
        None => {}
    }
    if let Some(base) = &report.base {
        let checked = if report.with_base { ", which was checked too" } else { "; --base BASE checks that too" };
        text.push_str(&format!("  a delta: the rest is in {}{checked}\n", line(base)));
    }
    if report.form == Some(Form::Recompressed) {
        text.push_str("  the archive was compressed again after it was packed\n");
    }
    for finding in &report.findings {
        text.push_str(&bad(finding));
    }
    if report.more > 0 {
        text.push_str(&format!("  and {} more\n", report.more));
    }
    text.push_str(&format!("{}: {}\n", line(&report.path), if report.good { "good" } else { "NOT GOOD" }));
    text
}

fn bad(finding: &Finding) -> String {
    let mut text = String::from("  bad: ");
    if let Some(member) = &finding.member {
        text.push_str(&line(member));
        text.push_str(": ");
    }
    text.push_str(&line(&finding.message));
    if let (Some(expected), Some(found)) = (&finding.expected, &finding.found) {
        text.push_str(&format!("\n       expected {}\n       found    {}", line(expected), line(found)));
    }
    text.push('\n');
    text
}
