//! `bundler inspect`.

use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_report};
use crate::{Exit, inspect, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A bundle, the directory that it was unpacked into, its parts, or a lock
    #[arg(required = true, value_name = "BUNDLE|DIR|LOCK")]
    paths: Vec<PathBuf>,

    /// Write the report as one page that needs no network: sizes down to layers, a list to sort and to search
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let inspection = inspect::inspect_all(&self.paths, &*global.reporter())?;
        if let Some(page) = &self.html {
            inspect::html::write(&inspection, page)?;
            if !global.quiet {
                ui::note(&ui::wrote(page));
            }
            return Ok(Exit::Done);
        }
        match global.format {
            Format::Json => print_report(&inspection),
            Format::Text => print(&ui::inspected::text(&inspection)),
            Format::Markdown => print(&ui::inspected::markdown(&inspection)),
        }
    }
}
