//! Registries that hang, break, are busy or misunderstand: the pack goes on, or stops with 3 and says which.

use super::site::Site;
use crate::support::{Asked, Fault, Proxy, Registry};
use crate::upstream::Upstream;

const ARGUMENTS: [&str; 4] = ["--arch", "arm64", "--component", "agent"];
const BIG: [&str; 4] = ["--arch", "arm64", "--component", "app"];

/// Waits that a test can afford; a silent server is given up after a second.
const IMPATIENT: &str = "attempts: 3\nretry_wait: 1ms\nidle_timeout: 1s\n";
/// The same for servers that are never silent, however busy the machine is.
const QUICK: &str = "attempts: 3\nretry_wait: 1ms\n";

/// The image that a site packs from, with what the registry and a proxy before it do.
fn site(upstream: &Upstream) -> Option<(Site, Registry, Proxy)> {
    let registry = Registry::plain()?;
    let site = Site::new(upstream);
    site.push(&registry);
    let proxy = Proxy::before(&registry.url(), |_| Fault::None);
    site.mirrors(&[&proxy.url()], QUICK);
    Some((site, registry, proxy))
}

fn status(status: u16) -> Fault {
    Fault::Answer(status, Vec::new(), Vec::new())
}

/// Does `fault` to requests of layers and manifests while `when` says so.
fn at(part: &'static str, fault: Fault, when: fn(&Asked) -> bool) -> impl Fn(&Asked) -> Fault + Send + Sync {
    move |asked| if asked.target.contains(part) && when(asked) { fault.clone() } else { Fault::None }
}

/// Packs without a store, which must succeed.
fn packs(site: &Site, arguments: &[&str]) {
    let packed = site.pack(&[arguments, &["--no-store"]].concat());
    site.sandbox.bundler().arg("verify").arg(packed["path"].as_str().unwrap()).assert().success();
}

fn refused(site: &Site, said: &[&str]) {
    let text = site.refused(&[&ARGUMENTS[..], &["--no-store"]].concat(), 3);
    said.iter().for_each(|part| assert!(text.contains(part), "{part}: {text}"));
}

#[test]
fn a_server_that_hangs_is_asked_again_and_given_up_at_last() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    site.mirrors(&[&proxy.url()], IMPATIENT);
    for part in ["/manifests/", "/blobs/"] {
        for fault in [Fault::Silence, Fault::Stall(0), Fault::Stall(100)] {
            proxy.rule(at(part, fault.clone(), |asked| asked.nth == 0 && asked.start() == 0));
            packs(&site, &ARGUMENTS);
            proxy.rule(at(part, fault, |_| true));
            refused(&site, &["images.example/agent:v1.0.0", &proxy.url(), "sent nothing for too long", "hint: "]);
        }
    }
}

#[test]
fn a_server_that_resets_or_cuts_is_asked_again_and_given_up_at_last() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    for part in ["/manifests/", "/blobs/"] {
        for fault in [Fault::Reset(0), Fault::Reset(100), Fault::Cut(0), Fault::Cut(100)] {
            proxy.rule(at(part, fault.clone(), |asked| asked.nth == 0 && asked.start() == 0));
            packs(&site, &ARGUMENTS);
            proxy.rule(at(part, fault, |_| true));
            refused(&site, &["images.example/agent:v1.0.0", &proxy.url()]);
        }
    }
}

#[test]
fn a_busy_server_gets_the_time_that_it_asks_for() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    for code in [429, 503] {
        let busy = Fault::Answer(code, vec![("retry-after", "1".to_owned())], Vec::new());
        proxy.rule(at("/manifests/", busy.clone(), |asked| asked.nth == 0));
        let mut command = site.sandbox.bundler();
        let assert = command.args(["-v", "pack", "--no-store"]).args(ARGUMENTS).assert().success();
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.contains(&code.to_string()) && text.contains("trying again in 1.0 s"), "{text}");
    }
    let busy = Fault::Answer(429, vec![("retry-after", "0".to_owned())], Vec::new());
    proxy.rule(at("/manifests/", busy, |_| true));
    refused(&site, &["images.example/agent:v1.0.0", &proxy.url(), "429 Too Many Requests", "hint: "]);
}

