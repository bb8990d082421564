//! `bundler resolve` of the project's own catalog, beside the same renders by Helm alone.
//!
//! A first run fills the cache through a `helm` that notes what it is asked. The floor repeats these renders, as many
//! at a time as there are cores: no resolve that renders every chart can cost less.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;
use crate::contender::{Contender, FLOOR, on_path};
use crate::measure;

/// The day on which versions are chosen; the upstream's histories end then.
const AS_OF: &str = "2026-08-28";

/// Notes a render in a directory of its own under `$RENDERS`: the arguments, one a line, with the values that they name.
const NOTE: &str = r#"#!/bin/sh
case "$1" in template)
  note=$(mktemp -d 'RENDERS/XXXXXXXX')
  for argument; do
    case "$argument" in
      "${HOME%/}"/*) copy=$note/${argument##*/}; cp "$argument" "$copy"; argument=$copy ;;
    esac
    printf '%s\0' "$argument"
  done >"$note/arguments"
esac
exec 'HELM' "$@"
"#;

/// The upstream's process, the cache that a first run filled, and the renders that it asked for.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    upstream: Child,
    helm: PathBuf,
}

/// Whether there is a Helm to compare with.
pub(crate) fn possible() -> bool {
    on_path("helm")
}

impl Scratch {
    /// Starts the upstream and resolves once.
    pub(crate) fn create(work: &Path) -> Result<Self> {
        let helm = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join("helm"))
            .find(|helm| helm.is_file())
            .ok_or("no helm on PATH")?;
        let directory = tempfile::Builder::new().prefix("resolve-").tempdir_in(work)?;
        let mut upstream = Command::new(std::env::current_exe()?)
            .arg("upstream")
            .arg(directory.path().join("config.yaml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        BufReader::new(upstream.stdout.take().ok_or("no stdout")?).read_line(&mut String::new())?;
        let scratch = Self { directory, upstream, helm };

        let (renders, noting) = (scratch.path("renders"), scratch.path("noting-helm"));
        fs::create_dir(&renders)?;
        let script = NOTE
            .replace("RENDERS", &renders.display().to_string())
            .replace("HELM", &scratch.helm.display().to_string());
        fs::write(&noting, script)?;
        fs::set_permissions(&noting, fs::Permissions::from_mode(0o755))?;
        measure::run(&[scratch.resolve(&noting)], &scratch.path("log"))
            .map_err(|error| format!("{error}\n{}", fs::read_to_string(scratch.path("log")).unwrap_or_default()))?;
        Ok(scratch)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("log")
    }

    fn resolve(&self, helm: &Path) -> Vec<OsString> {
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let mut command: Vec<OsString> =
            vec![env!("CARGO_BIN_EXE_bundler").into(), "resolve".into(), "-q".into(), "--skip-signatures".into()];
        for (option, value) in [
            ("--catalog", catalog),
            ("--config", self.path("config.yaml")),
            ("--lock", self.path("bundle.lock.yaml")),
            ("--cache-dir", self.path("cache")),
            ("--helm", helm.to_owned()),
            ("--as-of", AS_OF.into()),
        ] {
            command.extend([option.into(), value.into()]);
        }
        command
    }

    /// Helm alone in parallel, Helm alone one render after the other, and bundler.
    pub(crate) fn contenders(&self) -> Result<Vec<Contender>> {
        let mut renders: Vec<_> =
            fs::read_dir(self.path("renders"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        renders.sort();
        let list: Vec<_> = renders.iter().map(|render| format!("{}\n", render.display())).collect();
        fs::write(self.path("list"), list.concat())?;
        let cores = std::thread::available_parallelism()?.to_string();
        let helm = |parallel: &str| -> Vec<OsString> {
            let mut command: Vec<OsString> = vec!["xargs".into(), "-a".into(), self.path("list").into()];
            let render = ["-P", parallel, "-I{}", "env", "HOME={}", "HELM_NO_PLUGINS=1"];
            command.extend(render.map(OsString::from));
            command.extend(["xargs", "-0", "-a", "{}/arguments"].map(OsString::from));
            command.push(self.helm.clone().into());
            command
        };
        let lock = self.path("bundle.lock.yaml");
        let count = renders.len();
        Ok(vec![
            Contender::one(FLOOR.to_owned(), helm(&cores), Vec::new()),
            Contender::one(format!("helm, {count} renders one by one"), helm("1"), Vec::new()),
            Contender::one("bundler resolve, warm".to_owned(), self.resolve(&self.helm), vec![lock]),
        ])
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.upstream.stdin.take());
        // Its end is all that is wanted.
        let _ = self.upstream.wait();
    }
}
