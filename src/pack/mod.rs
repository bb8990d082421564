//! Packing: lock to bundle.
//!
//! The lock is checked against the catalog and narrowed to the selection, the manifests are read, and with them all
//! of the archive but the blobs' bytes is known. Then blobs are written at their places while they arrive, and to
//! the store with the same pass over memory: blocks of the archive are not aligned, so a file system could not share
//! them with the store's files.

mod added;
mod documents;
mod error;
mod installers;
mod left_out;
mod output;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use added::AddFile;
pub use error::Error;

use self::added::Placed;
use self::documents::Documents;
use self::left_out::LeftOut;
use self::output::Need;
use crate::bundle::contents::{Learned, Parts, assemble};
use crate::bundle::model::{self, Added, BundleFile};
use crate::bundle::read::is_bundle;
use crate::bundle::write::{Finished, Writer};
use crate::bundle::{self, Content, Layout, delta};
use crate::catalog::{self, Catalog};
use crate::event::{Event, Reporter};
use crate::fetch::{Earlier, Fetcher, Job, Threads};
use crate::lock;
use crate::oci::Digest;
use crate::plan::{self, Blob, Plan, Selection};
use crate::sbom;
use crate::sign;
use crate::source::{Http, HttpOptions, Registry};
use crate::store::Store;

/// How many blobs or segments are moved at once, unless it is said otherwise: as many as the connections that
/// one host gets by default.
pub const DEFAULT_JOBS: usize = 16;

/// What to pack and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that holds `catalog.yaml`.
    pub catalog: PathBuf,
    /// The lock.
    pub lock: PathBuf,
    /// How sources are reached.
    pub http: HttpOptions,
    /// The store.
    pub cache_dir: PathBuf,
    /// How many things to move at once.
    pub jobs: Option<usize>,
    /// A file, or a directory for the default name.
    pub output: PathBuf,
    /// Keep nothing that is fetched in the store; what it has is used all the same.
    pub no_store: bool,
    /// Earlier bundles, archives or unpacked, that are asked before the network.
    pub from: Vec<PathBuf>,
    /// Architectures, profiles and components.
    pub selection: Selection,
    /// Files that the lock does not know.
    pub added: Vec<AddFile>,
    /// The SSH key that signs.
    pub sign_key: Option<PathBuf>,
    /// The bundle's version instead of the catalog's.
    pub bundle_version: Option<String>,
    /// The bundle that the site has, or its lock: what it holds is left out.
    pub base: Option<PathBuf>,
    /// Digests of what the site has, one a line.
    pub have: Option<PathBuf>,
    /// Cut an archive that is larger into parts of so many bytes.
    pub split_size: Option<u64>,
    /// Pack a profile that weighs more than its budget all the same.
    pub allow_over_budget: bool,
}

/// A packed bundle.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Packed {
    /// Where it is, or would be when its parts were put together.
    pub path: PathBuf,
    /// Its parts, where it was cut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PathBuf>,
    /// Its size in bytes.
    pub size: u64,
    /// Its sha256.
    pub sha256: Digest,
    /// The sha256 of its `SHA256SUMS`.
    pub sums_sha256: Digest,
    /// How many images it carries.
    pub images: usize,
    /// How many charts it carries.
    pub charts: usize,
    /// How many files it carries.
    pub files: usize,
    /// How many bytes of blobs came over the network.
    pub fetched: u64,
}

/// Packs a bundle; when `cancel` is set, it ends soon, leaving no half bundle and a good store.
pub async fn run(
    options: &Options,
    reporter: &dyn Reporter,
    cancel: CancellationToken,
) -> Result<Packed, crate::Error> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Interrupted.into()),
        packed = pack(options, reporter, &cancel) => packed,
    }
}

