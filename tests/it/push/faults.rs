//! Registries that are busy, break or refuse while something is sent to them, and bundles with wrong bytes.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bundler::oci::Arch;

use super::sample::Sample;
use super::{WEB, entry, pull};
use crate::support::{Asked, Fault, Proxy, Registry};

/// A registry behind a proxy, and a bundle.
struct Site {
    sample: Sample,
    bundle: String,
    registry: Registry,
    proxy: Proxy,
}

impl Site {
    fn start() -> Option<Self> {
        Registry::plain().map(Self::at)
    }

    fn at(registry: Registry) -> Self {
        let sample = Sample::new();
        sample.is_patient();
        let bundle = sample.bundle("arm64", &[Arch::Arm64]).to_str().unwrap().to_owned();
        let proxy = Proxy::before(&registry.url(), |_| Fault::None);
        Self { sample, bundle, registry, proxy }
    }

    /// A place at the registry where nothing is yet.
    fn target(&self, name: &str) -> String {
        format!("{}/{name}", self.proxy.url())
    }

    fn arrives(&self, name: &str) {
        let pushed = self.sample.push(&[&self.bundle, &self.target(name)]);
        assert_eq!(entry(&pushed, WEB)["state"], "pushed");
        let target = format!("{}/{name}", self.registry.url());
        assert_eq!(pull(&target, WEB, Arch::Arm64), self.sample.child(WEB, "arm64"));
    }

    fn refused(&self, name: &str, code: i32) -> String {
        self.sample.refused(&[&self.bundle, &self.target(name)], code)
    }
}

