//! Everything that the upstream has, made when it is first asked for and the same at every run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use bundler::oci::Digest;
use bytes::Bytes;

use super::chart;
use super::content;
use super::history::{self, Histories, Tag};
use super::image::{Compression, Image, Kind, Layer, Platform, tar};
use super::table::{File, HelmRepository, Image as ImageRow, ImageKind, Layers, Table};

/// The histories, read once: nothing changes them.
static HISTORIES: LazyLock<Histories> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    Histories::read(&[&tests.join("data/tags"), &tests.join("upstream/tags")])
});

/// The upstream's content.
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) histories: &'static Histories,
    switches: Mutex<Switches>,
    made: Mutex<Made>,
}

/// What a test changed.
#[derive(Default)]
struct Switches {
    /// How often a tag or an image was moved; part of what their content is made of.
    moved: BTreeMap<String, u32>,
    /// Releases that are gone, as `owner/name@tag`.
    removed: BTreeSet<String>,
    /// Repositories that are read-only.
    archived: BTreeSet<String>,
    /// What the API says of licences.
    licences: BTreeMap<String, String>,
    /// Releases whose pre-release flag is not what their version says.
    prerelease: BTreeMap<String, bool>,
}

/// What was made already.
#[derive(Default)]
struct Made {
    files: HashMap<String, Bytes>,
    images: HashMap<String, Arc<Image>>,
    /// Manifests by digest: media type and bytes.
    manifests: HashMap<Digest, (&'static str, Bytes)>,
    blobs: HashMap<Digest, Bytes>,
    indexes: HashMap<String, Bytes>,
}

/// A download: its row with the variables' values.
pub(crate) struct Download<'a> {
    row: &'a File,
    tag: &'a Tag,
    version: &'a str,
    arch: &'a str,
    pub(crate) url: String,
}

impl Download<'_> {
    /// The last part of the URL.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    fn fill(&self, template: &str) -> String {
        template.replace("{tag}", &self.tag.name).replace("{version}", self.version).replace("{arch}", self.arch)
    }
}

/// A chart in a Helm repository.
pub(crate) struct ChartVersion<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) tag: &'a Tag,
}

impl World {
    /// Reads the table and the histories that stand with the tests.
    pub(crate) fn read() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let file = tests.join("upstream/world.yaml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let table = bundler::yaml::parse("world.yaml", &text).unwrap_or_else(|e| panic!("{e}"));
        Self { table, histories: &HISTORIES, switches: Mutex::default(), made: Mutex::default() }
    }

    /// Gives a git tag (`owner/name@tag`) another commit, or an image's tag (`registry/name:tag`) other content.
    pub(crate) fn move_tag(&self, name: &str) {
        *self.switches().moved.entry(name.to_owned()).or_default() += 1;
    }

    /// Withdraws a release (`owner/name@tag`); its tag stays.
    pub(crate) fn remove_release(&self, name: &str) {
        self.switches().removed.insert(name.to_owned());
    }

    /// Makes a repository (`owner/name`) read-only.
    pub(crate) fn archive(&self, name: &str) {
        self.switches().archived.insert(name.to_owned());
    }

    /// Gives a repository a licence, by the identifier that GitHub sees.
    pub(crate) fn set_licence(&self, name: &str, spdx_id: &str) {
        self.switches().licences.insert(name.to_owned(), spdx_id.to_owned());
    }

    /// Whether a repository is read-only, and its licence if one was given.
    pub(crate) fn about(&self, name: &str) -> (bool, Option<String>) {
        let switches = self.switches();
        (switches.archived.contains(name), switches.licences.get(name).cloned())
    }

    /// Sets a release's pre-release flag.
    pub(crate) fn set_prerelease(&self, name: &str, flag: bool) {
        self.switches().prerelease.insert(name.to_owned(), flag);
    }

    /// How often something was moved.
    pub(crate) fn revision(&self, name: &str) -> u32 {
        self.switches().moved.get(name).copied().unwrap_or_default()
    }