async fn pack(options: &Options, reporter: &dyn Reporter, cancel: &CancellationToken) -> Result<Packed, crate::Error> {
    let catalog = catalog::read(&options.catalog)?;
    let lock = lock::read(&options.lock)?;
    let plan = plan::plan(&lock, &catalog, &options.selection)?;
    if plan.lock.components.is_empty() {
        reporter.report(Event::Warning("the bundle carries nothing: the lock has no component"));
    }
    let version = options.bundle_version.as_ref().unwrap_or(&lock.bundle.version);
    // Whatever the order, and however often one is named.
    let profiles: BTreeSet<&str> = options.selection.profiles.iter().map(String::as_str).collect();
    let name = output::default_name(&lock.bundle.name, version, &profiles, plan.partial, plan.archs())?;
    let mut left_out = LeftOut::read(options)?;
    let name = if left_out.is_some() { name.replacen("-linux-", "-delta-linux-", 1) } else { name };
    let added = options.added.iter().map(AddFile::measure).collect::<Result<Vec<_>, _>>()?;
    let target = output::path(&options.output, &name, options.base.as_deref())?;
    let base = options.base.iter().filter(|path| is_bundle(path));
    let earlier =
        options.from.iter().chain(base).map(|path| open_earlier(path, reporter)).collect::<Result<Vec<_>, _>>()?;
    let jobs = options.jobs.unwrap_or(DEFAULT_JOBS);
    let http = Http::new(options.http.clone())?;
    let registry = Registry::new(http.clone());
    let store = match options.no_store {
        true => Store::read_only(&options.cache_dir),
        false => Store::open(&options.cache_dir)?,
    };
    let keep = store.is_writable();
    if !keep && !options.no_store {
        let text = format!("`{}` cannot be written: what is fetched is not kept", options.cache_dir.display());
        reporter.report(Event::Warning(&text));
    }
    let store = Arc::new(store);
    let workshop = Workshop::open(&plan, &target, &store, keep)?;

    reporter.report(Event::Step("reading manifests"));
    let documents = Documents { registry: registry.clone(), store: Arc::clone(&store), earlier: &earlier, keep, jobs };
    let images = documents.read(&plan).await?;
    let fetcher = Fetcher {
        http,
        registry,
        store: Arc::clone(&store),
        earlier: earlier.clone(),
        keep,
        workshop: workshop.store.clone(),
        reporter,
        jobs,
        fetched: AtomicU64::new(0),
        threads: Threads::default(),
    };
    let carried = learn(&plan, &fetcher).await?;
    if let Some(left_out) = &mut left_out {
        left_out.learn(&documents, &options.selection, &carried, reporter).await?;
    }
    let blobs = plan::collect(&plan, &images, &carried)?;
    let mut parts = Parts {
        bundle: about(&plan, version, &added),
        manifests: images.into_values().flatten().map(|document| (document.digest, document)).collect(),
        carried,
        component_files: component_files(&plan, &catalog),
        installers: installers::of(&plan, &catalog, version)?,
        sbom: Bytes::new(),
    };
    parts.sbom = sbom::of(&parts, &catalog.components).map_err(bundle::Error::from)?;
    let mut members = assemble(&parts).map_err(bundle::Error::from)?;
    if let Some(key) = &options.sign_key {
        let signature = sign::member(&members, key)?;
        members.push(signature);
    }
    let full = Layout::new(members).map_err(bundle::Error::from)?;
    match check_budget(&catalog, &profiles, &full, &plan) {
        Err(over) if options.allow_over_budget => reporter.report(Event::Warning(&over.to_string())),
        checked => checked?,
    }
    let sums_sha256 = sums_sha256(&full);
    let (layout, blobs) = match left_out {
        None => (full, blobs),
        Some(left_out) => left_out.of(&parts.bundle, full.members().to_vec(), blobs)?,
    };
    if let Some(part) = options.split_size {
        bundle::parts::check(layout.archive_size(), part).map_err(bundle::Error::from)?;
    }
    check_space(&layout, &target, options.split_size, &fetcher, &blobs)?;

    reporter.report(Event::Step("packing"));
    let path = target.clone();
    // Where the store keeps what comes, it has more than a half archive has.
    let split_size = options.split_size;
    let writer =
        blocking(move || Writer::begin(&path, layout, split_size, !keep)).await.map_err(bundle::Error::from)?;
    if writer.goes_on() {
        reporter.report(Event::Detail("an earlier run left a half archive; what is right of it stays"));
    }
    let files: Vec<_> = writer.files().filter(|file| *file != target).map(Path::to_owned).collect();
    let (jobs, local) = share(&writer, blobs, &options.added);
    let unfinished = Unfinished { writer: Some(writer), leave: !keep, cancel };
    for file in local {
        blocking(move || file.copy()).await?;
    }
    fetcher.run(jobs).await?;
    let writer = unfinished.finish()?;
    let sealed = blocking(move || writer.seal()).await.map_err(bundle::Error::from)?;
    // Not on another thread: that would publish a bundle though the run was interrupted and said so.
    let published = match &options.sign_key {
        None => sealed.publish(),
        Some(key) => {
            let signature = sign::sign_bytes(sealed.checksum_lines().as_bytes(), key)?;
            sealed.publish_signed(&signature)
        }
    };
    let Finished { sha256, size } = published.map_err(bundle::Error::from)?;
    Ok(Packed {
        path: target,
        parts: files,
        size,
        sha256,
        sums_sha256,
        images: plan.lock.images.len(),
        charts: parts.bundle.charts().count(),
        files: parts.bundle.files().count() + added.len(),
        fetched: fetcher.fetched.load(Ordering::Relaxed),
    })
}

