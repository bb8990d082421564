//! The driver: versions, then files and charts, then one render of all charts, then images.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::once;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::assemble::{self, Done};
use super::choice::end_of_day;
use super::files::Files;
use super::images::Images;
use super::render::{self, Rendering};
use super::rules::Reader;
use super::signatures::{self, Checked, SignatureCheck, Signatures, Signed};
use super::sources::{Patience, Sources};
use super::versions::{Choice, Chooser};
use super::wanted::{Needed, Wanted};
use super::{Error, Failure, Notice, Options, Resolved, charts, platform, program, report, upstreams};
use crate::catalog::model::{Catalog, Component, Warning};
use crate::catalog::names::Names;
use crate::chart::images::Discovery;
use crate::chart::{Helm, crd};
use crate::event::{Event, Reporter};
use crate::lock::{Lock, model as lock};
use crate::source::once::Once;
use crate::version::Version;
use crate::yaml;

/// The component of the catalog that is the platform's Kubernetes.
pub(super) const KUBERNETES: &str = "k3s";

/// One run.
pub(super) struct Driver<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) before: Option<&'a Lock>,
    pub(super) sources: &'a Sources,
    pub(super) reporter: &'a dyn Reporter,
    as_of: Timestamp,
    kubernetes: Version,
    also: Vec<Version>,
    signatures: Signatures<'a>,
    pub(super) jobs: usize,
}

/// A component with everything that is needed before its images are known.
struct Prepared {
    choice: Choice,
    files: BTreeMap<String, BTreeMap<crate::oci::Arch, lock::File>>,
    charts: Vec<charts::Fetched>,
}

impl Prepared {
    fn app_version(&self) -> Option<&str> {
        self.charts.first()?.archive.chart.app_version.as_deref()
    }
}

pub(super) async fn run(options: Options, reporter: &dyn Reporter) -> Result<Resolved, Error> {
    let selected = select(&options.catalog, &options.components)?;
    let sources = sources(&options)?;
    let Options { catalog, lock: before, .. } = &options;
    let mut driver = Driver::new(&options, &sources, reporter)?;
    let signed = |name: &String| catalog.components[name].verify.as_ref().is_some_and(|v| v.cosign.is_some());
    if options.signatures == SignatureCheck::Required
        && driver.signatures.program.is_none()
        && selected.iter().any(signed)
    {
        return Err(Error::NoCosign);
    }
    let plural = if selected.len() == 1 { "" } else { "s" };
    reporter.report(Event::Step(&format!("resolving {} component{plural}", selected.len())));
    reporter.report(Event::Total { bytes: 0, items: selected.len() as u64 });
    let mut failures = BTreeMap::new();

    let choices = driver.choose_all(&selected, &mut failures).await;
    let mut prepared = driver.prepare_all(choices, &mut failures).await;
    if failures.contains_key(KUBERNETES) {
        // The lock keeps the old one, so that is what the charts will run on.
        driver.follow(driver.locked(KUBERNETES).map(|locked| locked.version.clone()));
    }
    let helm = prepared.get(program::COMPONENT).map(|p| driver.component(program::COMPONENT, p));
    let helm = helm.as_ref().or_else(|| driver.locked(program::COMPONENT));
    let (mut rendered, mut program) = (BTreeMap::new(), None);
    if prepared.values().any(|prepared| !prepared.charts.is_empty()) {
        let helm = program.insert(driver.helm(&options, helm).await?);
        let mut renderings = Vec::new();
        for (name, component) in &prepared {
            match driver.renderings(name, &component.choice.version, component.choice.tag.as_deref(), &component.charts)
            {
                Ok(more) => renderings.extend(more),
                Err(failure) => {
                    failures.insert(name.clone(), failure);
                }
            }
        }
        prepared.retain(|name, _| !failures.contains_key(name));
        renderings.extend(driver.others(&prepared).await);
        rendered = render::all(helm, renderings, &catalog.file.platform.api_versions, driver.jobs).await;
    }

    let done = driver.finish_all(prepared, rendered, program.as_ref(), &mut failures).await;
    let mut warnings: Vec<Notice> = done.values().flat_map(|done| done.notices.clone()).collect();
    let matrix = platform::matrix(&driver.reader()).map_err(|error| Error::Platform(error.to_string()))?;
    warnings.extend(matrix);
    let versions = done.iter().map(|(name, done)| (name.clone(), done.done.component.version.clone())).collect();
    warnings.extend(upstreams::ask(&sources, &driver.reader(), &versions, reporter, driver.jobs).await);
    let entries = done.into_iter().map(|(name, done)| (name, done.done)).collect();
    let lock = assemble::lock(catalog, before.as_ref(), entries, &failures);
    warnings.extend(platform::budgets(&driver.reader(), &lock));
    warnings.sort();
    for known in warnings.iter().filter(|warning| warning.accepted.is_some()) {
        let of = known.component.as_deref().unwrap_or("catalog");
        let reason = known.accepted.as_deref().unwrap_or_default();
        reporter.report(Event::Detail(&format!("{of}: accepted: {} ({reason})", known.text)));
    }
    let changes = report::changes(before.as_ref(), &lock);
    Ok(Resolved { lock, changes, failures, warnings, counted: sources.github.counted() })
}

