//! The options that every subcommand takes, before or after its name.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgAction, Args, ValueEnum};

use crate::event::Reporter;
use crate::ui::words::Lang;
use crate::ui::{Color, progress};

/// How data is written to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull request or a summary; only `diff` and `inspect` have it.
    Markdown,
}

/// Options of every subcommand.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How data is written to stdout
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Show no progress; warnings and errors stay
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// The language of verify, load, unload, serve, apply, push and inspect [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    pub lang: Option<Lang>,
    /// How to show progress on stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "MODE")]
    pub progress: progress::Mode,
    /// Never use the network; what is not in the store is an error
    #[arg(long, global = true)]
    pub offline: bool,
    /// Configuration of this machine: mirrors and connections [env: BUNDLER_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How many things to do at once [default: what suits the machine]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Trust the certificate authorities in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The Helm program that renders charts [default: `helm` on PATH, else the locked one]
    #[arg(long, global = true, value_name = "PATH")]
    pub helm: Option<PathBuf>,
}

impl Global {
    /// The language for people; what programs read is English.
    #[must_use]
    pub fn language(&self) -> Lang {
        match self.format {
            Format::Text => self.lang.unwrap_or_else(|| Lang::of_environment(|name| std::env::var(name).ok())),
            Format::Json | Format::Markdown => Lang::En,
        }
    }

    /// The reporter that these options ask for.
    #[must_use]
    pub fn reporter(&self) -> Arc<dyn Reporter> {
        let mode = if self.quiet { progress::Mode::None } else { self.progress };
        progress::reporter(mode, self.verbose > 0)
    }
}
