//! A real containerd, with nothing of the machine's own.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bundler::oci::{Arch, Digest};

use crate::support::{self, Sandbox, Server, output_of};

const WITHOUT_CRI: &str = "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";

/// A containerd of its own.
pub(crate) struct Containerd {
    directory: tempfile::TempDir,
    ctr: PathBuf,
    _server: Server,
}

impl Containerd {
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(None, WITHOUT_CRI)
    }

    /// One that keeps its data there.
    pub(crate) fn start_at(root: &Path) -> Option<Self> {
        Self::start_with(Some(root), WITHOUT_CRI)
    }

    /// One that answers the kubelet too.
    pub(crate) fn with_cri() -> Option<Self> {
        Self::start_with(None, "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n")
    }

    /// `more` is of its configuration.
    fn start_with(root: Option<&Path>, more: &str) -> Option<Self> {
        let (program, ctr) = (support::program("containerd")?, support::program("ctr")?);
        // Not in the sandbox: a socket's path has 107 bytes at most.
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let config = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\n{more}[grpc]\naddress = {:?}\n[ttrpc]\naddress = {:?}\n",
            root.unwrap_or(&path("root")),
            path("state"),
            path("s"),
            path("t")
        );
        std::fs::write(path("config.toml"), config).unwrap();
        let config = path("config.toml");
        let mut arguments = vec!["-c".as_ref(), config.as_os_str()];
        let root = output_of(Command::new("id").arg("-u")) == "0\n";
        let (server, mut output) = if root {
            Server::start(&program, &arguments)
        } else {
            // Unpacking mounts; in a namespace of their own everybody may.
            arguments.splice(0..0, ["--user", "--map-root-user", "--mount"].map(AsRef::as_ref));
            arguments.insert(3, program.as_os_str());
            Server::start(&support::program("unshare")?, &arguments)
        };
        let mut log = String::new();
        while !log.lines().last().is_some_and(|line| line.contains("successfully booted")) {
            if output.read_line(&mut log).unwrap() == 0 {
                assert!(!root, "containerd did not start:\n{log}");
                return support::skip("root or user namespaces, to run containerd");
            }
        }
        // Nobody reads further, and a full pipe would stop it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Some(Self { directory, ctr, _server: server })
    }

    /// Its socket.
    pub(crate) fn address(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    pub(crate) fn ctr(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let mut command = sandbox.command(&self.ctr);
        command.arg("-a").arg(self.directory.path().join("s")).args(["-n", "k8s.io"]).args(arguments);
        command
    }

    /// What the line of the README does.
    pub(crate) fn import(&self, sandbox: &Sandbox, archive: &Path, arguments: &[&str]) {
        let mut gunzip = sandbox.command("gunzip").arg("-c").arg(archive).stdout(Stdio::piped()).spawn().unwrap();
        let mut import = self.ctr(sandbox, &["images", "import"]);
        output_of(import.args(arguments).arg("-").stdin(gunzip.stdout.take().unwrap()));
        assert!(gunzip.wait().unwrap().success());
    }

    /// Pulls an image with the `hosts.toml` files of a directory.
    pub(crate) fn pull(&self, sandbox: &Sandbox, hosts: &Path, name: &str) {
        let mut pull = self.ctr(sandbox, &["images", "pull", "--hosts-dir"]);
        output_of(pull.arg(hosts).arg(name));
    }

    /// Asserts that exactly these images are there, under their names and digests, and whole for `arch`.
    pub(crate) fn assert_has(&self, sandbox: &Sandbox, names: &BTreeMap<String, Digest>, arch: Arch) {
        let list = output_of(&mut self.ctr(sandbox, &["images", "ls"]));
        let found: BTreeMap<_, _> = list
            .lines()
            .skip(1)
            .map(|line| {
                let mut columns = line.split_whitespace();
                (columns.next().unwrap().to_owned(), columns.nth(1).unwrap().parse().unwrap())
            })
            .collect();
        assert_eq!(found, *names, "{list}");
        for name in names.keys() {
            let platform = format!("linux/{arch}");
            let exported = self.directory.path().join("exported.tar");
            let mut export = self.ctr(sandbox, &["images", "export", "--platform", &platform]);
            output_of(export.arg(&exported).arg(name));
            assert!(std::fs::metadata(&exported).unwrap().len() > 10_000, "{name}");
        }
    }
}

/// The architecture that images are unpacked for without `--platform`.
pub(crate) fn host() -> Arch {
    match std::env::consts::ARCH {
        "x86_64" => Arch::Amd64,
        "aarch64" => Arch::Arm64,
        other => panic!("no images for {other}"),
    }
}
