//! The options that `resolve`, `pack` and `images` share: where the catalog, the lock and the store are.

use std::path::PathBuf;

/// Where the catalog, the lock and the store are.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Places {
    /// The catalog's directory
    #[arg(long, default_value = "manifests", value_name = "DIR")]
    pub(super) catalog: PathBuf,
    /// The lock
    #[arg(long, default_value = "bundle.lock.yaml", value_name = "FILE")]
    pub(super) lock: PathBuf,
    /// The store of everything that was fetched [env: BUNDLER_CACHE_DIR] [default: $XDG_CACHE_HOME/bundler]
    #[arg(long, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
}
