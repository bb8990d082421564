//! `bundler man`.

use clap::CommandFactory as _;

use super::{Cli, Outcome, print, run};
use crate::yaml;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The subcommand whose page it is, such as `cache gc`; the program's own page without
    command: Vec<String>,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let mut program = Cli::command();
        program.build();
        let mut page = &program;
        for name in &self.command {
            let known: Vec<_> = page.get_subcommands().map(clap::Command::get_name).collect();
            page = page.find_subcommand(name).ok_or_else(|| run::ProcessError::NoCommand {
                name: name.clone(),
                nearest: yaml::nearest(name, &known),
            })?;
        }
        let page = page.clone();
        let title = page.get_display_name().unwrap_or("bundler").to_owned();
        let source = format!("bundler {}", env!("CARGO_PKG_VERSION"));
        let mut text = Vec::new();
        clap_mangen::Man::new(page).title(title).source(source).render(&mut text).map_err(run::ProcessError::Stdout)?;
        print(&String::from_utf8_lossy(&text))
    }
}
