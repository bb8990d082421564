//! Finding every image in what a chart renders to, with the place of each find.
//!
//! [`discover`] is pure: rendered text in, finds out. [`required`] decides what of it is carried.
//! [`of_chart`] does the whole way from an archive.

mod document;
#[cfg(test)]
mod forms;
mod guess;
mod object;
mod require;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

pub use document::{Document, documents};
pub use require::{Origin, Required, Rule, required};

use super::{Helm, Release, archive, crd};
use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::oci::Reference;
use crate::yaml::YamlError;

/// What kind of place an image was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A container of a pod, an init or ephemeral container, or an image volume.
    Pod,
    /// The same in a Helm hook that runs with the release.
    Hook,
    /// Anything of an object that only `helm test` runs.
    Test,
    /// A custom resource, of which an operator makes pods.
    CustomResource,
    /// An argument of a container, such as `--prometheus-config-reloader=…`.
    Argument,
    /// An environment variable of a container, such as `RELATED_IMAGE_…`.
    Environment,
    /// Text in a ConfigMap, or in a Secret.
    ConfigMap,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Hook => "hook",
            Self::Test => "test",
            Self::CustomResource => "custom-resource",
            Self::Argument => "argument",
            Self::Environment => "environment",
            Self::ConfigMap => "config-map",
        }
    }
}

/// The place of a find.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Where {
    /// The template's path in the chart; empty for manifests that no chart made.
    pub template: String,
    /// The object: `Kind namespace/name`.
    pub object: String,
    /// The path in the object, such as `spec.template.spec.containers[0].image`.
    pub path: String,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.template.is_empty() {
            write!(f, "{}: ", self.template)?;
        }
        write!(f, "{}: {}", self.object, self.path)
    }
}

impl serde::Serialize for Where {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One find: an image at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// The reference as the chart writes it; put together where the chart writes it in several keys.
    pub image: String,
    /// The kind of the place.
    pub kind: Kind,
    /// The place.
    pub place: Where,
}

/// What was found in the manifests of one release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The finds, in the order of the manifests.
    pub found: Vec<Found>,
    /// Texts in a pod's `image` that are no references, such as a template that was not filled in.
    pub broken: Vec<Found>,
}

/// An image of a chart, with all places where it was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Image {
    /// The reference as the chart writes it.
    pub image: String,
    /// Where it was found.
    pub found: Vec<Find>,
}

/// A place where it was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Find {
    /// The kind of the place.
    pub kind: Kind,
    /// The place: the template, the object and the path in it.
    #[serde(rename = "where")]
    #[schemars(with = "String")]
    pub place: Where,
}

impl Discovery {
    /// The finds by image, sorted by it: the JSON of `bundler images`.
    #[must_use]
    pub fn by_image(&self) -> Vec<Image> {
        let mut images: BTreeMap<&str, Vec<Find>> = BTreeMap::new();
        for found in &self.found {
            images.entry(&found.image).or_default().push(Find { kind: found.kind, place: found.place.clone() });
        }
        images.into_iter().map(|(image, found)| Image { image: image.to_owned(), found }).collect()
    }

    /// Drops finds outside of pods that have no tag when the same repository was found with one: what reads them
    /// adds the tag itself, often from a variable beside them.
    fn drop_bare_names(&mut self) {
        let is_bare = |r: &Reference| r.tag().is_none() && r.digest().is_none();
        let references: Vec<Option<Reference>> = self.found.iter().map(|found| found.image.parse().ok()).collect();
        let tagged: HashSet<String> =
            references.iter().flatten().filter(|r| !is_bare(r)).map(Reference::name).collect();
        let mut references = references.into_iter();
        self.found.retain(|found| {
            let reference = references.next().flatten();
            let run = matches!(found.kind, Kind::Pod | Kind::Hook | Kind::Test);
            run || !reference.is_some_and(|r| is_bare(&r) && tagged.contains(&r.name()))
        });
    }

    /// Adds the finds of further manifests.
    pub fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
        self.broken.extend(other.broken);
    }
}

