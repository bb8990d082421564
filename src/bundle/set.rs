//! Bundles read as one: what a registry, a loader or a pusher sees of them.
//!
//! Two bundles of one version, one for amd64 and one for arm64, hold the same index bytes of an image and
//! each its own architecture's manifest; together they are both.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta;
use super::model::{self, BundleFile};
use super::parts;
use super::read::{self, Bundle};
use crate::error::Diagnostic;
use crate::event::Reporter;
use crate::exit::Exit;
use crate::lock::attached::Attached;
use crate::oci::manifest::{MAX_MANIFEST, Manifest, ManifestError};
use crate::oci::{Arch, Digest, Reference};
use crate::yaml;

mod choice;
#[cfg(test)]
mod tests;

pub use choice::{Choice, Chosen};

/// Why bundles cannot be read as one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of them cannot be read.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// Two bundles hold different things under one name.
    #[error("`{what}` is not the same in `{}` and `{}`", .paths[0].display(), .paths[1].display())]
    Contradiction {
        /// The image's reference, or the path of the chart or file.
        what: String,
        /// The two bundles.
        paths: [PathBuf; 2],
    },
    /// A document is not what its name says.
    #[error("`{member}` of `{path}` is damaged: its sha256 is {found}")]
    Damaged {
        /// The bundle.
        path: PathBuf,
        /// The member.
        member: String,
        /// The digest of its bytes.
        found: Digest,
    },
    /// None of the bundles has it.
    #[error("no bundle has {what} `{name}`")]
    Unknown {
        /// `profile`, `component` or `image`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A document is no manifest.
    #[error("{digest} of `{path}` is no manifest")]
    Manifest {
        /// The bundle.
        path: PathBuf,
        /// The document.
        digest: Digest,
        /// Why.
        source: ManifestError,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            Self::Contradiction { .. } | Self::Unknown { .. } => Exit::Usage,
            Self::Damaged { .. } | Self::Manifest { .. } => Exit::Mismatch,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Contradiction { .. } => {
                Some("these are bundles of two versions: take them one after the other".into())
            }
            Self::Unknown { name, known, .. } => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                yaml::nearest(name, &known).or_else(|| Some("`bundler inspect` shows what is in a bundle".to_owned()))
            }
            Self::Damaged { .. } | Self::Manifest { .. } => {
                Some("`bundler verify` lists all that is wrong; copy the bundle again".to_owned())
            }
        }
    }
}

/// Some bundles, read as one from any number of threads.
#[derive(Debug)]
pub struct Set {
    bundles: Vec<Opened>,
    images: BTreeMap<Reference, Image>,
    shipped: BTreeMap<String, Shipped>,
    blobs: HashMap<Digest, Blob>,
}

/// One bundle of a set.
#[derive(Debug)]
pub struct Opened {
    /// Its bytes.
    pub bundle: Bundle,
    /// What it says about itself.
    pub about: BundleFile,
}

/// An image of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The digest of its index, or of its manifest when it has no index.
    pub digest: Digest,
    /// The architectures that the bundles carry.
    pub architectures: BTreeSet<Arch>,
    /// The components that run it.
    pub components: BTreeSet<String>,
    /// What is attached to it and carried with it.
    pub attached: BTreeSet<Attached>,
}

/// What kind of file is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A chart archive.
    Chart,
    /// A program or an archive of data.
    File,
}

/// A chart or a file by its path in the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// A chart or a file.
    pub kind: Kind,
    /// The component that it belongs to; none for a file that was added at packing.
    pub component: Option<String>,
    /// The architecture that it is for; none for a chart.
    pub arch: Option<Arch>,
    /// Its digest; unknown only where a lock seeded by hand lacks that of an archive's member.
    pub digest: Option<Digest>,
    /// Its bytes.
    pub blob: Blob,
}

/// Where bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The bundle's place in the set.
    pub bundle: usize,
    /// The member's place in the bundle.
    pub member: usize,
    /// Its size in bytes.
    pub size: u64,
}

