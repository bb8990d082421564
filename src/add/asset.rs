//! Which files of a release are meant: one thing under the name of each architecture, and its checksum.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use crate::init::component::Asset;
use crate::oci::Arch;
use crate::source::github::Release;

/// What publishers call architectures, our own names first.
const NAMES: [(Arch, &[&str]); 6] = [
    (Arch::Amd64, &["amd64", "x86_64", "x86-64", "x64", "64bit"]),
    (Arch::Arm64, &["arm64", "aarch64", "arm64v8", "armv8"]),
    (Arch::Arm, &["arm", "armv7", "armhf", "arm-v7", "arm32v7", "arm7"]),
    (Arch::Ppc64le, &["ppc64le", "powerpc64le"]),
    (Arch::Riscv64, &["riscv64", "riscv64gc"]),
    (Arch::S390x, &["s390x"]),
];
/// Words of files for other systems, or that are no program.
const OTHERS: [&str; 15] = [
    "android",
    "checksum",
    "checksums",
    "darwin",
    "freebsd",
    "illumos",
    "macos",
    "netbsd",
    "openbsd",
    "osx",
    "plan9",
    "sbom",
    "solaris",
    "src",
    "windows",
];
/// Endings of what describes or wraps a file: checksums, signatures, bills of materials, packages of systems.
const DESCRIPTIONS: [&str; 21] = [
    ".apk",
    ".asc",
    ".bundle",
    ".crt",
    ".deb",
    ".dmg",
    ".exe",
    ".intoto.jsonl",
    ".json",
    ".md",
    ".md5",
    ".msi",
    ".pem",
    ".pub",
    ".rpm",
    ".sha256",
    ".sha256sum",
    ".sha512",
    ".sig",
    ".sigstore",
    ".txt",
];
/// The endings of a file's own checksum.
const OWN_SUMS: [&str; 3] = [".sha256sum", ".sha256", ".sha256.txt"];
/// How many files of a release are named where none is clear.
const MAX_NAMED: usize = 12;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picked {
    /// The asset.
    pub(super) asset: Asset,
    /// Its name with placeholders, to name the file by.
    pub(super) name: String,
    /// The asset with its checksum, where GitHub shows none.
    pub(super) sums: Option<String>,
}

/// Picks the files of `release` for all `architectures`: those of `wanted`, one of their names, else the only ones that
/// can be meant.
pub(super) fn pick(
    what: &str,
    release: &Release,
    version: &str,
    architectures: &[Arch],
    wanted: Option<&str>,
) -> Result<Picked, Error> {
    let names: BTreeSet<&str> = release.assets.iter().map(|asset| asset.name.as_str()).collect();
    let names = Names { names, version, architectures };
    let asset = match wanted {
        Some(wanted) => names.named(wanted).ok_or_else(|| names.missing(what, wanted))?,
        None => names.only(what)?,
    };
    let (name, files) = match &asset {
        Asset::One(name, _) => (name.clone(), names.filled(&asset)),
        Asset::Each(each) => {
            (each.values().min_by_key(|name| name.len()).cloned().unwrap_or_default(), names.filled(&asset))
        }
    };
    let digests = |file: &String| release.assets.iter().any(|asset| asset.name == *file && asset.sha256().is_some());
    let sums = match files.iter().all(digests) {
        true => None,
        false => Some(
            names
                .sums(&asset, &files)
                .ok_or_else(|| Error::NoChecksum { what: what.to_owned(), file: name.clone() })?,
        ),
    };
    Ok(Picked { asset, name, sums })
}

/// The names of a release's files.
struct Names<'a> {
    names: BTreeSet<&'a str>,
    version: &'a str,
    architectures: &'a [Arch],
}

