//! `bundler inspect`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_json};
use crate::{inspect, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A bundle, the directory that it was unpacked into, or a lock
    #[arg(value_name = "BUNDLE|DIR|LOCK")]
    path: PathBuf,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let inspection = inspect::inspect(&self.path)?;
        match global.format {
            Format::Json => print_json(&inspection),
            Format::Text | Format::Markdown => print(&ui::inspected::text(&inspection)),
        }
    }
}
