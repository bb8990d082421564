//! A home directory of its own for every run of the program.

use std::path::{Path, PathBuf};

/// A temporary directory that is home, configuration, cache and working directory of the programs it starts.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("bundler-it-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for name in ["home", "config", "cache", "tmp", "work"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    /// The working directory.
    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// A path below the working directory.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.work().join(relative)
    }

    /// The home directory, for a `.docker/config.json`.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Where the program keeps its store when it is told nothing else.
    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.path().join("cache/bundler")
    }

    /// Writes a file below the working directory.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes the user's configuration.
    pub(crate) fn config(&self, yaml: &str) {
        let directory = self.directory.path().join("config/bundler");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("config.yaml"), yaml).unwrap();
    }

    /// Writes a configuration in which each host or URL prefix is only at its mirror: nothing reaches the internet.
    pub(crate) fn mirrors<'a>(&self, mirrors: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut yaml = String::from("mirror_only: true\nmirrors:\n");
        for (from, to) in mirrors {
            yaml.push_str(&format!("  {from}: [\"{to}\"]\n"));
        }
        self.config(&yaml);
    }

    /// Any program in the hermetic environment, with the tests' own PATH.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
        let root = self.directory.path();
        let mut command = std::process::Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", root.join("home"))
            .env("XDG_CONFIG_HOME", root.join("config"))
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("XDG_DATA_HOME", root.join("home/.local/share"))
            .env("TMPDIR", root.join("tmp"))
            .current_dir(self.work());
        command
    }

    /// The program under test, as a plain command: for tests that start it and do something meanwhile.
    pub(crate) fn bundler_command(&self) -> std::process::Command {
        self.command(env!("CARGO_BIN_EXE_bundler"))
    }

    /// The program under test. One that hangs is ended, so that its test fails: none needs a tenth of this time.
    pub(crate) fn bundler(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.bundler_command());
        command.timeout(std::time::Duration::from_secs(300));
        command
    }
}
