//! Two locks, two bundles, or one of each, held side by side.

use std::collections::HashSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Error;
use crate::bundle::read::{Bundle, is_bundle};
use crate::bundle::{self, model, sums};
use crate::event::Reporter;
use crate::lock::diff::{Diff, diff};
use crate::lock::{self, Lock};
use crate::oci::Digest;

/// What changed, and what a site that has the older bundle lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Comparison {
    /// What changed in the locks.
    #[serde(flatten)]
    pub diff: Diff,
    /// The bytes of the newer bundle that the older one does not have, layer by layer; known of two bundles only.
    pub new_bytes: Option<u64>,
}

/// Compares two files, each a lock, a bundle or the directory that one was unpacked into.
pub fn compare(old: &Path, new: &Path, reporter: &dyn Reporter) -> Result<Comparison, Error> {
    let ((old, had), (new, has)) = (read(old, reporter)?, read(new, reporter)?);
    let new_bytes = had.zip(has).map(|(had, has)| {
        let had: HashSet<_> = had.iter().map(|(digest, _)| *digest).collect();
        let mut seen = HashSet::new();
        has.iter().filter(|(digest, _)| !had.contains(digest) && seen.insert(*digest)).map(|(_, size)| size).sum()
    });
    Ok(Comparison { diff: diff(&old, &new), new_bytes })
}

/// A lock, and of a bundle also the digests and sizes of its members.
type Side = (Lock, Option<Vec<(Digest, u64)>>);

fn read(path: &Path, reporter: &dyn Reporter) -> Result<Side, Error> {
    if path.exists() && !is_bundle(path) {
        return Ok((lock::read(path)?, None));
    }
    let side = || {
        let bundle = Bundle::open(path)?;
        bundle.tell_form(reporter);
        Ok((bundle.about()?.lock, members(&bundle)?))
    };
    Ok(side().map_err(|error: bundle::read::Error| bundle::Error::from(error))?)
}

/// What `SHA256SUMS` lists; `None` when it is not the list of the members, which is for `verify` to say.
fn members(bundle: &Bundle) -> Result<Option<Vec<(Digest, u64)>>, bundle::read::Error> {
    let bytes = bundle.read(model::SUMS, sums::MAX_SIZE)?;
    let list = std::str::from_utf8(&bytes).ok().and_then(|text| sums::parse(text).ok());
    Ok(list.map(|list| {
        let size = |path: &str| Some(bundle.members()[bundle.find(path)?].size);
        list.iter().filter_map(|(path, digest)| Some((*digest, size(path)?))).collect()
    }))
}
