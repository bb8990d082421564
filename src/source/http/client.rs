//! Building the two clients: TLS, proxies, timeouts.

use std::path::Path;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};

use super::options::{HttpOptions, Proxies};
use crate::source::Error;

/// The largest `--ca-file`, 4 MiB: the bundle of a whole distribution has 0.3.
const MAX_CA_FILE: u64 = 4 << 20;

/// What the program calls itself; GitHub refuses requests without it.
const USER_AGENT: &str = concat!("bundler/", env!("CARGO_PKG_VERSION"));

/// The two clients.
pub(super) struct Clients {
    /// For small documents.
    pub(super) api: Client,
    /// For blobs.
    pub(super) blobs: Client,
}

pub(super) fn build(options: &HttpOptions) -> Result<Clients, Error> {
    // An earlier client of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = options.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let api = common(options, &certificates)?.build().map_err(Error::Client)?;
    let blobs = common(options, &certificates)?
        .http1_only()
        .pool_max_idle_per_host(options.config.max_connections_per_host)
        .build()
        .map_err(Error::Client)?;
    Ok(Clients { api, blobs })
}

fn common(options: &HttpOptions, certificates: &[Certificate]) -> Result<ClientBuilder, Error> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.idle);
    for proxy in proxies(&options.proxies)? {
        builder = builder.proxy(proxy);
    }
    if !certificates.is_empty() {
        builder = builder.tls_certs_merge(certificates.iter().cloned());
    }
    Ok(builder)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let error = |reason: String| Error::CaFile { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
    if size > MAX_CA_FILE {
        return Err(error(format!("it has {size} bytes")));
    }
    let pem = std::fs::read(path).map_err(|e| error(e.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| error("it is no PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(error("it holds no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

fn not_a_proxy(name: &'static str) -> Error {
    Error::Variable { name, reason: "is not the URL of a proxy" }
}

fn proxies(proxies: &Proxies) -> Result<Vec<Proxy>, Error> {
    // As Go's and curl's users expect: what runs on this machine is never behind a proxy.
    let none_for = format!("{},localhost,127.0.0.0/8,::1", proxies.none_for.as_deref().unwrap_or_default());
    let none_for = NoProxy::from_string(&none_for);
    let mut list = Vec::new();
    if let Some(url) = &proxies.https {
        list.push(Proxy::https(url).map_err(|_| not_a_proxy("HTTPS_PROXY"))?);
    }
    if let Some(url) = &proxies.http {
        list.push(Proxy::http(url).map_err(|_| not_a_proxy("HTTP_PROXY"))?);
    }
    if let Some(url) = &proxies.all {
        list.push(Proxy::all(url).map_err(|_| not_a_proxy("ALL_PROXY"))?);
    }
    Ok(list.into_iter().map(|proxy| proxy.no_proxy(none_for.clone())).collect())
}
