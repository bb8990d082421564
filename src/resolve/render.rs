//! Rendering all charts of the catalog together: what one of them defines, templates of another may ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::StreamExt as _;

use super::Failure;
use crate::catalog::model::{self, Catalog};
use crate::catalog::names::{Names, TemplateError};
use crate::chart::images::{self, Discovery};
use crate::chart::{Helm, Release, crd, helm::Values};

/// One chart of one component, ready to be rendered.
pub(super) struct Rendering {
    pub(super) component: String,
    pub(super) chart: String,
    pub(super) archive: PathBuf,
    pub(super) release: Release,
    /// Whether it is for another Kubernetes than the platform's first.
    pub(super) also: bool,
    /// What its `crds/` define, as API versions.
    pub(super) defines: BTreeSet<String>,
}

impl Rendering {
    fn failed(&self, error: impl Into<crate::chart::Error>) -> Failure {
        let kubernetes = self.release.kube_version.clone().filter(|_| self.also);
        Failure::Chart { chart: self.chart.clone(), kubernetes, source: Box::new(error.into()) }
    }
}

/// What the charts of one component render to; the first failure counts.
pub(super) type Rendered = BTreeMap<String, Result<Discovery, Failure>>;

/// The release of a chart as it will be installed.
pub(super) fn release(
    catalog: &Catalog,
    component: &str,
    chart: &model::Chart,
    names: &Names<'_>,
    kube_version: &str,
) -> Result<Release, TemplateError> {
    let mut set = BTreeMap::new();
    for (key, value) in &chart.set {
        set.insert(key.clone(), names.fill(value)?);
    }
    let file = chart.values.as_ref().map(|values| values.value.as_str());
    let bytes = file.and_then(|file| catalog.inputs.get(component)?.get(file));
    let values = file.zip(bytes).map(|(file, bytes)| Values {
        file: catalog.directory.join("components").join(component).join(file).display().to_string(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    });
    Ok(Release {
        name: chart.release.name.clone(),
        namespace: chart.release.namespace.clone(),
        values: values.into_iter().collect(),
        set,
        options: Vec::new(),
        kube_version: Some(kube_version.to_owned()),
        api_versions: BTreeSet::new(),
    })
}

/// Renders all of them, each with the API versions that the platform and every chart bring.
///
/// Definitions can be in templates too, so a first round that finds such is followed by a second one.
pub(super) async fn all(helm: &Helm, mut renderings: Vec<Rendering>, platform: &[String], jobs: usize) -> Rendered {
    let mut api_versions: BTreeSet<String> = platform.iter().cloned().collect();
    api_versions.extend(renderings.iter().flat_map(|rendering| rendering.defines.iter().cloned()));
    let (mut rendered, found) = round(helm, &mut renderings, &api_versions, jobs).await;
    if !found.is_subset(&api_versions) {
        api_versions.extend(found);
        rendered = round(helm, &mut renderings, &api_versions, jobs).await.0;
    }
    rendered
}

async fn round(
    helm: &Helm,
    renderings: &mut [Rendering],
    api_versions: &BTreeSet<String>,
    jobs: usize,
) -> (Rendered, BTreeSet<String>) {
    for rendering in renderings.iter_mut() {
        rendering.release.api_versions.clone_from(api_versions);
    }
    let each = renderings.iter().map(async |rendering| {
        let manifests = helm.template(&rendering.archive, &rendering.release).await;
        let manifests = manifests.map_err(|error| rendering.failed(error.of_chart(&rendering.chart)))?;
        let found = images::discover(&rendering.chart, &manifests);
        Ok((defined(&manifests), found.map_err(|error| rendering.failed(error))?))
    });
    let results: Vec<Result<(BTreeSet<String>, Discovery), Failure>> =
        futures_util::stream::iter(each).buffered(jobs.max(1)).collect().await;
    let mut rendered = Rendered::new();
    let mut definitions = BTreeSet::new();
    for (rendering, result) in renderings.iter().zip(results) {
        let result = result.map(|(defined, discovery)| {
            definitions.extend(defined);
            discovery
        });
        match (rendered.get_mut(&rendering.component), result) {
            (Some(Ok(all)), Ok(more)) if rendering.also => add_new(all, more),
            (Some(Ok(all)), Ok(more)) => all.extend(more),
            (Some(Err(_)), _) => {}
            (_, result) => {
                rendered.insert(rendering.component.clone(), result);
            }
        }
    }
    (rendered, definitions)
}

/// Adds what another Kubernetes brings; most of it is there already.
fn add_new(all: &mut Discovery, more: Discovery) {
    all.found.extend(more.found.into_iter().filter(|found| !all.found.contains(found)).collect::<Vec<_>>());
    all.broken.extend(more.broken.into_iter().filter(|found| !all.broken.contains(found)).collect::<Vec<_>>());
}

/// The API versions of the definitions among rendered manifests; one that cannot be read defines nothing.
fn defined(manifests: &str) -> BTreeSet<String> {
    let definitions = images::documents(manifests).filter(|document| crd::is_definition(document.text));
    let parsed: Vec<_> = definitions.filter_map(|d| crd::parse(d.template, d.text).ok()).collect();
    crd::api_versions(&parsed)
}
