//! `bundler pack`.

use std::path::PathBuf;

use super::places::Places;
use super::{Format, Global, Outcome, network, print, print_report, run};
use crate::bundle::parts;
use crate::catalog::scalar;
use crate::oci::Arch;
use crate::pack::{self, AddFile};
use crate::plan::Selection;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The architecture of the site; twice for one bundle with both
    #[arg(long, required = true, value_name = "ARCH")]
    arch: Vec<Arch>,
    /// Only the components of this profile; may be given more than once [default: all profiles]
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// Only this component; may be given more than once
    #[arg(long, value_name = "NAME")]
    component: Vec<String>,
    #[command(flatten)]
    places: Places,
    /// The bundle, or a directory for one with the default name
    #[arg(short, long, default_value = ".", value_name = "FILE|DIR")]
    output: PathBuf,
    /// The bundle's version instead of the catalog's
    #[arg(long, value_name = "VERSION")]
    bundle_version: Option<String>,
    /// Pack a profile that weighs more than its `budget` in the catalog
    #[arg(long)]
    allow_over_budget: bool,
    /// Leave out what this bundle holds, for `bundler apply` on a site that has it; or what a bundle of the same selection
    /// holds by this older lock
    #[arg(long, value_name = "BUNDLE|DIR|LOCK", conflicts_with = "have")]
    base: Option<PathBuf>,
    /// Leave out the files with these digests, one sha256 a line
    #[arg(long, value_name = "FILE")]
    have: Option<PathBuf>,
    /// Cut a bundle that is larger into parts of this size, such as 2000MB: NAME.part-001 and so on
    #[arg(long, value_name = "SIZE", value_parser = size)]
    split_size: Option<u64>,
    /// Keep no second copy: write into the bundle alone
    #[arg(long)]
    no_store: bool,
    /// Take what this earlier bundle has instead of fetching it; an archive or the directory it was unpacked into, may
    /// be given more than once
    #[arg(long, value_name = "BUNDLE|DIR")]
    from: Vec<PathBuf>,
    /// Sign the bundle with this SSH key: a private key, or the public half of one that an agent or a security key holds
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// Carry the signatures, attestations and bills of materials that upstream attached to the images and the lock has
    #[arg(long)]
    with_signatures: bool,
    /// Add a file that the lock does not know, such as files/bundler=./bundler
    #[arg(long, value_name = "files/NAME=PATH")]
    add_file: Vec<AddFile>,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let cache_dir = run::cache_dir(self.places.cache_dir)?;
        let options = pack::Options {
            catalog: self.places.catalog,
            lock: self.places.lock,
            http: network::options(global, Some(&cache_dir), reporter.clone())?,
            cache_dir,
            jobs: global.jobs.map(usize::from),
            output: self.output,
            no_store: self.no_store,
            from: self.from,
            selection: Selection {
                archs: self.arch,
                profiles: self.profile,
                components: self.component,
                signatures: self.with_signatures,
            },
            added: self.add_file,
            sign_key: self.sign_key,
            bundle_version: self.bundle_version,
            allow_over_budget: self.allow_over_budget,
            base: self.base,
            have: self.have,
            split_size: self.split_size,
        };
        let packed = run::block_on(async |cancelled| pack::run(&options, &*reporter, cancelled).await)?;
        drop(reporter);
        match global.format {
            Format::Json => print_report(&packed),
            Format::Text | Format::Markdown => print(&ui::packed::text(&packed)),
        }
    }
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    let size = scalar::bytes(text).ok_or("expected a size such as 2000MB or 2GiB")?;
    parts::check(size, size).map_err(|error| error.to_string())?;
    Ok(size)
}
