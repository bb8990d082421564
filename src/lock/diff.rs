//! What changed from one lock to another: by component, with the kind of step, the images and the bytes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Lock;
use super::model::Component;
use crate::oci::{Arch, Digest, Reference};
use crate::version::Version;

mod links;
#[cfg(test)]
pub(crate) mod tests;

/// All that is different in a newer lock. Its JSON form is for scripts, so fields may be added but never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diff {
    /// The bundle's name in the newer lock.
    pub name: String,
    /// What the older one is for.
    pub old: Platform,
    /// What the newer one is for.
    pub new: Platform,
    /// The components that differ, by name.
    pub components: Vec<ComponentDiff>,
    /// The bytes that only the newer one needs, by architecture, each artifact counted once. A lock does not know
    /// which layers two versions of an image share, so it is an upper bound.
    pub fetch: BTreeMap<Arch, Bytes>,
}

/// The versions that a lock is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Platform {
    /// The bundle's version.
    pub version: String,
    /// The Kubernetes minor.
    pub kubernetes: String,
    /// The KubeEdge minor.
    pub kubeedge: Option<String>,
}

/// One component that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ComponentDiff {
    /// Its name.
    pub component: String,
    /// Its version before; none where it is new.
    pub old: Option<String>,
    /// Its version now; none where it is gone.
    pub new: Option<String>,
    /// How far the step goes.
    pub step: Step,
    /// The images that differ, by repository.
    pub images: Vec<ImageDiff>,
    /// The names of charts and files with other bytes under an unchanged version.
    pub changed: Vec<String>,
    /// The bytes that only the newer one needs, by architecture.
    pub fetch: BTreeMap<Arch, Bytes>,
    /// Upstream's page about the new version, where it is known.
    pub notes: Option<String>,
    /// Upstream's page with all commits between the versions, where it is known.
    pub compare: Option<String>,
}

/// How far a step goes, smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Only what upstream attached to the images: signatures, attestations, bills of materials.
    Attached,
    /// Only our own files differ: values, resources, or what is declared.
    OwnFiles,
    /// One version, other bytes.
    Digest,
    /// The third number, a fourth, a pre-release or a build.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
    /// Versions that are no numbers.
    Other,
    /// To a lower version.
    Older,
    /// It was not there.
    Added,
    /// It is gone.
    Removed,
}

impl Step {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attached => "attached",
            Self::OwnFiles => "own files",
            Self::Digest => "digest only",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Other => "other",
            Self::Older => "older",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    fn between(old: &str, new: &str) -> Self {
        let (Ok(old), Ok(new)) = (old.parse::<Version>(), new.parse::<Version>()) else { return Self::Other };
        let ([major, minor, ..], [new_major, new_minor, ..]) = (old.parts(), new.parts());
        match () {
            () if new < old => Self::Older,
            () if new_major != major => Self::Major,
            () if new_minor != minor => Self::Minor,
            () => Self::Patch,
        }
    }
}

/// An image that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImageDiff {
    /// Its registry and repository.
    pub repository: String,
    /// What happened to it.
    pub kind: ImageStep,
    /// Its tag before, or its digest when it has no tag.
    pub old: Option<String>,
    /// Its tag now, or its digest when it has no tag.
    pub new: Option<String>,
    /// Its digest before.
    pub old_digest: Option<Digest>,
    /// Its digest now.
    pub new_digest: Option<Digest>,
}

/// What happened to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageStep {
    /// Another digest under an unchanged tag: somebody pushed over a release.
    Moved,
    /// Another tag.
    Updated,
    /// It was not there.
    Added,
    /// It is gone.
    Removed,
    /// The same bytes, with other signatures, attestations or bills of materials attached.
    Attached,
}

/// A sum of sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bytes {
    /// The sum of those that are known.
    pub known: u64,
    /// How many are not known, as in a lock that was seeded by hand.
    pub unknown: u64,
}

