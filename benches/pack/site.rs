//! What a site does with the bundle that arrived, beside other programs that do the same: pull from it, load it, push
//! it, put it together with its base.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::contender::{Contender, command, on_path, pack};
use crate::corpus::{Corpus, TAG};
use crate::service::{self, Service};
use crate::setup::Scratch;
use crate::{Result, measure, rounds, table};

/// What `--only` calls the parts; `site` is all of them.
pub(crate) const PARTS: [&str; 4] = ["serve", "load", "push", "apply"];
/// Of so many images the older bundle, the base of the delta, lacks one.
const NEW: usize = 5;

const BUNDLER: &str = env!("CARGO_BIN_EXE_bundler");

/// A packed bundle and where to work with it.
pub(crate) struct Site<'a> {
    scratch: &'a Scratch,
    corpus: &'a Corpus,
    rounds: u32,
    bundle: PathBuf,
}

impl<'a> Site<'a> {
    /// Packs the bundle.
    pub(crate) fn create(scratch: &'a Scratch, corpus: &'a Corpus, rounds: u32) -> Result<Self> {
        let site = Self { scratch, corpus, rounds, bundle: scratch.path("site.tar.gz") };
        site.pack(scratch.directory(), &site.bundle, command![])?;
        Ok(site)
    }

    /// Measures one part.
    pub(crate) fn measure(&self, part: &str, out: &mut impl Write) -> Result<()> {
        let text = match part {
            "serve" if on_path("docker-registry") => self.serve()?,
            "load" if on_path("containerd") && on_path("ctr") && rustix::process::geteuid().is_root() => self.load()?,
            "push" if on_path("docker-registry") => self.push()?,
            "apply" => self.apply()?,
            _ => "left out: it needs docker-registry, or root, containerd and ctr".to_owned(),
        };
        Ok(writeln!(out, "{part}\n\n{text}\n")?)
    }

    /// All images by one client from docker-registry and from the bundle.
    fn serve(&self) -> Result<String> {
        let place = Place::create(self.scratch, "serve")?;
        let address = service::free_address()?;
        let registry = Service::registry(&place.0, address)?;
        self.done(self.bundler_push(address))?;
        let (mut ready, mut serving) = (Vec::new(), None);
        for _ in 0..self.rounds {
            drop(serving.take());
            let address = service::free_address()?;
            let serve = command![BUNDLER, "serve", "-q", "--listen", address.to_string(), &self.bundle];
            let service = Service::http(&serve, address, &self.scratch.log())?;
            ready.push(service.ready);
            serving = Some((address, service));
        }
        let (serve_address, serve) = serving.ok_or("no rounds")?;
        let itself = std::env::current_exe()?;
        let output = place.0.join("pulled");
        let pull = |name: &str, address: SocketAddr| {
            let fetch = command![&itself, "floor", &self.scratch.corpus, address.to_string(), &output, "--names"];
            Contender::one(name.to_owned(), fetch, vec![output.clone()])
        };
        let text = self.table(&[pull("docker-registry", address), pull("bundler serve", serve_address)])?;
        ready.sort_unstable();
        let (serve, registry) = (serve.stop()?, registry.stop()?);
        let size = bundler::size::bytes;
        Ok(format!(
            "{text}\n\nbundler serve answered after {:.1} ms (the median; {:.1} ms at best), took {} of memory at most and \
             wrote {}; docker-registry took {}",
            ready[ready.len() / 2].as_secs_f64() * 1e3,
            ready[0].as_secs_f64() * 1e3,
            size(serve.peak),
            size(serve.written),
            size(registry.peak),
        ))
    }

