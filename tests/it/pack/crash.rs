//! A pack that ends at any moment: never a wrong file under the final name, and the next pack succeeds.
//!
//! Moments are chosen by progress: by the bytes that were answered, and by what happens in the output's directory
//! from the checksum file on. `BUNDLER_CRASHES` says how many there are, `BUNDLER_SEED` repeats a run.

use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};

use bundler::oci::Digest;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::site::Site;
use crate::support::{Meter, Registry};
use crate::upstream::Upstream;

/// As many as `make test` tries.
const CRASHES: u64 = 10;
/// The most changes of the output's directory from the checksum file on: made, written, the earlier one removed,
/// and two renames of two events each.
const CHANGES: u64 = 8;

/// Numbers from a seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % sides
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn a_pack_that_ends_at_any_moment_leaves_nothing_wrong() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let meter = Meter::new();
    site.through(&meter, &registry, &upstream);
    let crashes = number("BUNDLER_CRASHES").unwrap_or(CRASHES);
    let seed = number("BUNDLER_SEED").unwrap_or_else(|| {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::hash::RandomState::new().build_hasher().finish()
    });
    // Not `eprintln!`: the harness would keep it to itself.
    let _ = writeln!(std::io::stderr(), "{crashes} crashes of a pack with BUNDLER_SEED={seed}");
    let mut dice = Dice(seed);

    let arguments = ["--arch", "arm64", "--output", "out/x.tar.gz"];
    std::fs::create_dir(site.sandbox.path("out")).unwrap();
    site.pack(&[&arguments[..], &["--bundle-version", "0.9.0"]].concat());
    let earlier = ["x.tar.gz", "x.tar.gz.sha256"];
    let earlier = earlier.map(|name| (name, std::fs::read(site.sandbox.path("out").join(name)).unwrap()));
    std::fs::remove_dir_all(site.sandbox.cache()).unwrap();
    meter.stop_at(u64::MAX);
    let expected = site.pack(&arguments)["sha256"].clone();
    let total = meter.count();
    assert!(total > 40 << 20, "{total}");

    let mut done = 0;
    while done < crashes {
        let store: &[&str] = if done % 2 == 0 { &["--no-store"] } else { &[] };
        let _ = std::fs::remove_dir_all(site.sandbox.cache());
        std::fs::remove_dir_all(site.sandbox.path("out")).unwrap();
        std::fs::create_dir(site.sandbox.path("out")).unwrap();
        if dice.roll(2) == 0 {
            earlier.iter().for_each(|(name, bytes)| drop(site.sandbox.write(format!("out/{name}"), bytes)));
        }
        // Sometimes what is left is left again.
        for _ in 0..1 + dice.roll(2) {
            let signal = [Signal::KILL, Signal::KILL, Signal::INT, Signal::KILL, Signal::TERM][(done % 5) as usize];
            let late = dice.roll(10) < 3;
            let moment = if late { dice.roll(CHANGES) } else { dice.roll(total) };
            let told = format!("BUNDLER_SEED={seed}: crash {done} by {signal:?} at {moment} (late: {late}) {store:?}");
            let changes = late.then(|| Changes::of(&site));
            meter.stop_at(if late { u64::MAX } else { moment });
            let mut command = site.sandbox.bundler_command();
            command.args(["pack", "-q"]).args(arguments).args(store).stdout(Stdio::null()).stderr(Stdio::piped());
            let child = command.spawn().unwrap();
            match changes {
                Some(changes) => changes.wait(moment, &child),
                None => drop(meter.wait(&child)),
            }
            rustix::process::kill_process(Pid::from_child(&child), signal).unwrap();
            meter.go_on();
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code();
            let graceful = signal != Signal::KILL;
            // Before there is a handler, each of them kills.
            let killed = output.status.signal() == Some(signal.as_raw());
            assert!(killed || code == Some(0) || (graceful && code == Some(130)), "{told}: {code:?} {text}");
            let files = site.files("out");
            if files.contains(&"x.tar.gz".to_owned()) {
                let verified = site.sandbox.bundler().args(["verify", "out/x.tar.gz"]).output().unwrap();
                assert!(verified.status.success(), "{told}: {}", String::from_utf8_lossy(&verified.stdout));
            }
            done += 1;
        }
        let told = format!("BUNDLER_SEED={seed}: after crash {done} {store:?}");
        let packed = site.pack(&[&arguments[..], store].concat());
        assert_eq!(packed["sha256"], expected, "{told}");
        let archive = std::fs::read(site.sandbox.path("out/x.tar.gz")).unwrap();
        assert_eq!(Digest::of(&archive).to_string(), expected, "{told}");
        assert_eq!(site.files("out"), ["x.tar.gz", "x.tar.gz.sha256"], "{told}");
        site.sandbox.bundler().args(["verify", "out/x.tar.gz"]).assert().success();
        if store.is_empty() {
            site.assert_store_is_good(&told);
        }
    }
}

/// What happens in the output's directory, and in one where only the end of the process is told.
struct Changes {
    queue: OwnedFd,
    end: tempfile::TempDir,
}

impl Changes {
    fn of(site: &Site) -> Self {
        let queue = inotify::init(CreateFlags::CLOEXEC).unwrap();
        let what = WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::DELETE | WatchFlags::MOVE;
        let end = tempfile::tempdir().unwrap();
        for directory in [site.sandbox.path("out"), end.path().to_owned()] {
            inotify::add_watch(&queue, directory, what).unwrap();
        }
        Self { queue, end }
    }

    /// Waits for the `moment`th change after the checksum file was made, or the end of the process.
    fn wait(&self, moment: u64, child: &Child) {
        let (pid, end) = (Pid::from_child(child), self.end.path().join("ended"));
        std::thread::spawn(move || {
            // It stays a zombie. When all is over already, nobody waits for the file, and its directory is gone.
            let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let _ = std::fs::write(end, "");
        });
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.queue, &mut buffer);
        let mut seen: Option<u64> = None;
        while seen.is_none_or(|seen| seen < moment) {
            let event = reader.next().unwrap();
            let name = event.file_name().map_or(&b""[..], |name| name.to_bytes());
            if name == b"ended" {
                return;
            }
            seen = seen.map(|seen| seen + 1).or(name.ends_with(b".sha256.partial").then_some(0));
        }
    }
}
