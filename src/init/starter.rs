//! From an inventory to the text of a catalog.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use url::Url;

use super::component::{self, Asset, Taken, quoted, scalar};
use super::{Chart, Inventory, Repositories};
use crate::catalog::model::{CatalogFile, Component};
use crate::name::{is_label, is_name};
use crate::oci::{Arch, Reference};
use crate::version::{Constraint, Guess, Version, compatible, guess};

/// What editors read completion and checks by; the schema's place follows.
pub const SCHEMA_LINE: &str = "# yaml-language-server: $schema=";

/// What the longest name leaves room for when it has to be made unique.
const MAX_NAME: usize = 48;

/// What an inventory does not say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bundle's name.
    pub name: String,
    /// The Kubernetes minor.
    pub kubernetes: String,
    /// The architectures.
    pub architectures: Vec<Arch>,
    /// Where charts come from.
    pub repositories: Repositories,
}

/// A catalog that is not written yet.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
#[schemars(description = "A catalog that was begun.")]
pub struct Starter {
    /// The files by path below `manifests/`.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
    /// The components, sorted.
    pub components: BTreeSet<String>,
    /// What was left out or decided, one sentence each.
    pub notes: Vec<String>,
    /// The last number behind a name that several things share.
    #[serde(skip)]
    numbers: BTreeMap<String, usize>,
    /// The files of releases, by URL and by name: one asset for each architecture is one file.
    #[serde(skip)]
    assets: BTreeSet<String>,
}

impl Starter {
    /// Makes a component of each thing that can be one; what cannot is noted.
    #[must_use]
    pub fn of(inventory: Inventory, settings: &Settings) -> Self {
        let mut starter = Self { notes: inventory.notes, ..Self::default() };
        starter.charts(inventory.charts, &settings.repositories);
        starter.images(inventory.images);
        starter.releases(inventory.files);
        let text = starter.catalog(settings);
        starter.files.insert("catalog.yaml".to_owned(), text);
        starter.files.extend(schemas());
        starter
    }

    fn charts(&mut self, charts: Vec<Chart>, repositories: &Repositories) {
        let mut chosen: BTreeMap<(String, String), Chart> = BTreeMap::new();
        for chart in charts {
            let names = [chart.alias.as_deref(), Some(chart.name.as_str()), Some("")];
            let known = || names.into_iter().flatten().find_map(|name| repositories.get(name));
            let Some(repository) = chart.repository.clone().or_else(|| known().cloned()) else {
                let name = chart.alias.as_deref().unwrap_or(&chart.name);
                self.notes.push(format!(
                    "chart `{}` is left out: where it comes from is not said; add `--repository {name}=URL`",
                    chart.name
                ));
                continue;
            };
            let repository = repository.trim_end_matches('/').to_owned();
            let host = match plain_url(&repository, &["https", "http", "oci"]) {
                Some(url) if is_name(&chart.name) => url,
                _ => {
                    let what = "its name or the URL of its repository is none that a catalog can hold";
                    self.notes.push(format!("chart `{}` is left out: {what}", chart.name));
                    continue;
                }
            };
            let key = (host.to_string(), chart.name.clone());
            let chart = Chart { repository: Some(repository), ..chart };
            let number = |chart: &Chart| chart.version.as_ref().and_then(|text| text.parse::<Version>().ok());
            match chosen.get(&key) {
                Some(other) if number(other) >= number(&chart) => {}
                _ => drop(chosen.insert(key, chart)),
            }
        }
        for chart in chosen.into_values() {
            self.chart(chart);
        }
    }

    fn chart(&mut self, chart: Chart) {
        let name = self.unique(&[&chart.name]);
        let label = |text: &str| {
            let text: String = text.to_lowercase().replace(['.', '_'], "-").chars().take(53).collect();
            Some(text.trim_matches('-').to_owned()).filter(|text| is_label(text, 53))
        };
        let release = chart.release.as_deref().and_then(label).or_else(|| label(&name));
        let release = release.unwrap_or_else(|| "release".to_owned());
        let namespace = chart.namespace.as_deref().and_then(label).unwrap_or_else(|| release.clone());
        let mut hold = None;
        match chart.version.as_deref().map(|text| (text, text.parse::<Version>())) {
            Some((_, Ok(version))) if version.is_prerelease() => {
                // No pre-release is ever chosen.
                self.notes.push(format!("chart `{}` {version} is a pre-release: releases are chosen", chart.name));
            }
            Some((_, Ok(version))) => hold = Some(compatible(&version)),
            Some((range, Err(_))) if range.parse::<Constraint>().is_ok_and(|range| range.is_satisfiable()) => {
                hold = Some(range.to_owned());
            }
            Some((range, Err(_))) => self
                .notes
                .push(format!("chart `{}`: the range `{range}` is not ours: any version is chosen", chart.name)),
            None => {}
        }
        let text = component::chart(
            &name,
            &component::Chart {
                repository: chart.repository.as_deref().unwrap_or_default(),
                name: &chart.name,
                version: hold.as_deref(),
                values: false,
                release: &release,
                namespace: &namespace,
            },
        );
        self.add(name, text);
    }