impl Names<'_> {
    /// The asset that `wanted` is one of, in this release or in another version's.
    fn named(&self, wanted: &str) -> Option<Asset> {
        if self.names.contains(wanted) {
            return self.family(wanted);
        }
        // Of another release: the same but for the version.
        let same = |name: &&&str| same_but_for_numbers(name, wanted);
        let mut alike = self.names.iter().filter(same);
        let first = alike.next()?;
        alike.next().is_none().then(|| self.family(first)).flatten()
    }

    /// The one asset that is there for every architecture and no description of another.
    fn only(&self, what: &str) -> Result<Asset, Error> {
        let mut found: Vec<Asset> = Vec::new();
        for name in &self.names {
            let lower = name.to_lowercase();
            let described = DESCRIPTIONS.iter().any(|ending| lower.ends_with(ending));
            let other = lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| OTHERS.contains(&word));
            if !described
                && !other
                && let Some(asset) = self.family(name)
                && !found.contains(&asset)
            {
                found.push(asset);
            }
        }
        let for_each = |asset: &Asset| matches!(asset, Asset::Each(_)) || of_arch(asset);
        if found.iter().any(for_each) {
            found.retain(for_each);
        }
        if found.len() > 1 && found.iter().any(is_linux) {
            found.retain(is_linux);
        }
        match found.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(self.unclear(what)),
        }
    }

    /// The asset that `name` is one file of, if there is one for every architecture.
    fn family(&self, name: &str) -> Option<Asset> {
        let Some((start, end)) = arch_in(name) else { return self.unnamed(name) };
        let fill = |arch: &str| format!("{}{arch}{}", &name[..start], &name[end..]);
        let mut names = BTreeMap::new();
        for arch in self.architectures {
            let theirs = names_of(*arch).iter().find(|theirs| self.names.contains(fill(theirs).as_str()))?;
            if *theirs != arch.as_str() {
                names.insert(*arch, (*theirs).to_owned());
            }
        }
        let (before, after) = (self.template(&name[..start]), self.template(&name[end..]));
        Some(Asset::One(format!("{before}{{arch}}{after}"), names))
    }

    /// A file whose name has no architecture: that of amd64 where others have one added to it, else it is for all.
    fn unnamed(&self, name: &str) -> Option<Asset> {
        let mut each = BTreeMap::new();
        for arch in self.architectures {
            let added = names_of(*arch).iter().flat_map(|theirs| ['-', '_', '.'].map(|c| format!("{name}{c}{theirs}")));
            let file = added.into_iter().find(|file| self.names.contains(file.as_str()));
            each.insert(*arch, file);
        }
        if each.values().all(Option::is_none) {
            // Where another architecture's has a name, this one is not for all of them.
            let others = NAMES
                .iter()
                .flat_map(|(_, names)| *names)
                .flat_map(|n| ['-', '_', '.'].map(|c| format!("{name}{c}{n}")));
            let alone =
                self.architectures == [Arch::Amd64] || !others.into_iter().any(|n| self.names.contains(n.as_str()));
            return alone.then(|| Asset::One(self.template(name), BTreeMap::new()));
        }
        let of = |(arch, file): (Arch, Option<String>)| match file {
            Some(file) => Some((arch, self.template(&file))),
            None if arch == Arch::Amd64 => Some((arch, self.template(name))),
            None => None,
        };
        each.into_iter().map(of).collect::<Option<BTreeMap<_, _>>>().map(Asset::Each)
    }

    /// A name with `{version}` where the version is: numbers that only contain it are others.
    fn template(&self, name: &str) -> String {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let mut text = String::new();
        let mut rest = name;
        while let Some((before, after)) = rest.split_once(self.version) {
            let whole = !digit(before.chars().next_back()) && !digit(after.chars().next());
            text.push_str(before);
            text.push_str(if whole { "{version}" } else { self.version });
            rest = after;
        }
        text + rest
    }

    /// The files that an asset is in this release.
    fn filled(&self, asset: &Asset) -> Vec<String> {
        let version = |text: &str| text.replace("{version}", self.version);
        match asset {
            Asset::One(template, names) => {
                let of = |arch: &Arch| names.get(arch).map_or(arch.as_str(), String::as_str);
                let fill = |arch: &Arch| version(template).replace("{arch}", of(arch));
                self.architectures.iter().map(fill).collect()
            }
            Asset::Each(each) => each.values().map(|template| version(template)).collect(),
        }
    }

    /// The asset that holds the checksums of `files`: one beside each, or one for all.
    fn sums(&self, asset: &Asset, files: &[String]) -> Option<String> {
        if let Asset::One(template, _) = asset {
            let beside =
                |ending: &&&str| files.iter().all(|file| self.names.contains(format!("{file}{ending}").as_str()));
            if let Some(ending) = OWN_SUMS.iter().find(beside) {
                return Some(format!("{template}{ending}"));
            }
        }
        let all = |name: &&&str| {
            let lower = name.to_lowercase();
            let described = [".sig", ".asc", ".pem", ".sigstore", ".json", ".bundle", ".crt"].iter();
            let is = lower.contains("sha256sum") || lower.contains("checksum");
            is && !described.into_iter().any(|ending| lower.ends_with(ending)) && arch_in(name).is_none()
        };
        let mut known: Vec<&&str> = self.names.iter().filter(all).collect();
        known.sort_by_key(|name| (!name.to_lowercase().contains("sha256"), !name.contains("bsd"), name.len()));
        known.first().map(|name| self.template(name))
    }

    fn missing(&self, what: &str, wanted: &str) -> Error {
        if self.names.contains(wanted) {
            let architectures = self.architectures.iter().map(|arch| arch.as_str()).collect::<Vec<_>>().join(", ");
            return Error::MissingArch { what: what.to_owned(), file: wanted.to_owned(), architectures };
        }
        let known: Vec<&str> = self.names.iter().copied().collect();
        Error::NoAsset { what: what.to_owned(), file: wanted.to_owned(), nearest: crate::yaml::nearest(wanted, &known) }
    }

    fn unclear(&self, what: &str) -> Error {
        let described = |name: &&&str| DESCRIPTIONS.iter().any(|ending| name.to_lowercase().ends_with(ending));
        let mut files: Vec<String> = self.names.iter().filter(|n| !described(n)).map(|n| (*n).to_owned()).collect();
        let more = files.len().saturating_sub(MAX_NAMED);
        files.truncate(MAX_NAMED);
        if more > 0 {
            files.push(format!("and {more} more"));
        }
        Error::WhichFile { what: what.to_owned(), files }
    }
}

