//! Adding a component to a catalog: an image, a chart or a release's file, in its newest version that fits.
//!
//! [`Plan`] is what can be told without any network. [`Plan::look`] asks for the tags, and what they look like is guessed
//! ([`Seen`]); [`Plan::draft`] writes the component; [`Plan::found`] resolves it as `bundler resolve` would, because what
//! does not resolve is not added; [`Added::write`] puts it into the catalog.

mod asset;
mod error;
mod seen;
mod wanted;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

pub use error::Error;
pub use seen::{Answer, Seen};
pub use wanted::Wanted;

use crate::catalog::{self, Catalog};
use crate::init::component::{self, Asset, Taken};
use crate::init::{SCHEMA_LINE, bare};
use crate::lock::{Lock, weight};
use crate::name::{is_label, is_name};
use crate::oci::{Arch, Reference};
use crate::resolve::{Resolved, choice};
use crate::source::Registry;
use crate::source::github::{GitHub, Release, Repository};
use crate::version::{Constraint, Pattern, Survey, Version, compatible, guess};
use crate::yaml::{self, Place};

/// How many of a repository's newest tags are asked for a release with files: past them the pattern is another thing's.
const MAX_ASKED: usize = 10;

/// What somebody wants added, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The catalog's directory.
    pub directory: PathBuf,
    /// What.
    pub wanted: Wanted,
    /// The component's name, if it is not to be that of the thing.
    pub name: Option<String>,
    /// Which versions.
    pub version: Option<Constraint>,
    /// What its tags look like, if that is not to be guessed.
    pub pattern: Option<Pattern>,
    /// The profiles that it goes into.
    pub profiles: Vec<String>,
    /// How old a release must be, where that differs from the policy.
    pub min_age: Option<String>,
    /// The values of a chart.
    pub values: Option<Vec<u8>>,
    /// The namespace of a chart's release.
    pub namespace: Option<String>,
}

/// What is to be done; everything that can be wrong without a network has been looked at.
pub struct Plan {
    request: Request,
    catalog: Catalog,
    name: String,
    profiles: Vec<String>,
}

/// A component that is written but not in the catalog yet.
pub struct Draft {
    shape: Shape,
    pattern: Option<Pattern>,
    /// What its versions are narrowed to until one is chosen.
    within: Option<String>,
}

/// What has to be written besides the versions.
enum Shape {
    Chart { repository: String, name: String },
    Image { repository: String },
    File { repository: Repository, file: String, asset: Asset, sums: Option<String> },
}

/// A component with what was found for it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Added {
    /// Its name.
    pub component: String,
    /// The version that was chosen.
    pub version: String,
    /// The chart's `appVersion`.
    pub app_version: Option<String>,
    /// What its tags look like.
    pub pattern: Option<String>,
    /// The charts.
    pub charts: Vec<String>,
    /// The images.
    #[schemars(with = "Vec<String>")]
    pub images: Vec<Reference>,
    /// The files.
    pub files: Vec<String>,
    /// What it weighs in bytes, as far as that is known, for each architecture.
    pub bytes: BTreeMap<Arch, u64>,
    /// The profiles that it is in.
    pub profiles: Vec<String>,
    /// The file that says all this.
    pub file: PathBuf,
    #[serde(skip)]
    directory: PathBuf,
    #[serde(skip)]
    texts: BTreeMap<String, Vec<u8>>,
}

impl Plan {
    /// Reads the catalog and looks whether the component can be added at all.
    ///
    /// # Errors
    /// There is no catalog, the component is there already, a profile is not.
    pub fn new(request: Request) -> Result<Self, Error> {
        let directory = &request.directory;
        if !directory.join("catalog.yaml").exists() {
            return Err(Error::NoCatalog { directory: directory.clone() });
        }
        let catalog = catalog::read(directory)?;
        let name = match &request.name {
            Some(name) => name.clone(),
            None => request.wanted.name(),
        };
        if !is_name(&name) {
            return Err(Error::Name { name });
        }
        let own = directory.join("components").join(&name);
        if std::fs::symlink_metadata(&own).is_ok() {
            let place = catalog.components.get(&name).map(|known| Place::from(&known.name)).unwrap_or_default();
            let file = if place.line > 0 { own.join("component.yaml") } else { own };
            return Err(Error::Exists { name, file, place });
        }
        let mut profiles = request.profiles.clone();
        if let ([], [only]) = (profiles.as_slice(), catalog.file.profiles.keys().collect::<Vec<_>>().as_slice()) {
            // Where there is one profile, a component outside of it would be in no bundle.
            profiles.push((*only).clone());
        }
        let plan = Self { profiles, catalog, name, request };
        write::catalog_text(plan.catalog.directory.as_path(), &plan.profiles, &plan.name)?;
        Ok(plan)
    }