/// Where everything comes from in a run.
pub(super) fn sources(options: &Options) -> Result<Sources, Error> {
    Sources::new(options.http.clone(), options.cache_dir.clone(), options.now, options.offline)
        .map_err(|error| Error::GitHub(Box::new(error)))
}

/// The names to resolve: those that were given, or all.
pub(super) fn select(catalog: &Catalog, given: &[String]) -> Result<BTreeSet<String>, Error> {
    if given.is_empty() {
        return Ok(catalog.components.keys().cloned().collect());
    }
    let unknown = given.iter().find(|name| !catalog.components.contains_key(*name));
    match unknown {
        None => Ok(given.iter().cloned().collect()),
        Some(name) => {
            let known: Vec<_> = catalog.components.keys().map(String::as_str).collect();
            Err(Error::NoComponent { name: name.clone(), nearest: yaml::nearest(name, &known) })
        }
    }
}

/// A finished component with what has to be said about it.
struct Finished {
    done: Done,
    notices: Vec<Notice>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(options: &'a Options, sources: &'a Sources, reporter: &'a dyn Reporter) -> Result<Self, Error> {
        let minor = &options.catalog.file.platform.kubernetes.value;
        let kubernetes = format!("{minor}.0").parse();
        Ok(Self {
            catalog: &options.catalog,
            before: options.lock.as_ref(),
            sources,
            reporter,
            as_of: options.as_of.map_or(options.now, end_of_day),
            kubernetes: kubernetes.map_err(|e: crate::version::VersionError| Error::Platform(e.to_string()))?,
            also: platform::also(&options.catalog.file.platform).map_err(|error| Error::Platform(error.to_string()))?,
            signatures: Signatures {
                policy: options.signatures,
                program: signatures::find(options.search_path.as_deref()),
                sources,
                catalog: &options.catalog,
                before: options.lock.as_ref(),
            },
            jobs: options.jobs.max(1),
        })
    }

    /// The Helm that renders, `locked` being the one of the lock.
    pub(super) async fn helm(&self, options: &Options, locked: Option<&lock::Component>) -> Result<Helm, Error> {
        let found = program::find(self.sources, options.helm.as_deref(), options.search_path.as_deref(), locked).await;
        let helm = found.map_err(|error| Error::Helm(Box::new(error)))?;
        let text = format!("rendering with Helm {} at `{}`", helm.version(), helm.program().display());
        self.reporter.report(Event::Detail(&text));
        Ok(helm)
    }

    /// Renders for this version of the platform's Kubernetes, if it is one of its minor.
    pub(super) fn follow(&mut self, version: Option<String>) {
        let fits = |version: &Version| version.parts()[..2] == self.kubernetes.parts()[..2];
        if let Some(version) = version.and_then(|text| text.parse().ok()).filter(fits) {
            self.kubernetes = version;
        }
    }

