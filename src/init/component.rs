//! The text of a `component.yaml`, as one writes it by hand: for starters, and for what is added to a catalog.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::oci::Arch;

/// Which versions a component takes.
#[derive(Clone, Copy, Debug)]
pub enum Taken<'a> {
    /// Any.
    All,
    /// Those of a constraint.
    Within(&'a str),
    /// One alone, with the reason.
    Held(&'a str, &'a str),
}

impl Taken<'_> {
    fn write(self, text: &mut String) {
        let _ = match self {
            Self::All => Ok(()),
            Self::Within(constraint) => writeln!(text, "version: {}", quoted(constraint)),
            Self::Held(version, reason) => {
                writeln!(text, "hold: {{version: {}, reason: {}}}", quoted(version), quoted(reason))
            }
        };
    }
}

/// A chart and how it is installed.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// The repository's URL.
    pub repository: &'a str,
    /// Its name there.
    pub name: &'a str,
    /// A constraint on its version.
    pub version: Option<&'a str>,
    /// Whether `values.yaml` is beside the component.
    pub values: bool,
    /// The release's name.
    pub release: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
}

/// A component that is a chart.
#[must_use]
pub fn chart(component: &str, chart: &Chart<'_>) -> String {
    let mut text = format!("name: {}\nchart:\n", scalar(component));
    let _ = writeln!(text, "  repository: {}\n  name: {}", scalar(chart.repository), scalar(chart.name));
    if let Some(version) = chart.version {
        let _ = writeln!(text, "  version: {}", quoted(version));
    }
    text.push_str(match chart.values {
        true => "  values: values.yaml\n",
        false => "  # values: values.yaml # beside this file: the values of the render here and of the site\n",
    });
    let (release, namespace) = (scalar(chart.release), scalar(chart.namespace));
    let _ = writeln!(text, "  release: {{name: {release}, namespace: {namespace}}}");
    text
}

/// A component that is an image of a registry's repository.
#[must_use]
pub fn image(component: &str, repository: &str, pattern: &str, taken: Taken<'_>) -> String {
    let mut text = format!("name: {}\n", scalar(component));
    let _ = writeln!(text, "source: {{oci: {}, tag: {}}}", scalar(repository), quoted(pattern));
    taken.write(&mut text);
    let _ = writeln!(text, "images: [{}]", quoted(&format!("{repository}:{{tag}}")));
    text
}

/// A file of the releases of a repository on GitHub.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// What its tags look like.
    pub pattern: &'a str,
    /// Its name in the bundle.
    pub name: &'a str,
    /// The asset's name for each architecture, one for all where it has `{arch}` or is for all of them.
    pub asset: &'a Asset,
    /// The asset with its checksum, where GitHub shows none.
    pub sums: Option<&'a str>,
}

/// The name of a release's asset, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asset {
    /// The same for every architecture, but for `{arch}`, which is upstream's name of it where that differs from ours.
    One(String, BTreeMap<Arch, String>),
    /// Names that differ in more than that.
    Each(BTreeMap<Arch, String>),
}

/// A component that is such a file.
#[must_use]
pub fn file(component: &str, file: &File<'_>, taken: Taken<'_>) -> String {
    let mut text = format!("name: {}\n", scalar(component));
    let (repository, pattern) = (scalar(file.repository), quoted(file.pattern));
    let _ = writeln!(text, "source: {{github: {repository}, tag: {pattern}, kind: releases}}");
    taken.write(&mut text);
    let url =
        |asset: &str| quoted(&format!("https://github.com/{}/releases/download/{{tag}}/{asset}", file.repository));
    let _ = writeln!(text, "files:\n  - name: {}", scalar(file.name));
    let names = match file.asset {
        Asset::One(asset, names) => {
            let _ = writeln!(text, "    url: {}", url(asset));
            names.clone()
        }
        Asset::Each(assets) => {
            text.push_str("    url:\n");
            for (arch, asset) in assets {
                let _ = writeln!(text, "      {arch}: {}", url(asset));
            }
            BTreeMap::new()
        }
    };
    let _ = match file.sums {
        None => writeln!(text, "    checksum: {{github_asset: true}}"),
        Some(sums) => writeln!(text, "    checksum: {{url: {}}}", url(sums)),
    };
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|(arch, name)| format!("{arch}: {}", scalar(name))).collect();
        let _ = writeln!(text, "arch: {{{}}}", names.join(", "));
    }
    text
}

/// A text as it is where YAML reads it as that text, else in quotes.
#[must_use]
pub fn scalar(text: &str) -> String {
    // Of YAML 1.1, which editors may still read.
    const WORDS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._/:-".contains(&c))
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in quotes: JSON's are YAML's.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::parse_component;

    #[test]
    fn plain_where_it_can_be() {
        for plain in ["redis", "docker.io/library/redis", "https://charts.example.com/x", "localhost:5000/a", "e1"] {
            assert_eq!(scalar(plain), plain);
        }
        for other in ["7zip", "no", "True", "1.20", "a: b", "a:", "", "{a}", "a#b", "é", "~", "-a"] {
            assert_eq!(scalar(other), quoted(other));
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let asset = Asset::One("x_{version}_{arch}".to_owned(), BTreeMap::from([(Arch::Amd64, "x86_64".to_owned())]));
        let one = File { repository: "a/b", pattern: "v{version}", name: "x", asset: &asset, sums: None };
        let each = Asset::Each(Arch::ALL.map(|arch| (arch, format!("k3s-{arch}"))).into());
        let each = File { asset: &each, sums: Some("sums.txt"), ..one };
        let values = Chart {
            repository: "oci://ghcr.io/x",
            name: "yes",
            version: Some(">=1, <2"),
            values: true,
            release: "a",
            namespace: "b",
        };
        for text in [
            chart("on", &values),
            image("redis", "docker.io/library/redis", "{version}-alpine", Taken::Held("1.20", "it \"is\" so")),
            file("x", &one, Taken::Within("^1.20")),
            file("x", &each, Taken::All),
        ] {
            parse_component("component.yaml", &text).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
    }
}
