//! Reports about a bundle or a lock: what is inside, in which version, with which digest, and what it weighs.

mod compare;
mod model;
#[cfg(test)]
mod tests;
mod weight;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

pub use compare::{Comparison, compare};
pub use model::{Artifact, Component, Image, Inspection, Kind, Platform, Profile};

use crate::Error;
use crate::bundle::read::{Bundle, Form};
use crate::bundle::{self, model as bundle_model};
use crate::lock::{self, Lock};
use crate::oci::Digest;

/// Describes a bundle, packed or unpacked, or a lock; which one it is follows from the first bytes.
///
/// Reads lists and manifests only; whether the bytes are good is for [`crate::verify`] to say.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    if is_bundle(path) { inspect_bundle(path) } else { Ok(inspect_lock(&lock::read(path)?, path)) }
}

/// Tells a bundle from a lock by the first bytes.
fn is_bundle(path: &Path) -> bool {
    if !path.is_file() {
        return path.is_dir();
    }
    let mut magic = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == [0x1f, 0x8b]
}

fn inspect_lock(lock: &Lock, path: &Path) -> Inspection {
    let mut inspection = model::of(lock, Kind::Lock, path);
    weight::of_lock(lock, &mut inspection);
    inspection
}

fn inspect_bundle(path: &Path) -> Result<Inspection, Error> {
    let bundle = Bundle::open(path).map_err(bundle::Error::from)?;
    let about = bundle.about().map_err(bundle::Error::from)?;
    let mut inspection = model::of(&about.lock, Kind::Bundle, path);
    inspection.name.clone_from(&about.name);
    inspection.version.clone_from(&about.version);
    inspection.architectures.clone_from(&about.architectures);
    inspection.profiles.retain(|profile| about.profiles.contains(&profile.name));
    inspection.form = Some(bundle.form());
    if bundle.form() != Form::Unpacked {
        inspection.size = std::fs::metadata(path).ok().map(|metadata| metadata.len());
    }
    if bundle.find(bundle_model::SUMS).is_some() {
        let sums = bundle.read(bundle_model::SUMS, bundle::sums::MAX_SIZE).map_err(bundle::Error::from)?;
        inspection.sums_sha256 = Some(Digest::of(&sums));
    }
    inspection.archive_sha256 = bundle.published().map_err(bundle::Error::from)?;
    weight::of_bundle(&bundle, &about, &mut inspection);
    Ok(inspection)
}
