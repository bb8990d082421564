//! `bundler images`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::run::ProcessError;
use super::{Format, Global, Outcome, print, print_json, run};
use crate::chart::images::{self, Image};
use crate::chart::{Helm, Release, helm};
use crate::error::Error;
use crate::ui::{self, diagnostic};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A chart's archive; no catalog and no registry is asked
    #[arg(long, required = true, value_name = "FILE.tgz")]
    chart: PathBuf,
    /// A values file; may be given more than once, the later ones win
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// A single value; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Render for this Kubernetes instead of Helm's own
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Show where each image was found
    #[arg(long)]
    why: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let values = self.values.iter().map(|path| read_values(path)).collect::<Result<_, _>>()?;
        let release = Release {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            values,
            set: self.set.into_iter().collect::<BTreeMap<_, _>>(),
            kube_version: self.kube_version,
            ..Release::default()
        };
        let found = run::block_on(async |cancelled| {
            let discover = async {
                let path = std::env::var_os("PATH");
                let helm =
                    Helm::find(global.helm.as_deref(), path.as_deref()).await.map_err(crate::chart::Error::from)?;
                Ok::<_, Error>(images::of_chart(&helm, &self.chart, &release).await?)
            };
            cancelled.run_until_cancelled(discover).await.unwrap_or(Err(ProcessError::Interrupted.into()))
        })?;
        for broken in &found.broken {
            let text = format!("`{}` is no image reference: {}", broken.image, broken.place);
            ui::note(&diagnostic::warning(&text));
        }
        match global.format {
            Format::Json => print_json(&found.by_image()),
            Format::Text | Format::Markdown => print(&text(&found.by_image(), self.why)),
        }
    }
}

fn read_values(path: &Path) -> Result<helm::Values, ProcessError> {
    let text = std::fs::read_to_string(path).map_err(|source| ProcessError::Read { path: path.to_owned(), source })?;
    Ok(helm::Values { file: path.display().to_string(), text })
}

fn text(images: &[Image], why: bool) -> String {
    let mut text = String::new();
    for image in images {
        text.push_str(&image.image);
        text.push('\n');
        for find in image.found.iter().filter(|_| why) {
            text.push_str(&format!("  {}: {}\n", find.kind.name(), find.place));
        }
    }
    text
}