    fn images(&mut self, images: Vec<Reference>) {
        let mut chosen: BTreeMap<(String, String), (Reference, Guess)> = BTreeMap::new();
        for image in images.into_iter().collect::<BTreeSet<_>>() {
            let Some(tag) = image.tag() else {
                let what = if image.digest().is_some() { "a digest alone has no version" } else { "it has no tag" };
                self.notes.push(format!("`{image}` is left out: {what}; add the tag of a version"));
                continue;
            };
            let Some(guess) = guess(tag) else {
                let what = "names no version, and may be another image tomorrow";
                self.notes.push(format!("`{image}` is left out: its tag {what}; add the tag of a version"));
                continue;
            };
            let key = (image.name(), guess.pattern.to_string());
            match chosen.get(&key) {
                Some((other, better)) if better.version >= guess.version => {
                    self.notes.push(format!("`{image}`: `{other}` is carried instead, one version a component"));
                }
                other => {
                    if let Some((other, _)) = other {
                        self.notes.push(format!("`{other}`: `{image}` is carried instead, one version a component"));
                    }
                    chosen.insert(key, (image, guess));
                }
            }
        }
        for ((repository, pattern), (image, guess)) in chosen {
            self.image(&repository, &pattern, &image, &guess);
        }
    }

    fn image(&mut self, repository: &str, pattern: &str, image: &Reference, guess: &Guess) {
        let mut parts = repository.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let longer = format!("{}-{last}", parts.next().unwrap_or_default());
        let name = self.unique(&[last, &longer]);
        let constraint = compatible(&guess.version);
        let taken = if guess.held {
            self.notes.push(format!("{name}: held at `{image}`; newer builds need another `tag` in its source"));
            Taken::Held(
                guess.version.as_str(),
                "the tag has a build or is no release, so newer ones have other patterns",
            )
        } else {
            Taken::Within(&constraint)
        };
        let text = component::image(&name, repository, pattern, taken);
        self.add(name, text);
    }

    /// Files that are assets of releases on GitHub; of others nobody knows where newer ones are listed.
    fn releases(&mut self, files: Vec<String>) {
        for file in files.into_iter().collect::<BTreeSet<_>>() {
            match self.release(&file) {
                Some(Some((name, text))) => self.add(name, text),
                Some(None) => {}
                None => {
                    // A URL may hold a password; its host and its last part hold none.
                    let host = Url::parse(&file).ok().and_then(|url| url.host_str().map(str::to_owned));
                    let last = file.split(['?', '#']).next().unwrap_or_default();
                    let last = last.rsplit('/').next().unwrap_or_default();
                    let host = host.map(|host| format!(" of {host}")).unwrap_or_default();
                    let what = "it is no asset of a release on GitHub; docs/catalog.md has `files`";
                    self.notes.push(format!("file `{last}`{host} is left out: {what}"));
                }
            }
        }
    }