impl Set {
    /// Opens bundles, packed or unpacked; the parts of one archive are one bundle.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, Error> {
        let open = |paths: Vec<PathBuf>| {
            let bundle = Bundle::open_all(&paths)?;
            let about = bundle.about()?;
            Ok(Opened { bundle, about })
        };
        Self::of(join(parts::group(paths).into_iter().map(open).collect::<Result<_, read::Error>>()?)?)
    }

    /// Joins bundles that are open.
    pub fn of(bundles: Vec<Opened>) -> Result<Self, Error> {
        let architectures: BTreeSet<_> =
            bundles.iter().flat_map(|opened| &opened.about.architectures).copied().collect();
        let several = architectures.len() > 1;
        let mut set = Self { bundles, images: BTreeMap::new(), shipped: BTreeMap::new(), blobs: HashMap::new() };
        for (index, opened) in set.bundles.iter().enumerate() {
            set.blobs.extend(blobs(index, &opened.bundle));
            for (path, shipped) in shipped(index, opened, several) {
                let known = set.shipped.entry(path.clone()).or_insert_with(|| shipped.clone());
                if (known.digest, known.blob.size) != (shipped.digest, shipped.blob.size) {
                    let first = known.blob.bundle;
                    return Err(set.contradiction(path, first, index));
                }
            }
            for (reference, image) in images(opened) {
                let known = set.images.entry(reference.clone()).or_insert_with(|| image.clone());
                if known.digest != image.digest {
                    let first = |opened: &Opened| opened.about.lock.images.contains_key(&reference);
                    let first = set.bundles.iter().position(first).unwrap_or(0);
                    return Err(set.contradiction(reference.to_string(), first, index));
                }
                known.architectures.extend(image.architectures);
                known.components.extend(image.components);
                known.attached.extend(image.attached);
            }
        }
        Ok(set)
    }

    /// Tells which bundles are not in the form that they were written in.
    pub fn tell_form(&self, reporter: &dyn Reporter) {
        self.bundles.iter().for_each(|opened| opened.bundle.tell_form(reporter));
    }

    fn contradiction(&self, what: String, first: usize, second: usize) -> Error {
        let path = |index: usize| self.bundles[index].bundle.path().to_owned();
        Error::Contradiction { what, paths: [path(first), path(second)] }
    }

    /// The bundles in the order in which they were named.
    #[must_use]
    pub fn bundles(&self) -> &[Opened] {
        &self.bundles
    }

    /// The images of all bundles by their references.
    #[must_use]
    pub const fn images(&self) -> &BTreeMap<Reference, Image> {
        &self.images
    }

    /// The charts and files of all bundles by the paths that they have, or would have in one bundle of all
    /// architectures: then a file for one of them is at `files/ARCH/NAME`.
    #[must_use]
    pub const fn shipped(&self) -> &BTreeMap<String, Shipped> {
        &self.shipped
    }

    /// The blob of an image with this digest, if a bundle holds it.
    #[must_use]
    pub fn blob(&self, digest: Digest) -> Option<Blob> {
        self.blobs.get(&digest).copied()
    }

    /// Fills `bytes` from `offset` of a blob. Whether they are what the digest says is for the caller to check.
    ///
    /// # Panics
    /// When the blob is of another set.
    pub fn read_at(&self, blob: Blob, offset: u64, bytes: &mut [u8]) -> Result<(), read::Error> {
        self.bundles[blob.bundle].bundle.read_at(blob.member, offset, bytes)
    }

    /// Reads a blob from its beginning. Whether its bytes are what the digest says is for the caller to check.
    #[must_use]
    pub const fn reader(&self, blob: Blob) -> BlobReader<'_> {
        BlobReader { set: self, blob, at: 0 }
    }

    /// Reads an index or a manifest, whose bytes are held against its digest; `None` when no bundle holds it.
    pub fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, Error> {
        let Some(blob) = self.blob(digest) else { return Ok(None) };
        let bundle = &self.bundles[blob.bundle].bundle;
        let member = model::blob_path(digest);
        let bytes = bundle.read(&member, MAX_MANIFEST)?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(Error::Damaged { path: bundle.path().to_owned(), member, found });
        }
        let source = |source| Error::Manifest { path: bundle.path().to_owned(), digest, source };
        Manifest::parse(bytes.into(), None).map(Some).map_err(source)
    }
}

/// Reads one blob of a set in order.
#[derive(Debug)]
pub struct BlobReader<'a> {
    set: &'a Set,
    blob: Blob,
    at: u64,
}

impl io::Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.blob.size - self.at).unwrap_or(usize::MAX).min(buffer.len());
        self.set.read_at(self.blob, self.at, &mut buffer[..length]).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

