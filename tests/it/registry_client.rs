//! The library's registry client against a real registry, and against the embedded upstream's tokens and redirects.

use bundler::config::Config;
use bundler::oci::manifest::View;
use bundler::oci::{Digest, Hasher, Reference};
use bundler::source::{Download, Http, HttpOptions, Registry};
use bundler::{Diagnostic as _, Exit};

use crate::support::{self, Sandbox};
use crate::upstream::Upstream;
use crate::upstream::faults::Effect;

fn client(config: &str, options: HttpOptions) -> Registry {
    let config = Config::parse("config.yaml", config).unwrap();
    Registry::new(Http::new(HttpOptions { config, ..options }).unwrap())
}

/// The digest and the length of what is still to come.
async fn drain(mut download: Download, hasher: &mut Hasher) -> u64 {
    let mut length = 0;
    while let Some(chunk) = download.chunk().await.unwrap() {
        hasher.update(&chunk);
        length += chunk.len() as u64;
    }
    length
}

#[test]
fn reads_real_images_behind_tls_and_a_password() {
    // The servers of the tests have runtimes of their own, which cannot begin within another one.
    let Some(server) = support::Registry::debian_secured() else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(read_real_images(&server));
}

async fn read_real_images(server: &support::Registry) {
    let images = support::debian_images().expect("the registry has them");
    let sandbox = Sandbox::new();
    let ca_file = server.ca().map(Into::into);
    let credential_files = vec![sandbox.write("config.json", server.docker_config())];
    let config = format!("mirror_only: true\nmirrors: {{site.example: ['{}']}}\n", server.url());
    let options = || HttpOptions { ca_file: Clone::clone(&ca_file), ..HttpOptions::default() };
    let registry = client(&config, HttpOptions { credential_files, ..options() });
    let mut largest: Option<(Reference, Digest, u64)> = None;
    for image in &images {
        let name = image.reference.split_once('/').expect("it has a host").1;
        let reference: Reference = format!("site.example/{name}").parse().unwrap();
        let head = registry.head(&reference).await.unwrap().unwrap();
        let manifest = registry.manifest(&reference).await.unwrap();
        assert_eq!((head.digest, manifest.digest), (image.digest, image.digest));
        assert_eq!((&head.media_type, &manifest.media_type), (&image.media_type, &image.media_type));
        assert_eq!(head.size, manifest.bytes.len() as u64);
        assert!(registry.tags(&reference).await.unwrap().contains(&reference.tag().unwrap().to_owned()));
        for (_, digest, size, _) in &image.platforms {
            let child = registry.manifest(&reference.pinned(*digest)).await.unwrap();
            assert_eq!((child.digest, child.bytes.len() as u64), (*digest, *size));
            let View::Manifest { config, layers } = child.view else { panic!("{digest} is an index") };
            let bytes = registry.blob(&reference, &config.digest, config.size).await.unwrap();
            assert_eq!(bytes.len() as u64, config.size);
            for layer in layers {
                if largest.as_ref().is_none_or(|(.., size)| layer.size > *size) {
                    largest = Some((reference.clone(), layer.digest, layer.size));
                }
            }
        }
    }
    let (reference, digest, size) = largest.expect("images have layers");
    let mut hasher = Hasher::new();
    let whole = registry.open_blob(&reference, &digest, None).await.unwrap();
    assert_eq!((whole.total(), drain(whole, &mut hasher).await), (Some(size), size));
    assert_eq!(hasher.finish(), digest);
    let mut hasher = Hasher::new();
    for range in [0..size / 2, size / 2..u64::MAX] {
        let part = registry.open_blob(&reference, &digest, Some(range.clone())).await.unwrap();
        assert_eq!((part.offset(), part.total()), (range.start, Some(size)));
        drain(part, &mut hasher).await;
    }
    assert_eq!(hasher.finish(), digest, "two segments make the whole");

    let missing = client(&config, options()).manifest(&reference).await.unwrap_err();
    assert_eq!(missing.exit(), Exit::Credentials, "{missing}");
    let wrong = server.docker_config().replace("Y2Fycmllcjpjb3JyZWN0IGhvcnNl", "Y2Fycmllcjp3cm9uZw==");
    let credential_files = vec![sandbox.write("wrong.json", wrong)];
    let wrong = client(&config, HttpOptions { credential_files, ..options() }).manifest(&reference).await.unwrap_err();
    assert_eq!(wrong.exit(), Exit::Credentials, "{wrong}");
    let stranger = client(&config, HttpOptions::default()).manifest(&reference).await.unwrap_err();
    assert!(stranger.hint().is_some_and(|hint| hint.contains("--ca-file")), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_when_tokens_and_redirects_expire() {
    let upstream = Upstream::start();
    let registry = client(&upstream.config(), HttpOptions::default());
    let reference: Reference = "docker.io/grafana/loki:3.7.6".parse().unwrap();
    let index = registry.manifest(&reference).await.unwrap();
    let child = index.child(bundler::oci::Arch::Arm64).expect("it is for arm64").digest;
    let View::Manifest { layers, .. } = registry.manifest(&reference.pinned(child)).await.unwrap().view else {
        panic!("{child} is an index")
    };
    let layer = layers.iter().max_by_key(|layer| layer.size).expect("an image has layers");
    let mut hasher = Hasher::new();
    for quarter in 0..4 {
        let range = layer.size * quarter / 4..layer.size * (quarter + 1) / 4;
        let part = registry.open_blob(&reference, &layer.digest, Some(range.clone())).await.unwrap();
        assert_eq!(drain(part, &mut hasher).await, range.end - range.start);
        if quarter == 1 {
            upstream.expire();
        }
    }
    assert_eq!(hasher.finish(), layer.digest);
    assert_eq!(upstream.count("GET token"), 2, "{:#?}", upstream.requests());
    assert_eq!(upstream.count(" 400"), 0, "no credentials went to the other host");

    upstream.fault("grafana/loki/manifests", Some(1), Effect::Status(503));
    upstream.fault("grafana/loki/tags", None, Effect::Status(404));
    registry.manifest(&reference).await.unwrap();
    let error = registry.tags(&reference).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Source, "{error}");
}
