//! What `bundler pack`, `verify`, `resolve`, `serve`, `load`, `push` and `apply` cost, side by side with a floor and with other programs.
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
mod resolve;
mod service;
mod setup;
mod site;
mod table;
#[allow(dead_code, reason = "the faults are for the tests")]
#[path = "../../tests/upstream/mod.rs"]
mod upstream;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use contender::Contender;
use corpus::Corpus;
use measure::Cost;
use options::{Mode, Options};

/// A benchmark has one reader of its errors: whoever runs it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.mode {
        Some(Mode::Registry { corpus, delay, rate }) => {
            registry::run(corpus, registry::Link { delay: *delay, rate: *rate })
        }
        Some(Mode::Floor { corpus, address, output, connections, sync, names }) => {
            floor::run(corpus, *address, output, *connections, *sync, *names)
        }
        Some(Mode::Upstream { config }) => serve_upstream(config),
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
    let (pack, site) = (options.wants_pack(), options.site());
    for setting in options.settings().into_iter().filter(|_| pack || !site.is_empty()) {
        writeln!(out, "{setting}")?;
        let corpus = Corpus::build(&work, setting.images, setting.size)?;
        let server = setup::Server::start(&corpus, &setting)?;
        let scratch = setup::Scratch::create(&work, &corpus, &setting, server.address())?;
        if pack {
            let contenders = Contender::all(&scratch, &setting, &options.only);
            writeln!(out, "{}\n", table::render(&rounds(&contenders, options.rounds, &scratch.log())?))?;
        }
        if !site.is_empty() {
            let here = site::Site::create(&scratch, &corpus, options.rounds)?;
            site.iter().try_for_each(|part| here.measure(part, &mut out))?;
        }
    }
    if options.wants_resolve() && resolve::possible() {
        writeln!(out, "resolve of the project's catalog; the floor is Helm alone, in parallel")?;
        let scratch = resolve::Scratch::create(&work)?;
        writeln!(out, "{}", table::render(&rounds(&scratch.contenders()?, options.rounds, &scratch.log())?))?;
    }
    Ok(())
}

/// The embedded upstream of the tests, in a process of its own.
fn serve_upstream(config: &Path) -> Result<()> {
    let upstream = upstream::Upstream::start();
    std::fs::write(config, upstream.config())?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", upstream.url())?;
    stdout.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Runs all contenders in each of the rounds, in turn, so that what else the machine does hits all of them.
fn rounds(contenders: &[Contender], rounds: u32, log: &Path) -> Result<Vec<(String, Vec<Cost>)>> {
    let mut rows: Vec<(String, Vec<Cost>)> = contenders.iter().map(|c| (c.name.clone(), Vec::new())).collect();
    for round in 1..=rounds {
        for (contender, (_, costs)) in contenders.iter().zip(&mut rows) {
            contender.prepare()?;
            setup::settle()?;
            let tail = || std::fs::read_to_string(log).unwrap_or_default();
            let cost = measure::run(&contender.commands, log)
                .map_err(|error| format!("{}: {error}\n{}", contender.name, tail()))?;
            writeln!(std::io::stderr(), "  round {round}: {} {:.2} s", contender.name, cost.wall.as_secs_f64())?;
            costs.push(cost);
        }
    }
    Ok(rows)
}
