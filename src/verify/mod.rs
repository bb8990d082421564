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
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use report::{Finding, Kind, Report};

use crate::bundle::parts::Error::{NotOne, Several};
use crate::bundle::parts::{self, Parts};
use crate::bundle::read::{self, Bundle};
use crate::bundle::{self, model};
use crate::error::Diagnostic as _;
use crate::event::{Event, Reporter};
use crate::exit::Exit;
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
    verify_all(&[path.to_owned()], None, jobs, trust, reporter)
}

/// As [`verify`], where the parts of one archive may be named one by one, and a delta with the base that it was made for:
/// then everything that it leaves out is checked too, where it is in the base.
pub fn verify_all(
    paths: &[PathBuf],
    base: Option<&Path>,
    jobs: NonZero<usize>,
    trust: Option<&Trust>,
    reporter: &dyn Reporter,
) -> Result<Report, bundle::Error> {
    let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
    let mut report = Report::new(path);
    let mut bundle = match Bundle::open_all(paths) {
        Ok(bundle) => bundle,
        // Nothing that could be good or not was named.
        Err(error @ (read::Error::Disk { .. } | read::Error::Parts(NotOne(_) | Several { .. }))) => {
            return Err(error.into());
        }
        Err(error) => {
            report.add(Finding::from_error(Kind::Unreadable, None, &error));
            // Which part it is, only the parts' own sums can tell.
            if let Ok(Some(parts)) = Parts::find(paths) {
                bytes::parts(&parts, reporter, &mut report);
            }
            report.findings.sort();
            return Ok(report);
        }
    };
    if let Some(base) = base {
        let base = Arc::new(Bundle::open(base).map_err(bundle::Error::from)?);
        match bundle.join(base) {
            Ok(()) => report.with_base = true,
            Err(error) if error.exit() == Exit::Mismatch => {
                report.add(Finding::from_error(Kind::Missing, None, &error));
            }
            // Another bundle than the base says nothing about the delta.
            Err(error) => return Err(error.into()),
        }
    }
    report.form = Some(bundle.form());
    report.base = bundle.delta_file().map(bundle::delta::DeltaFile::base_name);
    report.members = bundle.members().len();
    report.bytes = bundle.members().iter().map(|member| member.size).sum();
    let published = bundle.published().unwrap_or_else(|error| {
        let name = bundle.checksum_path().map(|path| path.display().to_string());
        report.add(Finding::from_error(Kind::Archive, name.as_deref(), &error));
        None
    });
    let again = published.is_some() || bundle.parts().is_some_and(|parts| !parts.sums.is_empty());
    let total = report.bytes + bundle.archive_size().filter(|_| again).unwrap_or(0);
    reporter.report(Event::Total { bytes: total, items: report.members as u64 });

    let hashed = bytes::check(&bundle, jobs, published.is_some(), reporter, &mut report);
    if let Some(parts) = bundle.parts() {
        bytes::parts(parts, reporter, &mut report);
    }
    report.archive_sha256 = hashed.archive;
    if let (Some(expected), Some(found)) = (published, hashed.archive)
        && expected != found
    {
        let name = parts::checksum_path(path).display().to_string();
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
