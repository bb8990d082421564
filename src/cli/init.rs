//! `bundler init`.

use std::path::{Path, PathBuf};

use super::{Format, Global, Outcome, print, print_report};
use crate::init::{self, Inputs, Settings, Starter};
use crate::name::is_name;
use crate::oci::Arch;
use crate::ui::{self, diagnostic};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A list of images, one reference a line, such as k3s-images.txt; each input may be given more than once
    #[arg(long, value_name = "FILE")]
    images: Vec<PathBuf>,
    /// A directory of charts, packed or not; `--repository` says where they come from
    #[arg(long, value_name = "DIR")]
    charts: Vec<PathBuf>,
    /// A manifest of Hauler: Images, Charts and Files
    #[arg(long, value_name = "FILE")]
    hauler: Vec<PathBuf>,
    /// What `kubectl get pods -A -o json` prints
    #[arg(long, value_name = "FILE")]
    pods: Vec<PathBuf>,
    /// What `helmfile list --output json` prints
    #[arg(long, value_name = "FILE")]
    helmfile_list: Vec<PathBuf>,
    /// Where charts come from: all, or with NAME one chart or those of helmfile's repository; may be given more than once
    #[arg(long, value_name = "[NAME=]URL", value_parser = repository)]
    repository: Vec<(String, String)>,
    /// The Kubernetes minor of the sites
    #[arg(long, value_name = "MINOR", default_value = "1.36", value_parser = minor)]
    kubernetes: String,
    /// An architecture of the sites; may be given more than once
    #[arg(long, value_name = "ARCH", default_values_t = [Arch::Amd64, Arch::Arm64])]
    arch: Vec<Arch>,
    /// The bundle's name
    #[arg(long, value_name = "NAME", default_value = "my-bundle", value_parser = name)]
    name: String,
}

fn repository(text: &str) -> Result<(String, String), String> {
    let (name, url) = match text.split_once('=') {
        Some((name, url)) if is_name(name) => (name, url),
        _ => ("", text),
    };
    if !["https://", "http://", "oci://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err("expected [NAME=]URL with https://, http:// or oci://".to_owned());
    }
    Ok((name.to_owned(), url.to_owned()))
}

fn minor(text: &str) -> Result<String, String> {
    let number = |part: &str| !part.is_empty() && part.len() < 6 && part.bytes().all(|c| c.is_ascii_digit());
    match text.split_once('.') {
        Some((major, minor)) if number(major) && number(minor) => Ok(text.to_owned()),
        _ => Err("expected major and minor, such as 1.36".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(crate::name::RULE.to_owned()) }
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let directory = Path::new("manifests");
        let mut architectures = self.arch;
        architectures.sort();
        architectures.dedup();
        let settings = Settings {
            name: self.name,
            kubernetes: self.kubernetes,
            architectures,
            repositories: self.repository.into_iter().collect(),
        };
        init::check_free(directory)?;
        let inputs = Inputs {
            images: self.images,
            charts: self.charts,
            hauler: self.hauler,
            pods: self.pods,
            helmfile: self.helmfile_list,
        };
        let starter = Starter::of(init::read(&inputs)?, &settings);
        for note in &starter.notes {
            ui::note(&diagnostic::warning(note));
        }
        if starter.components.is_empty() && !inputs.is_empty() {
            return Err(init::Error::Nothing { noted: !starter.notes.is_empty() }.into());
        }
        init::write(&starter, directory)?;
        let next = match starter.components.len() {
            0 => "add what you want with `bundler add`",
            _ => "look at manifests/catalog.yaml, then run `bundler resolve`",
        };
        match global.format {
            Format::Json => print_report(&starter),
            Format::Text | Format::Markdown => print(&format!(
                "manifests/ written: {}\nNow {next}.\n",
                ui::count(starter.components.len(), "component")
            )),
        }
    }
}
