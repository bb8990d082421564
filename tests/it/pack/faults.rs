//! Packing when something goes wrong: at the source, on the disk, or by a signal.

use std::process::Stdio;

use super::site::Site;
use crate::support::{self, Registry};
use crate::upstream::Upstream;
use crate::upstream::faults::Effect;

const HELM: &str = "get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz";
const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--component", "helm"];

#[test]
fn a_source_that_fails_ends_with_its_code_and_the_next_run_succeeds() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    for store in [&["--no-store"][..], &[]] {
        let arguments: Vec<_> = ARGUMENTS.iter().chain(store).copied().collect();
        for (effect, code, said) in [
            (Effect::Status(404), 3, "404"),
            (Effect::Status(403), 3, "403"),
            (Effect::Corrupt(70_000), 4, "wrong bytes"),
            (Effect::Cut(1_000), 3, "helm"),
        ] {
            upstream.fault(HELM, None, effect.clone());
            let text = site.refused(&arguments, code);
            assert!(text.contains(said) && text.contains("file helm"), "{effect:?}: {text}");
            if code == 4 {
                assert_eq!(text.matches("sha256:").count(), 2, "both digests: {text}");
                assert!(text.contains(upstream.url()), "the source: {text}");
            }
            upstream.heal();
        }
        assert!(site.files(".").iter().all(|name| !name.starts_with('.')), "{:?}", site.files("."));
        site.pack(&arguments);
    }
}

#[test]
fn a_busy_or_broken_source_is_asked_again() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    upstream.fault(HELM, Some(1), Effect::RetryAfter(429, 0));
    upstream.fault(HELM, Some(1), Effect::Cut(100_000));
    upstream.fault(HELM, Some(1), Effect::IgnoreRange);
    let packed = site.pack(&[&ARGUMENTS[..], &["--no-store"]].concat());
    assert_eq!(packed["files"], 2);
    assert!(upstream.count(HELM) >= 3, "{:?}", upstream.requests());
}

#[test]
fn a_full_disk_leaves_nothing() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let refused = |limit: &str, arguments: &[&str]| {
        let script = "ulimit -f \"$0\"; exec \"$@\"";
        let mut command = site.sandbox.command("sh");
        command.args(["-c", script, limit, env!("CARGO_BIN_EXE_bundler"), "pack", "--output", "full/"]);
        let output = command.args(ARGUMENTS).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(7), "{text}");
        assert!(text.contains("hint: "), "{text}");
        assert!(site.files("full").is_empty(), "{:?}", site.files("full"));
        assert!(site.files(".").iter().all(|name| !name.starts_with('.')), "{:?}", site.files("."));
        text
    };
    // In blocks of 512 bytes: too little for a download, then too little for the archive.
    assert!(refused("600", &[]).contains("cache"));
    refused("600", &["--no-store"]);
    site.streamed();
    assert!(refused("600", &[]).contains("full/demo"));
    site.pack(&ARGUMENTS);
}

#[test]
fn a_signal_at_any_time_leaves_what_the_next_run_needs() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    site.streamed();
    let expected = site.pack(&["--arch", "arm64", "--output", "expected.tar.gz"])["sha256"].clone();
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("HUP", Some(130)), ("KILL", None)] {
        for store in [&["--no-store"][..], &[]] {
            std::fs::remove_dir_all(site.sandbox.cache()).unwrap();
            upstream.forget();
            upstream.fault(HELM, None, Effect::Hang(600_000));
            // Whatever starts the tests may ignore a hang-up, as `nohup` does.
            let mut command = site.sandbox.command("env");
            command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_bundler")]);
            command.args(["pack", "-q", "--arch", "arm64", "--output", "out/x.tar.gz"]).args(store);
            std::fs::create_dir_all(site.sandbox.path("out")).unwrap();
            let child = command.stderr(Stdio::piped()).spawn().unwrap();
            upstream.wait_for(HELM);
            support::output_of(site.sandbox.command("kill").args([&format!("-{signal}"), &child.id().to_string()]));
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), code, "{signal} {text}");
            if code.is_some() {
                // What the store does not keep stays for the next run.
                let left: &[&str] = if store.is_empty() { &[] } else { &[".x.tar.gz.partial"] };
                assert_eq!(site.files("out"), left, "{signal}");
            }
            upstream.heal();
            let packed = site.pack(&[&["--arch", "arm64", "--output", "out/x.tar.gz"], store].concat());
            assert_eq!(packed["sha256"], expected, "{signal} {store:?}");
            assert_eq!(site.files("out"), ["x.tar.gz", "x.tar.gz.sha256"], "{signal} {store:?}");
            std::fs::remove_dir_all(site.sandbox.path("out")).unwrap();
            std::fs::create_dir_all(site.sandbox.cache()).unwrap();
        }
    }
}