fn names_of(arch: Arch) -> &'static [&'static str] {
    NAMES.iter().find(|(other, _)| *other == arch).map_or(&[], |(_, names)| names)
}

/// Where a name says an architecture: the longest of the names that stands as a word of its own.
fn arch_in(name: &str) -> Option<(usize, usize)> {
    let lower = name.to_ascii_lowercase();
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let all = NAMES.iter().flat_map(|(_, names)| *names);
    let whole = |alias: &&'static str| {
        let places = lower.match_indices(*alias).map(|(at, alias)| (at, at + alias.len())).collect::<Vec<_>>();
        places
            .into_iter()
            .find(|(start, end)| !word(lower[..*start].chars().next_back()) && !word(lower[*end..].chars().next()))
    };
    all.filter_map(whole).max_by_key(|(start, end)| end - start)
}

fn of_arch(asset: &Asset) -> bool {
    matches!(asset, Asset::One(name, _) if name.contains("{arch}"))
}

fn is_linux(asset: &Asset) -> bool {
    match asset {
        Asset::One(name, _) => name.to_lowercase().contains("linux"),
        Asset::Each(each) => each.values().all(|name| name.to_lowercase().contains("linux")),
    }
}

/// Whether two names differ in their numbers alone.
fn same_but_for_numbers(a: &str, b: &str) -> bool {
    let Some((start, end)) = arch_in(a) else { return bare(a) == bare(b) };
    // The digits of an architecture are no version's.
    let of = &a[start..end];
    b.split_once(of).is_some_and(|(before, after)| bare(&a[..start]) == bare(before) && bare(&a[end..]) == bare(after))
}

