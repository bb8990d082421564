//! Hauler's manifests: documents of the kinds `Images`, `Charts` and `Files`, of v1 and v1alpha1.

use serde::Deserialize;

use super::{Chart, Inventory};
use crate::yaml::{self, YamlError};

/// The most documents of a manifest: people have one or two of each kind.
const MAX_DOCUMENTS: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    charts: Vec<HaulerChart>,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Image {
    name: String,
}

#[derive(Deserialize)]
struct HaulerChart {
    name: String,
    #[serde(default, rename = "repoURL")]
    repository: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

#[derive(Deserialize)]
struct File {
    path: String,
}

/// Reads the documents of a manifest; a kind that we have nothing for is noted.
pub(super) fn read(file: &str, text: &str, inventory: &mut Inventory) -> Result<(), YamlError> {
    let mut documents = Vec::new();
    let (mut first, mut current) = (0, String::new());
    for (line, text) in (0..).zip(text.lines()) {
        if text == "---" || text.starts_with("--- ") {
            documents.push((first, std::mem::take(&mut current)));
            first = line + 1;
        } else {
            current.push_str(text);
            current.push('\n');
        }
    }
    documents.push((first, current));
    if documents.len() > MAX_DOCUMENTS {
        let message = format!("{} documents; at most {MAX_DOCUMENTS} are read", documents.len());
        return Err(YamlError::new(file, yaml::Place::default(), message));
    }
    for (first, text) in documents {
        let parsed = yaml::parse::<Option<Document>>(file, &text);
        let document = parsed.map_err(|mut error| {
            error.place.line += if error.place.line > 0 { first } else { 0 };
            error
        })?;
        if let Some(document) = document {
            add(document, inventory);
        }
    }
    Ok(())
}

fn add(document: Document, inventory: &mut Inventory) {
    let Document { api_version, kind, spec } = document;
    if !api_version.contains("hauler.cattle.io/") || !matches!(kind.as_str(), "Images" | "Charts" | "Files") {
        let what = format!("a document `{kind}` of `{api_version}`");
        inventory.notes.push(format!("{what} is none of Hauler's Images, Charts and Files: it is left out"));
        return;
    }
    let Some(spec) = spec else { return };
    for image in spec.images {
        inventory.image(&image.name);
    }
    for chart in spec.charts {
        // `oci://registry/path` holds the chart; a chart without a repository is a file beside the manifest.
        let HaulerChart { name, repository, version } = chart;
        inventory.charts.push(Chart { name, repository, version, ..Chart::default() });
    }
    inventory.files.extend(spec.files.into_iter().map(|file| file.path));
}
