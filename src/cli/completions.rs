//! `bundler completions`.

use clap::CommandFactory as _;

use super::{Cli, Outcome, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "bundler", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