fn bare(text: &str) -> String {
    let mut bare = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if !(c == '0' && bare.ends_with('0')) {
            bare.push(c);
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::github::Asset as Published;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const BOTH: [Arch; 2] = [Arch::Amd64, Arch::Arm64];

    fn release(names: &[&str], digest: bool) -> Release {
        let asset = |name: &&str| Published {
            name: (*name).to_owned(),
            browser_download_url: String::new(),
            size: 1,
            digest: digest.then(|| DIGEST.to_owned()),
        };
        let assets = names.iter().map(asset).collect();
        Release { tag_name: "v1.2.3".into(), draft: false, prerelease: false, published_at: None, assets }
    }

    fn picked(names: &[&str], wanted: Option<&str>) -> Result<Asset, String> {
        let picked = pick("v1.2.3 of a/b", &release(names, true), "1.2.3", &BOTH, wanted);
        picked.map(|picked| picked.asset).map_err(|error| error.to_string())
    }

    fn one(name: &str, names: &[(Arch, &str)]) -> Asset {
        Asset::One(name.to_owned(), names.iter().map(|(arch, name)| (*arch, (*name).to_owned())).collect())
    }

    #[test]
    fn finds_the_one_program_of_a_release() {
        let sets: [(&[&str], Asset); 5] = [
            (
                &[
                    "yq_linux_amd64",
                    "yq_linux_arm64",
                    "yq_linux_arm64.sig",
                    "yq_darwin_amd64",
                    "yq_darwin_arm64",
                    "checksums",
                ],
                one("yq_linux_{arch}", &[]),
            ),
            (
                &[
                    "a-1.2.3-linux-x86_64.tar.gz",
                    "a-1.2.3-linux-aarch64.tar.gz",
                    "a-1.2.3-linux-x86_64.tar.gz.sha256",
                    "a-1.2.3.src.tar.gz",
                ],
                one("a-{version}-linux-{arch}.tar.gz", &[(Arch::Amd64, "x86_64"), (Arch::Arm64, "aarch64")]),
            ),
            (
                &[
                    "Tool_v1.2.3_Linux_x86_64.tar.gz",
                    "Tool_v1.2.3_Linux_arm64.tar.gz",
                    "Tool_v1.2.3_Windows_x86_64.zip",
                ],
                one("Tool_v{version}_Linux_{arch}.tar.gz", &[(Arch::Amd64, "x86_64")]),
            ),
            (
                &["k3s", "k3s-arm64", "k3s-armhf", "sha256sum-amd64.txt"],
                Asset::Each([(Arch::Amd64, "k3s".to_owned()), (Arch::Arm64, "k3s-arm64".to_owned())].into()),
            ),
            (&["install.yaml", "notes.md"], one("install.yaml", &[])),
        ];
        for (names, expected) in sets {
            assert_eq!(picked(names, None), Ok(expected), "{names:?}");
        }
    }

    #[test]
    fn one_name_stands_for_all_architectures_and_versions() {
        let names = ["cli-1.2.3-linux-amd64", "cli-1.2.3-linux-arm64", "d-1.2.3-linux-amd64", "d-1.2.3-linux-arm64"];
        for wanted in ["cli-1.2.3-linux-amd64", "cli-1.2.3-linux-arm64", "cli-1.1.0-linux-arm64"] {
            assert_eq!(picked(&names, Some(wanted)), Ok(one("cli-{version}-linux-{arch}", &[])), "{wanted}");
        }
        let error = picked(&names, None).unwrap_err();
        assert!(error.contains("cli-1.2.3-linux-amd64, cli-1.2.3-linux-arm64, d-1.2.3-linux-amd64"), "{error}");
        let error = picked(&names, Some("cil-1.2.3-linux-amd64")).unwrap_err();
        assert!(error.contains("has no file `cil-1.2.3-linux-amd64`"), "{error}");
        let error = picked(&["x-amd64"], Some("x-amd64")).unwrap_err();
        assert!(error.contains("not one for each of amd64, arm64"), "{error}");
        // What is amd64's alone is nobody else's.
        assert!(picked(&["x", "x-armhf"], Some("x")).is_err());
    }

    #[test]
    fn a_version_is_replaced_where_it_stands_by_itself() {
        let names = Names { names: BTreeSet::new(), version: "1.2", architectures: &BOTH };
        assert_eq!(names.template("x-1.2-11.2-1.20-v1.2.tgz"), "x-{version}-11.2-1.20-v{version}.tgz");
    }

    #[test]
    fn checksums_are_the_publishers() {
        let sums = |names: &[&str]| pick("w", &release(names, false), "1.2.3", &BOTH, Some("x-amd64")).map(|p| p.sums);
        let files = ["x-amd64", "x-arm64"];
        assert_eq!(
            sums(&[&files[..], &["x-amd64.sha256", "x-arm64.sha256", "SHA256SUMS"]].concat()).unwrap().as_deref(),
            Some("x-{arch}.sha256")
        );
        assert_eq!(
            sums(&[&files[..], &["x_1.2.3_checksums.txt", "x_1.2.3_checksums.txt.sig"]].concat()).unwrap().as_deref(),
            Some("x_{version}_checksums.txt")
        );
        assert!(sums(&files).unwrap_err().to_string().contains("publishes no checksum"));
        let shown = pick("w", &release(&files, true), "1.2.3", &BOTH, Some("x-amd64")).unwrap();
        assert_eq!(shown.sums, None);
    }
}
