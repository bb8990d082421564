//! Pushing bundles to a registry: the images byte for byte where the registry takes them so, and the charts.
//!
//! First everything is asked for, then only what is missing is sent, so that a second run after an interruption sends
//! the rest, and a dry run is the first half.

mod blobs;
mod charts;
mod error;
mod images;
pub mod nodes;
pub mod report;
pub mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use self::blobs::{Sender, Wanted};
pub use self::error::Error;
pub use self::report::Pushed;
use self::target::Place;
pub use self::target::Target;
use crate::bundle::set::{Choice, Chosen, Set};
use crate::event::{Event, Reporter};
use crate::oci::Digest;
use crate::oci::manifest::Manifest;
use crate::source::http::HttpOptions;
use crate::source::{self, Http, Registry};

/// How much is done at once where nothing is said: more gained nothing on two cores and a loopback.
const JOBS: usize = 8;

/// What to push where.
pub struct Options {
    /// The bundles.
    pub bundles: Vec<PathBuf>,
    /// The registry.
    pub target: Target,
    /// Which of their images and charts.
    pub choice: Choice,
    /// How the registry is reached.
    pub http: HttpOptions,
    /// How much to do at once.
    pub jobs: Option<usize>,
    /// Ask, and send nothing.
    pub dry_run: bool,
    /// The directory for the files that nodes need.
    pub write: Option<PathBuf>,
}

/// A manifest with the blobs that it wants.
struct Leaf {
    manifest: Manifest,
    blobs: Vec<Wanted>,
}

/// The work of one push.
struct Pusher {
    set: Arc<Set>,
    registry: Registry,
    reporter: Arc<dyn Reporter>,
    sender: Sender,
    target: Target,
    jobs: usize,
    dry_run: bool,
}

/// Pushes bundles.
pub async fn run(options: Options, cancelled: CancellationToken) -> Result<Pushed, Error> {
    let work = push(options);
    cancelled.run_until_cancelled(work).await.unwrap_or(Err(Error::Interrupted))
}

async fn push(options: Options) -> Result<Pushed, Error> {
    let Options { bundles, target, choice, http, jobs, dry_run, write } = options;
    let reporter = Arc::clone(&http.reporter);
    reporter.report(Event::Step("reading the bundles"));
    let set = Arc::new(Set::open(&bundles)?);
    let chosen = set.choose(&choice)?;
    if let Some(directory) = write.as_ref().filter(|directory| directory.exists() && !directory.is_dir()) {
        return Err(Error::Write { path: directory.clone(), source: io::ErrorKind::NotADirectory.into() });
    }
    let http = Http::new(http).map_err(Error::Client)?;
    let jobs = jobs.unwrap_or(JOBS);
    set.tell_form(&*reporter);
    let pusher = Pusher {
        registry: Registry::new(http.clone()),
        sender: Sender::new(Arc::clone(&set), http, Arc::clone(&reporter), jobs, dry_run),
        set,
        reporter,
        target,
        jobs,
        dry_run,
    };
    let mut pushed = pusher.all(&chosen).await?;
    if let Some(directory) = write {
        pushed.written = nodes::write(&directory, &pusher.target, &pushed)?;
    }
    Ok(pushed)
}

impl Pusher {
    async fn all(&self, chosen: &Chosen) -> Result<Pushed, Error> {
        self.reporter.report(Event::Step("asking the registry"));
        let images: Vec<_> =
            chosen.images.iter().map(|reference| self.read_image(reference)).collect::<Result<_, _>>()?;
        let charts: Vec<_> = chosen.charts.iter().map(|path| self.read_chart(path)).collect::<Result<_, _>>()?;
        let names = images.iter().map(|image| (&image.place, image.root.digest, image.reference.to_string()));
        let charted = charts.iter().map(|chart| (&chart.place, chart.leaf.manifest.digest, chart.path.clone()));
        apart(names.chain(charted))?;

        let images = self.each(images, async |image| self.look_for(image).await).await?;
        let charts = self.each(charts, async |chart| self.look_for_chart(chart).await).await?;
        let missing = images.iter().flat_map(images::Found::missing).chain(charts.iter().filter_map(|c| c.missing()));
        let wanted: BTreeMap<Digest, u64> =
            missing.flat_map(|leaf| &leaf.blobs).map(|wanted| (wanted.digest, wanted.size)).collect();
        self.reporter.report(Event::Step(if self.dry_run { "asking for blobs" } else { "pushing" }));
        let items = (images.len() + charts.len()) as u64;
        self.reporter.report(Event::Total { bytes: wanted.values().sum(), items });

        let images = self.each(images, async |image| self.push_image(image).await).await?;
        let charts = self.each(charts, async |chart| self.push_chart(chart).await).await?;
        Ok(Pushed {
            registry: self.target.name(),
            dry_run: self.dry_run,
            images,
            charts,
            blobs: self.sender.done(),
            written: Vec::new(),
        })
    }

    /// Does something with several at once; the results keep the order.
    async fn each<T, U>(&self, all: Vec<T>, work: impl AsyncFn(T) -> Result<U, Error>) -> Result<Vec<U>, Error> {
        stream::iter(all).map(|one| work(one)).buffered(self.jobs).try_collect().await
    }

    /// Brings the blobs of a manifest, then the manifest itself under `name`.
    async fn push_leaf(&self, what: &str, place: &Place, leaf: &Leaf, name: &str) -> Result<(), Error> {
        let bring = async |wanted: &Wanted| self.sender.bring(what, &place.repository, wanted).await;
        stream::iter(&leaf.blobs).map(bring).buffer_unordered(self.jobs).try_collect::<()>().await?;
        if self.dry_run {
            return Ok(());
        }
        self.registry.put_manifest(&place.repository, name, &leaf.manifest).await.map_err(failed(what))
    }

    /// Notes that the blobs of a manifest are there, because the manifest is.
    async fn note(&self, place: &Place, leaf: &Leaf) {
        for wanted in &leaf.blobs {
            self.sender.has(&place.repository, wanted.digest).await;
        }
    }

    async fn present(&self, what: &str, place: &Place, name: &str) -> Result<Option<Digest>, Error> {
        self.registry.present(&place.repository, name).await.map_err(failed(what))
    }
}

fn failed(what: &str) -> impl Fn(source::Error) -> Error + '_ {
    |source| Error::Source { what: what.to_owned(), source: Box::new(source) }
}

/// Refuses two different things under one name.
fn apart<'a>(names: impl Iterator<Item = (&'a Place, Digest, String)>) -> Result<(), Error> {
    let mut taken = BTreeMap::<&str, (Digest, String)>::new();
    for (place, digest, what) in names {
        if let Some((first, name)) = taken.insert(&place.reference, (digest, what.clone()))
            && first != digest
        {
            return Err(Error::Twice { at: place.reference.clone(), what: [name, what] });
        }
    }
    Ok(())
}

/// Each blob once: a manifest may name the same layer again.
fn once(wanted: impl Iterator<Item = Wanted>) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    wanted.filter(|wanted| seen.insert(wanted.digest)).collect()
}
