//! Packs through a proxy that does what a seed says: whatever it does, a pack succeeds with the right bytes or ends
//! with a documented code and publishes nothing, and the next one succeeds.
//!
//! `BUNDLER_TEST_SEEDS=1000..1200` tries others; a failure prints its seed.

use bundler::oci::Digest;

use super::site::Site;
use crate::support::{Asked, Fault, Proxy, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--component", "app"];
/// Silence is short, since the proxy is; more attempts than usual, so that some packs succeed.
const PATIENCE: &str = "attempts: 4\nretry_wait: 1ms\nidle_timeout: 1s\n";

/// Numbers of a seed and a text, the same whatever order requests come in.
struct Chance(u64);

impl Chance {
    fn new(seed: u64, text: &str) -> Self {
        let digest = Digest::of(format!("{seed} {text}").as_bytes());
        Self(u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap()) | 1)
    }

    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }
}

/// What a seed does to a request: of some seeds many, of others few are hit, some for ever and some once.
fn fault(seed: u64, sizes: &[(Digest, usize)], asked: &Asked) -> Fault {
    let one_in = [2, 4, 8, 16, 64][Chance::new(seed, "how many").below(5)];
    let range = asked.header("range").unwrap_or_default();
    let mut chance = Chance::new(seed, &format!("{} {range} {}", asked.target, asked.nth));
    if chance.below(one_in) != 0 {
        return Fault::None;
    }
    let size = sizes.iter().find(|(digest, _)| asked.target.contains(&digest.hex())).map_or(500, |(_, size)| *size);
    let place = [0, size - 1, chance.below(size), chance.below(size)][chance.below(4)];
    match chance.below(48) {
        0 | 40..=44 => Fault::Corrupt(place),
        1 | 45.. => Fault::Reorder(place / 2),
        2 => Fault::Short(place),
        3 => Fault::Long(b"longer"),
        4 => Fault::Header("docker-content-digest", Digest::of(b"another").to_string()),
        5 | 6 => {
            let status = [400, 401, 403, 404, 410, 416, 418, 451, 501, 304, 204, 206, 302, 399][chance.below(14)];
            Fault::Answer(status, Vec::new(), Vec::new())
        }
        7..=12 => Fault::Answer([408, 429, 500, 502, 503, 504][chance.below(6)], Vec::new(), b"<html>".to_vec()),
        13 | 14 => Fault::Answer(429, vec![("retry-after", "0".to_owned())], Vec::new()),
        15 => Fault::Stall(place),
        16 => Fault::Silence,
        17..=22 => Fault::Reset(place),
        23..=26 => Fault::IgnoreRange,
        _ => Fault::Cut(place),
    }
}

#[test]
fn whatever_goes_wrong_nothing_bad_is_published() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let expected = site.pack(&[&ARGUMENTS[..], &["--no-store", "--output", "expected.tar.gz"]].concat());
    let proxy = Proxy::before(&registry.url(), |_| Fault::None);
    site.mirrors(&[&proxy.url()], PATIENCE);
    let seeds = std::env::var("BUNDLER_TEST_SEEDS").unwrap_or_else(|_| "0..12".to_owned());
    let (first, end) = seeds.split_once("..").expect("BUNDLER_TEST_SEEDS=FIRST..END");
    let mut ended = std::collections::BTreeMap::<i32, usize>::new();
    for seed in first.parse().unwrap()..end.parse::<u64>().unwrap() {
        let sizes: Vec<_> = ["app", "sidecar"].iter().map(|name| site.layer(name)).collect();
        proxy.rule(move |asked| fault(seed, &sizes, asked));
        std::fs::create_dir_all(site.sandbox.path("out")).unwrap();
        let store: &[&str] = if seed % 2 == 0 { &["--no-store"] } else { &[] };
        let mut command = site.sandbox.bundler_command();
        let output = command.args(["pack", "-q", "--output", "out/x.tar.gz"]).args(ARGUMENTS).args(store).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap_or_else(|| panic!("seed {seed}: killed: {text}"));
        assert!([0, 3, 4, 5].contains(&code), "seed {seed}: {code}: {text}");
        *ended.entry(code).or_default() += 1;
        let files = site.files("out");
        if code == 0 {
            assert_eq!(files, ["x.tar.gz", "x.tar.gz.sha256"], "seed {seed}");
            let found = Digest::of(&std::fs::read(site.sandbox.path("out/x.tar.gz")).unwrap());
            assert_eq!(expected["sha256"], found.to_string(), "seed {seed}");
        } else {
            assert!(files.is_empty(), "seed {seed}: {files:?}");
            assert!(text.starts_with("error: ") && text.contains("images.example/"), "seed {seed}: {text}");
        }
        // The next run has what this one left in the store, and nothing goes wrong.
        proxy.heal();
        let packed = site.pack(&[&ARGUMENTS[..], &["--output", "out/x.tar.gz"], store].concat());
        assert_eq!(packed["sha256"], expected["sha256"], "seed {seed}");
        std::fs::remove_dir_all(site.sandbox.path("out")).unwrap();
        // Without a store there is none.
        let _ = std::fs::remove_dir_all(site.sandbox.cache());
    }
    assert!(ended.len() > 1, "the seeds do too much or too little: {ended:?}");
}