    /// The component's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tags of what is wanted, and what they look like; none of a chart, whose versions need no pattern.
    ///
    /// # Errors
    /// The repository does not answer, has no release, or none that fits the request.
    pub async fn look(&self, registry: &Registry, github: &GitHub) -> Result<Option<Seen>, Error> {
        let (what, tags, names, given) = match &self.request.wanted {
            Wanted::Chart { .. } => return Ok(None),
            Wanted::Image { reference } => {
                let what = reference.name();
                let tags = registry.tags(reference).await.map_err(|source| Error::tags(&what, source))?;
                let last = reference.repository().rsplit('/').next().unwrap_or_default().to_owned();
                (what, tags, [self.name.clone(), last], reference.tag().and_then(guess))
            }
            Wanted::File { repository, tag, .. } => {
                let listing = github.tags(repository, "").await.map_err(|source| Error::GitHub(Box::new(source)))?;
                let names = [self.name.clone(), self.request.wanted.name()];
                (repository.to_string(), listing.tags.keys().cloned().collect(), names, tag.as_deref().and_then(guess))
            }
        };
        let survey = Survey::of(tags, &names.each_ref().map(String::as_str));
        let given = self.request.pattern.clone().or(given.map(|guess| guess.pattern));
        Seen::new(what, survey, given, self.request.version.clone()).map(Some)
    }

    /// Writes the component, with the pattern that was chosen.
    ///
    /// # Errors
    /// No release has files, or it is not clear which of them is meant.
    pub async fn draft(&self, github: &GitHub, pattern: Option<Pattern>, seen: Option<&Seen>) -> Result<Draft, Error> {
        let bound = pattern.as_ref().zip(seen).and_then(|(pattern, seen)| seen.survey().fit(pattern).bound);
        let tag = match &self.request.wanted {
            Wanted::Image { reference } => reference.tag(),
            Wanted::File { tag, .. } => tag.as_deref(),
            Wanted::Chart { .. } => None,
        };
        let of_tag = || tag.and_then(|tag| pattern.as_ref()?.version(tag)).map(|version| compatible(&version));
        let within = self.request.version.as_ref().map(ToString::to_string);
        let within = within.or_else(of_tag).or_else(|| bound.map(str::to_owned));
        let shape = match &self.request.wanted {
            Wanted::Chart { repository, name } => Shape::Chart { repository: repository.clone(), name: name.clone() },
            Wanted::Image { reference } => Shape::Image { repository: reference.name() },
            Wanted::File { repository, asset, .. } => {
                let pattern = pattern.as_ref().ok_or(Error::Declined)?;
                self.file(github, repository, pattern, within.as_deref(), asset.as_deref()).await?
            }
        };
        Ok(Draft { shape, pattern, within })
    }

    /// Which file of the newest release is meant.
    async fn file(
        &self,
        github: &GitHub,
        repository: &Repository,
        pattern: &Pattern,
        within: Option<&str>,
        wanted: Option<&str>,
    ) -> Result<Shape, Error> {
        let listing = github.tags(repository, "").await.map_err(|source| Error::GitHub(Box::new(source)))?;
        let within: Option<Constraint> = within.and_then(|within| within.parse().ok());
        let ranked = choice::rank(listing.tags.keys(), pattern, within.as_ref(), None);
        for candidate in ranked.into_iter().take(MAX_ASKED) {
            let release = github.release(repository, &candidate.tag, listing.fingerprint).await;
            let Some(release) = release.map_err(|source| Error::GitHub(Box::new(source)))? else { continue };
            if !release.draft && !release.prerelease && !release.assets.is_empty() {
                return self.file_of(repository, &release, &candidate.version, wanted);
            }
        }
        Err(Error::NoFiles { what: repository.to_string(), pattern: pattern.to_string() })
    }

    fn file_of(
        &self,
        repository: &Repository,
        release: &Release,
        version: &Version,
        wanted: Option<&str>,
    ) -> Result<Shape, Error> {
        let what = format!("{} of {repository}", release.tag_name);
        let picked = asset::pick(&what, release, version.as_str(), &self.catalog.file.platform.architectures, wanted)?;
        let taken: BTreeSet<&str> =
            self.catalog.components.values().flat_map(|c| &c.files).map(|file| file.name.value.as_str()).collect();
        let plain = bare(&picked.name);
        let free = [plain.clone(), format!("{}-{plain}", self.name)];
        let file = free.into_iter().find(|name| is_name(name) && !taken.contains(name.as_str()));
        let file = file.unwrap_or_else(|| format!("{}.file", self.name));
        Ok(Shape::File { repository: repository.clone(), file, asset: picked.asset, sums: picked.sums })
    }

