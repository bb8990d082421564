//! The real `helm` program: finding it, and `helm template` in an environment of its own.
//!
//! Charts are programs in Go's template language with Helm's functions; only Helm renders them as the
//! installer will. It gets no cluster, no plugins, no configuration of the user and no network.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::error::Diagnostic;
use crate::exit::Exit;
use crate::name::is_plain;

/// What a render may print, 64 MiB: the largest known has 7 MB, most of it CRDs.
pub const MAX_RENDER: u64 = 64 << 20;
/// What is kept of its messages, 64 KiB; a failing template can print its whole input.
const MAX_MESSAGE: u64 = 64 << 10;
/// When a render is given up. The slowest known takes three seconds; a loop in a template takes for ever.
const RENDER_TIME: Duration = Duration::from_secs(300);
/// The oldest Helm that renders the charts of today, 3.8.
const OLDEST: (u64, u64) = (3, 8);

/// A `helm` program that was found and asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    program: PathBuf,
    version: String,
}

/// A release as it will be installed: what `helm template` and the installer are both given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Values files, in order; the later ones win.
    pub values: Vec<Values>,
    /// Single values by dotted path, which win over the files; see [`set_arguments`].
    pub set: BTreeMap<String, String>,
    /// Single values as somebody wrote them for Helm's own `--set`, which win over all others.
    pub options: Vec<String>,
    /// The Kubernetes version for `.Capabilities`, such as `1.36.4`; Helm's own where there is none.
    pub kube_version: Option<String>,
    /// API versions for `.Capabilities`, besides Kubernetes' own; see [`super::crd::api_versions`].
    pub api_versions: BTreeSet<String>,
}

/// A values file, read by the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// How Helm's messages shall call it: its path.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Why nothing was rendered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no program of that name.
    #[error("cannot find the `helm` program{}", .path.as_ref().map(|p| format!(" at `{}`", p.display())).unwrap_or_default())]
    Missing {
        /// The path that was given, if one was.
        path: Option<PathBuf>,
    },
    /// It is there but cannot be started.
    #[error("cannot run `{}`", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not answer as Helm does.
    #[error("`{} version` answers `{answer}`, which is no version of Helm", .program.display())]
    NotHelm {
        /// The program.
        program: PathBuf,
        /// Its answer, shortened.
        answer: String,
    },
    /// It is older than the charts of today want.
    #[error("`{}` is Helm {version}; charts are rendered with 3.8 or newer", .program.display())]
    TooOld {
        /// The program.
        program: PathBuf,
        /// Its version.
        version: String,
    },
    /// The chart does not render with these values.
    #[error("helm cannot render {chart}: {message}")]
    Render {
        /// The archive's file name, or the chart's own.
        chart: String,
        /// Helm's message, with the template's file and line.
        message: String,
    },
    /// It printed more than any chart renders to.
    #[error("{chart} renders to more than {MAX_RENDER} bytes")]
    TooLarge {
        /// The archive's file name, or the chart's own.
        chart: String,
    },
    /// It did not end.
    #[error("helm did not render {chart} within {} seconds", RENDER_TIME.as_secs())]
    TooSlow {
        /// The archive's file name, or the chart's own.
        chart: String,
    },
    /// It printed something that is no text.
    #[error("{chart} renders to something that is not UTF-8 text")]
    NotText {
        /// The archive's file name, or the chart's own.
        chart: String,
    },
    /// A chart's provenance file is not good.
    #[error("{message}")]
    Unverified {
        /// Helm's message.
        message: String,
    },
    /// The directory for its values cannot be written.
    #[error("cannot prepare a temporary directory for helm")]
    Temporary(#[source] io::Error),
}

impl Error {
    /// The same of the chart by its name, where its archive is kept under another one.
    #[must_use]
    pub fn of_chart(self, name: &str) -> Self {
        let chart = name.to_owned();
        match self {
            Self::Render { message, .. } => Self::Render { chart, message },
            Self::TooLarge { .. } => Self::TooLarge { chart },
            Self::TooSlow { .. } => Self::TooSlow { chart },
            Self::NotText { .. } => Self::NotText { chart },
            other => other,
        }
    }
}

impl Diagnostic for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Start { .. } | Self::NotHelm { .. } | Self::TooOld { .. } => Exit::Usage,
            Self::Render { .. } | Self::TooLarge { .. } | Self::TooSlow { .. } | Self::NotText { .. } => Exit::Source,
            Self::Unverified { .. } => Exit::No,
            Self::Temporary(_) => Exit::Disk,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } | Self::Start { .. } | Self::NotHelm { .. } | Self::TooOld { .. } => {
                Some("install Helm, or name it with `--helm PATH`".to_owned())
            }
            Self::Render { message, .. } if message.contains("kubeVersion") => Some(
                "the chart excludes the Kubernetes of the platform; constrain its `version` or change `platform`"
                    .to_owned(),
            ),
            Self::Render { .. } => Some("`values` and `set` of the component are what it was rendered with".to_owned()),
            _ => None,
        }
    }
}

