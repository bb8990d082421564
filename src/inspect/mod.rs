//! Reports about a bundle or a lock: what is inside, in which version, with which digest, and what it weighs.

mod compare;
pub mod html;
mod model;
#[cfg(test)]
mod tests;
mod weight;

use std::path::{Path, PathBuf};

pub use compare::{Comparison, compare};
pub use model::{Artifact, Attached, Blob, BlobKind, Component, Image, Inspection, Kind, Platform, Profile};

use crate::Error;
use crate::bundle::delta::DeltaFile;
use crate::bundle::read::{Bundle, is_bundle};
use crate::bundle::{self, model as bundle_model};
use crate::event::{Reporter, Silent};
use crate::lock::{self, Lock};
use crate::oci::Digest;

/// Describes a bundle, packed, in parts or unpacked, or a lock; which one it is follows from the first bytes.
///
/// Reads lists and manifests only; whether the bytes are good is for [`crate::verify`] to say.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    inspect_all(&[path.to_owned()], &Silent)
}

/// As [`inspect`], where the parts of one archive may be named one by one; tells of a form that is slow to read.
pub fn inspect_all(paths: &[PathBuf], reporter: &dyn Reporter) -> Result<Inspection, Error> {
    match paths {
        [path] if path.exists() && !is_bundle(path) => Ok(inspect_lock(&lock::read(path)?, path)),
        paths => inspect_bundle(paths, reporter),
    }
}

fn inspect_lock(lock: &Lock, path: &Path) -> Inspection {
    let mut inspection = model::of(lock, Kind::Lock, path);
    weight::of_lock(lock, &mut inspection);
    inspection
}

fn inspect_bundle(paths: &[PathBuf], reporter: &dyn Reporter) -> Result<Inspection, Error> {
    let bundle = Bundle::open_all(paths).map_err(bundle::Error::from)?;
    bundle.tell_form(reporter);
    let about = bundle.about().map_err(bundle::Error::from)?;
    let mut inspection = model::of(&about.lock, Kind::Bundle, bundle.path());
    inspection.name.clone_from(&about.name);
    inspection.version.clone_from(&about.version);
    inspection.architectures.clone_from(&about.architectures);
    inspection.profiles.retain(|profile| about.profiles.contains(&profile.name));
    inspection.form = Some(bundle.form());
    inspection.size = bundle.archive_size();
    inspection.parts = bundle.parts().map(|parts| parts.paths.len());
    inspection.base = bundle.delta_file().map(DeltaFile::base_name);
    if bundle.find(bundle_model::SUMS).is_some() {
        let sums = bundle.read(bundle_model::SUMS, bundle::sums::MAX_SIZE).map_err(bundle::Error::from)?;
        inspection.sums_sha256 = Some(Digest::of(&sums));
    }
    inspection.archive_sha256 = bundle.published().map_err(bundle::Error::from)?;
    weight::of_bundle(&bundle, &about, &mut inspection);
    Ok(inspection)
}
