//! Where the images of the catalog come from: the locked charts rendered again, and what the lock has of each image.

use std::collections::{BTreeMap, BTreeSet};

use super::driver::{self, Driver, KUBERNETES};
use super::render::{self, Rendering};
use super::wanted::{LISTED, Wanted};
use super::{Error, Failure, Options, charts, program};
use crate::chart::images::{Discovery, Origin};
use crate::event::{Event, Reporter};
use crate::exit::Exit;
use crate::lock::model as lock;
use crate::oci::{Digest, Reference};

/// The images of some components.
#[derive(Debug)]
pub struct Why {
    /// Every image with its components, sorted.
    pub images: BTreeMap<Reference, Carried>,
    /// What has to be said, sorted: components without a locked chart, images that the lock has too many.
    pub warnings: Vec<String>,
    /// The components that could not be looked at, by name.
    pub failures: BTreeMap<String, Failure>,
    /// Whether something is missing because the lock has no digest of it.
    pub unresolved: bool,
}

/// One image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Its digest in the lock; none when it is not resolved.
    pub digest: Option<Digest>,
    /// What wants it, by component.
    pub components: BTreeMap<String, Vec<Origin>>,
}

impl Why {
    /// The exit code: done, the failures' own, or 1 when the lock does not have everything.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match super::exit(&self.failures) {
            Exit::Done if self.unresolved => Exit::No,
            exit => exit,
        }
    }
}

pub(super) async fn run(options: Options, reporter: &dyn Reporter) -> Result<Why, Error> {
    let selected = driver::select(&options.catalog, &options.components)?;
    let sources = driver::sources(&options)?;
    let mut driver = Driver::new(&options, &sources, reporter)?;
    driver.follow(driver.locked(KUBERNETES).map(|locked| locked.version.clone()));
    let mut why = Why { images: BTreeMap::new(), warnings: Vec::new(), failures: BTreeMap::new(), unresolved: false };

    // What charts define switches on templates of others, so all are rendered, whichever was asked for.
    let mut renderings = Vec::new();
    for name in driver.catalog.components.keys() {
        match driver.of_locked(name).await {
            Ok(more) => renderings.extend(more),
            Err(failure) if selected.contains(name) => {
                why.failures.insert(name.clone(), failure);
            }
            Err(failure) => {
                let text = format!("what {name} defines is not known to the other charts: {failure}");
                reporter.report(Event::Warning(&text));
            }
        }
    }
    let mut rendered = BTreeMap::new();
    if renderings.iter().any(|rendering| selected.contains(&rendering.component)) {
        let helm = driver.helm(&options, driver.locked(program::COMPONENT)).await?;
        let api_versions = &driver.catalog.file.platform.api_versions;
        rendered = render::all(&helm, renderings, api_versions, driver.jobs).await;
    }
    for name in &selected {
        if why.failures.contains_key(name) {
            continue;
        }
        let rendered = rendered.remove(name).unwrap_or_else(|| Ok(Discovery::default()));
        if let Err(failure) = driver.add(&mut why, name, rendered) {
            why.failures.insert(name.clone(), failure);
        }
    }
    why.warnings.sort();
    Ok(why)
}

impl Driver<'_> {
    /// The charts of a component as the lock has them; none when not all of them are locked.
    async fn of_locked(&self, name: &str) -> Result<Vec<Rendering>, Failure> {
        let Some(locked) = self.locked(name) else { return Ok(Vec::new()) };
        let mut fetched = Vec::new();
        for chart in self.catalog.components[name].all_charts() {
            let name = &chart.value.name;
            let Some(locked) = of_chart(locked, name) else { return Ok(Vec::new()) };
            fetched.push(charts::locked(self.sources, name, locked).await?);
        }
        self.renderings(name, &locked.version, locked.tag.as_deref(), &fetched)
    }

    /// Adds the images of one component.
    fn add(&self, why: &mut Why, name: &str, rendered: Result<Discovery, Failure>) -> Result<(), Failure> {
        let component = &self.catalog.components[name];
        let Some(locked) = self.locked(name) else {
            why.unresolved = true;
            why.warnings.push(format!("{name} is not in the lock: `bundler resolve` finds its images"));
            return Ok(());
        };
        let open = component.all_charts().map(|chart| &chart.value.name).find(|name| of_chart(locked, name).is_none());
        if let Some(chart) = open {
            why.unresolved = true;
            why.warnings.push(format!("{name}: chart {chart} is not resolved, so what it runs is not known"));
        }
        let names = self.names(&locked.version, locked.tag.as_deref(), locked.app_version.as_deref());
        let wanted = Wanted { catalog: self.catalog, sources: self.sources, name, names };
        let mut images = wanted.images(rendered?, BTreeSet::new())?.required.images;
        // Upstream's own list, and what a chart runs that is not there, are what the lock has besides.
        let besides = if component.image_list.is_some() { Some(LISTED) } else { open.map(|_| "in the lock") };
        for image in locked.images.iter().cloned() {
            match besides {
                Some(reason) => {
                    images.entry(image).or_insert_with(|| vec![Origin::Declared(reason.to_owned())]);
                }
                None if images.contains_key(&image) => {}
                None => why.warnings.push(format!("{name}: {image} is in the lock, but nothing wants it any more")),
            }
        }
        let digests = self.before.map(|lock| &lock.images);
        for (image, origins) in images {
            let digest = digests.and_then(|digests| digests.get(&image)).map(|image| image.digest);
            why.unresolved |= digest.is_none();
            let carried = why.images.entry(image).or_default();
            carried.digest = digest;
            carried.components.insert(name.to_owned(), origins);
        }
        Ok(())
    }
}

/// The lock's entry of a chart.
fn of_chart<'l>(locked: &'l lock::Component, name: &str) -> Option<&'l lock::Chart> {
    locked.charts.get(name).or(locked.chart.as_ref())
}
