//! The `cosign` program: whether an image has a good signature.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::Signatures;
use crate::catalog::model::Cosign;
use crate::config::Endpoint;
use crate::lock::model::Signature;
use crate::oci::{Digest, Reference};
use crate::resolve::Failure;

/// What is read of the program's messages, 64 KiB.
const MAX_MESSAGE: u64 = 64 << 10;
/// When a check is given up: it asks a registry and, the first time, for the trust root.
const CHECK_TIME: Duration = Duration::from_secs(120);

/// The first `cosign` in the directories of `search_path`.
pub(in crate::resolve) fn find(search_path: Option<&OsStr>) -> Option<PathBuf> {
    let directories = std::env::split_paths(search_path?);
    directories.map(|directory| directory.join("cosign")).find(|candidate| candidate.is_file())
}

impl Signatures<'_> {
    /// Asks cosign about one image, at the mirrors first.
    pub(super) async fn image(
        &self,
        program: &Path,
        signer: &Cosign,
        signature: &Signature,
        key: Option<&[u8]>,
        reference: &Reference,
        digest: Digest,
    ) -> Result<(), Failure> {
        let who = (&signature.identity, &signature.issuer, &signature.key, signer.transparency_log);
        let question = format!("signature {}@{digest} {who:?}", reference.name());
        if self.sources.kept.read(&question) == Some(true) {
            return Ok(());
        }
        let disk = |source| Failure::Disk { path: "a temporary file for cosign".to_owned(), source };
        let mut arguments = vec!["verify".into()];
        let mut file = tempfile::NamedTempFile::with_suffix(".pub").map_err(disk)?;
        match key {
            Some(key) => {
                file.write_all(key).map_err(disk)?;
                arguments.extend(["--key".into(), file.path().as_os_str().to_owned()]);
                if signer.transparency_log == Some(false) {
                    arguments.push("--insecure-ignore-tlog=true".into());
                }
            }
            None => {
                let mut pair = |flag: &str, value: &Option<String>| {
                    arguments.extend([flag.into(), value.clone().unwrap_or_default().into()]);
                };
                pair("--certificate-identity", &signature.identity);
                pair("--certificate-oidc-issuer", &signature.issuer);
            }
        }
        let mut problems = Vec::new();
        for place in self.sources.registry.places(reference) {
            let mut command = Command::new(program);
            command.args(&arguments).arg("--output=json");
            if place.url.scheme() == "http" {
                command.arg("--allow-http-registry=true");
            }
            command.arg(image(&place, digest));
            match run(command).await {
                Ok(()) => {
                    self.sources.kept.write(&question, &true);
                    return Ok(());
                }
                Err(message) => problems.push(format!("{}: {message}", host(&place))),
            }
        }
        let problem = if problems.is_empty() { "no registry is left to ask".to_owned() } else { problems.join("; ") };
        Err(Failure::Signature { what: format!("{}@{digest}", reference.name()), problem })
    }
}

/// How cosign is told of an image at a place: it knows nothing of our mirrors.
fn image(place: &Endpoint, digest: Digest) -> String {
    format!("{}/{}@{digest}", host(place), place.repository)
}

/// Host and port of a place.
fn host(place: &Endpoint) -> String {
    let host = match place.url.host_str().unwrap_or_default() {
        "registry-1.docker.io" => "index.docker.io",
        host => host,
    };
    let port = place.url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{host}{port}")
}

/// Runs the program; its message when it does not find the signature good.
async fn run(mut command: Command) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let check = async {
        let mut child = command.spawn()?;
        let mut message = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            stderr.take(MAX_MESSAGE).read_to_end(&mut message).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?.success(), message))
    };
    match tokio::time::timeout(CHECK_TIME, check).await {
        Ok(Ok((true, _))) => Ok(()),
        Ok(Ok((false, message))) => {
            let message = String::from_utf8_lossy(&message).into_owned();
            let line = message.lines().find(|line| line.starts_with("Error:")).or(message.lines().last());
            let line = line.unwrap_or("it gave no reason").trim_start_matches("Error: ");
            Err(line.chars().filter(|c| !c.is_control()).collect())
        }
        Ok(Err(error)) => Err(format!("cosign cannot be run: {error}")),
        Err(_) => Err(format!("cosign did not end within {} seconds", CHECK_TIME.as_secs())),
    }
}
