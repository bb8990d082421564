//! Which images a component needs: those that its charts and manifests run, and those that the catalog and upstream name.

use std::collections::BTreeSet;

use super::Failure;
use super::sources::Sources;
use super::versions::parse_url;
use crate::catalog::Catalog;
use crate::catalog::model::Component;
use crate::catalog::names::Names;
use crate::chart::images::{self, Discovery, Required, Rule};
use crate::oci::Reference;

/// The largest list of images that is read, 1 MiB: k3s' has 1 KiB.
const MAX_IMAGE_LIST: u64 = 1 << 20;
/// How much of a line that is no image an error shows.
const MAX_SHOWN: usize = 120;

/// Why an image of upstream's own list is carried.
pub(super) const LISTED: &str = "in upstream's own list";

/// What is asked for one component.
pub(super) struct Wanted<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) sources: &'a Sources,
    pub(super) name: &'a str,
    /// The version and tag of the component.
    pub(super) names: Names<'a>,
}

/// What a component needs.
pub(super) struct Needed {
    pub(super) required: Required,
    /// How upstream's own list of images differs, a sentence each.
    pub(super) differences: Vec<String>,
}

impl Wanted<'_> {
    /// Every image that the component needs, `rendered` being what its charts run and `listed` upstream's own list.
    pub(super) fn images(&self, mut rendered: Discovery, listed: BTreeSet<Reference>) -> Result<Needed, Failure> {
        let component = &self.catalog.components[self.name];
        rendered.extend(self.resources(component)?);
        let mut declared = Vec::new();
        for image in &component.declared_images {
            declared.push((self.names.fill(&image.image.value)?, image.reason.as_str()));
        }
        for image in &component.images {
            declared.push((self.names.fill(&image.value)?, "an image of the component"));
        }
        let named: Vec<Reference> = declared.iter().filter_map(|(image, _)| image.parse().ok()).collect();
        let mut ignored = Vec::new();
        for image in &component.ignored_images {
            ignored.push((self.names.fill(&image.image.value)?, image.reason.as_str()));
        }
        let mut passed_over = BTreeSet::new();
        let mut list = Vec::new();
        for listed in listed {
            let mut rules = ignored.iter().filter_map(|(image, _)| image.parse::<Reference>().ok());
            match rules.find(|rule| is_of(rule, &listed)) {
                Some(rule) => drop(passed_over.insert(rule.to_string())),
                None => list.push(listed),
            }
        }
        let only_compared = component.image_list.as_ref().is_some_and(|list| list.carry == Some(false));
        if component.image_list.as_ref().is_some_and(|list| list.carried_by.is_none()) && !only_compared {
            declared.extend(list.iter().map(|image| (image.to_string(), LISTED)));
        }
        let required = images::required(&rendered, &rules(&declared), &rules(&ignored), false);
        let mut required = required.map_err(|mut errors| {
            for error in &mut errors {
                if let images::Error::Broken { text, written, .. } = error {
                    *written = self.written(text);
                }
            }
            Failure::Images(errors)
        })?;
        required.unused.retain(|rule| !passed_over.contains(rule));
        let mut differences = Vec::new();
        if component.image_list.is_some() {
            differences.extend(named.iter().filter_map(|image| outdated(image, &list)));
        }
        if only_compared {
            let missing = list.iter().filter(|listed| !required.images.keys().any(|image| is_of(listed, image)));
            differences.extend(missing.map(|image| format!("{image} is in upstream's list of images and not carried")));
        }
        Ok(Needed { required, differences })
    }

    /// The first line of the component's own files that has a text, as `file:line`.
    fn written(&self, text: &str) -> Option<String> {
        let files = self.catalog.inputs.get(self.name)?;
        files.iter().find_map(|(path, bytes)| {
            let bytes = String::from_utf8_lossy(bytes);
            let line = bytes.lines().position(|line| line.contains(text))? + 1;
            let file = self.catalog.directory.join("components").join(self.name).join(path);
            Some(format!("{}:{line}", file.display()))
        })
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

    /// The references of upstream's own list, if there is one.
    pub(super) async fn list(&self) -> Result<BTreeSet<Reference>, Failure> {
        let component = &self.catalog.components[self.name];
        let mut images = BTreeSet::new();
        let Some(list) = &component.image_list else { return Ok(images) };
        for arch in &self.catalog.file.platform.architectures {
            let upstream = component.arch.get(arch).map_or(arch.as_str(), String::as_str);
            let names = Names { arch: Some(upstream), ..self.names };
            let Some(url) = list.url.get(*arch) else { continue };
            let url = parse_url("image_list.url", &names.fill_url(url)?)?;
            let bytes = self.sources.document(&url, MAX_IMAGE_LIST).await?;
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            for line in lines {
                let reference = line.parse().map_err(|source| Failure::NotImage {
                    found: url.to_string(),
                    text: line.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect(),
                    source,
                })?;
                images.insert(reference);
            }
        }
        Ok(images)
    }
}

/// Whether an image is the one that a rule or a list names; without a tag that is the whole repository.
fn is_of(rule: &Reference, image: &Reference) -> bool {
    rule.name() == image.name() && rule.tag().is_none_or(|tag| image.tag() == Some(tag))
}

/// What is wrong with an image that the catalog declares, by upstream's own list.
fn outdated(declared: &Reference, list: &[Reference]) -> Option<String> {
    if list.iter().any(|listed| is_of(listed, declared)) {
        return None;
    }
    let now = list.iter().find(|listed| listed.name() == declared.name());
    let now = now.map_or("does not have it".to_owned(), |now| format!("has {now} instead"));
    Some(format!("{declared} is declared, and upstream's list of images {now}"))
}

fn rules<'a>(list: &'a [(String, &'a str)]) -> Vec<Rule<'a>> {
    list.iter().map(|(image, reason)| Rule { image, reason }).collect()
}
