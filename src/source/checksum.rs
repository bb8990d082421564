//! Publishers' checksum files, in each form that is met: GNU coreutils (`<hash>  <file>`), BSD and OpenSSL
//! (`SHA256 (<file>) = <hash>`), a bare hash, and rhash's many hashes a line.

use std::fmt;

use crate::catalog::model::Algorithm;

/// The largest checksum file that is read, 4 MiB: forty thousand entries.
pub const MAX_CHECKSUM_FILE: u64 = 4 << 20;

/// How many entries an error names.
const NAMED: usize = 8;

/// What a checksum file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    entries: Vec<Entry>,
    /// Lines with many hashes whose order nobody told.
    unordered: Vec<String>,
}

/// One hash of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The file's name as it is written; none for a bare hash.
    name: Option<String>,
    algorithm: Algorithm,
    /// Lower-case hex digits, as many as the algorithm has.
    hex: String,
}

/// Why a checksum file does not tell a file's checksum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No line of it is a checksum of that algorithm.
    #[error("no line is a {0} checksum")]
    Empty(Name),
    /// It has entries, but not this one.
    #[error("no {algorithm} entry for `{wanted}`; it has {}", list(.entries))]
    Missing {
        /// The algorithm.
        algorithm: Name,
        /// What was looked for.
        wanted: String,
        /// What is there.
        entries: Vec<String>,
    },
    /// Several entries fit and disagree.
    #[error("several {algorithm} entries fit `{wanted}`: {}", list(.entries))]
    Ambiguous {
        /// The algorithm.
        algorithm: Name,
        /// What was looked for.
        wanted: String,
        /// What fits.
        entries: Vec<String>,
    },
    /// Its lines have many hashes, and their order is told nowhere.
    #[error("the entry `{wanted}` has several hashes in an order that nothing tells")]
    Unordered {
        /// The entry.
        wanted: String,
    },
}

impl Error {
    /// What the catalog's author can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty(_) => "`checksum.url` has to name the publisher's checksum file, `checksum.algorithm` its kind",
            Self::Missing { .. } | Self::Ambiguous { .. } => "choose one with `checksum.entry: NAME`",
            Self::Unordered { .. } => "name the publisher's checksum file in the BSD or GNU form instead",
        }
    }
}

/// An algorithm's name in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(Algorithm);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        })
    }
}

fn list(entries: &[String]) -> String {
    let mut text = entries.iter().take(NAMED).map(|e| format!("`{}`", shorten(e))).collect::<Vec<_>>().join(", ");
    if entries.len() > NAMED {
        text = format!("{text} and {} more", entries.len() - NAMED);
    }
    text
}

/// Keeps hostile names out of messages.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

impl Checksums {
    /// Reads a checksum file; lines that are none are passed over.
    ///
    /// `order` is the text of the file that names the hashes of each line in their order, one a line
    /// (yq publishes it as `checksums_hashes_order`).
    #[must_use]
    pub fn parse(text: &str, order: Option<&str>) -> Self {
        let order: Option<Vec<Option<Algorithm>>> =
            order.map(|order| order.lines().map(str::trim).filter(|l| !l.is_empty()).map(algorithm).collect());
        let mut sums = Self::default();
        for line in text.lines().map(|line| line.trim_start_matches('\u{feff}').trim()) {
            if !line.is_empty() && !line.starts_with('#') {
                sums.line(line, order.as_deref());
            }
        }
        sums
    }

    /// Whether `wanted` would need the order of the hashes of its line.
    #[must_use]
    pub fn is_unordered(&self) -> bool {
        !self.unordered.is_empty()
    }

