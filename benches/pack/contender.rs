//! Who runs: the floor, bundler's ways, and what other programs need for the same images in one tar.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::options::Setting;
use crate::setup::Scratch;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// One after the other; their times add up.
    pub(crate) commands: Vec<Vec<OsString>>,
    /// What has to be absent when it starts.
    removed: Vec<PathBuf>,
    /// Directories that have to be there and empty.
    emptied: Vec<PathBuf>,
    /// What runs before it and is not measured.
    before: Vec<Vec<OsString>>,
}

/// A command line from texts and paths.
macro_rules! command {
    ($($word:expr),* $(,)?) => { vec![$(std::ffi::OsString::from($word)),*] };
}
pub(crate) use command;

impl Contender {
    /// One command; `removed` has to be absent when it starts.
    pub(crate) fn one(name: String, command: Vec<OsString>, removed: Vec<PathBuf>) -> Self {
        Self::several(name, vec![command], removed)
    }

    /// Several commands; `removed` has to be absent when the first starts.
    pub(crate) fn several(name: String, commands: Vec<Vec<OsString>>, removed: Vec<PathBuf>) -> Self {
        Self { name, commands, removed, emptied: Vec::new(), before: Vec::new() }
    }

    /// The same, each time after a command that is not measured.
    pub(crate) fn after(mut self, command: Vec<OsString>) -> Self {
        self.before.push(command);
        self
    }

    /// The floor, and those of the others whose name holds one of `only`, in the order in which they run.
    pub(crate) fn all(scratch: &Scratch, setting: &Setting, only: &[String]) -> Vec<Self> {
        let mut all = floors(scratch);
        all.extend(bundler(scratch, setting.connections));
        for (program, peer) in [
            ("hauler", hauler as fn(&Scratch) -> Self),
            ("oras", oras),
            ("crane", crane),
            ("skopeo", skopeo),
            ("zarf", zarf),
        ] {
            if on_path(program) {
                all.push(peer(scratch));
            }
        }
        let wanted = |name: &str| name == FLOOR || only.is_empty() || only.iter().any(|part| name.contains(part));
        all.retain(|contender| wanted(&contender.name));
        if let Some(cores) = setting.cores {
            let list = format!("0-{}", cores.saturating_sub(1));
            for command in all.iter_mut().flat_map(|contender| &mut contender.commands) {
                command.splice(0..0, command!["taskset", "-c", &list]);
            }
        }
        all
    }

    /// Makes the place as if this contender had never run.
    pub(crate) fn prepare(&self) -> Result<()> {
        for path in self.removed.iter().chain(&self.emptied) {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        self.emptied.iter().try_for_each(fs::create_dir)?;
        for command in &self.before {
            let status = Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).status()?;
            if !status.success() {
                return Err(format!("{command:?} failed").into());
            }
        }
        Ok(())
    }
}

/// The row that the ways to pack and to resolve are compared with.
pub(crate) const FLOOR: &str = "floor";

fn floors(scratch: &Scratch) -> Vec<Contender> {
    let output = scratch.path("floor");
    let itself = std::env::current_exe().unwrap_or_default();
    let floor = command![itself, "floor", &scratch.corpus, &scratch.address, &output];
    let mut synced = floor.clone();
    synced.push("--sync".into());
    let contender = |name: &str, command| Contender::one(name.to_owned(), command, vec![output.clone()]);
    vec![contender(FLOOR, floor), contender("floor and fsync", synced)]
}

/// Packs the catalog and the lock of a directory.
pub(crate) fn pack(scratch: &Scratch, directory: &Path, archive: &Path) -> Vec<OsString> {
    let mut pack = command![env!("CARGO_BIN_EXE_bundler"), "pack", "-q", "--arch", "amd64", "--output", archive];
    pack.extend(command!["--catalog", directory.join("catalog"), "--lock", directory.join("bundle.lock.yaml")]);
    pack.extend(command!["--config", scratch.path("config.yaml"), "--cache-dir", scratch.path("cache")]);
    pack
}

fn bundler(scratch: &Scratch, connections: Option<u32>) -> Vec<Contender> {
    let program = env!("CARGO_BIN_EXE_bundler");
    let (archive, cache) = (scratch.path("bundle.tar.gz"), scratch.path("cache"));
    let mut pack = pack(scratch, scratch.directory(), &archive);
    if let Some(connections) = connections {
        pack.extend(command!["--jobs", connections.to_string()]);
    }
    let mut without = pack.clone();
    without.push("--no-store".into());
    let contender = |name: &str, command, removed| Contender::one(name.to_owned(), command, removed);
    vec![
        contender("bundler pack --no-store", without, vec![archive.clone(), cache.clone()]),
        contender("bundler pack", pack.clone(), vec![archive.clone(), cache]),
        // The next two use what the last one left.
        contender("bundler pack, warm", pack, vec![archive.clone()]),
        contender("bundler verify", command![program, "verify", "-q", archive], Vec::new()),
    ]
}

