//! A delta: a bundle that leaves out what another bundle, its base, holds already.
//!
//! `delta.yaml` and `README.txt` are at its root, all else is below `delta/`, so that no importer takes it for images.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::model::{self, BundleFile};
use super::read::{self, Bundle, Entry};
use super::{Content, Member, sums};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Digest;
use crate::yaml;

/// The schema of `delta.yaml` that this program writes.
pub const SCHEMA: u32 = 1;
/// What a delta says about itself, its first member.
pub const DELTA_YAML: &str = "delta.yaml";
/// Where the members of the full bundle are.
pub const PREFIX: &str = "delta/";

/// `delta.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaFile {
    /// The version of this format: 1.
    pub schema: u32,
    /// The sha256 of the full bundle's `SHA256SUMS`.
    pub sums_sha256: Digest,
    /// The bundle that has what is left out; none when only a list of digests was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// The members of the full bundle that are not here, in their order there.
    pub omitted: Vec<Omitted>,
}

/// The bundle that a delta is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The sha256 of its `SHA256SUMS`; none when only its lock was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums_sha256: Option<Digest>,
}

/// A member that is left out; its digest is in `SHA256SUMS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// Its path in the full bundle.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a delta cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It contradicts itself.
    #[error("`{}` is a damaged delta: {reason}", .path.display())]
    Damaged {
        /// The delta.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It needs its base.
    #[error("`{}` is a delta, and {member} is in its base, {base}", .path.display())]
    NeedsBase {
        /// The delta.
        path: PathBuf,
        /// What is not in it, in words or in backticks.
        member: String,
        /// The base in words.
        base: String,
    },
    /// Another bundle than the one that it was made for.
    #[error("`{}` is not the base of `{}`: that is {expected}", .base.display(), .delta.display())]
    WrongBase {
        /// The bundle.
        base: PathBuf,
        /// The delta.
        delta: PathBuf,
        /// The base in words.
        expected: String,
    },
    /// The base does not have what was left out.
    #[error("`{}` does not hold `{member}` ({digest}), which `{}` leaves out", .base.display(), .delta.display())]
    Lacks {
        /// The base.
        base: PathBuf,
        /// The delta.
        delta: PathBuf,
        /// The member of the full bundle.
        member: String,
        /// Its digest.
        digest: Digest,
    },
    /// A delta where a bundle is wanted, or the other way round.
    #[error("`{}` is {found}", .path.display())]
    Kind {
        /// The bundle.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Damaged { .. } | Self::Lacks { .. } => Exit::Mismatch,
            Self::NeedsBase { .. } | Self::WrongBase { .. } | Self::Kind { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Damaged { .. } => "copy the delta again".to_owned(),
            Self::NeedsBase { .. } => {
                "name the base too, or put both together with `bundler apply BASE DELTA -o FULL`".to_owned()
            }
            Self::WrongBase { .. } | Self::Lacks { .. } => "take the bundle that the delta was made for".to_owned(),
            Self::Kind { .. } => "the base is a full bundle, `pack --base` makes the delta".to_owned(),
        })
    }
}

impl DeltaFile {
    /// The base in words.
    #[must_use]
    pub fn base_name(&self) -> String {
        match &self.base {
            Some(Base { name, version, sums_sha256: Some(sums) }) => format!("{name} {version} with SHA256SUMS {sums}"),
            Some(Base { name, version, sums_sha256: None }) => format!("{name} {version}"),
            None => "a bundle that holds all that was left out".to_owned(),
        }
    }
}

/// The digest of a bundle's `SHA256SUMS`, and what it lists.
fn listed(bundle: &Bundle, path: &str) -> Result<(Digest, Vec<(String, Digest)>), read::Error> {
    let bytes = bundle.read(path, sums::MAX_SIZE)?;
    let list = std::str::from_utf8(&bytes).ok().and_then(|text| sums::parse(text).ok());
    let reason = "its SHA256SUMS is no list of checksums";
    let list = list.ok_or_else(|| read::Error::NotBundle { path: bundle.path().to_owned(), reason })?;
    Ok((Digest::of(&bytes), list.into_iter().map(|(path, digest)| (path.to_owned(), digest)).collect()))
}

/// A bundle as a base.
pub fn base_of(bundle: &Bundle) -> Result<Base, read::Error> {
    let about = bundle.about()?;
    Ok(Base { name: about.name, version: about.version, sums_sha256: Some(listed(bundle, model::SUMS)?.0) })
}

/// The members of a delta: those of a full bundle but the blobs of which `has` says that the base holds them.
pub fn members(
    about: &BundleFile,
    full: Vec<Member>,
    base: Option<Base>,
    has: impl Fn(Digest, u64) -> bool,
) -> Vec<Member> {
    let sums = full.iter().find(|member| member.path == model::SUMS).map(|member| &member.content);
    let sums_sha256 = if let Some(Content::Inline(bytes)) = sums { Digest::of(bytes) } else { Digest::of(b"") };
    let (mut omitted, mut carried) = (Vec::new(), Vec::new());
    for member in full {
        match member.content {
            Content::Blob(digest) if has(digest, member.size) => {
                omitted.push(Omitted { path: member.path, size: member.size });
            }
            _ => carried.push(Member { path: format!("{PREFIX}{}", member.path), ..member }),
        }
    }
    let file = DeltaFile { schema: SCHEMA, sums_sha256, base, omitted };
    let text = format!(
        "{} {}: a delta\n\nIt holds what is new; the rest is in {}.\n\n    \
         bundler verify DELTA.tar.gz\n    \
         bundler apply BASE.tar.gz DELTA.tar.gz -o FULL.tar.gz        the full bundle, byte for byte the published one\n",
        about.name,
        about.version,
        file.base_name(),
    );
    let root = [(DELTA_YAML, yaml::to_string(&file)), (model::README, text)];
    root.map(|(path, text)| Member { mode: 0o644, ..Member::inline(path, text) }).into_iter().chain(carried).collect()
}

