//! `bundler serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Format, Global, Outcome, print, run};
use crate::exit::Exit;
use crate::serve::{Limits, Options, Server};
use crate::ui::{self, diagnostic};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Bundles, or directories that they were unpacked into; those of one version are served as one
    #[arg(required = true, value_name = "BUNDLE|DIR")]
    bundles: Vec<PathBuf>,
    /// Where to listen; port 0 takes a free one, and stdout says which
    #[arg(long, default_value = "127.0.0.1:5000", value_name = "ADDR:PORT", value_parser = address)]
    listen: SocketAddr,
    /// Serve https with this certificate and its chain, in PEM form
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, in PEM form
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Ask for a user and a password of this file, which `htpasswd -B` wrote
    #[arg(long, value_name = "FILE")]
    htpasswd: Option<PathBuf>,
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected the address of an interface and a port, such as 0.0.0.0:5000 or [::]:5000")
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let log = Arc::new(ui::served::Lines::new(global.format == Format::Json, global.quiet));
        let options = Options {
            bundles: self.bundles,
            listen: self.listen,
            tls: self.tls_cert.zip(self.tls_key),
            htpasswd: self.htpasswd,
            limits: Limits::default(),
        };
        run::block_on(async |cancelled| {
            let server = Server::bind(&options, log.clone()).await?;
            if server.is_open_to_listeners() {
                ui::note(&diagnostic::warning(
                    "passwords cross the network as they are: add `--tls-cert` and `--tls-key`",
                ));
            }
            if !global.quiet {
                ui::note(&ui::served::summary(server.set()));
            }
            print(&ui::served::listening(&server, global.format == Format::Json))?;
            Ok(server.run(cancelled).await?)
        })?;
        Ok(Exit::Done)
    }
}