/// An archive that is being filled; interrupted, it is left to the next run where nothing else has its bytes.
struct Unfinished<'a> {
    writer: Option<Writer>,
    leave: bool,
    cancel: &'a CancellationToken,
}

impl Unfinished<'_> {
    fn finish(mut self) -> Result<Writer, Error> {
        self.writer.take().ok_or(Error::Interrupted)
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(writer) = &mut self.writer
            && self.leave
            && self.cancel.is_cancelled()
        {
            writer.leave();
        }
    }
}

/// Opens an earlier bundle.
fn open_earlier(path: &Path, reporter: &dyn Reporter) -> Result<Arc<Earlier>, crate::Error> {
    let earlier = Earlier::open(path).map_err(bundle::Error::from)?;
    earlier.tell_form(reporter);
    Ok(Arc::new(earlier))
}

/// Finds out what a lock that was seeded by hand lacks: sizes, and what is carried of an archive.
async fn learn(plan: &Plan, fetcher: &Fetcher<'_>) -> Result<Learned, crate::Error> {
    let mut learned = Learned::new();
    for download in plan.downloads()? {
        if download.carried().is_none() && !learned.contains_key(&download.key()) {
            fetcher.reporter.report(Event::Detail(&format!("{} is fetched to learn its size", download.artifact)));
            learned.insert(download.key(), fetcher.learn(&download).await?);
        }
    }
    Ok(learned)
}

fn about(plan: &Plan, version: &str, added: &[Added]) -> BundleFile {
    BundleFile {
        schema: model::SCHEMA,
        name: plan.lock.bundle.name.clone(),
        version: version.to_owned(),
        profiles: plan.lock.profiles.keys().cloned().collect(),
        architectures: plan.archs().to_vec(),
        added: added.to_vec(),
        lock: plan.lock.clone(),
    }
}

/// The values and resources of the selected components: all their files but `component.yaml`.
fn component_files(plan: &Plan, catalog: &Catalog) -> BTreeMap<String, BTreeMap<String, Bytes>> {
    let selected = catalog.inputs.iter().filter(|(name, _)| plan.lock.components.contains_key(*name));
    let files = selected.map(|(name, files)| {
        let carried = files.iter().filter(|(path, _)| *path != "component.yaml");
        (name.clone(), carried.map(|(path, bytes)| (path.clone(), Bytes::from(bytes.clone()))).collect())
    });
    files.collect()
}

/// Holds the bundle of one profile against the bound that the catalog sets for it.
fn check_budget(catalog: &Catalog, profiles: &BTreeSet<&str>, layout: &Layout, plan: &Plan) -> Result<(), Error> {
    let (Some(&profile), 1) = (profiles.first(), profiles.len()) else { return Ok(()) };
    let budget = catalog.file.profiles.get(profile).and_then(|profile| profile.value.budget());
    // The catalog's rules have refused a text that is no size.
    let budget = budget.and_then(|budget| catalog::scalar::bytes(&budget.value));
    match (layout.archive_size(), budget) {
        (size, Some(budget)) if size > budget => {
            let components = || plan.lock.components.keys().map(String::as_str);
            let weights: Vec<_> =
                plan.archs().iter().map(|arch| lock::weight::of(&plan.lock, components(), *arch).largest()).collect();
            Err(Error::Budget { profile: profile.to_owned(), size, budget, largest: weights.join("; ") })
        }
        _ => Ok(()),
    }
}

