//! The options of the commands that use the network, as the HTTP client takes them.

use std::path::Path;
use std::sync::Arc;

use super::Global;
use crate::config::Config;
use crate::error::Error;
use crate::event::Reporter;
use crate::source::HttpOptions;

/// The client's options from the command line, the configuration and the environment.
pub(super) fn options(global: &Global, cache_dir: &Path, reporter: Arc<dyn Reporter>) -> Result<HttpOptions, Error> {
    let options = HttpOptions {
        config: Config::load(global.config.as_deref())?,
        ca_file: global.ca_file.clone(),
        offline: global.offline,
        cache_dir: Some(cache_dir.to_owned()),
        reporter,
        ..HttpOptions::default()
    };
    Ok(options.with_environment(|name| std::env::var(name).ok())?)
}