/// Says yes so many times.
fn times(number: usize) -> impl Fn() -> bool + Send + Sync {
    let left = AtomicUsize::new(number);
    move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn is_upload(asked: &Asked) -> bool {
    asked.target.contains("/blobs/uploads/")
}

#[test]
fn a_busy_registry_is_asked_again_and_given_up_at_last() {
    let Some(site) = Site::start() else { return };
    for (nth, method) in ["POST", "PATCH", "PUT", "HEAD"].into_iter().enumerate() {
        for (code, headers) in [(429, vec![("retry-after", "0".to_owned())]), (503, Vec::new()), (500, Vec::new())] {
            let busy = times(2);
            let headers = headers.clone();
            site.proxy.rule(move |asked| match asked.method == method && busy() {
                true => Fault::Answer(code, headers.clone(), Vec::new()),
                false => Fault::None,
            });
            site.arrives(&format!("busy-{nth}-{code}"));
        }
        site.proxy.rule(move |asked| match asked.method == method {
            true => Fault::Answer(429, vec![("retry-after", "0".to_owned())], Vec::new()),
            false => Fault::None,
        });
        let text = site.refused(&format!("always-{nth}"), 3);
        assert!(text.contains("429 Too Many Requests") && text.contains("hint: "), "{text}");
    }
}

#[test]
fn a_registry_that_hangs_is_asked_again_and_given_up_at_last() {
    let Some(site) = Site::start() else { return };
    site.sample.sandbox.config("attempts: 3\nretry_wait: 1ms\nidle_timeout: 200ms\n");
    for method in ["HEAD", "POST", "PATCH", "PUT"] {
        site.proxy.rule(move |asked| match asked.method == method {
            true => Fault::Silence,
            false => Fault::None,
        });
        let text = site.refused(&format!("hangs-{}", method.to_lowercase()), 3);
        assert!(text.contains("cannot push `") && text.contains("the next run goes on"), "{method}: {text}");
    }
    site.proxy.heal();
    site.sample.is_patient();
    site.arrives("hangs-put");
}

#[test]
fn a_registry_that_has_other_bytes_than_were_sent_is_not_believed() {
    let Some(site) = Site::start() else { return };
    let other = bundler::oci::Digest::of(b"other").to_string();
    for what in ["/blobs/uploads/", "/manifests/"] {
        let found = other.clone();
        site.proxy.rule(move |asked| match asked.method == "PUT" && asked.target.contains(what) {
            true => Fault::Header("docker-content-digest", found.clone()),
            false => Fault::None,
        });
        let text = site.refused("x", 4);
        assert!(text.contains("cannot push `") && text.contains(&other), "{what}: {text}");
    }
}

#[test]
fn a_body_that_is_too_large_is_told() {
    let Some(site) = Site::start() else { return };
    site.proxy.rule(|asked| match asked.method == "PATCH" {
        true => Fault::Answer(413, Vec::new(), Vec::new()),
        false => Fault::None,
    });
    let text = site.refused("x", 3);
    for said in ["cannot push `", "413 Payload Too Large", "client_max_body_size"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn an_upload_that_is_dropped_is_sent_again() {
    let Some(site) = Site::start() else { return };
    for bytes in [0, 1, 300_000] {
        let drops = times(2);
        site.proxy.hang_up(move |asked| (is_upload(asked) && asked.method == "PATCH" && drops()).then_some(bytes));
        site.arrives(&format!("dropped-{bytes}"));
    }
    // The registry did what was asked, but its answer is lost.
    for (name, method) in [("begun", "POST"), ("sent", "PATCH"), ("ended", "PUT")] {
        let lost = times(2);
        site.proxy.rule(move |asked| match asked.method == method && is_upload(asked) && lost() {
            true => Fault::Reset(0),
            false => Fault::None,
        });
        site.arrives(name);
    }
}

/// Where the registry kept the first half, only the second is sent. That of distribution, which Harbor has too, refuses to
/// go on with what was not sent as a whole, and gets all of it again.
#[test]
fn an_upload_that_broke_in_the_middle_goes_on_there() {
    for (registry, goes_on) in [(Registry::plain(), false), (Registry::referring(), true)] {
        let Some(registry) = registry else { return };
        let site = Site::at(registry);
        site.proxy.passes_on();
        let broken = times(1);
        let half = Arc::new(AtomicUsize::new(0));
        let at = Arc::clone(&half);
        site.proxy.hang_up(move |asked| {
            let length: usize = asked.header("content-length").unwrap_or("0").parse().unwrap();
            if asked.method != "PATCH" || length < 1_000_000 || !broken() {
                return None;
            }
            at.store(length / 2, Ordering::Relaxed);
            Some(length / 2)
        });
        site.arrives("x");
        let half = half.load(Ordering::Relaxed);
        assert!(half > 500_000);
        let asked = site.proxy.asked();
        let rest = |asked: &&Asked| asked.method == "PATCH" && asked.header("content-range").is_some();
        let starts: Vec<_> = asked.iter().filter(rest).map(|asked| asked.header("content-range").unwrap()).collect();
        assert_eq!(starts.len(), usize::from(goes_on), "{starts:?}");
        assert!(starts.iter().all(|start| start.starts_with(&format!("{half}-"))), "{half}: {starts:?}");
    }
}

#[test]
fn what_arrived_before_an_end_is_not_sent_again() {
    let Some(site) = Site::start() else { return };
    let large = site.sample.large("arm64").to_string();
    site.proxy.hang_up(|asked| {
        let length: usize = asked.header("content-length").unwrap_or("0").parse().unwrap();
        (asked.method == "PATCH" && length > 1_000_000).then_some(length / 2)
    });
    let text = site.refused("x", 3);
    assert!(text.contains(&format!("cannot push `{WEB}`")), "{text}");
    site.proxy.heal();
    site.arrives("x");
    let ended: Vec<_> = site
        .proxy
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "PUT" && asked.target.contains("/library/web/blobs/uploads/"))
        .map(|asked| asked.target)
        .collect();
    assert_eq!(ended.len(), 1, "{ended:#?}");
    assert!(ended[0].contains(&large.replace(':', "%3A")), "{ended:#?}");
}

#[test]
fn an_interrupted_push_goes_on() {
    let Some(site) = Site::start() else { return };
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    site.proxy.rule(move |asked| {
        if asked.method != "PATCH" {
            return Fault::None;
        }
        let _ = sender.lock().unwrap().send(());
        Fault::Silence
    });
    let mut command = site.sample.sandbox.bundler_command();
    command.args(["push", &site.bundle, &site.target("x")]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    receiver.recv().unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("it sends only what is missing"), "{text}");
    site.proxy.heal();
    site.arrives("x");
}

#[test]
fn a_damaged_blob_is_not_completed() {
    let Some(site) = Site::start() else { return };
    let large = site.sample.large("arm64");
    let member = format!("blobs/sha256/{}", large.hex());
    let bundle = bundler::bundle::read::Bundle::open(site.bundle.as_ref()).unwrap();
    let mut content = vec![0; bundle.members()[bundle.find(&member).unwrap()].size as usize];
    bundle.read_at(bundle.find(&member).unwrap(), 0, &mut content).unwrap();
    // The last bytes are in one place of the archive.
    let archive = std::fs::read(&site.bundle).unwrap();
    let end = &content[content.len() - 64..];
    let place = archive.windows(64).position(|window| window == end).unwrap() as u64 + 60;
    let mut file = std::fs::OpenOptions::new().write(true).open(&site.bundle).unwrap();
    file.seek(SeekFrom::Start(place)).unwrap();
    file.write_all(&[content[content.len() - 4] ^ 1]).unwrap();
    drop(file);

    let text = site.refused("x", 4);
    for said in [WEB, &member, &site.bundle, "bundler verify"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let asked = site.proxy.asked();
    let ended = |asked: &&Asked| asked.method == "PUT" && asked.target.contains(&large.hex());
    assert_eq!(asked.iter().filter(ended).count(), 0, "{asked:#?}");
    assert!(asked.iter().any(|asked| asked.method == "DELETE"), "the upload is given up: {asked:#?}");
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed() {
    let Some(site) = Site::start() else { return };
    let tokens = Arc::new(Proxy::alone(|_| {
        Fault::Answer(200, vec![("content-type", "application/json".to_owned())], br#"{"token": "new"}"#.to_vec())
    }));
    let realm = tokens.url();
    let challenge = move |scope: &str| {
        Fault::Answer(
            401,
            vec![("www-authenticate", format!(r#"Bearer realm="{realm}/t",scope="{scope}""#))],
            Vec::new(),
        )
    };
    let ended = times(1);
    let wants = challenge.clone();
    site.proxy.rule(move |asked| match asked.method == "PATCH" && ended() {
        true => wants("repository:x/library/web:pull,push repository:x/other:pull"),
        false => Fault::None,
    });
    site.arrives("x");
    let bought: Vec<_> = tokens.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(bought.len(), 1, "{bought:#?}");
    assert_eq!(bought[0].matches("scope=").count(), 2, "one a parameter: {bought:#?}");

    site.proxy.rule(move |asked| match asked.method == "PATCH" {
        true => challenge("repository:y:pull,push"),
        false => Fault::None,
    });
    let text = site.refused("y", 5);
    assert!(text.contains("refused access"), "{text}");
}
