//! Debian's docker-registry, plain or with TLS and a password.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use bundler::oci::{Digest, Reference};

use super::Server;
use crate::upstream::image::Image;

/// The user of a secured registry.
pub(crate) const USER: &str = "carrier";
/// That user's password.
pub(crate) const PASSWORD: &str = "correct horse";
/// The same as bcrypt, the only form that the registry reads.
const HTPASSWD: &str = "carrier:$2b$04$AHk7dN55sGq84LZZHJIyp.X.p1OJ6SoYviLCXAKfLKniXqv2B9ph.\n";

/// A running registry.
pub(crate) struct Registry {
    address: String,
    ca: Option<PathBuf>,
    _server: Server,
    _directory: tempfile::TempDir,
}

impl Registry {
    /// An empty registry over plain http that takes pushes.
    pub(crate) fn plain() -> Option<Self> {
        Self::start(None, false, false)
    }

    /// A registry over plain http that takes pushes and keeps them in `storage`.
    pub(crate) fn filling(storage: &Path) -> Option<Self> {
        Self::start(Some(storage), false, false)
    }

    /// An empty registry over https, with a certificate from a CA of its own, that wants `USER` and `PASSWORD`.
    pub(crate) fn secured() -> Option<Self> {
        Self::start(None, false, true)
    }

    /// A read-only registry over plain http with the images of [`super::debian_images`].
    pub(crate) fn debian() -> Option<Self> {
        Self::start(Some(&super::debian::storage()?), true, false)
    }

    /// A registry over plain http with what [`Registry::filling`] left in `storage`, for who has a token of `realm`
    /// that the key of `certificate` (PEM) signed.
    pub(crate) fn with_tokens(storage: &Path, realm: &str, certificate: &str) -> Option<Self> {
        let file = storage.join("tokens.pem");
        std::fs::write(&file, certificate).unwrap();
        let auth = format!(
            "auth:\n  token: {{realm: {realm:?}, service: {:?}, issuer: {:?}, rootcertbundle: {file:?}}}\n",
            super::tokens::SERVICE,
            super::tokens::ISSUER,
        );
        Self::start_with(Some(storage), true, false, &auth)
    }

    /// The same images behind TLS and a password.
    pub(crate) fn debian_secured() -> Option<Self> {
        Self::start(Some(&super::debian::storage()?), true, true)
    }

    /// An empty registry of distribution 3 over plain http that takes an index whatever children are absent.
    pub(crate) fn lenient() -> Option<Self> {
        let program = super::kept_program("registry")?;
        let more = "validation: {manifests: {indexes: {platforms: none}}}\n";
        Self::start_program(&program, None, false, false, more)
    }

    /// An empty registry over plain http that keeps the lists of referrers itself.
    pub(crate) fn referring() -> Option<Self> {
        let program = super::kept_program("referring")?;
        let (server, output) = Server::start(&program, &[]);
        let address = listening(output);
        Some(Self { address, ca: None, _server: server, _directory: tempfile::tempdir().unwrap() })
    }

    fn start(storage: Option<&Path>, read_only: bool, secured: bool) -> Option<Self> {
        Self::start_with(storage, read_only, secured, "")
    }

    /// `more` ends the registry's configuration.
    fn start_with(storage: Option<&Path>, read_only: bool, secured: bool, more: &str) -> Option<Self> {
        let program = super::program("docker-registry")?;
        Self::start_program(&program, storage, read_only, secured, more)
    }