#[test]
fn a_broken_server_is_asked_as_often_as_the_configuration_says() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    let (digest, _) = site.layer("agent");
    for part in ["/manifests/", "/blobs/"] {
        proxy.rule(at(part, status(500), |asked| asked.nth < 2));
        packs(&site, &ARGUMENTS);
    }
    assert_eq!(proxy.count(&digest.hex()), 3, "twice 500, then 200");
    for attempts in [1, 2, 7] {
        site.mirrors(&[&proxy.url()], &format!("attempts: {attempts}\nretry_wait: 1ms\n"));
        proxy.rule(at("/blobs/", status(500), |_| true));
        refused(&site, &["images.example/agent:v1.0.0", &proxy.url(), "500 Internal Server Error"]);
        let most = proxy.asked().iter().map(|asked| asked.nth + 1).max();
        assert_eq!(most, Some(attempts), "{attempts}");
        // Bytes that never come cost no more than answers that never come.
        proxy.rule(at("/blobs/", Fault::Cut(0), |_| true));
        refused(&site, &["images.example/agent:v1.0.0", &proxy.url()]);
        let most = proxy.asked().iter().map(|asked| asked.nth + 1).max();
        assert_eq!(most, Some(attempts), "{attempts}");
    }
}

#[test]
fn a_server_that_refuses_or_ignores_ranges_gives_the_whole() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    let ranged = |asked: &Asked| asked.header("range").is_some();
    for fault in [status(416), Fault::IgnoreRange] {
        proxy.rule(at("/blobs/", fault.clone(), ranged));
        packs(&site, &BIG);
        assert!(proxy.asked().iter().any(|asked| asked.header("range").is_some()), "ranges were asked for");
        // In the middle of it: the first range is honoured.
        proxy.rule(at("/blobs/", fault, |asked| asked.start() > 0));
        packs(&site, &BIG);
    }
    proxy.rule(at("/blobs/", status(416), |_| true));
    // Whichever image's blob is refused first.
    let text = site.refused(&[&BIG[..], &["--no-store"]].concat(), 4);
    assert!(text.contains("error: image images.example/") && text.contains("expected"), "{text}");
}

#[test]
fn a_broken_transfer_goes_on_where_it_was() {
    let upstream = Upstream::start();
    let Some((site, _registry, proxy)) = site(&upstream) else { return };
    proxy.rule(at("/blobs/", Fault::Cut(3_000_000), |asked| asked.start() % (16 << 20) == 0));
    packs(&site, &BIG);
    let (digest, _) = site.layer("app");
    let starts: Vec<_> = proxy.asked().iter().filter(|a| a.target.contains(&digest.hex())).map(Asked::start).collect();
    assert!(starts.iter().any(|start| start % (16 << 20) != 0), "{starts:?}");
}

#[test]
fn a_mirror_that_answers_but_does_not_deliver_is_passed_over() {
    let upstream = Upstream::start();
    let Some((site, registry, proxy)) = site(&upstream) else { return };
    site.mirrors(&[&proxy.url(), &registry.url()], QUICK);
    for fault in [Fault::Cut(0), Fault::Reset(1_000), Fault::Cut(1_000)] {
        proxy.rule(at("/blobs/", fault, |_| true));
        packs(&site, &BIG);
        let most = proxy.asked().iter().map(|asked| asked.nth + 1).max();
        assert!(most <= Some(6), "the attempts are bounded: {most:?}");
    }
    // Nor is one that does not serve this image; one that says that it is gone for good knows more than the others may.
    proxy.rule(at("/blobs/", status(403), |_| true));
    packs(&site, &BIG);
    proxy.rule(at("/blobs/", status(410), |_| true));
    refused(&site, &["410"]);
}
