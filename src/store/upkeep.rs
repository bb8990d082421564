//! Looking after a store: what is in it, removing what nothing needs, hashing all of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, Store};
use crate::event::{Event, Reporter};
use crate::lock::Lock;
use crate::oci::manifest::{MAX_MANIFEST, Manifest, View};
use crate::oci::{Digest, Hasher};

/// How much is read at once, 1 MiB.
const CHUNK: usize = 1 << 20;

/// What is in a cache directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contents {
    /// The cache directory.
    pub path: PathBuf,
    /// Blobs: layers, manifests, charts and files.
    pub blobs: Weight,
    /// Blobs that an interrupted run began.
    pub partial: Weight,
    /// What sources answered, charts and programs that `resolve` keeps.
    pub other: Weight,
}

/// A number of files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Weight {
    /// How many.
    pub files: u64,
    /// The sum of their sizes.
    pub bytes: u64,
}

impl Weight {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What is not to be removed.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// What these locks need.
    pub locks: Vec<Lock>,
    /// What was used within this time.
    pub younger_than: Option<Duration>,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Collected {
    /// What is gone.
    pub removed: Weight,
    /// What stays.
    pub kept: Weight,
}

/// What hashing all blobs found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checked {
    /// The blobs that are what their names say.
    pub good: Weight,
    /// Those that are not; they were removed, and the next run fetches them again.
    pub damaged: Vec<PathBuf>,
}

/// Counts what is in a cache directory, which need not exist.
pub fn contents(root: &Path) -> Result<Contents, Error> {
    let mut contents = Contents { path: root.to_owned(), ..Contents::default() };
    for (path, metadata) in files(root)? {
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let weight = if relative.starts_with("blobs") {
            &mut contents.blobs
        } else if relative.starts_with("partial") {
            &mut contents.partial
        } else {
            &mut contents.other
        };
        weight.add(metadata.len());
    }
    Ok(contents)
}

impl Store {
    /// Removes all blobs that `keep` does not name, and half ones with them.
    ///
    /// While another process uses the store it is an error: what a running pack has found here it will open later.
    pub fn collect(&self, keep: &Keep, dry_run: bool, now: SystemTime) -> Result<Collected, Error> {
        if !dry_run && self.lock.as_ref().is_none_or(|lock| lock.try_lock().is_err()) {
            let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another process uses it");
            return Err(Error::new("clean", &self.root)(busy));
        }
        let mut needed = BTreeSet::new();
        for lock in &keep.locks {
            self.mark(lock, &mut needed)?;
        }
        let is_young = |metadata: &fs::Metadata| {
            let age = metadata.modified().ok().and_then(|time| now.duration_since(time).ok());
            keep.younger_than.is_some_and(|bound| age.is_none_or(|age| age < bound))
        };
        let mut collected = Collected::default();
        for directory in ["blobs", "partial"] {
            for (path, metadata) in files(&self.root.join(directory))? {
                let digest = path.file_name().and_then(|name| Digest::from_hex(name.to_str()?).ok());
                if digest.is_some_and(|digest| needed.contains(&digest)) || is_young(&metadata) {
                    collected.kept.add(metadata.len());
                    continue;
                }
                if !dry_run {
                    fs::remove_file(&path).map_err(Error::new("remove", &path))?;
                }
                collected.removed.add(metadata.len());
            }
        }
        Ok(collected)
    }

    /// Adds the digests of all that a lock needs, as far as the store has the manifests that name it.
    fn mark(&self, lock: &Lock, needed: &mut BTreeSet<Digest>) -> Result<(), Error> {
        for component in lock.components.values() {
            needed.extend(component.chart.iter().chain(component.charts.values()).map(|chart| chart.sha256));
            for file in component.files.values().flat_map(|archs| archs.values()) {
                needed.insert(file.sha256);
                needed.extend(file.member.as_ref().and_then(|member| member.sha256));
            }
        }
        let mut waiting: Vec<Digest> = Vec::new();
        for image in lock.images.values() {
            waiting.push(image.digest);
            waiting.extend(image.platforms.values().map(|platform| platform.digest));
            waiting.extend(image.attached.iter().map(|attached| attached.digest));
        }
        while let Some(digest) = waiting.pop() {
            if !needed.insert(digest) {
                continue;
            }
            // What is larger than a manifest is a layer, and leads nowhere.
            if self.size(digest).is_none_or(|size| size > MAX_MANIFEST) {
                continue;
            }
            let Some(bytes) = self.read(digest, MAX_MANIFEST)? else { continue };
            match Manifest::parse(bytes, None).map(|manifest| manifest.view) {
                Ok(View::Index(children)) => waiting.extend(children.iter().map(|child| child.digest)),
                Ok(View::Manifest { config, layers }) => {
                    needed.extend(std::iter::once(&config).chain(&layers).map(|blob| blob.digest));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Hashes every blob, and removes those that are not what their names say.
    pub fn check(&self, reporter: &dyn Reporter) -> Result<Checked, Error> {
        let files = files(&self.root.join("blobs"))?;
        let bytes = files.iter().map(|(_, metadata)| metadata.len()).sum();
        reporter.report(Event::Total { bytes, items: files.len() as u64 });
        let mut checked = Checked::default();
        let mut buffer = vec![0; CHUNK];
        for (path, metadata) in files {
            let named = path.file_name().and_then(|name| Digest::from_hex(name.to_str()?).ok());
            if named == Some(hash(&path, &mut buffer, reporter)?) {
                checked.good.add(metadata.len());
                continue;
            }
            if self.is_writable() {
                fs::remove_file(&path).map_err(Error::new("remove", &path))?;
            }
            checked.damaged.push(path);
        }
        Ok(checked)
    }
}

fn hash(path: &Path, buffer: &mut [u8], reporter: &dyn Reporter) -> Result<Digest, Error> {
    let mut file = fs::File::open(path).map_err(Error::new("open", path))?;
    let mut hasher = Hasher::new();
    loop {
        let length = file.read(buffer).map_err(Error::new("read", path))?;
        if length == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..length]);
        reporter.report(Event::Bytes(length as u64));
    }
}

/// The regular files below a directory, sorted; links are neither followed nor told. None where it does not exist.
fn files(root: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>, Error> {
    let mut files = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(Error::new("list", &directory))?,
        };
        for entry in entries {
            let path = entry.map_err(Error::new("list", &directory))?.path();
            let metadata = fs::symlink_metadata(&path).map_err(Error::new("open", &path))?;
            if metadata.is_dir() {
                waiting.push(path);
            } else if metadata.is_file() {
                files.push((path, metadata));
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}
