//! `bundler push`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, network, print, print_report, run};
use crate::bundle::set::Choice;
use crate::oci::Reference;
use crate::push::{self, Target};
use crate::ui;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bundles, or the directories that they were unpacked into; one for amd64 and one for arm64 make whole images
    #[arg(required = true, num_args = 1.., value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// The registry, with `http://` before it where it speaks plain http; images are at REGISTRY/PREFIX/REPOSITORY,
    /// charts at oci://REGISTRY/PREFIX/charts/NAME. Credentials are those of docker or podman
    #[arg(value_name = "REGISTRY[/PREFIX]")]
    registry: String,
    /// Only what this profile carries; may be given more than once
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// Only what this component runs; may be given more than once
    #[arg(long, value_name = "NAME")]
    component: Vec<String>,
    /// Only this image, or all tags of a name, and no charts; may be given more than once
    #[arg(long, value_name = "REFERENCE")]
    image: Vec<Reference>,
    /// Keep the original registry in the names: REGISTRY/PREFIX/quay.io/REPOSITORY
    #[arg(long)]
    keep_registry: bool,
    /// Ask what is missing and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Write what nodes need into this directory: containerd's certs.d/*/hosts.toml, the registries.yaml of k3s, and
    /// Helm values with `global.imageRegistry`
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let options = push::Options {
            bundles: self.bundles,
            target: self.registry.parse::<Target>()?.keeping_registry(self.keep_registry),
            choice: Choice { profiles: self.profile, components: self.component, images: self.image },
            http: network::options(global, None, reporter.clone())?,
            jobs: global.jobs.map(usize::from),
            dry_run: self.dry_run,
            write: self.write,
        };
        let pushed = run::block_on(async |cancelled| Ok(push::run(options, cancelled).await?))?;
        drop(reporter);
        match global.format {
            Format::Json => print_report(&pushed),
            Format::Text | Format::Markdown => print(&ui::pushed::text(&pushed)),
        }
    }
}