impl Helm {
    /// Finds Helm: at `path` if one is given, else the first `helm` in the directories of `search_path`
    /// (the text of `PATH`), and asks for its version.
    pub async fn find(path: Option<&Path>, search_path: Option<&OsStr>) -> Result<Self, Error> {
        let program = match path {
            Some(path) => path.to_owned(),
            None => std::env::split_paths(search_path.unwrap_or_default())
                .map(|directory| directory.join("helm"))
                .find(|candidate| candidate.is_file())
                .ok_or(Error::Missing { path: None })?,
        };
        // A relative path would be looked for anew in the directory in which Helm runs.
        let program = std::path::absolute(&program).map_err(|source| Error::Start { program, source })?;
        if !program.is_file() {
            return Err(Error::Missing { path: Some(program) });
        }
        let home = tempfile::tempdir().map_err(Error::Temporary)?;
        let mut command = isolated(&program, home.path());
        command.args(["version", "--template", "{{.Version}}"]);
        let output = run(&program, command, MAX_MESSAGE).await?;
        let answer = String::from_utf8_lossy(output.as_ref().map_or(&[], |o| &o.stdout)).trim().to_owned();
        match major_minor(&answer) {
            None => Err(Error::NotHelm { program, answer: answer.chars().take(80).collect() }),
            Some(version) if version < OLDEST => Err(Error::TooOld { program, version: answer }),
            Some(_) => Ok(Self { program, version: answer.trim_start_matches('v').to_owned() }),
        }
    }

    /// The program's path, absolute.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version as it says itself, without the `v`; a Helm built from source may say no more than `4.2`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Renders the chart in the archive as `release`: CRDs, templates, hooks and tests, as YAML documents
    /// each after a `# Source:` line. Dropping the future ends the program.
    pub async fn template(&self, archive: &Path, release: &Release) -> Result<String, Error> {
        let chart = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let home = tempfile::tempdir().map_err(Error::Temporary)?;
        let archive = std::path::absolute(archive).map_err(Error::Temporary)?;
        let mut command = isolated(&self.program, home.path());
        command.arg("template").arg("--include-crds").arg("--namespace").arg(&release.namespace);
        // Helm splits the option's text at commas and takes URLs, so it sees files of ours only.
        let copies: Vec<_> = (0..release.values.len()).map(|n| home.path().join(format!("values-{n}.yaml"))).collect();
        for (copy, values) in copies.iter().zip(&release.values) {
            std::fs::write(copy, &values.text).map_err(Error::Temporary)?;
            command.arg("--values").arg(copy);
        }
        command.args(set_arguments(&release.set));
        for option in &release.options {
            command.arg("--set").arg(option);
        }
        if let Some(version) = &release.kube_version {
            command.arg("--kube-version").arg(version);
        }
        for version in &release.api_versions {
            command.arg("--api-versions").arg(version);
        }
        command.arg("--").arg(&release.name).arg(&archive);
        let output = tokio::time::timeout(RENDER_TIME, run(&self.program, command, MAX_RENDER)).await;
        let output = output.map_err(|_| Error::TooSlow { chart: chart.clone() })??;
        let Some(output) = output else { return Err(Error::TooLarge { chart }) };
        if !output.success {
            let mut message = readable(&String::from_utf8_lossy(&output.stderr));
            for (copy, values) in copies.iter().zip(&release.values) {
                message = message.replace(&*copy.to_string_lossy(), &values.file);
            }
            return Err(Error::Render { chart, message });
        }
        String::from_utf8(output.stdout).map_err(|_| Error::NotText { chart })
    }
}

impl Helm {
    /// Checks the provenance file of the chart `name` `version` in `archive` by the OpenPGP keys of `keyring`, which
    /// may be armoured.
    ///
    /// # Errors
    /// [`Error::Unverified`] with Helm's message when nobody on the keyring signed exactly this archive.
    pub async fn verify(
        &self,
        name: &str,
        version: &str,
        archive: &Path,
        provenance: &[u8],
        keyring: &[u8],
    ) -> Result<(), Error> {
        let home = tempfile::tempdir().map_err(Error::Temporary)?;
        // The provenance file tells the archive by its file name.
        let file = format!("{name}-{version}.tgz");
        if !is_plain(&file) {
            return Err(Error::Unverified { message: format!("`{file}` cannot name a file") });
        }
        let put = |file: &str, bytes: &[u8]| std::fs::write(home.path().join(file), bytes).map_err(Error::Temporary);
        put(&format!("{file}.prov"), provenance)?;
        put("keyring.gpg", &unarmoured(keyring).unwrap_or_else(|| keyring.to_owned()))?;
        std::fs::copy(archive, home.path().join(&file)).map_err(Error::Temporary)?;
        let mut command = isolated(&self.program, home.path());
        command.args(["verify", "--keyring", "keyring.gpg", "--"]).arg(&file);
        let output = tokio::time::timeout(RENDER_TIME, run(&self.program, command, MAX_MESSAGE)).await;
        match output.map_err(|_| Error::TooSlow { chart: file })?? {
            Some(output) if output.success => Ok(()),
            output => {
                let message = readable(&String::from_utf8_lossy(&output.map(|o| o.stderr).unwrap_or_default()));
                Err(Error::Unverified { message })
            }
        }
    }
}

