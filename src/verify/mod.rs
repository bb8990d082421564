//! Verifying: every byte of a bundle against its digest, offline.
//!
//! `bytes` hashes everything on all cores and demands the form that an archive is written in;
//! `structure` holds what is there against what `bundle.yaml` says: nothing missing, nothing extra.

mod bytes;
mod report;
mod signature;
mod structure;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::path::Path;

pub use report::{Finding, Kind, Report};

use crate::bundle::read::{self, Bundle};
use crate::bundle::{self, model, write};
use crate::event::{Event, Reporter};
use crate::sign::Trust;

/// Checks an archive or an unpacked bundle with `jobs` threads.
///
/// Whatever is wrong with the bundle is a finding; an error is only a file that cannot be opened.
///
/// With `trust`, a bundle without a good signature of a signer that is trusted is not good.
pub fn verify(
    path: &Path,
    jobs: NonZero<usize>,
    trust: Option<&Trust>,
    reporter: &dyn Reporter,
) -> Result<Report, bundle::Error> {
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
    let published = bundle.published().unwrap_or_else(|error| {
        let name = write::checksum_path(path).display().to_string();
        report.add(Finding::from_error(Kind::Archive, Some(&name), &error));
        None
    });
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
    signature::check(&bundle, trust, &mut report);
    report.findings.sort();
    Ok(report)
}
