//! The command line: clap types, and their translation into plain options. One file a subcommand, no logic.

mod add;
mod apply;
mod cache;
mod completions;
mod diff;
mod examples;
mod global;
mod images;
mod init;
mod inspect;
mod load;
mod man;
mod network;
mod pack;
mod places;
mod push;
mod resolve;
pub mod run;
mod schema;
mod serve;
mod sign;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::{Diagnostic, Error};
use crate::exit::Exit;
use crate::ui::{self, diagnostic};

pub use global::{Format, Global};

const EXIT_CODES: &str = "\
Exit codes:
  0  done                                    5  registry credentials refused or missing
  1  the answer is no (stale lock,           6  the network is needed while offline
     unresolved artifact, bundle not good)   7  local disk: full, read-only, no permission
  2  command line, catalog, configuration    70 a bug in bundler
     or lock is wrong                        130 interrupted
  3  a source failed
  4  bytes did not match their digest";

/// Offline bundles for air-gapped Kubernetes: images, charts and binaries, locked, checked and carried.
#[derive(Debug, Parser)]
#[command(name = "bundler", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

// In the order of the work, which is the order of the help.
#[derive(Debug, Subcommand)]
enum Command {
    /// Start a catalog from what you have: lists of images, charts, Hauler, helmfile, a running cluster
    #[command(after_help = examples::INIT)]
    Init(init::Args),
    /// Add an image, a chart or a release's file to the catalog, in the newest version that fits
    #[command(after_help = examples::ADD)]
    Add(add::Args),
    /// Choose the newest stable versions that match the platform, and write the lock
    #[command(after_help = examples::RESOLVE)]
    Resolve(resolve::Args),
    /// Fetch what the lock names into one offline bundle
    #[command(after_help = examples::PACK)]
    Pack(pack::Args),
    /// Check every byte of a bundle, offline
    #[command(after_help = examples::VERIFY)]
    Verify(verify::Args),
    /// Show what is inside a bundle or a lock, what it weighs and where it came from
    #[command(after_help = examples::INSPECT)]
    Inspect(inspect::Args),
    /// Compare two locks or bundles: versions, images, bytes to fetch
    #[command(after_help = examples::DIFF)]
    Diff(diff::Args),
    /// List the images that the components of the catalog run, or those of any chart, and where each was found
    #[command(after_help = examples::IMAGES)]
    Images(images::Args),
    /// Load the images of a bundle into containerd, k3s, docker, podman or an OCI layout
    #[command(after_help = examples::LOAD)]
    Load(load::Load),
    /// Remove the images that only this bundle brought
    #[command(after_help = examples::UNLOAD)]
    Unload(load::Unload),
    /// Push the images and charts of bundles to a registry, and write what nodes need to find them there
    #[command(after_help = examples::PUSH)]
    Push(push::Args),
    /// Give out bundles over HTTP: images as a registry, charts as a Helm repository, files by name
    #[command(after_help = examples::SERVE)]
    Serve(serve::Args),
    /// Put a base and a delta together: the full bundle, byte for byte the published one
    #[command(after_help = examples::APPLY)]
    Apply(apply::Args),
    /// Add an SSH signature to a bundle
    #[command(after_help = examples::SIGN)]
    Sign(sign::Args),
    /// Look after the store of everything that was fetched
    #[command(after_help = examples::CACHE)]
    Cache(cache::Args),
    /// Print the JSON Schema of a file format, or of what a command writes with `--format json`
    #[command(after_help = examples::SCHEMA)]
    Schema(schema::Args),
    /// Print the completion script of a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Args),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man(man::Args),
}

impl Command {
    /// Whether it is run on sites, where it speaks the reader's language; a maintainer's commands speak English.
    const fn is_for_operators(&self) -> bool {
        matches!(
            self,
            Self::Verify(_)
                | Self::Load(_)
                | Self::Unload(_)
                | Self::Serve(_)
                | Self::Apply(_)
                | Self::Push(_)
                | Self::Inspect(_)
        )
    }
}

/// The program: parses the command line, runs one operation, shows its failure.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_run(&error),
    };
    if cli.global.format == Format::Markdown && !matches!(cli.command, Command::Diff(_) | Command::Inspect(_)) {
        let message = "only `bundler diff` and `bundler inspect` write Markdown";
        Cli::command().error(ErrorKind::InvalidValue, message).exit();
    }
    cli.global.color.apply();
    if cli.command.is_for_operators() {
        cli.global.language().apply();
    }
    let outcome = match cli.command {
        Command::Init(args) => args.run(&cli.global),
        Command::Add(args) => args.run(&cli.global),
        Command::Resolve(args) => args.run(&cli.global),
        Command::Pack(args) => args.run(&cli.global),
        Command::Verify(args) => args.run(&cli.global),
        Command::Apply(args) => args.run(&cli.global),
        Command::Sign(args) => args.run(&cli.global),
        Command::Push(args) => args.run(&cli.global),
        Command::Inspect(args) => args.run(&cli.global),
        Command::Load(args) => args.run(&cli.global),
        Command::Unload(args) => args.run(&cli.global),
        Command::Diff(args) => args.run(&cli.global),
        Command::Serve(args) => args.run(&cli.global),
        Command::Images(args) => args.run(&cli.global),
        Command::Cache(args) => args.run(&cli.global),
        Command::Schema(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => told(&error, cli.global.format).into(),
    }
}

/// Shows help and versions, and what is wrong with a command line, to programs in their own form.
fn not_run(error: &clap::Error) -> ExitCode {
    let is_failure = error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_failure && asks_for_json(std::env::args_os()) {
        let error = run::ProcessError::command_line(&error.render().to_string());
        return told(&error.into(), Format::Json).into();
    }
    error.exit()
}

/// Whether a command line that cannot be read asks for JSON.
fn asks_for_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let options: Vec<_> = arguments.take_while(|argument| argument != "--").collect();
    options.iter().any(|option| option == "--format=json")
        || options.windows(2).any(|two| two[0] == "--format" && two[1] == "json")
}

/// Shows a failure and gives the code to end with.
fn told(error: &Error, format: Format) -> Exit {
    match format {
        Format::Json => ui::note(&diagnostic::json(error)),
        Format::Text | Format::Markdown => ui::note(&diagnostic::text(error)),
    }
    error.exit()
}

/// What a subcommand gives: an exit code that is no failure, or a failure.
type Outcome = Result<Exit, Error>;

/// Writes data to stdout and ends well.
fn print(text: &str) -> Outcome {
    ui::data(text).map_err(run::ProcessError::Stdout)?;
    Ok(Exit::Done)
}

/// Writes a report as JSON to stdout, with the version of its schema.
fn print_report<T: serde::Serialize>(report: &T) -> Outcome {
    let text = ui::report::pretty(report).map_err(run::ProcessError::Json)?;
    print(&(text + "\n"))
}

/// As [`print_report`] for a report that is a list.
fn print_list<T: serde::Serialize>(items: &[T]) -> Outcome {
    let text = ui::report::list(items).map_err(run::ProcessError::Json)?;
    print(&(text + "\n"))
}

/// Writes `value` as JSON to stdout as it is, indented for people.
fn print_json<T: serde::Serialize>(value: &T) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(run::ProcessError::Json)?;
    print(&(text + "\n"))
}
