//! What `bundler pack` and `bundler verify` cost, side by side with the floor and with other programs.
//!
//! Builds a corpus of images, serves it from a process of its own and lets every contender fetch it in alternating
//! rounds. Ratios to the floor travel between machines, times do not; nothing is asserted.
//! `make bench ARGS=--help` lists the options; docs/benchmarks.md explains the columns.

mod contender;
mod corpus;
mod floor;
mod measure;
mod options;
mod registry;
mod setup;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use contender::Contender;
use corpus::Corpus;
use measure::Cost;
use options::{Mode, Options, Setting};

/// A benchmark has one reader of its errors: whoever runs it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.mode {
        Some(Mode::Registry { corpus, delay, rate }) => {
            registry::run(corpus, registry::Link { delay: *delay, rate: *rate })
        }
        Some(Mode::Floor { corpus, address, output, connections, sync }) => {
            floor::run(corpus, *address, output, *connections, *sync)
        }
        // `cargo test --benches` starts benchmarks too, without this flag.
        None if !options.bench => Ok(()),
        None => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let work = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    let mut out = std::io::stdout();
    writeln!(out, "{}\n", setup::machine(&work)?)?;
    for setting in options.settings() {
        writeln!(out, "{setting}")?;
        let corpus = Corpus::build(&work, setting.images, setting.size)?;
        let rows = rounds(&work, &corpus, &setting, options)?;
        writeln!(out, "{}\n", table::render(&rows))?;
    }
    Ok(())
}

/// Runs all contenders in each of the rounds, in turn, so that what else the machine does hits all of them.
fn rounds(work: &Path, corpus: &Corpus, setting: &Setting, options: &Options) -> Result<Vec<(String, Vec<Cost>)>> {
    let server = setup::Server::start(corpus, setting)?;
    let scratch = setup::Scratch::create(work, corpus, setting, server.address())?;
    let contenders = Contender::all(&scratch, setting, &options.only);
    let mut rows: Vec<(String, Vec<Cost>)> = contenders.iter().map(|c| (c.name.to_owned(), Vec::new())).collect();
    for round in 1..=options.rounds {
        for (contender, (_, costs)) in contenders.iter().zip(&mut rows) {
            contender.prepare()?;
            setup::settle()?;
            let cost = measure::run(&contender.commands, &scratch.log())
                .map_err(|error| format!("{}: {error}\n{}", contender.name, scratch.tail()))?;
            writeln!(std::io::stderr(), "  round {round}: {} {:.2} s", contender.name, cost.wall.as_secs_f64())?;
            costs.push(cost);
        }
    }
    Ok(rows)
}
