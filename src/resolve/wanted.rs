//! Which images a component needs: those that its charts and manifests run, and those that the catalog and upstream name.

use std::collections::BTreeSet;

use super::Failure;
use super::sources::Sources;
use super::template::Names;
use super::versions::parse_url;
use crate::catalog::Catalog;
use crate::catalog::model::Component;
use crate::chart::images::{self, Discovery, Required, Rule};

/// The largest list of images that is read, 1 MiB: k3s' has 1 KiB.
const MAX_IMAGE_LIST: u64 = 1 << 20;

/// What is asked for one component.
pub(super) struct Wanted<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) sources: &'a Sources,
    pub(super) name: &'a str,
    /// The version and tag of the component.
    pub(super) names: Names<'a>,
}

impl Wanted<'_> {
    /// Every image that the component needs, `rendered` being what its charts run.
    pub(super) async fn images(&self, mut rendered: Discovery) -> Result<Required, Failure> {
        let component = &self.catalog.components[self.name];
        rendered.extend(self.resources(component)?);
        let mut declared = Vec::new();
        for image in &component.declared_images {
            declared.push((self.names.fill(&image.image.value)?, image.reason.as_str()));
        }
        for image in &component.images {
            declared.push((self.names.fill(&image.value)?, "an image of the component"));
        }
        for image in self.list(component).await? {
            declared.push((image, "in upstream's own list"));
        }
        let mut ignored = Vec::new();
        for image in &component.ignored_images {
            ignored.push((self.names.fill(&image.image.value)?, image.reason.as_str()));
        }
        images::required(&rendered, &rules(&declared), &rules(&ignored), false).map_err(Failure::Images)
    }

    /// What the component's own manifests run.
    fn resources(&self, component: &Component) -> Result<Discovery, Failure> {
        let mut found = Discovery::default();
        for (path, bytes) in self.catalog.inputs.get(self.name).into_iter().flatten() {
            let below = |resource: &str| {
                path.strip_prefix(resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let named = component.resources.iter().any(|r| below(r.value.trim_end_matches('/')));
            let yaml = [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
            if named && yaml {
                let more = images::discover(path, &String::from_utf8_lossy(bytes));
                found.extend(more.map_err(|error| Failure::Resource { source: Box::new(error) })?);
            }
        }
        Ok(found)
    }

    /// The references of upstream's own list, unless a file of the component holds those images.
    async fn list(&self, component: &Component) -> Result<BTreeSet<String>, Failure> {
        let mut images = BTreeSet::new();
        let Some(list) = component.image_list.as_ref().filter(|list| list.carried_by.is_none()) else {
            return Ok(images);
        };
        for arch in &self.catalog.file.platform.architectures {
            let upstream = component.arch.get(arch).map_or(arch.as_str(), String::as_str);
            let names = Names { arch: Some(upstream), ..self.names };
            let Some(url) = list.url.get(*arch) else { continue };
            let url = parse_url("image_list.url", &names.fill_url(url)?)?;
            let bytes = self.sources.document(&url, MAX_IMAGE_LIST).await?;
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            images.extend(lines.map(str::to_owned));
        }
        Ok(images)
    }
}

fn rules<'a>(list: &'a [(String, &'a str)]) -> Vec<Rule<'a>> {
    list.iter().map(|(image, reason)| Rule { image, reason }).collect()
}
