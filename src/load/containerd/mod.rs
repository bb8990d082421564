//! Into containerd over its own socket: only blobs that it lacks, kept from its garbage collection by labels and
//! kept from the kubelet's by a pin.

mod api;
mod client;
mod names;
mod send;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::api::Labels;
use self::client::Client;
use self::send::{Content, Parcel};
use super::choose::Wanted;
use super::mark::refuse_downgrade;
use super::report::{LoadedImage, State};
use super::{Error, Loaded, Mark, Options, Unloaded};
use crate::bundle::contents::images;
use crate::bundle::set::Set;
use crate::event::{Event, Reporter};
use crate::oci::Digest;
use crate::oci::manifest::{Manifest, View};

/// How many blobs are sent at once: containerd waits for the disk at the end of each, and hashes on one core.
const AT_ONCE: usize = 4;

/// How long what an interrupted run sent is kept for the next one.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// The lease's own label, with the first bundle as its value.
const LEASE: &str = "bundler.load";

/// Where containerd is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) address: PathBuf,
    pub(super) namespace: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "containerd at {}, namespace {}", self.address.display(), self.namespace)
    }
}

/// Loads the images and returns what was done.
pub(super) async fn load(
    set: Arc<Set>,
    wanted: &[Wanted],
    place: &Place,
    options: &Options,
    reporter: &dyn Reporter,
) -> Result<Loaded, Error> {
    let mut client = Client::connect(&place.address, &place.namespace).await?;
    let existing = names::Existing::read(&client).await?;
    let marks: BTreeSet<Mark> = wanted.iter().flat_map(|image| &image.marks).cloned().collect();
    if !options.allow_downgrade {
        refuse_downgrade(&existing.marks(), &marks)?;
    }
    let load = Load { set, wanted, place, existing, marks };
    let contents = load.contents();
    let total = contents.iter().map(Parcel::size).sum();
    reporter.report(Event::Step("loading images into containerd"));
    reporter.report(Event::Total { bytes: total, items: wanted.len() as u64 });
    if options.dry_run {
        return load.rehearse(&client, contents, options).await;
    }
    let owner = load.marks.first().map(|mark| mark.name.clone()).unwrap_or_default();
    let expires = options.now.saturating_add(KEPT).unwrap_or(options.now);
    let labels = [("containerd.io/gc.expire".to_owned(), expires.to_string()), (LEASE.to_owned(), owner.clone())];
    let id = lease(options.now);
    client.hold(&id, Labels::from(labels)).await?;
    let mut loaded = load.send(&client, contents, options, reporter).await?;
    load.check(&client).await?;
    if options.prune {
        let other = |mark: &Mark| load.marks.iter().any(|kept| kept.name == mark.name) && !load.marks.contains(mark);
        loaded.removed = names::Existing::read(&client).await?.take_away(&client, other, false).await?;
    }
    // What runs that are over left behind ends too; a run beside this one still needs its own.
    client.release(LEASE, &owner, |other| other == id || !is_running(other)).await?;
    Ok(loaded)
}

/// The name of this run's lease, which tells its process.
fn lease(now: jiff::Timestamp) -> String {
    format!("bundler-{}-{}", std::process::id(), now.as_nanosecond())
}

/// Whether the process of a lease may be running.
fn is_running(lease: &str) -> bool {
    let process = lease.strip_prefix("bundler-").and_then(|rest| rest.split('-').next()?.parse().ok());
    let process = process.and_then(rustix::process::Pid::from_raw);
    process.is_some_and(|process| rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH))
}

/// Takes away what only these bundles brought.
pub(super) async fn unload(place: &Place, marks: &BTreeSet<Mark>, dry_run: bool) -> Result<Unloaded, Error> {
    let client = Client::connect(&place.address, &place.namespace).await?;
    let existing = names::Existing::read(&client).await?;
    let kept = existing.count(|mark| marks.contains(mark));
    let removed = existing.take_away(&client, |mark| marks.contains(mark), dry_run).await?;
    Ok(Unloaded { dry_run, kept: kept - removed.len(), removed })
}

struct Load<'a> {
    set: Arc<Set>,
    wanted: &'a [Wanted],
    place: &'a Place,
    existing: names::Existing,
    marks: BTreeSet<Mark>,
}