impl Diff {
    /// The images whose digest changed under an unchanged tag, each once.
    pub fn moved(&self) -> BTreeMap<String, (Digest, Digest)> {
        let images = self.components.iter().flat_map(|component| &component.images);
        let moved = images.filter(|image| image.kind == ImageStep::Moved).filter_map(|image| {
            let name = format!("{}:{}", image.repository, image.new.as_deref()?);
            Some((name, (image.old_digest?, image.new_digest?)))
        });
        moved.collect()
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.components.is_empty() && self.old == self.new
    }

    /// The farthest step up among the components, for a label.
    #[must_use]
    pub fn biggest(&self) -> Option<Step> {
        self.components.iter().map(|component| component.step).filter(|step| *step <= Step::Major).max()
    }
}

/// Compares two locks, or the locks of two bundles.
#[must_use]
pub fn diff(old: &Lock, new: &Lock) -> Diff {
    let names: BTreeSet<_> = old.components.keys().chain(new.components.keys()).collect();
    let had = names.iter().filter_map(|name| old.components.get(*name));
    let had: BTreeSet<_> = had.flat_map(|component| artifacts(old, component)).map(|artifact| artifact.key).collect();
    let fetch = |components: &[&Component]| {
        let mut sums = BTreeMap::new();
        for arch in &new.bundle.architectures {
            let all = components.iter().flat_map(|component| artifacts(new, component));
            let wanted =
                all.filter(|artifact| artifact.arch.is_none_or(|own| own == *arch) && !had.contains(&artifact.key));
            let once: BTreeMap<_, _> = wanted.map(|artifact| (artifact.key, artifact.size)).collect();
            sums.insert(*arch, once.into_values().collect());
        }
        sums
    };
    let compare = |name: &&String| {
        let (before, after) = (old.components.get(*name), new.components.get(*name));
        let images = images(old, new, before, after);
        let (changed, own_files) = match (before, after) {
            (Some(before), Some(after)) => (changed(before, after), before.inputs != after.inputs),
            _ => (Vec::new(), false),
        };
        let step = match (before, after) {
            (None, _) => Step::Added,
            (_, None) => Step::Removed,
            (Some(before), Some(after)) if before.version != after.version => {
                Step::between(&before.version, &after.version)
            }
            _ if images.iter().any(|image| image.kind == ImageStep::Moved) || !changed.is_empty() => Step::Digest,
            _ if own_files || images.iter().any(|image| image.kind != ImageStep::Attached) => Step::OwnFiles,
            _ if !images.is_empty() => Step::Attached,
            _ => return None,
        };
        Some(ComponentDiff {
            component: (*name).clone(),
            old: before.map(|component| component.version.clone()),
            new: after.map(|component| component.version.clone()),
            step,
            images,
            changed,
            fetch: fetch(after.as_slice()),
            notes: after.filter(|_| step >= Step::Patch).and_then(links::notes),
            compare: before.zip(after).filter(|_| step >= Step::Patch).and_then(|(old, new)| links::compare(old, new)),
        })
    };
    let components = names.iter().filter_map(compare).collect();
    let all: Vec<_> = new.components.values().collect();
    Diff { name: new.bundle.name.clone(), old: platform(old), new: platform(new), components, fetch: fetch(&all) }
}

impl FromIterator<Option<u64>> for Bytes {
    fn from_iter<I: IntoIterator<Item = Option<u64>>>(sizes: I) -> Self {
        sizes.into_iter().fold(Self::default(), |sum, size| match size {
            Some(size) => Self { known: sum.known.saturating_add(size), ..sum },
            None => Self { unknown: sum.unknown + 1, ..sum },
        })
    }
}

fn platform(lock: &Lock) -> Platform {
    let bundle = &lock.bundle;
    let (version, kubernetes) = (bundle.version.clone(), bundle.kubernetes.clone());
    Platform { version, kubernetes, kubeedge: bundle.kubeedge.clone() }
}

/// Something to fetch, told apart by a digest.
struct Artifact {
    key: String,
    arch: Option<Arch>,
    size: Option<u64>,
}

