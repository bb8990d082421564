//! `bundler schema`.

use clap::ValueEnum;

use super::{Outcome, print_json};
use crate::catalog::model::{CatalogFile, Component};
use crate::lock::Lock;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which file format
    #[arg(value_enum)]
    file: File,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum File {
    /// manifests/catalog.yaml
    Catalog,
    /// manifests/components/NAME/component.yaml
    Component,
    /// bundle.lock.yaml
    Lock,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let schema = match self.file {
            File::Catalog => schemars::schema_for!(CatalogFile),
            File::Component => schemars::schema_for!(Component),
            File::Lock => schemars::schema_for!(Lock),
        };
        print_json(&schema)
    }
}