/// Gives each delta its base, which is no bundle of its own any more.
fn join(opened: Vec<Opened>) -> Result<Vec<Opened>, read::Error> {
    let (mut deltas, others): (Vec<_>, Vec<_>) = opened.into_iter().partition(|one| one.bundle.delta_file().is_some());
    if deltas.is_empty() {
        return Ok(others);
    }
    let others: Vec<_> = others.into_iter().map(|one| (Arc::new(one.bundle), one.about)).collect();
    let mut taken = BTreeSet::new();
    for delta in &mut deltas {
        let mut result = None;
        for (index, (base, _)) in others.iter().enumerate() {
            match delta.bundle.join(Arc::clone(base)) {
                Ok(()) => {
                    taken.insert(index);
                    result = Some(Ok(()));
                    break;
                }
                // Of several that are not the base, the one that should be it tells what is wrong.
                Err(error) if result.is_none() || !is_another(&error) => result = Some(Err(error)),
                Err(_) => {}
            }
        }
        let path = || delta.bundle.path().to_owned();
        let base = || delta.bundle.delta_file().map(delta::DeltaFile::base_name).unwrap_or_default();
        let alone = || delta::Error::NeedsBase { path: path(), member: "what it leaves out".to_owned(), base: base() };
        result.unwrap_or_else(|| Err(alone().into()))?;
    }
    let rest = others.into_iter().enumerate().filter(|(index, _)| !taken.contains(index));
    // One that is no base is held by nobody else.
    let rest = rest.filter_map(|(_, (bundle, about))| Some(Opened { bundle: Arc::into_inner(bundle)?, about }));
    Ok(rest.chain(deltas).collect())
}

/// Whether a bundle is plainly none that the delta was made for.
fn is_another(error: &read::Error) -> bool {
    matches!(error, read::Error::Delta(error) if matches!(**error, delta::Error::WrongBase { .. }))
}

fn blobs(index: usize, bundle: &Bundle) -> impl Iterator<Item = (Digest, Blob)> {
    bundle.members().iter().enumerate().filter_map(move |(member, entry)| {
        let digest = Digest::from_hex(entry.path.strip_prefix(model::BLOBS)?).ok()?;
        Some((digest, Blob { bundle: index, member, size: entry.size }))
    })
}

fn images(opened: &Opened) -> impl Iterator<Item = (Reference, Image)> {
    let lock = &opened.about.lock;
    let architectures: BTreeSet<_> = opened.about.architectures.iter().copied().collect();
    lock.images.iter().map(move |(reference, image)| {
        let runs = lock.components.iter().filter(|(_, component)| component.images.contains(reference));
        let components: BTreeSet<_> = runs.map(|(name, _)| name.clone()).collect();
        let architectures = architectures.clone();
        let attached = image.attached.iter().cloned().collect();
        (reference.clone(), Image { digest: image.digest, architectures, components, attached })
    })
}

fn shipped(index: usize, opened: &Opened, several: bool) -> Vec<(String, Shipped)> {
    let blob = |path: &str| {
        let member = opened.bundle.find(path)?;
        Some(Blob { bundle: index, member, size: opened.bundle.members()[member].size })
    };
    let locked = |kind: Kind, shipped: model::Shipped<'_>| {
        let blob = blob(&shipped.path)?;
        let component = Some(shipped.component.to_owned());
        Some((shipped.path, Shipped { kind, component, arch: shipped.arch, digest: shipped.digest, blob }))
    };
    let about = &opened.about;
    let charts = about.charts().filter_map(|chart| locked(Kind::Chart, chart));
    let files = about.files().filter_map(|file| locked(Kind::File, file));
    let arch = match about.architectures.as_slice() {
        [arch] => Some(*arch),
        _ => None,
    };
    let added = about.added.iter().filter_map(|added| {
        let blob = blob(&added.path)?;
        let shipped = Shipped { kind: Kind::File, component: None, arch, digest: Some(added.digest), blob };
        Some((added.path.clone(), shipped))
    });
    let place = |(path, shipped): (String, Shipped)| match shipped.arch {
        Some(arch) if several && about.architectures.len() == 1 => {
            (path.replacen(model::FILES, &format!("{}{arch}/", model::FILES), 1), shipped)
        }
        _ => (path, shipped),
    };
    charts.chain(files).chain(added).map(place).collect()
}
