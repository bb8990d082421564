//! `bundler inspect`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_json};
use crate::{inspect, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A bundle, the directory that it was unpacked into, its parts, or a lock
    #[arg(required = true, value_name = "BUNDLE|DIR|LOCK")]
    paths: Vec<PathBuf>,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let inspection = inspect::inspect_all(&self.paths)?;
        match global.format {
            Format::Json => print_json(&inspection),
            Format::Text | Format::Markdown => print(&ui::inspected::text(&inspection)),
        }
    }
}