    /// The component's files and the catalog with it.
    fn with(&self, draft: &Draft, within: Option<&str>) -> Result<(Catalog, BTreeMap<String, Vec<u8>>), Error> {
        let pattern = draft.pattern.as_ref().map(ToString::to_string).unwrap_or_default();
        let taken = within.map_or(Taken::All, Taken::Within);
        let text = match &draft.shape {
            Shape::Chart { repository, name } => {
                let label: String = self.name.to_lowercase().replace(['.', '_'], "-").chars().take(53).collect();
                let release = if is_label(label.trim_matches('-'), 53) { label.trim_matches('-') } else { "release" };
                let chart = component::Chart {
                    repository,
                    name,
                    version: within,
                    values: self.request.values.is_some(),
                    release,
                    namespace: self.request.namespace.as_deref().unwrap_or(release),
                };
                component::chart(&self.name, &chart)
            }
            Shape::Image { repository } => component::image(&self.name, repository, &pattern, taken),
            Shape::File { repository, file, asset, sums } => {
                let repository = repository.to_string();
                let file = component::File {
                    repository: &repository,
                    pattern: &pattern,
                    name: file,
                    asset,
                    sums: sums.as_deref(),
                };
                component::file(&self.name, &file, taken)
            }
        };
        let age = self.request.min_age.as_ref().map(|age| format!("min_age: {age}\n")).unwrap_or_default();
        let text = format!("{}{text}{age}", self.schema_line());
        let mut files = BTreeMap::from([("component.yaml".to_owned(), text.into_bytes())]);
        if let Some(values) = &self.request.values {
            files.insert("values.yaml".to_owned(), values.clone());
        }
        let text = write::catalog_text(&self.catalog.directory, &self.profiles, &self.name)?;
        let catalog = catalog::with_component(&self.catalog, &text, &self.name, files.clone());
        Ok((catalog.map_err(Error::Unsound)?, files))
    }

    /// The line that tells editors the schema, as the catalog's other files have it.
    fn schema_line(&self) -> String {
        let line = |text: &str| text.lines().find(|line| line.starts_with(SCHEMA_LINE)).map(str::to_owned);
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(line);
        let others = self.catalog.inputs.values().filter_map(|files| files.get("component.yaml"));
        let known = others.into_iter().find_map(|bytes| text(bytes));
        let of_catalog = || {
            let bytes = yaml::read(&self.catalog.directory.join("catalog.yaml")).ok()?;
            let line = text(&bytes)?;
            let place = line.strip_prefix(SCHEMA_LINE)?;
            let ours = place.strip_suffix("catalog.json")?;
            let up = if place.contains("://") || place.starts_with('/') { "" } else { "../../" };
            Some(format!("{SCHEMA_LINE}{up}{ours}component.json"))
        };
        known.or_else(of_catalog).map(|line| line + "\n").unwrap_or_default()
    }

    /// The catalog with the component, to be resolved.
    ///
    /// # Errors
    /// The component breaks the catalog's rules.
    pub fn drafted(&self, draft: &Draft) -> Result<Catalog, Error> {
        Ok(self.with(draft, draft.within.as_deref())?.0)
    }

    /// The text of the drafted component.
    ///
    /// # Errors
    /// It breaks the catalog's rules.
    pub fn text(&self, draft: &Draft) -> Result<String, Error> {
        let (_, files) = self.with(draft, draft.within.as_deref())?;
        Ok(files.get("component.yaml").map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default())
    }

    /// What resolving the drafted catalog came to: the component with a constraint that keeps to what was found.
    ///
    /// # Errors
    /// The component did not resolve.
    pub fn found(&self, draft: &Draft, mut resolved: Resolved) -> Result<Added, Error> {
        let lock = resolved.lock;
        let locked = match (resolved.failures.remove(&self.name), lock.components.get(&self.name)) {
            (None, Some(locked)) => locked,
            (source, _) => return Err(Error::NotResolved { name: self.name.clone(), source: source.map(Box::new) }),
        };
        let asked = self.request.version.as_ref().map(ToString::to_string);
        let kept = locked.version.parse().ok().map(|version| compatible(&version));
        let within = asked.or(kept).or_else(|| draft.within.clone());
        let (catalog, texts) = self.with(draft, within.as_deref())?;
        let charts = catalog.components[&self.name].all_charts().map(|chart| chart.value.name.clone()).collect();
        let architectures = &catalog.file.platform.architectures;
        Ok(Added {
            component: self.name.clone(),
            version: locked.version.clone(),
            app_version: locked.app_version.clone(),
            pattern: draft.pattern.as_ref().map(ToString::to_string),
            charts,
            images: locked.images.clone(),
            files: locked.files.keys().cloned().collect(),
            bytes: architectures.iter().map(|arch| (*arch, self.weight(&lock, *arch))).collect(),
            profiles: self.profiles.clone(),
            file: self.catalog.directory.join("components").join(&self.name).join("component.yaml"),
            directory: self.catalog.directory.clone(),
            texts,
        })
    }

    fn weight(&self, lock: &Lock, arch: Arch) -> u64 {
        weight::of(lock, [self.name.as_str()], arch).known
    }
}
