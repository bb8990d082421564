//! `bundler diff`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_report};
use crate::{inspect, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A lock, a bundle or the first of its parts, or the directory that one was unpacked into
    old: PathBuf,
    /// The newer one
    new: PathBuf,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let comparison = inspect::compare(&self.old, &self.new, &*global.reporter())?;
        match global.format {
            Format::Json => print_report(&comparison),
            Format::Text => print(&ui::compared::text(&comparison)),
            Format::Markdown => print(&ui::compared::markdown(&comparison)),
        }
    }
}
