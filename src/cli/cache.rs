//! `bundler cache`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Format, Global, Outcome, print, print_report, run};
use crate::error::Error;
use crate::exit::Exit;
use crate::store::{self, Keep, Store};
use crate::{lock, ui};

const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]
    #[arg(long, value_name = "DIR", global = true)]
    cache_dir: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what the store weighs
    Ls,
    /// Remove blobs that nothing needs; never while another bundler uses the store
    Gc(Gc),
    /// Hash every blob, and remove those that are damaged
    Verify,
}

#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("kept").required(true).multiple(true).args(["keep", "older_than"]))]
struct Gc {
    /// Keep what this lock needs; may be given more than once
    #[arg(long, value_name = "LOCK")]
    keep: Vec<PathBuf>,
    /// Keep what was used in the last N days
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u16>,
    /// Remove nothing; say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let root = run::cache_dir(self.cache_dir)?;
        match self.action {
            Action::Ls => {
                let contents = store::contents(&root)?;
                show(global, &contents, &ui::cache::contents(&contents))
            }
            Action::Gc(gc) => gc.run(&root, global),
            Action::Verify => {
                let checked = run::interruptible(global, |reporter| Ok(Store::open(&root)?.check(reporter)?))?;
                show(global, &checked, &ui::cache::checked(&checked))?;
                Ok(if checked.damaged.is_empty() { Exit::Done } else { Exit::No })
            }
        }
    }
}

impl Gc {
    fn run(&self, root: &std::path::Path, global: &Global) -> Outcome {
        let locks = self.keep.iter().map(|path| lock::read(path)).collect::<Result<_, _>>()?;
        let younger_than = self.older_than.map(|days| Duration::from_secs(u64::from(days) * DAY));
        let keep = Keep { locks, younger_than };
        let store = if self.dry_run { Store::read_only(root) } else { Store::create(root)? };
        let collected = store.collect(&keep, self.dry_run, SystemTime::now())?;
        show(global, &collected, &ui::cache::collected(&collected, self.dry_run))
    }
}

fn show<T: serde::Serialize>(global: &Global, value: &T, text: &str) -> Result<Exit, Error> {
    match global.format {
        Format::Json => print_report(value),
        Format::Text | Format::Markdown => print(text),
    }
}
