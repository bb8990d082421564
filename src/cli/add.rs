//! `bundler add`.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;

use super::places::Places;
use super::run::ProcessError;
use super::{Format, Global, Outcome, network, print, print_report, run};
use crate::add::{Added, Answer, Plan, Request, Seen, Wanted};
use crate::catalog::{Catalog, scalar};
use crate::error::Error;
use crate::resolve::SignatureCheck;
use crate::source::github::GitHub;
use crate::source::{Http, Registry};
use crate::ui;
use crate::version::{Constraint, Pattern};
use crate::{add, lock, resolve, yaml};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An image, by its repository; a tag says what tags look like, and the lowest version
    #[command(disable_version_flag = true)]
    Image {
        /// Such as redis, or quay.io/prometheus/alertmanager:v0.28.0
        reference: String,
        #[command(flatten)]
        options: Options,
    },
    /// A Helm chart, by its repository and name
    #[command(disable_version_flag = true)]
    Chart {
        /// https://REPOSITORY, or oci://REGISTRY/PATH with or without the chart's name at its end
        #[arg(value_name = "URL")]
        repository: String,
        /// The chart's name
        #[arg(value_name = "CHART")]
        chart: Option<String>,
        /// The chart's values: they become values.yaml beside the component, for the render here and on the site
        #[arg(long, value_name = "FILE")]
        values: Option<PathBuf>,
        /// The namespace that it is installed in [default: that of its release's name]
        #[arg(long, value_name = "NAMESPACE")]
        namespace: Option<String>,
        #[command(flatten)]
        options: Options,
    },
    /// A file of the releases of a repository on GitHub
    #[command(disable_version_flag = true)]
    File {
        /// github:OWNER/NAME, or the URL of a release's file
        #[arg(value_name = "URL")]
        repository: String,
        /// The file in one of the releases, for one of the architectures; the others are found by it
        #[arg(value_name = "FILE")]
        asset: Option<String>,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Debug, clap::Args)]
struct Options {
    /// The component's name [default: that of what is added]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only these versions, such as `>=2, <3` [default: the newest, and what is compatible with it]
    #[arg(long, value_name = "RANGE", value_parser = range)]
    version: Option<Constraint>,
    /// What tags look like, such as `v{version}`, instead of a guess
    #[arg(long, value_name = "PATTERN")]
    pattern: Option<Pattern>,
    /// How many days old a release has to be, instead of the policy's; for images and charts without a date `0d`
    #[arg(long, value_name = "DAYS", value_parser = days)]
    min_age: Option<String>,
    /// Put it into this profile; may be given more than once [default: the only profile, where there is one]
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// Take the guess without asking, also on a terminal
    #[arg(short, long)]
    yes: bool,
    /// Write nothing; show what would be written
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    places: Places,
}

fn days(text: &str) -> Result<String, String> {
    match scalar::days(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected days, such as 7d or 0d".to_owned()),
    }
}

fn range(text: &str) -> Result<Constraint, String> {
    match text.parse::<Constraint>() {
        Ok(range) if range.is_satisfiable() => Ok(range),
        Ok(_) => Err("no version can meet it".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let (wanted, options, values, namespace) = match self.what {
            What::Image { reference, options } => (Wanted::image(&reference)?, options, None, None),
            What::Chart { repository, chart, values, namespace, options } => {
                (Wanted::chart(&repository, chart.as_deref())?, options, values, namespace)
            }
            What::File { repository, asset, options } => {
                (Wanted::file(&repository, asset.as_deref())?, options, None, None)
            }
        };
        let values = values.map(|path| yaml::read_any(&path).map_err(|source| ProcessError::Read { path, source }));
        let plan = Plan::new(Request {
            directory: options.places.catalog.clone(),
            wanted,
            name: options.name.clone(),
            version: options.version.clone(),
            pattern: options.pattern.clone(),
            profiles: options.profile.clone(),
            min_age: options.min_age.clone(),
            values: values.transpose()?,
            namespace,
        })?;
        let added = options.resolve(&plan, global)?;
        if options.dry_run {
            return match global.format {
                Format::Json => print_report(&added),
                Format::Text | Format::Markdown => print(&(added.diff()? + &ui::added::found(&added))),
            };
        }
        added.write()?;
        match global.format {
            Format::Json => print_report(&added),
            Format::Text | Format::Markdown => print(&ui::added::written(&added)),
        }
    }
}

impl Options {
    fn resolve(&self, plan: &Plan, global: &Global) -> Result<Added, Error> {
        let reporter = global.reporter();
        let cache_dir = run::cache_dir(self.places.cache_dir.clone())?;
        let before = match std::fs::exists(&self.places.lock) {
            Ok(false) => None,
            _ => Some(lock::read(&self.places.lock)?),
        };
        let http = network::options(global, Some(&cache_dir), reporter.clone())?;
        let (added, warnings) = run::block_on(async |cancelled| {
            let http = Http::new(http)?;
            let options = |catalog: Catalog| resolve::Options {
                catalog,
                lock: before.clone(),
                components: vec![plan.name().to_owned()],
                as_of: None,
                now: Timestamp::now(),
                jobs: global.jobs.map_or(resolve::DEFAULT_JOBS, usize::from),
                helm: global.helm.clone(),
                signatures: SignatureCheck::IfPossible,
                search_path: std::env::var_os("PATH"),
                cache_dir: cache_dir.clone(),
                offline: global.offline,
                http: http.clone(),
            };
            let work = async {
                let registry = Registry::new(http.clone());
                let github = GitHub::new(http.clone(), Some(cache_dir.clone()), Timestamp::now(), global.offline);
                let github = github.map_err(|error| add::Error::GitHub(Box::new(error)))?;
                let seen = plan.look(&registry, &github).await?;
                let pattern = match &seen {
                    Some(seen) => Some(self.choose(seen, global.quiet).await?),
                    None => None,
                };
                let draft = plan.draft(&github, pattern, seen.as_ref()).await?;
                let resolved = resolve::run(options(plan.drafted(&draft)?), &*reporter, cancelled.clone()).await?;
                let warnings = ui::resolved::warnings(&resolved);
                let found = plan.found(&draft, resolved);
                if self.dry_run && found.is_err() {
                    // What does not resolve yet is something to begin with.
                    print(&plan.text(&draft)?)?;
                }
                Ok::<_, Error>((found?, warnings))
            };
            cancelled.run_until_cancelled(work).await.unwrap_or(Err(ProcessError::Interrupted.into()))
        })?;
        drop(reporter);
        for line in warnings {
            ui::note(&line);
        }
        Ok(added)
    }

    /// The pattern: that which was given, the one that whoever is there says, or the guess. It is shown in any case.
    async fn choose(&self, seen: &Seen, quiet: bool) -> Result<Pattern, Error> {
        let there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let asked = there && !self.yes && seen.is_question();
        if let Some(pattern) = seen.pattern().filter(|_| asked || !quiet) {
            ui::note(&ui::added::seen(seen, pattern));
        }
        if !asked {
            return Ok(seen.decide()?.clone());
        }
        ui::ask(&ui::added::question(seen));
        loop {
            let Some(line) = run::read_line().await else { return Err(add::Error::Declined.into()) };
            match seen.answer(&line) {
                Answer::Take(pattern) => return Ok(pattern),
                Answer::Declined => return Err(add::Error::Declined.into()),
                Answer::Again(why) => ui::ask(&format!("{why}; which? ")),
            }
        }
    }
}
