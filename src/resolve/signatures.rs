//! Whether images are signed by whom the catalog names, told by the `cosign` program.
//!
//! Only it knows all forms of signatures, and its own trust root. A digest that it found good stays good, so each is
//! asked about once; what the lock says of the same digests and signer is kept where there is no program.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::Failure;
use super::sources::Sources;
use super::template::Names;
use crate::catalog::Catalog;
use crate::catalog::model::Cosign;
use crate::config::Endpoint;
use crate::lock::Lock;
use crate::lock::model::{Image, Verified};
use crate::oci::{Digest, Reference};

/// What is read of the program's messages, 64 KiB.
const MAX_MESSAGE: u64 = 64 << 10;
/// When a check is given up: it asks a registry and, the first time, for the trust root.
const CHECK_TIME: Duration = Duration::from_secs(120);

/// Checks the signatures of one run.
pub(super) struct Signatures<'a> {
    /// The program, if there is one.
    pub(super) program: Option<PathBuf>,
    pub(super) sources: &'a Sources,
    pub(super) catalog: &'a Catalog,
    pub(super) before: Option<&'a Lock>,
    /// Whether what is not checked fails its component.
    pub(super) required: bool,
}

/// What came out for a component.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) verified: Option<Verified>,
    /// Why nothing was checked, if nothing was.
    pub(super) unchecked: Option<String>,
}

/// The first `cosign` in the directories of `search_path`.
pub(super) fn find(search_path: Option<&OsStr>) -> Option<PathBuf> {
    let directories = std::env::split_paths(search_path?);
    directories.map(|directory| directory.join("cosign")).find(|candidate| candidate.is_file())
}

impl Signatures<'_> {
    /// Checks the images of a component against the signer that it names.
    pub(super) async fn check(
        &self,
        name: &str,
        names: &Names<'_>,
        images: &BTreeMap<Reference, Image>,
    ) -> Result<Checked, Failure> {
        let verify = self.catalog.components[name].verify.as_ref();
        let Some(cosign) = verify.map(|verify| &verify.cosign.value) else { return Ok(Checked::default()) };
        let key = cosign.key.as_ref().and_then(|key| self.catalog.inputs.get(name)?.get(&key.value));
        let verified = Verified {
            identity: cosign.identity.as_deref().map(|identity| names.fill(identity)).transpose()?,
            issuer: cosign.issuer.clone(),
            key: key.map(|key| Digest::of(key)),
            images: images.keys().filter(|image| is_signed(cosign, image)).cloned().collect(),
        };
        let unchecked = match &self.program {
            _ if verified.images.is_empty() => "`verify.cosign.images` names none of its images",
            _ if self.sources.offline => "its signatures cannot be checked offline",
            None => "its signatures are not checked: there is no `cosign` program",
            Some(program) => {
                for reference in &verified.images {
                    self.one(program, cosign, &verified, key, reference, images[reference].digest).await?;
                }
                return Ok(Checked { verified: Some(verified), unchecked: None });
            }
        };
        if self.is_locked(name, &verified, images) {
            return Ok(Checked { verified: Some(verified), unchecked: None });
        }
        if self.required {
            return Err(Failure::Signature { what: name.to_owned(), problem: unchecked.to_owned() });
        }
        Ok(Checked { verified: None, unchecked: Some(unchecked.to_owned()) })
    }

    /// Whether the lock says the same of the same digests.
    fn is_locked(&self, name: &str, verified: &Verified, images: &BTreeMap<Reference, Image>) -> bool {
        let Some((before, component)) = self.before.and_then(|lock| Some((lock, lock.components.get(name)?))) else {
            return false;
        };
        let same = |image: &Reference| before.images.get(image).is_some_and(|old| old.digest == images[image].digest);
        !verified.images.is_empty() && component.verified.as_ref() == Some(verified) && verified.images.iter().all(same)
    }

    async fn one(
        &self,
        program: &std::path::Path,
        cosign: &Cosign,
        verified: &Verified,
        key: Option<&Vec<u8>>,
        reference: &Reference,
        digest: Digest,
    ) -> Result<(), Failure> {
        let signer = (&verified.identity, &verified.issuer, &verified.key, cosign.transparency_log);
        let question = format!("signature {}@{digest} {signer:?}", reference.name());
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
                if cosign.transparency_log == Some(false) {
                    arguments.push("--insecure-ignore-tlog=true".into());
                }
            }
            None => {
                let mut pair = |flag: &str, value: &Option<String>| {
                    arguments.extend([flag.into(), value.clone().unwrap_or_default().into()]);
                };
                pair("--certificate-identity", &verified.identity);
                pair("--certificate-oidc-issuer", &verified.issuer);
            }
        }
        let mut problem = "no registry is left to ask".to_owned();
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
                Err(message) => problem = message,
            }
        }
        Err(Failure::Signature { what: format!("{}@{digest}", reference.name()), problem })
    }
}

/// Whether the signer is said to sign this image.
fn is_signed(cosign: &Cosign, image: &Reference) -> bool {
    let name = image.name();
    let named = |rule: &str| match rule.strip_suffix('/') {
        Some(_) => name.starts_with(rule),
        None => rule.parse::<Reference>().is_ok_and(|rule| rule.name() == name),
    };
    cosign.images.is_empty() || cosign.images.iter().any(|rule| named(&rule.value))
}

/// How cosign is told of an image at a place: it knows nothing of our mirrors.
fn image(place: &Endpoint, digest: Digest) -> String {
    let host = match place.url.host_str().unwrap_or_default() {
        "registry-1.docker.io" => "index.docker.io",
        host => host,
    };
    let port = place.url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{host}{port}/{}@{digest}", place.repository)
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
