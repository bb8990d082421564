//! What can be asked for.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::site;

/// What `--only` calls the part about `bundler resolve`.
const RESOLVE: &str = "resolve";
/// What it calls all of [`site::PARTS`].
const SITE: &str = "site";

/// Measure what `bundler` does beside the floor and other programs.
///
/// A list such as `--images 25,100` measures one setting after the other.
#[derive(Debug, Parser)]
#[command(name = "make bench ARGS=…")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    /// How many images
    #[arg(long, value_delimiter = ',', default_value = "25")]
    images: Vec<u32>,
    /// The size of all blobs together
    #[arg(long, value_delimiter = ',', default_value = "1.2GB", value_parser = size)]
    size: Vec<u64>,
    /// How many cores a contender gets; the registry is never bound [default: all]
    #[arg(long, value_delimiter = ',')]
    cores: Vec<u32>,
    /// bundler's `max_connections_per_host` and `--jobs` [default: bundler's own]
    #[arg(long, value_delimiter = ',')]
    connections: Vec<u32>,
    /// Across a link: 40 ms before each answer, 20 MB/s on each connection
    #[arg(long)]
    slow: bool,
    /// How often each contender runs
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// Only `serve`, `load`, `push`, `apply`, all four as `site`, `resolve`, or those who pack and whose name holds one of
    /// these; the floor always runs
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

/// What this program is when it starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Serve a corpus until stdin ends
    #[command(hide = true)]
    Registry {
        corpus: PathBuf,
        /// Milliseconds before each answer
        #[arg(long, default_value = "0", value_parser = milliseconds)]
        delay: Duration,
        /// Bytes a second on each connection; 0 for as fast as it goes
        #[arg(long, default_value_t = 0)]
        rate: u64,
    },
    /// Serve what `resolve` asks for until stdin ends, and write a client's configuration
    #[command(hide = true)]
    Upstream { config: PathBuf },
    /// Fetch each blob once, hash it and write it once
    #[command(hide = true)]
    Floor {
        corpus: PathBuf,
        address: SocketAddr,
        output: PathBuf,
        #[arg(long, default_value_t = 4)]
        connections: usize,
        #[arg(long)]
        sync: bool,
        /// Ask for each blob under the name of an image that has it
        #[arg(long)]
        names: bool,
    },
}

/// One point of the axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) images: u32,
    pub(crate) size: u64,
    pub(crate) cores: Option<u32>,
    pub(crate) connections: Option<u32>,
    pub(crate) slow: bool,
}

impl Options {
    /// Whether this is asked for by name, or everything is.
    fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| names.contains(&only.as_str()))
    }

    pub(crate) fn wants_resolve(&self) -> bool {
        self.wants(&[RESOLVE])
    }

    /// Those of a site's commands that are asked for.
    pub(crate) fn site(&self) -> Vec<&'static str> {
        site::PARTS.into_iter().filter(|part| self.wants(&[part, SITE])).collect()
    }

    /// Whether contenders that pack are asked for: whatever no other part is called.
    pub(crate) fn wants_pack(&self) -> bool {
        let other = |only: &String| [RESOLVE, SITE].contains(&only.as_str()) || site::PARTS.contains(&only.as_str());
        self.only.is_empty() || !self.only.iter().all(other)
    }

    /// Every combination of what was asked for.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let optional = |values: &[u32]| -> Vec<Option<u32>> {
            if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() }
        };
        let mut settings = Vec::new();
        for &images in &self.images {
            for &size in &self.size {
                for cores in optional(&self.cores) {
                    for connections in optional(&self.connections) {
                        settings.push(Setting { images, size, cores, connections, slow: self.slow });
                    }
                }
            }
        }
        settings
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images, {}", self.images, bundler::size::bytes(self.size))?;
        if let Some(cores) = self.cores {
            write!(f, ", cores: {cores}")?;
        }
        if let Some(connections) = self.connections {
            write!(f, ", connections: {connections}")?;
        }
        if self.slow {
            write!(f, ", link of 40 ms and 20 MB/s a connection")?;
        }
        Ok(())
    }
}

fn size(text: &str) -> Result<u64, String> {
    bundler::catalog::scalar::bytes(text)
        .filter(|size| *size > 0)
        .ok_or_else(|| "write for instance `1.2GB`".to_owned())
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