    pub(super) fn locked(&self, name: &str) -> Option<&'a lock::Component> {
        self.before?.components.get(name)
    }

    fn reader(&self) -> Reader<'_> {
        Reader { catalog: self.catalog, as_of: self.as_of, kubernetes: &self.kubernetes, also: &self.also }
    }

    /// Chooses all versions, the platform's Kubernetes first, since charts have to fit it.
    async fn choose_all(
        &mut self,
        selected: &BTreeSet<String>,
        failures: &mut BTreeMap<String, Failure>,
    ) -> BTreeMap<String, Choice> {
        let mut choices = BTreeMap::new();
        let mut results = Vec::new();
        if let Some(component) = self.catalog.components.get(KUBERNETES) {
            let mut version = self.locked(KUBERNETES).map(|locked| locked.version.clone());
            if selected.contains(KUBERNETES) {
                let choice = self.choose(KUBERNETES, component).await;
                version = choice.as_ref().ok().map(|choice| choice.version.clone()).or(version);
                results.push((KUBERNETES.to_owned(), choice));
            }
            self.follow(version);
        }
        let others = self.catalog.components.iter().filter(|(name, _)| selected.contains(*name) && *name != KUBERNETES);
        let driver = &*self;
        let asks = others.map(async |(name, component)| (name.clone(), driver.choose(name, component).await));
        results.extend(futures_util::stream::iter(asks).buffer_unordered(self.jobs).collect::<Vec<_>>().await);
        for (name, result) in results {
            keep(&mut choices, failures, name, result);
        }
        choices
    }

    async fn choose(&self, name: &str, component: &Component) -> Result<Choice, Failure> {
        let locked = self.locked(name);
        let reader = self.reader();
        let sources = self.sources;
        let choice =
            Chooser { name, component, sources, reader: &reader, reporter: self.reporter, locked }.choose().await?;
        self.reporter.report(Event::Detail(&format!("{name}: {}", choice.version)));
        Ok(choice)
    }

    /// Locks the files and fetches the charts of all components.
    async fn prepare_all(
        &self,
        choices: BTreeMap<String, Choice>,
        failures: &mut BTreeMap<String, Failure>,
    ) -> BTreeMap<String, Prepared> {
        let asks = choices.into_iter().map(async |(name, choice)| {
            let result = self.prepare(&name, choice).await;
            (name, result)
        });
        let results: Vec<_> = futures_util::stream::iter(asks).buffer_unordered(self.jobs).collect().await;
        let mut prepared = BTreeMap::new();
        for (name, result) in results {
            keep(&mut prepared, failures, name, result);
        }
        prepared
    }

    async fn prepare(&self, name: &str, choice: Choice) -> Result<Prepared, Failure> {
        let component = &self.catalog.components[name];
        let patience = Patience { as_of: self.as_of, min_age: self.reader().plain_rules(component)?.min_age };
        let files = Files {
            sources: self.sources,
            component,
            architectures: &self.catalog.file.platform.architectures,
            names: self.names(&choice.version, choice.tag.as_deref(), None),
            locked: self.locked(name),
            patience,
        };
        let files = files.lock().await?;
        let mut fetched = Vec::new();
        for (chart, choice) in component.all_charts().zip(&choice.charts) {
            let chart = charts::fetch(self.sources, &chart.value.name, choice).await?;
            let locked = self.locked(name).into_iter().flat_map(|locked| locked.charts.values().chain(&locked.chart));
            for locked in locked.filter(|locked| locked.url == chart.url) {
                self.sources.unreplaced(&chart.url, locked.sha256, chart.sha256, patience)?;
            }
            fetched.push(chart);
        }
        Ok(Prepared { choice, files, charts: fetched })
    }

    pub(super) fn names<'n>(
        &'n self,
        version: &'n str,
        tag: Option<&'n str>,
        app_version: Option<&'n str>,
    ) -> Names<'n> {
        let platform = &self.catalog.file.platform;
        Names {
            version: Some(version),
            tag,
            app_version,
            arch: None,
            kubernetes: Some(&platform.kubernetes.value),
            kubeedge: platform.kubeedge.as_ref().map(|v| v.value.as_str()),
        }
    }

    pub(super) fn renderings(
        &self,
        name: &str,
        version: &str,
        tag: Option<&str>,
        fetched: &[charts::Fetched],
    ) -> Result<Vec<Rendering>, Failure> {
        let component = &self.catalog.components[name];
        let mut renderings = Vec::new();
        for chart in component.all_charts() {
            // By name: of a component that the lock has in part, some may be absent.
            let Some(fetched) = fetched.iter().find(|f| f.archive.chart.name == chart.value.name) else { continue };
            let names = self.names(version, tag, fetched.archive.chart.app_version.as_deref());
            // Templates choose images by the version of Kubernetes too, so each platform is rendered for.
            for (kubernetes, also) in
                once(&self.kubernetes).map(|v| (v, false)).chain(self.also.iter().map(|v| (v, true)))
            {
                renderings.push(Rendering {
                    component: name.to_owned(),
                    chart: chart.value.name.clone(),
                    archive: fetched.path.clone(),
                    release: render::release(self.catalog, name, &chart.value, &names, kubernetes.as_str())?,
                    defines: crd::api_versions(&fetched.archive.crds),
                    also,
                });
            }
        }
        Ok(renderings)
    }

    /// The charts of the components that this run leaves as they are: what they define counts for the others.
    async fn others(&self, prepared: &BTreeMap<String, Prepared>) -> Vec<Rendering> {
        let mut renderings = Vec::new();
        for (name, component) in self.catalog.components.iter().filter(|(name, _)| !prepared.contains_key(*name)) {
            let Some(locked) = self.locked(name) else { continue };
            let mut fetched = Vec::new();
            for chart in component.all_charts() {
                let name = &chart.value.name;
                let Some(locked) = locked.charts.get(name).or(locked.chart.as_ref()) else { continue };
                match charts::locked(self.sources, name, locked).await {
                    Ok(chart) => fetched.push(chart),
                    Err(error) => {
                        let text = format!("what chart {name} defines is not known to the other charts: {error}");
                        self.reporter.report(Event::Warning(&text));
                    }
                }
            }
            renderings
                .extend(self.renderings(name, &locked.version, locked.tag.as_deref(), &fetched).unwrap_or_default());
        }
        renderings
    }

    /// Locks the images of all components.
    async fn finish_all(
        &self,
        prepared: BTreeMap<String, Prepared>,
        mut rendered: render::Rendered,
        helm: Option<&Helm>,
        failures: &mut BTreeMap<String, Failure>,
    ) -> BTreeMap<String, Finished> {
        let none = BTreeMap::new();
        let min_age = self.catalog.file.policy.min_age.as_ref().and_then(|age| age.value.parse().ok());
        let images = Images {
            sources: self.sources,
            architectures: &self.catalog.file.platform.architectures,
            reporter: self.reporter,
            locked: self.before.map_or(&none, |lock| &lock.images),
            patience: Patience { as_of: self.as_of, min_age: min_age.unwrap_or_default() },
            done: Once::default(),
        };
        let mut asks = Vec::new();
        for (name, component) in prepared {
            let rendered = rendered.remove(&name).unwrap_or_else(|| Ok(Discovery::default()));
            asks.push(self.finish(name, component, rendered, &images, helm));
        }
        let results: Vec<_> = futures_util::stream::iter(asks).buffer_unordered(self.jobs).collect().await;
        let mut done = BTreeMap::new();
        for (name, result) in results {
            keep(&mut done, failures, name, result);
        }
        done
    }

    async fn finish(
        &self,
        name: String,
        prepared: Prepared,
        rendered: Result<Discovery, Failure>,
        images: &Images<'_>,
        helm: Option<&Helm>,
    ) -> (String, Result<Finished, Failure>) {
        let result = async {
            let names = self.names(&prepared.choice.version, prepared.choice.tag.as_deref(), prepared.app_version());
            let wanted = Wanted { catalog: self.catalog, sources: self.sources, name: &name, names };
            let Needed { required, differences } = wanted.images(rendered?, wanted.list().await?)?;
            let differences = differences.into_iter().map(|text| self.notice(&name, Warning::ImageList, text, true));
            let unused = required.unused.iter().map(|unused| {
                let text = format!("the ignored image {unused} matches nothing");
                self.notice(&name, Warning::IgnoredImage, text, true)
            });
            let mut notices: Vec<Notice> = unused.chain(differences).chain(self.notices(&name, &prepared)).collect();
            let asks = required.images.into_keys().map(async |reference| {
                let image = images.lock(&reference).await?;
                Ok::<_, Failure>((reference, image))
            });
            // In their order, so that of several failures it is always the same one that is told.
            let results: Vec<_> = futures_util::stream::iter(asks).buffered(self.jobs).collect().await;
            let locked = results.into_iter().collect::<Result<BTreeMap<_, _>, _>>()?;
            let signed = Signed { name: &name, names, images: &locked, charts: &prepared.charts, helm };
            let Checked { signatures, unchecked } = self.signatures.check(&signed).await?;
            let unchecked = unchecked.into_iter();
            notices.extend(unchecked.map(|text| self.notice(&name, Warning::Signature, text.to_owned(), false)));
            let images = locked.keys().cloned().collect();
            let component = lock::Component { images, signatures, ..self.component(&name, &prepared) };
            Ok(Finished { done: Done { component, images: locked }, notices })
        }
        .await;
        self.reporter.report(Event::Item(&name));
        (name, result)
    }

    fn notices(&self, name: &str, prepared: &Prepared) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for remark in &prepared.choice.remarks {
            notices.push(self.notice(name, remark.what, remark.text.clone(), remark.fails_check));
        }
        let said = notices.iter().any(|notice| notice.what == Warning::Deprecated);
        for chart in prepared.charts.iter().filter(|chart| chart.archive.chart.deprecated && !said) {
            let text = format!("chart {} is deprecated", chart.archive.chart.name);
            notices.push(self.notice(name, Warning::Deprecated, text, true));
        }
        notices
    }

    fn notice(&self, name: &str, what: Warning, text: String, fails_check: bool) -> Notice {
        self.reader().notice(Some(name), what, text, fails_check)
    }

    /// The lock's entry of a component, without its images.
    fn component(&self, name: &str, prepared: &Prepared) -> lock::Component {
        let choice = &prepared.choice;
        let component = &self.catalog.components[name];
        let chart = |key: &str, fetched: &charts::Fetched| {
            let (own, version) = (&fetched.archive.chart.name, &fetched.archive.chart.version);
            lock::Chart {
                name: (own != key).then(|| own.clone()),
                version: (*version != choice.version).then(|| version.clone()),
                url: fetched.url.clone(),
                sha256: fetched.sha256,
                size: Some(fetched.size),
                from: fetched.from,
            }
        };
        let single = component.charts.is_empty();
        let by_name = prepared.charts.iter().filter(|_| !single);
        lock::Component {
            version: choice.version.clone(),
            tag: choice.tag.clone(),
            source: component
                .source
                .as_ref()
                .and_then(|source| source.value.github.as_ref())
                .map(|github| format!("https://github.com/{github}")),
            app_version: prepared.app_version().map(str::to_owned),
            inputs: assemble::inputs(self.catalog, name),
            chart: prepared.charts.first().filter(|_| single).map(|fetched| chart(name, fetched)),
            charts: by_name.map(|f| (f.archive.chart.name.clone(), chart(&f.archive.chart.name, f))).collect(),
            files: prepared.files.clone(),
            images: Vec::new(),
            signatures: Vec::new(),
        }
    }
}

fn keep<T>(
    good: &mut BTreeMap<String, T>,
    failures: &mut BTreeMap<String, Failure>,
    name: String,
    result: Result<T, Failure>,
) {
    match result {
        Ok(value) => {
            good.insert(name, value);
        }
        Err(failure) => {
            failures.insert(name, failure);
        }
    }
}