    /// Whether a tag has a release, and whether that is a pre-release.
    pub(crate) fn release(&self, repository: &str, tag: &str) -> Option<bool> {
        let version = history::version(tag, &self.table.github.get(repository)?.tag).or_else(|| {
            // Repositories of charts: every tag of theirs is a release.
            (self.table.github[repository].tag == "{version}").then_some(tag)
        })?;
        let name = format!("{repository}@{tag}");
        let switches = self.switches();
        if switches.removed.contains(&name) {
            return None;
        }
        let core = version.split('+').next().unwrap_or_default();
        let own = ["-rc", "-beta", "-alpha", "-draft", "-dev"].iter().any(|mark| core.contains(mark));
        Some(switches.prerelease.get(&name).copied().unwrap_or(own))
    }

    /// The downloads of one tag whose URLs begin with `prefix`.
    pub(crate) fn downloads<'a>(&'a self, of: &str, tag: &str, prefix: &str) -> Vec<Download<'a>> {
        let Some(form) = self.table.github.get(of).map(|repository| &repository.tag) else { return Vec::new() };
        let found = self.histories.versions(of, form).find(|(known, _)| known.name == tag);
        let Some((tag, version)) = found else { return Vec::new() };
        let mut downloads: Vec<_> = self
            .table
            .files
            .iter()
            .filter(|row| row.of == of)
            .flat_map(|row| row.arch.iter().map(move |arch| (row, arch)))
            .map(|(row, arch)| {
                let mut download = Download { row, tag, version, arch, url: String::new() };
                download.url = download.fill(&row.url);
                download
            })
            .filter(|download| download.url.starts_with(prefix))
            .collect();
        downloads.dedup_by(|a, b| a.url == b.url);
        downloads
    }

    /// The bytes at a URL outside any API, if there are some.
    pub(crate) fn file(&self, url: &str) -> Option<Bytes> {
        if let Some(bytes) = self.made().files.get(url) {
            return Some(bytes.clone());
        }
        let bytes = self.make_file(url).or_else(|| self.released_chart(url))?;
        self.made().files.insert(url.to_owned(), bytes.clone());
        Some(bytes)
    }

    fn make_file(&self, url: &str) -> Option<Bytes> {
        let download = self.table.files.iter().find_map(|row| {
            let constant = row.url.split('{').next()?;
            if !url.starts_with(constant) {
                return None;
            }
            let form = &self.table.github.get(&row.of)?.tag;
            // A tag is part of every URL, so few tags are left to try.
            let candidates = self.histories.versions(&row.of, form).filter(|(_, version)| url.contains(version));
            candidates
                .filter(|(tag, _)| self.release(&row.of, &tag.name).is_some())
                .flat_map(|(tag, version)| row.arch.iter().map(move |arch| (tag, version, arch)))
                .map(|(tag, version, arch)| Download { row, tag, version, arch, url: url.to_owned() })
                .find(|download| download.fill(&row.url) == url)
        })?;
        Some(self.content(&download))
    }

    fn content(&self, download: &Download<'_>) -> Bytes {
        let row = download.row;
        let seed = format!("{} {}", download.url, self.revision(&download.url));
        if let Some(text) = &row.text {
            download.fill(text).into()
        } else if let Some(form) = row.sums {
            let directory = download.url.strip_suffix(download.name()).unwrap_or_default();
            let over: Vec<_> = row
                .over
                .iter()
                .map(|name| {
                    let name = download.fill(name);
                    let bytes = self.file(&format!("{directory}{name}"));
                    let bytes = bytes.unwrap_or_else(|| panic!("world.yaml: {} is over {name}, which is not", row.url));
                    (name, bytes)
                })
                .collect();
            content::sums(form, &over).into()
        } else if let Some(name) = &row.chart {
            let chart = chart::archive(self.histories, name, download.version, download.tag.date);
            chart.unwrap_or_else(|| panic!("world.yaml: charts/ has no {name}"))
        } else if row.archive.is_empty() {
            content::program(download.name(), &seed, row.size).into()
        } else {
            let members: Vec<_> = row
                .archive
                .iter()
                .enumerate()
                .map(|(position, member)| {
                    let name = download.fill(member);
                    // The first is the program; what stands beside it is short.
                    let size = if position == 0 { row.size } else { 2_000 };
                    let bytes = content::program(&name, &format!("{seed} {name}"), size);
                    (name, bytes)
                })
                .collect();
            let files: Vec<_> = members.iter().map(|(name, bytes)| (name.as_str(), 0o755, bytes.as_slice())).collect();
            Layer::new(&tar(&files), Compression::Gzip).bytes
        }
    }

    /// The charts of a Helm repository, oldest first.
    pub(crate) fn charts<'a>(&'a self, repository: &'a HelmRepository) -> impl Iterator<Item = ChartVersion<'a>> {
        let released = self.histories.tags(&repository.of).iter();
        let released = released.filter(|tag| self.release(&repository.of, &tag.name).is_some());
        released.flat_map(|tag| {
            let named = history::name_and_version(&tag.name, &repository.tag).into_iter();
            let every = history::version(&tag.name, &repository.tag).into_iter();
            let every = every.flat_map(|version| repository.charts.iter().map(move |name| (name.as_str(), version)));
            named.chain(every).map(move |(name, version)| ChartVersion { name, version, tag })
        })
    }

    /// The archive of a chart as it would be today, for those that charts/ holds.
    pub(crate) fn chart_of_today(name: &str, version: &str) -> Option<Bytes> {
        chart::newest(&HISTORIES, name, version)
    }

    /// The archive of a chart, for those that charts/ holds.
    pub(crate) fn chart(&self, chart: &ChartVersion<'_>) -> Option<Bytes> {
        chart::archive(self.histories, chart.name, chart.version, chart.tag.date)
    }

    /// A chart's archive where its release has it, or beside a relative index.
    fn released_chart(&self, url: &str) -> Option<Bytes> {
        self.table.helm.iter().find_map(|repository| {
            let chart = self.charts(repository).find(|chart| {
                url.ends_with(&format!("/{}-{}.tgz", chart.name, chart.version)) && chart::url(repository, chart) == url
            })?;
            self.chart(&chart)
        })
    }

    /// The index of a Helm repository.
    pub(crate) fn helm_index(&self, url: &str) -> Option<Bytes> {
        let repository = self.table.helm.iter().find(|repository| repository.url == url)?;
        if let Some(index) = self.made().indexes.get(url) {
            return Some(index.clone());
        }
        let index = Bytes::from(chart::index(self, repository));
        self.made().indexes.insert(url.to_owned(), index.clone());
        Some(index)
    }

    /// The tags of an image repository, in the order of its history.
    pub(crate) fn image_tags(&self, name: &str) -> Option<Vec<String>> {
        let row = self.table.images.iter().find(|row| row.name == name)?;
        Some(self.tags_of(row).into_iter().map(|(tag, _)| tag).collect())
    }

    /// The versions of a chart in a registry: those of its Helm repository, or of `of`.
    fn versions_of_chart<'a>(&'a self, row: &'a ImageRow) -> Vec<ChartVersion<'a>> {
        let Some(name) = row.chart.as_deref() else { return Vec::new() };
        let own = self.histories.versions(&row.of, "{version}");
        let own = own.map(|(tag, version)| ChartVersion { name, version, tag });
        let charts = self.table.helm.iter().flat_map(|repository| self.charts(repository));
        own.chain(charts.filter(|chart| chart.name == name)).collect()
    }

    /// Tags with what they are made of.
    fn tags_of(&self, row: &ImageRow) -> Vec<(String, String)> {
        if row.chart.is_some() {
            // A registry's tags have no `+`.
            let versions = self.versions_of_chart(row).into_iter();
            return versions.map(|chart| (chart.version.replace('+', "_"), chart.version.to_owned())).collect();
        }
        // An image follows the versions of its repository, written with `v` there or without.
        let repository = self.histories.tags(&row.of).iter();
        repository
            .filter_map(|tag| {
                let version = tag.name.strip_prefix('v').unwrap_or(&tag.name);
                history::is_version(version.split(['-', '+']).next()?).then_some(version)
            })
            .flat_map(|version| {
                row.tags.iter().map(move |form| (form.replace("{version}", version), version.to_owned()))
            })
            .collect()
    }

    /// The manifest of an image by tag: media type, digest, bytes.
    pub(crate) fn manifest_by_tag(&self, name: &str, tag: &str) -> Option<(&'static str, Digest, Bytes)> {
        let row = self.table.images.iter().find(|row| row.name == name)?;
        let (_, version) = self.tags_of(row).into_iter().find(|(known, _)| known == tag)?;
        let image = self.image(row, tag, &version)?;
        let root = image.root();
        Some((root.media_type, root.digest, root.bytes.clone()))
    }

    /// A manifest of an image repository by digest.
    pub(crate) fn manifest(&self, name: &str, digest: Digest) -> Option<(&'static str, Bytes)> {
        let known = || self.made().manifests.get(&digest).cloned();
        known().or_else(|| {
            self.make_newest(name);
            known()
        })
    }

    /// A blob of an image repository.
    pub(crate) fn blob(&self, name: &str, digest: Digest) -> Option<Bytes> {
        let known = || self.made().blobs.get(&digest).cloned();
        known().or_else(|| {
            self.make_newest(name);
            known()
        })
    }

    /// A blob of any repository that was asked for before: what the storage behind a registry has.
    pub(crate) fn stored(&self, digest: Digest) -> Option<Bytes> {
        self.made().blobs.get(&digest).cloned()
    }

    /// A lock of an earlier process names digests that this one has not made yet; they are those of recent tags.
    fn make_newest(&self, name: &str) {
        const RECENT: usize = 40;
        let Some(row) = self.table.images.iter().find(|row| row.name == name) else { return };
        for (tag, version) in self.tags_of(row).into_iter().rev().take(RECENT) {
            self.image(row, &tag, &version);
        }
    }

    fn image(&self, row: &ImageRow, tag: &str, version: &str) -> Option<Arc<Image>> {
        let revision = self.revision(&format!("{}:{tag}", row.name));
        let key = format!("{}:{tag} {revision}", row.name);
        if let Some(image) = self.made().images.get(&key) {
            return Some(image.clone());
        }
        let image = if let Some(name) = &row.chart {
            let chart = self.versions_of_chart(row).into_iter().find(|chart| chart.version == version)?;
            Image::chart(name, version, &chart.tag.date.to_string(), self.chart(&chart)?)
        } else {
            make_image(row, tag, revision)
        };
        let image = Arc::new(image);
        let mut made = self.made();
        for manifest in &image.manifests {
            made.manifests.insert(manifest.digest, (manifest.media_type, manifest.bytes.clone()));
        }
        made.blobs.extend(image.blobs.iter().map(|blob| (Digest::of(blob), blob.clone())));
        made.images.insert(key, image.clone());
        Some(image)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().expect("nobody panics with it")
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().expect("nobody panics with it")
    }
}