    fn start_program(
        program: &Path,
        storage: Option<&Path>,
        read_only: bool,
        secured: bool,
        more: &str,
    ) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {:?}}}\n  maintenance:\n    \
             uploadpurging: {{enabled: false}}\n    readonly: {{enabled: {}}}\nhttp:\n  addr: 127.0.0.1:0\n",
            storage.unwrap_or(&path("storage")),
            read_only,
        );
        if secured {
            write_certificates(directory.path());
            std::fs::write(path("htpasswd"), HTPASSWD).unwrap();
            config.push_str(&format!(
                "  tls: {{certificate: {:?}, key: {:?}}}\nauth:\n  htpasswd: {{realm: test, path: {:?}}}\n",
                path("server.pem"),
                path("server.key"),
                path("htpasswd"),
            ));
        }
        config.push_str(more);
        std::fs::write(path("config.yml"), config).unwrap();
        let (server, output) = Server::start(program, &["serve".as_ref(), path("config.yml").as_os_str()]);
        let address = listening(output);
        let ca = secured.then(|| path("ca.pem"));
        Some(Self { address, ca, _server: server, _directory: directory })
    }

    /// Pushes an image under its name less the host.
    pub(crate) fn push(&self, reference: &str, image: &Image) {
        let reference: Reference = reference.parse().unwrap();
        let tag = reference.tag().expect("an image is pushed to a tag");
        let base = format!("{}/v2/{}", self.url(), reference.repository());
        // Nobody else may have chosen a provider yet, and a second choice is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut client = reqwest::Client::builder().no_proxy();
            if let Some(ca) = self.ca() {
                let ca = reqwest::Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
                client = client.tls_certs_only([ca]);
            }
            let client = client.build().unwrap();
            // A registry without a password does not look at one.
            let send = |request: reqwest::RequestBuilder| request.basic_auth(USER, Some(PASSWORD)).send();
            for blob in &image.blobs {
                let started = send(client.post(format!("{base}/blobs/uploads/"))).await.unwrap();
                assert_eq!(started.status(), 202, "{reference}");
                let mut place = started.url().join(started.headers()["location"].to_str().unwrap()).unwrap();
                place.query_pairs_mut().append_pair("digest", &Digest::of(blob).to_string());
                let done = send(client.put(place).body(blob.clone())).await.unwrap();
                assert_eq!(done.status(), 201, "{reference}");
            }
            let last = image.manifests.len() - 1;
            for (position, manifest) in image.manifests.iter().enumerate() {
                let name = if position == last { tag.to_owned() } else { manifest.digest.to_string() };
                let request =
                    client.put(format!("{base}/manifests/{name}")).header("content-type", manifest.media_type);
                let done = send(request.body(manifest.bytes.clone())).await.unwrap();
                assert_eq!(done.status(), 201, "{reference} {name}: {}", done.text().await.unwrap());
            }
        });
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `http://127.0.0.1:PORT`, or https for a secured one: the value of a mirror.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.ca.is_some() { "https" } else { "http" }, self.address)
    }

    /// The certificate of a secured registry's CA, for `--ca-file`.
    pub(crate) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// A `config.json` that holds the credentials of a secured registry.
    pub(crate) fn docker_config(&self) -> String {
        // base64 of "carrier:correct horse".
        format!(r#"{{"auths": {{"{}": {{"auth": "Y2Fycmllcjpjb3JyZWN0IGhvcnNl"}}}}}}"#, self.address)
    }
}

/// The address that a registry says it listens on.
fn listening(mut output: std::io::BufReader<std::process::ChildStdout>) -> String {
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the registry ended before it listened");
        if let Some((_, rest)) = line.split_once("listening on ") {
            break rest.split([',', '"', ' ', '\n']).next().unwrap().to_owned();
        }
    };
    // Nobody reads further, and a full pipe would stop the registry.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    address
}

/// What a server needs for TLS and a password.
pub(crate) struct Secrets {
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// `USER` with `PASSWORD`.
    pub(crate) htpasswd: PathBuf,
}

impl Secrets {
    /// Writes them into a directory.
    pub(crate) fn write(directory: &Path) -> Self {
        write_certificates(directory);
        let path = |name: &str| directory.join(name);
        std::fs::write(path("htpasswd"), HTPASSWD).unwrap();
        Self {
            ca: path("ca.pem"),
            certificate: path("server.pem"),
            key: path("server.key"),
            htpasswd: path("htpasswd"),
        }
    }
}

/// A CA in `ca.pem` and a certificate of it for loopback in `server.pem` and `server.key`.
fn write_certificates(directory: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "a site's own CA");
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    std::fs::write(directory.join("ca.pem"), ca.pem()).unwrap();

    let server_key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let server = CertificateParams::new(names).unwrap().signed_by(&server_key, &Issuer::new(params, key)).unwrap();
    std::fs::write(directory.join("server.pem"), server.pem()).unwrap();
    std::fs::write(directory.join("server.key"), server_key.serialize_pem()).unwrap();
}