#[test]
fn a_manifest_that_is_not_what_the_lock_says_is_refused() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let app = format!("{}/app:v1.0.0", super::site::HOST).parse().unwrap();
    let arm64 = bundler::oci::Arch::Arm64;
    let arguments = ["--arch", "arm64", "--component", "app"];
    site.change(|lock| lock.images.get_mut(&app).unwrap().platforms.get_mut(&arm64).unwrap().size = Some(1));
    assert!(site.refused(&arguments, 4).contains("app:v1.0.0"));
    site.change(|lock| lock.images.get_mut(&app).unwrap().platforms.get_mut(&arm64).unwrap().size = None);
    site.pack(&arguments);
    site.change(|lock| lock.images.get_mut(&app).unwrap().digest = bundler::oci::Digest::of(b"gone"));
    assert!(site.refused(&arguments, 3).contains("app:v1.0.0"));
}

#[test]
fn under_nohup_the_end_of_the_terminal_ends_nothing() {
    let Some(registry) = Registry::plain() else { return };
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.push(&registry);
    let (asked, hears) = std::sync::mpsc::sync_channel(100);
    let (go, waits) = std::sync::mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let proxy = support::Proxy::before(&registry.url(), move |_| {
        // The first request waits for the signal; the others find the channel closed.
        asked.send(()).unwrap();
        let _ = waits.lock().unwrap().recv();
        support::Fault::None
    });
    site.mirrors(&[&proxy.url()], "");
    let mut command = site.sandbox.command("nohup");
    command.args([env!("CARGO_BIN_EXE_bundler"), "pack", "-q", "--arch", "arm64", "--component", "agent"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    hears.recv().unwrap();
    support::output_of(site.sandbox.command("kill").args(["-HUP", &child.id().to_string()]));
    drop(go);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_files_of_one_archive_that_a_lock_seeded_by_hand_knows_nothing_of() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    site.change(|lock| {
        let files = &mut lock.components.get_mut("helm").unwrap().files;
        let mut licence = files["helm"].clone();
        for (arch, file) in &mut licence {
            file.member.as_mut().unwrap().path = format!("linux-{arch}/LICENSE");
        }
        files.insert("helm-licence".to_owned(), licence);
    });
    for (arguments, fetches) in [(&["--no-store"][..], 2), (&[], 2), (&[], 0)] {
        upstream.forget();
        let packed = site.pack(&[&ARGUMENTS[..], &["--output", "x.tar.gz"], arguments].concat());
        assert_eq!(packed["files"], 3);
        assert!(upstream.count(HELM) <= fetches, "{:?}", upstream.requests());
        site.sandbox.bundler().args(["verify", "x.tar.gz"]).assert().success();
    }
    let list = support::output_of(site.sandbox.command("tar").args(["tzvf", "x.tar.gz"]));
    let size = |name: &str| {
        let line = list.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("{name}: {list}"));
        line.split_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!((size(" files/helm"), size(" files/helm-licence")), (1_500_000, 2_000), "{list}");
}

#[test]
fn an_added_file_whose_name_is_taken_is_told_where_it_was_given() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    for name in ["files/helm", "files/helm/x"] {
        let added = format!("{name}=manifests/catalog.yaml");
        let text = site.refused(&[&ARGUMENTS[..], &["--add-file", &added]].concat(), 2);
        assert!(text.contains("files/helm") && text.contains("--add-file"), "{text}");
    }
}