/// The layer that all images of an architecture have, and one of their own.
fn make_image(row: &ImageRow, tag: &str, revision: u32) -> Image {
    let (_, short) = row.name.rsplit_once('/').expect("an image's name has a registry");
    // The same image in two registries has the same digest.
    let seed = format!("{} {short}:{tag} {revision}", row.of);
    let compression = match row.layers {
        Layers::Gzip => Compression::Gzip,
        Layers::Zstd => Compression::Zstd,
    };
    let arm64: Platform = ("arm64", row.variant.then_some("v8"));
    let amd64: Platform = ("amd64", None);
    let (kind, platforms) = match row.kind {
        ImageKind::Oci => (Kind::Oci, vec![amd64, arm64, ("s390x", None)]),
        ImageKind::DockerList => (Kind::DockerList, vec![amd64, ("arm", Some("v7")), arm64]),
        ImageKind::DockerManifest => (Kind::DockerManifest, vec![amd64]),
        ImageKind::Chart => unreachable!("world.yaml: {} is a chart without its name", row.name),
    };
    let platforms: Vec<_> = platforms
        .into_iter()
        .map(|platform| {
            let architecture = platform.0;
            let base = content::noise(&format!("base {architecture}"), 200_000);
            let base = tar(&[
                ("etc/os-release", 0o644, b"PRETTY_NAME=\"the embedded upstream\"\n"),
                ("usr/lib/base", 0o644, &base),
            ]);
            // Nobody carries the other platforms.
            let size = if matches!(architecture, "amd64" | "arm64") { row.size } else { 10_000 };
            let program = content::program(short, &format!("{seed} {architecture}"), size);
            let own = tar(&[(&format!("usr/bin/{short}"), 0o755, &program)]);
            (platform, vec![Layer::new(&base, Compression::Gzip), Layer::new(&own, compression)])
        })
        .collect();
    Image::build(kind, &platforms)
}