    fn line(&mut self, line: &str, order: Option<&[Option<Algorithm>]>) {
        if let Some((name, algorithm, hex)) = bsd(line) {
            // Another algorithm's line is a checksum too, but none that is asked for.
            if let Some(algorithm) = algorithm {
                self.push(Some(name), algorithm, hex);
            }
            return;
        }
        let (escaped, plain) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
        let (first, rest) = plain.split_once([' ', '\t']).unwrap_or((plain, ""));
        if is_hash(first) {
            let Some(algorithm) = by_length(first) else { return };
            // One blank and a mode character (GNU), or any number of blanks (everyone else).
            let name = rest.trim_start();
            let name = name.strip_prefix('*').unwrap_or(name);
            let name = if escaped { unescape(name) } else { name.to_owned() };
            self.push(Some(name).filter(|n| !n.is_empty() && n != "-"), algorithm, first);
            return;
        }
        let fields: Vec<&str> = line.split_whitespace().collect();
        match order {
            Some(order) if !order.is_empty() && fields.len() > order.len() => {
                let (name, hashes) = fields.split_at(fields.len() - order.len());
                for (hash, algorithm) in hashes.iter().zip(order) {
                    if let Some(algorithm) = algorithm {
                        self.push(Some(name.join(" ")), *algorithm, hash);
                    }
                }
            }
            _ if fields.len() > 2 && fields[1..].iter().any(|f| is_hash(f)) => {
                self.unordered.push(fields[0].to_owned());
            }
            // The name before its hash.
            _ if fields.len() == 2 && is_hash(fields[1]) => {
                if let Some(algorithm) = by_length(fields[1]) {
                    self.push(Some(fields[0].to_owned()), algorithm, fields[1]);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, name: Option<String>, algorithm: Algorithm, hex: &str) {
        if is_hash(hex) && hex.len() == digits(algorithm) {
            self.entries.push(Entry { name, algorithm, hex: hex.to_ascii_lowercase() });
        }
    }

    /// The hex digits of the checksum of `wanted`: the file's path (as in its URL, decoded), or with `chosen` the
    /// entry's own name.
    ///
    /// An entry fits when its name ends as `wanted` does, by whole path components; the one that shares the most
    /// wins. A chosen name has to fit as a whole. A bare hash fits everything, if it is the only entry.
    pub fn pick(&self, algorithm: Algorithm, wanted: &str, chosen: bool) -> Result<&str, Error> {
        let name = Name(algorithm);
        let entries: Vec<&Entry> = self.entries.iter().filter(|e| e.algorithm == algorithm).collect();
        let shown = if chosen { wanted } else { wanted.rsplit('/').next().unwrap_or(wanted) };
        let needed = if chosen { components(wanted).count() } else { 1 };
        let score = |entry: &Entry| entry.name.as_deref().map_or(0, |name| shared(name, wanted));
        let best = entries.iter().map(|e| score(e)).max().unwrap_or(0);
        let mut fitting: Vec<&Entry> = if best >= needed.max(1) {
            entries.iter().copied().filter(|e| score(e) == best).collect()
        } else {
            Vec::new()
        };
        // `dist/x` fits `x` as well as `x` does, but the whole name is the plainer answer.
        if fitting.iter().any(|e| whole(e, wanted)) && chosen {
            fitting.retain(|e| whole(e, wanted));
        }
        if fitting.is_empty() && !chosen && entries.iter().all(|e| e.name.is_none()) {
            fitting.clone_from(&entries);
        }
        let named = |entries: &[&Entry]| entries.iter().map(|e| e.name.as_ref().unwrap_or(&e.hex).clone()).collect();
        match fitting.as_slice() {
            [first, rest @ ..] if rest.iter().all(|e| e.hex == first.hex) => Ok(&first.hex),
            [] if self.unordered.iter().any(|name| shared(name, wanted) >= needed.max(1)) => {
                Err(Error::Unordered { wanted: shorten(shown) })
            }
            [] if entries.is_empty() => Err(Error::Empty(name)),
            [] => Err(Error::Missing { algorithm: name, wanted: shorten(shown), entries: named(&entries) }),
            several => Err(Error::Ambiguous { algorithm: name, wanted: shorten(shown), entries: named(several) }),
        }
    }
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|c| !c.is_empty() && *c != ".")
}

/// How many path components two names share at their ends.
fn shared(a: &str, b: &str) -> usize {
    components(a).rev().zip(components(b).rev()).take_while(|(a, b)| a == b).count()
}

fn whole(entry: &Entry, wanted: &str) -> bool {
    entry.name.as_deref().is_some_and(|name| components(name).eq(components(wanted)))
}

/// `SHA256 (name) = hex`, with or without blanks; the algorithm is none when it is not one of ours.
fn bsd(line: &str) -> Option<(String, Option<Algorithm>, &str)> {
    let (head, hex) = line.rsplit_once('=')?;
    let (word, name) = head.trim_end().strip_suffix(')')?.split_once('(')?;
    let word = word.trim();
    let good = !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/' | b'_'));
    good.then(|| (name.to_owned(), algorithm(word), hex.trim()))
}

/// The algorithm that a word names, in any of the spellings: `SHA256`, `sha-256`, `SHA2-256`.
fn algorithm(word: &str) -> Option<Algorithm> {
    match word.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "sha256" | "sha2256" => Some(Algorithm::Sha256),
        "sha512" | "sha2512" => Some(Algorithm::Sha512),
        _ => None,
    }
}

const fn digits(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Sha256 => 64,
        Algorithm::Sha512 => 128,
    }
}

/// Whether it is the hex of any usual hash: md5, sha1, sha224, sha256, sha384, sha512.
fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128) && text.bytes().all(|c| c.is_ascii_hexdigit())
}

fn by_length(hash: &str) -> Option<Algorithm> {
    match hash.len() {
        64 => Some(Algorithm::Sha256),
        128 => Some(Algorithm::Sha512),
        _ => None,
    }
}

