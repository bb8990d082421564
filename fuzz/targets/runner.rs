//! The targets on any toolchain: every file of the corpus, simple mutations of it, and any bytes.
//!
//! `make test` gives each target a fixed number of inputs from a fixed seed; `make fuzz` runs for `FUZZ_SECONDS` from a
//! seed that it prints (or from `FUZZ_SEED`). An input is written to `target/fuzz/TARGET.input` before it is tried, so
//! that it is there even after an abort or a hang.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::TARGETS;

/// Inputs of each target in `make test`: all of them together are less than a minute in a debug build.
const INPUTS: usize = 400;
/// Longer inputs find nothing that shorter ones do not, and take the time of many.
const MAX_INPUT: usize = 64 << 10;
/// An input that takes longer than this in `make fuzz` hangs: the slowest known takes a tenth of a second.
const HANG: Duration = Duration::from_secs(30);
/// The words of the formats, which libFuzzer reads too.
const TOKENS: &str = include_str!("../tokens.dict");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The corpus of a target: files that were written for it, and each input that once broke it.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = root().join("tests/data/fuzz").join(name);
    let mut paths: Vec<PathBuf> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{name} has no corpus");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The tokens: `"text"` a line, with `\\`, `\"` and `\xNN`.
fn tokens() -> Vec<Vec<u8>> {
    let token = |line: &str| {
        let text = line.strip_prefix('"')?.strip_suffix('"')?;
        let (mut token, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            if let Some(hex) = rest.strip_prefix("\\x") {
                token.push(u8::from_str_radix(&hex[..2], 16).unwrap());
                rest = &hex[2..];
            } else {
                let first = if first == '\\' { rest[1..].chars().next()? } else { first };
                token.extend(first.to_string().as_bytes());
                rest = &rest[rest.find(first)? + first.len_utf8()..];
            }
        }
        Some(token)
    };
    TOKENS.lines().filter_map(token).collect()
}

/// SplitMix64: the same seed gives the same inputs on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, 0 when that is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Numbers at the edges of types and formats.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "00",
    "511",
    "512",
    "65535",
    "65536",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "77777777777",
    "1e999",
];

/// One to eight changes of an input.
fn mutate(mut data: Vec<u8>, corpus: &[Vec<u8>], tokens: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    for _ in 0..=chance.below(8) {
        let at = chance.below(data.len() + 1);
        let end = (at + chance.below(64)).min(data.len());
        match chance.below(14) {
            0 if at < data.len() => data[at] ^= 1 << chance.below(8),
            1 if at < data.len() => data[at] = chance.next().to_le_bytes()[0],
            2 => data.truncate(at),
            3 => drop(data.drain(at..end)),
            4 => drop(data.splice(at..at, data[at..end].to_vec())),
            5 => drop(data.splice(at..end, chance.of(tokens).clone())),
            6 => drop(data.splice(at..at, chance.of(tokens).clone())),
            7 => drop(data.splice(at..at, chance.of(tokens).repeat(1 + chance.below(300)))),
            8 => drop(data.splice(at..at, chance.of(&NUMBERS).bytes())),
            9 => {
                let other = chance.of(corpus);
                let from = chance.below(other.len() + 1);
                data.truncate(at);
                data.extend(&other[from..]);
            }
            kind => lines(&mut data, kind, chance),
        }
    }
    data.truncate(MAX_INPUT);
    data
}

/// Doubles, drops, swaps or indents a line.
fn lines(data: &mut Vec<u8>, kind: usize, chance: &mut Chance) {
    let mut lines: Vec<Vec<u8>> = data.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (chance.below(lines.len()), chance.below(lines.len()));
    match kind {
        10 => lines.insert(b, lines[a].clone()),
        11 => drop(lines.remove(a)),
        12 => lines.swap(a, b),
        _ => drop(lines[a].splice(0..0, b"  ".repeat(1 + chance.below(3)))),
    }
    *data = lines.concat();
}

/// Where the input that is being tried is kept.
struct Trial {
    path: PathBuf,
    file: fs::File,
}

impl Trial {
    fn new(name: &str) -> Self {
        let directory = root().join("target/fuzz");
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(format!("{name}.{}.input", std::process::id()));
        Self { file: fs::File::create(&path).unwrap(), path }
    }

    fn run(&self, target: super::Target, data: &[u8]) -> bool {
        self.file.set_len(data.len() as u64).unwrap();
        self.file.write_all_at(data, 0).unwrap();
        *TRIED.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), self.path.clone()));
        std::panic::catch_unwind(|| target(data)).is_ok()
    }
}