/// The bytes of an armoured keyring (RFC 9580, §6); none where it is not armoured. Helm reads binary ones only.
fn unarmoured(keyring: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(keyring).ok()?;
    let (_, text) = text.split_once("-----BEGIN PGP PUBLIC KEY BLOCK-----")?;
    let (text, _) = text.split_once("-----END PGP PUBLIC KEY BLOCK-----")?;
    // Headers such as `Comment:` end at an empty line; the checksum after a `=` is optional and not looked at.
    let lines: Vec<&str> = text.trim_start_matches([' ', '\r']).lines().map(str::trim).collect();
    let start = lines.iter().skip(1).position(|line| line.is_empty())? + 2;
    let body: String = lines.get(start..)?.iter().filter(|line| !line.starts_with('=')).copied().collect();
    STANDARD.decode(body).ok()
}

/// The arguments that give Helm single values, here and in the installer.
///
/// `true`, `false` and `null` go as `--set`, since a template takes the text `false` for true; everything
/// else goes as `--set-string`, since a tag such as `8` or `1.20` has to stay a text. A number that a template
/// computes with belongs into the values file. Each pair is one value: commas and braces in it are escaped.
#[must_use]
pub fn set_arguments(set: &BTreeMap<String, String>) -> Vec<String> {
    let mut arguments = Vec::with_capacity(set.len() * 2);
    for (key, value) in set {
        let flag = if matches!(value.as_str(), "true" | "false" | "null") { "--set" } else { "--set-string" };
        let mut escaped = String::with_capacity(value.len());
        for (position, c) in value.char_indices() {
            if matches!(c, ',' | '\\') || (position == 0 && c == '{') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        arguments.extend([flag.to_owned(), format!("{key}={escaped}")]);
    }
    arguments
}

/// A command that knows nothing of the user: no kubeconfig, no plugins, no repositories, no proxy.
fn isolated(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    let variables = [
        ("HOME", ""),
        ("TMPDIR", ""),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("HELM_CACHE_HOME", "cache/helm"),
        ("HELM_CONFIG_HOME", "config/helm"),
        ("HELM_DATA_HOME", "data/helm"),
        ("HELM_PLUGINS", "plugins"),
        ("KUBECONFIG", "no-kubeconfig"),
    ];
    for (name, below) in variables {
        command.env(name, home.join(below));
    }
    command.env("HELM_NO_PLUGINS", "1");
    command
}

struct Output {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs to the end; none when it printed more than `limit` bytes, which ends it.
async fn run(program: &Path, mut command: Command, limit: u64) -> Result<Option<Output>, Error> {
    let failed = |source| Error::Start { program: program.to_owned(), source };
    let mut child = command.spawn().map_err(failed)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else { return Ok(None) };
    let (stdout, stderr) = tokio::join!(bounded(stdout, limit), last(stderr));
    let Some(stdout) = stdout.map_err(failed)? else { return Ok(None) };
    let status = child.wait().await.map_err(failed)?;
    Ok(Some(Output { success: status.success(), stdout, stderr: stderr.map_err(failed)? }))
}

async fn bounded(stream: impl AsyncRead + Unpin, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Keeps the last [`MAX_MESSAGE`] bytes: what went wrong stands at the end.
async fn last(mut stream: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 16 << 10]);
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(&chunk[..count]);
        if let Some(excess) = kept.len().checked_sub(MAX_MESSAGE as usize) {
            kept.drain(..excess);
        }
    }
}

/// Helm's message without its own prefix, its log and its advice.
fn readable(stderr: &str) -> String {
    let noise = |line: &str| line.is_empty() || line.starts_with("Use --debug") || line.contains("level=");
    let lines: Vec<_> = stderr.lines().filter(|line| !noise(line)).collect();
    let text = lines.join("\n");
    let text = text.strip_prefix("Error: ").unwrap_or(&text);
    if text.is_empty() { "it gave no reason".to_owned() } else { text.to_owned() }
}

fn major_minor(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.strip_prefix('v')?.split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl Error {
    /// Whether Helm is simply not there, so that the pinned one may be used instead.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { path: None })
    }
}
