//! Verifying: every byte of a bundle against its digest, offline.
//!
//! [`bytes`] hashes everything on all cores and demands the form that an archive is written in;
//! [`structure`] holds what is there against what `bundle.yaml` says: nothing missing, nothing extra.

mod bytes;
mod report;
mod structure;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::path::Path;

pub use report::{Finding, Kind, Report};

use crate::bundle::read::{self, Bundle, Form};
use crate::bundle::{self, model, sums, write};
use crate::event::{Event, Reporter};
use crate::oci::Digest;

/// The largest `FILE.sha256` that is read, 64 KiB: it has one line.
const MAX_CHECKSUM_FILE: u64 = 64 << 10;

/// Checks an archive or an unpacked bundle with `jobs` threads.
///
/// Whatever is wrong with the bundle is a finding; an error is only a file that cannot be opened.
pub fn verify(path: &Path, jobs: NonZero<usize>, reporter: &dyn Reporter) -> Result<Report, bundle::Error> {
    let mut report = Report::new(path);
    let bundle = match Bundle::open(path) {
        Ok(bundle) => bundle,
        Err(error @ read::Error::Disk { .. }) => return Err(error.into()),
        Err(error) => {
            report.add(Finding::from_error(Kind::Unreadable, None, &error));
            return Ok(report);
        }
    };
    report.form = Some(bundle.form());
    report.members = bundle.members().len();
    report.bytes = bundle.members().iter().map(|member| member.size).sum();
    let published = published(&bundle, &mut report);
    let total = report.bytes + if published.is_some() { bytes::length(path) } else { 0 };
    reporter.report(Event::Total { bytes: total, items: report.members as u64 });

    let hashed = bytes::check(&bundle, jobs, published.is_some(), reporter, &mut report);
    report.archive_sha256 = hashed.archive;
    if let (Some(expected), Some(found)) = (published, hashed.archive)
        && expected != found
    {
        let name = write::checksum_path(path).display().to_string();
        report.add(
            Finding::new(Kind::Archive, "the archive is not the one that its checksum file names")
                .at(name)
                .differs(expected, found),
        );
    }
    report.sums_sha256 = bundle.find(model::SUMS).and_then(|index| hashed.members[index]);
    structure::check(&bundle, &hashed.members, &mut report);
    report.findings.sort();
    Ok(report)
}

/// The sha256 in the file beside an archive, if there is one.
fn published(bundle: &Bundle, report: &mut Report) -> Option<Digest> {
    if bundle.form() == Form::Unpacked {
        return None;
    }
    let path = write::checksum_path(bundle.path());
    let length = std::fs::metadata(&path).ok()?.len();
    let text = if length > MAX_CHECKSUM_FILE { None } else { std::fs::read_to_string(&path).ok() };
    let digest = text.as_deref().and_then(|text| match sums::parse(text).as_deref() {
        Ok([(_, digest)]) => Some(*digest),
        _ => None,
    });
    if digest.is_none() {
        let finding = Finding::new(Kind::Archive, "the checksum file is not one line of sha256 and name");
        report.add(finding.at(path.display().to_string()));
    }
    digest
}
