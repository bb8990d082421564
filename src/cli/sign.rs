//! `bundler sign`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_report};
use crate::{sign, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bundle, or the first of its parts, which is replaced by the signed one
    bundle: PathBuf,
    /// An SSH private key, or the public half of one that an agent or a security key holds
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let signed = sign::sign(&self.bundle, &self.key, &*reporter)?;
        drop(reporter);
        match global.format {
            Format::Json => print_report(&signed),
            Format::Text | Format::Markdown => print(&ui::packed::signed(&signed)),
        }
    }
}
