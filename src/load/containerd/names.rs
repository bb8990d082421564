//! The names of images in containerd with their labels: what is pinned, and what came from which bundle.

use std::collections::{BTreeMap, BTreeSet};

use super::api::{Descriptor, Image, Labels};
use super::client::Client;
use crate::load::choose::Wanted;
use crate::load::report::State;
use crate::load::{Error, Mark};

/// Begins the label of a bundle that an image came with; `NAME@VERSION` ends it.
const BUNDLE: &str = "bundler.bundle/";
/// The value of that label.
const LOADED: &str = "loaded";
/// On a name that was not there before: it goes when its last bundle goes.
const CREATED: &str = "bundler.created";
/// On a name that was there before without a pin: the pin goes with the last bundle.
const PINNED: &str = "bundler.pinned";
/// What keeps the kubelet from collecting an image (containerd 1.7 and 2, CRI's labels).
const PIN: (&str, &str) = ("io.cri-containerd.pinned", "pinned");
/// What the CRI plugin writes on images that it knows; where it is missing the plugin of containerd 1.6 writes it
/// over all other labels.
const MANAGED: (&str, &str) = ("io.cri-containerd.image", "managed");
/// The namespace of the CRI plugin.
const CRI: &str = "k8s.io";

/// The images of a namespace by name.
pub(super) struct Existing(BTreeMap<String, Image>);

impl Existing {
    pub(super) async fn read(client: &Client) -> Result<Self, Error> {
        Ok(Self(client.images().await?.into_iter().map(|image| (image.name.clone(), image)).collect()))
    }

    /// The bundles that are loaded.
    pub(super) fn marks(&self) -> BTreeSet<Mark> {
        self.0.values().flat_map(marks).collect()
    }

    /// How many names came with one of these bundles.
    pub(super) fn count(&self, is_meant: impl Fn(&Mark) -> bool) -> usize {
        self.0.values().filter(|image| marks(image).any(|mark| is_meant(&mark))).count()
    }

    /// The digest that a name leads to.
    pub(super) fn digest(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Image::digest)
    }

    /// What loading an image means for its names.
    pub(super) fn state(&self, image: &Wanted) -> State {
        let expected = image.top.digest.to_string();
        let names = image.names();
        let found: Vec<_> = names.iter().map(|name| self.digest(name)).collect();
        if found.iter().flatten().any(|found| *found != expected) {
            State::Moved
        } else if found.contains(&None) {
            State::Loaded
        } else {
            State::Present
        }
    }

    /// Gives an image, all of which is there, its names.
    pub(super) async fn name(&self, client: &Client, image: &Wanted, namespace: &str) -> Result<State, Error> {
        let target = Descriptor {
            media_type: image.top.media_type.clone(),
            digest: image.top.digest.to_string(),
            size: (image.top.bytes.len() as u64).cast_signed(),
        };
        let mut labels: Labels =
            image.marks.iter().map(|mark| (format!("{BUNDLE}{mark}"), LOADED.to_owned())).collect();
        if let (CRI, Some(id)) = (namespace, image.id()) {
            labels.insert(MANAGED.0.to_owned(), MANAGED.1.to_owned());
            // The CRI knows an image by its id, and wants that as a name before the others.
            self.set(client, &id.to_string(), &target, &labels, false).await?;
        }
        for name in image.names() {
            self.set(client, &name, &target, &labels, true).await?;
        }
        Ok(self.state(image))
    }

    /// Creates a name or adds labels to it; one that leads elsewhere is moved if it may be.
    async fn set(
        &self,
        client: &Client,
        name: &str,
        target: &Descriptor,
        labels: &Labels,
        may_move: bool,
    ) -> Result<(), Error> {
        let pin = || (PIN.0.to_owned(), PIN.1.to_owned());
        if !self.0.contains_key(name) {
            let mut labels = labels.clone();
            labels.extend([pin(), (CREATED.to_owned(), "true".to_owned())]);
            if client.create(name, target, &labels).await? {
                return Ok(());
            }
        }
        // It may have come since the list was read, by a name that two images share.
        let now;
        let found = match self.0.get(name) {
            Some(found) => found,
            None => {
                now = Self::read(client).await?;
                match now.0.get(name) {
                    Some(found) => found,
                    None => return Box::pin(self.set(client, name, target, labels, may_move)).await,
                }
            }
        };
        let mut labels = labels.clone();
        if !found.labels.contains_key(PIN.0) {
            labels.extend([pin(), (PINNED.to_owned(), "true".to_owned())]);
        }
        labels.retain(|label, value| found.labels.get(label) != Some(value));
        let target = (may_move && found.digest() != target.digest).then_some(target);
        if labels.is_empty() && target.is_none() {
            return Ok(());
        }
        client.update(name, target, &labels).await
    }

    /// Takes the marks of some bundles away; a name that loses its last one goes with it if a bundle brought it,
    /// and else loses the pin. Returns the names that went.
    pub(super) async fn take_away(
        &self,
        client: &Client,
        is_meant: impl Fn(&Mark) -> bool,
        dry_run: bool,
    ) -> Result<Vec<String>, Error> {
        let mut removed = Vec::new();
        for image in self.0.values() {
            let (gone, kept): (Vec<_>, Vec<_>) = marks(image).partition(&is_meant);
            if gone.is_empty() {
                continue;
            }
            if kept.is_empty() && image.labels.contains_key(CREATED) {
                removed.push(image.name.clone());
                continue;
            }
            // An empty value removes a label.
            let mut labels: Labels = gone.iter().map(|mark| (format!("{BUNDLE}{mark}"), String::new())).collect();
            if kept.is_empty() && image.labels.contains_key(PINNED) {
                labels.extend([PIN.0, PINNED].map(|label| (label.to_owned(), String::new())));
            }
            if !dry_run {
                client.update(&image.name, None, &labels).await?;
            }
        }
        if !dry_run {
            for (place, name) in removed.iter().enumerate() {
                // The last one waits until the garbage is collected, so that the space is free afterwards.
                client.delete(name, place + 1 == removed.len()).await?;
            }
        }
        Ok(removed)
    }
}

fn marks(image: &Image) -> impl Iterator<Item = Mark> {
    image.labels.keys().filter_map(|label| label.strip_prefix(BUNDLE)?.parse().ok())
}
