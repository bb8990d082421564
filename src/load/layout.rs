//! Into an OCI image layout: a directory that many programs read. Blobs that are there stay, `index.json` gains names.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::archive::{self, Fault};
use super::choose::Wanted;
use super::report::{LoadedImage, State};
use super::{Error, Loaded, Options, partial};
use crate::bundle::contents::images::{LAYOUT, REF_NAME};
use crate::bundle::model::{BLOBS, INDEX, OCI_LAYOUT, blob_path};
use crate::bundle::set::Set;
use crate::event::{Event, Reporter};
use crate::oci::media_type;

/// The largest `index.json` that is read, 64 MiB: a descriptor has less than 1 KiB.
const MAX_INDEX: u64 = 64 << 20;

/// Writes what the layout lacks.
pub(super) fn load(
    set: &Set,
    wanted: &[Wanted],
    directory: &Path,
    options: &Options,
    reporter: &dyn Reporter,
    cancel: &CancellationToken,
) -> Result<Loaded, Error> {
    if options.prune {
        return Err(Error::NoMarks { into: "an OCI layout" });
    }
    let mut index = read(directory)?;
    if !options.dry_run {
        [directory.to_owned(), directory.join(BLOBS)].iter().for_each(|directory| partial::clear(directory));
    }
    let all: Vec<_> = wanted.iter().collect();
    let parts = archive::parts(set, &all);
    reporter.report(Event::Step(&format!("writing images into {}", directory.display())));
    let bytes = parts.iter().map(|part| part.blob.size).sum();
    reporter.report(Event::Total { bytes, items: wanted.len() as u64 });
    let mut loaded = Loaded::new(format!("the OCI layout {}", directory.display()), options.dry_run);
    let mut new = BTreeSet::new();
    for part in &parts {
        let path = directory.join(blob_path(part.digest));
        // A blob got its name after it was hashed.
        let is_there = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == part.blob.size);
        loaded.count((!is_there).then_some(part.blob.size));
        if is_there {
            reporter.report(Event::Bytes(part.blob.size));
            continue;
        }
        new.insert(part.digest);
        if !options.dry_run {
            partial::write(&path, |sink| part.copy(set, sink, reporter, cancel))?;
        }
    }
    let manifests = index["manifests"].as_array_mut().ok_or_else(|| wrong(directory, "index.json has no manifests"))?;
    for image in wanted {
        let names = image.names();
        let is_ours =
            |descriptor: &Value| descriptor["annotations"][REF_NAME].as_str().is_some_and(|name| names.contains(name));
        let digest = image.top.digest.to_string();
        let before: Vec<_> = manifests.extract_if(.., |descriptor| is_ours(descriptor)).collect();
        let blobs = image.contents().into_keys().chain(image.documents().map(|document| document.digest));
        let state = if before.iter().any(|found| found["digest"] != digest.as_str()) {
            State::Moved
        } else if before.len() < names.len() || blobs.into_iter().any(|digest| new.contains(&digest)) {
            State::Loaded
        } else {
            State::Present
        };
        manifests.extend(archive::descriptors(image));
        loaded.images.push(LoadedImage::new(image, names, state));
    }
    manifests.sort_by_cached_key(|descriptor| descriptor["annotations"][REF_NAME].as_str().map(str::to_owned));
    if !options.dry_run {
        let whole =
            |path: PathBuf, bytes: &[u8]| partial::write(&path, |sink| sink.write_all(bytes).map_err(Fault::Sink));
        whole(directory.join(OCI_LAYOUT), LAYOUT.as_bytes())?;
        whole(directory.join(INDEX), &archive::bytes(&index))?;
    }
    Ok(loaded)
}

/// `index.json` of a layout, or that of a new one where the directory is empty or not there.
fn read(directory: &Path) -> Result<Value, Error> {
    let path = directory.join(INDEX);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let holds = fs::read_dir(directory).is_ok_and(|entries| {
                entries
                    .flatten()
                    .map(|entry| entry.file_name())
                    .any(|name| !matches!(name.to_str(), Some("blobs" | OCI_LAYOUT)) && !partial::is_partial(&name))
            });
            if holds {
                return Err(wrong(directory, "it holds other things than an OCI image layout"));
            }
            return Ok(json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [] }));
        }
        Err(source) => return Err(Error::Disk { path, source }),
    };
    let mut bytes = Vec::new();
    file.take(MAX_INDEX + 1).read_to_end(&mut bytes).map_err(|source| Error::Disk { path: path.clone(), source })?;
    if bytes.len() as u64 > MAX_INDEX {
        return Err(wrong(&path, "it is larger than 64 MiB"));
    }
    serde_json::from_slice(&bytes).map_err(|error| wrong(&path, &error.to_string()))
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::Layout { path: path.to_owned(), reason: reason.to_owned() }
}
