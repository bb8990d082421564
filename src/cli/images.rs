//! `bundler images`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::places::Places;
use super::run::ProcessError;
use super::{Format, Global, Outcome, network, print, print_list, run};
use crate::chart::{Helm, Release, helm, images};
use crate::error::Error;
use crate::source::Http;
use crate::ui::{self, diagnostic};
use crate::{catalog, lock, resolve, yaml};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only these components of the catalog
    component: Vec<String>,
    /// A chart's archive instead of the catalog; no registry is asked
    #[arg(long, value_name = "FILE.tgz", conflicts_with_all = ["component", "catalog", "lock"])]
    chart: Option<PathBuf>,
    /// A values file for the chart; may be given more than once, the later ones win
    #[arg(long, value_name = "FILE", requires = "chart")]
    values: Vec<PathBuf>,
    /// A single value for the chart, as Helm's own `--set` takes it; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value, requires = "chart")]
    set: Vec<String>,
    /// Render the chart for this Kubernetes instead of Helm's own
    #[arg(long, value_name = "VERSION", requires = "chart")]
    kube_version: Option<String>,
    /// Show where each image was found
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    places: Places,
}

fn key_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.to_owned()),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Args {
    pub(super) fn run(mut self, global: &Global) -> Outcome {
        match self.chart.take() {
            Some(chart) => self.of_chart(&chart, global),
            None => self.of_catalog(global),
        }
    }

    fn of_chart(self, chart: &Path, global: &Global) -> Outcome {
        let values = self.values.iter().map(|path| read_values(path)).collect::<Result<_, _>>()?;
        let release = Release {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            values,
            options: self.set,
            kube_version: self.kube_version,
            ..Release::default()
        };
        let found = run::block_on(async |cancelled| {
            let discover = async {
                let path = std::env::var_os("PATH");
                let helm =
                    Helm::find(global.helm.as_deref(), path.as_deref()).await.map_err(crate::chart::Error::from)?;
                Ok::<_, Error>(images::of_chart(&helm, chart, &release).await?)
            };
            cancelled.run_until_cancelled(discover).await.unwrap_or(Err(ProcessError::Interrupted.into()))
        })?;
        for broken in &found.broken {
            let text = format!("`{}` is no image reference: {}", broken.image, broken.place);
            ui::note(&diagnostic::warning(&text));
        }
        match global.format {
            Format::Json => print_list(&found.by_image()),
            Format::Text | Format::Markdown => print(&ui::images::of_chart(&found.by_image(), self.why)),
        }
    }

    fn of_catalog(self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let catalog = catalog::read(&self.places.catalog)?;
        let lock = lock::read(&self.places.lock)?;
        let cache_dir = run::cache_dir(self.places.cache_dir)?;
        let http = network::options(global, Some(&cache_dir), reporter.clone())?;
        let images = run::block_on(async |cancelled| {
            let options = resolve::Options {
                catalog,
                lock: Some(lock),
                components: self.component,
                as_of: None,
                now: Timestamp::now(),
                jobs: global.jobs.map_or(resolve::DEFAULT_JOBS, usize::from),
                helm: global.helm.clone(),
                search_path: std::env::var_os("PATH"),
                cache_dir,
                offline: global.offline,
                signatures: resolve::SignatureCheck::Skipped,
                http: Http::new(http)?,
            };
            Ok::<_, Error>(resolve::why(options, &*reporter, cancelled).await?)
        })?;
        drop(reporter);
        for line in ui::images::notes(&images) {
            ui::note(&line);
        }
        match global.format {
            Format::Json => print_list(&ui::images::json(&images))?,
            Format::Text | Format::Markdown => print(&ui::images::of_catalog(&images, self.why))?,
        };
        Ok(images.exit())
    }
}

fn read_values(path: &Path) -> Result<helm::Values, ProcessError> {
    let file = path.display().to_string();
    let bytes = yaml::read_any(path).map_err(|source| ProcessError::Read { path: path.to_owned(), source })?;
    let text = yaml::text(&file, &bytes)?.to_owned();
    Ok(helm::Values { file, text })
}
