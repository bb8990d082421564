//! `bundler verify`.

use std::num::NonZero;
use std::path::PathBuf;

use super::{Format, Global, Outcome, print, print_json};
use crate::exit::Exit;
use crate::{ui, verify};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bundle, or the directory that it was unpacked into
    bundle: PathBuf,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let jobs = global.jobs.and_then(|jobs| NonZero::new(usize::from(jobs)));
        let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let report = verify::verify(&self.bundle, jobs.unwrap_or_else(cores), &*reporter)?;
        drop(reporter);
        match global.format {
            Format::Json => print_json(&report)?,
            Format::Text | Format::Markdown => print(&ui::verified::text(&report))?,
        };
        Ok(if report.good { Exit::Done } else { Exit::No })
    }
}
