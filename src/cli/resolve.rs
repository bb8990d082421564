//! `bundler resolve`.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use super::places::Places;
use super::{Format, Global, Outcome, network, print, print_report, run};
use crate::catalog::scalar;
use crate::error::Error;
use crate::exit::Exit;
use crate::resolve::{self, Resolved, SignatureCheck};
use crate::source::Http;
use crate::{catalog, lock, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only these components; the others keep what the lock has
    component: Vec<String>,
    #[command(flatten)]
    places: Places,
    /// Write nothing; end with 1 and the difference on stdout when the lock is stale
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; show the difference
    #[arg(long)]
    dry_run: bool,
    /// Fail where the signatures that a component's `verify` names cannot be checked; needs cosign on PATH
    #[arg(long)]
    require_signatures: bool,
    /// Check no signatures: the lock says so, and keeps what it says of the same digests
    #[arg(long, conflicts_with = "require_signatures")]
    skip_signatures: bool,
    /// Choose as on the end of this day, UTC
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<Date>,
}

fn day(text: &str) -> Result<Date, &'static str> {
    scalar::date(text).ok_or("expected a day, such as 2026-08-28")
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let reporter = global.reporter();
        let catalog = catalog::read(&self.places.catalog)?;
        let before = read_text(&self.places.lock)?;
        let file = self.places.lock.display().to_string();
        let old = before.as_deref().map(|text| lock::parse(&file, text)).transpose()?;
        let cache_dir = run::cache_dir(self.places.cache_dir)?;
        let http = network::options(global, Some(&cache_dir), reporter.clone())?;
        let signatures = match (self.require_signatures, self.skip_signatures) {
            (true, _) => SignatureCheck::Required,
            (_, true) => SignatureCheck::Skipped,
            _ => SignatureCheck::IfPossible,
        };
        let resolved = run::block_on(async |cancelled| {
            let options = resolve::Options {
                catalog,
                lock: old.clone(),
                components: self.component,
                as_of: self.as_of,
                now: Timestamp::now(),
                jobs: global.jobs.map_or(resolve::DEFAULT_JOBS, usize::from),
                helm: global.helm.clone(),
                signatures,
                search_path: std::env::var_os("PATH"),
                cache_dir,
                offline: global.offline,
                http: Http::new(http)?,
            };
            Ok::<_, Error>(resolve::run(options, &*reporter, cancelled).await?)
        })?;
        drop(reporter);
        for line in ui::resolved::notes(&resolved) {
            ui::note(&line);
        }
        let after = lock::to_text(&resolved.lock);
        // A run that learned nothing because sources failed leaves the file alone, comments and all.
        let nothing_learned = !resolved.failures.is_empty() && old.as_ref() == Some(&resolved.lock);
        // Nor is a lock begun that would hold nothing but what is missing.
        let nothing_begun = old.is_none() && !resolved.failures.is_empty() && resolved.lock.components.is_empty();
        let current = nothing_learned || before.as_deref() == Some(after.as_str());
        let diff =
            if current { String::new() } else { resolve::diff(&file, before.as_deref().unwrap_or_default(), &after) };
        if self.check || self.dry_run {
            show(global.format, &resolved, current, &diff)?;
            return Ok(if self.check { resolved.check(current) } else { resolved.exit() });
        }
        if nothing_begun {
            show(global.format, &resolved, current, &format!("{file} is not written: no component was resolved\n"))?;
            return Ok(resolved.exit());
        }
        if !current {
            lock::write(&self.places.lock, &resolved.lock)?;
        }
        show(global.format, &resolved, current, &ui::resolved::summary(&resolved, &file, current))?;
        Ok(resolved.exit())
    }
}

fn show(format: Format, resolved: &Resolved, current: bool, text: &str) -> Result<Exit, Error> {
    match format {
        Format::Json => print_report(&ui::resolved::Json::new(resolved, current)),
        Format::Text | Format::Markdown => print(text),
    }
}

/// The lock's text, or nothing where there is no lock yet but could be one.
fn read_text(path: &Path) -> Result<Option<String>, lock::Error> {
    match std::fs::exists(path) {
        Ok(false) => lock::check_place(path).map(|()| None),
        _ => lock::read_text(path).map(Some),
    }
}