/// Where a member of a delta stands in its archive.
#[must_use]
pub fn order(path: &str) -> (usize, (usize, &str)) {
    match path.strip_prefix(PREFIX) {
        Some(path) => (2, model::order(path)),
        None => (usize::from(path != DELTA_YAML), (0, path)),
    }
}

/// A delta that is open, alone or with its base.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) raw: Bundle,
    pub(crate) about: DeltaFile,
    base: Option<Arc<Bundle>>,
    /// Where each member of the full bundle is.
    pub(crate) sources: Vec<Source>,
    digests: HashMap<String, Digest>,
}

/// Where a member of the full bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the delta, at this place.
    Carried(usize),
    /// In the base, whose place is known when it is there.
    Omitted(Option<usize>),
}

impl Delta {
    /// Reads what a delta says; gives the members of the full bundle, with those that are left out.
    pub(super) fn of(raw: Bundle) -> Result<(Self, Vec<Entry>), read::Error> {
        let damaged =
            |reason: &str| read::Error::from(Error::Damaged { path: raw.path().to_owned(), reason: reason.to_owned() });
        let text = String::from_utf8(raw.read(DELTA_YAML, yaml::MAX_YAML as u64)?);
        let text = text.map_err(|_| damaged("its delta.yaml is not UTF-8"))?;
        let file = raw.path().join(DELTA_YAML).display().to_string();
        let schema: read::Schema = yaml::parse(&file, &text)?;
        if schema.schema > SCHEMA {
            let path = raw.path().to_owned();
            return Err(read::Error::Newer { path, found: schema.schema, known: SCHEMA });
        }
        let about: DeltaFile = yaml::parse(&file, &text)?;
        let (found, list) = listed(&raw, &format!("{PREFIX}{}", model::SUMS))?;
        if found != about.sums_sha256 {
            return Err(damaged("its SHA256SUMS is not the one that delta.yaml names"));
        }
        let digests: HashMap<_, _> = list.into_iter().collect();
        let mut members = Vec::new();
        for (index, member) in raw.members().iter().enumerate() {
            match member.path.strip_prefix(PREFIX) {
                Some(path) => {
                    members.push((Entry::absent(path.to_owned(), member.mode, member.size), Source::Carried(index)))
                }
                None if matches!(member.path.as_str(), DELTA_YAML | model::README) => {}
                None => return Err(damaged("something is neither below `delta/` nor its own")),
            }
        }
        let mut seen: HashSet<String> = members.iter().map(|(member, _)| member.path.clone()).collect();
        for Omitted { path, size } in &about.omitted {
            if !digests.contains_key(path) || !seen.insert(path.clone()) {
                return Err(damaged("it leaves out something that it has, or that its SHA256SUMS does not list"));
            }
            let mode = if path.starts_with(model::FILES) { model::file_mode(path) } else { 0o644 };
            members.push((Entry::absent(path.clone(), mode, *size), Source::Omitted(None)));
        }
        members.sort_by(|(a, _), (b, _)| model::order(&a.path).cmp(&model::order(&b.path)));
        let (members, sources) = members.into_iter().unzip();
        Ok((Self { raw, about, base: None, sources, digests }, members))
    }

    pub(crate) fn base(&self) -> Option<&Bundle> {
        self.base.as_deref()
    }

    /// Takes a base, which has to be the one that the delta was made for and to list all that was left out.
    pub(super) fn join(&mut self, members: &[Entry], base: Arc<Bundle>) -> Result<(), read::Error> {
        let (base_path, delta) = (base.path().to_owned(), self.raw.path().to_owned());
        if base.delta().is_some() {
            return Err(Error::Kind { path: base_path, found: "a delta and no full bundle" }.into());
        }
        let (found, list) = listed(&base, model::SUMS)?;
        let named = self.about.base.as_ref().and_then(|named| named.sums_sha256);
        if named.is_some_and(|named| named != found) {
            return Err(Error::WrongBase { base: base_path, delta, expected: self.about.base_name() }.into());
        }
        let places: BTreeMap<(Digest, u64), usize> = list
            .iter()
            .filter_map(|(path, digest)| {
                let index = base.find(path)?;
                Some(((*digest, base.members()[index].size), index))
            })
            .collect();
        for (member, source) in members.iter().zip(&mut self.sources) {
            let (Source::Omitted(place), Some(digest)) = (source, self.digests.get(&member.path)) else { continue };
            let found = places.get(&(*digest, member.size)).copied();
            let lacks = || Error::Lacks {
                base: base_path.clone(),
                delta: delta.clone(),
                member: member.path.clone(),
                digest: *digest,
            };
            *place = Some(found.ok_or_else(lacks)?);
        }
        self.base = Some(base);
        Ok(())
    }

    pub(super) fn read_at(&self, index: usize, path: &str, offset: u64, bytes: &mut [u8]) -> Result<(), read::Error> {
        match (self.sources[index], &self.base) {
            (Source::Carried(index), _) => self.raw.read_at(index, offset, bytes),
            (Source::Omitted(Some(index)), Some(base)) => base.read_at(index, offset, bytes),
            (Source::Omitted(_), _) => {
                let path_of = |path: &Path| path.to_owned();
                let base = self.about.base_name();
                Err(Error::NeedsBase { path: path_of(self.raw.path()), member: format!("`{path}`"), base }.into())
            }
        }
    }
}
