//! `bundler load` and `bundler unload`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_report, run};
use crate::bundle::set::Choice;
use crate::load::{self, Into, To};
use crate::oci::{Arch, Reference};
use crate::ui;

#[derive(Debug, clap::Args)]
pub(super) struct Load {
    /// The bundles, or the directories that they were unpacked into; several are read as one
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Only images of this profile; may be given more than once
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// Only images of this component; may be given more than once
    #[arg(long, value_name = "NAME")]
    component: Vec<String>,
    /// Only this image, or without tag all of this repository; may be given more than once
    #[arg(long, value_name = "REFERENCE")]
    image: Vec<Reference>,
    /// Images for this architecture [default: this machine's; all for oci-layout]
    #[arg(long, value_name = "ARCH")]
    arch: Vec<Arch>,
    /// Load an older version of the bundle than the one that is loaded
    #[arg(long)]
    allow_downgrade: bool,
    /// Afterwards remove what other versions of the bundle brought and no bundle needs
    #[arg(long)]
    prune: bool,
    /// Only tell what would be sent and removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Unload {
    /// The bundle, the directory that it was unpacked into, or NAME@VERSION
    #[arg(required = true, value_name = "BUNDLE|NAME@VERSION")]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// containerd, k3s-dir[=DIR], docker, podman or oci-layout:DIR [default: the only one on this machine]
    #[arg(long, value_name = "PLACE")]
    into: Option<Into>,
    /// containerd's socket [env: CONTAINERD_ADDRESS]
    #[arg(long, value_name = "SOCKET")]
    address: Option<PathBuf>,
    /// containerd's namespace
    #[arg(long, default_value = "k8s.io", value_name = "NAME")]
    namespace: String,
}

impl From<Place> for To {
    fn from(place: Place) -> Self {
        let address = place.address.or_else(|| run::variable("CONTAINERD_ADDRESS"));
        Self { into: place.into, address, namespace: place.namespace }
    }
}

impl Load {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let options = load::Options {
            bundles: self.bundles,
            choice: Choice { profiles: self.profile, components: self.component, images: self.image },
            archs: self.arch,
            to: self.place.into(),
            allow_downgrade: self.allow_downgrade,
            prune: self.prune,
            dry_run: self.dry_run,
            jobs: global.jobs.map(usize::from),
            now: jiff::Timestamp::now(),
        };
        let loaded = run::block_on(async |cancelled| Ok(load::load(&options, &*reporter, cancelled).await?))?;
        drop(reporter);
        match global.format {
            Format::Json => print_report(&loaded),
            Format::Text | Format::Markdown => print(&ui::loaded::text(&loaded)),
        }
    }
}

impl Unload {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let to = self.place.into();
        let unloaded =
            run::block_on(async |cancelled| Ok(load::unload(&self.bundles, &to, self.dry_run, cancelled).await?))?;
        match global.format {
            Format::Json => print_report(&unloaded),
            Format::Text | Format::Markdown => print(&ui::loaded::unloaded(&unloaded)),
        }
    }
}
