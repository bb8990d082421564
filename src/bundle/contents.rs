//! What is in a bundle: the members in their canonical order, from the selected part of the lock.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;

use super::model::{self, BundleFile, Shipped};
use super::{Content, Member, sums};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::oci::manifest::Manifest;
use crate::yaml;

pub mod images;
mod readme;
#[cfg(test)]
pub(crate) mod tests;

/// Everything that a bundle is made of but the blobs' bytes.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What `bundle.yaml` says; its `lock` is the selected part and nothing else.
    pub bundle: BundleFile,
    /// The document that each image's digest names, of an index the children of the bundle's architectures, and what
    /// is attached to them.
    pub manifests: BTreeMap<Digest, Manifest>,
    /// What is carried where the lock does not say it: the digest and size of an archive's member, or just the size.
    pub carried: Learned,
    /// Values and resources by component and by path relative to the component's directory.
    pub component_files: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// The installers by path in the bundle: scripts and settings at the root (`install.sh`, `site.env`), and `lib/…`.
    pub installers: BTreeMap<String, Bytes>,
    /// The bill of materials.
    pub sbom: Bytes,
}

impl Parts {
    /// The digest and size of what is carried of a chart or file: the lock's, else what the caller found out.
    pub fn carried(&self, shipped: &Shipped<'_>) -> Result<Carried, Error> {
        let known = self.carried.get(&(shipped.download, shipped.member.map(str::to_owned)));
        let digest = shipped.digest.or(known.map(|known| known.digest));
        let size = shipped.size.or(known.map(|known| known.size));
        match (digest, size) {
            (Some(digest), Some(size)) => Ok(Carried { digest, size }),
            _ => Err(Error::Unknown(shipped.path.clone())),
        }
    }
}

/// What was found out of downloads, by the digest of each and the path of the member that is carried of it.
pub type Learned = BTreeMap<(Digest, Option<String>), Carried>;

/// What is carried of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The digest of the carried bytes.
    pub digest: Digest,
    /// Their size.
    pub size: u64,
}

/// Why parts make no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lock has no size or digest for something, and the caller did not find it out.
    #[error("the size of `{0}` is not known")]
    Unknown(String),
    /// A file where none of its kind may be.
    #[error("`{path}` cannot be in a bundle: {reason}")]
    Place {
        /// The path in the bundle.
        path: String,
        /// Where such files go.
        reason: &'static str,
    },
    /// Two things want one path with different bytes.
    #[error("two different files of the bundle would be `{path}`: {first} and {second}")]
    Conflict {
        /// The path in the bundle.
        path: String,
        /// One digest.
        first: Digest,
        /// The other.
        second: Digest,
    },
    /// The documents of an image are not what the lock says, or not what a bundle can carry.
    #[error(transparent)]
    Image(#[from] images::Error),
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Conflict { .. } | Self::Place { .. } => Exit::Usage,
            Self::Unknown(_) => Exit::Bug,
            Self::Image(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Conflict { .. } => Some(super::layout::RENAME.to_owned()),
            Self::Image(error) => error.hint(),
            Self::Unknown(_) | Self::Place { .. } => None,
        }
    }
}

/// Computes every member in the order of the archive.
///
/// Equal parts give equal members: nothing here depends on time, machine or the order of the parts' lists.
pub fn assemble(parts: &Parts) -> Result<Vec<Member>, Error> {
    let mut bundle = parts.bundle.clone();
    bundle.profiles.sort();
    bundle.profiles.dedup();
    bundle.architectures.sort();
    bundle.architectures.dedup();
    bundle.added.sort_by(|a, b| a.path.cmp(&b.path));
    let images = images::Images::of(&bundle, &parts.manifests)?;

    let mut members = installers(&parts.installers)?;
    members.extend(charts(&bundle, parts)?.into_members());
    members.extend(files(&bundle, parts)?.into_members());
    members.extend(component_files(&parts.component_files)?.into_members());
    members.push(Member::inline(model::SBOM, parts.sbom.clone()));
    members.push(Member::inline(model::OCI_LAYOUT, images::LAYOUT));
    members.push(Member::inline(model::INDEX, images.index_json()));
    if let [_] = bundle.architectures[..] {
        members.push(Member::inline(model::MANIFEST, images.manifest_json()));
    }
    members.extend(images.blobs().map(|(digest, blob)| match blob {
        images::Blob::Document(bytes) => {
            Member { mode: 0o644, ..Member::inline(model::blob_path(digest), bytes.clone()) }
        }
        images::Blob::Content(size) => Member::blob(model::blob_path(digest), digest, size),
    }));

    let first = [
        Member { mode: 0o644, ..Member::inline(model::BUNDLE_YAML, yaml::to_string(&bundle)) },
        Member { mode: 0o644, ..Member::inline(model::README, readme::text(&bundle, &members)) },
    ];
    let list: String = first.iter().chain(&members).map(|member| sums::line(digest(member), &member.path)).collect();
    let [about, readme] = first;
    members.splice(0..0, [about, Member::inline(model::SUMS, list), readme]);
    Ok(members)
}

fn digest(member: &Member) -> Digest {
    match &member.content {
        Content::Inline(bytes) => Digest::of(bytes),
        Content::Blob(digest) => *digest,
    }
}

/// The members of one directory, sorted; equal files of one path are one.
#[derive(Default)]
struct Directory(BTreeMap<String, Member>);

impl Directory {
    fn add(&mut self, member: Member) -> Result<(), Error> {
        match self.0.entry(member.path.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(member);
            }
            Entry::Occupied(entry) => {
                let (first, second) = (digest(entry.get()), digest(&member));
                if first != second {
                    return Err(Error::Conflict { path: member.path, first, second });
                }
            }
        }
        Ok(())
    }

    fn into_members(self) -> impl Iterator<Item = Member> {
        self.0.into_values()
    }
}

fn installers(installers: &BTreeMap<String, Bytes>) -> Result<Vec<Member>, Error> {
    let member = |(path, bytes): (&String, &Bytes)| {
        if model::is_installer(path) {
            Ok(Member::inline(path.as_str(), bytes.clone()))
        } else {
            Err(Error::Place {
                path: path.clone(),
                reason: "installers are `*.sh` and `*.env` at the top and all below `lib/`",
            })
        }
    };
    installers.iter().map(member).collect()
}

fn charts(bundle: &BundleFile, parts: &Parts) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    for chart in bundle.charts() {
        let Carried { digest, size } = parts.carried(&chart)?;
        directory.add(Member::blob(chart.path, digest, size))?;
    }
    Ok(directory)
}

fn files(bundle: &BundleFile, parts: &Parts) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    let mut add = |path: String, digest, size| {
        let mode = model::file_mode(&path);
        directory.add(Member { mode, ..Member::blob(path, digest, size) })
    };
    for file in bundle.files() {
        let Carried { digest, size } = parts.carried(&file)?;
        add(file.path, digest, size)?;
    }
    for file in &bundle.added {
        if !file.path.starts_with("files/") {
            return Err(Error::Place { path: file.path.clone(), reason: "an added file goes below `files/`" });
        }
        add(file.path.clone(), file.digest, file.size)?;
    }
    Ok(directory)
}

fn component_files(components: &BTreeMap<String, BTreeMap<String, Bytes>>) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    for (component, files) in components {
        for (path, bytes) in files {
            directory.add(Member::inline(format!("components/{component}/{path}"), bytes.clone()))?;
        }
    }
    Ok(directory)
}