/// Why images cannot be found or carried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rendered manifest is no YAML; the line is one of the whole render.
    #[error(transparent)]
    Manifest(#[from] YamlError),
    /// A pod's image is no reference.
    #[error("`{text}` is no image reference: {place}{}", .written.as_ref().map(|at| format!(" (written in {at})")).unwrap_or_default())]
    Broken {
        /// The text.
        text: String,
        /// The place.
        place: Where,
        /// The file and line of ours that has this text, where one is known.
        written: Option<String>,
    },
    /// An image has no tag, or one that moves.
    #[error("{image} has {}, so what it is changes without notice: {place}", .tag.as_ref().map_or("no tag".to_owned(), |t| format!("the floating tag `{t}`")))]
    Floating {
        /// The image.
        image: Box<Reference>,
        /// Its tag.
        tag: Option<String>,
        /// The place: of a find, or `declared_images`.
        place: String,
    },
    /// One name and tag is pinned by two digests.
    #[error("{first} and {second} are one image with two digests: {} and {}", .places[0], .places[1])]
    Conflict {
        /// The one.
        first: Box<Reference>,
        /// The other.
        second: Box<Reference>,
        /// Their places.
        places: [String; 2],
    },
    /// The catalog declares one version and the chart runs another.
    #[error("{declared} is declared, but the chart runs {rendered}: {place}")]
    Contradicted {
        /// What the catalog says.
        declared: Box<Reference>,
        /// What the chart says.
        rendered: Box<Reference>,
        /// Where the chart says it.
        place: Where,
    },
    /// An entry of the catalog's lists is no reference.
    #[error("`{text}` in `{list}` is no image reference")]
    Rule {
        /// The text.
        text: String,
        /// `declared_images` or `ignored_images`.
        list: &'static str,
        /// What is wrong with it.
        source: crate::oci::reference::ReferenceError,
    },
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Manifest(_) => Exit::Source,
            Self::Rule { .. } => Exit::Usage,
            Self::Broken { .. } | Self::Floating { .. } | Self::Conflict { .. } | Self::Contradicted { .. } => Exit::No,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Manifest(error) => return error.hint.clone(),
            Self::Rule { .. } => return None,
            Self::Broken { .. } => {
                "set the image's value in `values`: Helm doesn't fill in templates within values".to_owned()
            }
            Self::Floating { .. } => {
                "set a tag in `values` or `set`, or list the image in `ignored_images` with the reason".to_owned()
            }
            Self::Conflict { .. } => "set one digest for both in `values`".to_owned(),
            Self::Contradicted { .. } => {
                "use `{app_version}` or `{version}` in `declared_images`, or correct it".to_owned()
            }
        })
    }
}

/// Finds every image in rendered manifests, in one or many documents.
///
/// `name` calls the text in errors, such as the chart's file. Definitions of custom resources are passed over.
pub fn discover(name: &str, manifests: &str) -> Result<Discovery, Error> {
    let mut discovery = Discovery::default();
    for document in documents(manifests) {
        if crd::is_definition(document.text) {
            continue;
        }
        let file = if document.template.is_empty() { name } else { document.template };
        let node = document::Node::parse(file, document.text).map_err(|mut error| {
            // Helm's output is nobody's file: the line of the document is the one that can be looked up.
            if document.template.is_empty() && error.place.line > 0 {
                error.place.line += document.line - 1;
            }
            error
        })?;
        object::find(&node, document.template, &mut discovery);
    }
    discovery.drop_bare_names();
    Ok(discovery)
}

/// Finds the images of the chart in `archive`, rendered as `release` with the API versions of its own CRDs too.
pub async fn of_chart(helm: &Helm, archive: &Path, release: &Release) -> Result<Discovery, super::Error> {
    let chart = archive::open(archive)?;
    let mut release = release.clone();
    release.api_versions.extend(crd::api_versions(&chart.crds));
    let manifests = helm.template(archive, &release).await?;
    Ok(discover(&archive.file_name().unwrap_or_default().to_string_lossy(), &manifests)?)
}

/// Takes finds at places of one object.
struct Sink<'a> {
    template: &'a str,
    object: &'a str,
    /// The object is only run by `helm test`.
    test: bool,
    /// What this object already gave: a text within a text is walked in more than one way.
    seen: HashSet<(String, String)>,
    discovery: &'a mut Discovery,
}

impl Sink<'_> {
    fn push(&mut self, kind: Kind, image: &str, path: &str) {
        if self.seen.insert((image.to_owned(), path.to_owned())) {
            let found = self.found(kind, image, path);
            self.discovery.found.push(found);
        }
    }

    /// A pod's `image`: whatever stands there is one, or else a mistake.
    fn pod_image(&mut self, kind: Kind, image: &str, path: &str) {
        let image = image.trim();
        // Istio's gateways leave it to the injector to set the image.
        if image.is_empty() || image == "auto" {
            return;
        }
        if image.parse::<Reference>().is_ok() {
            self.push(kind, image, path);
        } else {
            let found = self.found(kind, image, path);
            self.discovery.broken.push(found);
        }
    }

    fn found(&self, kind: Kind, image: &str, path: &str) -> Found {
        let place = Where { template: self.template.to_owned(), object: self.object.to_owned(), path: path.to_owned() };
        Found { image: image.to_owned(), kind: if self.test { Kind::Test } else { kind }, place }
    }
}
