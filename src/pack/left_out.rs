//! What a delta leaves out: what a base bundle holds, what the base's lock says that it holds, or a list of digests.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::Options;
use super::documents::Documents;
use crate::bundle::contents::Learned;
use crate::bundle::model::BundleFile;
use crate::bundle::read::{self, Bundle, is_bundle};
use crate::bundle::{self, Layout, Member, delta};
use crate::event::Reporter;
use crate::fetch::Earlier;
use crate::lock::{self, Lock};
use crate::oci::Digest;
use crate::plan::{self, Blob, Selection};
use crate::yaml;

/// What the site has.
pub(super) struct LeftOut {
    base: Option<delta::Base>,
    /// The base, of which it is known where everything is.
    earlier: Option<Earlier>,
    /// The base's lock, which says of an image only its manifests.
    lock: Option<Lock>,
    digests: BTreeSet<Digest>,
}

impl LeftOut {
    /// Reads what the options name; `None` when nothing is left out.
    pub(super) fn read(options: &Options) -> Result<Option<Self>, crate::Error> {
        let (mut base, mut earlier, mut old, mut digests) = (None, None, None, BTreeSet::new());
        match (&options.base, &options.have) {
            (Some(path), _) if is_bundle(path) => {
                let bundle = Bundle::open(path).map_err(bundle::Error::from)?;
                if bundle.delta_file().is_some() {
                    let error = delta::Error::Kind { path: path.clone(), found: "a delta and no full bundle" };
                    return Err(bundle::Error::from(read::Error::from(error)).into());
                }
                base = Some(delta::base_of(&bundle).map_err(bundle::Error::from)?);
                earlier = Some(Earlier::open(path).map_err(bundle::Error::from)?);
            }
            (Some(path), _) => {
                let lock = lock::read(path)?;
                let (name, version) = (lock.bundle.name.clone(), lock.bundle.version.clone());
                base = Some(delta::Base { name, version, sums_sha256: None });
                old = Some(lock);
            }
            (None, Some(path)) => {
                let bytes = yaml::read_any(path).map_err(|source| Error::Have { path: path.clone(), source })?;
                let text = yaml::text(&path.display().to_string(), &bytes).map_err(Error::HaveText)?;
                let parse = |(at, line): (usize, &str)| {
                    let hex = line.strip_prefix("sha256:").unwrap_or(line);
                    Digest::from_hex(hex).map_err(|_| Error::Digest { path: path.clone(), line: at + 1 })
                };
                let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
                digests = lines.map(parse).collect::<Result<_, _>>()?;
            }
            (None, None) => return Ok(None),
        }
        Ok(Some(Self { base, earlier, lock: old, digests }))
    }

    /// Finds out what a base of the same selection has by its lock, and by what was learned of downloads.
    pub(super) async fn learn(
        &mut self,
        documents: &Documents<'_>,
        selection: &Selection,
        learned: &Learned,
        reporter: &dyn Reporter,
    ) -> Result<(), crate::Error> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        let plan = plan::before(&lock, selection);
        let images = documents.read_some(&plan, reporter).await;
        self.digests = plan::collect(&plan, &images, learned)?.into_keys().collect();
        Ok(())
    }

    fn has(&self, digest: Digest, size: u64) -> bool {
        self.digests.contains(&digest) || self.earlier.as_ref().is_some_and(|earlier| earlier.names(digest, size))
    }

    /// The delta's layout, and the blobs that it carries.
    pub(super) fn of(
        self,
        about: &BundleFile,
        full: Vec<Member>,
        mut blobs: BTreeMap<Digest, Blob>,
    ) -> Result<(Layout, BTreeMap<Digest, Blob>), crate::Error> {
        blobs.retain(|digest, blob| !self.has(*digest, blob.size));
        let members = delta::members(about, full, self.base.clone(), |digest, size| self.has(digest, size));
        Ok((Layout::new(members).map_err(bundle::Error::from)?, blobs))
    }
}