fn check_space(
    layout: &Layout,
    target: &Path,
    split_size: Option<u64>,
    fetcher: &Fetcher<'_>,
    blobs: &BTreeMap<Digest, Blob>,
) -> Result<(), Error> {
    let (store, keep) = (&fetcher.store, fetcher.keep);
    let missing = blobs.values().filter(|blob| store.size(blob.digest) != Some(blob.size));
    let missing = missing.filter(|blob| fetcher.earlier.iter().all(|earlier| !earlier.names(blob.digest, blob.size)));
    let missing = missing.fold(0_u64, |sum, blob| sum.saturating_add(blob.size));
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What a killed run left is taken over.
    let left = bundle::write::left_behind(target, layout.archive_size(), split_size);
    let archive = Need { directory, bytes: layout.archive_size().saturating_sub(left) };
    output::check_space(&[archive, Need { directory: store.root(), bytes: if keep { missing } else { 0 } }])
}

fn sums_sha256(layout: &Layout) -> Digest {
    let sums = layout.members().iter().find(|member| member.path == model::SUMS);
    match sums.map(|member| &member.content) {
        Some(Content::Inline(bytes)) => Digest::of(bytes),
        Some(Content::Blob(digest)) => *digest,
        None => Digest::of(b""),
    }
}

/// Gives each blob its places in the archive, in the archive's order.
fn share(writer: &Writer, mut blobs: BTreeMap<Digest, Blob>, added: &[AddFile]) -> (Vec<Job>, Vec<Placed>) {
    let mut order = Vec::new();
    let mut slots: BTreeMap<Digest, Vec<_>> = BTreeMap::new();
    for (index, member) in writer.layout().members().iter().enumerate() {
        if let Content::Blob(digest) = member.content {
            let places = slots.entry(digest).or_insert_with(|| {
                order.push(digest);
                Vec::new()
            });
            places.push(writer.slot(index));
        }
    }
    let (mut jobs, mut local) = (Vec::new(), Vec::new());
    for digest in order {
        let places = slots.remove(&digest).unwrap_or_default();
        if let Some(blob) = blobs.remove(&digest) {
            jobs.push(Job { blob, slots: places });
            continue;
        }
        // What no blob of the plan is was added.
        let own = |path: &str| path.strip_prefix(delta::PREFIX).unwrap_or(path).to_owned();
        let path = |file: &&AddFile| places.iter().any(|slot| own(&slot.member().path) == file.name);
        if let Some(file) = added.iter().find(path) {
            local.push(Placed { file: file.clone(), digest, slots: places });
        }
    }
    (jobs, local)
}

/// Where archives are unpacked: the store when it is filled, else a directory beside the output for this run alone.
struct Workshop {
    store: Option<Arc<Store>>,
    temporary: bool,
}

impl Workshop {
    fn open(plan: &Plan, target: &Path, store: &Arc<Store>, keep: bool) -> Result<Self, crate::Error> {
        if keep {
            return Ok(Self { store: Some(Arc::clone(store)), temporary: false });
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".unpack");
        let directory = target.with_file_name(name);
        let needed = plan.downloads()?.iter().any(|download| download.member.is_some() || download.size.is_none());
        // One that a killed run left is opened to be removed.
        if !needed && !directory.exists() {
            return Ok(Self { store: None, temporary: true });
        }
        let store = Store::create(&directory).map_err(|error| Error::Output { path: error.path, source: error.source });
        Ok(Self { store: Some(Arc::new(store?)), temporary: true })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if self.temporary
            && let Some(store) = &self.store
        {
            store.discard();
        }
    }
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    crate::fetch::blocking(spawn_blocking(work)).await
}