impl Load<'_> {
    /// The configurations and layers in the order of the images, each once.
    fn contents(&self) -> Vec<Parcel> {
        let mut seen = HashSet::new();
        let mut parcels = Vec::new();
        for image in self.wanted {
            for digest in image.contents().into_keys().filter(|digest| seen.insert(*digest)) {
                // `choose` has seen that it is there.
                parcels.extend(self.set.blob(digest).map(|blob| Parcel {
                    digest,
                    content: Content::Bundle(self.set.clone(), blob),
                    labels: Labels::new(),
                    reference: image.reference.clone(),
                }));
            }
        }
        parcels
    }

    /// Sends what is missing; an image gets its names as soon as all of it is there.
    async fn send(
        &self,
        client: &Client,
        contents: Vec<Parcel>,
        options: &Options,
        reporter: &dyn Reporter,
    ) -> Result<Loaded, Error> {
        let mut loaded = Loaded::new(self.place.to_string(), false);
        let mut done = BTreeMap::new();
        let mut sending = stream::iter(&contents)
            .map(|parcel| async move {
                let sent = client.send(parcel, reporter).await?;
                // What was there already, or from an interrupted run.
                reporter.report(Event::Bytes(parcel.size() - sent.unwrap_or(0)));
                Ok::<_, Error>((parcel.digest, sent))
            })
            .buffered(options.jobs.unwrap_or(AT_ONCE));
        for image in self.wanted {
            let needs = image.contents();
            let mut new = false;
            while let Some(digest) = needs.keys().find(|digest| !done.contains_key(*digest)) {
                let (sent, bytes) = sending
                    .try_next()
                    .await?
                    .ok_or_else(|| Error::Incomplete { reference: image.reference.to_string(), digest: *digest })?;
                loaded.count(bytes);
                done.insert(sent, bytes);
            }
            new |= needs.keys().any(|digest| done.get(digest).is_some_and(Option::is_some));
            for document in image.documents() {
                new |= self.document(client, image, document, &mut loaded, reporter).await?;
            }
            let state = self.existing.name(client, image, &self.place.namespace).await?;
            let state = if new && state == State::Present { State::Loaded } else { state };
            loaded.images.push(LoadedImage::new(image, image.names(), state));
            reporter.report(Event::Item(&image.reference.to_string()));
        }
        Ok(loaded)
    }

    /// Sends a manifest or an index with the labels by which containerd knows what it needs.
    async fn document(
        &self,
        client: &Client,
        image: &Wanted,
        document: &Manifest,
        loaded: &mut Loaded,
        reporter: &dyn Reporter,
    ) -> Result<bool, Error> {
        let labels = self.references(document);
        let parcel = Parcel {
            digest: document.digest,
            content: Content::Bytes(document.bytes.clone()),
            labels: labels.clone(),
            reference: image.reference.clone(),
        };
        let sent = client.send(&parcel, reporter).await?;
        loaded.count(sent);
        if sent.is_none() {
            // It may be there as a blob that nothing uses, or for another architecture.
            let found = client.info(document.digest).await?.map(|info| info.labels).unwrap_or_default();
            if labels.iter().any(|(label, value)| found.get(label) != Some(value)) {
                client.label_blob(document.digest, &labels).await?;
            }
        }
        Ok(sent.is_some())
    }

    /// Labels that keep what a document needs from the garbage collection (containerd, docs/garbage-collection.md).
    /// A child of another architecture that no bundle has gets none.
    fn references(&self, document: &Manifest) -> Labels {
        let label = |name: String, digest: Digest| (format!("containerd.io/gc.ref.content.{name}"), digest.to_string());
        match &document.view {
            View::Index(children) => {
                let chosen: HashSet<_> = self
                    .wanted
                    .iter()
                    .flat_map(|image| image.manifests.values())
                    .map(|manifest| manifest.digest)
                    .collect();
                let present = children.iter().enumerate().filter(|(_, child)| chosen.contains(&child.digest));
                present.map(|(place, child)| label(format!("m.{place}"), child.digest)).collect()
            }
            View::Manifest { .. } => {
                let name = |place: usize| if place == 0 { "config".to_owned() } else { format!("l.{}", place - 1) };
                images::parts(document).enumerate().map(|(place, part)| label(name(place), part.digest)).collect()
            }
        }
    }

    /// What would be done.
    async fn rehearse(&self, client: &Client, contents: Vec<Parcel>, options: &Options) -> Result<Loaded, Error> {
        let mut loaded = Loaded::new(self.place.to_string(), true);
        let mut missing = HashSet::new();
        let documents = self.wanted.iter().flat_map(Wanted::documents).map(|it| (it.digest, it.bytes.len() as u64));
        let all: BTreeMap<_, _> =
            contents.iter().map(|parcel| (parcel.digest, parcel.size())).chain(documents).collect();
        for (digest, size) in all {
            let there = client.info(digest).await?.is_some();
            loaded.count((!there).then_some(size));
            if !there {
                missing.insert(digest);
            }
        }
        for image in self.wanted {
            let new = image.contents().keys().any(|digest| missing.contains(digest))
                || image.documents().any(|document| missing.contains(&document.digest));
            let state = self.existing.state(image);
            let state = if new && state == State::Present { State::Loaded } else { state };
            loaded.images.push(LoadedImage::new(image, image.names(), state));
        }
        if options.prune {
            let other =
                |mark: &Mark| self.marks.iter().any(|kept| kept.name == mark.name) && !self.marks.contains(mark);
            let mut removed = self.existing.take_away(client, other, true).await?;
            let names = |image: &Wanted| image.names().into_iter().chain(image.id().map(|id| id.to_string()));
            let names: BTreeSet<_> = self.wanted.iter().flat_map(names).collect();
            removed.retain(|name| !names.contains(name));
            loaded.removed = removed;
        }
        Ok(loaded)
    }

    /// Asks containerd for every name and every blob.
    async fn check(&self, client: &Client) -> Result<(), Error> {
        let existing = names::Existing::read(client).await?;
        let mut seen = HashSet::new();
        for image in self.wanted {
            for name in image.names() {
                let found = existing.digest(&name).unwrap_or("not there");
                let expected = image.top.digest.to_string();
                if found != expected {
                    return Err(Error::After { name, expected, found: found.to_owned() });
                }
            }
            let documents = image.documents().map(|document| (document.digest, document.bytes.len() as u64));
            let contents = image.contents().into_values().map(|part| (part.digest, part.size)).collect::<Vec<_>>();
            for (digest, size) in documents.chain(contents).filter(|(digest, _)| seen.insert(*digest)) {
                let found = client.info(digest).await?.map(|info| info.size.cast_unsigned());
                if found != Some(size) {
                    let found = found.map_or("not there".to_owned(), |found| format!("{found} bytes"));
                    return Err(Error::After { name: digest.to_string(), expected: format!("{size} bytes"), found });
                }
            }
        }
        Ok(())
    }
}
