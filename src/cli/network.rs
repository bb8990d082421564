//! The options of the commands that use the network, as the HTTP client takes them.

use std::path::Path;
use std::sync::Arc;

use super::Global;
use crate::config::Config;
use crate::error::Error;
use crate::event::Reporter;
use crate::source::HttpOptions;
use crate::source::http::{Retry, Timeouts};

/// The client's options from the command line, the configuration and the environment.
pub(super) fn options(
    global: &Global,
    cache_dir: Option<&Path>,
    reporter: Arc<dyn Reporter>,
) -> Result<HttpOptions, Error> {
    let config = Config::load(global.config.as_deref())?;
    let (retry, timeouts) = (Retry::default(), Timeouts::default());
    let options = HttpOptions {
        retry: Retry {
            attempts: config.attempts.unwrap_or(retry.attempts),
            base: config.retry_wait.unwrap_or(retry.base),
            ..retry
        },
        timeouts: Timeouts { idle: config.idle_timeout.unwrap_or(timeouts.idle), ..timeouts },
        config,
        ca_file: global.ca_file.clone(),
        offline: global.offline,
        cache_dir: cache_dir.map(Path::to_owned),
        reporter,
        ..HttpOptions::default()
    };
    Ok(options.with_environment(|name| std::env::var(name).ok())?)
}
