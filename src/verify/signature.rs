//! Who signed the bundle: the signature of `SHA256SUMS` in it, and that of `FILE.sha256` beside it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::report::{Finding, Kind, Report};
use crate::bundle::parts::MAX_CHECKSUM_FILE;
use crate::bundle::read::Bundle;
use crate::bundle::{model, sums, write};
use crate::sign::{self, MAX_SIGNATURE, Refusal, Signature, Trust};

/// Looks at the signatures; with `trust` there has to be a good one.
pub(super) fn check(bundle: &Bundle, trust: Option<&Trust>, report: &mut Report) {
    match inside(bundle, trust) {
        Ok(signature) => report.signature = signature,
        Err(finding) => report.add(*finding),
    }
    if let Some(trust) = trust
        && let Some(sums) = bundle.checksum_path()
        && let Err(finding) = beside(&sums, trust)
    {
        report.add(*finding);
    }
}

fn inside(bundle: &Bundle, trust: Option<&Trust>) -> Result<Option<Signature>, Box<Finding>> {
    let unreadable =
        |path: &'static str| move |error| Box::new(Finding::from_error(Kind::Signature, Some(path), &error));
    if bundle.find(model::SUMS_SIG).is_none() {
        let missing = Finding::new(Kind::Signature, "a signature is required, but the bundle has none");
        return if trust.is_some() { Err(Box::new(missing.at(model::SUMS_SIG))) } else { Ok(None) };
    }
    let signature = bundle.read(model::SUMS_SIG, MAX_SIGNATURE).map_err(unreadable(model::SUMS_SIG))?;
    let signature = String::from_utf8_lossy(&signature);
    let checked = match trust {
        None => sign::signer(&signature),
        Some(trust) => {
            let list = bundle.read(model::SUMS, sums::MAX_SIZE).map_err(unreadable(model::SUMS))?;
            trust.check(&list, &signature)
        }
    };
    checked.map(Some).map_err(|refusal| refused(model::SUMS_SIG, &refusal))
}

/// A signature beside the archive need not be there, since that in the archive covers all of it; one that is there has
/// to be good, because whoever checks it first trusts it.
fn beside(sums: &Path, trust: &Trust) -> Result<(), Box<Finding>> {
    let path = write::signature_path(sums);
    if !path.exists() {
        return Ok(());
    }
    let name = path.display().to_string();
    let read = |path: &Path, limit| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if path.metadata()?.is_file() {
            File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    let read = |path: &Path, limit| {
        read(path, limit).map_err(|error| Box::new(Finding::from_error(Kind::Signature, Some(&name), &error)))
    };
    let (list, signature) = (read(sums, MAX_CHECKSUM_FILE)?, read(&path, MAX_SIGNATURE)?);
    let checked = trust.check(&list, &String::from_utf8_lossy(&signature));
    checked.map(drop).map_err(|refusal| refused(&name, &refusal))
}

fn refused(name: &str, refusal: &Refusal) -> Box<Finding> {
    Box::new(Finding::from_error(Kind::Signature, Some(name), refusal))
}
