//! Building the clients: TLS, proxies, timeouts.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::options::{HttpOptions, Proxies};
use super::trust::Trust;
use crate::source::Error;

/// The largest `--ca-file`, 4 MiB: the bundle of a whole distribution has 0.3.
const MAX_CA_FILE: u64 = 4 << 20;

/// What the program calls itself; GitHub refuses requests without it.
const USER_AGENT: &str = concat!("bundler/", env!("CARGO_PKG_VERSION"));

/// The clients.
pub(super) struct Clients {
    /// For small documents.
    pub(super) api: Client,
    /// For blobs that come.
    pub(super) blobs: Client,
    /// For blobs that go: the answer may come long after the request began.
    pub(super) uploads: Client,
}

pub(super) fn build(options: &HttpOptions) -> Result<Clients, Error> {
    // An earlier client of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = options.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let tls = tls(certificates).map_err(Error::Tls)?;
    let speaking = |protocols: &[&[u8]]| {
        let mut tls = tls.clone();
        tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        tls
    };
    let idle = options.timeouts.idle;
    let api = common(options, speaking(&[b"h2", b"http/1.1"]))?.read_timeout(idle).build().map_err(Error::Client)?;
    let streaming = || {
        let client = common(options, speaking(&[b"http/1.1"]))?;
        Ok(client.http1_only().pool_max_idle_per_host(options.config.max_connections_per_host))
    };
    let blobs = streaming()?.read_timeout(idle).build().map_err(Error::Client)?;
    let uploads = streaming()?.build().map_err(Error::Client)?;
    Ok(Clients { api, blobs, uploads })
}

/// Trusts the system's roots and `certificates`. All clients share it: reading the system's roots takes longer than
/// all else that is done before the first request.
fn tls(certificates: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Trust::new(certificates, Arc::clone(&provider))?;
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    // Reqwest would use this verifier too, but for each client anew.
    Ok(versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn common(options: &HttpOptions, tls: ClientConfig) -> Result<ClientBuilder, Error> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .connect_timeout(options.timeouts.connect);
    for proxy in proxies(&options.proxies)? {
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let error = |reason: String| Error::CaFile { path: path.to_owned(), reason };
    let mut pem = Vec::new();
    // What its length says of it is not asked: that of a device is 0.
    let read = File::open(path).and_then(|file| file.take(MAX_CA_FILE + 1).read_to_end(&mut pem));
    if read.map_err(|e| error(e.to_string()))? as u64 > MAX_CA_FILE {
        return Err(error("it is larger than 4 MiB".to_owned()));
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|_| error("it is no PEM".to_owned()))?;
    // One that is no certificate is named here, with its file.
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|_| error("it holds something that is no certificate".to_owned()))?;
    }
    if certificates.is_empty() {
        return Err(error("it holds no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

fn not_a_proxy(name: &'static str) -> Error {
    Error::Variable { name, reason: "is not the URL of a proxy" }
}

fn proxies(proxies: &Proxies) -> Result<Vec<Proxy>, Error> {
    let Some(none_for) = none_for(proxies.none_for.as_deref().unwrap_or_default()) else { return Ok(Vec::new()) };
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

/// `NO_PROXY` in the form that the client reads; `None` where nothing is behind a proxy.
///
/// As docker and Go have it, an entry may also be `*.example.com`, `[::1]` or a host with a port; the client knows no
/// ports, so it counts for all of that host. What runs on this machine is never behind a proxy.
fn none_for(text: &str) -> Option<String> {
    let mut list = "localhost,127.0.0.0/8,::1".to_owned();
    for entry in text.split([',', ' ']).filter(|entry| !entry.is_empty()) {
        // The client would take it for every name and for no address.
        if entry == "*" {
            return None;
        }
        let entry = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
        let host = match entry.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() && (host.ends_with(']') || !host.contains(':')) => host,
            _ => entry,
        };
        list.push(',');
        list.push_str(host.trim_matches(['[', ']']));
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_behind_a_proxy_is_written_as_for_docker() {
        const HERE: &str = "localhost,127.0.0.0/8,::1";
        for (text, list) in [
            ("", ""),
            ("harbor.corp, .example.com,10.0.0.0/8", ",harbor.corp,.example.com,10.0.0.0/8"),
            ("harbor.corp:5000,10.0.0.1:443 *.example.com", ",harbor.corp,10.0.0.1,.example.com"),
            ("[fd00::1]:443,[fd00::2],fd00::3,fd00::/8", ",fd00::1,fd00::2,fd00::3,fd00::/8"),
        ] {
            assert_eq!(none_for(text).as_deref(), Some(format!("{HERE}{list}").as_str()), "{text}");
        }
        for all in ["*", "harbor.corp, *"] {
            assert_eq!(none_for(all), None);
            let options = Proxies { https: Some("http://127.0.0.1:1".to_owned()), ..Proxies::default() };
            let behind = |none_for: &str| Proxies { none_for: Some(none_for.to_owned()), ..options.clone() };
            assert_eq!(proxies(&behind(all)).unwrap().len(), 0);
            assert_eq!(proxies(&behind("harbor.corp")).unwrap().len(), 1);
        }
    }
}