/// GNU coreutils writes a name with a backslash or line end in it escaped, and a backslash before the hash.
fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use Algorithm::{Sha256, Sha512};

    fn hex(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn pick(text: &str, wanted: &str) -> Result<String, Error> {
        Checksums::parse(text, None).pick(Sha256, wanted, false).map(str::to_owned)
    }

    #[test]
    fn reads_every_form() {
        let (a, b) = (hex('a'), hex('b'));
        for text in [
            format!("{b}  other\n{a}  k3s\n"),
            format!("{b} *other\r\n{a} *k3s\r\n"),
            format!("{a} k3s"),
            format!("{a}\tk3s"),
            format!("{a}  ./dist/artifacts/k3s\n{b}  ./dist/artifacts/k3s-arm64\n"),
            format!("MD5 (k3s) = {}\nSHA256 (k3s) = {a}\nSHA3-256 (k3s) = {b}\n", "c".repeat(32)),
            format!("SHA2-256(k3s)= {a}\nSHA-512 (k3s) = {}\n", "c".repeat(128)),
            a.clone(),
            format!("{}\n", a.to_uppercase()),
            format!("\u{feff}{a}  -\n"),
            format!("# a comment\n\nk3s {a}\n"),
            format!("{a}  k3s\n{a}  dist/k3s\n"),
            format!("\\{a}  dist\\\\x/k3s\n"),
            format!(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{a}  k3s\n-----BEGIN PGP SIGNATURE-----\nxyz=\n"
            ),
        ] {
            assert_eq!(
                pick(&text, "k3s-io/k3s/releases/download/v1.36.4+k3s1/k3s").as_deref(),
                Ok(a.as_str()),
                "{text}"
            );
        }
    }

    #[test]
    fn reads_the_other_algorithm() {
        let sum = "d".repeat(128);
        let sums = Checksums::parse(&sum, None);
        assert_eq!(sums.pick(Sha512, "keadm.tar.gz", false), Ok(sum.as_str()));
        assert_eq!(sums.pick(Sha256, "keadm.tar.gz", false), Err(Error::Empty(Name(Sha256))));
    }

    #[test]
    fn reads_many_hashes_a_line_in_the_order_that_is_told() {
        let line = |name: &str, digit| format!("{name}  00c0ffee  {}  {}  {}\n", "1".repeat(32), hex('e'), hex(digit));
        let text = [line("yq_linux_amd64", 'a'), line("yq_linux_arm64", 'b')].concat();
        let order = "CRC32\nMD5\nSHA3-256\nSHA-256\n";
        let sums = Checksums::parse(&text, Some(order));
        assert_eq!(sums.pick(Sha256, "yq_linux_arm64", false), Ok(hex('b').as_str()));
        let untold = Checksums::parse(&text, None);
        assert!(untold.is_unordered());
        assert_eq!(
            untold.pick(Sha256, "yq_linux_arm64", false),
            Err(Error::Unordered { wanted: "yq_linux_arm64".to_owned() })
        );
        // An order that does not fit the lines finds nothing rather than the wrong hash.
        let wrong = Checksums::parse(&text, Some("SHA-256\nMD5\nSHA-512\nCRC32\n"));
        assert!(wrong.pick(Sha256, "yq_linux_arm64", false).is_err());
    }

    #[test]
    fn takes_the_entry_that_shares_the_longest_path() {
        let text = format!("{}  v1/amd64/kubectl\n{}  v1/arm64/kubectl\n", hex('a'), hex('b'));
        assert_eq!(pick(&text, "release/v1/arm64/kubectl"), Ok(hex('b')));
        let error = pick(&text, "kubectl").unwrap_err();
        assert_eq!(error.to_string(), "several sha256 entries fit `kubectl`: `v1/amd64/kubectl`, `v1/arm64/kubectl`");
        let sums = Checksums::parse(&text, None);
        assert_eq!(sums.pick(Sha256, "amd64/kubectl", true), Ok(hex('a').as_str()));
        assert!(sums.pick(Sha256, "s390x/kubectl", true).is_err());
    }

    #[test]
    fn names_what_is_there_when_nothing_fits() {
        let text = format!("{}  one\n{}  two\n", hex('a'), hex('b'));
        assert_eq!(pick(&text, "three").unwrap_err().to_string(), "no sha256 entry for `three`; it has `one`, `two`");
        // `xk3s` does not end as `k3s` does: whole components only.
        assert!(pick(&format!("{}  xk3s\n", hex('a')), "k3s").is_err());
        // A single entry of another name is not guessed at.
        assert!(pick(&format!("{}  k3s-arm64\n", hex('a')), "k3s").is_err());
        assert!(pick(&format!("{}\n{}\n", hex('a'), hex('b')), "k3s").is_err());
    }

    #[test]
    fn survives_hostile_input() {
        for text in [
            "",
            "<!DOCTYPE html><title>Sign in</title>",
            "=",
            ")=",
            "() = ",
            "(=)=(",
            "SHA256 (k3s) = ",
            "SHA256 (k3s) = zz",
            "\\",
            "\0\0\0",
            &"a".repeat(1 << 20),
            &format!("{}\u{0}", hex('a')),
            &format!("{}é  k3s", "a".repeat(63)),
        ] {
            assert!(pick(text, "k3s").is_err(), "{text:.80}");
        }
        let many = format!("{}  x\u{1b}[31m\n", hex('a')).repeat(1000);
        let message = pick(&many, "k3s").unwrap_err().to_string();
        assert!(message.len() < 2000 && !message.contains('\u{1b}'), "{message}");
    }
}
