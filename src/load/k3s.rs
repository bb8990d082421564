//! Into the directory that k3s imports from: one file a bundle, written beside and renamed, so that a start of k3s in
//! the middle finds the old file or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::archive::Archive;
use super::choose::Wanted;
use super::mark::refuse_downgrade;
use super::report::{LoadedImage, State};
use super::{Error, Loaded, Mark, Options, Unloaded, partial};
use crate::bundle::set::Set;
use crate::event::{Event, Reporter};

/// Begins the names of our files; k3s takes every `.tar`.
const PREFIX: &str = "bundler-";
/// Ends them.
const SUFFIX: &str = ".tar";

/// Writes a file for each bundle.
pub(super) fn load(
    set: &Set,
    wanted: &[Wanted],
    directory: &Path,
    options: &Options,
    reporter: &dyn Reporter,
    cancel: &CancellationToken,
) -> Result<Loaded, Error> {
    let mut bundles: BTreeMap<&Mark, Vec<&Wanted>> = BTreeMap::new();
    for image in wanted {
        bundles.entry(image.marks.first().ok_or(Error::Nothing)?).or_default().push(image);
    }
    if !options.dry_run {
        partial::clear(directory);
    }
    let there = files(directory)?;
    if !options.allow_downgrade {
        refuse_downgrade(there.keys(), bundles.keys().copied())?;
    }
    let archives: Vec<_> = bundles.iter().map(|(mark, images)| (*mark, images, Archive::new(set, images))).collect();
    reporter.report(Event::Step("writing images for k3s"));
    let bytes = archives.iter().map(|(_, _, archive)| archive.weight()).sum();
    reporter.report(Event::Total { bytes, items: wanted.len() as u64 });
    let mut loaded = Loaded::new(directory.display().to_string(), options.dry_run);
    for (mark, images, archive) in &archives {
        let path = directory.join(format!("{PREFIX}{mark}{SUFFIX}"));
        let is_there = is_written(&path, archive);
        let state = if is_there { State::Present } else { State::Loaded };
        loaded.images.extend(images.iter().map(|image| LoadedImage::new(image, image.names(), state)));
        if is_there {
            loaded.present += archive.blobs();
            reporter.report(Event::Bytes(archive.weight()));
        } else {
            loaded.sent.blobs += archive.blobs();
            loaded.sent.bytes += archive.weight();
            if !options.dry_run {
                write(directory, &path, archive, reporter, cancel)?;
            }
        }
    }
    if options.prune {
        let old = there
            .iter()
            .filter(|(mark, _)| bundles.keys().any(|kept| kept.name == mark.name) && !bundles.contains_key(*mark));
        for (_, path) in old {
            remove(path, options.dry_run)?;
            loaded.removed.push(path.display().to_string());
        }
    }
    Ok(loaded)
}

/// Removes the files of bundles; k3s unpins their images when it starts again.
pub(super) fn unload<'a>(
    directory: &Path,
    marks: impl IntoIterator<Item = &'a Mark>,
    dry_run: bool,
) -> Result<Unloaded, Error> {
    let there = files(directory)?;
    let mut removed = Vec::new();
    for path in marks.into_iter().filter_map(|mark| there.get(mark)) {
        remove(path, dry_run)?;
        removed.push(path.display().to_string());
    }
    Ok(Unloaded { dry_run, removed, kept: 0 })
}

/// Our files of the directory; none where there is no directory.
fn files(directory: &Path) -> Result<BTreeMap<Mark, PathBuf>, Error> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other.map_err(|source| disk(directory, source))?,
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|source| disk(directory, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mark = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX)).map(str::parse::<Mark>);
        if let Some(Ok(mark)) = mark {
            files.insert(mark, path);
        }
    }
    Ok(files)
}

/// Whether the file is this archive: its size and everything before the blobs, which names each of them. Their bytes
/// were hashed before the file got its name.
fn is_written(path: &Path, archive: &Archive<'_>) -> bool {
    let mut head = vec![0; archive.head().len()];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut head)?;
        file.metadata()
    });
    read.is_ok_and(|metadata| metadata.len() == archive.size()) && head == archive.head()
}

fn write(
    directory: &Path,
    path: &Path,
    archive: &Archive<'_>,
    reporter: &dyn Reporter,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    partial::write(path, |sink| archive.write(sink, reporter, cancel))?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|source| disk(path, source))
}

fn remove(path: &Path, dry_run: bool) -> Result<(), Error> {
    if dry_run { Ok(()) } else { fs::remove_file(path).map_err(|source| disk(path, source)) }
}

fn disk(path: &Path, source: io::Error) -> Error {
    Error::Disk { path: path.to_owned(), source }
}
