//! What a setting needs: the registry's process, a directory with catalog, lock and configuration, a quiet machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bundler::lock::model::{Bundle, Component, Image, Lock, Platform, SCHEMA};
use bundler::oci::{Arch, Hasher, Reference, media_type};

use crate::Result;
use crate::corpus::{self, Corpus, TAG};
use crate::options::Setting;

/// How many MiB are hashed to learn the rate; half a second's worth.
const HASHED: u64 = 1 << 10;
/// The registry that the lock names; the configuration says where it really is.
const REGISTRY: &str = "registry.example";

/// The registry's process; it ends with this value, or with this process however that ends.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub(crate) fn start(corpus: &Corpus, setting: &Setting) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("registry").arg(&corpus.directory);
        if setting.slow {
            command.args(["--delay", "40", "--rate", "20000000"]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Its end is all that is wanted.
        let _ = self.child.wait();
    }
}

/// The directory of one setting; removed at the end.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    pub(crate) corpus: PathBuf,
    /// `HOST:PORT` of the registry.
    pub(crate) address: String,
    /// The images' names in that registry.
    pub(crate) images: Vec<String>,
}

impl Scratch {
    pub(crate) fn create(work: &Path, corpus: &Corpus, setting: &Setting, address: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("run-").tempdir_in(work)?;
        let images = corpus.contents.images.iter().map(|image| format!("{address}/{}:{TAG}", image.name)).collect();
        let corpus_directory = corpus.directory.clone();
        let scratch = Self { directory, corpus: corpus_directory, address: address.to_owned(), images };
        scratch.write_catalog(scratch.directory(), "1.0.0", &corpus.contents.images)?;
        let mut config = format!("mirrors: {{{REGISTRY}: [http://{address}]}}\nmirror_only: true\n");
        if let Some(connections) = setting.connections {
            config += &format!("max_connections_per_host: {connections}\n");
        }
        fs::write(scratch.path("config.yaml"), config)?;
        Ok(scratch)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the last program said.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("log")
    }

    /// A catalog of one component that runs these images, and the lock that `resolve` would write.
    pub(crate) fn write_catalog(&self, directory: &Path, version: &str, contents: &[corpus::Image]) -> Result<()> {
        let catalog = directory.join("catalog");
        let component = catalog.join("components/all");
        fs::create_dir_all(&component)?;
        fs::write(
            catalog.join("catalog.yaml"),
            format!(
                "schema: 1\nname: bench\nversion: {version}\n\
                 platform: {{kubernetes: \"1.36\", architectures: [amd64]}}\nprofiles: {{all: [all]}}\n"
            ),
        )?;
        let mut text = "name: all\nsource: {github: example/all, tag: \"{version}\"}\nimages:\n".to_owned();
        let mut images = BTreeMap::new();
        for image in contents {
            text += &format!("  - \"{REGISTRY}/{}:{{version}}\"\n", image.name);
            let platform = Platform {
                digest: image.manifest.digest.parse()?,
                size: Some(image.manifest.size),
                layers_size: Some(image.layers_size),
            };
            let reference: Reference = format!("{REGISTRY}/{}:{TAG}", image.name).parse()?;
            let locked = Image {
                digest: image.index.parse()?,
                media_type: Some(media_type::OCI_INDEX.to_owned()),
                platforms: BTreeMap::from([(Arch::Amd64, platform)]),
                attached: Vec::new(),
            };
            images.insert(reference, locked);
        }
        fs::write(component.join("component.yaml"), text)?;
        let inputs = bundler::catalog::inputs_digest(&bundler::catalog::read(&catalog)?.inputs["all"]);
        let component = Component {
            version: TAG.to_owned(),
            tag: Some(TAG.to_owned()),
            source: None,
            app_version: None,
            signatures: Vec::new(),
            inputs,
            chart: None,
            charts: BTreeMap::new(),
            files: BTreeMap::new(),
            images: images.keys().cloned().collect(),
        };
        let lock = Lock {
            schema: SCHEMA,
            bundle: Bundle {
                name: "bench".to_owned(),
                version: version.to_owned(),
                kubernetes: "1.36".to_owned(),
                kubeedge: None,
                architectures: vec![Arch::Amd64],
                installers: None,
            },
            profiles: BTreeMap::from([("all".to_owned(), vec!["all".to_owned()])]),
            components: BTreeMap::from([("all".to_owned(), component)]),
            images,
            unresolved: Vec::new(),
        };
        Ok(bundler::lock::write(&directory.join("bundle.lock.yaml"), &lock)?)
    }
}

/// Lets the disk finish what the run before left to it, so that nobody pays for another's writes.
pub(crate) fn settle() -> Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// One line on the machine.
pub(crate) fn machine(work: &Path) -> Result<String> {
    fs::create_dir_all(work)?;
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let memory: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(format!(
        "{}, {} cores, {} of memory, Linux {}, load {} at the start, sha2 {}/s a core",
        field("/proc/cpuinfo", "model name"),
        std::thread::available_parallelism()?,
        bundler::size::bytes(memory * 1024),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
        bundler::size::bytes(hash_rate()),
    ))
}

/// How many bytes one core hashes in a second, from memory: what `verify` is held against.
fn hash_rate() -> u64 {
    let bytes = vec![0x5a; 1 << 20];
    let mut hasher = Hasher::new();
    let began = Instant::now();
    for _ in 0..HASHED {
        hasher.update(&bytes);
    }
    std::hint::black_box(hasher.finish());
    (HASHED << 20) * 1000 / u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
}