    /// The component of an asset: none for what is no asset, nothing for one that is there for another architecture.
    fn release(&mut self, file: &str) -> Option<Option<(String, String)>> {
        let url = plain_url(file, &["https"]).filter(|url| url.host_str() == Some("github.com"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return None;
        }
        let path: Vec<&str> = url.path_segments()?.collect();
        let [owner, project, "releases", "download", tag, asset] = path[..] else { return None };
        let tag = percent_encoding::percent_decode_str(tag).decode_utf8().ok()?;
        let Guess { pattern, version, held } = guess(&tag)?;
        let plain = is_name(owner) && is_name(project) && is_name(asset);
        if !plain || pattern.to_string().contains('/') {
            return None;
        }
        let template = asset.replace(version.as_str(), "{version}");
        let template = template.replace("amd64", "{arch}").replace("arm64", "{arch}");
        if !self.assets.insert(format!("{owner}/{project} {pattern} {template}")) {
            return Some(None);
        }
        let name = self.unique(&[project]);
        let file = bare(&template);
        let file = if is_name(&file) && self.assets.insert(file.clone()) { file } else { format!("{name}.file") };
        let constraint = compatible(&version);
        let taken = if held {
            Taken::Held(version.as_str(), "the tag has a build or is no release")
        } else {
            Taken::Within(&constraint)
        };
        let (repository, pattern) = (format!("{owner}/{project}"), pattern.to_string());
        let asset = Asset::One(template, BTreeMap::new());
        let asset =
            component::File { repository: &repository, pattern: &pattern, name: &file, asset: &asset, sums: None };
        let text = component::file(&name, &asset, taken);
        Some(Some((name, text)))
    }

    /// The first of `wanted` that no component has, or the last of them with a number.
    fn unique(&mut self, wanted: &[&str]) -> String {
        let plain = |text: &str| -> String {
            let word = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
            let text: String = text.to_lowercase().chars().map(word).take(MAX_NAME).collect();
            let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_name(text) { text.to_owned() } else { "component".to_owned() }
        };
        let wanted: Vec<String> = wanted.iter().map(|text| plain(text)).collect();
        if let Some(free) = wanted.iter().find(|name| !self.components.contains(*name)) {
            return free.clone();
        }
        let last = wanted.last().cloned().unwrap_or_default();
        let number = self.numbers.entry(last.clone()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{last}-{number}");
            if !self.components.contains(&name) {
                return name;
            }
        }
    }

    fn add(&mut self, name: String, text: String) {
        let text = format!("{SCHEMA_LINE}../../schema/component.json\n{text}");
        self.files.insert(format!("components/{name}/component.yaml"), text);
        self.components.insert(name);
    }

    fn catalog(&self, settings: &Settings) -> String {
        let architectures: Vec<&str> = settings.architectures.iter().map(|arch| arch.as_str()).collect();
        let mut text = format!(
            "{SCHEMA_LINE}schema/catalog.json\n# What the bundle is, what it has to run on, and which components go where.\n\
             # Each component is in components/<name>/component.yaml; `bundler schema catalog` has every field.\n\
             schema: 1\nname: {}\nversion: 0.1.0 # of the bundle: raise it with each release\n\
             platform:\n  kubernetes: {} # the minor that everything has to fit\n  architectures: [{}]\n\
             \x20 # also: [\"1.34\"] # other versions of Kubernetes on which everything has to install too\n\
             policy:\n  min_age: 7d # a hijacked release is usually found within days\n\
             profiles: # what `pack --profile NAME` takes; a component may be in several\n  all:",
            scalar(&settings.name),
            quoted(&settings.kubernetes),
            architectures.join(", "),
        );
        text.push_str(if self.components.is_empty() { " []\n" } else { "\n" });
        for name in &self.components {
            let _ = writeln!(text, "    - {}", scalar(name));
        }
        text
    }
}

/// The schemas of the two kinds of files, for editors.
fn schemas() -> [(String, String); 2] {
    let text = |schema: schemars::Schema| serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    [
        ("schema/catalog.json".to_owned(), text(schemars::schema_for!(CatalogFile))),
        ("schema/component.json".to_owned(), text(schemars::schema_for!(Component))),
    ]
}

/// An asset's name without version, system and architecture, which the bundle's own name says.
pub fn bare(template: &str) -> String {
    const SYSTEMS: [&str; 4] = ["gnu", "linux", "musl", "unknown"];
    let text = template.replace("v{version}", "").replace("{version}", "").replace("{arch}", "");
    let mut name = String::new();
    let mut rest = text.as_str();
    loop {
        let (separator, from) = rest.split_at(rest.len() - rest.trim_start_matches(['-', '_', '.']).len());
        let (word, after) = from.split_at(from.find(['-', '_', '.']).unwrap_or(from.len()));
        if word.is_empty() {
            return name;
        }
        if !SYSTEMS.iter().any(|system| word.eq_ignore_ascii_case(system)) {
            let separator = separator.chars().next_back().filter(|_| !name.is_empty());
            name.extend(separator);
            name.push_str(word);
        }
        rest = after;
    }
}

/// A URL with a host and without credentials.
fn plain_url(text: &str, schemes: &[&str]) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && !text.contains(['{', '}']);
    let hosted = url.host_str().is_some_and(|host| !host.is_empty());
    (plain && hosted && schemes.contains(&url.scheme())).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn a_file_is_named_by_what_it_is() {
        for (template, expected) in [
            ("yq_linux_{arch}", "yq"),
            ("runc.{arch}", "runc"),
            ("cni-plugins-linux-{arch}-v{version}.tgz", "cni-plugins.tgz"),
            ("node_exporter-{version}.linux-{arch}.tar.gz", "node_exporter.tar.gz"),
            ("Tool-{version}-{arch}-unknown-linux-musl.tar.gz", "Tool.tar.gz"),
            ("k3s", "k3s"),
            ("{version}", ""),
        ] {
            assert_eq!(bare(template), expected);
        }
    }
}