fn artifacts<'a>(lock: &'a Lock, component: &'a Component) -> impl Iterator<Item = Artifact> + 'a {
    let charts = component.chart.iter().chain(component.charts.values());
    let charts = charts.map(|chart| Artifact { key: chart.sha256.to_string(), arch: None, size: chart.size });
    let files = component.files.values().flatten();
    let files = files.map(|(arch, file)| Artifact { key: file.sha256.to_string(), arch: Some(*arch), size: file.size });
    let images = component.images.iter().filter_map(|reference| lock.images.get(reference));
    let images = images.flat_map(|image| {
        let open = image.platforms.is_empty();
        let unknown = open.then(|| Artifact { key: image.digest.to_string(), arch: None, size: None });
        let known = image.platforms.iter().map(|(arch, platform)| {
            let size =
                platform.size.zip(platform.layers_size).map(|(manifest, layers)| manifest.saturating_add(layers));
            Artifact { key: platform.digest.to_string(), arch: Some(*arch), size }
        });
        unknown.into_iter().chain(known)
    });
    charts.chain(files).chain(images)
}

/// The names of charts and files that both have with other bytes, where the version is the same.
fn changed(old: &Component, new: &Component) -> Vec<String> {
    if old.version != new.version {
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    if let (Some(old), Some(chart)) = (&old.chart, &new.chart)
        && old.sha256 != chart.sha256
    {
        names.insert("chart".to_owned());
    }
    for (name, chart) in &new.charts {
        if old.charts.get(name).is_some_and(|old| old.sha256 != chart.sha256) {
            names.insert(name.clone());
        }
    }
    for (name, archs) in &new.files {
        let differs = |(arch, file): (&Arch, &super::model::File)| {
            old.files.get(name).and_then(|old| old.get(arch)).is_some_and(|old| old.sha256 != file.sha256)
        };
        if archs.iter().any(differs) {
            names.insert(name.clone());
        }
    }
    names.into_iter().collect()
}

/// The images of a component that differ; those of one repository are paired in their order.
fn images(old: &Lock, new: &Lock, before: Option<&Component>, after: Option<&Component>) -> Vec<ImageDiff> {
    let mut repositories: BTreeMap<String, [BTreeSet<&Reference>; 2]> = BTreeMap::new();
    for (side, component) in [before, after].into_iter().enumerate() {
        for reference in component.iter().flat_map(|component| &component.images) {
            repositories.entry(reference.name()).or_default()[side].insert(reference);
        }
    }
    let digest = |lock: &Lock, reference: &Reference| lock.images.get(reference).map(|image| image.digest);
    let attached = |lock: &Lock, reference: &Reference| -> BTreeSet<_> {
        lock.images.get(reference).into_iter().flat_map(|image| image.attached.clone()).collect()
    };
    let mut images = Vec::new();
    for (repository, [had, has]) in repositories {
        let mut push = |kind, before: Option<&Reference>, after: Option<&Reference>| {
            images.push(ImageDiff {
                repository: repository.clone(),
                kind,
                old: before.map(label),
                new: after.map(label),
                old_digest: before.and_then(|reference| digest(old, reference)),
                new_digest: after.and_then(|reference| digest(new, reference)),
            });
        };
        for same in had.intersection(&has) {
            // One that has no digest yet, or had none, was not moved.
            match digest(old, same).zip(digest(new, same)) {
                Some((before, after)) if before != after => push(ImageStep::Moved, Some(same), Some(same)),
                Some(_) if attached(old, same) != attached(new, same) => {
                    push(ImageStep::Attached, Some(same), Some(same));
                }
                _ => {}
            }
        }
        let (mut gone, mut come) = (had.difference(&has), has.difference(&had));
        loop {
            match (gone.next(), come.next()) {
                (Some(gone), Some(come)) => push(ImageStep::Updated, Some(gone), Some(come)),
                (Some(gone), None) => push(ImageStep::Removed, Some(gone), None),
                (None, Some(come)) => push(ImageStep::Added, None, Some(come)),
                (None, None) => break,
            }
        }
    }
    images
}

fn label(reference: &Reference) -> String {
    let digest = || reference.digest().map(|digest| digest.to_string());
    reference.tag().map(str::to_owned).or_else(digest).unwrap_or_default()
}
