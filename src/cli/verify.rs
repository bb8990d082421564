//! `bundler verify`.

use std::num::NonZero;
use std::path::PathBuf;

use jiff::Timestamp;

use super::{Format, Global, Outcome, print, print_report, run};
use crate::exit::Exit;
use crate::sign::Trust;
use crate::{ui, verify};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bundle, the directory that it was unpacked into, or its parts: the first, all of them, or their directory
    #[arg(required = true, value_name = "BUNDLE|DIR")]
    bundle: Vec<PathBuf>,
    /// Of a delta, the bundle that it was made for: check what it leaves out too
    #[arg(long, value_name = "BUNDLE|DIR")]
    base: Option<PathBuf>,
    /// Require a signature of somebody on this list, in the form of OpenSSH's allowed signers
    #[arg(long, value_name = "FILE", requires = "identity")]
    signers: Option<PathBuf>,
    /// The name on the list that has to have signed
    #[arg(long, value_name = "NAME", requires = "signers")]
    identity: Option<String>,
    /// Public keys that are not trusted any more, one a line
    #[arg(long, value_name = "FILE", requires = "signers")]
    revoked: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Outcome {
        let jobs = global.jobs.and_then(|jobs| NonZero::new(usize::from(jobs)));
        let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let trust = match (&self.signers, &self.identity) {
            (Some(signers), Some(identity)) => {
                Some(Trust::read(signers, identity, self.revoked.as_deref(), Timestamp::now())?)
            }
            _ => None,
        };
        let (base, jobs) = (self.base.as_deref(), jobs.unwrap_or_else(cores));
        let report = run::interruptible(global, |reporter| {
            Ok(verify::verify_all(&self.bundle, base, jobs, trust.as_ref(), reporter)?)
        })?;
        match global.format {
            Format::Json => print_report(&report)?,
            Format::Text | Format::Markdown => print(&ui::verified::text(&report))?,
        };
        Ok(if report.good { Exit::Done } else { Exit::No })
    }
}
