//! `bundler schema`.

use clap::ValueEnum;
use schemars::{Schema, schema_for};

use super::{Outcome, print_json};
use crate::catalog::model::{CatalogFile, Component};
use crate::chart::images::Image;
use crate::lock::Lock;
use crate::ui::report::schema;
use crate::{add, apply, init, inspect, load, pack, push, sign, store, ui, verify};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file format, or the command whose report it is
    #[arg(value_enum, value_name = "NAME")]
    of: Of,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// manifests/catalog.yaml
    Catalog,
    /// manifests/components/NAME/component.yaml
    Component,
    /// bundle.lock.yaml
    Lock,
    /// `add --format json`
    Add,
    /// `apply --format json`
    Apply,
    /// `cache gc --format json`
    CacheGc,
    /// `cache ls --format json`
    CacheLs,
    /// `cache verify --format json`
    CacheVerify,
    /// `images --chart FILE --format json`
    ChartImages,
    /// `diff --format json`
    Diff,
    /// A failure of any command with `--format json`, on stderr
    Error,
    /// `images --format json`
    Images,
    /// `init --format json`
    Init,
    /// `inspect --format json`
    Inspect,
    /// `load --format json`
    Load,
    /// `pack --format json`
    Pack,
    /// `push --format json`
    Push,
    /// `resolve --format json`
    Resolve,
    /// `serve --format json`
    Serve,
    /// `sign --format json`
    Sign,
    /// `unload --format json`
    Unload,
    /// `verify --format json`
    Verify,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        print_json(&self.of.schema())
    }
}

impl Of {
    fn schema(self) -> Schema {
        match self {
            Self::Catalog => schema_for!(CatalogFile),
            Self::Component => schema_for!(Component),
            Self::Lock => schema_for!(Lock),
            Self::Add => schema::<add::Added>("bundler add"),
            Self::Apply => schema::<apply::Applied>("bundler apply"),
            Self::CacheGc => schema::<store::Collected>("bundler cache gc"),
            Self::CacheLs => schema::<store::Contents>("bundler cache ls"),
            Self::CacheVerify => schema::<store::Checked>("bundler cache verify"),
            Self::ChartImages => schema::<Vec<Image>>("bundler images --chart"),
            Self::Diff => schema::<inspect::Comparison>("bundler diff"),
            Self::Error => schema::<ui::diagnostic::Failure>("A failure"),
            Self::Images => schema::<Vec<ui::images::Carried>>("bundler images"),
            Self::Init => schema::<init::Starter>("bundler init"),
            Self::Inspect => schema::<inspect::Inspection>("bundler inspect"),
            Self::Load => schema::<load::Loaded>("bundler load"),
            Self::Pack => schema::<pack::Packed>("bundler pack"),
            Self::Push => schema::<push::Pushed>("bundler push"),
            Self::Resolve => schema::<ui::resolved::Json<'_>>("bundler resolve"),
            Self::Serve => schema::<ui::served::Listening>("bundler serve"),
            Self::Sign => schema::<sign::Signed>("bundler sign"),
            Self::Unload => schema::<load::Unloaded>("bundler unload"),
            Self::Verify => schema::<verify::Report>("bundler verify"),
        }
    }
}