/// The input that is being tried, for the watch on hangs.
static TRIED: Mutex<Option<(Instant, PathBuf)>> = Mutex::new(None);

/// Ends the process when an input hangs; the file that holds it is named.
fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((_, path)) = tried.filter(|(start, _)| start.elapsed() > HANG) {
                say(&format!("hangs: `{}`", path.display()));
                std::process::abort();
            }
        }
    });
}

/// Tells whoever runs `make fuzz`.
fn say(text: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes()).unwrap();
}

/// Feeds one target until `done` says so, and counts the inputs.
fn feed(name: &str, target: super::Target, seed: u64, done: impl Fn(usize) -> bool) -> usize {
    let (corpus, tokens) = (corpus(name), tokens());
    let trial = Trial::new(name);
    let mut chance = Chance(seed);
    let mut count = 0;
    while !done(count) {
        let data = match corpus.get(count) {
            Some(data) => data.clone(),
            // Once in a while from nothing.
            None if chance.below(50) == 0 => mutate(Vec::new(), &corpus, &tokens, &mut chance),
            None => mutate(chance.of(&corpus).clone(), &corpus, &tokens, &mut chance),
        };
        let good = trial.run(target, &data);
        assert!(good, "{name}: input {count} of seed {seed} is kept in `{}`", trial.path.display());
        count += 1;
    }
    fs::remove_file(&trial.path).unwrap();
    count
}

/// Four tests, so that they share the cores.
fn quarter(part: usize) {
    for (name, target) in TARGETS.into_iter().skip(part).step_by(4) {
        feed(name, target, 1, |count| count >= INPUTS);
    }
}

#[test]
fn mutations_of_the_corpus_keep_the_promises_1() {
    quarter(0);
}

#[test]
fn mutations_of_the_corpus_keep_the_promises_2() {
    quarter(1);
}

#[test]
fn mutations_of_the_corpus_keep_the_promises_3() {
    quarter(2);
}

#[test]
fn mutations_of_the_corpus_keep_the_promises_4() {
    quarter(3);
}

#[test]
fn every_target_has_a_corpus_and_a_libfuzzer_target() {
    let names = |directory: &str| -> Vec<String> {
        let entries = fs::read_dir(root().join(directory)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz/fuzz_targets"), targets);
    assert_eq!(names("tests/data/fuzz"), targets);
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
        let target = fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("bundler::fuzz::run(\"{name}\"")), "{name} runs another target");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_bytes_keep_the_promises(
        target in 0..TARGETS.len(),
        data in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            any::<String>().prop_map(String::into_bytes),
            "[012sz]?[ -~\n\t]{0,400}".prop_map(String::into_bytes),
        ],
    ) {
        TARGETS[target].1(&data);
    }
}

/// `make fuzz`: as long as `FUZZ_SECONDS` says, in turns of a second a target, or the targets in `FUZZ_TARGETS` only.
#[test]
#[ignore = "runs for as long as it is told: `make fuzz`"]
fn fuzz() {
    let variable = |name| std::env::var(name).ok();
    let seconds: u64 = variable("FUZZ_SECONDS").map_or(60, |text| text.parse().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut seed = variable("FUZZ_SEED").map_or(now.as_secs(), |text| text.parse().unwrap());
    let chosen = variable("FUZZ_TARGETS").unwrap_or_default();
    let targets: Vec<_> =
        TARGETS.iter().filter(|(name, _)| chosen.is_empty() || chosen.split(',').any(|one| one == *name)).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut broken: BTreeMap<&str, u64> = BTreeMap::new();
    say(&format!("FUZZ_SEED={seed} FUZZ_SECONDS={seconds}"));
    watch();
    while Instant::now() < end && broken.len() < targets.len() {
        for (name, target) in targets.iter().copied() {
            if broken.contains_key(name) {
                continue;
            }
            let turn = Instant::now() + Duration::from_secs(1);
            let fed = std::panic::catch_unwind(|| feed(name, *target, seed, |_| Instant::now() >= turn));
            match fed {
                Ok(count) => *counts.entry(name).or_default() += count,
                Err(_) => drop(broken.insert(name, seed)),
            }
        }
        seed += 1;
    }
    for (name, count) in &counts {
        say(&format!("{name:15} {count:>10} inputs"));
    }
    assert!(broken.is_empty(), "broken, with the seed of their turn: {broken:?}");
}
