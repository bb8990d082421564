//! `bundler apply`.

use std::num::NonZero;
use std::path::PathBuf;

use super::pack::size;
use super::{Format, Global, Outcome, print, print_report, run};
use crate::{apply, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bundle that the delta was made for; an archive, its first part, or the directory that it was unpacked into
    base: PathBuf,
    /// The delta
    delta: PathBuf,
    /// The full bundle, byte for byte the published one
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Cut a bundle that is larger into parts of this size, such as 2000MB: FILE.part-001 and so on
    #[arg(long, value_name = "SIZE", value_parser = size)]
    split_size: Option<u64>,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let jobs = global.jobs.and_then(|jobs| NonZero::new(usize::from(jobs)));
        let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let jobs = jobs.unwrap_or_else(cores);
        let applied = run::interruptible(global, |reporter| {
            Ok(apply::apply(&self.base, &self.delta, &self.output, self.split_size, jobs, reporter)?)
        })?;
        match global.format {
            Format::Json => print_report(&applied),
            Format::Text | Format::Markdown => print(&ui::packed::applied(&applied)),
        }
    }
}
