//! Packing with what is there already: an earlier bundle, or the half archive of a run that was ended.

use bundler::oci::Digest;

use super::site::Site;
use crate::support::{self, Meter, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 2] = ["--arch", "arm64"];

/// Changes bytes of a file at an offset.
fn overwrite(path: &std::path::Path, at: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    std::fs::File::options().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn an_earlier_bundle_is_asked_before_the_network() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let from = |bundle: &str, arguments: &[&str]| {
        site.pack(&[&ARGUMENTS[..], &["--no-store", "--output", "new.tar.gz", "--from", bundle], arguments].concat())
    };
    let one = site.pack(&[&ARGUMENTS[..], &["--no-store", "--component", "app", "--output", "one.tar.gz"]].concat());
    let all = site.pack(&[&ARGUMENTS[..], &["--no-store", "--output", "all.tar.gz"]].concat());
    let (one, all_fetched) = (one["fetched"].as_u64().unwrap(), all["fetched"].as_u64().unwrap());
    assert!(one > 40 << 20 && all_fetched > one);

    // Some is there: the rest is fetched.
    let packed = from("one.tar.gz", &[]);
    assert_eq!((&packed["sha256"], packed["fetched"].as_u64()), (&all["sha256"], Some(all_fetched - one)));
    site.sandbox.bundler().args(["verify", "new.tar.gz"]).assert().success();

    // All is there, as an archive or unpacked, and it may be replaced itself. What the lock does not know is learned.
    site.streamed();
    let all = site.pack(&[&ARGUMENTS[..], &["--no-store", "--output", "all.tar.gz"]].concat());
    std::fs::create_dir(site.sandbox.path("unpacked")).unwrap();
    support::output_of(site.sandbox.command("tar").args(["xzf", "all.tar.gz", "-C", "unpacked"]));
    std::fs::copy(site.sandbox.path("all.tar.gz"), site.sandbox.path("new.tar.gz")).unwrap();
    for bundle in ["new.tar.gz", "all.tar.gz", "unpacked"] {
        let packed = from(bundle, &["--offline"]);
        assert_eq!((&packed["sha256"], &packed["fetched"]), (&all["sha256"], &0.into()), "{bundle}");
    }
    // Nothing of it is kept a second time.
    let packed =
        site.pack(&[&ARGUMENTS[..], &["--offline", "--from", "all.tar.gz", "--output", "new.tar.gz"]].concat());
    assert_eq!(packed["sha256"], all["sha256"]);
    assert!(site.blobs().is_empty(), "{:?}", site.blobs());
}

#[test]
fn nothing_of_an_earlier_bundle_is_believed() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let all = site.pack(&[&ARGUMENTS[..], &["--no-store", "--output", "all.tar.gz"]].concat());
    let archive = site.sandbox.path("all.tar.gz");
    let size = archive.metadata().unwrap().len();
    // A byte of the largest layer, and the header of a block in it.
    for at in [size - (1 << 20), 10 + 65_540 * 300 + 1] {
        let mut bytes = std::fs::read(&archive).unwrap();
        bytes[usize::try_from(at).unwrap()] ^= 1;
        site.sandbox.write("damaged.tar.gz", bytes);
        let mut command = site.sandbox.bundler();
        let arguments = ["pack", "--no-store", "--arch", "arm64", "--from", "damaged.tar.gz", "--output", "new.tar.gz"];
        let output = command.args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && text.contains("is damaged in `damaged.tar.gz`"), "{at}: {text}");
        let packed = Digest::of(&std::fs::read(site.sandbox.path("new.tar.gz")).unwrap());
        assert_eq!(packed.to_string(), all["sha256"].as_str().unwrap(), "{at}");
    }
    // One that somebody compressed again has everything too.
    let recompressed = "gunzip -c all.tar.gz | gzip -1 > again.tar.gz";
    support::output_of(site.sandbox.command("sh").args(["-c", recompressed]));
    let from = ["--no-store", "--offline", "--from", "again.tar.gz", "--output", "new.tar.gz"];
    let packed = site.pack(&[&ARGUMENTS[..], &from].concat());
    assert_eq!((&packed["sha256"], &packed["fetched"]), (&all["sha256"], &0.into()));
    // What is no bundle, and what is not there.
    site.sandbox.write("text", "no bundle");
    upstream.forget();
    for (bundle, said) in [("text", "is no bundle"), ("missing", "`missing`")] {
        let text = site.refused(&[&ARGUMENTS[..], &["--from", bundle]].concat(), 2);
        assert!(text.contains(said), "{text}");
    }
    assert!(upstream.requests().is_empty());
}

#[test]
fn a_half_archive_is_gone_on_with_and_not_believed() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let arguments = [&ARGUMENTS[..], &["--no-store", "--output", "out/x.tar.gz"]].concat();
    std::fs::create_dir(site.sandbox.path("out")).unwrap();
    let meter = Meter::new();
    site.through(&meter, &registry, &upstream);
    meter.stop_at(u64::MAX);
    let whole = site.pack(&arguments);
    let (total, fetched) = (meter.count(), whole["fetched"].as_u64().unwrap());
    let partial = site.sandbox.path("out/.x.tar.gz.partial");
    let interrupt = |signal: &str| {
        let mut command = site.sandbox.bundler_command();
        command.args(["pack", "-q"]).args(&arguments).stderr(std::process::Stdio::piped());
        std::fs::remove_file(site.sandbox.path("out/x.tar.gz")).unwrap();
        // The largest layer misses its end, all else is there.
        meter.stop_at(total - 50_000);
        let child = command.spawn().unwrap();
        assert!(meter.wait(&child));
        support::output_of(site.sandbox.command("kill").args([signal, &child.id().to_string()]));
        meter.go_on();
        child.wait_with_output().unwrap();
        assert!(partial.exists(), "{signal}");
    };
    // In the first file, which is whole, and in the first bytes, which tell what it is.
    let mut least = 0;
    for (signal, damage) in [("-KILL", None), ("-INT", None), ("-KILL", Some(500_000)), ("-KILL", Some(100))] {
        interrupt(signal);
        if let Some(at) = damage {
            overwrite(&partial, at, b"damaged");
        }
        let packed = site.pack(&arguments);
        assert_eq!(packed["sha256"], whole["sha256"], "{signal} {damage:?}");
        let again = packed["fetched"].as_u64().unwrap();
        match damage {
            None => least = again,
            Some(100) => assert_eq!(again, fetched),
            Some(_) => assert!(again > least + 1_000_000 && again < fetched, "{again} of {fetched}, {least}"),
        }
        assert!(least < fetched, "{signal}: {least} of {fetched}");
        assert_eq!(site.files("out"), ["x.tar.gz", "x.tar.gz.sha256"]);
        site.sandbox.bundler().args(["verify", "out/x.tar.gz"]).assert().success();
    }
    // Another bundle takes nothing of it.
    interrupt("-KILL");
    let other = site.pack(&[&arguments[..], &["--bundle-version", "2.0.0"]].concat());
    assert_eq!(other["fetched"], whole["fetched"]);
    assert_eq!(site.files("out"), ["x.tar.gz", "x.tar.gz.sha256"]);
}