fn tar(scratch: &Scratch, directory: &str) -> Vec<OsString> {
    command!["tar", "cf", scratch.path("peer.tar"), "-C", scratch.path(directory), "."]
}

fn crane(scratch: &Scratch) -> Contender {
    let mut pull = command!["crane", "pull", "--platform", "linux/amd64", "--format", "oci"];
    pull.extend(scratch.images.iter().map(OsString::from));
    pull.push(scratch.path("crane").into());
    Contender {
        name: "crane pull, tar".to_owned(),
        commands: vec![pull, tar(scratch, "crane")],
        removed: vec![scratch.path("crane"), scratch.path("peer.tar")],
        emptied: Vec::new(),
        before: Vec::new(),
    }
}

fn skopeo(scratch: &Scratch) -> Contender {
    let layout = scratch.path("skopeo");
    let mut commands: Vec<_> = (0..)
        .zip(&scratch.images)
        .map(|(number, image)| {
            let target = format!("oci:{}:image-{number:03}", layout.display());
            let options = ["--override-os", "linux", "--override-arch", "amd64"];
            let mut copy = command!["skopeo", "copy", "-q", "--src-tls-verify=false"];
            copy.splice(1..1, options.map(OsString::from));
            copy.extend(command![format!("docker://{image}"), target]);
            copy
        })
        .collect();
    commands.push(tar(scratch, "skopeo"));
    Contender {
        name: "skopeo copy, tar".to_owned(),
        commands,
        removed: vec![layout, scratch.path("peer.tar")],
        emptied: Vec::new(),
        before: Vec::new(),
    }
}

fn oras(scratch: &Scratch) -> Contender {
    let layout = scratch.path("oras");
    let mut commands: Vec<_> = (0..)
        .zip(&scratch.images)
        .map(|(number, image)| {
            let target = format!("{}:image-{number:03}", layout.display());
            let options = ["--from-plain-http", "--platform", "linux/amd64", "--to-oci-layout"];
            let mut copy = command!["oras", "copy"];
            copy.extend(options.map(OsString::from));
            copy.extend(command![image, target]);
            copy
        })
        .collect();
    commands.push(tar(scratch, "oras"));
    Contender {
        name: "oras copy, tar".to_owned(),
        commands,
        removed: vec![scratch.path("peer.tar")],
        emptied: vec![layout],
        before: Vec::new(),
    }
}

fn hauler(scratch: &Scratch) -> Contender {
    let store = scratch.path("hauler");
    let mut commands: Vec<_> = scratch
        .images
        .iter()
        .map(|image| command!["hauler", "store", "add", "image", image, "--platform", "linux/amd64", "-s", &store])
        .collect();
    commands.push(command!["hauler", "store", "save", "-s", &store, "-f", scratch.path("peer.tar.zst")]);
    Contender {
        name: "hauler store add, save".to_owned(),
        commands,
        removed: vec![store, scratch.path("peer.tar.zst")],
        emptied: Vec::new(),
        before: Vec::new(),
    }
}

fn zarf(scratch: &Scratch) -> Contender {
    // The package's definition is beside the output; writing it is no part of the work.
    let package = scratch.path("zarf");
    let mut definition = "kind: ZarfPackageConfig\nmetadata: {name: bench, architecture: amd64}\n\
         components:\n- name: all\n  required: true\n  images:\n"
        .to_owned();
    for image in &scratch.images {
        definition += &format!("  - {image}\n");
    }
    let written = fs::create_dir_all(&package).and_then(|()| fs::write(package.join("zarf.yaml"), definition));
    debug_assert!(written.is_ok(), "the scratch directory can be written");
    let output = scratch.path("zarf-output");
    let mut create = command!["zarf", "package", "create", package, "--output", &output, "--zarf-cache"];
    create.extend(command![scratch.path("zarf-cache"), "--confirm", "--plain-http", "--skip-sbom"]);
    Contender {
        name: "zarf package create".to_owned(),
        commands: vec![create],
        removed: vec![scratch.path("zarf-cache")],
        emptied: vec![output],
        before: Vec::new(),
    }
}

pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
