//! What components weigh for an architecture, by what a lock says of sizes.

use std::collections::BTreeMap;

use super::Lock;
use super::model::Component;
use crate::oci::Arch;
use crate::size;

/// How many of the largest things a message names.
const NAMED: usize = 5;

/// An image, chart or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What tells it apart: things with the same key are carried once.
    pub key: String,
    /// Its name for the reader.
    pub name: String,
    /// Its bytes; unknown only in a lock seeded by hand.
    pub size: Option<u64>,
}

/// What several components weigh together, each thing counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// The sum of the sizes that are known.
    pub known: u64,
    /// The things, the largest first.
    pub things: Vec<Thing>,
}

impl Weight {
    /// The largest things with their sizes, for a message.
    #[must_use]
    pub fn largest(&self) -> String {
        let named = self.things.iter().filter_map(|thing| Some((&thing.name, thing.size?))).take(NAMED);
        named.map(|(name, size)| format!("{name} ({})", size::bytes(size))).collect::<Vec<_>>().join(", ")
    }
}

/// What a component has for an architecture.
#[must_use]
pub fn things(lock: &Lock, name: &str, component: &Component, arch: Arch) -> Vec<Thing> {
    let mut things: Vec<_> = component
        .images
        .iter()
        .map(|reference| {
            let platform = lock.images.get(reference).and_then(|image| image.platforms.get(&arch));
            let size = platform.and_then(|p| p.size.zip(p.layers_size)).map(|(own, layers)| own.saturating_add(layers));
            Thing { key: reference.to_string(), name: reference.to_string(), size }
        })
        .collect();
    let charts = component.chart.iter().map(|chart| (name, chart));
    let charts = charts.chain(component.charts.iter().map(|(key, chart)| (key.as_str(), chart)));
    things.extend(charts.map(|(key, chart)| Thing {
        key: chart.sha256.to_string(),
        name: format!("chart {}", chart.name.as_deref().unwrap_or(key)),
        size: chart.size,
    }));
    let files = component.files.iter().filter_map(|(file, archs)| Some((file, archs.get(&arch)?)));
    things.extend(files.map(|(name, file)| Thing {
        key: file.sha256.to_string(),
        name: name.clone(),
        size: file.member.as_ref().map_or(file.size, |member| member.size),
    }));
    things
}

/// What the named components weigh together; one that the lock does not have weighs nothing.
#[must_use]
pub fn of<'n>(lock: &Lock, components: impl IntoIterator<Item = &'n str>, arch: Arch) -> Weight {
    let components = components.into_iter().filter_map(|name| Some((name, lock.components.get(name)?)));
    let all = components.flat_map(|(name, component)| things(lock, name, component, arch));
    let once: BTreeMap<String, Thing> = all.map(|thing| (thing.key.clone(), thing)).collect();
    let mut things: Vec<Thing> = once.into_values().collect();
    things.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    let known = things.iter().filter_map(|thing| thing.size).fold(0, u64::saturating_add);
    Weight { known, things }
}