    /// Into a containerd that has nothing.
    fn load(&self) -> Result<String> {
        let place = Place::create(self.scratch, "load")?;
        let containerd = Service::containerd(&place.0)?;
        let (socket, tar) = (service::socket(&place.0), place.0.join("plain.tar"));
        let tarred = command!["sh", "-c", r#"gunzip -c "$0" >"$1""#, &self.bundle, &tar];
        self.done(tarred)?;
        let ctr = command!["ctr", "-a", &socket, "-n", "k8s.io", "images"];
        let import = [ctr.clone(), command!["import", "--no-unpack", &tar]].concat();
        let load = command![
            BUNDLER,
            "load",
            "-q",
            "--arch",
            "amd64",
            "--into",
            "containerd",
            "--address",
            &socket,
            &self.bundle,
        ];
        let empty = command![
            "sh",
            "-c",
            r#"ctr -a "$0" -n k8s.io images ls -q | xargs -r ctr -a "$0" -n k8s.io images rm --sync"#,
            &socket,
        ];
        let contender = |name: &str, command| Contender::one(name.to_owned(), command, Vec::new()).after(empty.clone());
        let text = self.table(&[contender("ctr images import", import), contender("bundler load", load)])?;
        containerd.stop()?;
        Ok(text)
    }

    /// Into a registry that has nothing.
    fn push(&self) -> Result<String> {
        let place = Place::create(self.scratch, "push")?;
        let address = service::free_address()?;
        let registry = Service::registry(&place.0, address)?;
        let layout = place.0.join("layout");
        fs::create_dir(&layout)?;
        self.done(command!["tar", "xzf", &self.bundle, "-C", &layout])?;
        let contender =
            |name: &str, commands| Contender::several(name.to_owned(), commands, vec![place.0.join("storage")]);
        let mut contenders = Vec::new();
        if on_path("crane") {
            contenders.push(contender("crane push", self.crane_push(&layout, address)?));
        }
        if on_path("oras") {
            contenders.push(contender("oras copy", self.oras_copy(&layout, address)));
        }
        contenders.push(contender("bundler push", vec![self.bundler_push(address)]));
        let text = self.table(&contenders)?;
        registry.stop()?;
        Ok(text)
    }

    /// The base and a delta to the bundle.
    fn apply(&self) -> Result<String> {
        let place = Place::create(self.scratch, "apply")?;
        let (base, delta, full) =
            (place.0.join("base.tar.gz"), place.0.join("delta.tar.gz"), place.0.join("full.tar.gz"));
        let images = &self.corpus.contents.images;
        self.scratch.write_catalog(&place.0, "0.9.0", &images[..images.len() - images.len().div_ceil(NEW)])?;
        self.pack(&place.0, &base, command![])?;
        self.pack(self.scratch.directory(), &delta, command!["--base", &base])?;
        let apply = command![BUNDLER, "apply", "-q", &base, &delta, "-o", &full];
        let removed = vec![full.clone(), place.0.join("full.tar.gz.sha256")];
        let sum = Contender::one("sha256sum".to_owned(), command!["sha256sum", &self.bundle], Vec::new());
        let rows = [sum, Contender::one("bundler apply".to_owned(), apply, removed)];
        let costs = rounds(&rows, self.rounds, &self.scratch.log())?;
        self.done(command!["cmp", &full, &self.bundle])?;
        let size = fs::metadata(&full)?.len();
        let best = costs[1].1.iter().map(|cost| cost.wall).min().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "two digits are printed")]
        let rate = size as f64 / best.as_secs_f64() / 1e9;
        let size = bundler::size::bytes(size);
        let delta = bundler::size::bytes(fs::metadata(&delta)?.len());
        Ok(format!("{}\n\n{size} from a delta of {delta}: {rate:.2} GB/s at best", table::render(&costs)))
    }

    fn pack(&self, directory: &Path, archive: &Path, more: Vec<OsString>) -> Result<()> {
        self.done([pack(self.scratch, directory, archive), command!["--no-store"], more].concat())
    }

    fn bundler_push(&self, address: SocketAddr) -> Vec<OsString> {
        command![BUNDLER, "push", "-q", &self.bundle, format!("http://{address}")]
    }

    /// One command an image, each with a layout of that image alone, because crane takes no other.
    fn crane_push(&self, layout: &Path, address: SocketAddr) -> Result<Vec<Vec<OsString>>> {
        let mut commands = Vec::new();
        for image in &self.corpus.contents.images {
            let own = layout.join("crane").join(&image.name);
            fs::create_dir_all(&own)?;
            std::os::unix::fs::symlink(layout.join("blobs"), own.join("blobs"))?;
            fs::copy(layout.join("oci-layout"), own.join("oci-layout"))?;
            let size = fs::metadata(layout.join("blobs/sha256").join(image.index.trim_start_matches("sha256:")))?.len();
            let index = json!({"mediaType": bundler::oci::media_type::OCI_INDEX, "digest": image.index, "size": size});
            let list = json!({"schemaVersion": 2, "manifests": [index]});
            fs::write(own.join("index.json"), list.to_string())?;
            commands.push(command!["crane", "push", "--insecure", own, format!("{address}/{}:{TAG}", image.name)]);
        }
        Ok(commands)
    }

    fn oras_copy(&self, layout: &Path, address: SocketAddr) -> Vec<Vec<OsString>> {
        let images = self.corpus.contents.images.iter();
        images
            .map(|image| {
                let source = format!("{}@{}", layout.display(), image.index);
                let target = format!("{address}/{}:{TAG}", image.name);
                command!["oras", "copy", "--from-oci-layout", source, "--to-plain-http", target]
            })
            .collect()
    }

    fn table(&self, contenders: &[Contender]) -> Result<String> {
        Ok(table::render(&rounds(contenders, self.rounds, &self.scratch.log())?))
    }

    /// Runs what is not measured.
    fn done(&self, command: Vec<OsString>) -> Result<()> {
        let log = self.scratch.log();
        measure::run(&[command], &log)
            .map_err(|error| format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
        Ok(())
    }
}

/// The directory of a part; removed with it, so that no two parts need the disk at once.
struct Place(PathBuf);

impl Place {
    fn create(scratch: &Scratch, name: &str) -> Result<Self> {
        let place = scratch.path(name);
        fs::create_dir(&place)?;
        Ok(Self(place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays goes with the scratch directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}
